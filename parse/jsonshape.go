package parse

import (
	"bytes"

	"logscan/parse/dialect"
	"logscan/parse/scan"
)

// A server writes the keys of its JSON lines in one order, with the same bytes
// between the values. A reader learns such shapes from the lines it reads and takes
// the values of later lines from their positions, without hashing keys. Lines of
// other shapes, and lines with escapes, are read key by key. The result is the same
// either way, which a fuzz target checks.

// shape is the shape of lines of one format.
type shape struct {
	scan.Shape
	keys   *keyTable // of the format
	values []shapeValue
}

// shapeValue is a value in a shape.
type shapeValue struct {
	slot *keySlot
	bare bool // a number or a word
	sole bool // no other value affects the field, which assign treats like most
}

// shapes are the shapes that a reader has learnt.
type shapes struct {
	known  []shape // the last used first
	misses int     // number of lines of unknown shapes
	spans  []scan.Span
	padded []byte  // memory for a line with the slack that scan.Shape needs
	places []place // of the values of the current line, if it is learnt from

	learning bool
}

// place is the position of a value in a line, including its quotes.
type place struct {
	start, end int
	hash       uint64
}

const (
	// maxShapes is the number of shapes kept: servers leave out keys that have no
	// value.
	maxShapes = 4
	// maxShaped is the longest line in bytes, and maxValues the largest number of
	// values, that a shape is learnt from.
	maxShaped = 8 << 10
	maxValues = 128
	// relearnEvery is the number of misses after which a new shape is learnt if
	// there are maxShapes already.
	relearnEvery = 256
)

// note records the position of a value.
func (s *shapes) note(start, end int, hash uint64) {
	if s.learning {
		s.places = append(s.places, place{start, end, hash})
	}
}

// miss begins a line of an unknown shape. It is learnt from if it has no escapes.
func (s *shapes) miss(line []byte, escaped bool) {
	s.misses++
	s.learning = !escaped && len(line) <= maxShaped && (len(s.known) < maxShapes || s.misses%relearnEvery == 0)
	s.places = s.places[:0]
}

// learn adds the shape of the line that was read.
func (r *jsonReader) learn(line []byte, keys *keyTable) {
	if !r.learning || len(r.places) == 0 || len(r.places) > maxValues {
		return
	}
	n := shape{keys: keys}
	from := 0
	for _, p := range r.places {
		kind, start, end := scan.Bare, p.start, p.end
		if line[start] == '"' {
			kind, start, end = scan.String, start+1, end-1
		}
		n.Add(line[from:start], kind)
		from = end
		n.values = append(n.values, shapeValue{slot: keys.find(p.hash), bare: kind == scan.Bare})
	}
	n.Add(bytes.Clone(line[from:]), scan.None)
	for i := range n.values {
		n.values[i].sole = n.isSole(i)
	}
	if !r.find(&n, line) {
		return // a value with a quote in it
	}
	if len(r.known) < maxShapes {
		r.known = append(r.known, n)
	} else {
		r.known[maxShapes-1] = n
	}
}

// isSole reports whether no other value affects the field of value i, which must be one
// that assign treats like most.
func (s *shape) isSole(i int) bool {
	f := s.values[i].slot.field
	switch f {
	case dialect.Agent, dialect.Referrer, dialect.Method, dialect.Scheme, dialect.Protocol, dialect.Target, dialect.Client, dialect.User,
		dialect.Session, dialect.Seconds, dialect.Bytes:
	default:
		return false
	}
	for j, v := range s.values {
		if g := v.slot; j != i && g.hash != 0 && (g.field == f || g.field == dialect.Path || g.field == dialect.Composed) {
			return false
		}
	}
	return true
}

// find reports whether line, which has slack behind it, has the shape. It stores the
// positions of the values in r.spans.
func (r *jsonReader) find(s *shape, line []byte) bool {
	var n int
	r.spans, n = s.Find(r.spans, line[:len(line)+scan.ShapeSlack])
	return n == len(line)
}

// withSlack returns line, or a copy of it, with scan.ShapeSlack bytes behind it.
func (r *jsonReader) withSlack(line []byte) []byte {
	if cap(line)-len(line) >= scan.ShapeSlack {
		return line
	}
	r.padded = append(append(r.padded[:0], line...), slack[:]...)
	return r.padded[:len(line)]
}

var slack [scan.ShapeSlack]byte

// readShape reads a line of a known shape. It returns false, with nothing read, if
// the line has none of them or a value cannot be parsed.
func (r *jsonReader) readShape(line []byte) bool {
	for i := range r.known {
		s := &r.known[i]
		if s.keys != r.d.format.keys || !r.find(s, line) {
			continue
		}
		if r.readValues(s, line) {
			r.known[0], r.known[i] = r.known[i], r.known[0]
			return true
		}
		r.restart()
	}
	return false
}

// readValues reads the values of a line at r.spans. ok is false if one of them cannot
// be parsed.
func (r *jsonReader) readValues(s *shape, line []byte) (ok bool) {
	for i, at := range r.spans {
		v := &s.values[i]
		value := line[at.Start:at.End]
		if v.bare {
			n, number := scan.Scalar(value)
			if n != len(value) {
				return false
			}
			if !number {
				value = nil
			}
		}
		switch {
		case v.slot.hash == 0: // an unknown key
		case v.sole:
			r.d.set(r.e, v.slot.field, value, false)
		default:
			r.assign(v.slot, value)
		}
	}
	return r.verdict == Parsed
}
