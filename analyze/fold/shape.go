package fold

import (
	"encoding/binary"
	"math/bits"
)

// shapeHash hashes a path with the digits of its long numbers left out, so that
// paths which differ in an id alone share a place in the cache of endpoints.
// They share their template too: no rule of appendTemplate looks at the value
// of a digit, and none keeps a run of three digits or more as it is.
//
// Eight bytes are taken at a time, and a number that crosses their border is
// partly hashed as it stands: it misses the cache more often, no more. The hash
// is a chain of 128-bit products, folded, as in wyhash (Wang Yi); what it mixes
// is secret by the seed, so that no log line can be made to collide.
func shapeHash(path []byte, seed uint64) uint64 {
	const (
		k0 = 0xa0761d6478bd642f
		k1 = 0xe7037ed1a0b428db
	)
	h := seed ^ uint64(len(path))*k1
	for len(path) > 8 {
		hi, lo := bits.Mul64(h^withoutNumbers(binary.LittleEndian.Uint64(path)), k0)
		h = hi ^ lo
		path = path[8:]
	}
	hi, lo := bits.Mul64(h^withoutNumbers(prefix8(path)), k1)
	h = hi ^ lo
	hi, lo = bits.Mul64(h^seed, k0)
	return hi ^ lo
}

// withoutNumbers makes each digit of eight bytes a '0' that has two others
// before, after or around it.
func withoutNumbers(word uint64) uint64 {
	const (
		ones = 0x0101010101010101
		tops = 0x8080808080808080
	)
	// A byte below 0x80 is a digit when adding 0x80-'0' carries into its top
	// bit and adding 0x80-':' does not.
	low := word &^ uint64(tops)
	digits := (low + ones*(0x80-'0')) &^ (low + ones*(0x80-':')) &^ word & tops
	third := digits & (digits << 8) & (digits << 16) // the last of three
	if third == 0 {
		return word
	}
	numbers := third | third>>8 | third>>16
	mask := (numbers >> 7) * 0xff
	return word&^mask | mask&(ones*'0')
}
