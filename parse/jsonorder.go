package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"logscan/parse/scan"
)

// A server writes the keys of its JSON lines in one order, with the same bytes
// between the values. A reader learns orders from the lines it reads, and then takes
// the values from their positions without hashing keys. A line in another order is
// read key by key. The result for a line does not depend on what was learnt, which a
// fuzz target checks.

// order is a sequence of values in a line.
type order struct {
	keys  *keyTable // of the format whose lines these are
	steps []orderStep
	tail  []byte // after the last value
	shape scan.Shape
	fast  bool // shape matches lines without escapes
}

// orderStep is a value and the literal before it, from the end of the previous
// value.
type orderStep struct {
	literal []byte
	slot    *keySlot
	alone   bool // no other step affects the field
	bare    bool // the value is a number or a word
	usual   fieldID
}

// orders are the orders that a reader has learnt.
type orders struct {
	known  []order // the last used first
	misses int     // number of lines in an unknown order

	// trust is the confidence that lines match a shape; below 0, the number of lines
	// not to try. learnShape reports whether the current line was tried and matches
	// none.
	trust      int
	learnShape bool
	spans      []scan.Span

	places   []place // of the values of the current line, if it is learnt from
	learning bool
}

// place is the position of a value in a line, including its quotes.
type place struct {
	start, end int
	hash       uint64
}

const (
	// maxOrders is the number of orders kept: servers leave out keys that have no
	// value.
	maxOrders = 4
	// maxOrdered is the longest line in bytes, and maxSteps the largest number of
	// values, that an order is learnt from.
	maxOrdered = 8 << 10
	maxSteps   = 128
	// relearnEvery is the number of misses after which a new order is learnt if
	// there are maxOrders already: lines without any order must not cost more than
	// they need.
	relearnEvery = 256
)

// beginLearning begins a line whose order is not known.
func (o *orders) beginLearning(line []byte) {
	o.learning = o.learnsNext(line)
	o.misses++
	o.places = o.places[:0]
}

// learnsNext reports whether the next line in an unknown order is learnt from.
func (o *orders) learnsNext(line []byte) bool {
	return len(line) <= maxOrdered && (len(o.known) < maxOrders || (o.misses+1)%relearnEvery == 0)
}

// note records the position of a value.
func (o *orders) note(start, end int, hash uint64) {
	if o.learning {
		o.places = append(o.places, place{start, end, hash})
	}
}

// learn stores the order of the line that was read.
func (o *orders) learn(line []byte, keys *keyTable) {
	if !o.learning || len(o.places) == 0 || len(o.places) > maxSteps {
		return
	}
	o.learning = false
	text := bytes.Clone(line)
	n := order{keys: keys}
	end := 0
	for _, p := range o.places {
		n.steps = append(n.steps, orderStep{literal: text[end:p.start], slot: keys.find(p.hash), bare: text[p.start] != '"'})
		end = p.end
	}
	for i := range n.steps {
		s := &n.steps[i]
		if s.alone = n.alone(i); s.alone {
			s.usual = usual(s.slot.field, s.bare)
		}
	}
	n.tail = text[end:]
	if slices.ContainsFunc(o.known, n.equal) {
		return
	}
	n.setShape(text, o.places)
	if len(o.known) == maxOrders {
		o.known = o.known[:maxOrders-1]
	}
	o.known = slices.Insert(o.known, 0, n)
	o.trust = max(o.trust, maxOrders*missWeight)
}

// alone reports whether step i determines its field: assign and take treat the
// field like most, and no other key is for it.
func (o *order) alone(i int) bool {
	f := o.steps[i].slot.field
	switch f {
	case fieldAgent, fieldReferrer, fieldMethod, fieldScheme, fieldProtocol, fieldTarget, fieldClient, fieldUser, fieldSession, fieldSeconds, fieldBytes,
		fieldTime, fieldStatus, fieldHost, fieldUpstream, fieldUpstreamStatus:
	default:
		return false
	}
	if namesPrograms(o.steps[i].slot.hash) {
		return false
	}
	for j := range o.steps {
		if g := o.steps[j].slot; j != i && g.hash != 0 && (g.field == f || g.field == fieldPath || g.field == fieldComposed ||
			f == fieldStatus && (g.field == fieldLatency || g.field == fieldOriginStatus || g.field == fieldResponse)) {
			return false
		}
	}
	return true
}

// used moves order i to the front.
func (o *orders) used(i int) {
	if i > 0 {
		o.known[0], o.known[i] = o.known[i], o.known[0]
	}
}

// readKnown reads a line in one of the known orders. It returns false, with nothing
// read, if the line has none of them.
func (r *jsonReader) readKnown(line []byte) bool {
	for i := range r.known {
		o := &r.known[i]
		if o.keys != r.d.format.keys {
			continue
		}
		if r.readOrder(o, line) {
			r.used(i)
			return true
		}
		r.restart()
	}
	return false
}

// readOrder reads a line in the given order.
func (r *jsonReader) readOrder(o *order, line []byte) (ok bool) {
	rest := line
	for i := range o.steps {
		s := &o.steps[i]
		n := len(s.literal)
		if len(rest) <= n || !scan.EqualShort(rest[:n], s.literal) {
			return false
		}
		rest = rest[n:]
		var value []byte
		if rest[0] == '"' {
			end := textEnd(rest, r.d.escaped)
			if end <= 0 {
				return false
			}
			value, rest = rest[1:end], rest[end+1:]
		} else {
			n, number := scan.Scalar(rest)
			if n < 0 {
				return false
			}
			if value, rest = rest[:n], rest[n:]; !number {
				value = nil
			}
		}
		r.take(s, value)
	}
	return string(rest) == string(o.tail)
}

// take stores the value of a step.
func (r *jsonReader) take(s *orderStep, value []byte) {
	switch f := s.slot.field; {
	case s.slot.hash == 0: // an unknown key
	case !s.alone, f == fieldHost && string(value) == string(noServer):
		r.assign(s.slot, value)
	case f == fieldUpstream && r.ranks[f] != 0: // HAProxy answered
	default:
		if v := r.d.set(r.e, f, value, true); v != Parsed && (f == fieldTime || f == fieldStatus) && r.verdict == Parsed {
			r.verdict = v // a value of another field that cannot be parsed is ignored
			r.retry(f, value)
		}
	}
}

// textEnd returns the offset of the closing quote of the string at the start of b,
// at most 0 if there is none. Most strings are short.
func textEnd(b []byte, escaped bool) int {
	if escaped {
		return scan.StringEnd(b, 1)
	}
	at := 1
	for ; at <= 1+shortText-8 && len(b) >= at+8; at += 8 {
		if m := scan.ZeroBytes(binary.LittleEndian.Uint64(b[at:]) ^ scan.Ones*'"'); m != 0 {
			return at + bits.TrailingZeros64(m)/8
		}
	}
	if n := bytes.IndexByte(b[at:], '"'); n >= 0 {
		return at + n
	}
	return -1
}

// shortText is the number of bytes of a string that are searched without a call.
const shortText = 32
