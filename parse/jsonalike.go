package parse

import (
	"bytes"
	"slices"

	"logscan/parse/field"
	"logscan/parse/scan"
)

// A line in a known order mostly has the shape of the line it was learnt from too:
// strings where that has strings, and no escapes. Then scan.Shape finds the end of
// the line and its values in one pass. A line of another shape is read as any other,
// which may add its shape. The result for a line is the same either way, which a fuzz
// target checks.

// wantsShape reports whether a line is to be learnt from though its order is known:
// it was tried and has another shape than those of this order, such as a number in
// place of a string.
func (r *jsonReader) wantsShape(line []byte) bool {
	if !r.learnShape || r.d.escaped {
		return false
	}
	if r.learnsNext(line) {
		return true
	}
	r.misses++
	return false
}

// equal reports whether two orders have the same literals and kinds of values.
func (o *order) equal(as order) bool {
	return o.keys == as.keys && string(o.tail) == string(as.tail) && slices.EqualFunc(o.steps, as.steps, func(x, y orderStep) bool {
		return x.bare == y.bare && string(x.literal) == string(y.literal)
	})
}

// setShape sets the shape of the order, given a line and the places of its values.
func (o *order) setShape(line []byte, places []place) {
	from := 0
	for _, p := range places {
		kind, start, end := scan.Bare, p.start, p.end
		if line[start] == '"' {
			kind, start, end = scan.String, start+1, end-1
		}
		o.shape.Add(line[from:start], kind)
		from = end
	}
	o.shape.Add(append(bytes.Clone(line[from:]), scan.Newline), scan.None)
	_, n := o.shape.Find(nil, append(append(bytes.Clone(line), scan.Newline), make([]byte, scan.ShapeSlack)...))
	o.fast = n == len(line)+1
}

// A line that matches a shape adds one to the trust, another subtracts missWeight:
// if a fifth of the lines or more do not match, most are not tried.
const (
	missWeight = 4
	mostTrust  = 64
	notTried   = 1024
)

// tryShapes reports whether the next line is to be matched against known shapes.
func (o *orders) tryShapes() bool {
	o.learnShape = false
	if o.trust < 0 {
		o.trust++
		return false
	}
	return len(o.known) > 0
}

// nextAlike reads the next line of the block if it matches the shape of a known
// order, which also determines its end. ok is false if it does not, or if a value
// cannot be parsed: Parse then determines the verdict.
func (p *Parser) nextAlike(e *Entry) (line []byte, v Verdict, ok bool) {
	if p.carrier != nil || p.values.general {
		return nil, Parsed, false
	}
	r := &p.json
	if line, ok = r.match(p.formats[0], p.lines.block[p.lines.next:], &p.values, e); !ok {
		r.learnShape = scan.ShapesSupported
		if r.trust -= missWeight; r.trust < 0 {
			r.trust = -notTried
		}
		return nil, Parsed, false
	}
	r.trust = min(r.trust+1, mostTrust)
	p.lines.next += len(line) + 1
	r.settle()
	if v = p.complete(e); v.Rejected() && len(p.formats) > 1 {
		v = p.tryOthers(v, 1, line, nil, e)
	}
	return line, v, true
}

// match reads the line at the start of b by the shapes of all orders of f.
func (r *jsonReader) match(f *Format, b []byte, d *decoder, e *Entry) (line []byte, ok bool) {
	for i := range r.known {
		o := &r.known[i]
		if !o.fast || o.keys != f.keys {
			continue
		}
		var n int
		if r.spans, n = o.shape.Find(r.spans, b); n == 0 {
			continue
		}
		line = b[:n-1]
		e.Reset()
		d.start(f)
		d.escaped = false
		r.start(d, e)
		if r.readSpans(o, line) {
			r.used(i)
			return line, true
		}
	}
	return nil, false
}

// readSpans reads a line in the given order whose values are at r.spans and have no
// escapes. ok is false if one of them cannot be parsed.
func (r *jsonReader) readSpans(o *order, line []byte) (ok bool) {
	d, e := r.d, r.e
	for i, at := range r.spans {
		s := &o.steps[i]
		value := line[at.Start:at.End]
		if d.setUsual(e, s.usual, value) {
			continue
		}
		if s.bare {
			n, number := scan.Scalar(value)
			if n != len(value) {
				return false
			}
			if !number {
				value = nil
			}
		}
		r.take(s, value)
	}
	return r.verdict == Parsed
}

// usual returns f if setUsual can set it from a value of this kind, else
// fieldIgnored. Bare values, which may be words, are limited to numbers.
func usual(f fieldID, bare bool) fieldID {
	switch f {
	case fieldStatus, fieldBytes, fieldSeconds:
		return f
	}
	if bare {
		return fieldIgnored
	}
	return f
}

// setUsual implements set for the fields that nearly every line has, for values of
// their usual shape. ok is false if set is needed.
func (d *decoder) setUsual(e *Entry, f fieldID, b []byte) (ok bool) {
	if field.Missing(b) {
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
		if !field.PlainAddress(b) {
			return false
		}
		e.Client = b
	case fieldUpstreamStatus:
		if n, ok := field.Status(b); !ok || n < 100 {
			return false
		}
		e.HasUpstream, e.UpstreamStatus = true, b
	case fieldTime:
		last, micros := d.clock.Last()
		if string(b) != string(last) {
			return false
		}
		e.Time = micros
	case fieldStatus:
		n, ok := field.Status(b)
		if !ok {
			return false
		}
		e.Status = n
	case fieldBytes:
		n, ok := field.Integer(b)
		if !ok {
			return false
		}
		e.BodySize = n
	case fieldSeconds:
		us, ok := field.Seconds(b)
		if !ok {
			return false
		}
		e.Duration = us
	default:
		return false
	}
	return true
}
