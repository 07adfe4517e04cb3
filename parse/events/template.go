package events

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"logscan/parse/field"
)

// A template is a text with fields in braces, such as "Failed login for {user} from
// {client}". Some fields are free text that may come from an attacker, who may write
// there what looks like the rest of the line. So all ways to match a line are tried:
// if they differ in the client or in the reason, neither is stated.

// slot is the meaning of a field of a template, or of a key.
type slot uint8

const (
	slotNone slot = iota
	slotTime
	slotClient
	slotUser
	slotReason
	slotCode
	slotMethod
	slotTarget
	slotHost
	slotConnection
	slotID
	slotSession
	slotService
	slotLevel
	slotMessage
	slotMark      // identifies the log
	slotStatus    // HTTP status, or a word for the outcome
	slotForwarded // addresses of a client and of proxies
	slotMore      // what else a reader looks at
	numSlots
)

// captures are the texts of the fields of a line.
type captures [numSlots][]byte

// pieceKind is how a piece of a template matches.
type pieceKind uint8

const (
	literal pieceKind = iota
	stamp             // a time
	address           // an address, perhaps with a port
	word              // a text without blanks
	digits
	lazy // any text, up to the first occurrence of the next literal
	free // any text, up to an occurrence of the next literal
	tail // nothing, or what a server adds to a message
)

type piece struct {
	kind pieceKind
	slot slot
	text string // of a literal
}

// template is a compiled template. It is immutable.
type template []piece

// templateFields are the fields that templates may have.
var templateFields = map[string]piece{
	"time": {stamp, slotTime, ""}, "client": {address, slotClient, ""}, "user": {free, slotUser, ""}, "reason": {free, slotReason, ""}, "why": {lazy, slotReason, ""},
	"name": {word, slotUser, ""}, "code": {word, slotCode, ""}, "method": {word, slotMethod, ""}, "target": {word, slotTarget, ""}, "uri": {free, slotTarget, ""},
	"host": {word, slotHost, ""}, "connection": {digits, slotConnection, ""}, "id": {word, slotID, ""}, "service": {word, slotService, ""},
	"level": {word, slotLevel, ""}, "forwarded": {lazy, slotForwarded, ""}, "mark": {lazy, slotMark, ""}, "status": {digits, slotStatus, ""}, "message": {free, slotMessage, ""},
	"address": {address, slotNone, ""}, "word": {word, slotNone, ""}, "digits": {digits, slotNone, ""}, "skip": {lazy, slotNone, ""}, "text": {free, slotNone, ""}, "tail": {tail, slotNone, ""},
}

// newTemplate compiles the text of a template. The texts are constants of this package,
// or made of escaped ones, so a wrong one is a bug.
func newTemplate(text string) (t template) {
	for len(text) > 0 {
		open := fieldStart(text)
		if open < 0 {
			return append(t, piece{literal, slotNone, text})
		}
		if open > 0 {
			t = append(t, piece{literal, slotNone, text[:open]})
		}
		end := -1
		if n := strings.IndexByte(text[open:], '}'); n >= 0 {
			end = open + n
		}
		p, ok := templateFields[text[open+1:max(end, open+1)]]
		if !ok {
			panic(fmt.Sprintf("BUG: template %q", text))
		}
		t, text = append(t, p), text[end+1:]
	}
	return t
}

// fieldStart returns the offset of the brace of the first field in the text of a template,
// -1 if there is none. A brace before anything but a letter is itself.
func fieldStart(text string) int {
	for i := range len(text) - 1 {
		if text[i] == '{' && text[i+1]-'a' <= 'z'-'a' {
			return i
		}
	}
	return -1
}

// first returns what texts that match begin with.
func (t template) first() string {
	if len(t) > 0 && t[0].kind == literal {
		return t[0].text
	}
	return ""
}

// maxTries is how many occurrences of literals after free text are tried for a line.
// A line that needs more has been made for that.
const maxTries = 64

// match matches a whole line. ok reports whether it matches; then c has its fields.
// Those on which the ways to match it do not agree are nil.
func (t template) match(line []byte, c *captures) (ok bool) {
	if len(t) > 0 && t[0].kind == literal && !hasPrefix(line, t[0].text) {
		return false // as most do not
	}
	if first, text, last := t.plain(); text != nil {
		if ok = len(line) >= len(first)+len(last) && string(line[len(line)-len(last):]) == last; ok {
			*c = captures{}
			c[text.slot] = line[len(first) : len(line)-len(last)]
		}
		return ok
	}
	m := matcher{pieces: t, line: line}
	m.from(0, 0)
	if m.matches > 0 {
		*c = m.found
	}
	if m.matches > 0 && m.tries > maxTries {
		m.doubtful = [numSlots]bool{slotClient: true, slotReason: true, slotUser: true, slotStatus: true, slotCode: true}
	}
	for s, doubtful := range m.doubtful {
		if doubtful {
			c[s] = nil
		}
	}
	return m.matches > 0
}

// plain returns the parts of a template that is one free text between two literals, which
// matches in one way; nil if it is another.
func (t template) plain() (first string, text *piece, last string) {
	if len(t) != 3 || t[0].kind != literal || t[1].kind != free || t[2].kind != literal {
		return "", nil, ""
	}
	return t[0].text, &t[1], t[2].text
}

// matcher is the state of matching a line.
type matcher struct {
	pieces   []piece
	line     []byte
	now      captures // on the current way
	found    captures // on the first that matched
	matches  int
	doubtful [numSlots]bool // two ways differ in the field
	tries    int
}

// from matches the pieces from the i-th on with the line from offset at on.
func (m *matcher) from(i, at int) {
	for ; i < len(m.pieces); i++ {
		p := &m.pieces[i]
		rest := m.line[at:]
		n := 0
		switch p.kind {
		case literal:
			if !hasPrefix(rest, p.text) {
				return
			}
			at += len(p.text)
			continue
		case tail:
			if !isTail(rest) {
				return
			}
			at = len(m.line)
			continue
		case free:
			if i+1 < len(m.pieces) {
				m.eachEnd(i, at)
				return
			}
			n = len(rest)
		default:
			if n = p.length(rest, m.next(i)); n < 0 {
				return
			}
		}
		m.now[p.slot] = rest[:n]
		at += n
	}
	if at == len(m.line) {
		m.accept()
	}
}

// next returns the literal after the i-th piece, empty if there is none.
func (m *matcher) next(i int) string {
	if i+1 < len(m.pieces) {
		return m.pieces[i+1].text
	}
	return ""
}

// eachEnd tries each end of the free text that is the i-th piece and begins at offset
// at.
func (m *matcher) eachEnd(i, at int) {
	p := &m.pieces[i]
	if m.pieces[i+1].kind != literal { // a tail
		m.now[p.slot] = m.line[at:]
		m.from(i+1, len(m.line))
		return
	}
	if !slices.ContainsFunc(m.pieces[i+1:], func(p piece) bool { return p.kind == free || p.kind == lazy || p.kind == tail }) {
		m.lastEnd(i, at)
		return
	}
	for from := at; m.tries <= maxTries; m.tries++ {
		n := index(m.line[from:], m.pieces[i+1].text)
		if n < 0 {
			return
		}
		m.now[p.slot] = m.line[at : from+n]
		m.from(i+1, from+n)
		from += n + 1
	}
}

// lastEnd is eachEnd if no other text is free: then the last end that matches is the only
// one.
func (m *matcher) lastEnd(i, at int) {
	next := m.pieces[i+1].text
	for end := len(m.line); m.tries <= maxTries; {
		n := bytes.LastIndexByte(m.line[at:end], next[0])
		if n < 0 {
			return
		}
		if end = at + n; !hasPrefix(m.line[end:], next) {
			continue
		}
		m.tries++
		m.now[m.pieces[i].slot] = m.line[at:end]
		matches := m.matches
		if m.from(i+1, end); m.matches > matches {
			return
		}
	}
}

// accept records a way to match the line: the first one, and whether others differ.
func (m *matcher) accept() {
	if m.matches++; m.matches == 1 {
		m.found = m.now
		return
	}
	for _, s := range [...]slot{slotClient, slotReason, slotStatus, slotCode} {
		m.doubtful[s] = m.doubtful[s] || !bytes.Equal(m.found[s], m.now[s])
	}
	m.doubtful[slotUser] = m.doubtful[slotClient]
}

// length returns the length of the field at the start of b, before the literal next, -1
// if there is none.
func (p *piece) length(b []byte, next string) int {
	switch p.kind {
	case stamp:
		return stampLength(b)
	case address:
		return addressLength(b)
	case lazy:
		if next == "" {
			return len(b)
		}
		return index(b, next)
	case digits:
		n := 0
		for n < len(b) && b[n]-'0' <= 9 {
			n++
		}
		return orNone(n)
	}
	n := len(b)
	if next != "" {
		if n = index(b, next); n < 0 {
			return -1
		}
	} else if i := bytes.IndexByte(b, ' '); i >= 0 {
		n = i
	}
	if bytes.IndexByte(b[:n], ' ') >= 0 {
		return -1
	}
	return orNone(n)
}

func orNone(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// addressLength returns the length of the address at the start of b, with its port.
func addressLength(b []byte) int {
	n := 0
	for n < len(b) && (b[n]-'0' <= 9 || b[n]|0x20-'a' <= 'z'-'a' || b[n] == '.' || b[n] == ':' || b[n] == '[' || b[n] == ']' || b[n] == '%') {
		n++
	}
	for n > 0 && (b[n-1] == ':' || b[n-1] == '.') { // of the sentence
		n--
	}
	if n > 0 && b[n-1] == ']' && b[0] != '[' {
		n--
	}
	if n == 0 || !field.IsAddress(b[:n]) {
		return -1
	}
	return n
}

// isTail reports whether b is nothing, or what a server adds to a message.
func isTail(b []byte) bool { return len(b) == 0 || hasPrefix(b, " while ") || hasPrefix(b, " (") }

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

// index returns the offset of s in b, -1 if it is not there.
func index(b []byte, s string) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], s[0])
		if i < 0 {
			return -1
		}
		if at += i; hasPrefix(b[at:], s) {
			return at
		}
		at++
	}
}

// set stores the texts of fields in e.
func (c *captures) set(e *Event) {
	if b := c[slotTime]; len(b) > 0 && e.Time == 0 {
		e.setTime(b)
	}
	if b := c[slotClient]; len(b) > 0 {
		e.setClient(b)
	}
	if b := c[slotForwarded]; len(b) > 0 {
		if client, ok := field.Client(&e.memory, b); ok {
			e.Client, e.Port = client, nil
		}
	}
	set := func(to *[]byte, of slot) {
		if b := c[of]; len(b) > 0 && !field.Missing(b) {
			*to = b
		}
	}
	set(&e.User, slotUser)
	set(&e.Code, slotCode)
	set(&e.Method, slotMethod)
	set(&e.Target, slotTarget)
	set(&e.Host, slotHost)
	set(&e.Connection, slotConnection)
	set(&e.RequestID, slotID)
	set(&e.Session, slotSession)
	set(&e.Service, slotService)
	set(&e.Message, slotMessage)
}

// lastStamp is the last time that was read. Those of neighbouring lines are often the same.
type lastStamp struct {
	text  [longestStamp]byte
	size  int // of the text; 0 for none
	stamp field.Stamp
}

// longestStamp is the length of the longest time that is kept, "2026-03-09T14:05:00.123456+00:00".
const longestStamp = 32

// is reports whether b is the last time.
func (l *lastStamp) is(b []byte) bool { return len(b) > 0 && string(b) == string(l.text[:l.size]) }

// sameDay makes b the last time if it has the shape and the day of the last one, both without
// a zone: "2026/03/09 14:05:00". It reports whether it has.
func (l *lastStamp) sameDay(b []byte) bool {
	const day = len("2026/03/09 ")
	if l.size != len(b) || l.size != day+len("14:05:00") || l.stamp.Zoned || string(b[:day]) != string(l.text[:day]) {
		return false
	}
	last, next := secondOfDay(l.text[day:]), secondOfDay(b[day:])
	if last < 0 || next < 0 {
		return false
	}
	l.stamp.Micros += (next - last) * 1e6
	copy(l.text[:], b)
	return true
}

// secondOfDay returns the second of "14:05:00", which b begins with, -1 if it is not one.
func secondOfDay(b []byte) int64 {
	two := func(i int) int64 {
		if b[i]-'0' > 9 || b[i+1]-'0' > 9 {
			return 99
		}
		return int64(b[i]-'0')*10 + int64(b[i+1]-'0')
	}
	hour, minute, second := two(0), two(3), two(6)
	if b[2] != ':' || b[5] != ':' || hour > 23 || minute > 59 || second > 59 {
		return -1
	}
	return (hour*60+minute)*60 + second
}

// setTime stores a time, if b is one with a date.
func (e *Event) setTime(b []byte) {
	l := &e.stamp
	if !l.is(b) {
		s, ok := field.ParseStamp(b)
		if !ok {
			return
		}
		l.stamp, l.size = s, 0
		if len(b) <= longestStamp {
			l.size = copy(l.text[:], b)
		}
	}
	e.Time, e.Local, e.Resolution = l.stamp.Micros, !l.stamp.Zoned, l.stamp.Resolution
}

// setClient stores an address, perhaps with a port. Anything else is ignored.
func (e *Event) setClient(b []byte) {
	switch {
	case field.IsIPv4(b): // without a port
		e.Client = b
		return
	case len(b) == 0, !field.IsAddress(b):
		return
	}
	if i := bytes.LastIndexByte(b, ':'); i > 0 && i+1 < len(b) && (b[i-1] == ']' || bytes.IndexByte(b, ':') == i) {
		e.Port = b[i+1:]
	}
	e.Client = field.Address(&e.memory, b)
}
