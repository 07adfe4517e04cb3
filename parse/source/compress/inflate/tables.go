package inflate

import "math/bits"

// An entry of a decoding table tells what the next bits mean:
//
//	bits 0-7    how many bits it takes: of the codeword, and extra ones
//	bits 8-11   how many of these are the codeword's; of a pointer to a subtable, of its index
//	bits 13-15  flags, see below
//	bits 16-30  the literal, the base of the length or distance, the start of the subtable
//	bit 31      it is a literal
//
// In a subtable only the bits behind those of the main table count. The literal
// has the highest bit so that one comparison with zero tells it.
type entry = uint32

const (
	literalFlag  entry = 1 << 31
	exceptional  entry = 1 << 15 // one of the next, which are asked for only then
	subtableFlag entry = 1 << 14
	endFlag      entry = 1 << 13 // end of block; without it and the one before, no codeword of the set

	valueShift = 16
	codeShift  = 8
	codeMask   = 15
)

// codeLength adds the length of a codeword to an entry, in both places.
const codeLength entry = 1<<codeShift | 1

// Tables decode the most frequent symbols in one step. The literal and length
// table of 11 bits is 8 KiB: with the window it is as much as a first-level
// cache holds.
const (
	litlenBits   = 11
	distanceBits = 8
	precodeBits  = maxPrecodeLength

	// A complete code of 288 symbols and at most 15 bits needs at most 2,342
	// entries with a main table of 11 bits, one of 32 symbols at most 402 with 8
	// (what zlib's program enough computes). Powers of two spare bounds checks.
	litlenTableSize   = 4096
	distanceTableSize = 512
	precodeTableSize  = 1 << precodeBits
)

// Numbers of RFC 1951, section 3.2.
const (
	maxCodeLength    = 15
	maxPrecodeLength = 7
	endOfBlock       = 256 // symbol
	litlenSymbols    = 288 // two of which never occur, but take part in the fixed code
	distanceSymbols  = 32  // likewise
	maxLitlen        = 286 // that a dynamic block may describe
	maxDistances     = 30
	precodeSymbols   = 19
)

// litlens, distances and precodes are the entries of symbols without their
// codewords.
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
	// Lengths from 3 on: 8 symbols without extra bits, then 4 of each number of
	// them; the last is a symbol of its own.
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

// build makes the table of a canonical Huffman code, of which lengths are the
// lengths of the codewords by symbol, 0 for a symbol that has none. bits is the
// width of the main table, symbols are the entries without codewords.
//
// It tells whether the code is one: not over-subscribed, nor incomplete. Where
// sparse says so it may have but one codeword, of one bit, or none: the other
// bits are then no codeword. That is what zlib takes.
func build(table []entry, mainBits int, lengths []uint8, symbols []entry, sparse bool) bool {
	var count [maxCodeLength + 1]int
	for _, l := range lengths {
		count[l&maxCodeLength]++
	}
	used := len(lengths) - count[0]
	count[0] = 0
	left := 1 // codewords of the length that are not taken
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

	// Codewords come with their first bit lowest. The table of one length is,
	// twice, that of the next but for the codewords of that length.
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
				// As wide as the codewords that are left fill it.
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

// following adds one to a codeword of n bits, whose first bit is lowest. The
// last one has none.
func following(code, n int) int {
	free := ^code & (1<<n - 1)
	if free == 0 {
		return code
	}
	top := 1 << (bits.Len(uint(free)) - 1)
	return code&(top-1) | top
}
