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
	steps   int  // how many of them are taken in one go; 0: the program begins otherwise
	hostEnd byte // the virtual host comes first, and ends so: at a blank, or at a colon and its port; 0 where it does not
	ident   bool // identd's answer is a step of its own, not the literal " - "
	more    bool // referrer and user agent are among them
}

// prefixOf finds out how steps begin.
func prefixOf(steps []step) prefix {
	var x prefix
	n := 0
	is := func(f field, literal string, quoted bool) bool {
		if n == len(steps) || steps[n].field != f || string(steps[n].literal) != literal || steps[n].quoted != quoted {
			return false
		}
		return len(steps[n].end) > 0 || f == fieldBytes
	}
	next := func(f field, literal string, quoted bool) bool {
		if !is(f, literal, quoted) {
			return false
		}
		n++
		return true
	}
	before := ""
	if next(fieldHost, "", false) {
		before, x.hostEnd = " ", ' '
		if next(fieldCount, ":", false) {
			x.hostEnd = ':'
		}
	}
	if !next(fieldClient, before, false) {
		return x
	}
	x.ident = next(fieldIgnored, " ", false)
	before = " - "
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

// quotes is how many quotes are in the fields of the prefix.
func (x prefix) quotes() int {
	if x.more {
		return 6
	}
	return 2
}

// begin takes the fields of the prefix, whose quotes are the first of own, and
// gives where what is left of the line begins: with the literal after them. It
// is not ok where a field has another shape than the usual; what e holds is then
// of no use.
func (x prefix) begin(p *Parser, line []byte, own []uint32, origin uint32, e *Entry) (at int, ok bool) {
	if len(line) < shortest || len(own) < x.quotes() {
		return 0, false
	}

	// virtual host
	if x.hostEnd != 0 {
		end := bytes.IndexByte(line, x.hostEnd)
		if end < 0 || p.set(e, fieldHost, line[:end], false) != Parsed {
			return 0, false
		}
		if at = end; x.hostEnd == ':' {
			end = bytes.IndexByte(line[at:], ' ')
			if end < 0 || p.set(e, fieldCount, line[at+1:at+end], false) != Parsed {
				return 0, false
			}
			at += end
		}
		at++
	}

	// The request, which tells where the time is that stands before it: [10/Oct/2000:13:55:36 -0700]
	const stamp = len("10/Oct/2000:13:55:36 -0700")
	open, end := int(own[0]-origin), int(own[1]-origin)
	b := line[at:]
	if open < at+shortest-1 || len(line) < end+len(`" 200 0`) || line[open] != '"' || line[end] != '"' || line[end+1] != ' ' {
		return 0, false
	}
	when := line[open-stamp-3 : open]
	if when[0] != '[' || when[stamp+1] != ']' || when[stamp+2] != ' ' {
		return 0, false
	}
	if when = when[1 : stamp+1]; p.lastTimeLen == stamp && sameStamp((*[stamp]byte)(when), (*[stamp]byte)(p.lastTime[:])) {
		e.Time = p.lastMicros
	} else if e.Time, ok = p.time(when); !ok {
		return 0, false
	}
	if !quickRequest(e, line[open+1:], end-open-1) {
		splitRequest(e, line[open+1:end])
		p.quick = false
	}

	// client: an IPv4 address
	i := dottedLen(b)
	if i == 0 || i > len("255.255.255.255") {
		return 0, false
	}
	e.Client = b[:i]

	// identity and user
	if b[i] != ' ' || b[i+1] != '-' || b[i+2] != ' ' {
		return 0, false
	}
	at += i + 3
	behind := open - stamp - 4 // the blank before the time
	if at >= behind || line[behind] != ' ' {
		return 0, false
	}
	if user := line[at:behind]; len(user) > 1 || user[0] != '-' {
		if bytes.IndexByte(user, ' ') >= 0 {
			return 0, false
		}
		e.User = user
	}

	// status and size
	b = line[end+2:]
	if b[0]-'1' > 8 || b[1]-'0' > 9 || b[2]-'0' > 9 || b[3] != ' ' {
		return 0, false
	}
	e.Status = int32(b[0]-'0')*100 + int32(b[1]-'0')*10 + int32(b[2]-'0')
	at = end + 6
	b = b[4:]
	digits := 0
	switch {
	case b[0] == '-':
		digits = 1
	case len(b) >= 8:
		e.BodySize, digits = digitsOf(binary.LittleEndian.Uint64(b))
	default:
		digits = len(b)
		e.BodySize, ok = integer(b)
	}
	if !x.more {
		return at + digits, digits > 0 && digits < 8 && (ok || len(b) >= 8)
	}

	// referrer and user agent
	at += digits
	q2, q3, q4, q5 := int(own[2]-origin), int(own[3]-origin), int(own[4]-origin), int(own[5]-origin)
	if q2 != at+1 || line[at] != ' ' || q4 != q3+2 || line[q3+1] != ' ' ||
		line[q2] != '"' || line[q3] != '"' || line[q4] != '"' || line[q5] != '"' || digits == 0 {
		return 0, false
	}
	if referrer := line[q2+1 : q3]; !missing(referrer) {
		e.Referrer = referrer
	}
	if agent := line[q4+1 : q5]; !missing(agent) {
		e.UserAgent = agent
	}
	return q5, true
}

// quickRequest is splitRequest for a request line of the usual shape, whose path
// has no parameters: the first n bytes of b. It is not ok where there is another.
func quickRequest(e *Entry, b []byte, n int) (ok bool) {
	end := n - len(" HTTP/1.1")
	if end < len("G /") {
		return false
	}
	word := binary.LittleEndian.Uint64(b)
	blank := zeros(word ^ ones*' ')
	if blank == 0 || notUpper(word)&(blank-1)&^blank&tops != 0 {
		return false
	}
	from := bits.TrailingZeros64(blank)/8 + 1
	if from == 1 || from >= end || b[from] != '/' || b[end] != ' ' || string(b[end+1:end+1+len(httpSlash)]) != "HTTP/" {
		return false
	}
	e.Method, e.Protocol = b[:from-1], b[end+1:n]
	for i := from; i < end; i += 8 { // what follows is longer than that
		x := binary.LittleEndian.Uint64(b[i:])
		m := zeros(x^ones*'?') | zeros(x^ones*';') | zeros(x^ones*'(')
		if m == 0 {
			continue
		}
		if i += bits.TrailingZeros64(m) / 8; i >= end {
			break
		}
		if b[i] != '?' {
			return false
		}
		e.Path, e.Query = b[from:i], b[i+1:end]
		return true
	}
	e.Path = b[from:end]
	return true
}

// notUpper has the top bit of each byte set that is none of A to Z.
func notUpper(x uint64) uint64 {
	low := x &^ tops
	return ^((low + ones*(0x80-'A')) &^ (low + ones*(0x80-'[')) &^ x) & tops
}

// sameStamp tells whether two times are spelled alike.
func sameStamp(a, b *[26]byte) bool {
	return binary.LittleEndian.Uint64(a[18:]) == binary.LittleEndian.Uint64(b[18:]) && // what changes first
		binary.LittleEndian.Uint64(a[:]) == binary.LittleEndian.Uint64(b[:]) &&
		binary.LittleEndian.Uint64(a[8:]) == binary.LittleEndian.Uint64(b[8:]) &&
		binary.LittleEndian.Uint16(a[16:]) == binary.LittleEndian.Uint16(b[16:])
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
