package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"logscan/parse/marks"
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

// curious tells whether a line is to be learnt from though its order is known:
// it has another shape than those of this order, with a number where they have a
// string.
func (o *orders) curious(line []byte) bool {
	if !o.unlike {
		return false
	}
	if o.learnsNext(line) {
		return true
	}
	o.misses++
	return false
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
		n.steps[i].alone = n.alone(i)
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

// same tells whether the shapes of two orders are the same.
func (o *order) same(as *order) bool {
	return o.keys == as.keys && string(o.tail) == string(as.tail) && slices.EqualFunc(o.steps, as.steps, func(x, y orderStep) bool {
		return x.bare == y.bare && string(x.literal) == string(y.literal)
	})
}

// form makes the shape of the order from a line and the places of its values.
func (o *order) form(line []byte, places []place) {
	from := 0
	for _, p := range places {
		kind, start, end := values.Bare, p.start, p.end
		if line[start] == '"' {
			kind, start, end = values.String, start+1, end-1
		}
		o.shape.Add(line[from:start], kind)
		from = end
	}
	o.shape.Add(append(bytes.Clone(line[from:]), marks.LineEnd), values.None)
	_, n := o.shape.Find(nil, append(append(bytes.Clone(line), marks.LineEnd), make([]byte, values.Slack)...))
	o.fast = n == len(line)+1
}

// alone tells whether step i sets its field whatever the others set: it is of
// those that assign does nothing particular with, and no other key is for it.
func (o *order) alone(i int) bool {
	f := o.steps[i].slot.field
	switch f {
	case fieldAgent, fieldReferrer, fieldMethod, fieldScheme, fieldProtocol, fieldTarget, fieldClient, fieldUser, fieldSession, fieldSeconds, fieldBytes:
	default:
		return false
	}
	for j := range o.steps {
		if g := o.steps[j].slot; j != i && g.hash != 0 && (g.field == f || g.field == fieldPath || g.field == fieldComposed) {
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
	switch {
	case s.slot.hash == 0: // it means nothing
	case s.alone:
		p.set(e, s.slot.field, value, true) // what cannot be read is no such field
	default:
		p.assign(e, s.slot, value, v)
	}
}

// The weight of a line that has the shape of one before is one, that of one that
// has not is missWeight: where a fifth or more have not, most are not tried.
const (
	missWeight = 4
	mostTrust  = 64
	notTried   = 1024
)

// alike tells whether the next line is to be tried by the shapes of those before.
func (o *orders) alike() bool {
	o.unlike = false
	if o.trust < 0 {
		o.trust++
		return false
	}
	return len(o.known) > 0
}

// nextAlike reads the next line of the block if it has the shape of an order that
// is known, which also tells where it ends. It is not ok where it has not, and
// where a value cannot be read: p.parse says then what it is.
func (p *Parser) nextAlike(e *Entry) (line []byte, v Verdict, ok bool) {
	if p.wrapper != nil || p.plain {
		return nil, Parsed, false
	}
	if line, ok = p.tryAlike(e); !ok {
		p.orders.unlike = values.Fast
		if p.orders.trust -= missWeight; p.orders.trust < 0 {
			p.orders.trust = -notTried
		}
		return nil, Parsed, false
	}
	p.orders.trust = min(p.orders.trust+1, mostTrust)
	p.lines.next += len(line) + 1
	p.setUnitless(e)
	if v = p.complete(e); v.Rejected() && len(p.formats) > 1 {
		v = p.others(v, 1, line, nil, e)
	}
	return line, v, true
}

// tryAlike reads a line by the shapes of all orders.
func (p *Parser) tryAlike(e *Entry) (line []byte, ok bool) {
	f, b, known := p.formats[0], p.lines.block[p.lines.next:], p.orders.known
	for i := range known {
		o := &known[i]
		if !o.fast || o.keys != f.keys {
			continue
		}
		var n int
		if p.orders.spans, n = o.shape.Find(p.orders.spans, b); n == 0 {
			continue
		}
		line = b[:n-1]
		e.Reset()
		p.start(f)
		p.unranked()
		p.escaped = false
		if o.readSpans(p, line, p.orders.spans, e) {
			if i > 0 {
				known[0], known[i] = known[i], known[0]
			}
			return line, true
		}
	}
	return nil, false
}

// readSpans reads a line in this order, whose values are known to be at spans. It
// is not ok where one of them cannot be read.
func (o *order) readSpans(p *Parser, line []byte, spans []values.Span, e *Entry) (ok bool) {
	v := Parsed
	for i, at := range spans {
		s := &o.steps[i]
		value := line[at.Start:at.End]
		if s.bare {
			n, says := scalar(value)
			if n != len(value) {
				return false
			}
			if !says {
				value = nil
			}
		}
		s.take(p, e, value, &v)
	}
	return v == Parsed
}

// textEnd gives where the string ends that b begins with, 0 or less where it
// does not. Most are short.
func (p *Parser) textEnd(b []byte) int {
	if p.escaped {
		return stringEnd(b, 1)
	}
	at := 1
	for ; at <= 1+shortText-8 && len(b) >= at+8; at += 8 {
		if m := zeros(binary.LittleEndian.Uint64(b[at:]) ^ ones*'"'); m != 0 {
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
