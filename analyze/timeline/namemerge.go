package timeline

import (
	"bytes"
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

// topK keeps the limit elements that come first. Once full, list is a heap with
// the last of them on top.
type topK[T any] struct {
	limit int
	rank  func(*T) rank
	list  []T
	heap  bool
}

// add adds x. It returns the element that is dropped if there are too many.
func (t *topK[T]) add(x *T) (dropped T, full bool) {
	if len(t.list) < t.limit {
		t.list = append(t.list, *x)
		return dropped, false
	}
	if !t.heap {
		t.heap = true
		for i := len(t.list)/2 - 1; i >= 0; i-- {
			t.down(i)
		}
	}
	if t.rank(x).compare(t.rank(&t.list[0])) >= 0 {
		return *x, true
	}
	dropped, t.list[0] = t.list[0], *x
	t.down(0)
	return dropped, true
}

// down moves element i below those that come after it.
func (t *topK[T]) down(i int) {
	for {
		last := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t.list); c++ {
			if t.rank(&t.list[c]).compare(t.rank(&t.list[last])) > 0 {
				last = c
			}
		}
		if last == i {
			return
		}
		t.list[i], t.list[last] = t.list[last], t.list[i]
		i = last
	}
}

// totals merges records of users or clients.
type totals[T any] struct {
	codec spill.Codec[T]
	rank  func(*T) rank
	clone func(*T)        // copies what a record aliases; nil if records in memory stay valid
	add   func(sum, x *T) // adds the counts of x, which has the same hash
	drop  func(*T)        // called for the records that are not kept
}

// merge merges records that are sorted by hash and returns the first limit of
// them by rank, in any order.
func (t totals[T]) merge(parts []spill.Source[T], limit int) ([]T, error) {
	top := topK[T]{limit: limit, rank: t.rank}
	var sum T
	some := false
	flush := func() {
		if !some {
			return
		}
		if dropped, full := top.add(&sum); full {
			t.drop(&dropped)
		}
	}
	for x, err := range spill.Merge(parts, t.codec.Compare) {
		if err != nil {
			return nil, err
		}
		if some && t.codec.Compare(&sum, x) == 0 {
			t.add(&sum, x)
			continue
		}
		flush()
		some = true
		if sum = *x; t.clone != nil {
			t.clone(&sum)
		}
	}
	flush()
	return top.list, nil
}

// mergeUsers merges the users of all parts and lists at most limit by name.
func (s *State) mergeUsers(limit int) error {
	parts := sources(s, userCodec, func(d *spilled) *spill.Run { return d.users }, func(p *part) spill.Source[userTotal] { return p.users.sorted() })
	s.OfOtherUsers = NamedTally{OtherName, newTally()}
	merger := totals[userTotal]{
		codec: userCodec,
		rank: func(u *userTotal) rank {
			requests := int64(0)
			for _, n := range u.N {
				requests += n
			}
			return rank{u.N[Unauthorized], requests, xxh3.Hash(u.name)}
		},
		add: func(sum, u *userTotal) { sum.Tally.Merge(&u.Tally) },
		drop: func(u *userTotal) {
			s.OfOtherUsers.Tally.Merge(&u.Tally)
			s.OtherUsers++
		},
	}
	if s.anySpilled() {
		merger.clone = func(u *userTotal) { u.name = bytes.Clone(u.name) }
	}
	list, err := merger.merge(parts, limit)
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b userTotal) int { return bytes.Compare(a.name, b.name) })
	s.userOf = newHashIndex(len(list))
	s.Users = make([]NamedTally, len(list))
	for i := range list {
		s.Users[i] = NamedTally{string(list[i].name), list[i].Tally}
		s.userOf.put(list[i].hash, uint32(i)+1, 0)
	}
	return nil
}

// mergeClients merges the clients of all parts and lists at most limit by name.
func (s *State) mergeClients(limit int) error {
	parts := sources(s, clientCodec, func(d *spilled) *spill.Run { return d.clients }, func(p *part) spill.Source[clientTotal] { return p.clients.sorted() })
	merger := totals[clientTotal]{
		codec: clientCodec,
		rank: func(c *clientTotal) rank {
			return rank{c.refused, c.requests, xxh3.Hash(c.address)*3 + xxh3.Hash(c.agent)}
		},
		add: func(sum, c *clientTotal) {
			sum.requests += c.requests
			sum.refused += c.refused
		},
		drop: func(*clientTotal) { s.OtherClients++ },
	}
	if s.anySpilled() {
		agents := interner{}
		merger.clone = func(c *clientTotal) { c.address, c.agent = bytes.Clone(c.address), agents.clone(c.agent) }
	}
	list, err := merger.merge(parts, limit)
	if err != nil {
		return err
	}
	named := len(list)
	if s.OtherClients > 0 {
		list = append(list, clientTotal{address: []byte(OtherName), agent: []byte(OtherName)})
	}
	var addressOf, agentOf []uint32
	var g sync.WaitGroup
	g.Go(func() { s.Addresses, addressOf = rankDistinct(list, func(c *clientTotal) []byte { return c.address }) })
	s.Agents, agentOf = rankDistinct(list, func(c *clientTotal) []byte { return c.agent })
	g.Wait()
	s.clientOf = newHashIndex(named)
	if s.OtherClients > 0 {
		s.clientOf.missing = [2]uint32{addressOf[named], agentOf[named]}
	}
	for i := range list[:named] {
		s.clientOf.put(list[i].hash, addressOf[i], agentOf[i])
	}
	return nil
}

// interner copies strings, most of them once.
type interner map[string][]byte

// maxInterned is the maximum number of strings that an interner holds.
const maxInterned = 1 << 16

func (m interner) clone(b []byte) []byte {
	c, ok := m[string(b)]
	if !ok {
		if len(m) >= maxInterned {
			clear(m)
		}
		c = bytes.Clone(b)
		m[string(c)] = c
	}
	return c
}

// rankDistinct returns the distinct names of the elements of a list, sorted, and
// for each element the index of its name.
func rankDistinct[T any](list []T, name func(*T) []byte) (names []string, index []uint32) {
	numbers := map[string]uint32{}
	var distinct []string
	index = make([]uint32, len(list))
	for i := range list {
		text := name(&list[i])
		n, ok := numbers[string(text)]
		if !ok {
			n = uint32(len(distinct))
			distinct = append(distinct, string(text))
			numbers[distinct[n]] = n
		}
		index[i] = n
	}
	order := make([]uint32, len(distinct))
	for n := range order {
		order[n] = uint32(n)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(distinct[a], distinct[b]) })
	names = make([]string, len(distinct))
	rank := make([]uint32, len(distinct))
	for i, n := range order {
		names[i], rank[n] = distinct[n], uint32(i)
	}
	for i, n := range index {
		index[i] = rank[n]
	}
	return names, index
}
