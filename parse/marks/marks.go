// Package marks finds the bytes that lines are taken apart by.
//
// In: text. Out: the offsets in it of every double quote, backslash and line
// end. One look at the text replaces one for the end of the line, one for
// escapes, and one for the end of each quoted field. What the bytes mean is
// package parse's work.
package marks

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The bytes that are found.
const (
	Quote   = '"'
	Escape  = '\\'
	LineEnd = '\n'
)

// chunk is how many bytes of text are looked at together.
const chunk = 64

// slack is how many offsets may be written behind those that were found.
const slack = 4

// Find gives the offsets of the marks in b, ascending, in dst's memory where
// they fit. b is shorter than 4 GiB.
func Find(dst []uint32, b []byte) []uint32 {
	dst = slices.Grow(dst[:0], len(b)+slack)
	n := find(dst[:cap(dst)], b)
	return dst[:n]
}

// findPortable is find for every processor. Eight bytes are looked at together.
func findPortable(dst []uint32, b []byte, from int) (n int) {
	const (
		ones = 0x0101010101010101
		tops = 0x8080808080808080
	)
	// zero has the top bit of each byte set that is zero in x.
	zero := func(x uint64) uint64 { return ^((x&^tops + ^uint64(tops)) | x) & tops }
	i := from
	for ; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		for m := zero(x^ones*Quote) | zero(x^ones*Escape) | zero(x^ones*LineEnd); m != 0; m &= m - 1 {
			dst[n] = uint32(i + bits.TrailingZeros64(m)/8)
			n++
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == Quote || c == Escape || c == LineEnd {
			dst[n] = uint32(i)
			n++
		}
	}
	return n
}
