package timeline

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"logscan/analyze/spill"
)

// Timelines identify users and clients by a seeded 64-bit hash. The chance that
// any two of twenty million collide is 10^-5. Their names and counts are in
// separate tables, which are small beside the timelines and are spilled with them.

// userTable numbers the users of a part and counts their requests.
type userTable struct {
	dict
	tally []Tally
}

// number returns the number of a user plus one, since 0 is no user, and the hash
// of its name.
func (t *userTable) number(u []byte) (n uint32, hash uint64) {
	n = t.dict.number(u)
	if int(n) == len(t.tally) {
		t.tally = append(t.tally, newTally())
	}
	return n + 1, t.hash[n]
}

func (t *userTable) size() int64 { return t.dict.size() + tallySize*int64(cap(t.tally)) }

// userTotal is a user and its requests in one or more parts.
type userTotal struct {
	hash uint64
	name []byte
	Tally
}

// sorted returns the users by hash.
func (t *userTable) sorted() spill.Source[userTotal] {
	return byHash(t.len(), func(n uint32) uint64 { return t.hash[n] }, func(n uint32) userTotal {
		return userTotal{t.hash[n], t.key[n], t.tally[n]}
	})
}

// byHash returns n records in the order of their hashes. It creates each record
// when it is read, because records are much larger than what has to be sorted.
func byHash[T any](n int, hash func(uint32) uint64, record func(uint32) T) spill.Source[T] {
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
		x = record(order[0].n)
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

// clientTable numbers the clients of a part and counts their requests.
type clientTable struct {
	slots             []uint32 // see rehash
	list              []client
	addresses, agents dict
}

type client struct {
	hash              uint64
	requests, refused int64
	address, agent    uint32
}

func newClientTable(seed uint64) clientTable {
	return clientTable{slots: make([]uint32, minSlots), addresses: newDict(seed), agents: newDict(seed)}
}

// clientHash returns the hash by which timelines identify a client, from its key.
func (k actorKey) clientHash() uint64 {
	return bits.RotateLeft64(k.hi, 29)*0x9e3779b97f4a7c15 ^ k.lo
}

// number returns the number of a client by its hash and adds it if it is new.
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
		t.slots = rehash(2*len(t.slots), len(t.list), func(n int) uint64 { return t.list[n].hash })
	}
	return n
}

// countRequests counts the events of an actor that are not counted yet as
// requests of its last client.
func (t *clientTable) countRequests(a *actor) {
	if a.events > a.counted {
		t.list[a.clientNumber].requests += int64(a.events - a.counted)
		a.counted = a.events
	}
}

func (t *clientTable) size() int64 {
	return 4*int64(len(t.slots)) + 32*int64(cap(t.list)) + t.addresses.size() + t.agents.size()
}

// clientTotal is a client and its requests in one or more parts.
type clientTotal struct {
	hash              uint64
	requests, refused int64
	address, agent    []byte
}

// sorted returns the clients by hash.
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
