package timeline

import (
	"iter"
	"slices"

	"logscan/analyze/spill"
)

// Scratch is memory that Shard reuses. The zero value is ready for use; each
// goroutine needs its own.
type Scratch struct {
	origins []origin // of the shard
	pieces  []piece
	actors  []decoded // of all parts
	events  []Event
	sorter  runSorter[Event]

	gathered gatheredShard // that is built

	long     map[uint32]*longActor   // by id: those to visit in the current pass
	building map[*decoded]*longActor // of them, by piece: those whose events are decoded in it
	space    *spill.Space            // for their events; nil to keep them in memory
	file     *spill.File             // in space
}

// piece is what one part holds of an actor. An actor may have a piece in every
// part.
type piece struct {
	key          actorKey
	client       uint64 // hash of its only client, 0 if it had several
	part, number uint32 // the number is 0-based
	at           uint32 // index in Scratch.actors
	events       uint32
	refused      bool
}

// ActorSummary describes an actor before its events are decoded.
type ActorSummary struct {
	Client Client // of all its events, if Only
	Only   bool   // the actor has one client only
	// Refused reports whether the actor was refused, in this run or in the events of
	// earlier ones.
	Refused bool
}

func (s *State) summary(pieces []piece) ActorSummary {
	refused := slices.ContainsFunc(pieces, func(p piece) bool { return p.refused })
	client := pieces[0].client
	if client == 0 || slices.ContainsFunc(pieces, func(p piece) bool { return p.client != client }) {
		return ActorSummary{Refused: refused}
	}
	return ActorSummary{s.clientOfHash(client), true, refused}
}

// Shard calls visit for the actors of shard i in [0, Shards), in an order that has no
// meaning. An actor has the same id, which is never 0, in each call. An Actor and its
// slices are valid during the visit. Different shards may be visited concurrently.
//
// Events of the same millisecond are ordered by their content, 401s first: the
// order of lines is unknown between the logs of several servers, and means little
// in logs with times in whole seconds.
//
// An actor with more than maxPiece events is visited several times in a row, with a
// piece of them each time: see Actor.More. A piece costs as much memory as one of the
// greatest actors that are visited at once.
//
// If want is not nil, only actors for which it returns true are visited. Skipping
// an actor is cheap.
func (s *State) Shard(i int, m *Scratch, want func(id uint32, a ActorSummary) bool, visit func(id uint32, a *Actor)) error {
	if s.gathered != nil {
		if g, kept, err := s.gathered.shard(i); err != nil {
			return err
		} else if kept {
			g.visit(i, m, want, visit)
			return nil
		}
	}
	shards, err := s.shards(i, m)
	if err != nil {
		return err
	}
	m.space = s.workers[0].space
	m.sorter.compare, m.sorter.rising, m.sorter.leading = compareEvents, risingEvents, leadingEvents
	if s.gathered != nil && s.gathered.shards[i].state == notGathered {
		if done, err := s.gather(i, shards, m, want, visit); done || err != nil {
			return err
		}
	}
	for id, rest := uint32(i)<<(32-shardBits)+1, m.pieces; len(rest) > 0; {
		pieces, actors := s.layOut(id, rest, m, want)
		if err := s.decode(shards, m); err != nil {
			return err
		}
		if err := s.visit(id, rest[:pieces], shards, m, visit); err != nil {
			return err
		}
		id, rest = id+actors, rest[pieces:]
	}
	return nil
}

// shards returns shard i of all parts, and sets m.origins, m.pieces, by actor, and the
// length of m.actors.
func (s *State) shards(i int, m *Scratch) ([]*shard, error) {
	m.origins = s.parts
	shards := make([]*shard, len(m.origins))
	actors := uint32(0)
	m.pieces = m.pieces[:0]
	for p := range m.origins {
		sh, err := s.shard(&m.origins[p], i)
		if err != nil {
			return nil, err
		}
		shards[p] = sh
		for a := range sh.each {
			m.pieces = append(m.pieces, piece{a.key, a.client, uint32(p), a.number - 1, actors + a.number - 1, a.events, a.refused})
		}
		actors += sh.actors
	}
	slices.SortFunc(m.pieces, func(a, b piece) int { return compareKeys(a.key, b.key) })
	m.actors = resized(m.actors, int(actors))
	return shards, nil
}

// layOut lays out m.events so that those of an actor are adjacent, for as many actors
// as can be visited in one pass. id is that of the first. It returns how many pieces and
// actors these are.
func (s *State) layOut(id uint32, rest []piece, m *Scratch, want func(id uint32, a ActorSummary) bool) (n int, actors uint32) {
	clear(m.actors)
	for i := range m.actors {
		m.actors[i].next = skipped
	}
	m.long, m.building = nil, nil
	total := uint64(0)
	for id, pieces := range actorsFrom(id, rest) {
		events := uint64(0)
		for _, p := range pieces {
			events += uint64(p.events)
		}
		switch wanted := want == nil || want(id, s.summary(pieces)); {
		case !wanted:
		case events > s.limit.piece:
			s.layOutLong(id, pieces, m)
		case total > 0 && total+events > s.limit.pass:
			m.events = resized(m.events, int(total))
			return n, actors
		default:
			for _, p := range pieces {
				m.actors[p.at].next = uint32(total)
				total += uint64(p.events)
			}
		}
		n += len(pieces)
		actors++
	}
	m.events = resized(m.events, int(total))
	return n, actors
}

// layOutLong prepares the visit of a long actor.
func (s *State) layOutLong(id uint32, pieces []piece, m *Scratch) {
	if m.long == nil {
		m.long, m.building = map[uint32]*longActor{}, map[*decoded]*longActor{}
	}
	l := s.long.get(id)
	if l == nil {
		l = &longActor{chunk: make([]Event, 0, s.limit.piece)}
		for _, p := range pieces {
			m.actors[p.at].next = isLong
			m.building[&m.actors[p.at]] = l
		}
	}
	m.long[id] = l
}

// visit visits the actors that have been decoded. id is that of the first.
func (s *State) visit(id uint32, rest []piece, shards []*shard, m *Scratch, visit func(id uint32, a *Actor)) error {
	events := m.events
	for id, pieces := range actorsFrom(id, rest) {
		long := m.long[id]
		if long == nil && m.actors[pieces[0].at].next == skipped {
			continue
		}
		n := uint32(0)
		a := Actor{Summary: s.summary(pieces)}
		for _, p := range pieces {
			n += p.events
			s.identify(&a, p, shards[p.part], m.origins[p.part].worker)
		}
		if long != nil {
			if err := s.visitLong(id, long, &a, m, visit); err != nil {
				return err
			}
			continue
		}
		a.Events = events[:n:n]
		m.sorter.sort(a.Events)
		visit(id, &a)
		events = events[n:]
	}
	return nil
}

// visitLong visits a long actor.
func (s *State) visitLong(id uint32, long *longActor, a *Actor, m *Scratch, visit func(id uint32, a *Actor)) error {
	if s.long.get(id) == nil {
		if err := long.finish(m); err != nil {
			return err
		}
		s.long.set(id, long)
	}
	return long.visit(s.limit.piece, func(events []Event, more bool) {
		a.Events, a.More = events, more
		visit(id, a)
		a.Continues = true
	})
}

// actorsFrom yields ids from first on, and the pieces of each actor.
func actorsFrom(first uint32, pieces []piece) iter.Seq2[uint32, []piece] {
	return func(yield func(uint32, []piece) bool) {
		for id := first; len(pieces) > 0; id++ {
			n := 1
			for n < len(pieces) && pieces[n].key == pieces[0].key {
				n++
			}
			if !yield(id, pieces[:n]) {
				return
			}
			pieces = pieces[n:]
		}
	}
}

// identify sets the identity of an actor from one of its pieces, which is in a shard of a
// worker.
func (s *State) identify(a *Actor, p piece, of *shard, worker int) {
	label := of.label(p.number)
	switch {
	case s.recalled >= 0 && worker == s.recalled:
		a.decodeEarlier(label)
	case label != nil:
		a.Session, a.Hashed = label, s.workers[worker].sealed
	}
}

// resized returns a list of n elements with any content, in the memory of list if
// they fit. A new list has room for a quarter more, because shards differ little
// in size.
func resized[T any](list []T, n int) []T {
	if cap(list) < n {
		list = make([]T, n+n/4)
	}
	return list[:n]
}
