package parse

import (
	"bytes"

	"logscan/parse/wrap"
)

// carrier is what a parser keeps of lines that carry others.
type carrier struct {
	text    []byte                  // decoded text of the line at hand
	stamp   []byte                  // the carrier's own time of the line at hand
	joined  []byte                  // the line at hand with the beginnings of its text put in
	isWhole bool                    // joined is in use
	partial [wrap.NumStreams][]byte // beginnings, as the carrying lines have them
	tooLong [wrap.NumStreams]bool
}

// maxJoined is how long in bytes a text may be that is put together of partial
// lines: as long as any line.
const maxJoined = 1 << 20

// carried reads a line that carries another.
func (p *Parser) carried(line []byte, e *Entry) Verdict {
	c := &p.carrier
	c.isWhole, c.stamp = false, nil
	t, ok := p.wrapper.Peel(line)
	if !ok {
		return p.others(RejectSyntax, 0, line, nil, e)
	}
	s := t.Stream
	if t.Partial {
		if len(c.partial[s])+t.End-t.Start > maxJoined {
			c.tooLong[s] = true
		}
		if !c.tooLong[s] {
			c.partial[s] = append(c.partial[s], line[t.Start:t.End]...)
		}
		return SkipPartial
	}
	if c.tooLong[s] {
		c.tooLong[s], c.partial[s] = false, nil
		return RejectTooLong
	}
	if len(c.partial[s]) > 0 {
		c.joined = append(append(append(c.joined[:0], line[:t.Start]...), c.partial[s]...), line[t.Start:]...)
		c.partial[s] = c.partial[s][:0]
		if t, ok = p.wrapper.Peel(c.joined); !ok {
			return RejectSyntax
		}
		line, c.isWhole = c.joined, true
	}
	text := bytes.TrimRight(c.decode(line, t), "\r\n")
	if len(text) == 0 {
		return SkipBlank
	}
	if text[0] <= '#' {
		if v := p.noRequest(&text); v != Parsed {
			return v
		}
	}
	c.stamp = t.Stamp
	return p.others(RejectSyntax, 0, line, text, e)
}

// decode gives the text that a line carries.
func (c *carrier) decode(line []byte, t wrap.Text) []byte {
	text := line[t.Start:t.End]
	switch t.Encoding {
	case wrap.String:
		if bytes.IndexByte(text, '\\') >= 0 {
			c.text = appendUnescaped(c.text[:0], text)
			return c.text
		}
	case wrap.Bytes:
		c.text = wrap.AppendBytes(c.text[:0], text)
		return c.text
	}
	return text
}

// text gives what a line of the format carries: mostly itself.
func (f *Format) text(line []byte) []byte {
	if f.wrapper == nil {
		return line
	}
	t, ok := f.wrapper.Peel(bytes.TrimRight(line, "\r\n"))
	if !ok {
		return nil
	}
	var c carrier
	return c.decode(line, t)
}

// Line gives what must be kept of a line that was just parsed, so that it can
// be parsed alone: with the beginnings of its text put in, with the directive
// that names its columns before it. Mostly it is the line itself. It is valid
// until the next call of Parse.
func (p *Parser) Line(line []byte) []byte {
	if p.carrier.isWhole {
		line = p.carrier.joined
	}
	if p.header.changed {
		line = p.header.before(line)
	}
	return line
}

// Kept gives the line of what Line gave, without the directive before it.
func Kept(line []byte) []byte {
	if bytes.HasPrefix(line, fieldsDirective) {
		return line[bytes.IndexByte(line, '\n')+1:]
	}
	return line
}

// Continues gives what tells whether the text of a line goes on in a later one,
// where blocks of lines must not be cut; nil where no text of the format does.
func (f *Format) Continues() func(line []byte) bool {
	if f.wrapper == nil || !f.wrapper.Splits {
		return nil
	}
	return func(line []byte) bool {
		t, ok := f.wrapper.Peel(bytes.TrimRight(line, "\r\n"))
		return ok && t.Partial
	}
}
