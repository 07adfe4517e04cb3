package timeline

import (
	"bytes"

	"github.com/zeebo/xxh3"
)

// dict numbers distinct byte strings 0, 1, 2, ... in the order of their first
// appearance. It is an open-addressing table of 64-bit hashes; the strings are
// stored in an arena and compared, so that equal hashes do no harm.
//
// The hash is seeded at random for each run, so that nobody can craft log lines
// that collide. No output depends on it.
type dict struct {
	seed  uint64
	slots []uint32 // see rehash
	hash  []uint64 // by number
	key   [][]byte // by number, in the arena
	arena arena
}

// minSlots is the initial length of hash tables, a power of two.
const minSlots = 64

func newDict(seed uint64) dict {
	return dict{seed: seed, slots: make([]uint32, minSlots)}
}

// slot returns the slot of a key, which is empty if the key is new.
func (d *dict) slot(hash uint64, key []byte) uint64 {
	mask := uint64(len(d.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := d.slots[i]
		if s == 0 || d.hash[s-1] == hash && bytes.Equal(d.key[s-1], key) {
			return i
		}
	}
}

// find returns the number of a key, if the dictionary has it.
func (d *dict) find(key []byte) (n uint32, ok bool) {
	s := d.slots[d.slot(xxh3.HashSeed(key, d.seed), key)]
	return s - 1, s != 0
}

// number returns the number of a key. It adds a copy of the key if it is new.
func (d *dict) number(key []byte) uint32 {
	h := xxh3.HashSeed(key, d.seed)
	i := d.slot(h, key)
	if s := d.slots[i]; s != 0 {
		return s - 1
	}
	n := uint32(len(d.hash))
	d.hash = append(d.hash, h)
	d.key = append(d.key, d.arena.copy(key))
	d.slots[i] = n + 1
	if len(d.hash)*4 > len(d.slots)*3 {
		d.slots = rehash(2*len(d.slots), len(d.hash), func(n int) uint64 { return d.hash[n] })
	}
	return n
}

// rehash returns an open-addressing table of the numbers below n by their hash.
// A slot holds a number plus one, 0 if it is empty. The size is a power of two.
func rehash(size, n int, hash func(n int) uint64) []uint32 {
	slots := make([]uint32, size)
	mask := uint64(size - 1)
	for number := range n {
		i := hash(number) & mask
		for slots[i] != 0 {
			i = (i + 1) & mask
		}
		slots[i] = uint32(number) + 1
	}
	return slots
}

func (d *dict) len() int { return len(d.hash) }

// size returns approximately how many bytes of memory the dictionary takes.
func (d *dict) size() int64 {
	const each = 8 + 24 // a hash and a slice
	return 4*int64(len(d.slots)) + each*int64(cap(d.hash)) + d.arena.total
}

// mergeDicts returns all keys of the dictionaries, sorted, and for each dictionary
// the index of its keys by number.
func mergeDicts(ds []*dict) (names []string, indexOf [][]uint32) {
	var keys [][]byte
	for _, d := range ds {
		keys = append(keys, d.key...)
	}
	names, index := rankDistinct(keys, func(key *[]byte) []byte { return *key })
	for _, d := range ds {
		indexOf = append(indexOf, index[:d.len():d.len()])
		index = index[d.len():]
	}
	return names, indexOf
}

// arena copies byte strings that outlive their block into large pages, to save an
// allocation for each.
type arena struct {
	page  []byte
	total int64 // bytes of all pages
}

// arenaPage is the size of a page in bytes; a longer string gets its own.
const arenaPage = 32 << 10

func (a *arena) copy(b []byte) []byte {
	if len(b) > cap(a.page)-len(a.page) {
		if len(b) > arenaPage/4 {
			a.total += int64(len(b))
			return bytes.Clone(b)
		}
		a.total += arenaPage
		a.page = make([]byte, 0, arenaPage)
	}
	n := len(a.page)
	a.page = append(a.page, b...)
	return a.page[n:len(a.page):len(a.page)]
}
