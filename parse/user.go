package parse

import (
	"bytes"
	"unicode/utf8"
)

// setUser takes a field that names the user. Apache writes "" for an empty one.
func (p *Parser) setUser(e *Entry, b []byte, quoted bool) {
	if len(b) == 2 && b[0] == '"' && b[1] == '"' {
		return
	}
	if p.escaped && !quoted {
		b = p.bareUser(b)
	}
	e.User = b
}

// bareUser decodes the escapes of a user that stands outside quotes: nginx and
// Apache escape it there, too. Other servers do not, and write CORP\bob with
// one backslash: so only what those two escape is one.
func (p *Parser) bareUser(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	p.room(len(b))
	n := len(p.scratch)
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			switch next := b[i+1]; {
			case next == '\\' || next == '"':
				c = next
				i++
			case next == 'x':
				if x, ok := hexDigits(b[i+2:], 2); ok && (x < ' ' || x >= 0x7f || x == '"' || x == '\\') {
					c = byte(x)
					i += 3
				}
			}
		}
		p.scratch = append(p.scratch, c)
	}
	if user := p.scratch[n:len(p.scratch):len(p.scratch)]; utf8.Valid(user) {
		return user
	}
	return b // it only looked like escapes
}
