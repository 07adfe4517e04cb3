package timeline

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"

	"logscan/analyze/spill"
)

// Timelines identify users and clients by a seeded 64-bit hash. The chance that
// any two of twenty million collide is 10^-5. Their names and counts are in
// separate tables, which are small beside the timelines and are spilled with them.

// userTable numbers the users of a part and counts their requests.
type userTable struct {
	dict
	list []NamedTally
}

// number returns the number of a user plus one, since 0 is no user, and the hash
// of its name. likely is the number plus one of the user that it probably is, or 0.
func (t *userTable) number(name []byte, likely uint32, seed uint64) (n uint32, hash uint64) {
	if likely != 0 {
		if u := &t.list[likely-1]; u.Name == string(name) {
			return likely, u.hash
		}
	}
	n = t.dict.number(name)
	if int(n) == len(t.list) {
		t.list = append(t.list, NamedTally{t.names[n], newTally(), xxh3.HashSeed(name, seed)})
	}
	return n + 1, t.list[n].hash
}

func (t *userTable) size() int64 {
	const user = 24 + tallySize
	return t.dict.size() + user*int64(cap(t.list))
}

// sorted returns the users by hash.
func (t *userTable) sorted() spill.Source[NamedTally] {
	return byHash(t.list, func(u *NamedTally) uint64 { return u.hash }, func(u *NamedTally) *NamedTally { return u })
}

// byHash returns the elements of a list in the order of their hashes, as records. It
// sorts references, because elements are large.
func byHash[E, T any](list []E, hash func(*E) uint64, record func(*E) *T) spill.Source[T] {
	order := make([]*E, len(list))
	for i := range list {
		order[i] = &list[i]
	}
	slices.SortFunc(order, func(a, b *E) int { return cmp.Compare(hash(a), hash(b)) })
	return func() (*T, error) {
		if len(order) == 0 {
			return nil, nil
		}
		x := order[0]
		order = order[1:]
		return record(x), nil
	}
}

var tallyCodec = spill.FixedCodec[Tally](nil)

var userCodec = spill.Codec[NamedTally]{
	Append: func(dst []byte, u *NamedTally) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, u.hash)
		return tallyCodec.Append(appendBytes(dst, u.Name), &u.Tally)
	},
	Read: func(u *NamedTally, src []byte) []byte {
		u.hash = binary.LittleEndian.Uint64(src)
		name, src := cutBytes(src[8:])
		u.Name = string(name)
		return tallyCodec.Read(&u.Tally, src)
	},
	Compare: func(a, b *NamedTally) int { return cmp.Compare(a.hash, b.hash) },
}

// clientTable numbers the clients of a part and counts their requests.
type clientTable struct {
	numbers   map[uint64]uint32 // by hash
	list      []client
	agents    dict
	addresses int64 // bytes of all addresses
}

type client struct {
	hash              uint64
	requests, refused int64
	address           string // nearly each is that of one client only
	agent             uint32
}

func newClientTable() clientTable {
	return clientTable{numbers: map[uint64]uint32{}, agents: newDict()}
}

// clientHash returns the hash by which timelines identify a client, from its key.
func (k actorKey) clientHash() uint64 {
	return bits.RotateLeft64(k.hi, 29)*0x9e3779b97f4a7c15 ^ k.lo
}

// number returns the number of a client by its hash and adds it if it is new.
func (t *clientTable) number(hash uint64, address, agent []byte) uint32 {
	n, ok := t.numbers[hash]
	if !ok {
		n = uint32(len(t.list))
		t.list = append(t.list, client{hash: hash, address: string(address), agent: t.agents.number(agent)})
		t.addresses += int64(len(address))
		t.numbers[hash] = n
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
	const size = 48 // of a client
	return (mapEntry+8+size)*int64(cap(t.list)) + t.addresses + t.agents.size()
}

// clientTotal is a client and its requests in one or more parts.
type clientTotal struct {
	hash              uint64
	requests, refused int64
	address, agent    string
}

// sorted returns the clients by hash.
func (t *clientTable) sorted() spill.Source[clientTotal] {
	var x clientTotal
	return byHash(t.list, func(c *client) uint64 { return c.hash }, func(c *client) *clientTotal {
		x = clientTotal{c.hash, c.requests, c.refused, c.address, t.agents.names[c.agent]}
		return &x
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
		return c.read(src, func(b []byte) string { return string(b) })
	},
	Compare: func(a, b *clientTotal) int { return cmp.Compare(a.hash, b.hash) },
}

// recentTexts is the maximum number of bytes of the texts that sharedAgents keeps: a few
// user agents are those of most clients.
const recentTexts = 1 << 20

// sharedAgents returns clientCodec for one goroutine: records that it reads share the texts
// of their user agents, as those in memory do.
func sharedAgents() spill.Codec[clientTotal] {
	texts, held := map[string]string{}, 0
	shared := func(b []byte) string {
		s, ok := texts[string(b)]
		if !ok {
			if held += len(b); held > recentTexts {
				clear(texts)
				held = len(b)
			}
			s = string(b)
			texts[s] = s
		}
		return s
	}
	c := clientCodec
	c.Read = func(c *clientTotal, src []byte) []byte { return c.read(src, shared) }
	return c
}

// read sets c to the client that src begins with, and returns the rest of src.
func (c *clientTotal) read(src []byte, text func([]byte) string) []byte {
	c.hash = binary.LittleEndian.Uint64(src)
	src = src[8:]
	requests, n := binary.Uvarint(src)
	refused, m := binary.Uvarint(src[n:])
	c.requests, c.refused = int64(requests), int64(refused)
	address, src := cutBytes(src[n+m:])
	agent, src := cutBytes(src)
	c.address, c.agent = string(address), text(agent)
	return src
}
