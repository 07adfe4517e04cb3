package timeline

import (
	"bytes"

	"github.com/zeebo/xxh3"
)

// dict numbers distinct byte strings 0, 1, 2, ... in the order they are met.
// It is an open-addressing table over 64-bit hashes; the strings themselves lie
// in an arena and are compared, so equal hashes are no trouble.
//
// The hash is seeded with a number drawn for the run, so that nobody can craft
// log lines that collide. Nothing that leaves the package depends on it.
type dict struct {
	seed  uint64
	slots []uint32 // number + 1; 0 is empty. The length is a power of two.
	hash  []uint64 // by number
	key   [][]byte // by number, in the arena
	arena arena
}

func newDict(seed uint64) dict {
	return dict{seed: seed, slots: make([]uint32, 64)}
}

// find gives the number of key, if it was met.
func (d *dict) find(key []byte) (n uint32, ok bool) {
	h := xxh3.HashSeed(key, d.seed)
	mask := uint64(len(d.slots) - 1)
	for i := h & mask; d.slots[i] != 0; i = (i + 1) & mask {
		if n := d.slots[i] - 1; d.hash[n] == h && bytes.Equal(d.key[n], key) {
			return n, true
		}
	}
	return 0, false
}

// number gives the number of key, a new one if it was never met. The key is
// copied then.
func (d *dict) number(key []byte) uint32 {
	h := xxh3.HashSeed(key, d.seed)
	mask := uint64(len(d.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := d.slots[i]
		if s == 0 {
			return d.add(h, key, i)
		}
		if n := s - 1; d.hash[n] == h && bytes.Equal(d.key[n], key) {
			return n
		}
	}
}

func (d *dict) add(h uint64, key []byte, slot uint64) uint32 {
	n := uint32(len(d.hash))
	d.hash = append(d.hash, h)
	d.key = append(d.key, d.arena.copy(key))
	d.slots[slot] = n + 1
	if len(d.hash)*4 > len(d.slots)*3 {
		d.grow()
	}
	return n
}

func (d *dict) grow() {
	slots := make([]uint32, 2*len(d.slots))
	mask := uint64(len(slots) - 1)
	for n, h := range d.hash {
		i := h & mask
		for slots[i] != 0 {
			i = (i + 1) & mask
		}
		slots[i] = uint32(n) + 1
	}
	d.slots = slots
}

func (d *dict) len() int { return len(d.hash) }

// size is about how many bytes of memory the dictionary takes.
func (d *dict) size() int64 {
	const each = 8 + 24 // a hash and a slice
	return 4*int64(len(d.slots)) + each*int64(cap(d.hash)) + d.arena.total
}

// arena copies byte strings that must outlive their block into large pages:
// one allocation for thousands of them.
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
