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
}

// Locate returns where the credentials of a line stand, for privacy.RedactLine. v is the
// verdict of Parse, and line what Line returned; the result is about Kept(line). The
// parser's Mask then knows this line.
func (p *Parser) Locate(line []byte, v Verdict) *privacy.Line {
	d := &p.values
	general := d.general
	l := &located{line: Kept(line), loose: v.Rejected()}
	d.general, d.located = true, l // the fast paths do not report fields
	var e Entry
	if again := p.Parse(line, &e); again == Parsed {
		l.found.Session = bytes.Clone(e.Session)
		if d.mask != nil {
			l.found.Session = d.mask.LoggedSession()
		}
	}
	d.general, d.located = general, nil
	if l.loose { // nobody has read it
		l.found.Unread = append(l.found.Unread, privacy.Span{Start: 0, End: len(l.line)})
	}
	return &l.found
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
