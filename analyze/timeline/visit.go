package timeline

import (
	"cmp"
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
	part, number uint32
	events       uint32
}

// ActorSummary is what is known of an actor before its events are decoded.
type ActorSummary struct {
	Client Client // of all its events, if Only
	Only   bool   // the actor has one client only
}

// who describes the actor that pieces begins with.
func (s *State) who(pieces []piece) (w ActorSummary) {
	p := &pieces[0]
	for i := range pieces {
		if pieces[i].key != p.key {
			break
		}
		if pieces[i].client != p.client {
			return ActorSummary{}
		}
	}
	if p.client == 0 {
		return ActorSummary{}
	}
	return ActorSummary{s.clientOfHash(p.client), true}
}

// Shard calls visit for the actors of shard i in [0, Shards). Actors are numbered
// from 0 in the order of the visits, which has no meaning but is the same in each
// call. An Actor and its slices are valid during the visit. Different shards may
// be visited concurrently.
//
// Events of the same millisecond are ordered by their content, 401s first: the
// order of lines is unknown between the logs of several servers, and means little
// in logs with times in whole seconds.
//
// If want is not nil, only actors for which it returns true are visited. Skipping
// an actor is cheap.
func (s *State) Shard(i int, m *Scratch, want func(n uint32, w ActorSummary) bool, visit func(n uint32, a *Actor)) error {
	shards := make([]*shard, len(s.parts))
	first := make([]int, len(s.parts)) // by part: index of its first actor in m.actors
	actors := 0
	m.pieces = m.pieces[:0]
	for p := range s.parts {
		sh, err := s.shard(&s.parts[p], i)
		if err != nil {
			return err
		}
		shards[p], first[p] = sh, actors
		actors += int(sh.actors)
		for a := range sh.each {
			m.pieces = append(m.pieces, piece{a.key, a.client, uint32(p), a.number, a.events})
		}
	}
	slices.SortFunc(m.pieces, func(a, b piece) int {
		return cmp.Or(cmp.Compare(a.key.hi, b.key.hi), cmp.Compare(a.key.lo, b.key.lo))
	})
	m.actors = resized(m.actors, actors)
	clear(m.actors)
	m.events = resized(m.events, s.layOut(m, first, want))
	for p, sh := range shards {
		s.decode(s.parts[p].worker, sh, m.actors[first[p]:][:sh.actors], m.events)
	}
	m.sorter.compare = compareEvents
	events := m.events
	n := uint32(0)
	for rest := m.pieces; len(rest) > 0; n++ {
		count := actorPieces(rest)
		pieces := rest[:count]
		rest = rest[count:]
		if m.actors[first[pieces[0].part]+int(pieces[0].number)-1].next == skipped {
			continue
		}
		total := 0
		var a Actor
		for i, p := range pieces {
			total += int(p.events)
			if i == 0 || s.recalled >= 0 {
				s.identify(&a, p, shards)
			}
		}
		a.Events = events[:total:total]
		m.sorter.sort(a.Events)
		visit(n, &a)
		events = events[total:]
	}
	return nil
}

// layOut sets where the events of each piece are decoded to, so that those of an
// actor are adjacent, and returns the number of events.
func (s *State) layOut(m *Scratch, first []int, want func(n uint32, w ActorSummary) bool) int {
	total, n := 0, uint32(0)
	for rest := m.pieces; len(rest) > 0; n++ {
		count := actorPieces(rest)
		wanted := want == nil || want(n, s.who(rest))
		for _, p := range rest[:count] {
			next := &m.actors[first[p.part]+int(p.number)-1].next
			if !wanted {
				*next = skipped
				continue
			}
			*next = uint32(total)
			total += int(p.events)
		}
		rest = rest[count:]
	}
	return total
}

// actorPieces returns the number of pieces of the actor that pieces begins with.
func actorPieces(pieces []piece) int {
	n := 1
	for n < len(pieces) && pieces[n].key == pieces[0].key {
		n++
	}
	return n
}

// identify sets the identity of an actor from one of its pieces.
func (s *State) identify(a *Actor, p piece, shards []*shard) {
	label := shards[p.part].label(p.number - 1)
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
