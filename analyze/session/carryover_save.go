package session

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse/source"
)

const (
	// saveEvents is the time before the end of the log, in milliseconds, whose events
	// are saved individually. Lines that arrive even later are counted, but do not
	// change the session that they belong to.
	saveEvents = 24 * 3_600_000
	// maxSavedEvents bounds their number, at three or four bytes each: if there are
	// more, those of a shorter time are saved.
	maxSavedEvents = 1 << 24
	// saveSessions is how long after its last request, in milliseconds, a session is
	// saved: a long weekend.
	saveSessions = 7 * 24 * 3_600_000
	// maxSavedActors bounds their number, at about fifty bytes each: the most recent
	// are saved.
	maxSavedActors = 1 << 20
	// saveEndpoints is how long after its last request, in milliseconds, the counts
	// of an endpoint are saved: some are requested once a month.
	saveEndpoints = 31 * 24 * 3_600_000
	// maxSavedEndpoints bounds their number: of more, those of this run are saved. A
	// run with more endpoints than that merges their templates anyway.
	maxSavedEndpoints = 16 << 10
	// savedActorSize is about the size of a savedActor in memory, in bytes.
	savedActorSize = 200
)

// saver collects the state for the next run.
type saver struct {
	*Evidence
	since int64        // events from then on are saved
	to    int64        // the end of the logs
	parts []*partSaver // by worker
}

// newSaver returns a saver whose times follow from the requests by minute.
func newSaver(ev *Evidence, p *Carryover) *saver {
	k := &saver{Evidence: ev, to: p.to}
	minutes := map[int64]int64{}
	maps.Copy(minutes, p.minutes)
	for _, m := range ev.State.Minutes {
		for _, n := range m.N {
			minutes[timeline.FloorDiv(m.Time, 60e6)] += n
		}
	}
	if len(ev.State.Minutes) > 0 {
		k.to = max(k.to, ev.To)
	}
	k.since = k.to - saveEvents
	sum := int64(0)
	for m := timeline.FloorDiv(k.to, 60_000); m*60_000 > k.since; m-- {
		if sum += minutes[m]; sum > maxSavedEvents {
			k.since = (m + 1) * 60_000
		}
	}
	return k
}

// newPart returns the part of one goroutine, nil if there is no state to save.
func (k *saver) newPart() *partSaver {
	if k == nil {
		return nil
	}
	s := k.State
	return &partSaver{
		saver: k,
		usedNames: usedNames{
			make(marks, len(s.Endpoints)), make(marks, len(s.Users)), make(marks, len(s.Upstreams)),
			make(marks, len(s.Addresses)), make(marks, len(s.Agents)), map[timeline.Client]struct{}{},
		},
		sorted: spill.Sorter[savedActor]{
			Codec: savedCodec, Space: k.memory.Space, Limit: k.memory.Records(k.Workers, savedActorSize),
		},
	}
}

// actors yields the saved actors, the most recent first. Each is valid until the
// next.
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

// marks records which names of a list are used.
type marks []bool

func (m marks) has(i int) bool { return m[i] }

func (m marks) add(other marks) {
	for i, used := range other {
		m[i] = m[i] || used
	}
}

// known returns, by endpoint, the counts to save. It saves none where templates
// were merged: the next run learns those routes anew.
func (k *saver) known() []timeline.EarlierCounts {
	s := k.State
	all := make([]timeline.EarlierCounts, len(s.Endpoints))
	if s.EndpointsFolded {
		return all
	}
	n := 0
	for i := range all {
		e, x := &s.Endpoints[i], &all[i]
		*x = timeline.EarlierCounts{
			Accepted: e.Known.Accepted + e.N[timeline.Accepted], Bare: e.Known.Bare + e.Bare,
			Unauthorized: e.Known.Unauthorized + e.N[timeline.Unauthorized], Last: max(e.Known.Last, timeline.FloorDiv(e.Last, 1000)),
			Learnt: int64(k.Roles[i] & learnable &^ roleOf(e, 0)), Sticky: e.Known.Sticky + k.sticky[i], Loose: e.Known.Loose + k.loose[i],
		}
		if x.Last < k.to-saveEndpoints {
			*x = timeline.EarlierCounts{}
		} else {
			n++
		}
	}
	if n > maxSavedEndpoints {
		for i := range all {
			if s.Endpoints[i].N == (timeline.Tally{}).N {
				all[i] = timeline.EarlierCounts{}
			}
		}
	}
	return all
}

// usedNames are the names that the saved actors refer to.
type usedNames struct {
	endpoints, users, upstreams, addresses, agents marks
	clients                                        map[timeline.Client]struct{}
}

// used returns the names that the actors of all parts refer to.
func (k *saver) used() usedNames {
	u := k.parts[0].usedNames
	for _, w := range k.parts[1:] {
		u.endpoints.add(w.endpoints)
		u.users.add(w.users)
		u.upstreams.add(w.upstreams)
		u.addresses.add(w.addresses)
		u.agents.add(w.agents)
		maps.Copy(u.clients, w.clients)
	}
	return u
}

// partSaver is one goroutine's part of a saver.
type partSaver struct {
	*saver
	usedNames
	// Of the current actor: its position before the saved events, and its client as
	// restored from an earlier run, if it is not a session.
	position position
	was      timeline.Client
	sorted   spill.Sorter[savedActor]
	scratch  []byte
}

// mark sets the current actor's position before the saved events.
func (k *partSaver) mark(p *position) { k.position = *p }

// add saves the current actor if a later run can meet it again.
func (k *partSaver) add(a *timeline.Actor) error {
	t := &k.position
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
		out.client = a.Events[0].Client // the same in all events
	}
	if !out.named && k.State.Unlisted(out.client) {
		return nil
	}
	if !out.named {
		k.client(out.client)
	}
	k.scratch = k.scratch[:0]
	if stands {
		k.scratch = k.appendPosition(k.scratch, t, out.client)
	}
	out.data = binary.AppendUvarint(nil, uint64(len(k.scratch)))
	out.data = k.appendEvents(append(out.data, k.scratch...), events)
	return k.sorted.Add(out)
}

// client marks a client and its names as used.
func (k *partSaver) client(c timeline.Client) {
	if _, ok := k.clients[c]; !ok {
		k.clients[c] = struct{}{}
		k.addresses[c.Address], k.agents[c.Agent] = true, true
	}
}

// user marks a user, given as its index plus one, as used.
func (k *partSaver) user(n uint32) int64 {
	if n != 0 {
		k.users[n-1] = true
	}
	return int64(n)
}

// appendEvents appends events in the form that eachActor reads.
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
		kind := uint64(e.Outcome) | uint64(e.Origin.Scheme())<<3
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
}

// Save writes the state that LoadCarryover reads: the contents in ledger and how
// sessions stand. The evidence must have been made with a Carryover.
func (ev *Evidence) Save(dst io.Writer, ledger *source.Ledger) error {
	k := ev.saver
	z, err := zstd.NewWriter(dst, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	w := &stateWriter{w: bufio.NewWriterSize(z, 64<<10)}
	s := k.State
	w.varints(k.to)
	w.count(len(ledger.Contents()))
	for _, c := range ledger.Contents() {
		w.varints(c.Size, c.Lines, c.Left, int64(c.Missed))
		for _, sum := range [][32]byte{c.Head, c.Tail, c.LeftSum, c.Stored} {
			w.bytes(sum[:])
		}
	}
	used := k.used()
	known := k.known()
	w.sparse(len(s.Endpoints), func(i int) bool { return used.endpoints[i] || known[i] != (timeline.EarlierCounts{}) }, func(i int) {
		e, x := &s.Endpoints[i], &known[i]
		w.texts(e.Host, e.Method, e.Template)
		w.varints(x.Accepted, x.Bare, x.Unauthorized, x.Last, x.Learnt, x.Sticky, x.Loose)
	})
	w.sparse(len(s.Users), used.users.has, func(i int) { w.texts(s.Users[i].Name) })
	w.sparse(len(s.Upstreams), used.upstreams.has, func(i int) { w.texts(s.Upstreams[i].Name) })
	w.sparse(len(s.Addresses), used.addresses.has, func(i int) { w.texts(s.Addresses[i]) })
	w.sparse(len(s.Agents), used.agents.has, func(i int) { w.texts(s.Agents[i]) })
	w.count(len(used.clients))
	for _, c := range slices.SortedFunc(maps.Keys(used.clients), timeline.CompareClients) {
		w.count(int(c.Address))
		w.count(int(c.Agent))
	}
	var sums []timeline.SessionSum
	actors := 0
	for a, err := range k.actors() {
		if err != nil {
			return errors.Join(err, z.Close())
		}
		if actors++; a.named {
			sums = append(sums, a.id)
		}
	}
	slices.SortFunc(sums, compareSums)
	w.count(len(sums))
	for _, sum := range sums {
		w.bytes(sum[:])
	}
	w.count(actors)
	for a, err := range k.actors() {
		if err != nil {
			return errors.Join(err, z.Close())
		}
		if a.named {
			w.varints(1)
			w.bytes(a.id[:])
		} else {
			w.varints(0)
			w.count(int(a.client.Address))
			w.count(int(a.client.Agent))
		}
		w.bytes(a.data)
	}
	return errors.Join(w.w.Flush(), z.Close())
}

// savedActor is an actor in the form it is written.
type savedActor struct {
	seen   int64 // its last event
	id     timeline.SessionSum
	named  bool // it has an id, else a client
	client timeline.Client
	data   []byte // its position and its events
}

// compareSaved orders the most recent actors first.
func compareSaved(a, b *savedActor) int {
	if a.seen != b.seen {
		return cmp.Compare(b.seen, a.seen)
	}
	if a.named != b.named {
		if a.named {
			return -1
		}
		return 1
	}
	return cmp.Or(compareSums(a.id, b.id), timeline.CompareClients(a.client, b.client))
}
