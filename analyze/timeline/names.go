package timeline

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/zeebo/xxh3"

	"logscan/analyze/spill"
)

// Users and clients are named in the timelines by a seeded hash of 64 bits: two
// are taken for one with a chance of 10^-5 where there are twenty million. Their
// names and sums lie in tables by the side, which are small beside the
// timelines, and go to disk with them.

// userTable numbers the users of a part and counts for them.
type userTable struct {
	dict
	tally []Tally
}

// number gives the number of a user plus one, since 0 is no user, and the hash of
// its name.
func (t *userTable) number(u []byte) (n uint32, hash uint64) {
	n = t.dict.number(u)
	if int(n) == len(t.tally) {
		t.tally = append(t.tally, newTally())
	}
	return n + 1, t.hash[n]
}

func (t *userTable) size() int64 { return t.dict.size() + tallySize*int64(cap(t.tally)) }

// userTotal is a user of a part.
type userTotal struct {
	hash uint64
	name []byte
	Tally
}

// sorted gives the users by hash.
func (t *userTable) sorted() spill.Source[userTotal] {
	return byHash(t.len(), func(n uint32) uint64 { return t.hash[n] }, func(n uint32) userTotal {
		return userTotal{t.hash[n], t.key[n], t.tally[n]}
	})
}

// byHash gives n things in the order of their hashes. Each is made when its turn
// comes: they are much larger than what is sorted.
func byHash[T any](n int, hash func(uint32) uint64, thing func(uint32) T) spill.Source[T] {
	type place struct {
		hash uint64
		n    uint32
	}
	order := make([]place, n)
	for i := range order {
		order[i] = place{hash(uint32(i)), uint32(i)}
	}
	slices.SortFunc(order, func(a, b place) int { return cmp.Compare(a.hash, b.hash) })
	var x T
	return func() (*T, error) {
		if len(order) == 0 {
			return nil, nil
		}
		x = thing(order[0].n)
		order = order[1:]
		return &x, nil
	}
}

var userCodec = spill.Codec[userTotal]{
	Append: func(dst []byte, u *userTotal) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, u.hash)
		return u.Tally.append(appendBytes(dst, u.name))
	},
	Read: func(u *userTotal, src []byte) []byte {
		u.hash = binary.LittleEndian.Uint64(src)
		u.name, src = cutBytes(src[8:])
		return u.Tally.read(src)
	},
	Compare: func(a, b *userTotal) int { return cmp.Compare(a.hash, b.hash) },
}

// append appends the numbers of t.
func (t *Tally) append(dst []byte) []byte {
	for _, n := range t.N {
		dst = binary.AppendVarint(dst, n)
	}
	for _, n := range []int64{t.Bare, t.First, t.Last, t.FirstAccepted, t.LastAccepted, t.FirstRefused, t.LastRefused} {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

// read takes what append appended off src.
func (t *Tally) read(src []byte) []byte {
	number := func() int64 {
		v, n := binary.Varint(src)
		src = src[n:]
		return v
	}
	for i := range t.N {
		t.N[i] = number()
	}
	for _, p := range []*int64{&t.Bare, &t.First, &t.Last, &t.FirstAccepted, &t.LastAccepted, &t.FirstRefused, &t.LastRefused} {
		*p = number()
	}
	return src
}

// clientTable numbers the clients of a part and counts their requests.
type clientTable struct {
	slots             []uint32 // number + 1 by hash; 0 is empty. The length is a power of two.
	list              []client
	addresses, agents dict
}

type client struct {
	hash              uint64
	requests, refused int64
	address, agent    uint32
}

func newClientTable(seed uint64) clientTable {
	return clientTable{slots: make([]uint32, 64), addresses: newDict(seed), agents: newDict(seed)}
}

// number gives the number of a client by its hash, a new one if it was never met.
func (t *clientTable) number(hash uint64, address, agent []byte) uint32 {
	mask := uint64(len(t.slots) - 1)
	i := hash & mask
	for ; t.slots[i] != 0; i = (i + 1) & mask {
		if n := t.slots[i] - 1; t.list[n].hash == hash {
			return n
		}
	}
	n := uint32(len(t.list))
	t.list = append(t.list, client{hash: hash, address: t.addresses.number(address), agent: t.agents.number(agent)})
	t.slots[i] = n + 1
	if len(t.list)*4 > len(t.slots)*3 {
		t.slots = make([]uint32, 2*len(t.slots))
		mask = uint64(len(t.slots) - 1)
		for n := range t.list {
			i := t.list[n].hash & mask
			for t.slots[i] != 0 {
				i = (i + 1) & mask
			}
			t.slots[i] = uint32(n) + 1
		}
	}
	return n
}

// leave counts the requests that an actor made as its last client, which is that
// of all its events that were not counted before.
func (t *clientTable) leave(a *actor) {
	if a.events > a.since {
		t.list[a.place].requests += int64(a.events - a.since)
		a.since = a.events
	}
}

func (t *clientTable) size() int64 {
	return 4*int64(len(t.slots)) + 32*int64(cap(t.list)) + t.addresses.size() + t.agents.size()
}

// clientTotal is a client of a part.
type clientTotal struct {
	hash              uint64
	requests, refused int64
	address, agent    []byte
}

// sorted gives the clients by hash.
func (t *clientTable) sorted() spill.Source[clientTotal] {
	return byHash(len(t.list), func(n uint32) uint64 { return t.list[n].hash }, func(n uint32) clientTotal {
		c := &t.list[n]
		return clientTotal{c.hash, c.requests, c.refused, t.addresses.key[c.address], t.agents.key[c.agent]}
	})
}

var clientCodec = spill.Codec[clientTotal]{
	Append: func(dst []byte, c *clientTotal) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, c.hash)
		dst = binary.AppendUvarint(dst, uint64(c.requests))
		dst = binary.AppendUvarint(dst, uint64(c.refused))
		return appendBytes(appendBytes(dst, c.address), c.agent)
	},
	Read: func(c *clientTotal, src []byte) []byte {
		c.hash = binary.LittleEndian.Uint64(src)
		src = src[8:]
		requests, n := binary.Uvarint(src)
		refused, m := binary.Uvarint(src[n:])
		c.requests, c.refused = int64(requests), int64(refused)
		c.address, src = cutBytes(src[n+m:])
		c.agent, src = cutBytes(src)
		return src
	},
	Compare: func(a, b *clientTotal) int { return cmp.Compare(a.hash, b.hash) },
}

// MaxNames is how many users, and how many clients, are told by name. Where a
// log has more, those with most 401s are, and of as many those with most
// requests; what the others did is summed up under OtherName. It depends on the
// log alone, not on the memory there is.
const MaxNames = 1 << 18

// OtherName stands for all users or clients that are not told by name. No
// template of a path, address or user agent that is sent is like it by chance,
// and who sends it on purpose is one of the others.
const OtherName = "{other}"

// rank orders names: the one to be told first comes first.
type rank struct {
	refused, requests int64
	hash              uint64 // of the name, the same each time
}

func (r rank) compare(s rank) int {
	return cmp.Or(cmp.Compare(s.refused, r.refused), cmp.Compare(s.requests, r.requests), cmp.Compare(r.hash, s.hash))
}

// foremost keeps the names that come first. Once there are too many it is a heap,
// the last one on top.
type foremost[T any] struct {
	most int
	list []T
	heap bool
	rank func(*T) rank
}

// add takes x, and gives what falls out for it; false when nothing does.
func (f *foremost[T]) add(x *T) (out T, full bool) {
	if len(f.list) < f.most {
		f.list = append(f.list, *x)
		return out, false
	}
	if !f.heap {
		f.heap = true
		for i := len(f.list)/2 - 1; i >= 0; i-- {
			f.down(i)
		}
	}
	if f.rank(x).compare(f.rank(&f.list[0])) >= 0 {
		return *x, true
	}
	out, f.list[0] = f.list[0], *x
	f.down(0)
	return out, true
}

// down moves what lies at i to below all that come after it.
func (f *foremost[T]) down(i int) {
	for {
		last := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(f.list); c++ {
			if f.after(c, last) {
				last = c
			}
		}
		if last == i {
			return
		}
		f.list[i], f.list[last] = f.list[last], f.list[i]
		i = last
	}
}

func (f *foremost[T]) after(i, j int) bool {
	return f.rank(&f.list[i]).compare(f.rank(&f.list[j])) > 0
}

// mergedUsers gives the users of all parts that are told by name, by name; what
// the others did and how many they are; and the index plus one by hash.
func mergedUsers(parts []spill.Source[userTotal], most int) (users []Named, other Named, folded int64, index hashIndex, err error) {
	f := foremost[userTotal]{most: most, rank: func(u *userTotal) rank {
		requests := int64(0)
		for _, n := range u.N {
			requests += n
		}
		return rank{u.N[Unauthorized], requests, xxh3.Hash(u.name)}
	}}
	other = Named{OtherName, newTally()}
	var at userTotal
	flush := func() {
		if at.name == nil {
			return
		}
		if out, full := f.add(&at); full {
			other.Tally.Merge(&out.Tally)
			folded++
		}
	}
	for u, e := range spill.Merge(parts, userCodec.Compare) {
		if e != nil {
			return nil, other, 0, index, e
		}
		if at.name != nil && at.hash == u.hash {
			at.Tally.Merge(&u.Tally)
			continue
		}
		flush()
		at = userTotal{u.hash, bytes.Clone(u.name), u.Tally}
	}
	flush()
	slices.SortFunc(f.list, func(a, b userTotal) int { return bytes.Compare(a.name, b.name) })
	index = newHashIndex(len(f.list))
	users = make([]Named, len(f.list))
	for i := range f.list {
		users[i] = Named{string(f.list[i].name), f.list[i].Tally}
		index.put(f.list[i].hash, uint32(i)+1, 0)
	}
	return users, other, folded, index, nil
}

// mergedClients gives the addresses and user agents, sorted, of the clients of
// all parts that are told by name; how many others there are; and the indexes by
// hash. There are about as many as about says; what a part tells of a client is
// gone with the next one where passing says so.
func mergedClients(parts []spill.Source[clientTotal], most, about int, passing bool) (addresses, agents []string, folded int64, index hashIndex, err error) {
	f := foremost[clientTotal]{most: most, list: make([]clientTotal, 0, min(about, most)), rank: func(c *clientTotal) rank {
		return rank{c.refused, c.requests, xxh3.Hash(c.address)*3 + xxh3.Hash(c.agent)}
	}}
	some := false
	var at clientTotal
	flush := func() {
		if some {
			if _, full := f.add(&at); full {
				folded++
			}
		}
	}
	texts := map[string][]byte{} // one copy of each user agent
	own := func(b []byte) []byte {
		if len(texts) > maxShared {
			clear(texts)
		}
		c, ok := texts[string(b)]
		if !ok {
			c = append([]byte{}, b...)
			texts[string(c)] = c
		}
		return c
	}
	for c, e := range spill.Merge(parts, clientCodec.Compare) {
		if e != nil {
			return nil, nil, 0, index, e
		}
		if some && at.hash == c.hash {
			at.requests += c.requests
			at.refused += c.refused
			continue
		}
		flush()
		some = true
		if at = *c; passing {
			at.address, at.agent = bytes.Clone(c.address), own(c.agent)
		}
	}
	flush()
	if folded > 0 {
		f.list = append(f.list, clientTotal{address: []byte(OtherName), agent: []byte(OtherName)})
	}
	var addressOf, agentOf []uint32
	var g sync.WaitGroup
	g.Go(func() { addresses, addressOf = ranked(f.list, func(c *clientTotal) []byte { return c.address }) })
	agents, agentOf = rankedFew(f.list, func(c *clientTotal) []byte { return c.agent })
	g.Wait()
	index = newHashIndex(len(f.list))
	named := len(f.list)
	if folded > 0 {
		named--
		index.none = [2]uint32{addressOf[named], agentOf[named]}
	}
	for i := range f.list[:named] {
		index.put(f.list[i].hash, addressOf[i], agentOf[i])
	}
	return addresses, agents, folded, index, nil
}

// ranked gives the distinct names in a list, sorted, and which of them each has.
func ranked[T any](list []T, name func(*T) []byte) (names []string, of []uint32) {
	type place struct {
		head, next uint64 // the first bytes of the name, which mostly decide
		i          uint32
	}
	order := make([]place, len(list))
	for i := range order {
		var head [16]byte
		copy(head[:], name(&list[i]))
		order[i] = place{binary.BigEndian.Uint64(head[:]), binary.BigEndian.Uint64(head[8:]), uint32(i)}
	}
	slices.SortFunc(order, func(a, b place) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		if a.next != b.next {
			return cmp.Compare(a.next, b.next)
		}
		return bytes.Compare(name(&list[a.i]), name(&list[b.i]))
	})
	of = make([]uint32, len(list))
	for n, p := range order {
		text := name(&list[p.i])
		if n == 0 || !bytes.Equal(name(&list[order[n-1].i]), text) {
			names = append(names, string(text))
		}
		of[p.i] = uint32(len(names) - 1)
	}
	return names, of
}

// rankedFew is ranked for names of which most things have the same ones: only
// different ones are compared.
func rankedFew[T any](list []T, name func(*T) []byte) (names []string, of []uint32) {
	met := map[string]uint32{}
	of = make([]uint32, len(list))
	for i := range list {
		text := name(&list[i])
		n, ok := met[string(text)]
		if !ok {
			n = uint32(len(names))
			names = append(names, string(text))
			met[names[n]] = n
		}
		of[i] = n
	}
	slices.Sort(names)
	rank := make([]uint32, len(names))
	for i, text := range names {
		rank[met[text]] = uint32(i)
	}
	for i, n := range of {
		of[i] = rank[n]
	}
	return names, of
}

// maxShared bounds how many distinct user agents are remembered to share their
// copies.
const maxShared = 1 << 16

// hashIndex leads from hashes to a pair of numbers. It is open addressing; the
// length is a power of two.
type hashIndex struct {
	slots []hashSlot
	none  [2]uint32 // of hashes that are not in it
}

type hashSlot struct {
	hash   uint64
	first  uint32 // plus one; 0 where the slot is empty
	second uint32
}

func newHashIndex(n int) hashIndex {
	size := 64
	for size*3 < n*4 {
		size *= 2
	}
	return hashIndex{slots: make([]hashSlot, size)}
}

func (x *hashIndex) put(hash uint64, a, b uint32) {
	mask := uint64(len(x.slots) - 1)
	i := hash & mask
	for x.slots[i].first != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = hashSlot{hash, a + 1, b}
}

func (x *hashIndex) find(hash uint64) [2]uint32 {
	mask := uint64(len(x.slots) - 1)
	for i := hash & mask; x.slots[i].first != 0; i = (i + 1) & mask {
		if x.slots[i].hash == hash {
			return [2]uint32{x.slots[i].first - 1, x.slots[i].second}
		}
	}
	return x.none
}
