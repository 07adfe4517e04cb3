package analyze

import (
	"encoding/binary"
	"iter"
	"slices"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse/source"
)

const (
	// keepEvents is from how long before the end of the log events are kept one
	// by one, in milliseconds: lines that come later than this are still told,
	// but do not change the session they were in.
	keepEvents = 24 * 3_600_000
	// maxKeptEvents bounds them, at three or four bytes each: of more, those of a
	// shorter time are kept.
	maxKeptEvents = 1 << 24
	// keepSessions is how long after its last request it is kept how a session
	// stands, in milliseconds: a weekend and some days.
	keepSessions = 7 * 24 * 3_600_000
	// maxKeptActors bounds them, at some fifty bytes each: those that were seen
	// last stay.
	maxKeptActors = 1 << 20
	// keepEndpoints is how long after its last request it is kept what was counted
	// of an endpoint, in milliseconds: what is asked once a month is rare.
	keepEndpoints = 31 * 24 * 3_600_000
	// maxKeptEndpoints bounds them: of more, those that this run was asked for are
	// kept. A run that tells more apart itself would have to cut their templates.
	maxKeptEndpoints = 16 << 10
	// keptActorSize is about how many bytes of memory one takes.
	keptActorSize = 200
)

// keeping is what a later run is to know.
type keeping struct {
	*correlation
	since   int64 // events from then on are kept one by one, Unix milliseconds
	to      int64 // where the logs ended
	ledger  *source.Ledger
	keepers []*keeper // by worker
}

// newKeeping finds the times, of what was counted by the minute.
func newKeeping(c *correlation, p *Past) *keeping {
	k := &keeping{correlation: c, to: p.to}
	minutes := map[int64]int64{}
	for m, n := range p.minutes {
		minutes[m] += n
	}
	for _, m := range c.state.Minutes {
		for _, n := range m.N {
			minutes[floorDiv(m.Time, 60e6)] += n
		}
	}
	if len(c.state.Minutes) > 0 {
		k.to = max(k.to, c.to)
	}
	k.since = k.to - keepEvents
	sum := int64(0)
	for m := floorDiv(k.to, 60_000); m*60_000 > k.since; m-- {
		if sum += minutes[m]; sum > maxKeptEvents {
			k.since = (m + 1) * 60_000
		}
	}
	return k
}

// keeper gives a worker's part; nil where nothing is kept.
func (k *keeping) keeper() *keeper {
	if k == nil {
		return nil
	}
	s := k.state
	return &keeper{
		keeping:   k,
		endpoints: make(marks, len(s.Endpoints)),
		users:     make(marks, len(s.Users)), upstreams: make(marks, len(s.Upstreams)),
		addresses: make(marks, len(s.Addresses)), agents: make(marks, len(s.Agents)),
		clients: map[timeline.Client]struct{}{},
		sorted: spill.Sorter[keptActor]{
			Codec: keptCodec, Space: k.memory.Space, Limit: k.memory.records(k.workers, keptActorSize),
		},
	}
}

// actors yields those that are kept. One is valid until the next.
func (k *keeping) actors() iter.Seq2[*keptActor, error] {
	var all []*spill.Sorter[keptActor]
	for _, w := range k.keepers {
		all = append(all, &w.sorted)
	}
	return func(yield func(*keptActor, error) bool) {
		n := 0
		for a, err := range spill.Sorted(all...) {
			if n++; n > maxKeptActors || !yield(a, err) {
				return
			}
		}
	}
}

// marks says which names of a list something refers to.
type marks []bool

func (m marks) has(i int) bool { return m[i] }

// known gives what is known of endpoints for a later run. Where templates had to
// be cut it is not known of which routes: those are learned anew.
func (k *keeping) known() []timeline.Known {
	s := k.state
	all := make([]timeline.Known, len(s.Endpoints))
	if s.EndpointsFolded {
		return all
	}
	n := 0
	for i := range all {
		e, x := &s.Endpoints[i], &all[i]
		*x = timeline.Known{
			Accepted: e.Known.Accepted + e.N[timeline.Accepted], Bare: e.Known.Bare + e.Bare,
			Unauthorized: e.Known.Unauthorized + e.N[timeline.Unauthorized], Last: max(e.Known.Last, floorDiv(e.Last, 1000)),
		}
		if x.Last < k.to-keepEndpoints {
			*x = timeline.Known{}
		} else {
			n++
		}
	}
	if n > maxKeptEndpoints {
		for i := range all {
			if counts(&s.Endpoints[i].Tally).Requests == 0 {
				all[i] = timeline.Known{}
			}
		}
	}
	return all
}

// usedNames are the names that something refers to.
type usedNames struct {
	endpoints, users, upstreams, addresses, agents marks
	clients                                        []timeline.Client
}

func (k *keeping) used() usedNames {
	u := usedNames{k.keepers[0].endpoints, k.keepers[0].users, k.keepers[0].upstreams, k.keepers[0].addresses, k.keepers[0].agents, nil}
	clients := map[timeline.Client]struct{}{}
	for _, w := range k.keepers {
		for _, m := range [][2]marks{{u.endpoints, w.endpoints}, {u.users, w.users}, {u.upstreams, w.upstreams}, {u.addresses, w.addresses}, {u.agents, w.agents}} {
			for i, used := range m[1] {
				m[0][i] = m[0][i] || used
			}
		}
		for c := range w.clients {
			clients[c] = struct{}{}
		}
	}
	for c := range clients {
		u.clients = append(u.clients, c)
	}
	slices.SortFunc(u.clients, timeline.CompareClients)
	return u
}

// keeper is a worker's part of a keeping.
type keeper struct {
	*keeping
	trail                                          trail           // of the actor at hand, before the events that are kept
	was                                            timeline.Client // of the actor at hand, where an earlier run kept it and it is no session
	endpoints, users, upstreams, addresses, agents marks
	clients                                        map[timeline.Client]struct{}
	sorted                                         spill.Sorter[keptActor]
	scratch                                        []byte
}

// trail is how an actor stands before an event: what walk knows of those before.
type trail struct {
	since int64 // it holds what came before then and in time
	life
	known           bool
	user            uint32
	last, lastOther int64
	lastOn          uint32
	burst           uint32
	lastRefused     int64
	address         uint32
	moves           bool
}

// mark notes how the actor at hand stands where the events begin that are kept.
func (k *keeper) mark(t trail) { k.trail = t }

// add keeps the actor at hand, if a later run can meet it.
func (k *keeper) add(a *timeline.Actor) error {
	t := &k.trail
	t.since = max(t.since, k.since)
	i, _ := slices.BinarySearchFunc(a.Events, k.since, func(e timeline.Event, at int64) int { return int(min(max(e.Time-at, -1), 1)) })
	events := a.Events[i:]
	out := keptActor{named: a.Session != nil, seen: max(t.protected, t.any, t.last, t.lastRefused)}
	if n := len(events); n > 0 {
		out.seen = events[n-1].Time
	}
	stands := t.open || t.dead || t.known
	if len(events) == 0 && (!stands || out.seen < k.to-keepSessions) {
		return nil
	}
	if out.named {
		out.id = sumOf(a)
	} else if out.client = k.was; len(a.Events) > 0 {
		out.client = a.Events[0].Client // all are of one client
	}
	if c := out.client; !out.named && k.state.OtherClients > 0 && k.state.Addresses[c.Address] == timeline.OtherName && k.state.Agents[c.Agent] == timeline.OtherName {
		return nil // it is one of many that are not told by name
	}
	if !out.named {
		k.client(out.client)
	}
	k.scratch = k.scratch[:0]
	if stands {
		k.scratch = k.appendTrail(k.scratch, t, out.client)
	}
	out.data = binary.AppendUvarint(nil, uint64(len(k.scratch)))
	out.data = k.appendEvents(append(out.data, k.scratch...), events)
	return k.sorted.Add(out)
}

// client notes that something refers to a client.
func (k *keeper) client(c timeline.Client) {
	if _, ok := k.clients[c]; !ok {
		k.clients[c] = struct{}{}
		k.addresses[c.Address], k.agents[c.Agent] = true, true
	}
}

func (k *keeper) user(n uint32) int64 {
	if n != 0 {
		k.users[n-1] = true
	}
	return int64(n)
}

// appendEvents appends events as eachActor reads them.
func (k *keeper) appendEvents(dst []byte, events []timeline.Event) []byte {
	var last timeline.Event
	if len(events) > 0 {
		last.Time = events[0].Time
	}
	dst = binary.AppendVarint(dst, last.Time)
	dst = binary.AppendUvarint(dst, uint64(len(events)))
	for i := range events {
		e := &events[i]
		dst = binary.AppendVarint(dst, e.Time-last.Time)
		kind := uint64(e.Outcome) | uint64(e.Scheme)<<3
		elsewhere := i == 0 || e.Endpoint != last.Endpoint || e.Upstream != last.Upstream
		other := i == 0 || e.User != last.User || e.Client != last.Client
		if elsewhere {
			kind |= eventElsewhere
		}
		if other {
			kind |= eventOther
		}
		dst = binary.AppendUvarint(dst, kind)
		if elsewhere {
			k.endpoints[e.Endpoint] = true
			dst = binary.AppendUvarint(dst, uint64(e.Endpoint))
			dst = binary.AppendUvarint(dst, uint64(e.Upstream))
			if e.Upstream != 0 {
				k.upstreams[e.Upstream-1] = true
			}
		}
		if other {
			dst = binary.AppendUvarint(dst, uint64(k.user(e.User)))
			dst = binary.AppendUvarint(dst, uint64(e.Client.Address))
			dst = binary.AppendUvarint(dst, uint64(e.Client.Agent))
			k.client(e.Client)
		}
		last = *e
	}
	return dst
}

// Flags of a trail.
const (
	trailOpen = 1 << iota
	trailSeen
	trailAccepted
	trailDead
	trailKnown
	trailMoves
	trailLastOn // there is an endpoint that accepted last
)

// appendTrail appends how an actor stands as recalled reads it.
func (k *keeper) appendTrail(dst []byte, t *trail, client timeline.Client) []byte {
	flags := int64(0)
	for i, on := range []bool{t.open, t.seen, t.accepted, t.dead, t.known, t.moves, t.lastOn != timeline.NoRefusal} {
		if on {
			flags |= 1 << i
		}
	}
	put := func(all ...int64) {
		for _, n := range all {
			dst = binary.AppendVarint(dst, n)
		}
	}
	// Times lie close to each other.
	at := func(ms int64) int64 {
		if ms == before {
			return 0
		}
		return max(t.since-ms, 0) + 1
	}
	put(flags, int64(client.Address), int64(client.Agent), t.since, k.user(t.user), at(t.last), at(t.lastOther), int64(t.burst), at(t.lastRefused))
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
		k.client(r.client)
		k.endpoints[t.first] = true
		put(at(t.start), at(t.protected), at(t.any), int64(t.first), int64(r.client.Address), int64(r.client.Agent), k.user(r.user),
			at(r.start), at(r.lastAccepted), r.longestGap, int64(r.requests), int64(r.accepted), int64(r.unauthorized))
		if r.startSeen {
			put(1)
		} else {
			put(0)
		}
	}
	return dst
}

// recalled reads how an actor stood when an earlier run ended, in the numbers of
// this one.
func (w *walker) recalled(a *timeline.Actor) (t trail) {
	kept := a.Before
	get := func() int64 {
		v, n := binary.Varint(kept)
		if n <= 0 {
			kept = nil
			return 0
		}
		kept = kept[n:]
		return v
	}
	flags := get()
	has := func(f int64) bool { return flags&f != 0 }
	client := func() timeline.Client {
		address, agent := uint32(get()), uint32(get())
		return w.state.EarlierClient(timeline.Client{Address: address, Agent: agent})
	}
	if was := client(); a.Session == nil {
		w.keeper.was = was
	}
	t.since = get()
	at := func() int64 {
		if ms := get(); ms != 0 {
			return t.since - (ms - 1)
		}
		return before
	}
	s := w.state
	t.open, t.seen, t.accepted, t.dead = has(trailOpen), has(trailSeen), has(trailAccepted), has(trailDead)
	t.known, t.moves, t.lastOn = has(trailKnown), has(trailMoves), timeline.NoRefusal
	t.user = s.EarlierUser(uint32(get()))
	t.last, t.lastOther, t.burst, t.lastRefused = at(), at(), uint32(get()), at()
	if t.moves {
		t.address = s.EarlierAddress(uint32(get()))
	}
	if has(trailLastOn) {
		t.lastOn = s.EarlierEndpoint(uint32(get()))
	}
	if t.dead {
		t.gap, t.gapAny, t.age = get(), get(), get()
	}
	if t.open {
		r := &t.row
		t.start, t.protected, t.any = at(), at(), at()
		t.first = s.EarlierEndpoint(uint32(get()))
		r.client = client()
		r.user = s.EarlierUser(uint32(get()))
		r.start, r.lastAccepted, r.longestGap = at(), at(), get()
		r.requests, r.accepted, r.unauthorized = uint32(get()), uint32(get()), uint32(get())
		r.startSeen = get() == 1
		r.site, r.end, r.endRefusal = w.siteOf[t.first], before, timeline.NoRefusal
		if r.named = a.Session != nil; r.named {
			r.id = sumOf(a)
		}
	}
	return t
}

var keptCodec = spill.Codec[keptActor]{
	Append: func(dst []byte, a *keptActor) []byte {
		named := byte(0)
		if a.named {
			named = 1
		}
		dst = append(append(dst, named), a.id[:]...)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(a.seen))
		dst = binary.LittleEndian.AppendUint32(dst, a.client.Address)
		dst = binary.LittleEndian.AppendUint32(dst, a.client.Agent)
		return append(binary.AppendUvarint(dst, uint64(len(a.data))), a.data...)
	},
	Read: func(a *keptActor, src []byte) []byte {
		a.named = src[0] == 1
		src = src[1+copy(a.id[:], src[1:]):]
		a.seen = int64(binary.LittleEndian.Uint64(src))
		a.client = timeline.Client{Address: binary.LittleEndian.Uint32(src[8:]), Agent: binary.LittleEndian.Uint32(src[12:])}
		size, n := binary.Uvarint(src[16:])
		src = src[16+n:]
		a.data = src[:size:size]
		return src[size:]
	},
	Compare: compareKept,
	Key:     func(a *keptActor) uint64 { return ^(uint64(a.seen) ^ 1<<63) }, // the latest first, those before 1970 last
}
