package inflate

import "math/bits"

// An entry of a decoding table describes what the next bits mean:
//
//	bits 0-7    number of bits: of the codeword and the extra bits
//	bits 8-11   how many of these belong to the codeword; in a pointer to a subtable, the width of its index
//	bits 13-15  flags, see below
//	bits 16-30  the literal, the base of the length or distance, or the start of the subtable
//	bit 31      it is a literal
//
// In a subtable only the bits behind those of the main table count. The flag of literals is
// the highest bit, so that one comparison with zero tests it.
type entry = uint32

const (
	literalFlag  entry = 1 << 31
	exceptional  entry = 1 << 15 // one of the next two may be set
	subtableFlag entry = 1 << 14
	endFlag      entry = 1 << 13 // end of block; exceptional without either flag is an invalid codeword

	valueShift = 16
	codeShift  = 8
	codeMask   = 15
)

// codeLength adds one bit to the length of a codeword, in both places.
const codeLength entry = 1<<codeShift | 1

// The main tables decode the most frequent symbols in one step. The literal/length table of
// 11 bits is 8 KiB: together with the window that is what a first-level cache holds.
const (
	litlenBits   = 11
	distanceBits = 8
	precodeBits  = maxPrecodeLength

	// A complete code of 288 symbols and at most 15 bits needs at most 2,342 entries with a
	// main table of 11 bits, one of 32 symbols at most 402 with 8 bits, as zlib's program
	// enough computes. Powers of two avoid bounds checks.
	litlenTableSize   = 4096
	distanceTableSize = 512
	precodeTableSize  = 1 << precodeBits
)

// Numbers of RFC 1951, section 3.2.
const (
	maxCodeLength    = 15
	maxPrecodeLength = 7
	endOfBlock       = 256 // symbol
	litlenSymbols    = 288 // two never occur, but take part in the fixed code
	distanceSymbols  = 32  // likewise
	maxLitlen        = 286 // maximum that a dynamic block may describe
	maxDistances     = 30
	precodeSymbols   = 19
)

// litlens, distances and precodes are the entries of the symbols, without codewords.
var (
	litlens   = litlenEntries()
	distances = distanceEntries()
	precodes  = precodeEntries()
)

func litlenEntries() (all [litlenSymbols]entry) {
	for i := range all {
		all[i] = exceptional
	}
	for i := range endOfBlock {
		all[i] = literalFlag | entry(i)<<valueShift
	}
	all[endOfBlock] = exceptional | endFlag
	// Lengths start at 3: 8 symbols without extra bits, then 4 for each number of extra
	// bits. The last symbol is a special case.
	base := 3
	for i := range 28 {
		extra := max(i/4-1, 0)
		all[endOfBlock+1+i] = entry(base)<<valueShift | entry(extra)
		base += 1 << extra
	}
	all[endOfBlock+1+28] = maxMatch << valueShift
	return all
}

func distanceEntries() (all [distanceSymbols]entry) {
	base := 1
	for i := range all {
		if i >= maxDistances {
			all[i] = exceptional
			continue
		}
		extra := max(i/2-1, 0)
		all[i] = entry(base)<<valueShift | entry(extra)
		base += 1 << extra
	}
	return all
}

func precodeEntries() (all [precodeSymbols]entry) {
	for i := range all {
		all[i] = entry(i) << valueShift
	}
	return all
}

// build fills the table of a canonical Huffman code. mainBits is the width of the main
// table, lengths holds the length of each symbol's codeword (0 for none), and symbols the
// entries without codewords.
//
// It reports whether the code is valid: neither over-subscribed nor incomplete. A sparse
// code may have a single codeword of one bit, or none; other bits are then invalid
// codewords. zlib accepts the same.
func build(table []entry, mainBits int, lengths []uint8, symbols []entry, sparse bool) bool {
	var count [maxCodeLength + 1]int
	for _, l := range lengths {
		count[l&maxCodeLength]++
	}
	used := len(lengths) - count[0]
	count[0] = 0
	left := 1 // unused codewords of the current length
	var next [maxCodeLength + 1]int
	for l := 1; l <= maxCodeLength; l++ {
		next[l] = next[l-1] + count[l-1]
		if left = left<<1 - count[l]; left < 0 {
			return false
		}
	}
	var sorted [litlenSymbols]uint16 // symbols by codeword
	for i, l := range lengths {
		if l > 0 {
			sorted[next[l&maxCodeLength]] = uint16(i)
			next[l&maxCodeLength]++
		}
	}
	main := 1 << mainBits
	if left > 0 {
		if !sparse || used > 1 || used != count[1] {
			return false
		}
		for i := range table[:main] {
			table[i] = exceptional | codeLength
		}
		if used == 1 {
			for i := 0; i < main; i += 2 {
				table[i] = symbols[sorted[0]] + codeLength
			}
		}
		return true
	}

	// Codewords are read with their first bit lowest. The table of one length is twice that of
	// the length before, except for the codewords of that length.
	code, at := 0, 0
	for l := 1; l <= mainBits; l++ {
		copy(table[1<<(l-1):1<<l], table[:1<<(l-1)])
		for range count[l] {
			table[code] = symbols[sorted[at]] + entry(l)*codeLength
			code = following(code, l)
			at++
		}
	}
	prefix, start, end, width := -1, 0, main, 0 // of the subtable
	for l := mainBits + 1; l <= maxCodeLength; l++ {
		for ; count[l] > 0; count[l]-- {
			if p := code & (main - 1); p != prefix {
				// As wide as the remaining codewords need.
				width = l - mainBits
				for free := 1<<width - count[l]; free > 0; {
					width++
					free = free<<1 - count[mainBits+width]
				}
				prefix, start = p, end
				end += 1 << width
				table[prefix] = exceptional | subtableFlag | entry(start)<<valueShift | entry(width)<<codeShift | entry(mainBits)
			}
			e := symbols[sorted[at]] + entry(l-mainBits)*codeLength
			for i := start + code>>mainBits; i < end; i += 1 << (l - mainBits) {
				table[i] = e
			}
			code = following(code, l)
			at++
		}
	}
	return true
}

// following returns the codeword of n bits after code, whose first bit is lowest. The last
// codeword is returned as it is.
func following(code, n int) int {
	free := ^code & (1<<n - 1)
	if free == 0 {
		return code
	}
	top := 1 << (bits.Len(uint(free)) - 1)
	return code&(top-1) | top
}
