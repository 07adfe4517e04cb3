package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"logscan/parse/octets"
	"logscan/parse/values"
)

// A server writes the keys of its JSON lines in one order, with the same bytes
// between the values. A parser learns that order from the lines it reads and
// then takes the values where they must be, without hashing keys or looking them
// up. A line in another order is scanned key by key, as the first was: what is
// read from a line does not depend on what was learnt, which a fuzz target sees
// to.

// order is how the values of a line follow one another.
type order struct {
	keys  *keyTable // of the format whose lines these are
	steps []orderStep
	tail  []byte // behind the last value
	shape values.Order
	fast  bool // shape is for lines that have no escapes
}

// orderStep is a value and what stands before it, from the end of the value
// before.
type orderStep struct {
	literal []byte
	slot    *keySlot
	alone   bool // nothing else in the order has to do with the field
	bare    bool // the value is a number or a word
	usual   field
}

// orders are what a parser has learnt.
type orders struct {
	known  []order // the one that was used last first
	misses int     // lines in an order that was not known
	trust  int     // that lines have the shape of one before; below 0, how many more are not tried
	unlike bool    // the line at hand was tried, and has none of the shapes
	spans  []values.Span
	places []place // of the values of the line at hand, where it is learnt from
	learns bool
}

// place is where a value stands in a line, its quotes included.
type place struct {
	start, end int
	hash       uint64
}

const (
	// maxOrders is how many orders are known at a time: servers leave out keys
	// that have no value.
	maxOrders = 4
	// maxOrdered is the longest line in bytes, and maxSteps the most values,
	// that an order is learnt from.
	maxOrdered = 8 << 10
	maxSteps   = 128
	// relearnEvery is how many misses teach a new order when maxOrders are
	// known: lines without any order must not cost more than they need.
	relearnEvery = 256
)

// begin tells whether a line is to be learnt from.
func (o *orders) begin(line []byte) {
	o.learns = o.learnsNext(line)
	o.misses++
	o.places = o.places[:0]
}

// learnsNext tells whether the next line that misses is to be learnt from.
func (o *orders) learnsNext(line []byte) bool {
	return len(line) <= maxOrdered && (len(o.known) < maxOrders || (o.misses+1)%relearnEvery == 0)
}

// note notes the place of a value.
func (o *orders) note(start, end int, hash uint64) {
	if o.learns {
		o.places = append(o.places, place{start, end, hash})
	}
}

// learn learns the order of a line that was read.
func (o *orders) learn(line []byte, keys *keyTable) {
	if !o.learns || len(o.places) == 0 || len(o.places) > maxSteps {
		return
	}
	o.learns = false
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
	for i := range o.known {
		if n.same(&o.known[i]) {
			return
		}
	}
	n.form(text, o.places)
	if len(o.known) == maxOrders {
		o.known = o.known[:maxOrders-1]
	}
	o.known = append([]order{n}, o.known...)
	o.trust = max(o.trust, maxOrders*missWeight)
}

// alone tells whether step i sets its field whatever the others set: it is of
// those that assign does nothing particular with, or what take does, and no other
// key is for it.
func (o *order) alone(i int) bool {
	f := o.steps[i].slot.field
	switch f {
	case fieldAgent, fieldReferrer, fieldMethod, fieldScheme, fieldProtocol, fieldTarget, fieldClient, fieldUser, fieldSession, fieldSeconds, fieldBytes,
		fieldTime, fieldStatus, fieldHost, fieldUpstream, fieldUpstreamStatus:
	default:
		return false
	}
	for j := range o.steps {
		if g := o.steps[j].slot; j != i && g.hash != 0 && (g.field == f || g.field == fieldPath || g.field == fieldComposed ||
			f == fieldStatus && (g.field == fieldLatency || g.field == fieldOriginStatus)) {
			return false
		}
	}
	return true
}

// ordered reads a line in an order that is known; ok is false where it has none
// of them, and e is then as it was.
func (p *Parser) ordered(line []byte, e *Entry) (v Verdict, ok bool) {
	for i := range p.orders.known {
		if p.orders.known[i].keys != p.format.keys {
			continue
		}
		if v, ok = p.orders.known[i].read(p, line, e); ok {
			if known := p.orders.known; i > 0 {
				known[0], known[i] = known[i], known[0]
			}
			return v, true
		}
		p.again(e)
		p.unranked()
	}
	return Parsed, false
}

// read reads a line in this order.
func (o *order) read(p *Parser, line []byte, e *Entry) (v Verdict, ok bool) {
	rest := line
	for i := range o.steps {
		s := &o.steps[i]
		n := len(s.literal)
		if len(rest) <= n || !sameBytes(rest[:n], s.literal) {
			return v, false
		}
		rest = rest[n:]
		var value []byte
		if rest[0] == '"' {
			end := p.textEnd(rest)
			if end <= 0 {
				return v, false
			}
			value, rest = rest[1:end], rest[end+1:]
		} else {
			n, says := scalar(rest)
			if n < 0 {
				return v, false
			}
			if value, rest = rest[:n], rest[n:]; !says {
				value = nil
			}
		}
		s.take(p, e, value, &v)
	}
	return v, string(rest) == string(o.tail)
}

// take sets the field of a step.
func (s *orderStep) take(p *Parser, e *Entry, value []byte, v *Verdict) {
	switch f := s.slot.field; {
	case s.slot.hash == 0: // it means nothing
	case !s.alone, f == fieldHost && string(value) == string(noServer):
		p.assign(e, s.slot, value, v)
	case f == fieldUpstream && p.ranks[f] != 0: // there was none
	default:
		if got := p.set(e, f, value, true); got != Parsed && (f == fieldTime || f == fieldStatus) && *v == Parsed {
			*v = got // of others, what cannot be read is no such field
		}
	}
}

// textEnd gives where the string ends that b begins with, 0 or less where it
// does not. Most are short.
func (p *Parser) textEnd(b []byte) int {
	if p.escaped {
		return stringEnd(b, 1)
	}
	at := 1
	for ; at <= 1+shortText-8 && len(b) >= at+8; at += 8 {
		if m := octets.Zeros(binary.LittleEndian.Uint64(b[at:]) ^ octets.Ones*'"'); m != 0 {
			return at + bits.TrailingZeros64(m)/8
		}
	}
	if n := bytes.IndexByte(b[at:], '"'); n >= 0 {
		return at + n
	}
	return -1
}

// shortText in bytes is as long as a string is looked through without a call.
const shortText = 32

// sameBytes tells whether a is b, which is as long: without a call, for the few
// bytes between two values.
func sameBytes(a, b []byte) bool {
	n := len(b)
	if n < 8 || len(a) < n {
		return hasPrefix(a, b)
	}
	for i := 0; i < n-8; i += 8 {
		if binary.LittleEndian.Uint64(a[i:]) != binary.LittleEndian.Uint64(b[i:]) {
			return false
		}
	}
	return binary.LittleEndian.Uint64(a[n-8:n]) == binary.LittleEndian.Uint64(b[n-8:])
}
