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

// Earlier is what an earlier run saved for the run that continues it: the events
// of its last hours, and what its caller derived from those before. These events
// are part of the timelines but are not counted again. Indexes refer to the lists
// of Earlier.
type Earlier struct {
	Endpoints                           []EarlierEndpoint
	Users, Upstreams, Addresses, Agents []string     // "" for entries that are not used
	Clients                             []Client     // all that are used
	Sessions                            []SessionSum // of the actors that are sessions, sorted
	// Actors yields the actors, in any order. An actor is valid until the next
	// one.
	Actors iter.Seq2[*EarlierActor, error]
}

// SessionSum is a hash that identifies a session id where the id itself must not
// be stored.
type SessionSum = [privacy.SumSize]byte

func compareSums(a, b SessionSum) int { return bytes.Compare(a[:], b[:]) }

// EarlierEndpoint is an endpoint of an earlier run.
type EarlierEndpoint struct {
	Host, Method, Template string // all empty if not used
	Known                  EarlierCounts
}

// EarlierCounts counts the requests to an endpoint in earlier runs, as Tally does. Last is
// the time of the last one in Unix milliseconds. It is zero for an endpoint that
// was requested but not counted. What its caller has learnt of the endpoint is in Learnt,
// as bits, and in Sticky and Loose, which are counts.
type EarlierCounts struct{ Accepted, Bare, Unauthorized, Last, Learnt, Sticky, Loose int64 }

// EarlierActor is an actor of an earlier run.
type EarlierActor struct {
	Session SessionSum // if Named
	Named   bool       // the actor is a session
	Client  Client     // of other actors
	Before  []byte     // what the caller derived from the events before Events
	Events  []Event    // by time; Refusal is ignored
}

// EarlierEvent is the Refusal of all events of an earlier run, 401s included.
const EarlierEvent = NoRefusal - 1

// NoAddress is an index that no address has.
const NoAddress = ^uint32(0)

// resumedSession is a session of an earlier run that a worker has seen again.
type resumedSession struct {
	index uint32 // in Earlier.Sessions
	shard uint8
	key   actorKey
}

// recalledRun relates the lists of an earlier run to the numbers of the worker
// that NewEarlierWorker returned.
type recalledRun struct {
	earlier          *Earlier
	hosts, endpoints []uint32 // by endpoint
	upstreams        []uint32 // by upstream
}

// ExpectSessions makes the worker recognise the sessions of an earlier run.
func (w *Worker) ExpectSessions(e *Earlier) { w.earlier = e }

// SetLinesBefore sets the number of lines of an input that an earlier run has read.
func (w *Worker) SetLinesBefore(input int, lines int64) {
	if w.linesBefore == nil {
		w.linesBefore = make([]int64, w.inputs)
	}
	w.linesBefore[input] = lines
}

// noteResumed records an actor that is new to the worker, if it is a session of
// the earlier run.
func (w *Worker) noteResumed(key actorKey, session []byte) {
	if i, ok := slices.BinarySearchFunc(w.earlier.Sessions, privacy.SessionSum(session), compareSums); ok {
		w.resumed = append(w.resumed, resumedSession{uint32(i), uint8(key.shard()), key})
	}
}

// findResumed notes the sessions of the earlier run in a part, which was read without it.
func (w *Worker) findResumed(e *Earlier) error {
	for _, d := range w.spilled {
		for i := range d.shards {
			s, err := d.shards[i].read(w.file)
			if err != nil {
				return err
			}
			for a := range s.each {
				label := s.label(a.number - 1)
				if label == nil {
					continue
				}
				if n, ok := slices.BinarySearchFunc(e.Sessions, SessionSum(label), compareSums); ok {
					w.resumed = append(w.resumed, resumedSession{uint32(n), uint8(i), a.key})
				}
			}
		}
	}
	return nil
}

// NewEarlierWorker returns a worker with the events of an earlier run. It has to be merged
// with the workers that have read the lines since.
func NewEarlierWorker(workers []*Worker, e *Earlier) (*Worker, error) {
	w := NewWorker(workers[0].seed, workers[0].inputs)
	w.Limit(workers[0].limit, workers[0].space)
	n := len(e.Endpoints)
	w.recalled = &recalledRun{earlier: e, hosts: make([]uint32, n), endpoints: make([]uint32, n), upstreams: make([]uint32, len(e.Upstreams))}
	for i := range e.Endpoints {
		if x := &e.Endpoints[i]; x.Method+x.Template != "" || x.Known != (EarlierCounts{}) {
			w.recalled.hosts[i] = w.hosts.number([]byte(x.Host))
			w.recalled.endpoints[i] = w.endpoints.number(w.recalled.hosts[i], []byte(x.Method), []byte(x.Template))
		}
	}
	for i, u := range e.Upstreams {
		if u != "" {
			w.recalled.upstreams[i] = w.upstream([]byte(u))
		}
	}
	// Users and clients may be used by EarlierActor.Before alone.
	for _, u := range e.Users {
		if u != "" {
			w.users.number([]byte(u), 0, w.seed)
		}
	}
	for _, c := range e.Clients {
		w.earlierClient(c)
	}
	actors := make([]actorPlace, len(e.Sessions))
	for i := range e.Sessions {
		actors[i] = placeOf(sumKey(e.Sessions[i], w.seed))
	}
	for _, other := range workers {
		if other.sealed {
			if err := other.findResumed(e); err != nil {
				return nil, err
			}
		}
		for _, r := range other.resumed {
			actors[r.index] = actorPlace{r.shard, r.key}
		}
	}
	for a, err := range e.Actors {
		if err != nil {
			return nil, err
		}
		if w.addEarlier(a, actors); w.err != nil {
			return nil, w.err
		}
	}
	return w, nil
}

// earlierClient returns the number and the hash of a client of the earlier run and
// adds it if it is new.
func (w *Worker) earlierClient(c Client) (number uint32, hash uint64) {
	address, agent := w.recalled.client(c)
	hash = clientKey(address, agent, w.seed).clientHash()
	return w.clients.number(hash, address, agent), hash
}

func (r *recalledRun) client(c Client) (address, agent []byte) {
	return []byte(r.earlier.Addresses[c.Address]), []byte(r.earlier.Agents[c.Agent])
}

// actorPlace is the shard of an actor, and its key there.
type actorPlace struct {
	shard uint8
	key   actorKey
}

func placeOf(k actorKey) actorPlace { return actorPlace{uint8(k.shard()), k} }

// sumKey returns the key of a session whose id is not known.
func sumKey(sum SessionSum, seed uint64) actorKey { return sessionKey(sum[:], seed) }

// addEarlier adds an actor; sessions are the places of Earlier.Sessions.
func (w *Worker) addEarlier(x *EarlierActor, sessions []actorPlace) {
	e := w.recalled.earlier
	var at actorPlace
	if x.Named {
		i, _ := slices.BinarySearchFunc(e.Sessions, x.Session, compareSums)
		at = sessions[i]
	} else {
		address, agent := w.recalled.client(x.Client)
		at = placeOf(clientKey(address, agent, w.seed))
	}
	s := &w.shards[at.shard]
	a := s.actor(at.key)
	s.setLabel(a, x.encodeLabel())
	for i := range x.Events {
		v := &x.Events[i]
		r := record{
			ms: v.Time, outcome: v.Outcome, endpoint: w.recalled.endpoints[v.Endpoint], via: uint32(v.Origin.Scheme()),
			refusal: a.refusal,
		}
		number, hash := w.earlierClient(v.Client)
		if r.newClient = a.client != hash || a.events == 0; r.newClient {
			a.client, a.clientNumber = hash, number
		}
		if v.User != 0 {
			r.user, r.userHash = w.users.number([]byte(e.Users[v.User-1]), a.user, w.seed)
		}
		if v.Upstream != 0 {
			r.via += (w.recalled.upstreams[v.Upstream-1] + 1) * uint32(numSchemes)
		}
		s.append(a, &r)
		if (v.Outcome == Accepted || v.Outcome == Redirected) && w.endpoints.isSignIn(r.endpoint) {
			w.signIns = append(w.signIns, newSignIn(hash, v.Time, true))
		}
	}
	a.counted = a.events // by the earlier run
	w.enforceLimit()
}

// encodeLabel returns the label of the actor in its shard: whether it is a
// session, the SessionSum, and Before.
func (x *EarlierActor) encodeLabel() []byte {
	b := []byte{0}
	if x.Named {
		b = append([]byte{1}, x.Session[:]...)
	}
	return append(b, x.Before...)
}

// decodeEarlier sets what encodeLabel has encoded. The session id itself, if this
// run has seen it, takes precedence over its sum.
func (a *Actor) decodeEarlier(label []byte) {
	named := label[0] == 1
	label = label[1:]
	if named {
		if a.Session == nil {
			a.Session, a.Hashed = label[:privacy.SumSize:privacy.SumSize], true
		}
		label = label[privacy.SumSize:]
	}
	a.Before = label
}

// Since removes the events of the earlier run.
func (a *Actor) Since() {
	a.Events = slices.DeleteFunc(a.Events, func(e Event) bool { return e.Refusal == EarlierEvent })
}

// collapsed returns the nodes that the earlier run collapsed, which stay so. The
// templates of endpoints without counts may have been shortened for other reasons
// and are ignored.
func (r *recalledRun) collapsed() map[string]struct{} {
	nodes := map[string]struct{}{}
	for i := range r.earlier.Endpoints {
		x := &r.earlier.Endpoints[i]
		if x.Known == (EarlierCounts{}) || !strings.Contains(x.Template, namePlaceholder) {
			continue
		}
		node := append(binary.LittleEndian.AppendUint32(nil, r.hosts[i]), x.Method+"\x00"...)
		for j, seg := range strings.Split(x.Template, "/") {
			if j > 0 {
				node = append(node, '/')
			}
			if seg == namePlaceholder {
				nodes[string(node)] = struct{}{}
			}
			node = append(node, seg...)
		}
	}
	return nodes
}

// addKnown adds the counts of the earlier run to the endpoints.
func (s *State) addKnown() {
	r := s.workers[s.recalled].recalled
	for i := range r.earlier.Endpoints {
		k := &r.earlier.Endpoints[i].Known
		if *k == (EarlierCounts{}) {
			continue
		}
		known := &s.Endpoints[s.EarlierEndpoint(uint32(i))].Known
		known.Accepted += k.Accepted
		known.Bare += k.Bare
		known.Unauthorized += k.Unauthorized
		known.Learnt |= k.Learnt
		known.Sticky += k.Sticky
		known.Loose += k.Loose
		known.Last = max(known.Last, k.Last)
	}
}

// EarlierEndpoint returns the index in Endpoints of an endpoint of the earlier
// run.
func (s *State) EarlierEndpoint(n uint32) uint32 {
	r := s.workers[s.recalled].recalled
	return s.endpointOf[s.recalled][r.endpoints[min(int(n), len(r.endpoints)-1)]]
}

// EarlierUser returns the index in Users, plus one, of a user of the earlier run,
// also given as its index plus one. It returns 0 for 0 and for users that are not
// listed by name.
func (s *State) EarlierUser(n uint32) uint32 {
	users := s.workers[s.recalled].recalled.earlier.Users
	if n == 0 || int(n) > len(users) {
		return 0
	}
	return s.userOf[xxh3.HashStringSeed(users[n-1], s.seed)]
}

// EarlierClient returns a client of the earlier run in the indexes of the state.
func (s *State) EarlierClient(c Client) Client {
	r := s.workers[s.recalled].recalled
	if int(c.Address) >= len(r.earlier.Addresses) || int(c.Agent) >= len(r.earlier.Agents) {
		return Client{}
	}
	address, agent := r.client(c)
	return s.clientOfHash(clientKey(address, agent, s.seed).clientHash())
}

// EarlierAddress returns the index in Addresses of an address of the earlier run,
// given as its index plus one. It returns NoAddress for 0 and for addresses that
// no client listed by name has.
func (s *State) EarlierAddress(n uint32) uint32 {
	addresses := s.workers[s.recalled].recalled.earlier.Addresses
	if n == 0 || int(n) > len(addresses) {
		return NoAddress
	}
	if i, ok := slices.BinarySearch(s.Addresses, addresses[n-1]); ok {
		return uint32(i)
	}
	return NoAddress
}
