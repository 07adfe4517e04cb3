package timeline

import (
	"cmp"
	"iter"
	"slices"
)

// Scratch is memory that Shard reuses. The zero value is ready for use; each
// goroutine needs its own.
type Scratch struct {
	pieces []piece
	actors []decoded // of all parts
	events []Event
	sorter runSorter[Event]
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
// If want is not nil, only actors for which it returns true are visited. Skipping
// an actor is cheap.
func (s *State) Shard(i int, m *Scratch, want func(id uint32, a ActorSummary) bool, visit func(id uint32, a *Actor)) error {
	shards := make([]*shard, len(s.parts))
	actors := uint32(0)
	m.pieces = m.pieces[:0]
	for p := range s.parts {
		sh, err := s.shard(&s.parts[p], i)
		if err != nil {
			return err
		}
		shards[p] = sh
		for a := range sh.each {
			m.pieces = append(m.pieces, piece{a.key, a.client, uint32(p), a.number - 1, actors + a.number - 1, a.events, a.refused})
		}
		actors += sh.actors
	}
	slices.SortFunc(m.pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(a.key.hi, b.key.hi), cmp.Compare(a.key.lo, b.key.lo))
	})
	m.actors = resized(m.actors, int(actors))
	clear(m.actors)
	// Lay out the events so that those of an actor are adjacent.
	first := uint32(i)<<(32-shardBits) + 1
	total := uint32(0)
	for id, pieces := range actorsFrom(first, m.pieces) {
		wanted := want == nil || want(id, s.summary(pieces))
		for _, p := range pieces {
			if next := &m.actors[p.at].next; wanted {
				*next = total
				total += p.events
			} else {
				*next = skipped
			}
		}
	}
	m.events = resized(m.events, int(total))
	decoding := m.actors
	for p, sh := range shards {
		s.decode(s.parts[p].worker, sh, decoding[:sh.actors], m.events)
		decoding = decoding[sh.actors:]
	}
	m.sorter.compare, m.sorter.rising = compareEvents, risingEvents
	events := m.events
	for id, pieces := range actorsFrom(first, m.pieces) {
		if m.actors[pieces[0].at].next == skipped {
			continue
		}
		n := uint32(0)
		var a Actor
		for _, p := range pieces {
			n += p.events
			s.identify(&a, p, shards)
		}
		a.Events = events[:n:n]
		m.sorter.sort(a.Events)
		visit(id, &a)
		events = events[n:]
	}
	return nil
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

// identify sets the identity of an actor from one of its pieces.
func (s *State) identify(a *Actor, p piece, shards []*shard) {
	label := shards[p.part].label(p.number)
	switch {
	case s.recalled >= 0 && s.parts[p.part].worker == s.recalled:
		a.decodeEarlier(label)
	case label != nil:
		a.Session, a.Hashed = label, false
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
