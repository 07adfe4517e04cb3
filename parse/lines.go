package parse

import (
	"bytes"

	"logscan/parse/scan"
)

// lines cuts a block into lines. The delimiters of many lines are found at once,
// so the ends of lines and their quotes are known together.
type lines struct {
	block      []byte
	next       int      // offset of the next line
	start      int      // offset of the window whose delimiters are known
	end        int      // and of its end
	delimiters []uint32 // offsets from start, beginning with the first of the next line
	buf        []uint32 // memory of delimiters

	// known is the last line whose delimiters are known; own are its delimiters, as
	// offsets from origin bytes before it.
	known  []byte
	own    []uint32
	origin uint32
	parts  bool     // the block is that of Block
	single []uint32 // memory for the delimiters of a line that came alone
	room   text     // memory for a line whose text is too short

	lineEnd int // offset of the end of the line whose rest is next; 0 if a whole line is
}

// window is how many bytes of a block are examined together, so that they and
// their delimiters stay in the first-level cache. A longer line is examined by
// itself.
const window = 8 << 10

// Lines sets the block of lines that Next parses.
func (p *Parser) Lines(block []byte) {
	l := &p.lines
	l.block, l.next, l.start, l.end, l.delimiters, l.known, l.lineEnd, l.parts = block, 0, 0, 0, nil, nil, 0, false
}

// Next parses the next line of the block, as Parse does. line is without its
// terminator; ok is false at the end of the block. A line with several JSON objects is
// as many lines.
func (p *Parser) Next(e *Entry) (line []byte, v Verdict, ok bool) {
	l := &p.lines
	if l.next >= len(l.block) {
		return nil, Parsed, false
	}
	switch {
	case l.lineEnd > 0:
		l.known = nil
		line, v = p.nextObject(e)
		return line, v, true
	case p.formats[0].prefixed:
		if line, ok = p.nextCommon(e); ok {
			return line, p.complete(e), true
		}
		if line, ok = l.cut(); !ok {
			line = l.advance()
		}
	case p.json.tryShapes():
		if line, v, ok = p.nextAlike(e); ok {
			return line, v, true
		}
		line = l.cutAlone()
		p.json.learnShape = p.json.learnShape && l.next+scan.ShapeSlack <= len(l.block) // else it may have failed for want of slack
	default: // delimiters are not used
		line = l.cutAlone()
	}
	v = p.parse(line, e)
	return l.putBack(line, p.rest()), v, true
}

// Block sets the block that the lines which Parse parses next are parts of, mostly one after
// the other: their delimiters are then found together. It must be called again if the block
// was changed.
func (p *Parser) Block(block []byte) {
	p.Lines(block)
	p.lines.next, p.lines.parts = len(block), true
}

// parseCommon parses a line that is a part of the block, if it is in the usual shape and needs
// no other checks, as nextCommon does. If it fails, the contents of e are undefined.
func (p *Parser) parseCommon(line []byte, e *Entry) (ok bool) {
	l := &p.lines
	if !p.mayBeCommon() || len(line) == 0 || line[0] <= '#' || line[0] >= byteOrderMark[0] || !l.seek(line) || len(l.delimiters) < mostQuotes {
		return false
	}
	own, end := (*[mostQuotes]uint32)(l.delimiters), uint32(l.next-l.start)
	// The line has no other delimiters if the last one of these ends it.
	return own[mostQuotes-1]+1 == end && p.readCommon(line, own, end-uint32(len(line)), e)
}

// rest returns the line that was just parsed from its second object on, nil if there is
// none.
func (p *Parser) rest() []byte {
	if p.json.rest == nil && p.carrier != nil {
		return p.texts.Rest()
	}
	return p.json.rest
}

// putBack makes rest, which is what remains of the line that was taken last, the next one.
// It returns the line without it.
func (l *lines) putBack(line, rest []byte) []byte {
	if rest == nil {
		return line
	}
	n := cap(line) - cap(rest) // both end where their array does
	l.lineEnd = l.next - 1
	l.next -= len(line) - n + 1
	l.end, l.delimiters = l.next, nil
	return line[:n]
}

// nextObject parses the next object of a line with several of them.
func (p *Parser) nextObject(e *Entry) (line []byte, v Verdict) {
	l := &p.lines
	line = l.block[l.next:min(l.lineEnd, len(l.block))]
	next := 0
	if p.carrier == nil { // it is cut off first: many in a line must not take more time than as many lines
		if n := scan.ObjectEnd(line); n > 0 {
			if m := scan.SkipFraming(line, n); m < len(line) && line[m] == '{' {
				line, next = line[:n], m
			}
		}
	}
	v = p.parse(line, e)
	if rest := p.rest(); rest != nil {
		next = cap(line) - cap(rest)
		line = line[:next]
	}
	if next > 0 {
		l.next += next
		return line, v
	}
	l.next, l.lineEnd = l.lineEnd+1, 0
	l.end = min(l.next, len(l.block))
	return line, v
}

// cut takes the next line if its end is among the known delimiters.
func (l *lines) cut() (line []byte, ok bool) {
	for i, m := range l.delimiters {
		end := l.start + int(m)
		if l.block[end] != scan.Newline {
			continue
		}
		line = l.block[l.next:end]
		l.known, l.own, l.origin = line, l.delimiters[:i], uint32(l.next-l.start)
		l.delimiters, l.next = l.delimiters[i+1:], end+1
		return line, true
	}
	return nil, false
}

// advance finds the delimiters of the next window and takes its first line.
func (l *lines) advance() (line []byte) {
	if l.end < len(l.block) {
		l.start, l.end = l.next, min(l.next+window, len(l.block))
		l.buf = scan.Delimiters(l.buf, l.block[l.start:l.end])
		l.delimiters = l.buf
		if line, ok := l.cut(); ok {
			return line
		}
	}
	// The line is longer than the window, or the last one without an end.
	line = l.cutAlone()
	l.end, l.delimiters = l.next, nil
	return line
}

// gap is more than the number of bytes between lines of a block that follow one another.
const gap = 8

// seek makes the delimiters that are known begin with those of a line, and next its end. It
// reports whether the line is a part of the block.
func (l *lines) seek(line []byte) bool {
	at := cap(l.block) - cap(line) // both end where their array does
	if !l.parts || at < 0 || at+len(line) > len(l.block) || &l.block[at] != &line[0] || len(line) > window {
		return false
	}
	after := l.next
	l.next = at + len(line)
	if at < after || l.next > l.end {
		l.start, l.end = at, l.next
		if at >= after && at < after+gap { // others follow, as it seems
			l.end = min(at+window, len(l.block))
		}
		l.buf = scan.Delimiters(l.buf, l.block[l.start:l.end])
		l.delimiters = l.buf
	}
	n := 0
	for n < len(l.delimiters) && l.start+int(l.delimiters[n]) < at {
		n++
	}
	l.delimiters = l.delimiters[n:]
	return true
}

// cutAlone takes the next line without the known delimiters.
func (l *lines) cutAlone() (line []byte) {
	line, l.known = l.block[l.next:], nil
	if i := bytes.IndexByte(line, scan.Newline); i >= 0 {
		line = line[:i]
	}
	l.next += len(line) + 1
	return line
}

// delimitersOf returns the delimiters of a line, which may be a part of the
// current one, as offsets from origin bytes before it.
func (l *lines) delimitersOf(line []byte) (own []uint32, origin uint32) {
	if len(l.known) != len(line) || len(line) == 0 || &l.known[0] != &line[0] {
		l.single = scan.Delimiters(l.single, line)
		l.known, l.own, l.origin = line, l.single, 0
	}
	return l.own, l.origin
}
