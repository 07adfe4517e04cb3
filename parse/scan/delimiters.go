// Package scan works on bytes of log lines: it finds delimiters with vector
// instructions, handles eight bytes at a time in a word, matches lines against a
// known JSON shape, and decodes escapes.
//
// It does not interpret what it finds: fields and formats belong to package
// parse and its other subpackages.
package scan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// The delimiters that Delimiters finds.
const (
	Quote     = '"'
	Backslash = '\\'
	Newline   = '\n'
)

// chunk is how many bytes of text are examined at once.
const chunk = 64

// slack is how many offsets may be written beyond those found.
const slack = 4

// Delimiters returns the offsets of all double quotes, backslashes and newlines
// in b, ascending, using the memory of dst if it suffices. b must be shorter
// than 4 GiB. One pass replaces the searches for the end of the line, for
// escapes and for the end of each quoted field.
func Delimiters(dst []uint32, b []byte) []uint32 {
	dst = slices.Grow(dst[:0], len(b)+slack)
	n := delimiters(dst[:cap(dst)], b)
	return dst[:n]
}

// delimitersPortable implements delimiters for any processor.
// bytes.IndexByte is fast on most.
func delimitersPortable(dst []uint32, b []byte) (n int) {
	next := func(c byte, from int) int {
		if i := bytes.IndexByte(b[from:], c); i >= 0 {
			return from + i
		}
		return len(b)
	}
	quote, backslash, newline := next(Quote, 0), next(Backslash, 0), next(Newline, 0)
	for {
		at := min(quote, backslash, newline)
		if at == len(b) {
			return n
		}
		dst[n] = uint32(at)
		n++
		switch at {
		case quote:
			quote = next(Quote, at+1)
		case backslash:
			backslash = next(Backslash, at+1)
		default:
			newline = next(Newline, at+1)
		}
	}
}

// PathEnd returns the offset of the first '?', ';' or '(' among the first n bytes
// of b, where the query or parameters of a path begin, or n if there is none.
func PathEnd(b []byte, n int) int { return pathEnd(b, n) }

// pathEndPortable implements PathEnd for the whole of b on any processor.
func pathEndPortable(b []byte) int {
	at := 0
	for ; len(b)-at >= 8; at += 8 {
		x := binary.LittleEndian.Uint64(b[at:])
		// '?' and ';' differ in one bit.
		if m := ZeroBytes((x|Ones*('?'^';'))^Ones*'?') | ZeroBytes(x^Ones*'('); m != 0 {
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
