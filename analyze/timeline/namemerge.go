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

// maxNameBytes bounds the names of the users, and of the clients, that are listed, in
// bytes: 192 for each. The names of most logs have fewer, but user agents of many
// kilobytes can be made up.
const maxNameBytes = 192 * MaxNames

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
	size    func(*T) int    // bytes of the name
	add     func(sum, x *T) // adds the counts of x, which has the same hash
	drop    func(*T)        // called for the records that are not kept

	limit, bytes int // of the records that are kept
	list         []ranked[T]
	held         int  // bytes of the names in list
	beyond       rank // of the first record that was not kept
}

type ranked[T any] struct {
	rank
	record T
}

// merge merges records that are sorted by hash and returns the first of them by rank,
// in any order: as many as the limits allow. Twice as many, or a quarter more bytes, are
// collected before the others are dropped.
//
// A record that is kept is one before which all together are within the limits, so it
// does not matter in which order records come, or how often others are dropped.
func (t totals[T]) merge(parts []spill.Source[T]) ([]T, error) {
	t.beyond = rank{refused: -1} // after all
	var sum T
	some := false
	for x, err := range spill.Merge(parts, t.compare) {
		switch {
		case err != nil:
			return nil, err
		case some && t.compare(&sum, x) == 0:
			t.add(&sum, x)
			continue
		case some:
			t.keep(&sum)
		}
		some, sum = true, *x
	}
	if some {
		t.keep(&sum)
	}
	t.cut()
	list := make([]T, len(t.list))
	for i := range list {
		list[i] = t.list[i].record
	}
	return list, nil
}

// keep adds a record to the list if it may be one of the first.
func (t *totals[T]) keep(x *T) {
	r := t.rank(x)
	if r.compare(t.beyond) >= 0 {
		t.drop(x)
		return
	}
	t.list = append(t.list, ranked[T]{r, *x})
	if t.held += t.size(x); len(t.list) >= 2*t.limit || t.held >= t.bytes+t.bytes/4 {
		t.cut()
	}
}

// cut drops the records beyond the limits.
func (t *totals[T]) cut() {
	if len(t.list) <= t.limit && t.held <= t.bytes {
		return
	}
	slices.SortFunc(t.list, func(a, b ranked[T]) int { return a.rank.compare(b.rank) })
	n, held := 0, 0
	for n < min(len(t.list), t.limit) && held+t.size(&t.list[n].record) <= t.bytes {
		held += t.size(&t.list[n].record)
		n++
	}
	if n < len(t.list) {
		t.beyond = t.list[n].rank
	}
	for i := range t.list[n:] {
		t.drop(&t.list[n+i].record)
	}
	clear(t.list[n:])
	t.list, t.held = t.list[:n], held
}

// mergeUsers merges the users of all parts and lists at most limit by name.
func (s *State) mergeUsers(limit int) error {
	parts := sources(s, userCodec, func(d *spilled) *spill.Run { return d.users }, func(p *part) spill.Source[userTotal] { return p.users.sorted() })
	s.OfOtherUsers = NamedTally{OtherName, newTally()}
	list, err := totals[userTotal]{
		limit: limit, bytes: maxNameBytes,
		compare: userCodec.Compare,
		size:    func(u *userTotal) int { return len(u.name) },
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
	}.merge(parts)
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
		limit: limit, bytes: maxNameBytes,
		compare: clientCodec.Compare,
		size:    func(c *clientTotal) int { return len(c.address) + len(c.agent) },
		rank: func(c *clientTotal) rank {
			return rank{c.refused, c.requests, xxh3.HashString(c.address)*3 + xxh3.HashString(c.agent)}
		},
		add: func(sum, c *clientTotal) {
			sum.requests += c.requests
			sum.refused += c.refused
		},
		drop: func(*clientTotal) { s.OtherClients++ },
	}.merge(parts)
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

// Unlisted reports whether a client stands for all that are not listed by name: what some of
// them did says nothing about the others.
func (s *State) Unlisted(c Client) bool { return s.OtherClients > 0 && c == s.otherClient }

// clientOfHash returns the client of a seeded hash: the one with OtherName if it is
// not listed by name.
func (s *State) clientOfHash(hash uint64) Client {
	if c, ok := s.clientOf[hash]; ok {
		return c
	}
	return s.otherClient
}
