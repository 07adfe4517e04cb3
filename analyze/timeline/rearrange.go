package timeline

import (
	"cmp"
	"slices"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/spill"
	"logscan/parse/privacy"
)

// rearranger puts the events of shards in order, one shard after the other. It belongs to
// one goroutine and reuses its memory.
type rearranger struct {
	*State
	origins []origin // of what is rearranged
	shards  []*shard // of the origins
	pieces  []plainPiece
	actors  []plainActor // of all origins
	sums    map[actorKey]SessionSum
	events  []plainEvent
	order   runSorter[plainEvent]
}

// eachRearranged calls built with one shard of the origins after the other, in which the
// events are sorted by actor and time.
func (s *State) eachRearranged(origins []origin, goroutines int, built func(i int, s *shard) error) error {
	numbers := make([]int, Shards)
	for i := range numbers {
		numbers[i] = i
	}
	rooms := make([]rearranger, goroutines)
	for some := range slices.Chunk(numbers, goroutines) {
		shards := make([]*shard, len(some))
		var g errgroup.Group
		for n, i := range some {
			g.Go(func() (err error) {
				r := &rooms[n]
				r.State, r.origins = s, origins
				shards[n], err = r.shard(i)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		for n, i := range some {
			if err := built(i, shards[n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// plainPiece is what one part holds of an actor.
type plainPiece struct {
	key     actorKey
	at      uint32 // index in rearranger.actors
	events  uint32
	refused bool
}

// sortedEvents is how many events of a shard are sorted in memory: 72 MiB.
const sortedEvents = 1 << 20

// shard returns one shard of all origins.
func (r *rearranger) shard(i int) (*shard, error) {
	total, err := r.open(i)
	if err != nil {
		return nil, err
	}
	to := plainShard{sums: r.sums}
	to.init()
	if total > sortedEvents {
		err = r.sortAll(&to)
	} else {
		err = r.sortActors(&to, int(total))
	}
	to.end()
	to.close()
	return &to.shard, err
}

// open opens a shard of all origins, sets the pieces, sorted by their keys, and the sums of
// session ids, and returns the number of events.
func (r *rearranger) open(i int) (total uint64, err error) {
	r.shards, r.pieces, r.actors = r.shards[:0], r.pieces[:0], r.actors[:0]
	r.sums = map[actorKey]SessionSum{}
	for p := range r.origins {
		o := &r.origins[p]
		s, err := r.State.shard(o, i)
		if err != nil {
			return 0, err
		}
		first := len(r.actors)
		r.shards, r.actors = append(r.shards, s), append(r.actors, make([]plainActor, s.actors)...)
		for a := range s.each {
			key := a.key
			if label := s.label(a.number - 1); label != nil {
				sum := sumOfLabel(label, r.workers[o.worker].sealed)
				key = sumKey(sum, r.seed)
				r.sums[key] = sum
			}
			at := first + int(a.number) - 1
			r.actors[at].key = key
			r.pieces = append(r.pieces, plainPiece{key, uint32(at), a.events, a.refused})
			total += uint64(a.events)
		}
	}
	slices.SortFunc(r.pieces, func(a, b plainPiece) int { return compareKeys(a.key, b.key) })
	return total, nil
}

func compareKeys(a, b actorKey) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo))
}

// decode decodes the events of all origins.
func (r *rearranger) decode(to plainSink) error {
	actors := r.actors
	for p, s := range r.shards {
		for page, err := range s.log {
			if err == nil {
				err = r.plainPage(r.origins[p].worker, page, actors[:s.actors], to)
			}
			if err != nil {
				return err
			}
		}
		actors = actors[s.actors:]
	}
	return nil
}

// sortActors adds the events in their order: those of each actor are decoded side by side,
// where they are a few sorted lists.
func (r *rearranger) sortActors(to *plainShard, total int) error {
	r.events = resized(r.events, total)
	next := uint32(0)
	for _, p := range r.pieces {
		r.actors[p.at].next = next
		next += p.events
	}
	if err := r.decode(plainSink{events: r.events}); err != nil {
		return err
	}
	r.order.compare, r.order.rising = compareMoments, risingMoments
	for rest, pieces := r.events, r.pieces; len(pieces) > 0; {
		n, events, refused := 0, 0, false
		for ; n < len(pieces) && pieces[n].key == pieces[0].key; n++ {
			events += int(pieces[n].events)
			refused = refused || pieces[n].refused
		}
		r.order.sort(rest[:events])
		for i := range rest[:events] {
			to.add(&rest[i])
		}
		to.actor.refused = refused // also by what turned out to be another answer
		rest, pieces = rest[events:], pieces[n:]
	}
	return nil
}

// sortAll is sortActors for more events than are sorted in memory.
func (r *rearranger) sortAll(to *plainShard) error {
	sorter := &spill.Sorter[plainEvent]{Codec: plainCodec, Space: r.workers[0].space, Limit: sortedEvents}
	if err := r.decode(plainSink{sorter: sorter}); err != nil {
		return err
	}
	for e, err := range spill.Sorted(sorter) {
		if err != nil {
			return err
		}
		to.add(e)
	}
	return nil
}

// plainShard is a shard to which events are added in their order.
type plainShard struct {
	shard
	sums    map[actorKey]SessionSum
	actor   *actor // of the last event
	user    uint64 // the last one of the actor
	several bool   // the actor has several clients
}

// add adds an event.
func (s *plainShard) add(e *plainEvent) {
	a := s.actor
	if a == nil || a.key != e.key {
		s.end()
		a = s.shard.actor(e.key)
		s.actor, s.user, s.several = a, 0, false
		if sum, ok := s.sums[e.key]; ok {
			s.setLabel(a, sum[:])
		}
	}
	r := record{ms: e.ms, endpoint: e.endpoint, via: e.via, refusal: e.refusal, outcome: e.outcome, userHash: e.user}
	if r.newClient = a.client != e.client || a.events == 0; r.newClient {
		s.several = s.several || a.events > 0
		a.client = e.client
	}
	if e.user != 0 {
		if r.user = a.user; e.user != s.user || r.user == 0 {
			r.user++ // another number than the last one
		}
		s.user = e.user
	}
	s.append(a, &r)
}

// end ends the events of an actor.
func (s *plainShard) end() {
	if s.actor != nil && s.several {
		s.actor.client = 0
	}
}

// sumOfLabel returns the SessionSum of a label, which is one already if it is of a part.
func sumOfLabel(label []byte, sealed bool) SessionSum {
	if sealed {
		return SessionSum(label)
	}
	return privacy.SessionSum(label)
}
