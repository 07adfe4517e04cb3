package timeline

import (
	"cmp"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/spill"
	"logscan/parse"
)

// State is what all workers know together: the same for the same lines, however
// they were spread over workers. It is not changed once it is made.
type State struct {
	Inputs    []Ledger
	Endpoints []Endpoint // by host, template, method
	Users     []Named    // by name
	Upstreams []Named    // by name
	Addresses []string   // of clients that are told by name, sorted
	Agents    []string   // user agents of them, sorted
	Minutes   []Minute   // by time, host
	Grain     int64      // how long a step of Minutes is: microseconds, mostly a minute
	Refusals  []Refusal  // every 401 by time, input, line
	Rejected  []Rejected // the first rejected lines by input, line

	Sessions, Schemes bool // any line has a session id, says the scheme

	// How many users and clients are not told by name, because there are more
	// than MaxNames, and what those users did. Their events name no user, and
	// a client whose address and user agent are OtherName.
	OtherUsers, OtherClients int64
	OfOtherUsers             Named

	// Whether hosts, upstreams and endpoints are not all told by name, because
	// there are too many.
	HostsFolded, UpstreamsFolded, EndpointsFolded bool

	seed    uint64
	workers []*Worker
	parts   []origin // of all workers
	signIns *signInIndex
	// By the seeded hashes of names: users plus one, clients.
	userOf, clientOf hashIndex
	// By worker: from its numbers to the indexes above.
	endpointOf, upstreamOf [][]uint32
	rankOf                 [][]uint32

	past int // the worker that Recall made, -1 for none
}

// origin is a part of a worker, in memory or on disk.
type origin struct {
	worker int
	part   *part
	disk   *spilled
}

// shard gives shard i of a part.
func (s *State) shard(o *origin, i int) (*shard, error) {
	if o.disk != nil {
		return o.disk.shards[i].read(s.workers[o.worker].file)
	}
	return &o.part.shards[i], nil
}

// Endpoint is an endpoint and its requests.
type Endpoint struct {
	Host, Method, Template string
	SignIn, SignOut        bool // a sign-in or token route, a sign-out route, by name
	Tally
	Known Known // what is not in Tally, because earlier runs counted it
}

// Named is a user or an upstream and its requests.
type Named struct {
	Name string
	Tally
}

// Refusal is one 401.
type Refusal struct {
	Time  int64 // Unix microseconds or parse.NoTime
	Line  int64 // 1-based
	Input int32
	// Expired says that the line itself tells that a token or session had
	// expired.
	Expired bool

	worker, number uint32
}

// Rejected is a line that was rejected. Raw is as the log has it: not redacted.
type Rejected struct {
	Input   int
	Line    int64 // 1-based
	Verdict parse.Verdict
	Raw     []byte
	Session []byte // the session id in it, where one was read, or nil
}

// Merge makes the state of the workers' parts, which must not be used after. It
// fails only where what was written to disk cannot be read, or no more written.
func Merge(workers []*Worker) (*State, error) { return merge(workers, MaxNames) }

// merge is Merge with another number of names that are told.
func merge(workers []*Worker, most int) (*State, error) {
	s := &State{workers: workers, seed: workers[0].seed, past: -1}
	s.Inputs = make([]Ledger, len(workers[0].ledgers))
	for i := range s.Inputs {
		l := &s.Inputs[i]
		*l = emptyLedger
		for _, w := range workers {
			l.merge(&w.ledgers[i])
		}
	}
	crowds := func(f func(*Worker) *crowd) (cs []*crowd) {
		for _, w := range workers {
			cs = append(cs, f(w))
		}
		return cs
	}
	for i, w := range workers {
		s.Schemes = s.Schemes || w.schemes
		s.Sessions = s.Sessions || w.sessions
		for _, d := range w.spilled {
			s.parts = append(s.parts, origin{worker: i, disk: d})
		}
		s.parts = append(s.parts, origin{worker: i, part: &w.part})
		if w.past != nil {
			s.past = i
		}
	}
	// What has nothing in common is merged side by side.
	together := func(tasks ...func() error) error {
		var g errgroup.Group
		g.SetLimit(len(workers))
		for _, task := range tasks {
			g.Go(task)
		}
		return g.Wait()
	}
	var ends []func() error
	for _, w := range workers {
		ends = append(ends, func() error { w.part.end(); return nil })
	}
	if err := together(ends...); err != nil {
		return nil, err
	}
	err := together(
		func() error { return s.mergeClients(most) },
		func() error {
			all := s.placedBlocks()
			lineBase := s.lineBases(all)
			s.mergeRefusals(all, lineBase)
			s.mergeRejected(lineBase)
			return nil
		},
		func() error { return s.mergeUsers(most) },
		s.mergeSignIns,
		func() error {
			var hosts []string
			var hostOf [][]uint32
			hosts, hostOf, s.HostsFolded = merged(crowds(func(w *Worker) *crowd { return &w.hosts }))
			s.Endpoints, s.endpointOf, s.EndpointsFolded = mergedEndpoints(workers, hosts, hostOf)
			s.mergeMinutes(hosts, hostOf)
			return nil
		},
		func() error {
			var names []string
			names, s.upstreamOf, s.UpstreamsFolded = merged(crowds(func(w *Worker) *crowd { return &w.upstreams }))
			s.Upstreams = tallied(names, s.upstreamOf, func(i int) []Tally { return workers[i].upstreamTally })
			return nil
		},
	)
	if err != nil {
		return nil, err
	}
	if s.past >= 0 {
		s.know(s.past)
	}
	for _, w := range workers { // what is merged is not needed any more
		w.part.users, w.part.clients, w.part.signIns = userTable{}, clientTable{}, nil
	}
	return s, nil
}

// sources gives what each part knows, sorted: from where it lies on disk, or in
// memory, of which there is a part for each worker.
func sources[T any](s *State, c spill.Codec[T], disk func(*spilled) *spill.Run, memory func(*part) spill.Source[T]) []spill.Source[T] {
	all := make([]spill.Source[T], len(s.parts))
	var g sync.WaitGroup
	for i, p := range s.parts {
		if p.disk != nil {
			all[i] = spill.FromRun(disk(p.disk), c)
		} else {
			g.Go(func() { all[i] = memory(p.part) })
		}
	}
	g.Wait()
	return all
}

// mergeUsers merges what the parts know of users. At most most of them are told
// by name.
func (s *State) mergeUsers(most int) (err error) {
	users := sources(s, userCodec, func(d *spilled) *spill.Run { return d.users }, func(p *part) spill.Source[userTotal] { return p.users.sorted() })
	s.Users, s.OfOtherUsers, s.OtherUsers, s.userOf, err = mergedUsers(users, most)
	return err
}

// mergeClients merges what the parts know of clients. At most most of them are
// told by name.
func (s *State) mergeClients(most int) (err error) {
	clients := sources(s, clientCodec, func(d *spilled) *spill.Run { return d.clients }, func(p *part) spill.Source[clientTotal] { return p.clients.sorted() })
	about, disk := 0, false // the workers met much the same ones
	for _, p := range s.parts {
		if p.disk != nil {
			disk = true
		} else {
			n := len(p.part.clients.list)
			about = max(about, n+n/8)
		}
	}
	s.Addresses, s.Agents, s.OtherClients, s.clientOf, err = mergedClients(clients, most, about, disk)
	return err
}

// mergeSignIns merges the sign-ins of the parts.
func (s *State) mergeSignIns() (err error) {
	var file *spill.File // where many sign-ins are to lie
	for _, w := range s.workers {
		file = cmp.Or(file, w.file)
	}
	signIns := sources(s, signInCodec, func(d *spilled) *spill.Run { return d.signIns }, func(p *part) spill.Source[SignIn] { return spill.FromSlice(p.signIns) })
	s.signIns, err = newSignInIndex(signIns, file)
	return err
}

func (l *Ledger) merge(m *Ledger) {
	l.Lines += m.Lines
	l.Bytes += m.Bytes
	l.Unauthorized += m.Unauthorized
	for v, n := range m.Verdicts {
		l.Verdicts[v] += n
	}
	mergeSpan(&l.First, &l.Last, m.First, m.Last)
}

// unify gives all keys of the dictionaries, sorted, and for each of them the
// index by number.
func unify(ds []*dict) (names []string, of [][]uint32) {
	var keys [][]byte
	for _, d := range ds {
		keys = append(keys, d.key...)
	}
	names, place := rankedFew(keys, func(key *[]byte) []byte { return *key })
	for _, d := range ds {
		of = append(of, place[:d.len():d.len()])
		place = place[d.len():]
	}
	return names, of
}

func tallied(names []string, of [][]uint32, tallies func(worker int) []Tally) []Named {
	list := make([]Named, len(names))
	for i, n := range names {
		list[i] = Named{n, newTally()}
	}
	for w := range of {
		for n, t := range tallies(w) {
			list[of[w][n]].Tally.Merge(&t)
		}
	}
	return list
}

// placedBlock is a block of a worker.
type placedBlock struct {
	blockRef
	worker, block int
}

// placedBlocks gives all blocks in the order of the inputs, and of each input.
// They were read in any order.
func (s *State) placedBlocks() []placedBlock {
	n := 0
	for _, w := range s.workers {
		n += len(w.blocks)
	}
	all := make([]placedBlock, 0, n)
	for i, w := range s.workers {
		for j, b := range w.blocks {
			all = append(all, placedBlock{b, i, j})
		}
	}
	slices.SortFunc(all, func(a, b placedBlock) int {
		return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.seq, b.seq))
	})
	return all
}

// lineBases gives for every block of every worker how many lines of its input
// lie before it: blocks were counted where they were read.
func (s *State) lineBases(all []placedBlock) [][]int64 {
	base := make([][]int64, len(s.workers))
	for i, w := range s.workers {
		base[i] = make([]int64, len(w.blocks))
	}
	lines := int64(0)
	for i, p := range all {
		if i == 0 || all[i-1].input != p.input {
			lines = 0
			if before := s.workers[0].linesBefore; before != nil {
				lines = before[p.input]
			}
		}
		base[p.worker][p.block] = lines
		lines += int64(p.lines)
	}
	return base
}

func firstRejected(list []rejectedLine) []rejectedLine {
	slices.SortFunc(list, func(a, b rejectedLine) int {
		return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.seq, b.seq), cmp.Compare(a.line, b.line))
	})
	return list[:min(len(list), keepRejected)]
}

func (s *State) mergeRejected(lineBase [][]int64) {
	var all []rejectedLine
	for i, w := range s.workers {
		for _, r := range w.rejected {
			r.line += lineBase[i][r.block]
			r.seq = 0 // the line number orders them now
			all = append(all, r)
		}
	}
	for _, r := range firstRejected(all) {
		s.Rejected = append(s.Rejected, Rejected{int(r.input), r.line + 1, r.verdict, r.raw, r.session})
	}
}

// Lines gives a reader of the raw lines of 401s. What it returns is valid until
// the next call; a reader belongs to one goroutine.
func (s *State) Lines() func(*Refusal) ([]byte, error) {
	c := newLineCache(s.workers)
	return func(r *Refusal) ([]byte, error) {
		return c.line(r.worker, s.workers[r.worker].refusals.at(r.number))
	}
}

// DropTimelines frees what only Shard reads, once nobody calls it any more.
func (s *State) DropTimelines() {
	for _, w := range s.workers {
		w.part, w.spilled, w.met = part{}, nil, nil
	}
	s.parts, s.endpointOf, s.upstreamOf, s.signIns = nil, nil, nil, nil
	s.userOf, s.clientOf.slots = hashIndex{}, nil
}

// Actor is a session, or a client without session id, and all its requests.
type Actor struct {
	Session []byte  // the session id, a credential; nil for a client
	Events  []Event // by time; see Shard

	Hashed bool   // Session is the sum of the id: only an earlier run met it
	Before []byte // what that run kept of it beside its events; nil for nothing
}

// Client is an address and a user agent: indexes into State's lists.
type Client struct{ Address, Agent uint32 }

// CompareClients orders clients by address, then by agent.
func CompareClients(a, b Client) int {
	return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Agent, b.Agent))
}

// NoRefusal is the Refusal of an event that is none.
const NoRefusal = ^uint32(0)

// Event is one request of an actor.
type Event struct {
	Time     int64  // Unix milliseconds
	Endpoint uint32 // index into State.Endpoints
	User     uint32 // index into State.Users plus one; 0 when the line names none
	Client   Client
	Refusal  uint32 // index into State.Refusals, or NoRefusal
	Upstream uint16 // index into State.Upstreams plus one; 0 where the line names none
	Scheme   Scheme
	Outcome  Outcome
}

// Scratch is memory that Shard uses again and again. The zero value is ready;
// each goroutine has its own.
type Scratch struct {
	pieces []piece
	actors []decoded // of all parts
	events []Event
	order  ordering[Event]
}

// piece is an actor in one part: one session or client may have a piece in every
// one of them.
type piece struct {
	key            actorKey
	client         uint64 // hash of its only client, 0 where it had several
	origin, number uint32
	events         uint32
}

// Who tells of an actor what is known before its events are read.
type Who struct {
	Client Client // of all its events, where
	Only   bool   // it had only one
}

// who tells of the actor whose pieces come first in a list.
func (s *State) who(pieces []piece) (w Who) {
	p := &pieces[0]
	for i := range pieces {
		if pieces[i].key != p.key {
			break
		}
		if pieces[i].client != p.client {
			return Who{}
		}
	}
	if p.client == 0 {
		return Who{}
	}
	c := s.clientOf.find(p.client)
	return Who{Client{c[0], c[1]}, true}
}

// Shard visits the actors of shard i in [0, Shards), in no order that means
// anything. Actor and its slices are valid during the visit. Different shards
// may be visited at the same time.
//
// Events of the same millisecond are ordered by their content, 401s first: logs
// of several servers do not tell their order, and those of whole seconds tell
// little more.
//
// Actors are counted from 0 in the order of the visits, which is the same each
// time. want, where it is not nil, tells which of them to visit; the others cost
// little.
func (s *State) Shard(i int, m *Scratch, want func(n uint32, w Who) bool, visit func(n uint32, a *Actor)) error {
	pieces := m.pieces[:0]
	shards := make([]*shard, len(s.parts))
	first := make([]int, len(s.parts)) // by part: where its actors begin in m.actors
	actors := 0
	for p := range s.parts {
		sh, err := s.shard(&s.parts[p], i)
		if err != nil {
			return err
		}
		shards[p], first[p] = sh, actors
		actors += int(sh.actors)
		for n := range sh.slots {
			if a := &sh.slots[n]; a.number != 0 {
				pieces = append(pieces, piece{a.key, a.client, uint32(p), a.number, a.events})
			}
		}
	}
	m.pieces = pieces
	slices.SortFunc(pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(a.key.hi, b.key.hi), cmp.Compare(a.key.lo, b.key.lo))
	})
	// All pieces of an actor lie side by side in one list of events: place says
	// where the next event of each piece goes.
	m.actors = sized(m.actors, actors)
	clear(m.actors)
	place := func(p *piece) *uint32 { return &m.actors[first[p.origin]+int(p.number)-1].place }
	total, n := 0, uint32(0)
	wanted := true
	for i := range pieces {
		p := &pieces[i]
		if i > 0 && pieces[i-1].key != p.key {
			n++
		}
		if want != nil && (i == 0 || pieces[i-1].key != p.key) {
			wanted = want(n, s.who(pieces[i:]))
		}
		if !wanted {
			*place(p) = unwanted
			continue
		}
		*place(p) = uint32(total)
		total += int(p.events)
	}
	m.events = sized(m.events, total)
	events := m.events
	for p, sh := range shards {
		s.decode(s.parts[p].worker, sh, m.actors[first[p]:][:sh.actors], events)
	}
	m.order.compare = compareEvents
	n = 0
	for from := 0; from < len(pieces); n++ {
		p := pieces[from]
		if *place(&p) == unwanted {
			for from < len(pieces) && pieces[from].key == p.key {
				from++
			}
			continue
		}
		count := 0
		var a Actor
		to := from
		for ; to < len(pieces) && pieces[to].key == p.key; to++ {
			count += int(pieces[to].events)
			if to == from || s.past >= 0 {
				s.origin(&a, pieces[to], shards)
			}
		}
		a.Events = m.order.sorted(events[:count:count])
		visit(n, &a)
		events = events[count:]
		from = to
	}
	return nil
}

// origin notes who an actor is by one of its pieces.
func (s *State) origin(a *Actor, p piece, shards []*shard) {
	b := shards[p.origin].session(p.number - 1)
	switch {
	case s.past >= 0 && s.parts[p.origin].worker == s.past:
		a.recalled(b)
	case b != nil:
		a.Session, a.Hashed = b, false
	}
}

// sized returns a list of n elements of any content, in the memory of list where
// they fit. A new list has room for a quarter more, because the next shard is
// about as large.
func sized[T any](list []T, n int) []T {
	if cap(list) < n {
		list = make([]T, n+n/4)
	}
	return list[:n]
}
