package timeline

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"logscan/parse/privacy"
)

// Earlier is what an earlier run kept for the lines that follow: the events of
// its last hours, and what it made of those before. It takes part in timelines
// and is counted nowhere. Numbers in it are indexes into its own lists.
type Earlier struct {
	Endpoints                           []EarlierEndpoint
	Users, Upstreams, Addresses, Agents []string     // "" where nothing refers to it
	Clients                             []Client     // those that anything refers to
	Sessions                            []SessionSum // of the actors that are sessions, sorted
	// Actors yields the actors, in any order. An actor is valid until the next
	// one.
	Actors iter.Seq2[*EarlierActor, error]
}

// SessionSum is what a session id is known by where the id itself must not be.
type SessionSum = [privacy.SumSize]byte

// EarlierEndpoint is an endpoint with what was counted of it, which tells what
// an acceptance by it means.
type EarlierEndpoint struct {
	Host, Method, Template string // all empty where nothing refers to it
	Known                  Known
}

// Known is what earlier runs counted of an endpoint's requests, as in Tally, and
// when the last of them was, in Unix milliseconds. It is zero where nothing is
// known, but that the endpoint was asked.
type Known struct{ Accepted, Bare, Unauthorized, Last int64 }

// EarlierActor is an actor of an earlier run.
type EarlierActor struct {
	Session SessionSum // where Named
	Named   bool
	Client  Client  // of an actor that is no session
	Before  []byte  // what the caller made of the events before these
	Events  []Event // by time; their Refusal means nothing
}

// EarlierEvent is the Refusal of events of an earlier run, 401s or not.
const EarlierEvent = NoRefusal - 1

// metSession is a session of an earlier run that a worker met again.
type metSession struct {
	index uint32 // in Earlier.Sessions
	key   actorKey
}

// Expect has the worker look out for the sessions of an earlier run.
func (w *Worker) Expect(e *Earlier) { w.earlier = e }

// Continue says how many lines of an input lie before those that are folded.
func (w *Worker) Continue(input int, lines int64) {
	if w.linesBefore == nil {
		w.linesBefore = make([]int64, len(w.ledgers))
	}
	w.linesBefore[input] = lines
}

// meet notes an actor that is new to the worker, if an earlier run had it.
func (w *Worker) meet(key actorKey, session []byte) {
	sum := privacy.SessionSum(session)
	if i, ok := slices.BinarySearchFunc(w.earlier.Sessions, sum, func(a, b SessionSum) int { return bytes.Compare(a[:], b[:]) }); ok {
		w.met = append(w.met, metSession{uint32(i), key})
	}
}

// Recall makes a worker of what an earlier run kept, to be merged with those
// that have read the lines since.
func Recall(workers []*Worker, e *Earlier) (*Worker, error) {
	w := NewWorker(workers[0].seed, len(workers[0].ledgers))
	w.Limit(workers[0].limit, workers[0].space)
	n := len(e.Endpoints)
	w.past = &past{earlier: e, hosts: make([]uint32, n), endpoints: make([]uint32, n), upstreams: make([]uint32, len(e.Upstreams))}
	for i := range e.Endpoints {
		if x := &e.Endpoints[i]; x.Method+x.Template != "" || x.Known != (Known{}) {
			w.past.hosts[i] = w.hosts.number([]byte(x.Host))
			w.past.endpoints[i] = w.endpoints.number(w.past.hosts[i], []byte(x.Method), []byte(x.Template))
		}
	}
	for i, u := range e.Upstreams {
		if u != "" {
			w.past.upstreams[i] = w.upstream([]byte(u))
		}
	}
	// Names that no event has: what was made of those before may.
	for _, u := range e.Users {
		if u != "" {
			w.users.number([]byte(u))
		}
	}
	for _, c := range e.Clients {
		address, agent := e.Addresses[c.Address], e.Agents[c.Agent]
		w.clients.number(w.hashOf(address, agent), []byte(address), []byte(agent))
	}
	keys := make([]actorKey, len(e.Sessions))
	for i := range e.Sessions {
		h := xxh3.Hash128Seed(e.Sessions[i][:], w.seed)
		keys[i] = actorKey{h.Hi, h.Lo}
	}
	for _, read := range workers {
		for _, m := range read.met {
			keys[m.index] = m.key
		}
	}
	for a, err := range e.Actors {
		if err != nil {
			return nil, err
		}
		if w.recall(a, keys); w.err != nil {
			return nil, w.err
		}
	}
	return w, nil
}

func (w *Worker) hashOf(address, agent string) uint64 {
	return clientHash(xxh3.HashStringSeed(address, w.seed), xxh3.HashStringSeed(agent, w.seed+1))
}

// recall takes in an actor.
func (w *Worker) recall(x *EarlierActor, keys []actorKey) {
	e := w.past.earlier
	var key actorKey
	if x.Named {
		i, _ := slices.BinarySearchFunc(e.Sessions, x.Session, func(a, b SessionSum) int { return bytes.Compare(a[:], b[:]) })
		key = keys[i]
	} else {
		key = actorKey{xxh3.HashStringSeed(e.Addresses[x.Client.Address], w.seed), xxh3.HashStringSeed(e.Agents[x.Client.Agent], w.seed+1)}
	}
	s := &w.shards[key.shard()]
	a := s.actor(key)
	s.name(a, x.kept())
	for i := range x.Events {
		v := &x.Events[i]
		address, agent := e.Addresses[v.Client.Address], e.Agents[v.Client.Agent]
		hash := w.hashOf(address, agent)
		moved := a.client != hash || a.events == 0
		if moved {
			a.client = hash
			a.place = w.clients.number(hash, []byte(address), []byte(agent))
		}
		var user uint32
		var name uint64
		if v.User != 0 {
			user, name = w.users.number([]byte(e.Users[v.User-1]))
		}
		via := uint32(v.Scheme)
		if v.Upstream != 0 {
			via += (w.past.upstreams[v.Upstream-1] + 1) * uint32(numSchemes)
		}
		endpoint := w.past.endpoints[v.Endpoint]
		s.append(a, v.Time, v.Outcome, endpoint, user, name, via, moved, a.ref)
		if (v.Outcome == Accepted || v.Outcome == Redirected) && w.endpoints.signsIn(endpoint) {
			w.signIns = append(w.signIns, SignIn{hash, v.Time})
		}
	}
	// They were counted when they were told.
	a.since = a.events
	w.bound()
}

// kept is how an actor lies beside its events: whether it is a session, its
// sum, and what was before.
func (x *EarlierActor) kept() []byte {
	b := []byte{0}
	if x.Named {
		b = append([]byte{1}, x.Session[:]...)
	}
	return append(b, x.Before...)
}

// recalled makes a what kept says of it.
func (a *Actor) recalled(kept []byte) {
	named := kept[0] == 1
	kept = kept[1:]
	if named {
		if a.Session == nil {
			a.Session, a.Hashed = kept[:privacy.SumSize:privacy.SumSize], true
		}
		kept = kept[privacy.SumSize:]
	}
	a.Before = kept
}

// Since drops the events of the earlier run.
func (a *Actor) Since() {
	a.Events = slices.DeleteFunc(a.Events, func(e Event) bool { return e.Refusal == EarlierEvent })
}

// past is what a worker that Recall made refers to.
type past struct {
	earlier          *Earlier
	hosts, endpoints []uint32 // the worker's numbers, by endpoint
	upstreams        []uint32 // the same, by upstream
}

// folded gives the nodes that the earlier run folded, in the worker's numbers of
// hosts: they stay so. Of endpoints of which nothing is known it is not known why
// they are as they are.
func (p *past) folded() map[string]struct{} {
	nodes := map[string]struct{}{}
	for i := range p.earlier.Endpoints {
		x := &p.earlier.Endpoints[i]
		if x.Known == (Known{}) || !strings.Contains(x.Template, folderName) {
			continue
		}
		node := append(binary.LittleEndian.AppendUint32(nil, p.hosts[i]), x.Method+"\x00"...)
		for j, seg := range strings.Split(x.Template, "/") {
			if j > 0 {
				node = append(node, '/')
			}
			if seg == folderName {
				nodes[string(node)] = struct{}{}
			}
			node = append(node, seg...)
		}
	}
	return nodes
}

// know adds what was counted of endpoints to the state.
func (s *State) know(worker int) {
	p := s.workers[worker].past
	for i := range p.earlier.Endpoints {
		k := &p.earlier.Endpoints[i].Known
		if *k == (Known{}) {
			continue
		}
		known := &s.Endpoints[s.endpointOf[worker][p.endpoints[i]]].Known
		known.Accepted += k.Accepted
		known.Bare += k.Bare
		known.Unauthorized += k.Unauthorized
		known.Last = max(known.Last, k.Last)
	}
}

// EarlierEndpoint gives the index of an endpoint of the earlier run.
func (s *State) EarlierEndpoint(n uint32) uint32 {
	p := s.workers[s.past].past
	return s.endpointOf[s.past][p.endpoints[min(int(n), len(p.endpoints)-1)]]
}

// EarlierUser gives the index plus one of a user of the earlier run, which is
// given as its index plus one; 0 where it is none or not told by name.
func (s *State) EarlierUser(n uint32) uint32 {
	users := s.workers[s.past].past.earlier.Users
	if n == 0 || int(n) > len(users) {
		return 0
	}
	return s.userOf.find(xxh3.HashStringSeed(users[n-1], s.seed))[0]
}

// EarlierClient gives a client of the earlier run.
func (s *State) EarlierClient(c Client) Client {
	w := s.workers[s.past]
	e := w.past.earlier
	if int(c.Address) >= len(e.Addresses) || int(c.Agent) >= len(e.Agents) {
		return Client{}
	}
	to := s.clientOf.find(w.hashOf(e.Addresses[c.Address], e.Agents[c.Agent]))
	return Client{to[0], to[1]}
}

// NoAddress is an address that no client has.
const NoAddress = ^uint32(0)

// EarlierAddress gives the index of an address of the earlier run, which is given
// as its index plus one; NoAddress where no client has it.
func (s *State) EarlierAddress(n uint32) uint32 {
	addresses := s.workers[s.past].past.earlier.Addresses
	if n == 0 || int(n) > len(addresses) {
		return NoAddress
	}
	if i, ok := slices.BinarySearch(s.Addresses, addresses[n-1]); ok {
		return uint32(i)
	}
	return NoAddress
}
