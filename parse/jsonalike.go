package parse

import (
	"bytes"
	"slices"

	"logscan/parse/marks"
	"logscan/parse/values"
)

// A line whose keys have an order that is known mostly has the shape of the line
// it was learnt from as well: a string where that has a string, and no escapes.
// Then package values finds where it ends and where its values are, in one pass.
// A line that has none of the shapes is read as any other, which may teach one
// more. What is read of a line does not depend on the way, which a fuzz target
// sees to.

// curious tells whether a line is to be learnt from though its order is known:
// it has another shape than those of this order, with a number where they have a
// string, and was not tried in vain because it is the last of its block.
func (p *Parser) curious(line []byte) bool {
	o := &p.orders
	if !o.unlike || p.escaped || p.lines.next+values.Slack > len(p.lines.block) {
		return false
	}
	if o.learnsNext(line) {
		return true
	}
	o.misses++
	return false
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

// readSpans reads a line in this order, whose values are known to be at spans and
// hold no escapes. It is not ok where one of them cannot be read.
func (o *order) readSpans(p *Parser, line []byte, spans []values.Span, e *Entry) (ok bool) {
	v := Parsed
	for i, at := range spans {
		s := &o.steps[i]
		value := line[at.Start:at.End]
		if p.setUsual(e, s.usual, value) {
			continue
		}
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

// usual gives the field that setUsual is to be asked to set, with a value that
// stands alone; of bare ones, which may be words, those of numbers.
func usual(f field, bare bool) field {
	switch f {
	case fieldStatus, fieldBytes, fieldSeconds:
		return f
	}
	if bare {
		return fieldIgnored
	}
	return f
}

// setUsual is set for the fields that nearly every line has, where the value has
// the shape that it mostly has; it is not ok where set is to say what it is.
func (p *Parser) setUsual(e *Entry, f field, b []byte) (ok bool) {
	if missing(b) {
		return false
	}
	switch f {
	case fieldAgent:
		e.UserAgent = b
	case fieldReferrer:
		e.Referrer = b
	case fieldMethod:
		e.Method = b
	case fieldScheme:
		e.Scheme = b
	case fieldUser:
		e.User = b
	case fieldClient:
		if !dotted(b) && !canonicalIPv6(b) {
			return false
		}
		e.Client = b
	case fieldUpstreamStatus:
		if n, ok := statusCode(b); !ok || n < 100 {
			return false
		}
		e.HasUpstream, e.UpstreamStatus = true, b
	case fieldTime:
		if n := p.lastTimeLen; len(b) != n || string(b) != string(p.lastTime[:n]) {
			return false
		}
		e.Time = p.lastMicros
	case fieldStatus:
		n, ok := statusCode(b)
		if !ok {
			return false
		}
		e.Status = n
	case fieldBytes:
		n, ok := integer(b)
		if !ok {
			return false
		}
		e.BodySize = n
	case fieldSeconds:
		us, ok := seconds(b)
		if !ok {
			return false
		}
		e.Duration = us
	default:
		return false
	}
	return true
}
