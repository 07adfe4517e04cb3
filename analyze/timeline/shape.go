package timeline

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"logscan/parse/scan"
)

// shapeHash returns a hash of a path without the digits of its long numbers and
// its first UUID, so that paths that differ only in an id share an entry in the
// cache of endpoints. They share their template too: no rule of appendTemplate
// depends on the value of a digit, and none keeps three or more digits in a row, or
// a UUID.
//
// It takes words of eight bytes. A number that crosses their border is partly
// hashed as it is, which costs cache misses but no correctness. The hash is a chain
// of folded 128-bit products, as in wyhash (Wang Yi). The seed is secret and in both
// factors of each, so that no log line can be crafted to collide.
func shapeHash(path []byte, seed uint64) uint64 {
	h, key := seed^uint64(len(path))*k1, seed*k1^k2
	if len(path) > uuidLen {
		if at := uuidAt(path); at > 0 {
			h = fold64(shapeChain(h, key, path[:at]), k2)
			path = path[at+uuidLen:]
		}
	}
	return fold64(shapeChain(h, key, path)^seed, k0)
}

// The constants of wyhash.
const (
	k0 = 0xa0761d6478bd642f
	k1 = 0xe7037ed1a0b428db
	k2 = 0x8ebc6af09c88c6e3
)

// fold64 returns the two halves of the product of a and b, combined by XOR.
func fold64(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// shapeChain combines h with the bytes of b, two words at a time.
func shapeChain(h, key uint64, b []byte) uint64 {
	for ; len(b) > 16; b = b[16:] {
		h = fold64(h^withoutNumbers(binary.LittleEndian.Uint64(b)), key^withoutNumbers(binary.LittleEndian.Uint64(b[8:])))
	}
	if len(b) > 8 {
		h, b = h^withoutNumbers(binary.LittleEndian.Uint64(b)), b[8:]
		return fold64(h, key^withoutNumbers(scan.LoadWord(b)))
	}
	return fold64(h^withoutNumbers(scan.LoadWord(b)), key)
}

const uuidLen = len("3f2504e0-4f89-11d3-9a0c-0305e82c3301")

// uuidAt returns the position of a UUID that is a segment of path and contains its
// first dash; 0 if there is none. The path must be longer than a UUID.
func uuidAt(path []byte) int {
	at := bytes.IndexByte(path, '-') - 8
	if at < 1 || len(path)-at < uuidLen || path[at-1] != '/' || len(path)-at > uuidLen && path[at+uuidLen] != '/' {
		return 0
	}
	b := path[at : at+uuidLen]
	word := func(i int) uint64 { return hexDigits(binary.LittleEndian.Uint64(b[i:])) }
	const groups = 0x80808080 // the four digits before a dash
	if b[13] != '-' || b[18] != '-' || b[23] != '-' ||
		word(0)&word(24)&word(28) != scan.Tops || word(9)&word(14)&word(19)&groups != groups {
		return 0
	}
	return at
}

// hexDigits returns a word with the top bit set of each byte that is a hexadecimal
// digit.
func hexDigits(x uint64) uint64 {
	letter := x&^scan.Tops | scan.Ones*0x20
	letters := (letter + scan.Ones*(0x80-'a')) &^ (letter + scan.Ones*(0x80-'g')) &^ x & scan.Tops
	return scan.DigitBytes(x) | letters
}

// withoutNumbers replaces by '0' the digits of eight bytes that are part of three
// or more in a row.
func withoutNumbers(word uint64) uint64 {
	digits := scan.DigitBytes(word)
	third := digits & (digits << 8) & (digits << 16) // the last of three
	numbers := third | third>>8 | third>>16
	mask := numbers<<1 - numbers>>7 // whole bytes, modulo 2^64
	return word ^ mask&(word^scan.Ones*'0')
}
