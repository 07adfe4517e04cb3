package parse

import (
	"bytes"

	"logscan/parse/field"
)

// runLenient is run for programs with fields that the fast loop does not handle:
// times with a pattern, padding, values that may contain their own end.
func (g *program) runLenient(d *decoder, line []byte, e *Entry) Verdict {
	rest := line
	for i := range g.steps {
		s := &g.steps[i]
		if !bytes.HasPrefix(rest, s.literal) {
			return RejectSyntax
		}
		rest = rest[len(s.literal):]
		if s.pad {
			rest = bytes.TrimLeft(rest, " \t")
		}
		if s.pattern != nil {
			n := s.pattern.Parse(rest, &d.parts)
			if n < 0 {
				if len(rest) == 0 || rest[0] != '-' {
					return RejectTime
				}
				n = 1 // not logged
			}
			rest = rest[n:]
			continue
		}
		n := s.find(rest)
		if n < 0 {
			return d.cutOff(s.field, rest)
		}
		switch s.until {
		case fieldStatus:
			n = beforeStatus(rest, n)
		case fieldProtocol:
			n += max(0, bytes.Index(rest[n:], spaceHTTP))
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

var spaceHTTP = []byte(" HTTP/")

// beforeStatus returns the offset of the first space from n on that a status
// follows, n if there is none.
func beforeStatus(b []byte, n int) int {
	for i := n; i+4 <= len(b); i++ {
		if b[i] != ' ' {
			continue
		}
		if i+4 < len(b) && b[i+4] != ' ' {
			continue
		}
		if _, ok := field.Status(b[i+1 : i+4]); ok {
			return i
		}
	}
	return n
}
