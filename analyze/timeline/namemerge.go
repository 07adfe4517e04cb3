package timeline

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/zeebo/xxh3"

	"logscan/analyze/spill"
)

// MaxNames is the maximum number of users, and of clients, that are listed by
// name. If a log has more, those with most 401s are listed, among equals those
// with most requests; the others are summed up under OtherName. The choice
// depends on the log alone, not on the available memory.
const MaxNames = 1 << 18

// OtherName stands for all users or clients that are not listed by name. A path
// template, address or user agent that is logged does not look like it by chance;
// a client that sends it on purpose is counted with the others.
const OtherName = "{other}"

// rank orders names: those to be listed come first.
type rank struct {
	refused, requests int64
	hash              uint64 // unseeded hash of the name, to break ties
}

func (r rank) compare(s rank) int {
	return cmp.Or(cmp.Compare(s.refused, r.refused), cmp.Compare(s.requests, r.requests), cmp.Compare(r.hash, s.hash))
}

// totals merges records of users or clients.
type totals[T any] struct {
	compare func(a, b *T) int // by hash
	rank    func(*T) rank
	add     func(sum, x *T) // adds the counts of x, which has the same hash
	drop    func(*T)        // called for the records that are not kept
}

// merge merges records that are sorted by hash and returns the first limit of
// them by rank, in any order. Twice as many are collected before the others are
// dropped.
func (t totals[T]) merge(parts []spill.Source[T], limit int) ([]T, error) {
	var list []T
	last := rank{refused: -1} // of those kept when others were dropped; before that, after all
	cut := func() {
		slices.SortFunc(list, func(a, b T) int { return t.rank(&a).compare(t.rank(&b)) })
		for i := range list[limit:] {
			t.drop(&list[limit+i])
		}
		list = list[:limit]
		last = t.rank(&list[limit-1])
	}
	var sum T
	some := false
	flush := func() {
		switch {
		case !some:
		case t.rank(&sum).compare(last) > 0:
			t.drop(&sum)
		default:
			if list = append(list, sum); len(list) == 2*limit {
				cut()
			}
		}
	}
	for x, err := range spill.Merge(parts, t.compare) {
		if err != nil {
			return nil, err
		}
		if some && t.compare(&sum, x) == 0 {
			t.add(&sum, x)
			continue
		}
		flush()
		some, sum = true, *x
	}
	if flush(); len(list) > limit {
		cut()
	}
	return list, nil
}

// mergeUsers merges the users of all parts and lists at most limit by name.
func (s *State) mergeUsers(limit int) error {
	parts := sources(s, userCodec, func(d *spilled) *spill.Run { return d.users }, func(p *part) spill.Source[userTotal] { return p.users.sorted() })
	s.OfOtherUsers = NamedTally{OtherName, newTally()}
	list, err := totals[userTotal]{
		compare: userCodec.Compare,
		rank: func(u *userTotal) rank {
			requests := int64(0)
			for _, n := range u.N {
				requests += n
			}
			return rank{u.N[Unauthorized], requests, xxh3.HashString(u.name)}
		},
		add: func(sum, u *userTotal) { sum.Tally.Merge(&u.Tally) },
		drop: func(u *userTotal) {
			s.OfOtherUsers.Tally.Merge(&u.Tally)
			s.OtherUsers++
		},
	}.merge(parts, limit)
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b userTotal) int { return strings.Compare(a.name, b.name) })
	s.userOf = make(map[uint64]uint32, len(list))
	s.Users = make([]NamedTally, len(list))
	for i := range list {
		s.Users[i] = NamedTally{list[i].name, list[i].Tally}
		s.userOf[list[i].hash] = uint32(i) + 1
	}
	return nil
}

// mergeClients merges the clients of all parts and lists at most limit by name.
func (s *State) mergeClients(limit int) error {
	parts := sources(s, clientCodec, func(d *spilled) *spill.Run { return d.clients }, func(p *part) spill.Source[clientTotal] { return p.clients.sorted() })
	list, err := totals[clientTotal]{
		compare: clientCodec.Compare,
		rank: func(c *clientTotal) rank {
			return rank{c.refused, c.requests, xxh3.HashString(c.address)*3 + xxh3.HashString(c.agent)}
		},
		add: func(sum, c *clientTotal) {
			sum.requests += c.requests
			sum.refused += c.refused
		},
		drop: func(*clientTotal) { s.OtherClients++ },
	}.merge(parts, limit)
	if err != nil {
		return err
	}
	named := len(list)
	if s.OtherClients > 0 {
		list = append(list, clientTotal{address: OtherName, agent: OtherName})
	}
	var addressOf, agentOf []uint32
	var g sync.WaitGroup
	g.Go(func() { s.Addresses, addressOf = rankDistinct(list, func(c *clientTotal) string { return c.address }) })
	s.Agents, agentOf = rankDistinct(list, func(c *clientTotal) string { return c.agent })
	g.Wait()
	s.clientOf = make(map[uint64]Client, len(list))
	for i := range list {
		s.clientOf[list[i].hash] = Client{addressOf[i], agentOf[i]}
	}
	if s.OtherClients > 0 {
		s.otherClient = Client{addressOf[named], agentOf[named]}
		delete(s.clientOf, 0)
	}
	return nil
}

// clientOfHash returns the client of a seeded hash: the one with OtherName if it is
// not listed by name.
func (s *State) clientOfHash(hash uint64) Client {
	if c, ok := s.clientOf[hash]; ok {
		return c
	}
	return s.otherClient
}
