package parse

import (
	"bytes"

	"logscan/parse/strftime"
)

// runLoose is run for programs with fields that the hot loop leaves alone:
// times by a pattern, padding, values that may hold what ends them.
func (g *program) runLoose(p *Parser, line []byte, e *Entry) Verdict {
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
			n := s.pattern.Parse(rest, &p.civil)
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
			return RejectSyntax
		}
		switch s.until {
		case fieldStatus:
			n = beforeStatus(rest, n)
		case fieldProtocol:
			n += max(0, bytes.Index(rest[n:], spaceHTTP))
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

var spaceHTTP = []byte(" HTTP/")

// beforeStatus gives the first space from n on that a status follows, n where
// there is none.
func beforeStatus(b []byte, n int) int {
	for i := n; i+4 <= len(b); i++ {
		if b[i] != ' ' {
			continue
		}
		if i+4 < len(b) && b[i+4] != ' ' {
			continue
		}
		if _, ok := statusCode(b[i+1 : i+4]); ok {
			return i
		}
	}
	return n
}

// settle puts a time together that was read in parts.
func (p *Parser) settle(e *Entry) Verdict {
	if !p.civil.Any() {
		return Parsed
	}
	c := p.civil
	p.civil = strftime.Civil{}
	if !c.Whole() || e.Time != NoTime && !c.Epoch() {
		return Parsed // the format logs no date, or not the hour; or a whole time beside it
	}
	us, ok := c.Micros()
	p.zoned = c.Zoned()
	if ok && !c.Zoned() {
		us = p.zone.utc(us)
	}
	if !ok || us < minTime || us >= maxTime {
		return RejectTime
	}
	e.Time = us
	return Parsed
}
