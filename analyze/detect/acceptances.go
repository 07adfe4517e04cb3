package detect

import (
	"encoding/binary"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// keySets are the keys that the requests of endpoints, or of other numbered things,
// belong to. Few of their lists differ: most routes of a site are in the same parts of it.
type keySets struct {
	of   []int32   // by endpoint: its set plus one, 0 for none
	sets [][]int32 // keys
}

// newKeySets returns the sets of n endpoints with the given lists of keys.
func newKeySets(n int, keysOf func(endpoint int) []int32) *keySets {
	k := &keySets{of: make([]int32, n)}
	known := map[string]int32{}
	var name []byte
	for i := range k.of {
		keys := keysOf(i)
		if len(keys) == 0 {
			continue
		}
		name = name[:0]
		for _, key := range keys {
			name = binary.LittleEndian.AppendUint32(name, uint32(key))
		}
		if known[string(name)] == 0 {
			k.sets = append(k.sets, keys)
			known[string(name)] = int32(len(k.sets))
		}
		k.of[i] = known[string(name)]
	}
	return k
}

// keySetsOf returns the sets of n endpoints. members are the endpoints of each key.
func keySetsOf(n int, members [][]uint32) *keySets {
	of := make([][]int32, n)
	for key, endpoints := range members {
		for _, endpoint := range endpoints {
			of[endpoint] = append(of[endpoint], int32(key))
		}
	}
	return newKeySets(n, func(endpoint int) []int32 { return of[endpoint] })
}

// has reports whether an endpoint has a key.
func (k *keySets) has(endpoint uint32, key int32) bool {
	set := k.of[endpoint] - 1
	return set >= 0 && slices.Contains(k.sets[set], key)
}

// acceptances counts by key and step the actors that were accepted, for one goroutine.
// The observers that compare refusals with acceptances over time share it.
//
// An actor makes most of its requests to keys that accepted it a moment before. Of these
// only the time is noted. When the actor or the step has changed, it is counted once for
// the whole set of keys, and what is counted twice for a key, by several sets, is noted
// beside that. So a request takes constant time, and at most the time for the keys of its
// set, whose number each observer bounds.
type acceptances struct {
	*keySets // read only
	tallies  // by key, without what bySet and again hold
	clock    stepClock
	visit    int32    // steps after the counted one in which an actor does not count again
	counted  []inStep // by key
	latest   []latest // by set
	bySet    tallies  // by set, of the first maxSets sets
	again    tallies  // by key: the actors in bySet that do not count again for it
}

// maxSets is the maximum number of sets whose acceptances are counted by set: each costs 8
// bytes a step, like a key. What a crafted log has more is counted by key.
const maxSets = 384

// latest is the last acceptance in the keys of a set.
type latest struct {
	time, noted int64 // Unix milliseconds; noted is the time that was entered
	actor       uint32
	step        int32
	counted     int32 // first step in which a key counted the actor last
}

// inStep records the steps in which an actor was counted last, -1 for none.
type inStep struct {
	actor             uint32
	accepted, refused int32
}

// newAcceptances counts for n keys.
func (d *Diagnosis) newAcceptances(sets *keySets, n int, visit int32) acceptances {
	return acceptances{
		keySets: sets, tallies: d.newTallies(n), clock: d.clock(), visit: visit, counted: make([]inStep, n), latest: make([]latest, len(sets.sets)),
		bySet: d.newTallies(min(len(sets.sets), maxSets)), again: d.newTallies(n),
	}
}

// accept adds an acceptance by an endpoint. refused is the step of the actor's last
// refusal, after which it counts again; -1 for none, or if that does not matter.
func (x *acceptances) accept(endpoint, actor uint32, refused int32, ms int64) {
	set := x.of[endpoint] - 1
	if set < 0 {
		return
	}
	l, step := &x.latest[set], x.clock.at(ms)
	if l.actor == actor {
		switch {
		case l.step == step && refused < step:
			l.time = ms
			return
		case step-l.counted <= x.visit && refused < l.counted:
			x.note(set)
			l.time, l.noted, l.step = ms, session.LongAgo, step
			return
		}
	}
	x.note(set)
	*l = latest{ms, ms, actor, step, step}
	whole := int(set) < x.bySet.keys
	if whole {
		x.bySet.noteAccepted(set, step, ms, true)
	}
	for _, key := range x.sets[set] {
		in := x.in(key, actor)
		isNew := in.accepted < 0 || refused >= in.accepted || step-in.accepted > x.visit
		if isNew {
			in.accepted = step
		}
		l.counted = min(l.counted, in.accepted)
		switch {
		case !whole:
			x.noteAccepted(key, step, ms, isNew)
		case !isNew:
			x.again.note(key, step, 0, true)
		}
	}
}

// refuse adds a refusal of an actor to a key: it counts once in each step.
func (x *acceptances) refuse(key int32, actor uint32, ms int64) {
	in, step := x.in(key, actor), x.clock.at(ms)
	x.addRefused(key, step, ms, in.refused != step)
	in.refused = step
}

// in returns where an actor was counted for a key.
func (x *acceptances) in(key int32, actor uint32) *inStep {
	in := &x.counted[key]
	if in.actor != actor {
		*in = inStep{actor, -1, -1}
	}
	return in
}

// note enters the time of the last acceptance in the keys of a set.
func (x *acceptances) note(set int32) {
	l := &x.latest[set]
	switch {
	case l.actor == 0 || l.time == l.noted: // none yet, or it is known
	case int(set) < x.bySet.keys:
		x.bySet.noteAccepted(set, l.step, l.time, false)
	default:
		for _, key := range x.sets[set] {
			x.noteAccepted(key, l.step, l.time, false)
		}
	}
}

// addTo adds the acceptances by set to the cells of their keys, when all actors have been
// added.
func (x *acceptances) addTo(cells [][]cell) {
	if x.again.accepted != nil {
		for key, sums := range cells {
			for step := range sums {
				sums[step].accepted -= int32(x.again.acceptedAt(int32(key), int32(step)).actors)
			}
		}
	}
	for set := range x.bySet.keys {
		for _, key := range x.sets[set] {
			for step := range cells[key] {
				cells[key][step].accept(x.bySet.acceptedAt(int32(set), int32(step)), x.bySet.start(step))
			}
		}
	}
}

// cellsOf adds up the tallies of all parts.
func cellsOf(parts []*acceptances) [][]cell {
	all := make([]*tallies, len(parts))
	for i, p := range parts {
		for set := range p.sets {
			p.note(int32(set))
		}
		p.bySet.finish()
		p.again.finish()
		all[i] = &p.tallies
	}
	cells := sumTallies(all)
	for _, p := range parts {
		p.addTo(cells)
	}
	return cells
}

// stepClock returns the steps of times. It multiplies, because a division takes longer than
// all else that is done for a request.
type stepClock struct {
	start, width int64   // of the first step; of each, milliseconds
	rate         float64 // steps in a millisecond
	last         int32   // step
	// The step of the last time, and its bounds: an actor's requests come one after the
	// other.
	current     int32
	from, until int64
}

func newStepClock(start, width int64, last int32) stepClock {
	return stepClock{start: start, width: width, rate: 1 / float64(width), last: last}
}

// clock returns a clock of the steps of the evidence.
func (d *Diagnosis) clock() stepClock { return newStepClock(d.From, d.Width, session.MaxSteps-1) }

// at returns the step of a time, the first or last one if it is outside of all.
func (c *stepClock) at(ms int64) int32 {
	if ms < c.from || ms >= c.until {
		c.move(ms)
	}
	return c.current
}

// move sets the current step to that of a time.
func (c *stepClock) move(ms int64) {
	n := min(max(int64(float64(ms-c.start)*c.rate), 0), int64(c.last))
	switch from := c.start + n*c.width; { // the product may be rounded to another step
	case ms < from && n > 0:
		n--
	case ms >= from+c.width && n < int64(c.last):
		n++
	}
	c.current = int32(n)
	c.from, c.until = c.start+n*c.width, c.start+(n+1)*c.width
	if n == 0 {
		c.from = session.LongAgo
	}
	if n == int64(c.last) {
		c.until = session.Never
	}
}

// passing holds by endpoint the outcomes, as bits, of requests that were accepted where
// credentials are asked for.
type passing []uint8

func (p passing) passes(e *timeline.Event) bool { return p[e.Endpoint]>>e.Outcome&1 != 0 }

// accepted reports whether event i of an actor was accepted where credentials are asked
// for.
func (d *Diagnosis) accepted(a *timeline.Actor, i int) bool {
	e := &a.Events[i]
	return d.passes(e) && (e.Outcome != timeline.Redirected || !d.Bounced(a, i))
}

func passingOf(ev *session.Evidence) passing {
	p := make(passing, len(ev.Roles))
	for i, role := range ev.Roles {
		if role&(session.Guards|session.SignsIn) != 0 {
			p[i] |= 1 << timeline.Accepted
		}
		if role.Begins() || redirectsOn(&ev.State.Endpoints[i]) {
			p[i] |= 1 << timeline.Redirected
		}
	}
	return p
}

// redirectsOn reports whether a route that refuses answers what it accepts with a redirect, as
// the target of a form does (RFC 9110, section 15.4.4).
func redirectsOn(e *timeline.Endpoint) bool {
	return e.Method == "POST" && e.N[timeline.Unauthorized] > 0 && e.N[timeline.Accepted] == 0 && e.N[timeline.Redirected] > 0
}
