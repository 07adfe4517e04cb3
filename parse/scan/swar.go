package scan

import (
	"encoding/binary"
	"math/bits"
)

// SWAR ("SIMD within a register") looks at eight bytes of text at once, as a
// little-endian word whose lowest byte is the first. Fields of neighbouring
// lines differ in length, so a branch per byte would often be mispredicted.
//
// The tests mark bytes by their top bits, as in Warren, Hacker's Delight, 6-1,
// and Lamport, Multiple byte processing with full-word instructions, 1975.
const (
	Ones = 0x0101010101010101 // multiplied by a byte, repeats it eight times
	Tops = 0x8080808080808080 // the top bit of each byte
)

// ZeroBytes returns the top bit of each byte of x that is zero. Bytes of value 1
// above a zero byte may be marked too, so only the lowest mark is exact.
func ZeroBytes(x uint64) uint64 { return (x - Ones) &^ x & Tops }

// DigitBytes returns the top bit of each byte of x that is a decimal digit.
func DigitBytes(x uint64) uint64 {
	x ^= Ones * '0' // digits are below ten now
	return ^((x&^Tops + Ones*(0x80-10)) | x) & Tops
}

// NonUpperBytes returns the top bit of each byte of x that is not in A to Z.
func NonUpperBytes(x uint64) uint64 {
	low := x &^ Tops
	return ^((low + Ones*(0x80-'A')) &^ (low + Ones*(0x80-'[')) &^ x) & Tops
}

// LoadWord returns the first eight bytes of b as a word, padded with zeros. It
// reads beyond len(b) within the capacity and masks the surplus.
func LoadWord(b []byte) (n uint64) {
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

// ContainsEither reports whether c or d, neither of which may be zero, is in b.
// It is for short texts of every line.
func ContainsEither(b []byte, c, d byte) bool {
	cs, ds := Ones*uint64(c), Ones*uint64(d)
	for ; len(b) > 8; b = b[8:] {
		if x := binary.LittleEndian.Uint64(b); ZeroBytes(x^cs)|ZeroBytes(x^ds) != 0 {
			return true
		}
	}
	x := LoadWord(b)
	return ZeroBytes(x^cs)|ZeroBytes(x^ds) != 0
}

// HasPrefix is bytes.HasPrefix for a prefix of a few bytes, without a call.
func HasPrefix(b, prefix []byte) bool {
	if len(b) < len(prefix) {
		return false
	}
	for i, c := range prefix {
		if b[i] != c {
			return false
		}
	}
	return true
}

// EqualShort reports whether a equals b, which has the same length, without a
// call. It is for texts of some tens of bytes.
func EqualShort(a, b []byte) bool {
	n := len(b)
	if n < 8 || len(a) < n {
		return HasPrefix(a, b)
	}
	for i := 0; i < n-8; i += 8 {
		if binary.LittleEndian.Uint64(a[i:]) != binary.LittleEndian.Uint64(b[i:]) {
			return false
		}
	}
	return binary.LittleEndian.Uint64(a[n-8:n]) == binary.LittleEndian.Uint64(b[n-8:])
}

// AllDigits reports whether b consists of decimal digits and is not empty.
func AllDigits(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return len(b) > 0
}

// DottedLen returns how many digits and dots b begins with, at most 16.
func DottedLen(b *[16]byte) int {
	n := bits.TrailingZeros64(nonDottedBytes(binary.LittleEndian.Uint64(b[:]))) / 8
	if n == 8 {
		n += bits.TrailingZeros64(nonDottedBytes(binary.LittleEndian.Uint64(b[8:]))) / 8
	}
	return n
}

// nonDottedBytes returns the top bit of each byte of x that is neither a digit
// nor a dot.
func nonDottedBytes(x uint64) uint64 {
	dots := x ^ Ones*'.'
	isDot := ^(((dots &^ Tops) + ^uint64(Tops)) | dots)
	return ^(DigitBytes(x) | isDot) & Tops
}

// LeadingInteger returns the number that x begins with, in the order of memory,
// and its number of digits, at most eight. Multiplications combine pairs, fours
// and eights of digits (as in simdjson: Langdale, Lemire, VLDB Journal 2019).
func LeadingInteger(x uint64) (value int64, n int) {
	n = bits.TrailingZeros64(^DigitBytes(x)&Tops) / 8
	if n == 0 {
		return 0, 0
	}
	x <<= 64 - 8*n // leading zeros
	x &= Ones * 0x0f
	x = x*10 + x>>8
	const mask = 0x000000ff000000ff
	return int64(((x&mask)*(100+1000000<<32) + (x>>16&mask)*(1+10000<<32)) >> 32), n
}

// TimeOfDay parses HH:MM:SS, in the order of memory, as seconds since midnight.
// It rejects leap seconds.
func TimeOfDay(x uint64) (seconds int64, ok bool) {
	x ^= Ones*'0' ^ (':'^'0')*(1<<16|1<<40)
	if (x|(x+0x76767f76767f7676))&Tops != 0 { // a digit above 9, or a byte that is no colon
		return 0, false
	}
	x = x*10 + x>>8 // pairs of digits, in the byte of their first digit
	h, m, s := x&0xff, x>>24&0xff, x>>48&0xff
	return int64(h*3600 + m*60 + s), h < 24 && m < 60 && s < 60
}
