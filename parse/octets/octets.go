// Package octets looks at eight bytes of a text together, as a number whose
// lowest byte is the first. The fields of neighbouring lines differ in length: a
// branch for each byte would often be guessed wrong.
//
// What tells bytes apart marks them by their top bits, as in Warren, Hacker's
// Delight, 6-1, and Lamport, Multiple byte processing with full-word
// instructions, 1975.
package octets

import "encoding/binary"

// What bytes are multiplied by and masked with.
const (
	Ones = 0x0101010101010101 // times a byte: eight of them
	Tops = 0x8080808080808080 // the top bit of each byte
)

// Zeros has the top bit of each byte set that is zero, and perhaps those of
// bytes of one behind it: the first that it marks is right.
func Zeros(x uint64) uint64 { return (x - Ones) &^ x & Tops }

// Digits has the top bit of each byte set that is a decimal digit, and no other.
func Digits(x uint64) uint64 {
	x ^= Ones * '0' // a digit is below ten now
	return ^((x&^Tops + Ones*(0x80-10)) | x) & Tops
}

// First gives the first eight bytes of b, zeros for those that it does not have.
// What b is part of mostly goes on behind it, and is masked out.
func First(b []byte) (n uint64) {
	if cap(b) >= 8 {
		if n = binary.LittleEndian.Uint64(b[:8]); len(b) < 8 {
			n &= 1<<(8*len(b)) - 1
		}
		return n
	}
	for i, c := range b {
		n |= uint64(c) << (8 * i)
	}
	return n
}
