package parse

import (
	"bytes"

	"logscan/parse/marks"
)

// lines cuts a block into lines, by the marks that are found for many of them
// at once: where a line ends is known then, and where its quotes are.
type lines struct {
	block []byte
	next  int      // where the next line begins
	start int      // where the window begins that marks are known of
	end   int      // and where it ends
	marks []uint32 // offsets from start, from the next line's first on
	all   []uint32 // memory of marks

	// Of the line at hand: its marks as offsets from origin bytes before it, and
	// the line itself, which marked lines are known by.
	marked []byte
	own    []uint32
	origin uint32
	single []uint32 // memory of the marks of a line that came alone
}

// window is how many bytes of a block are looked at together: they and their
// marks stay in the first-level cache. A longer line is looked at by itself.
const window = 8 << 10

// Lines hands the parser a block of lines for Next.
func (p *Parser) Lines(block []byte) {
	l := &p.lines
	l.block, l.next, l.start, l.end, l.marks, l.marked = block, 0, 0, 0, nil, nil
}

// Next reads the next line of the block, as Parse does; line is without its
// terminator. It is not ok at the end of the block.
func (p *Parser) Next(e *Entry) (line []byte, v Verdict, ok bool) {
	l := &p.lines
	if l.next >= len(l.block) {
		return nil, Parsed, false
	}
	switch {
	case p.formats[0].prefixed:
		if line, ok = p.straight(e); ok {
			return line, p.complete(e), true
		}
		if line, ok = l.cut(); !ok {
			line = l.look()
		}
	case p.orders.alike():
		if line, v, ok = p.nextAlike(e); ok {
			return line, v, true
		}
		fallthrough
	default: // the marks are of no use
		line = l.uncut()
	}
	return line, p.parse(line, e), true
}

// cut takes the next line where its end is among the marks that are known.
func (l *lines) cut() (line []byte, ok bool) {
	for i, m := range l.marks {
		end := l.start + int(m)
		if l.block[end] != marks.LineEnd {
			continue
		}
		line = l.block[l.next:end]
		l.marked, l.own, l.origin = line, l.marks[:i], uint32(l.next-l.start)
		l.marks, l.next = l.marks[i+1:], end+1
		return line, true
	}
	return nil, false
}

// look looks at the next window and takes its first line.
func (l *lines) look() (line []byte) {
	if l.end < len(l.block) {
		l.start, l.end = l.next, min(l.next+window, len(l.block))
		l.all = marks.Find(l.all, l.block[l.start:l.end])
		l.marks = l.all
		if line, ok := l.cut(); ok {
			return line
		}
	}
	// It is longer than the window, or the last one and has no end.
	line = l.uncut()
	l.end, l.marks = l.next, nil
	return line
}

// uncut takes the next line without looking at its marks.
func (l *lines) uncut() (line []byte) {
	line, l.marked = l.block[l.next:], nil
	if i := bytes.IndexByte(line, marks.LineEnd); i >= 0 {
		line = line[:i]
	}
	l.next += len(line) + 1
	return line
}

// of gives the marks of a line, the one at hand or what it carries, as offsets
// from origin bytes before it.
func (l *lines) of(line []byte) (own []uint32, origin uint32) {
	if len(l.marked) != len(line) || len(line) == 0 || &l.marked[0] != &line[0] {
		l.single = marks.Find(l.single, line)
		l.marked, l.own, l.origin = line, l.single, 0
	}
	return l.own, l.origin
}
