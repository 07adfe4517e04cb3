package privacy

import (
	"bytes"
	"cmp"
	"slices"
)

// redacted replaces a credential.
const redacted = "REDACTED"

// Line is what a parser found out about the credentials of a raw line.
type Line struct {
	Session []byte   // the session id, or nil; every occurrence of it is redacted
	Secrets []Span   // where fields stand that hold credentials
	Values  [][]byte // values of such fields, which are redacted wherever they stand
	Unread  []Span   // parts that no format has read, in which anything may be a credential
}

// Span is a part of a line: the bytes from Start to End.
type Span struct{ Start, End int }

// shortestValue is the size in bytes from which a secret value is looked for in the rest of
// the line: shorter ones are part of other words.
const shortestValue = 4

// RedactLine appends a raw line of any format to dst without its credentials: those that
// known locates, and those that Redact finds.
func RedactLine(dst, line []byte, known *Line) []byte {
	var few [8]Span
	cuts := few[:0]
	for _, s := range known.Secrets {
		if s.Start < s.End && s.End <= len(line) {
			cuts = append(cuts, s)
		}
	}
	plain := plainView(line)
	cuts = known.occurrences(cuts, &plain)
	for _, s := range known.Unread {
		cuts = findUnread(cuts, &plain, s.Start, min(s.End, len(line)))
	}
	cuts = findCredentials(cuts, &plain)
	if encoded(line) {
		seen := viewOf(line)
		cuts = findCredentials(known.occurrences(cuts, &seen), &seen)
	}
	return appendWithout(dst, line, cuts)
}

// occurrences appends where the session id and the values stand in a view.
func (l *Line) occurrences(cuts []Span, v *view) []Span {
	find := func(value []byte) {
		if len(value) < shortestValue || string(value) == redacted {
			return
		}
		for from := 0; ; {
			i := bytes.Index(v.text[from:], value)
			if i < 0 {
				return
			}
			from += i + len(value)
			cuts = append(cuts, Span{v.source(from - len(value)), v.source(from)})
		}
	}
	find(l.Session)
	for _, value := range l.Values {
		find(value)
	}
	return cuts
}

// Redact appends b to dst without its credentials. Redacting a text twice is harmless.
//
// Credentials are looked for in b as it is written, and in what it means once fully decoded:
// as the value of another URL, in JSON.
func Redact(dst, b []byte) []byte {
	plain := plainView(b)
	cuts := findCredentials(nil, &plain)
	if encoded(b) {
		seen := viewOf(b)
		cuts = findCredentials(cuts, &seen)
	}
	return appendWithout(dst, b, cuts)
}

// appendWithout appends source to dst with the cuts, which may overlap, replaced.
func appendWithout(dst, source []byte, cuts []Span) []byte {
	if len(cuts) > 1 {
		slices.SortFunc(cuts, func(a, b Span) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End)) })
	}
	from := 0
	for i := 0; i < len(cuts); {
		start, end := cuts[i].Start, cuts[i].End
		for i++; i < len(cuts) && cuts[i].Start < end; i++ {
			end = max(end, cuts[i].End)
		}
		dst = append(append(dst, source[from:start]...), redacted...)
		from = end
	}
	return append(dst, source[from:]...)
}
