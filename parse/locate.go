package parse

import (
	"bytes"

	"logscan/parse/field"
	"logscan/parse/privacy"
)

// located collects where the credentials of a line stand while it is parsed once more. The
// name of a field in its format says that it holds one, whatever its value looks like.
type located struct {
	line  []byte
	loose bool // the line was rejected: read on after values that cannot be parsed
	found privacy.Line

	session []byte // memory for found.Session
}

// Locate returns where the credentials of a line stand, for privacy.RedactLine. v is the
// verdict of Parse, and line what Line returned; the result is about Kept(line) and valid
// until the next call. The parser's Mask then knows this line.
func (p *Parser) Locate(line []byte, v Verdict) *privacy.Line {
	var e Entry
	_, known := p.locate(line, &e, v.Rejected())
	return known
}

// ParseLocated is Parse and Locate in one, for a line that is not rejected.
func (p *Parser) ParseLocated(line []byte, e *Entry) (Verdict, *privacy.Line) {
	return p.locate(line, e, false)
}

// locate parses a line, and returns where its credentials stand. rejected says that it was
// rejected before.
func (p *Parser) locate(line []byte, e *Entry, rejected bool) (Verdict, *privacy.Line) {
	d := &p.values
	general, l := d.general, &d.locating
	l.start(Kept(line), rejected)
	d.general, d.located = true, l // the fast paths do not report fields
	v := p.Parse(line, e)
	if v == Parsed {
		l.session = append(l.session[:0], e.Session...)
		if l.found.Session = l.session; d.mask != nil {
			l.found.Session = d.mask.LoggedSession()
		}
	}
	d.general, d.located = general, nil
	if rejected { // nobody has read it
		l.found.Unread = append(l.found.Unread, privacy.Span{Start: 0, End: len(l.line)})
	}
	return v, &l.found
}

// start begins a line.
func (l *located) start(line []byte, loose bool) {
	f := &l.found
	l.line, l.loose = line, loose
	*f = privacy.Line{Secrets: f.Secrets[:0], Values: f.Values[:0], Unread: f.Unread[:0]}
}

// goesOn reports whether fields after one that cannot be parsed are read.
func (l *located) goesOn() bool { return l != nil && l.loose }

// field notes the value of a field, as logged.
func (l *located) field(f fieldID, b []byte) {
	if field.Missing(b) {
		return
	}
	switch f {
	case fieldCookie, fieldAuthorization, fieldSession, fieldSecret:
		if at, ok := l.at(b); ok {
			l.found.Secrets = append(l.found.Secrets, at)
		} else {
			l.found.Values = append(l.found.Values, bytes.Clone(b))
		}
	case fieldUnread, fieldForwarded, fieldForwardedHeader, fieldRealIP: // headers, which clients choose
		l.unread(b)
	}
}

// unread notes a part of the line that no field is for.
func (l *located) unread(b []byte) {
	if at, ok := l.at(b); ok {
		l.found.Unread = append(l.found.Unread, at)
	}
}

// at returns where b, a part of the line, stands in it. ok is false if b was decoded from
// the line.
func (l *located) at(b []byte) (s privacy.Span, ok bool) {
	i := cap(l.line) - cap(b) // of two parts of one array that end where it does
	if len(b) == 0 || i < 0 || i+len(b) > len(l.line) || &l.line[i] != &b[0] {
		return s, false
	}
	return privacy.Span{Start: i, End: i + len(b)}, true
}

// cutOff returns the verdict about a line that ends within field f, whose value begins
// with rest.
func (d *decoder) cutOff(f fieldID, rest []byte) Verdict {
	if d.located.goesOn() {
		d.located.field(f, rest)
	}
	return RejectSyntax
}
