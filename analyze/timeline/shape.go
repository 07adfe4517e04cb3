package timeline

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"logscan/parse/scan"
)

// shapeHash hashes a path with the digits of its long numbers and its first UUID
// left out, so that paths which differ in an id alone share a place in the cache
// of endpoints. They share their template too: no rule of appendTemplate looks
// at the value of a digit, none keeps a run of three digits or more as it is,
// and every UUID is one.
//
// Eight bytes are taken at a time, and a number that crosses their border is
// partly hashed as it stands: it misses the cache more often, no more. The hash
// is a chain of 128-bit products, folded, as in wyhash (Wang Yi); what it mixes
// is secret by the seed, so that no log line can be made to collide.
func shapeHash(path []byte, seed uint64) uint64 {
	h := seed ^ uint64(len(path))*k1
	if len(path) > uuidLen {
		if at := uuidAt(path); at > 0 {
			h = fold64(shapeChain(h, path[:at]), k2)
			path = path[at+uuidLen:]
		}
	}
	return fold64(shapeChain(h, path)^seed, k0)
}

// The odd numbers that hashes are mixed with: those of wyhash.
const (
	k0 = 0xa0761d6478bd642f
	k1 = 0xe7037ed1a0b428db
	k2 = 0x8ebc6af09c88c6e3
)

// fold64 multiplies two numbers and folds the product.
func fold64(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func shapeChain(h uint64, b []byte) uint64 {
	for len(b) > 8 {
		h = fold64(h^withoutNumbers(binary.LittleEndian.Uint64(b)), k0)
		b = b[8:]
	}
	return fold64(h^withoutNumbers(scan.LoadWord(b)), k1)
}

const uuidLen = len("3f2504e0-4f89-11d3-9a0c-0305e82c3301")

// uuidAt finds the UUID that is a segment of a path and holds its first dashes;
// 0 where there is none. The path is longer than that.
func uuidAt(path []byte) int {
	at := bytes.IndexByte(path, '-') - 8
	if at < 1 || len(path)-at < uuidLen || path[at-1] != '/' || len(path)-at > uuidLen && path[at+uuidLen] != '/' {
		return 0
	}
	b := path[at : at+uuidLen]
	word := func(i int) uint64 { return hexDigits(binary.LittleEndian.Uint64(b[i:])) }
	const groups = 0x80808080 // four digits, before a dash
	if b[13] != '-' || b[18] != '-' || b[23] != '-' ||
		word(0)&word(24)&word(28) != scan.Tops || word(9)&word(14)&word(19)&groups != groups {
		return 0
	}
	return at
}

// hexDigits has the top bit of each byte set that is a hexadecimal digit.
func hexDigits(x uint64) uint64 {
	letter := x&^scan.Tops | scan.Ones*0x20
	letters := (letter + scan.Ones*(0x80-'a')) &^ (letter + scan.Ones*(0x80-'g')) &^ x & scan.Tops
	return scan.DigitBytes(x) | letters
}

// withoutNumbers makes each digit of eight bytes a '0' that has two others
// before, after or around it.
func withoutNumbers(word uint64) uint64 {
	digits := scan.DigitBytes(word)
	third := digits & (digits << 8) & (digits << 16) // the last of three
	if third == 0 {
		return word
	}
	numbers := third | third>>8 | third>>16
	mask := numbers<<1 - numbers>>7 // whole bytes, modulo 2^64
	return word&^mask | mask&(scan.Ones*'0')
}
