// Package marks finds the bytes that lines are taken apart by.
//
// In: text. Out: the offsets in it of every double quote, backslash and line
// end, and where the path of a request target ends. One look at the text
// replaces one for the end of the line, one for escapes, and one for the end of
// each quoted field. What the bytes mean is package parse's work.
package marks

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"logscan/parse/octets"
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

// findPortable is find for every processor, from an offset on. The library's
// search is fast on most of them.
func findPortable(dst []uint32, b []byte, from int) (n int) {
	next := func(c byte, from int) int {
		if i := bytes.IndexByte(b[from:], c); i >= 0 {
			return from + i
		}
		return len(b)
	}
	quote, escape, end := next(Quote, from), next(Escape, from), next(LineEnd, from)
	for {
		at := min(quote, escape, end)
		if at == len(b) {
			return n
		}
		dst[n] = uint32(at)
		n++
		switch at {
		case quote:
			quote = next(Quote, at+1)
		case escape:
			escape = next(Escape, at+1)
		default:
			end = next(LineEnd, at+1)
		}
	}
}

// PathEnd gives the offset of the first of the first n bytes of b that is a '?',
// behind which a query begins, or a ';' or '(', behind which parameters of a path
// do; n where there is none.
func PathEnd(b []byte, n int) int { return pathEnd(b, n) }

// pathEndPortable is PathEnd for every processor, of the whole of b.
func pathEndPortable(b []byte) int {
	at := 0
	for ; len(b)-at >= 8; at += 8 {
		x := binary.LittleEndian.Uint64(b[at:])
		// '?' and ';' differ in one bit.
		if m := octets.Zeros((x|octets.Ones*('?'^';'))^octets.Ones*'?') | octets.Zeros(x^octets.Ones*'('); m != 0 {
			return at + bits.TrailingZeros64(m)/8
		}
	}
	for ; at < len(b); at++ {
		if c := b[at]; c == '?' || c == ';' || c == '(' {
			return at
		}
	}
	return at
}
