package session

import (
	"encoding/binary"
	"iter"
	"slices"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

const (
	// saveEvents is from how long before the end of the log events are kept one
	// by one, in milliseconds: lines that come later than this are still told,
	// but do not change the session they were in.
	saveEvents = 24 * 3_600_000
	// maxSavedEvents bounds them, at three or four bytes each: of more, those of a
	// shorter time are kept.
	maxSavedEvents = 1 << 24
	// saveSessions is how long after its last request it is kept how a session
	// stands, in milliseconds: a weekend and some days.
	saveSessions = 7 * 24 * 3_600_000
	// maxSavedActors bounds them, at some fifty bytes each: those that were seen
	// last stay.
	maxSavedActors = 1 << 20
	// saveEndpoints is how long after its last request it is kept what was counted
	// of an endpoint, in milliseconds: what is asked once a month is rare.
	saveEndpoints = 31 * 24 * 3_600_000
	// maxSavedEndpoints bounds them: of more, those that this run was asked for are
	// kept. A run that tells more apart itself would have to cut their templates.
	maxSavedEndpoints = 16 << 10
	// savedActorSize is about how many bytes of memory one takes.
	savedActorSize = 200
)

// saver is what a later run is to know.
type saver struct {
	*Evidence
	since int64        // events from then on are kept one by one, Unix milliseconds
	to    int64        // where the logs ended
	parts []*partSaver // by worker
}

// newSaver finds the times, of what was counted by the minute.
func newSaver(c *Evidence, p *Carryover) *saver {
	k := &saver{Evidence: c, to: p.to}
	minutes := map[int64]int64{}
	for m, n := range p.minutes {
		minutes[m] += n
	}
	for _, m := range c.State.Minutes {
		for _, n := range m.N {
			minutes[floorDiv(m.Time, 60e6)] += n
		}
	}
	if len(c.State.Minutes) > 0 {
		k.to = max(k.to, c.To)
	}
	k.since = k.to - saveEvents
	sum := int64(0)
	for m := floorDiv(k.to, 60_000); m*60_000 > k.since; m-- {
		if sum += minutes[m]; sum > maxSavedEvents {
			k.since = (m + 1) * 60_000
		}
	}
	return k
}

// partSaver gives a worker's part; nil where nothing is kept.
func (k *saver) partSaver() *partSaver {
	if k == nil {
		return nil
	}
	s := k.State
	return &partSaver{
		saver:     k,
		endpoints: make(marks, len(s.Endpoints)),
		users:     make(marks, len(s.Users)), upstreams: make(marks, len(s.Upstreams)),
		addresses: make(marks, len(s.Addresses)), agents: make(marks, len(s.Agents)),
		clients: map[timeline.Client]struct{}{},
		sorted: spill.Sorter[savedActor]{
			Codec: savedCodec, Space: k.memory.Space, Limit: k.memory.Records(k.Workers, savedActorSize),
		},
	}
}

// actors yields those that are kept. One is valid until the next.
func (k *saver) actors() iter.Seq2[*savedActor, error] {
	var all []*spill.Sorter[savedActor]
	for _, w := range k.parts {
		all = append(all, &w.sorted)
	}
	return func(yield func(*savedActor, error) bool) {
		n := 0
		for a, err := range spill.Sorted(all...) {
			if n++; n > maxSavedActors || !yield(a, err) {
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
func (k *saver) known() []timeline.Known {
	s := k.State
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
		if x.Last < k.to-saveEndpoints {
			*x = timeline.Known{}
		} else {
			n++
		}
	}
	if n > maxSavedEndpoints {
		for i := range all {
			if s.Endpoints[i].N == (timeline.Tally{}).N {
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

func (k *saver) used() usedNames {
	u := usedNames{k.parts[0].endpoints, k.parts[0].users, k.parts[0].upstreams, k.parts[0].addresses, k.parts[0].agents, nil}
	clients := map[timeline.Client]struct{}{}
	for _, w := range k.parts {
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

// partSaver is a worker's part of a keeping.
type partSaver struct {
	*saver
	snapshot                                       snapshot        // of the actor at hand, before the events that are kept
	was                                            timeline.Client // of the actor at hand, where an earlier run kept it and it is no session
	endpoints, users, upstreams, addresses, agents marks
	clients                                        map[timeline.Client]struct{}
	sorted                                         spill.Sorter[savedActor]
	scratch                                        []byte
}

// snapshot is how an actor stands before an event: what walk knows of those before.
type snapshot struct {
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
func (k *partSaver) mark(t snapshot) { k.snapshot = t }

// add keeps the actor at hand, if a later run can meet it.
func (k *partSaver) add(a *timeline.Actor) error {
	t := &k.snapshot
	t.since = max(t.since, k.since)
	i, _ := slices.BinarySearchFunc(a.Events, k.since, func(e timeline.Event, at int64) int { return int(min(max(e.Time-at, -1), 1)) })
	events := a.Events[i:]
	out := savedActor{named: a.Session != nil, seen: max(t.protected, t.any, t.last, t.lastRefused)}
	if n := len(events); n > 0 {
		out.seen = events[n-1].Time
	}
	stands := t.open || t.dead || t.known
	if len(events) == 0 && (!stands || out.seen < k.to-saveSessions) {
		return nil
	}
	if out.named {
		out.id = sumOf(a)
	} else if out.client = k.was; len(a.Events) > 0 {
		out.client = a.Events[0].Client // all are of one client
	}
	if c := out.client; !out.named && k.State.OtherClients > 0 && k.State.Addresses[c.Address] == timeline.OtherName && k.State.Agents[c.Agent] == timeline.OtherName {
		return nil // it is one of many that are not told by name
	}
	if !out.named {
		k.client(out.client)
	}
	k.scratch = k.scratch[:0]
	if stands {
		k.scratch = k.appendSnapshot(k.scratch, t, out.client)
	}
	out.data = binary.AppendUvarint(nil, uint64(len(k.scratch)))
	out.data = k.appendEvents(append(out.data, k.scratch...), events)
	return k.sorted.Add(out)
}

// client notes that something refers to a client.
func (k *partSaver) client(c timeline.Client) {
	if _, ok := k.clients[c]; !ok {
		k.clients[c] = struct{}{}
		k.addresses[c.Address], k.agents[c.Agent] = true, true
	}
}

func (k *partSaver) user(n uint32) int64 {
	if n != 0 {
		k.users[n-1] = true
	}
	return int64(n)
}

// appendEvents appends events as eachActor reads them.
func (k *partSaver) appendEvents(dst []byte, events []timeline.Event) []byte {
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
	snapshotOpen = 1 << iota
	snapshotSeen
	snapshotAccepted
	snapshotDead
	snapshotKnown
	snapshotMoves
	snapshotLastOn // there is an endpoint that accepted last
)

// appendSnapshot appends how an actor stands as recalled reads it.
func (k *partSaver) appendSnapshot(dst []byte, t *snapshot, client timeline.Client) []byte {
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
		if ms == LongAgo {
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

// restore reads how an actor stood when an earlier run ended, in the numbers of
// this one.
func (w *sessionizer) restore(a *timeline.Actor) (t snapshot) {
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
		return w.State.EarlierClient(timeline.Client{Address: address, Agent: agent})
	}
	if was := client(); a.Session == nil {
		w.partSaver.was = was
	}
	t.since = get()
	at := func() int64 {
		if ms := get(); ms != 0 {
			return t.since - (ms - 1)
		}
		return LongAgo
	}
	s := w.State
	t.open, t.seen, t.accepted, t.dead = has(snapshotOpen), has(snapshotSeen), has(snapshotAccepted), has(snapshotDead)
	t.known, t.moves, t.lastOn = has(snapshotKnown), has(snapshotMoves), timeline.NoRefusal
	t.user = s.EarlierUser(uint32(get()))
	t.last, t.lastOther, t.burst, t.lastRefused = at(), at(), uint32(get()), at()
	if t.moves {
		t.address = s.EarlierAddress(uint32(get()))
	}
	if has(snapshotLastOn) {
		t.lastOn = s.EarlierEndpoint(uint32(get()))
	}
	if t.dead {
		t.gap, t.gapAny, t.age = get(), get(), get()
	}
	if t.open {
		r := &t.row
		t.start, t.protected, t.any = at(), at(), at()
		t.first = s.EarlierEndpoint(uint32(get()))
		r.Client = client()
		r.User = s.EarlierUser(uint32(get()))
		r.Start, r.LastAccepted, r.LongestGap = at(), at(), get()
		r.Requests, r.Accepted, r.Unauthorized = uint32(get()), uint32(get()), uint32(get())
		r.StartSeen = get() == 1
		r.Site, r.End, r.EndRefusal = w.siteOf[t.first], LongAgo, timeline.NoRefusal
		if r.Named = a.Session != nil; r.Named {
			r.ID = sumOf(a)
		}
	}
	return t
}

var savedCodec = spill.Codec[savedActor]{
	Append: func(dst []byte, a *savedActor) []byte {
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
	Read: func(a *savedActor, src []byte) []byte {
		a.named = src[0] == 1
		src = src[1+copy(a.id[:], src[1:]):]
		a.seen = int64(binary.LittleEndian.Uint64(src))
		a.client = timeline.Client{Address: binary.LittleEndian.Uint32(src[8:]), Agent: binary.LittleEndian.Uint32(src[12:])}
		size, n := binary.Uvarint(src[16:])
		src = src[16+n:]
		a.data = src[:size:size]
		return src[size:]
	},
	Compare: compareSaved,
	Key:     func(a *savedActor) uint64 { return ^(uint64(a.seen) ^ 1<<63) }, // the latest first, those before 1970 last
}
