package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"logscan/parse/marks"
	"logscan/parse/octets"
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
	whole   bool // nothing but a quote is behind them in the program
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

// mostQuotes is how many quotes are around request, referrer and user agent.
const mostQuotes = 6

// quotes is how many quotes are in the fields of the prefix.
func (x prefix) quotes() int {
	if x.more {
		return mostQuotes
	}
	return 2
}

// straight reads the next line of the block where its end and all its quotes are
// known, it is in the usual shape, and nothing else has to be asked: what Next and
// parse do in several steps. Where it is not ok, the line is still the next one,
// and what e holds of no use.
func (p *Parser) straight(e *Entry) (line []byte, ok bool) {
	f, l := p.formats[0], &p.lines
	g := f.programs[0]
	if len(l.marks) <= mostQuotes || !g.whole || p.wrapper != nil || p.plain {
		return nil, false
	}
	own, end := (*[mostQuotes]uint32)(l.marks), l.start+int(l.marks[mostQuotes])
	line = l.block[l.next:end]
	if l.block[end] != marks.LineEnd || own[mostQuotes-1]+1 != l.marks[mostQuotes] || line[0] <= '#' || line[0] >= byteOrderMark[0] {
		return nil, false
	}
	e.Reset()
	p.start(f)
	if _, ok = g.begin(p, line, own, uint32(l.next-l.start), e); !ok {
		return nil, false
	}
	p.escaped = false
	l.marks, l.next = l.marks[mostQuotes+1:], end+1
	return line, true
}

// begin takes the fields of the prefix, whose quotes are the first of own, as
// offsets from origin bytes before the line, and gives where what is left of the
// line begins: with the literal after them. It is not ok where a field has another
// shape than the usual; what e holds is then of no use.
func (x *prefix) begin(p *Parser, line []byte, own *[mostQuotes]uint32, origin uint32, e *Entry) (at int, ok bool) {
	if len(line) < shortest {
		return 0, false
	}
	p.quick = true

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
	if open < at+shortest-1 || len(line) < end+len(`" 200 0`) {
		return 0, false
	}
	when := (*[1 + stamp + 3]byte)(line[open-stamp-3:])
	if when[0] != '[' || binary.LittleEndian.Uint32(when[stamp:])>>8 != ']'|' '<<8|'"'<<16 {
		return 0, false
	}
	if p.lastTimeLen == stamp && sameStamp((*[stamp]byte)(when[1:]), (*[stamp]byte)(p.lastTime[:])) {
		e.Time = p.lastMicros
	} else if e.Time, ok = p.sameDay((*[stamp]byte)(when[1:])); !ok {
		if e.Time, ok = p.time(when[1 : 1+stamp]); !ok {
			return 0, false
		}
	}
	if !quickRequest(e, line, open+1, end) {
		splitLine(e, line[open+1:end])
		p.quick = false
	}

	// client, and identd's answer, which is none
	const none = ' ' | '-'<<8 | ' '<<16
	n := dottedLen((*[16]byte)(line[at:]))
	if n == 0 || n > len("255.255.255.255") || binary.LittleEndian.Uint32(line[at+n:])&0xffffff != none {
		n = bytes.IndexByte(line[at:open], ' ')
		if n <= 0 || !canonicalIPv6(line[at:at+n]) || binary.LittleEndian.Uint32(line[at+n:])&0xffffff != none {
			return 0, false
		}
	}
	e.Client = line[at : at+n]

	// user
	at += n + len(" - ")
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

	// status and size: " 200 4179
	b := line[end:]
	var short [14]byte
	if len(b) < len(short) {
		copy(short[:], b)
		b = short[:]
	}
	const around = 0xff<<40 | 0xffff
	word := binary.LittleEndian.Uint64(b)
	digits := word>>16&0xffffff ^ '0'*0x010101
	if word&around != '"'|' '<<8|' '<<40 || (digits|(digits+0x767676))&0x808080 != 0 || digits&0xff == 0 {
		return 0, false
	}
	e.Status = int32(digits&0xff*100 + digits>>8&0xff*10 + digits>>16)
	at = end + len(`" 200 `)
	word = binary.LittleEndian.Uint64(b[len(`" 200 `):])
	n = 1
	if word&0xff != '-' {
		if e.BodySize, n = digitsOf(word); n == 0 || n == 8 && !x.more {
			return 0, false
		}
	}
	at += n
	if !x.more {
		return at, true
	}

	// referrer and user agent: "https://example.com/" "curl/8.5"
	q2, q3, q4, q5 := int(own[2]-origin), int(own[3]-origin), int(own[4]-origin), int(own[5]-origin)
	if q2 != at+1 || line[at] != ' ' || q4 != q3+2 || line[q2] != '"' || line[q5] != '"' ||
		binary.LittleEndian.Uint32(line[q3:])&0xffffff != '"'|' '<<8|'"'<<16 {
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

// quickRequest is splitLine for a request line of the usual shape, whose path
// has no parameters: what stands between from and end in a line, with a quote and
// seven bytes at least behind it. It is not ok where there is another.
func quickRequest(e *Entry, line []byte, from, end int) (ok bool) {
	behind := end - len(" HTTP/1.1")
	if behind < from+len("G /") || binary.LittleEndian.Uint64(line[behind:])&(1<<48-1) != ' '|'H'<<8|'T'<<16|'T'<<24|'P'<<32|'/'<<40 {
		return false
	}
	word := binary.LittleEndian.Uint64(line[from:])
	blank := octets.Zeros(word ^ octets.Ones*' ')
	if blank == 0 || notUpper(word)&(blank-1)&^blank&octets.Tops != 0 {
		return false
	}
	method := bits.TrailingZeros64(blank) / 8
	path := from + method + 1
	if method == 0 || path >= behind || line[path] != '/' {
		return false
	}
	e.Method, e.Protocol = line[from:path-1], line[behind+1:end]
	n := path + marks.PathEnd(line[path:], behind-path)
	e.Path = line[path:n]
	if n < behind {
		if line[n] != '?' {
			return false
		}
		e.Query = line[n+1 : behind]
	}
	return true
}

// notUpper has the top bit of each byte set that is none of A to Z.
func notUpper(x uint64) uint64 {
	low := x &^ octets.Tops
	return ^((low + octets.Ones*(0x80-'A')) &^ (low + octets.Ones*(0x80-'[')) &^ x) & octets.Tops
}

// sameStamp tells whether two times are spelled alike.
func sameStamp(a, b *[26]byte) bool {
	return binary.LittleEndian.Uint64(a[18:]) == binary.LittleEndian.Uint64(b[18:]) && // what changes first
		binary.LittleEndian.Uint64(a[:]) == binary.LittleEndian.Uint64(b[:]) &&
		binary.LittleEndian.Uint64(a[8:]) == binary.LittleEndian.Uint64(b[8:]) &&
		binary.LittleEndian.Uint16(a[16:]) == binary.LittleEndian.Uint16(b[16:])
}

// sameDay is time for one that is spelled like the last one but for the time of
// day. It is not ok where it is spelled otherwise.
func (p *Parser) sameDay(b *[26]byte) (micros int64, ok bool) {
	const day, zone = len("10/Oct/2000:"), len("10/Oct/2000:13:55:36")
	last := (*[26]byte)(p.lastTime[:])
	if p.lastTimeLen != len(b) || string(b[:day]) != string(last[:day]) || string(b[zone:]) != string(last[zone:]) {
		return 0, false
	}
	from, ok := timeOfDay(binary.LittleEndian.Uint64(last[day:]))
	to, sure := timeOfDay(binary.LittleEndian.Uint64(b[day:]))
	micros = p.lastMicros + (to-from)*1e6
	if !ok || !sure || micros < minTime || micros >= maxTime {
		return 0, false
	}
	*last, p.lastMicros = *b, micros
	return micros, true
}

// timeOfDay reads 13:55:36, in the order of memory, as seconds. It is not ok
// where it is none, and for a leap second.
func timeOfDay(x uint64) (seconds int64, ok bool) {
	x ^= octets.Ones*'0' ^ (':'^'0')*(1<<16|1<<40)
	if (x|(x+0x76767f76767f7676))&octets.Tops != 0 { // no digit is above 9, and nothing is left of a colon
		return 0, false
	}
	x = x*10 + x>>8 // pairs of digits, in the bytes of their first
	h, m, s := x&0xff, x>>24&0xff, x>>48&0xff
	return int64(h*3600 + m*60 + s), h < 24 && m < 60 && s < 60
}

// shortest is less than any line of the common format is long; so much can be
// looked at without asking.
const shortest = len("0.0.0.0 - - [10/Oct/2000:13:55:36 -0700] \"")

// dottedLen tells how many digits and dots b begins with, up to sixteen.
func dottedLen(b *[16]byte) int {
	n := bits.TrailingZeros64(notDotted(binary.LittleEndian.Uint64(b[:]))) / 8
	if n == 8 {
		n += bits.TrailingZeros64(notDotted(binary.LittleEndian.Uint64(b[8:]))) / 8
	}
	return n
}

// notDotted has the top bit of each byte set that is no digit and no dot.
func notDotted(x uint64) uint64 {
	dots := x ^ octets.Ones*'.'
	isDot := ^(((dots &^ octets.Tops) + ^uint64(octets.Tops)) | dots)
	return ^(octets.Digits(x) | isDot) & octets.Tops
}

// digitsOf reads the digits that x begins with, in the order of memory, and
// tells how many there are, up to eight. Pairs, then fours, then eights are put
// together by multiplying (as in simdjson: Langdale, Lemire, VLDB Journal 2019).
func digitsOf(x uint64) (value int64, n int) {
	n = bits.TrailingZeros64(^octets.Digits(x)&octets.Tops) / 8
	if n == 0 {
		return 0, 0
	}
	x <<= 64 - 8*n // leading zeros, which are digits of no value
	x &= octets.Ones * 0x0f
	x = x*10 + x>>8
	const mask = 0x000000ff000000ff
	return int64(((x&mask)*(100+1000000<<32) + (x>>16&mask)*(1+10000<<32)) >> 32), n
}
