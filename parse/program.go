package parse

import (
	"bytes"

	"logscan/parse/marks"
	"logscan/parse/strftime"
)

// A text format is compiled into steps: each takes the literal before a field
// and the field itself, up to the literal after it. The line is walked once.

// step is one field and the literals around it.
type step struct {
	literal []byte // before the field
	end     []byte // after it: the next step's literal; empty for the last field
	field   field
	quoted  bool // the field stands in double quotes
	escaped bool // what the field cannot hold is escaped
	list    bool // upstream lists hold ", " and " : " between their elements

	dash []byte // end with a bare dash for the quote that opens the next field; nil where none does

	// These are for runLoose alone.
	pattern *strftime.Pattern // spells a time, or a part of one, and where it ends
	pad     bool              // blanks may stand before the field
	until   field             // the field ends where one of this kind follows: a status or a protocol
}

// program is a compiled text format.
type program struct {
	steps []step
	tail  []byte // literal after the last field
	open  bool   // more fields may follow the tail
	loose bool   // runLoose must read it
	prefix
	reads [numFields]bool
}

// run walks line through the program and hands every field to set.
func (g *program) run(p *Parser, line []byte, e *Entry) Verdict {
	rest, from := line, 0
	if g.prefix.steps > 0 && p.format.prefixed && !p.plain && len(line) <= window {
		own, origin := p.lines.of(line)
		at, ok := 0, false
		if len(own) >= g.quotes() {
			var first [mostQuotes]uint32
			copy(first[:], own)
			at, ok = g.begin(p, line, &first, origin, e)
		}
		if ok && g.whole && at+1 == len(line) && len(own) == g.quotes() { // the last quote is all that is left
			p.escaped = false
			return Parsed
		}
		if ok && g.ends(line[at:], g.prefix.steps-1) {
			rest, from = line[at:], g.prefix.steps
			own = own[g.quotes():]
		} else {
			p.quick = false
			e.Reset()
		}
		p.escaped = escapes(line, own, origin)
	}
	if from == 0 && !bytes.HasPrefix(line, g.steps[0].literal) {
		return RejectSyntax
	}
	for i := from; i < len(g.steps); i++ {
		s := &g.steps[i]
		rest = rest[len(s.literal):] // find has seen it
		if !p.plain {
			if n := p.common(s, rest, e); n > 0 {
				rest = rest[n:]
				continue
			}
		}
		n := s.find(rest)
		if n < 0 {
			return RejectSyntax
		}
		if s.field != fieldIgnored {
			if v := p.set(e, s.field, rest[:n], s.escaped); v != Parsed {
				return v
			}
		}
		rest = rest[n:]
	}
	if !bytes.HasPrefix(rest, g.tail) || !g.open && len(rest) != len(g.tail) {
		return RejectSyntax
	}
	return Parsed
}

// escapes tells whether a backslash is among the marks of a line.
func escapes(line []byte, own []uint32, origin uint32) bool {
	for _, m := range own {
		if line[m-origin] == marks.Escape {
			return true
		}
	}
	return false
}

// ends tells whether b begins with what ends step i.
func (g *program) ends(b []byte, i int) bool {
	end := g.steps[i].end
	return bytes.HasPrefix(b, end) && (len(end) > 0 || len(b) == 0)
}

// common takes the fields that nearly every line has in one shape – the second
// of the line before, a status of three digits, a size in digits – without
// looking for their end first. It gives how long the field is, 0 where it has
// another shape and must be found and set as any other.
func (p *Parser) common(s *step, b []byte, e *Entry) int {
	switch s.field {
	case fieldTime:
		n := p.lastTimeLen
		if n > 0 && len(b) > n && hasPrefix(b[n:], s.end) && len(s.end) > 0 && string(b[:n]) == string(p.lastTime[:n]) {
			e.Time = p.lastMicros
			return n
		}
	case fieldStatus:
		if len(b) > 3 && len(s.end) > 0 && hasPrefix(b[3:], s.end) && b[0]-'1' < 9 && b[1]-'0' < 10 && b[2]-'0' < 10 {
			e.Status = int32(b[0]-'0')*100 + int32(b[1]-'0')*10 + int32(b[2]-'0')
			return 3
		}
	case fieldBytes:
		size, n := int64(0), 0
		for n < len(b) && n < 18 && b[n]-'0' < 10 {
			size = size*10 + int64(b[n]-'0')
			n++
		}
		if n > 0 && len(s.end) > 0 && hasPrefix(b[n:], s.end) {
			e.BodySize = size
			return n
		}
	}
	return 0
}

// runDashes is run for lines that have a bare dash where the format has a
// quoted field, as several servers write a missing value, or a name that holds
// what begins the time behind it. Few lines need it, so it is tried when run has
// failed.
func (g *program) runDashes(p *Parser, line []byte, e *Entry) Verdict {
	rest := line
	var before []byte // from the field before on; nil where that is a bare dash
	unquoted := 0     // 1 behind a bare dash: the closing quote is not there
	for i := range g.steps {
		s := &g.steps[i]
		literal := s.literal[unquoted:]
		unquoted = 0
		open := len(literal) - 1
		switch {
		case bytes.HasPrefix(rest, literal):
		case s.quoted && len(rest) > open && bytes.HasPrefix(rest, literal[:open]) && rest[open] == '-':
			rest, unquoted, before = rest[open+1:], 1, nil
			continue
		default:
			return RejectSyntax
		}
		rest = rest[len(literal):]
		n := s.find(rest)
		if s.dash != nil {
			t := *s
			t.end = s.dash
			if m := t.find(rest); m >= 0 && (n < 0 || m < n) {
				n = m
			}
		}
		if n < 0 {
			return RejectSyntax
		}
		v := p.set(e, s.field, rest[:n], s.escaped)
		if v == RejectTime && before != nil {
			v = g.lateTime(p, e, i, before, len(before)-len(rest), n)
		}
		if v != Parsed {
			return v
		}
		before, rest = rest, rest[n:]
	}
	if tail := g.tail[unquoted:]; !bytes.HasPrefix(rest, tail) || !g.open && len(rest) != len(tail) {
		return RejectSyntax
	}
	return Parsed
}

// longestTime in bytes is longer than any spelling of a time.
const longestTime = 64

// lateTime reads the time of the i-th step where its literal stands in the field
// before it as well: clients choose their names. b begins with the field before;
// from at on, n bytes follow the first of these literals. The last literal that
// a time follows counts.
func (g *program) lateTime(p *Parser, e *Entry, i int, b []byte, at, n int) Verdict {
	s, name := &g.steps[i], &g.steps[i-1]
	first := max(at, at+n-longestTime)
	for end := at + n; len(s.literal) > 0; {
		k := bytes.LastIndex(b[first:end], s.literal)
		if k < 0 {
			break
		}
		end = first + k
		if p.set(e, s.field, b[end+len(s.literal):at+n], s.escaped) == Parsed {
			return p.set(e, name.field, b[:end], name.escaped)
		}
	}
	return RejectTime
}

// find gives how long the field at the start of b is, -1 where its end is not
// in b: the whole literal that ends it.
func (s *step) find(b []byte) int {
	switch {
	case len(s.end) == 0:
		return len(b)
	case s.quoted:
		return findQuoted(b, s.end)
	case s.list:
		return findList(b, s.end)
	}
	first := s.end[0]
	for from := 0; ; {
		n := bytes.IndexByte(b[from:], first)
		if n < 0 {
			return -1
		}
		n += from
		if len(s.end) == 1 || hasPrefix(b[n:], s.end) {
			return n
		}
		from = n + 1
	}
}

// hasPrefix is bytes.HasPrefix for the few bytes of a literal, without a call.
func hasPrefix(b, literal []byte) bool {
	if len(b) < len(literal) {
		return false
	}
	for i, c := range literal {
		if b[i] != c {
			return false
		}
	}
	return true
}

// findQuoted finds the first double quote that is not escaped and that the
// rest of the literal follows.
func findQuoted(b, end []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(b[from:], '"')
		if i < 0 {
			return -1
		}
		i += from
		slashes := 0
		for slashes < i && b[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 && hasPrefix(b[i:], end) {
			return i
		}
		from = i + 1
	}
}

// findList finds the end of a list: elements are parted by ", " where the next
// server was tried, by " : " where the request was redirected internally.
func findList(b, end []byte) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], end)
		if i < 0 {
			return -1
		}
		i += from
		switch {
		case i > 0 && b[i-1] == ',' && b[i] == ' ':
			from = i + 1
		case b[i] == ' ' && bytes.HasPrefix(b[i:], []byte(" : ")):
			from = i + 3
		default:
			return i
		}
	}
}
