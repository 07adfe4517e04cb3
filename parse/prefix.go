package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Nearly every access log in the world begins its lines as the common format
// does: client, identity, user, [time], "request", status and size; most go on
// with "referrer" and "user agent". A program whose steps begin so takes these
// fields in one go, without asking each step what it is. Whatever is not in the
// usual shape is left to run: the two must agree, which a fuzz target sees to.

// prefix is how a program's steps begin.
type prefix struct {
	steps int  // how many of them are taken in one go; 0: the program begins otherwise
	ident bool // identd's answer is a step of its own, not the literal " - "
	more  bool // referrer and user agent are among them
}

// prefixOf finds out how steps begin.
func prefixOf(steps []step) prefix {
	var x prefix
	n := 0
	next := func(f field, literal string, quoted bool) bool {
		if n == len(steps) || steps[n].field != f || string(steps[n].literal) != literal || steps[n].quoted != quoted {
			return false
		}
		if len(steps[n].end) == 0 && f != fieldBytes {
			return false
		}
		n++
		return true
	}
	if !next(fieldClient, "", false) {
		return x
	}
	x.ident = next(fieldIgnored, " ", false)
	before := " - "
	if x.ident {
		before = " "
	}
	if !next(fieldUser, before, false) || !next(fieldTime, " [", false) || !next(fieldRequest, `] "`, true) ||
		!next(fieldStatus, `" `, false) || !next(fieldBytes, " ", false) {
		return x
	}
	x.steps = n
	if next(fieldReferrer, ` "`, true) && next(fieldAgent, `" "`, true) {
		x.steps, x.more = n, true
	}
	return x
}

// begin takes the fields of the prefix and gives what is left of the line,
// which begins with the literal after them. It is not ok where a field has
// another shape than the usual; what e holds is then of no use.
func (x prefix) begin(p *Parser, line []byte, e *Entry) (rest []byte, ok bool) {
	// client: an IPv4 address
	if len(line) < shortest {
		return nil, false
	}
	i := dottedLen(line)
	if i == 0 || i > len("255.255.255.255") {
		return nil, false
	}
	e.Client = line[:i]
	b := line[i:]

	// identity and user
	if b[0] != ' ' || b[1] != '-' || b[2] != ' ' {
		return nil, false
	}
	b = b[3:]
	if b[0] == '-' && b[1] == ' ' && b[2] == '[' {
		b = b[3:]
	} else {
		space := bytes.IndexByte(b, ' ')
		if space <= 1 || space+2 > len(b) || b[space+1] != '[' || b[0] == '"' {
			return nil, false
		}
		e.User = b[:space]
		b = b[space+2:]
	}

	// time: 10/Oct/2000:13:55:36 -0700
	const n = len("10/Oct/2000:13:55:36 -0700")
	if len(b) < n+len(`] "- " 200 0`) || b[n] != ']' || b[n+1] != ' ' || b[n+2] != '"' {
		return nil, false
	}
	if e.Time, ok = p.time(b[:n]); !ok {
		return nil, false
	}
	b = b[n+3:]

	// request
	quote := bytes.IndexByte(b, '"')
	if quote <= 1 || len(b) < quote+len(`" 200 0 `) || b[quote+1] != ' ' {
		return nil, false
	}
	splitRequest(e, b[:quote])
	b = b[quote+2:]

	// status and size
	if b[0]-'1' > 8 || b[1]-'0' > 9 || b[2]-'0' > 9 || b[3] != ' ' {
		return nil, false
	}
	e.Status = int32(b[0]-'0')*100 + int32(b[1]-'0')*10 + int32(b[2]-'0')
	b = b[4:]
	var digits int
	if len(b) < 8 {
		digits = len(b)
		if e.BodySize, ok = integer(b); !ok {
			return nil, false
		}
	} else if e.BodySize, digits = digitsOf(binary.LittleEndian.Uint64(b)); digits == 0 || digits == 8 {
		return nil, false // none, or perhaps more
	}
	b = b[digits:]
	if !x.more {
		return b, true
	}

	// referrer and user agent
	if len(b) < len(` "-" "`) || b[0] != ' ' || b[1] != '"' {
		return nil, false
	}
	b = b[2:]
	if quote = 1; b[0] != '-' || b[1] != '"' {
		if quote = bytes.IndexByte(b, '"'); quote <= 1 || len(b) < quote+len(`" "`) {
			return nil, false
		}
		e.Referrer = b[:quote]
	}
	if b[quote+1] != ' ' || b[quote+2] != '"' {
		return nil, false
	}
	b = b[quote+3:]
	if quote = bytes.IndexByte(b, '"'); quote <= 1 {
		return nil, false
	}
	e.UserAgent = b[:quote]
	return b[quote:], true
}

// shortest is less than any line of the common format is long; so much can be
// looked at without asking.
const shortest = len("0.0.0.0 - - [10/Oct/2000:13:55:36 -0700] \"")

// The fields of neighbouring lines differ in length, which branches on their
// bytes would often guess wrong: eight bytes are looked at together.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// dottedLen tells how many digits and dots b begins with, up to sixteen. b has
// sixteen bytes.
func dottedLen(b []byte) int {
	n := bits.TrailingZeros64(notDotted(binary.LittleEndian.Uint64(b))) / 8
	if n == 8 {
		n += bits.TrailingZeros64(notDotted(binary.LittleEndian.Uint64(b[8:]))) / 8
	}
	return n
}

// notDotted has the top bit of each byte set that is no digit and no dot.
func notDotted(x uint64) uint64 {
	dots := x ^ ones*'.'
	isDot := ^(((dots &^ tops) + ^uint64(tops)) | dots) & tops
	return ^(isDigit(x) | isDot) & tops
}

// isDigit has the top bit of each byte set that is a digit.
func isDigit(x uint64) uint64 {
	low := x &^ tops
	return (low + ones*(0x80-'0')) &^ (low + ones*(0x80-':')) &^ x & tops
}

// digitsOf reads the digits that x begins with, in the order of memory, and
// tells how many there are, up to eight. Pairs, then fours, then eights are put
// together by multiplying (as in simdjson: Langdale, Lemire, VLDB Journal 2019).
func digitsOf(x uint64) (value int64, n int) {
	n = bits.TrailingZeros64(^isDigit(x)&tops) / 8
	if n == 0 {
		return 0, 0
	}
	x <<= 64 - 8*n // leading zeros, which are digits of no value
	x &= ones * 0x0f
	x = x*10 + x>>8
	const mask = 0x000000ff000000ff
	return int64(((x&mask)*(100+1000000<<32) + (x>>16&mask)*(1+10000<<32)) >> 32), n
}
