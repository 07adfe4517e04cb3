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

	limit, bytes int  // of the records that are kept
	list         []T  // at most limit
	more         []T  // what does not fit into list until others are dropped
	held         int  // bytes of the names in list and more
	beyond       rank // of the first record that was not kept
}

// moreShare is the part of the limit that is collected before records are dropped: records
// are large, and the names of a log that spilled to disk are most of what is in memory when
// they are merged.
const moreShare = 8

// merge merges records that are sorted by hash and returns the first of them by rank,
// in any order: as many as the limits allow. An eighth more, or a quarter more bytes, are
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
	return t.list, nil
}

// keep adds a record to the list if it may be one of the first.
func (t *totals[T]) keep(x *T) {
	r := t.rank(x)
	if r.compare(t.beyond) >= 0 {
		t.drop(x)
		return
	}
	switch {
	case len(t.list) == t.limit:
		t.more = append(t.more, *x)
	case len(t.list) == cap(t.list):
		t.list = append(make([]T, 0, min(max(2*len(t.list), 64), t.limit+1)), t.list...)
		fallthrough
	default:
		t.list = append(t.list, *x)
	}
	if t.held += t.size(x); len(t.more) > t.limit/moreShare || t.held >= t.bytes+t.bytes/4 {
		t.cut()
	}
}

// cut drops the records beyond the limits, and moves those of more to list.
func (t *totals[T]) cut() {
	if len(t.more) == 0 && t.held <= t.bytes {
		return
	}
	type sized struct {
		rank
		size int
	}
	order := make([]sized, 0, len(t.list)+len(t.more))
	for _, part := range [...][]T{t.list, t.more} {
		for i := range part {
			order = append(order, sized{t.rank(&part[i]), t.size(&part[i])})
		}
	}
	slices.SortFunc(order, func(a, b sized) int { return a.compare(b.rank) })
	t.held = 0
	for n := range order {
		if n == t.limit || t.held+order[n].size > t.bytes {
			t.beyond = order[n].rank
			break
		}
		t.held += order[n].size
	}
	list := t.list[:0]
	for _, part := range [...][]T{t.list, t.more} {
		for i := range part {
			if x := &part[i]; t.rank(x).compare(t.beyond) < 0 {
				list = append(list, *x)
			} else {
				t.drop(x)
			}
		}
	}
	clear(t.list[min(len(list), len(t.list)):])
	clear(t.more)
	t.list, t.more = list, t.more[:0]
}

// mergeUsers merges the users of all parts and lists at most limit by name.
func (s *State) mergeUsers(limit int) error {
	parts := sources(s, userCodec, func(d *spilled) *spill.Run { return d.users }, func(p *part) spill.Source[NamedTally] { return p.users.sorted() })
	s.OfOtherUsers = NamedTally{Name: OtherName, Tally: newTally()}
	var err error
	s.Users, err = totals[NamedTally]{
		limit: limit, bytes: maxNameBytes,
		compare: userCodec.Compare,
		size:    func(u *NamedTally) int { return len(u.Name) },
		rank: func(u *NamedTally) rank {
			return rank{u.N[Unauthorized], u.Requests(), xxh3.HashString(u.Name)}
		},
		add: func(sum, u *NamedTally) { sum.Tally.Merge(&u.Tally) },
		drop: func(u *NamedTally) {
			s.OfOtherUsers.Tally.Merge(&u.Tally)
			s.OtherUsers++
		},
	}.merge(parts)
	if err != nil {
		return err
	}
	slices.SortFunc(s.Users, func(a, b NamedTally) int { return strings.Compare(a.Name, b.Name) })
	s.userOf = make(map[uint64]uint32, len(s.Users))
	for i := range s.Users {
		s.userOf[s.Users[i].hash] = uint32(i) + 1
		s.Users[i].hash = 0
	}
	return nil
}

// mergeClients merges the clients of all parts and lists at most limit by name.
func (s *State) mergeClients(limit int) error {
	parts := sources(s, sharedAgents(), func(d *spilled) *spill.Run { return d.clients }, func(p *part) spill.Source[clientTotal] { return p.clients.sorted() })
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

// UnlistedAddress is Unlisted of an address.
func (s *State) UnlistedAddress(a uint32) bool {
	return s.OtherClients > 0 && a == s.otherClient.Address
}

// clientOfHash returns the client of a seeded hash: the one with OtherName if it is
// not listed by name.
func (s *State) clientOfHash(hash uint64) Client {
	if c, ok := s.clientOf[hash]; ok {
		return c
	}
	return s.otherClient
}
