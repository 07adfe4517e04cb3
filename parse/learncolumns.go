package parse

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"

	"logscan/parse/field"
	"logscan/parse/infer"
	"logscan/parse/privacy"
)

// columns returns the format with the columns behind those that it knows.
func (l *learner) columns() *Format {
	return l.describe(func(f *Format, native string) *trailing {
		t := trailingOf(f, some(l.lines, detectLines))
		if t != nil {
			t.native = strings.TrimSuffix(native, `\n`)
		}
		return t
	})
}

// captured is the list of captured headers in the format strings of HAProxy.
const captured = "{%hr}"

// captures returns the format with the headers that HAProxy captures.
func (l *learner) captures() *Format {
	return l.describe(func(f *Format, native string) *trailing {
		before, after, ok := strings.Cut(native, captured)
		if !ok {
			return nil
		}
		t := capturedOf(f, some(l.lines, detectLines))
		if t != nil {
			t.native, t.after = before+captured[:1], captured[len(captured)-1:]+after
		}
		return t
	})
}

// describe returns the format with columns that it does not know. of returns those of the lines
// that a format reads, with its format string; nil if it does not read most of them.
func (l *learner) describe(of func(f *Format, native string) *trailing) *Format {
	var t *trailing
	for i, native := range append([]string{l.format.Native}, l.format.Shapes...) {
		g := *l.format
		g.programs = g.programs[i : i+1]
		if t = of(&g, native); t == nil {
			continue
		}
		spec, err := g.spec(native)
		if err != nil {
			return l.format
		}
		t.words, t.read = vocabularies[spec.Dialect], g.programs[0].reads
		break
	}
	if t == nil || t.words == nil {
		return l.format
	}
	t.describe()
	if !l.hasSessions() && !t.read[fieldSession] {
		var tries []*Format
		for i, f := range t.fields {
			if f != fieldIgnored || namesOther(t.name(i)) || !infer.Nearly(t.values(i), infer.LooksLikeSession) {
				continue
			}
			t.fields[i] = fieldSession
			if g, err := l.format.with(t.learned()); err == nil {
				tries = append(tries, g)
			}
			t.fields[i] = fieldIgnored
		}
		if g := l.best(tries); g != nil {
			return g
		}
	}
	if learned := t.learned(); learned.Native != "" {
		if g, err := l.format.with(learned); err == nil {
			return g
		}
	}
	return l.format
}

// trailingOf returns the columns behind those that a format knows, of most lines; nil if
// there are none that most lines have.
func trailingOf(f *Format, sample [][]byte) *trailing {
	t := columnsOf(f, sample, func(line []byte, unread []privacy.Span) (columns []infer.Column, shape string, ok bool) {
		last := unread[len(unread)-1]
		if last.End != len(line) {
			return nil, "", false
		}
		return infer.Split(line[last.Start:])
	})
	if t != nil {
		for i := range t.names {
			t.names[i] = infer.Name(t.lines, i)
		}
	}
	return t
}

// capturedOf returns the headers that HAProxy has captured, between braces and with bars between
// them, of most lines; nil if most lines do not have as many.
func capturedOf(f *Format, sample [][]byte) *trailing {
	return columnsOf(f, sample, func(line []byte, unread []privacy.Span) (columns []infer.Column, shape string, ok bool) {
		for value := range bytes.SplitSeq(line[unread[0].Start:unread[0].End], []byte("|")) {
			columns = append(columns, infer.Column{Value: value})
		}
		return columns, strconv.Itoa(len(columns)), true
	})
}

// columnsOf returns the columns in what a format does not read of most lines, nil if most have
// none of the same shape. split divides a line, of which it gets those parts.
func columnsOf(f *Format, sample [][]byte, split func(line []byte, unread []privacy.Span) (columns []infer.Column, shape string, ok bool)) *trailing {
	groups := map[string][][]infer.Column{}
	p := f.NewParser()
	var e Entry
	for _, line := range sample {
		v, known := p.ParseLocated(line, &e)
		if v != Parsed || len(known.Unread) == 0 {
			continue
		}
		if columns, shape, ok := split(line, known.Unread); ok {
			groups[shape] = append(groups[shape], columns)
		}
	}
	for _, lines := range groups {
		if n := len(lines[0]); 2*len(lines) > len(sample) {
			return &trailing{lines: lines, fields: make([]fieldID, n), names: make([]string, n)}
		}
	}
	return nil
}

// trailing is the columns behind those of a known format.
type trailing struct {
	lines  [][]infer.Column // of the same shape
	native string           // the known format string, before the columns
	after  string           // and behind them, if they are captured headers; else empty
	words  map[fieldID]string
	read   [numFields]bool // by the known format, and by columns
	fields []fieldID       // what the columns hold
	names  []string        // that all values of a column begin with, such as rt=
}

// vocabularies are the names of fields in format strings, by dialect. fieldIgnored stands
// for a column that is skipped, fieldUnread for one that may be a list; # is its number.
var vocabularies = map[string]map[fieldID]string{
	"nginx": {
		fieldSession: "$cookie_session", fieldCookie: "$http_cookie", fieldSeconds: "$request_time", fieldForwarded: "$http_x_forwarded_for",
		fieldUpstream: "$upstream_addr", fieldAgent: "$http_user_agent", fieldHost: "$host", fieldIgnored: "$column#", fieldUnread: "$upstream_column#",
	},
	"apache": {
		fieldSession: "%{session}C", fieldCookie: "%{Cookie}i", fieldSeconds: "%T", fieldForwarded: "%{X-Forwarded-For}i",
		fieldUpstream: "%{BALANCER_WORKER_NAME}e", fieldAgent: "%{User-Agent}i", fieldHost: "%{Host}i", fieldIgnored: "%{column#}n", fieldUnread: "%{upstream_column#}n",
	},
	"haproxy": {
		fieldSession: "%[req.hdr(x-session-id)]", fieldCookie: "%[req.hdr(cookie)]", fieldForwarded: "%[req.hdr(x-forwarded-for)]",
		fieldAgent: "%[req.hdr(user-agent)]", fieldHost: "%[req.hdr(host)]", fieldIgnored: "%[capture.req.hdr(#)]", fieldUnread: "%[capture.req.hdr(#)]",
	},
	"envoy": {
		fieldSession: "%REQ(X-SESSION-ID)%", fieldCookie: "%REQ(COOKIE)%", fieldForwarded: "%REQ(X-FORWARDED-FOR)%",
		fieldUpstream: "%UPSTREAM_HOST%", fieldAgent: "%REQ(USER-AGENT)%", fieldHost: "%REQ(:AUTHORITY)%", fieldIgnored: "%REQ(COLUMN-#)%", fieldUnread: "%REQ(UPSTREAM-COLUMN-#)%",
	},
}

// values returns the values of column i without its name.
func (t *trailing) values(i int) [][]byte {
	values := make([][]byte, len(t.lines))
	for n, line := range t.lines {
		values[n] = line[i].Value[len(t.names[i]):]
	}
	return values
}

// name returns the name that stands in front of the values of column i.
func (t *trailing) name(i int) string {
	name := cmp.Or(t.names[i], strings.TrimLeft(t.lines[0][i].Before, " \t"))
	return strings.ToLower(strings.TrimRight(name, "=:"))
}

// describe finds what the columns hold, but for session ids without a name.
func (t *trailing) describe() {
	for i := range t.fields {
		values, quoted := t.values(i), t.after != "" || t.lines[0][i].Open == '"'
		switch name := t.name(i); {
		case quoted && t.hasCookies(i):
			t.names[i] = ""
			t.set(i, fieldCookie)
		case name != "":
			t.set(i, named(name, values))
		case quoted && infer.Nearly(values, infer.IsAddresses):
			t.set(i, fieldForwarded)
		case quoted && infer.Nearly(values, infer.IsAgent):
			t.set(i, fieldAgent)
		case !quoted && infer.Nearly(values, infer.IsAddressPort):
			t.set(i, fieldUpstream)
		}
	}
	if i := t.duration(); i >= 0 {
		t.set(i, fieldSeconds)
	}
}

// set sets the field of a column, unless the format or another column has it.
func (t *trailing) set(i int, f fieldID) {
	if f != fieldIgnored && !t.read[f] && t.words[f] != "" {
		t.fields[i], t.read[f] = f, true
	}
}

// named returns the field of values with a name in front, if they can be that.
func named(name string, values [][]byte) fieldID {
	if field.IsSessionName(name) && infer.Nearly(values, infer.LooksLikeSession) {
		return fieldSession
	}
	switch json, _ := Lookup("json"); json.keys.find(hashOf(name)).field {
	case fieldSeconds:
		if infer.Nearly(values, infer.IsFraction) {
			return fieldSeconds
		}
	case fieldUpstream:
		return fieldUpstream
	case fieldHost:
		return fieldHost
	case fieldForwarded:
		if infer.Nearly(values, infer.IsAddresses) {
			return fieldForwarded
		}
	}
	if name == "rt" && infer.Nearly(values, infer.IsFraction) { // of nginx's request_time, as many call it
		return fieldSeconds
	}
	return fieldIgnored
}

// hasCookies reports whether column i is a list of cookies, of which some are session ids.
func (t *trailing) hasCookies(i int) bool {
	sessions := 0
	values := make([][]byte, len(t.lines))
	for n, line := range t.lines {
		if values[n] = line[i].Value; len(field.SessionCookie(values[n])) > 0 {
			sessions++
		}
	}
	return sessions > 0 && infer.Nearly(values, isCookies)
}

// isCookies reports whether b is a list of cookies: NAME=value; NAME=value.
func isCookies(b []byte) bool {
	for pair := range bytes.SplitSeq(b, []byte(";")) {
		if name, _, ok := bytes.Cut(pair, []byte("=")); !ok || bytes.ContainsAny(bytes.TrimSpace(name), " ,") {
			return false
		}
	}
	return true
}

// duration returns the column with the time that requests took, -1 if none is certain: of
// times in seconds with milli- or microseconds, it is the one that is never less than the
// others, which are parts of it.
func (t *trailing) duration() int {
	found := -1
	for i := range t.fields {
		if t.name(i) != "" || t.lines[0][i].Open != 0 || t.fields[i] != fieldIgnored || !infer.Nearly(t.values(i), isDuration) {
			continue
		}
		if found < 0 || t.includes(i, found) {
			found = i
		} else if !t.includes(found, i) {
			return -1
		}
	}
	return found
}

// includes reports whether the times in column i are never less than those in column j.
func (t *trailing) includes(i, j int) bool {
	for _, line := range t.lines {
		a, ok := field.Seconds(line[i].Value)
		if b, both := field.Seconds(line[j].Value); ok && both && a < b {
			return false
		}
	}
	return true
}

// isDuration reports whether b is a number of seconds with milli- or microseconds.
func isDuration(b []byte) bool {
	_, fraction, _ := bytes.Cut(b, []byte("."))
	return infer.IsFraction(b) && (len(fraction) == 3 || len(fraction) == 6)
}

// learned returns the format string with the columns up to the last one whose field is known;
// it is empty if none is.
func (t *trailing) learned() (l Learned) {
	last := len(t.fields) - 1
	for last >= 0 && t.fields[last] == fieldIgnored {
		last--
	}
	if last < 0 {
		return l
	}
	if t.after != "" {
		last = len(t.fields) - 1
	}
	var b strings.Builder
	b.WriteString(t.native)
	for i, c := range t.lines[0][:last+1] {
		word := t.fields[i]
		if word == fieldIgnored && c.Open == 0 && infer.Nearly(t.values(i), isListed) {
			word = fieldUnread
		}
		number := i + 1
		if t.after != "" { // HAProxy counts from 0
			number = i
		}
		text := t.names[i] + strings.ReplaceAll(t.words[word], "#", strconv.Itoa(number))
		switch {
		case t.after == "" && i == 0:
			b.WriteByte(' ')
		case t.after != "" && i > 0:
			b.WriteByte('|')
		}
		b.WriteString(c.Before)
		switch c.Open {
		case '"':
			text = `"` + text + `"`
		case '[':
			text = "[" + text + "]"
		}
		b.WriteString(text)
	}
	b.WriteString(t.after)
	return Learned{Native: b.String(), Whole: last == len(t.fields)-1}
}

// isListed reports whether b may be one of a list, as servers write it for requests that they
// try with several backends.
func isListed(b []byte) bool { return infer.IsFraction(b) || infer.IsAddress(b) }
