package parse

import (
	"bytes"

	"logscan/parse/field/strftime"
	"logscan/parse/scan"
)

// A text format is compiled into steps, each of which reads the literal before a
// field and the field up to the literal after it, in one pass over the line.

// step is one field and the literals around it.
type step struct {
	literal []byte // before the field
	end     []byte // after it: the next step's literal; empty for the last field
	field   fieldID
	quoted  bool // the field stands in double quotes
	escaped bool // special characters in the field are escaped
	list    bool // the field is a list with ", " and " : " between its elements

	dash []byte // end, with a bare dash in place of the quote that opens the next field; nil if none does

	// For runLenient only:
	pattern *strftime.Pattern // reads a time or a part of one, and determines its end
	pad     bool              // blanks may precede the field
	until   fieldID           // the field ends where one of this kind follows: a status or a protocol
}

// program is a compiled text format.
type program struct {
	steps   []step
	tail    []byte // literal after the last field
	open    bool   // more fields may follow the tail
	lenient bool   // it needs runLenient
	prefix
	reads [numFields]bool
}

// read runs the program in the mode that it needs. l holds the delimiters of the
// line; it may be nil if the current format has no common prefix.
func (g *program) read(d *decoder, l *lines, line []byte, e *Entry) Verdict {
	if g.lenient {
		d.parts = strftime.Civil{}
		if v := g.runLenient(d, line, e); v != Parsed {
			return v
		}
		return d.settle(e)
	}
	return g.run(d, l, line, e)
}

// run reads line and stores every field.
func (g *program) run(d *decoder, l *lines, line []byte, e *Entry) Verdict {
	rest, from := line, 0
	if g.prefix.steps > 0 && d.format.prefixed && !d.general && len(line) <= window {
		own, origin := l.delimitersOf(line)
		at, ok := 0, false
		if len(own) >= g.quotes() {
			var first [mostQuotes]uint32
			copy(first[:], own)
			at, ok = g.begin(d, l, line, &first, origin, e)
		}
		if ok && g.whole && at+1 == len(line) && len(own) == g.quotes() { // only the last quote remains
			d.escaped = false
			return Parsed
		}
		if ok && g.ends(line[at:], g.prefix.steps-1) {
			rest, from = line[at:], g.prefix.steps
			own = own[g.quotes():]
		} else {
			d.plainPath = false
			e.Reset()
		}
		d.escaped = hasEscapes(line, own, origin)
	}
	if from == 0 && !bytes.HasPrefix(line, g.steps[0].literal) {
		return RejectSyntax
	}
	for i := from; i < len(g.steps); i++ {
		s := &g.steps[i]
		rest = rest[len(s.literal):] // the previous step has matched it
		if !d.general {
			if n := d.setCommon(s, rest, e); n > 0 {
				rest = rest[n:]
				continue
			}
		}
		n := s.find(rest)
		if n < 0 {
			return d.cutOff(s.field, rest)
		}
		if s.field != fieldIgnored {
			if v := d.set(e, s.field, rest[:n], s.escaped); v != Parsed && !d.located.goesOn() {
				return v
			}
		}
		rest = rest[n:]
	}
	return g.end(d, rest, g.tail)
}

// end returns the verdict about a line whose last field ends before rest.
func (g *program) end(d *decoder, rest, tail []byte) Verdict {
	if !bytes.HasPrefix(rest, tail) || !g.open && len(rest) != len(tail) {
		return RejectSyntax
	}
	if d.located != nil {
		d.located.unread(rest[len(tail):])
	}
	return Parsed
}

// hasEscapes reports whether a backslash is among the delimiters of a line.
func hasEscapes(line []byte, own []uint32, origin uint32) bool {
	for _, m := range own {
		if line[m-origin] == scan.Backslash {
			return true
		}
	}
	return false
}

// ends reports whether b begins with the end of step i.
func (g *program) ends(b []byte, i int) bool {
	end := g.steps[i].end
	return bytes.HasPrefix(b, end) && (len(end) > 0 || len(b) == 0)
}

// setCommon stores the fields that nearly every line has in one shape, without
// searching for their end first: the time of the line before, a status of three
// digits, a size in digits. It returns the length of the field, 0 if it has another
// shape.
func (d *decoder) setCommon(s *step, b []byte, e *Entry) int {
	switch s.field {
	case fieldTime:
		last, micros := d.clock.Last()
		n := len(last)
		if n > 0 && len(b) > n && scan.HasPrefix(b[n:], s.end) && len(s.end) > 0 && string(b[:n]) == string(last) {
			e.Time = micros
			return n
		}
	case fieldStatus:
		if len(b) > 3 && len(s.end) > 0 && scan.HasPrefix(b[3:], s.end) && b[0]-'1' < 9 && b[1]-'0' < 10 && b[2]-'0' < 10 {
			e.Status = int32(b[0]-'0')*100 + int32(b[1]-'0')*10 + int32(b[2]-'0')
			return 3
		}
	case fieldBytes:
		size, n := int64(0), 0
		for n < len(b) && n < 18 && b[n]-'0' < 10 {
			size = size*10 + int64(b[n]-'0')
			n++
		}
		if n > 0 && len(s.end) > 0 && scan.HasPrefix(b[n:], s.end) {
			e.BodySize = size
			return n
		}
	}
	return 0
}

// runDashes is run for lines with a bare dash in place of a quoted field, as several
// servers write a missing value, or with a name that contains the literal before
// the time. Few lines need it, so it is tried only if run has failed.
func (g *program) runDashes(d *decoder, line []byte, e *Entry) Verdict {
	rest := line
	var before []byte // the line from the previous field on; nil if that is a bare dash
	unquoted := 0     // 1 after a bare dash, which has no closing quote
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
		v := d.set(e, s.field, rest[:n], s.escaped)
		if v == RejectTime && before != nil {
			v = g.lateTime(d, e, i, before[:len(before)-len(rest)+n], len(before)-len(rest))
		}
		if v != Parsed {
			return v
		}
		before, rest = rest, rest[n:]
	}
	return g.end(d, rest, g.tail[unquoted:])
}

// longestTime exceeds the length in bytes of any spelling of a time.
const longestTime = 64

// lateTime reads the time of step i if its literal also occurs in the previous
// field, because clients choose their names. b begins with the previous field and
// ends with the time; the first of the literals ends at offset at. The last literal
// that is followed by a time counts.
func (g *program) lateTime(d *decoder, e *Entry, i int, b []byte, at int) Verdict {
	s, name := &g.steps[i], &g.steps[i-1]
	first := max(at, len(b)-longestTime)
	for end := len(b); len(s.literal) > 0; {
		k := bytes.LastIndex(b[first:end], s.literal)
		if k < 0 {
			break
		}
		end = first + k
		if d.set(e, s.field, b[end+len(s.literal):], s.escaped) == Parsed {
			return d.set(e, name.field, b[:end], name.escaped)
		}
	}
	return RejectTime
}

// find returns the length of the field at the start of b, -1 if the literal that
// ends it is not in b.
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
		if len(s.end) == 1 || scan.HasPrefix(b[n:], s.end) {
			return n
		}
		from = n + 1
	}
}

// findQuoted returns the offset of end, which begins with a double quote, at its
// first occurrence that is not escaped, -1 if there is none.
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
		if slashes%2 == 0 && scan.HasPrefix(b[i:], end) {
			return i
		}
		from = i + 1
	}
}

// findList returns the offset of end after a list. Elements are separated by ", "
// if the next server was tried, by " : " if the request was redirected internally.
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

// tryShapes tries the other shapes of a format with a line that does not have the
// first, which rejected it with verdict v, then all of them with bare dashes for
// quoted fields.
func (f *Format) tryShapes(v Verdict, d *decoder, l *lines, line []byte, e *Entry) Verdict {
	for _, g := range f.programs[1:] {
		d.restart(e)
		if g.read(d, l, line, e) == Parsed {
			return Parsed
		}
	}
	if v == RejectTime || bytes.Contains(line, bareDash) {
		for _, g := range f.programs {
			if d.restart(e); !g.lenient && g.runDashes(d, line, e) == Parsed {
				return Parsed
			}
		}
	}
	for _, beginning := range f.notices {
		if len(line) >= len(beginning) && string(line[:len(beginning)]) == beginning {
			e.Reset()
			return SkipNotice
		}
	}
	return v
}

var bareDash = []byte(" -")
