package timeline

import (
	"maps"
	"slices"
)

// dict numbers distinct strings 0, 1, 2, ... in the order of their first appearance.
type dict struct {
	numbers map[string]uint32
	names   []string // by number
	bytes   int64    // of all names
}

func newDict() dict { return dict{numbers: map[string]uint32{}} }

// number returns the number of a name and adds the name if it is new.
func (d *dict) number(name []byte) uint32 {
	n, ok := d.numbers[string(name)]
	if !ok {
		text := string(name)
		n = uint32(len(d.names))
		d.names = append(d.names, text)
		d.numbers[text] = n
		d.bytes += int64(len(text))
	}
	return n
}

// mapEntry is about the size in bytes of an entry of a map, beside its key.
const mapEntry = 16

// size returns approximately how many bytes of memory the dictionary takes.
func (d *dict) size() int64 {
	const header = 16 // of a string
	return (2*header+mapEntry)*int64(cap(d.names)) + d.bytes
}

// rankDistinct returns the distinct names of the elements of a list, sorted, and
// for each element the index of its name.
func rankDistinct[T any](list []T, name func(*T) string) (names []string, index []uint32) {
	rank := map[string]uint32{}
	for i := range list {
		rank[name(&list[i])] = 0
	}
	names = slices.Sorted(maps.Keys(rank))
	for i, n := range names {
		rank[n] = uint32(i)
	}
	index = make([]uint32, len(list))
	for i := range list {
		index[i] = rank[name(&list[i])]
	}
	return names, index
}
