package session

import (
	"encoding/binary"

	"logscan/analyze/timeline"
)

// Flags of a saved position.
const (
	hasOpen = 1 << iota
	hasSeen
	hasAccepted
	hasDead
	hasKnown
	hasMoves
	hasLastOn // lastOn is set
	hasBasic
	hasAsked
)

// appendPosition appends a position in the form that restore reads.
func (k *partSaver) appendPosition(dst []byte, t *position, client timeline.Client) []byte {
	flags := int64(0)
	for i, on := range []bool{t.open, t.seen, t.accepted, t.dead, t.known, t.moves, t.lastOn != timeline.NoRefusal, t.basic, t.asked} {
		if on {
			flags |= 1 << i
		}
	}
	put := func(all ...int64) {
		for _, n := range all {
			dst = binary.AppendVarint(dst, n)
		}
	}
	// Times are close to each other.
	at := func(ms int64) int64 {
		if ms == LongAgo {
			return 0
		}
		return max(t.since-ms, 0) + 1
	}
	put(flags, int64(client.Address), int64(client.Agent), t.since, k.user(t.user), at(t.last), at(t.lastOther), at(t.lastRefused))
	if t.moves {
		if t.address != timeline.NoAddress {
			k.addresses[t.address] = true
		}
		put(int64(t.address + 1)) // 0 for none
	}
	if t.lastOn != timeline.NoRefusal {
		k.endpoints[t.lastOn] = true
		put(int64(t.lastOn))
	}
	if t.dead {
		put(t.gap, t.gapAny, t.age)
	}
	if t.open {
		r := &t.row
		k.client(r.Client)
		k.endpoints[t.first] = true
		put(at(t.start), at(t.protected), at(t.any), int64(t.first), int64(r.Client.Address), int64(r.Client.Agent), k.user(r.User),
			at(r.Start), at(r.LastAccepted), r.LongestGap, int64(r.Requests), int64(r.Accepted), int64(r.Unauthorized))
		if r.StartSeen {
			put(1)
		} else {
			put(0)
		}
	}
	return dst
}

// restore returns the position that an earlier run saved of an actor, with the
// numbers of this run's names.
func (s *sessionizer) restore(a *timeline.Actor) (t position) {
	saved, state := a.Before, s.State
	get := func() int64 {
		v, n := binary.Varint(saved)
		if n <= 0 {
			saved = nil
			return 0
		}
		saved = saved[n:]
		return v
	}
	flags := get()
	has := func(f int64) bool { return flags&f != 0 }
	client := func() timeline.Client {
		address, agent := uint32(get()), uint32(get())
		return state.EarlierClient(timeline.Client{Address: address, Agent: agent})
	}
	if was := client(); a.Session == nil {
		s.saver.was = was
	}
	t.since, t.renewal, t.visit.again = get(), LongAgo, true
	at := func() int64 {
		if ms := get(); ms != 0 {
			return t.since - (ms - 1)
		}
		return LongAgo
	}
	t.open, t.seen, t.accepted, t.dead = has(hasOpen), has(hasSeen), has(hasAccepted), has(hasDead)
	t.known, t.moves, t.lastOn = has(hasKnown), has(hasMoves), timeline.NoRefusal
	t.basic, t.asked = has(hasBasic), has(hasAsked)
	t.user = state.EarlierUser(uint32(get()))
	t.last, t.lastOther, t.lastRefused = at(), at(), at()
	if t.moves {
		t.address = state.EarlierAddress(uint32(get()))
	}
	if has(hasLastOn) {
		t.lastOn = state.EarlierEndpoint(uint32(get()))
	}
	if t.dead {
		t.gap, t.gapAny, t.age = get(), get(), get()
	}
	if t.open {
		r := &t.row
		t.start, t.protected, t.any = at(), at(), at()
		t.first = state.EarlierEndpoint(uint32(get()))
		r.Client = client()
		r.User = state.EarlierUser(uint32(get()))
		r.Start, r.LastAccepted, r.LongestGap = at(), at(), get()
		r.Requests, r.Accepted, r.Unauthorized = uint32(get()), uint32(get()), uint32(get())
		r.StartSeen = get() == 1
		r.Site, r.Door, r.End, r.EndRefusal = s.siteOf[t.first], s.doors.of(t.first), LongAgo, timeline.NoRefusal
		if r.Named = a.Session != nil; r.Named {
			r.ID = sumOf(a)
		}
	}
	return t
}

// life is the session that an actor is in.
type life struct {
	open      bool
	seen      bool // its sign-in was seen
	start     int64
	protected int64 // last acceptance on a protected route, or the sign-in
	any       int64 // last request that was not refused
	row       Record
	accepted  bool   // on a protected route
	first     uint32 // endpoint that opened it

	// From its end by a refusal to the next sign-in; see Refusal.Dead.
	dead             bool
	gap, gapAny, age int64
	door             uint8
}

// position is where the walk over an actor's events stands.
type position struct {
	life
	since       int64  // events before it come too late to change the session
	known       bool   // the actor was accepted on a protected route, or signed in
	user        uint32 // named last, plus one
	last        int64  // last acceptance on a protected route,
	lastOn      uint32 // its endpoint,
	lastOther   int64  // and the last acceptance on another protected route
	address     uint32 // of the last acceptance
	moves       bool   // there has been an acceptance, so address is set
	lastRefused int64
	renewal     int64 // last renewal that succeeded
	vain        int   // sign-ins in a row that succeeded, and were refused before anything was accepted
	// basic: the actor answers challenges of HTTP authentication. Its credentials come
	// with every request, so it has no session that could end.
	basic bool
	left  bool // the actor signed out, and has not been accepted since
	asked bool // the actor was asked for a user name and password, which came
	visit visit
}

// beginning returns the position before any event.
func beginning() position {
	return position{since: LongAgo, last: LongAgo, lastOther: LongAgo, lastRefused: LongAgo, renewal: LongAgo, lastOn: timeline.NoRefusal, visit: visit{seen: LongAgo}}
}
