package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"logscan/parse/field"
	"logscan/parse/scan"
)

// Nearly every access log begins its lines as the common log format does: client,
// identity, user, [time], "request", status and size; most go on with "referrer"
// and "user agent". A program whose steps begin so reads these fields without
// looping over the steps. Anything not in the usual shape is left to run, and both
// must agree, which a fuzz target checks.

// prefix describes how the steps of a program begin.
type prefix struct {
	steps   int  // number of steps read at once; 0 if the program begins otherwise
	hostEnd byte // the byte after a virtual host in front: a blank, or a colon before its port; 0 if there is no host
	ident   bool // the answer of identd is a step of its own, not the literal " - "
	more    bool // referrer and user agent are included
	whole   bool // the program ends with the quote after them
}

// prefixOf returns the prefix of steps.
func prefixOf(steps []step) prefix {
	var x prefix
	n := 0
	is := func(f fieldID, literal string, quoted bool) bool {
		if n == len(steps) || steps[n].field != f || string(steps[n].literal) != literal || steps[n].quoted != quoted {
			return false
		}
		return len(steps[n].end) > 0 || f == fieldBytes
	}
	next := func(f fieldID, literal string, quoted bool) bool {
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

// mostQuotes is the number of quotes around request, referrer and user agent.
const mostQuotes = 6

// quotes returns the number of quotes in the fields of the prefix.
func (x prefix) quotes() int {
	if x.more {
		return mostQuotes
	}
	return 2
}

// longest is more than the length of any line whose prefix is read, and a power of two.
const longest = 2 << 10

// text is a line and what follows it, whatever that is. The compiler need not check positions
// in it that are below longest.
type text [2 * longest]byte

// textOf returns the text that begins with line, which is shorter than longest. It is in other
// memory if too little follows the line.
func (l *lines) textOf(line []byte) *text {
	if cap(line) >= len(l.room) {
		return (*text)(line[:len(l.room)])
	}
	n := copy(l.room[:], line)
	l.room[n] = 0 // ends a number
	return &l.room
}

// nextCommon reads the next line of the block if its end and all its quotes are
// known, it is in the usual shape and needs no other checks: it does at once what
// Next and parse do step by step. If it fails, the line is still the next one, and
// the contents of e are undefined.
func (p *Parser) nextCommon(e *Entry) (line []byte, ok bool) {
	l := &p.lines
	if len(l.delimiters) <= mostQuotes || !p.mayBeCommon() {
		return nil, false
	}
	own, end := (*[mostQuotes + 1]uint32)(l.delimiters), l.start+int(l.delimiters[mostQuotes])
	line = l.block[l.next:end]
	if l.block[end] != scan.Newline || own[mostQuotes-1]+1 != own[mostQuotes] || line[0] <= '#' || line[0] >= byteOrderMark[0] {
		return nil, false
	}
	if !p.readCommon(line, (*[mostQuotes]uint32)(own[:]), uint32(l.next-l.start), e) {
		return nil, false
	}
	l.delimiters, l.next = l.delimiters[mostQuotes+1:], end+1
	return line, true
}

// mayBeCommon reports whether the lines of the first format are read at once, and alone.
func (p *Parser) mayBeCommon() bool {
	return p.formats[0].programs[0].whole && p.carrier == nil && !p.values.general
}

// readCommon reads a line that ends with the last of its quotes. own are their offsets from origin
// bytes before it.
func (p *Parser) readCommon(line []byte, own *[mostQuotes]uint32, origin uint32, e *Entry) (ok bool) {
	f, d := p.formats[0], &p.values
	if !e.plain {
		e.Reset()
	}
	d.start(f)
	_, ok = f.programs[0].begin(d, &p.lines, line, own, origin, e)
	e.plain, d.escaped = ok && d.plainPath, false
	return ok
}

// shortest is less than the length of any line up to the quote of its request.
const shortest = len("0.0.0.0 - - [10/Oct/2000:13:55:36 -0700] \"")

// begin reads the fields of the prefix. own are the first delimiters of the line,
// which must be its quotes, as offsets from origin bytes before it. at is the
// offset of the literal after the fields. ok is false if a field has another shape
// than the usual; the contents of e are then undefined.
func (x *prefix) begin(d *decoder, l *lines, line []byte, own *[mostQuotes]uint32, origin uint32, e *Entry) (at int, ok bool) {
	if len(line) < shortest || len(line) >= longest {
		return 0, false
	}
	d.plainPath = true
	e.Host = nil
	if x.hostEnd != 0 {
		if at = x.beginHost(line, e); at < 0 {
			return 0, false
		}
	}
	b, from := l.textOf(line), uint(at)%longest

	// The position of the request determines that of the time: [10/Oct/2000:13:55:36 -0700] "
	const stamp = uint(field.CommonLen)
	open, end := uint(own[0]-origin)%longest, uint(own[1]-origin)%longest
	if open+1 < from+uint(shortest) || uint(len(line)) < end+uint(len(`" 200 0`)) {
		return 0, false
	}
	when := (*[1 + stamp + 3]byte)(b[(open-stamp-3)%longest:])
	if when[0] != '[' || binary.LittleEndian.Uint32(when[stamp:])>>8 != ']'|' '<<8|'"'<<16 {
		return 0, false
	}
	if e.Time, ok = d.clock.SameCommon((*[stamp]byte)(when[1:])); !ok {
		if e.Time, ok = d.clock.ParseCommon((*[stamp]byte)(when[1:])); !ok {
			return 0, false
		}
	}
	if !splitCommonRequest(e, b, open+1, end) {
		e.Method, e.Path, e.Query, e.Protocol = nil, nil, nil, nil
		splitLine(e, line[open+1:end])
		d.plainPath = false
	}

	// Client, and the answer of identd, which is none.
	const none = ' ' | '-'<<8 | ' '<<16
	n := scan.DottedLen((*[16]byte)(b[from:]))
	if n == 0 || n > len("255.255.255.255") || binary.LittleEndian.Uint32(b[from+uint(n)%16:])&0xffffff != none {
		n = bytes.IndexByte(line[from:open], ' ')
		if n <= 0 || !field.CanonicalIPv6(line[at:at+n]) || binary.LittleEndian.Uint32(line[at+n:])&0xffffff != none {
			return 0, false
		}
	}
	user := from + uint(n)%longest
	e.Client, e.User = b[from:user], nil
	user += uint(len(" - "))
	beforeTime := (open - stamp - 4) % longest // the blank there
	if user >= beforeTime || b[beforeTime] != ' ' {
		return 0, false
	}
	if user+1 < beforeTime || b[user] != '-' {
		if e.User = b[user:beforeTime]; bytes.IndexByte(e.User, ' ') >= 0 {
			return 0, false
		}
	}
	at, ok = x.beginResponse(b, own, origin, end, e)
	return at, ok && at <= len(line)
}

// beginHost reads the virtual host in front, and its port. It returns the offset of the
// client, which is negative if they have another shape than the usual.
func (x *prefix) beginHost(line []byte, e *Entry) (at int) {
	at = bytes.IndexByte(line, x.hostEnd)
	if at < 0 || !field.Missing(line[:at]) && setHost(e, line[:at]) != Parsed {
		return -1
	}
	if x.hostEnd == ':' {
		n := bytes.IndexByte(line[at:], ' ')
		if n < 0 {
			return -1
		}
		port := line[at+1 : at+n]
		if _, ok := field.Integer(port); !ok && !field.Missing(port) {
			return -1
		}
		at += n
	}
	return at + 1
}

// beginResponse reads the fields after the request, whose last quote is at offset
// end: " 200 4179 "https://example.com/" "curl/8.5"
func (x *prefix) beginResponse(b *text, own *[mostQuotes]uint32, origin uint32, end uint, e *Entry) (at int, ok bool) {
	end %= longest
	const around = 0xff<<40 | 0xffff
	word := binary.LittleEndian.Uint64(b[end:])
	digits := word>>16&0xffffff ^ '0'*0x010101
	if word&around != '"'|' '<<8|' '<<40 || (digits|(digits+0x767676))&0x808080 != 0 || digits&0xff == 0 {
		return 0, false
	}
	e.Status = int32(digits&0xff*100 + digits>>8&0xff*10 + digits>>16)
	word = binary.LittleEndian.Uint64(b[end+uint(len(`" 200 `)):])
	n := 1
	if e.BodySize = -1; word&0xff != '-' {
		if e.BodySize, n = scan.LeadingInteger(word); n == 0 || n == 8 && !x.more {
			return 0, false
		}
	}
	behind := end + uint(len(`" 200 `)) + uint(n)%longest
	if !x.more {
		return int(behind), true
	}
	q2, q3, q4, q5 := uint(own[2]-origin)%longest, uint(own[3]-origin)%longest, uint(own[4]-origin)%longest, uint(own[5]-origin)%longest
	if q2 != behind+1 || q4 != q3+2 || b[q2] != '"' || b[q5] != '"' ||
		b[q2-1] != ' ' || binary.LittleEndian.Uint32(b[q3:])&0xffffff != '"'|' '<<8|'"'<<16 {
		return 0, false
	}
	e.Referrer, e.UserAgent = present(b[q2+1:q3]), present(b[q4+1:q5])
	return int(q5), true
}

// present returns b, nil if it is missing.
func present(b []byte) []byte {
	if field.Missing(b) {
		return nil
	}
	return b
}

// splitCommonRequest is splitLine for a request line of the usual shape whose path
// has no parameters: b[from:end]. It reports whether the request has that shape.
func splitCommonRequest(e *Entry, b *text, from, end uint) (ok bool) {
	from, end = from%longest, end%longest
	behind := (end - uint(len(" HTTP/1.1"))) % longest
	if behind < from+uint(len("G /")) || binary.LittleEndian.Uint64(b[behind:])&(1<<48-1) != ' '|'H'<<8|'T'<<16|'T'<<24|'P'<<32|'/'<<40 {
		return false
	}
	word := binary.LittleEndian.Uint64(b[from:])
	blank := scan.ZeroBytes(word ^ scan.Ones*' ')
	if blank == 0 || scan.NonUpperBytes(word)&(blank-1)&^blank&scan.Tops != 0 {
		return false
	}
	method := uint(bits.TrailingZeros64(blank)) / 8 % 8
	path := from + method + 1
	if method == 0 || path >= behind || b[path] != '/' {
		return false
	}
	n := path + uint(scan.PathEnd(b[path:], int(behind-path)))%longest
	if c := b[n]; c == ';' || c == '(' {
		return false
	}
	e.Method, e.Path, e.Query, e.Protocol = b[from:path-1], b[path:n], b[min(n+1, behind):behind], b[behind+1:end]
	return true
}
