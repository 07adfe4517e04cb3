package session

import "logscan/analyze/timeline"

// maxRecent is the maximum number of endpoints that a recency holds.
const maxRecent = 16

// recency holds the last few distinct endpoints that were used, each in a slot. Using one
// takes constant time, whether it is known or takes the slot of the one used least
// recently.
type recency struct {
	at         []uint8 // by endpoint: its slot, if that is still its own
	endpoints  [maxRecent]uint32
	next, prev [maxRecent]uint8 // a ring in the order of use, most recent first
	first      uint8
}

func newRecency(endpoints int) recency { return recency{at: make([]uint8, endpoints)} }

// reset removes all endpoints. From now on it holds n of them.
func (r *recency) reset(n uint8) {
	for i := range n {
		r.endpoints[i] = timeline.NoRefusal
		r.next[i], r.prev[i] = (i+1)%n, (i+n-1)%n
	}
	r.first = 0
}

// use returns the slot of an endpoint, and whether it had it already.
func (r *recency) use(endpoint uint32) (slot uint8, known bool) {
	slot = r.at[endpoint]
	last := r.prev[r.first]
	switch {
	case r.endpoints[slot] != endpoint:
		r.endpoints[last], r.at[endpoint], r.first = endpoint, last, last
		return last, false
	case slot == r.first:
		return slot, true
	case slot != last:
		before, after := r.prev[slot], r.next[slot]
		r.next[before], r.prev[after] = after, before
		r.next[last], r.prev[slot] = slot, last
		r.next[slot], r.prev[r.first] = r.first, slot
	}
	r.first = slot
	return slot, true
}

// each yields the slots, that of the endpoint used last first.
func (r *recency) each(yield func(slot uint8) bool) {
	for slot := r.first; yield(slot); {
		if slot = r.next[slot]; slot == r.first {
			return
		}
	}
}
