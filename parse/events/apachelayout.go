package events

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"logscan/parse/scan"
)

// layout is a compiled ErrorLogFormat: fields that are separated by blanks. Apache
// leaves out a field in which an item is empty, with the blank before it.
// https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat
type layout struct {
	before, after []layoutField // the field with the message
	message       layoutField
	anyVersion    bool // it reads lines of version 2.2 too: any field may be missing, and the port
	undated       bool // it has no time
}

// layoutField is what stands between two blanks of the format.
type layoutField struct {
	pieces   []piece
	blank    bool // before it
	optional bool // it has an item, which may be empty
}

// apacheDefault is Apache's own format after the time, with and without threads, and that of
// version 2.2, which has neither module nor process.
const apacheDefault = `[%-m:%l] [%l] [pid %P:tid %T] %7F: %E: [client\ %a] %M% ,\ referer:\ %{Referer}i`

// maxLayout is the greatest length of a format in bytes, and of the number of its fields.
const (
	maxLayout       = 4 << 10
	maxLayoutFields = 100
)

// newLayout compiles a format.
func newLayout(format string) (*layout, error) {
	if len(format) > maxLayout {
		return nil, fmt.Errorf("more than %d bytes", maxLayout)
	}
	p := layoutParser{layout: &layout{}}
	p.field.blank = true
	for i := 0; i < len(format); {
		n, err := p.read(format[i:])
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", i, err)
		}
		i += n
	}
	p.end(true)
	switch {
	case !p.hasMessage:
		return nil, errors.New("no %M, the message")
	case len(p.layout.before)+len(p.layout.after) > maxLayoutFields:
		return nil, fmt.Errorf("more than %d fields", maxLayoutFields)
	}
	p.layout.undated = !p.hasTime
	return p.layout, nil
}

// layoutParser is the state of compiling a format.
type layoutParser struct {
	layout     *layout
	field      layoutField // the current one
	inMessage  bool        // it has the message
	hasMessage bool
	hasTime    bool
}

// read reads the beginning of a format and returns its length.
func (p *layoutParser) read(s string) (n int, err error) {
	switch {
	case s[0] == '\\' && len(s) > 1:
		p.literal(s[1:2])
		return 2, nil
	case s[0] == ' ':
		p.end(true)
		return 1, nil
	case s[0] != '%':
		p.literal(s[:1])
		return 1, nil
	case len(s) > 1 && s[1] == '%':
		p.literal("%")
		return 2, nil
	case len(s) > 1 && s[1] == ' ': // a new field without a blank
		p.end(false)
		return 2, nil
	}
	n = 1
	for n < len(s) && (s[n] == '-' || s[n] == '+' || s[n]-'0' <= 9) {
		n++
	}
	argument := ""
	if n < len(s) && s[n] == '{' {
		end := strings.IndexByte(s[n:], '}')
		if end < 0 {
			return 0, errors.New("a { without its }")
		}
		argument = s[n+1 : n+end]
		n += end + 1
	}
	if n == len(s) {
		return 0, errors.New("a % without an item")
	}
	return n + 1, p.item(s[n], argument)
}

func (p *layoutParser) literal(text string) {
	if n := len(p.field.pieces); n > 0 && p.field.pieces[n-1].kind == literal {
		p.field.pieces[n-1].text += text
		return
	}
	p.field.pieces = append(p.field.pieces, piece{kind: literal, text: text})
}

// layoutItems are the items without an argument.
var layoutItems = map[byte]piece{
	'a': {kind: word, slot: slotClient}, 'A': {kind: word}, 'F': {kind: word, slot: slotMore}, 'k': {kind: digits}, 'l': {kind: word, slot: slotLevel},
	'L': {kind: word, slot: slotID}, 'm': {kind: word, slot: slotMark}, 'P': {kind: digits}, 'T': {kind: digits}, 't': {kind: stamp, slot: slotTime},
	'v': {kind: word}, 'V': {kind: word, slot: slotHost}, 'E': {kind: lazy, slot: slotMore}, 'M': {kind: free, slot: slotMessage},
}

// idNames are the environment variables, headers and notes that hold the id of a
// request, in lower case.
var idNames = map[string]bool{"unique_id": true, "request_id": true, "x-request-id": true, "x-correlation-id": true, "x-amzn-trace-id": true, "traceparent": true}

// item adds an item.
func (p *layoutParser) item(letter byte, argument string) error {
	x, ok := layoutItems[letter]
	switch letter {
	case 'e', 'i', 'n':
		ok = argument != ""
		x = piece{kind: free}
		switch name := strings.ToLower(argument); {
		case idNames[name]:
			x = piece{kind: word, slot: slotID}
		case name == "host" && letter == 'i':
			x = piece{kind: word, slot: slotHost}
		}
	case 'a':
		if argument == "c" {
			x.slot = slotNone
		}
	case 'L':
		if argument != "" {
			x.slot = slotConnection
		}
	case 't':
		p.hasTime = true
	case 'M':
		if p.hasMessage {
			return errors.New("%M twice")
		}
		p.inMessage, p.hasMessage = true, true
	}
	if !ok {
		return fmt.Errorf("no such item: %%%c", letter)
	}
	if n := len(p.field.pieces); n > 0 && p.field.pieces[n-1].kind != literal {
		before := &p.field.pieces[n-1]
		if before.slot == slotMessage {
			return fmt.Errorf("%%M ends nowhere: %%%c follows at once", letter)
		}
		if x.kind != digits || before.kind == free || before.kind == lazy {
			before.kind = word // nothing says where the one ends and the other begins
		}
	}
	p.field.pieces = append(p.field.pieces, x)
	p.field.optional = true
	return nil
}

// end ends the current field. blank reports whether a blank stands before the next one.
func (p *layoutParser) end(blank bool) {
	switch {
	case len(p.field.pieces) == 0:
	case p.inMessage:
		p.layout.message = p.field
	case p.hasMessage:
		p.layout.after = append(p.layout.after, p.field)
	default:
		p.layout.before = append(p.layout.before, p.field)
	}
	p.field, p.inMessage = layoutField{blank: blank}, false
}

// match matches the parts of a line. It reports false if they are not there.
func (l *layout) match(line []byte, c *captures) bool {
	at := 0
	for i := range l.before {
		f := &l.before[i]
		from, ok := at, true
		if f.blank && at > 0 {
			ok = hasPrefix(line[at:], " ")
			from++
		}
		end := at
		if ok {
			end, ok = f.match(line, from, c)
		}
		switch {
		case ok:
			at = end
		case !f.optional && !l.anyVersion:
			return false
		}
	}
	if at > 0 && l.message.blank {
		if !hasPrefix(line[at:], " ") {
			return false
		}
		at++
	}
	end := len(line)
	for i := len(l.after) - 1; i >= 0; i-- {
		end = l.after[i].matchLast(line, at, end, c)
	}
	_, ok := l.message.match(line[:end], at, c)
	return ok
}

// match matches the field at offset at, and returns the offset after it.
func (f *layoutField) match(line []byte, at int, c *captures) (end int, ok bool) {
	var found captures
	for i := range f.pieces {
		p := &f.pieces[i]
		rest := line[at:]
		n := 0
		switch {
		case p.kind == literal:
			if !hasPrefix(rest, p.text) {
				return 0, false
			}
			n = len(p.text)
		case p.kind == free && i+1 == len(f.pieces):
			n = len(rest)
		case p.slot == slotMore && p.kind == word:
			n = sourceLength(rest)
		case p.slot == slotMore:
			n = errnoLength(rest)
		case p.kind == free && i+1 < len(f.pieces):
			n = index(rest, f.pieces[i+1].text)
		default:
			if n = p.length(rest, f.next(i)); n < 0 && hasPrefix(rest, "-") {
				n = 1
			}
		}
		if n < 0 {
			return 0, false
		}
		found[p.slot] = rest[:n]
		at += n
	}
	for i := range f.pieces {
		c[f.pieces[i].slot] = found[f.pieces[i].slot]
	}
	return at, true
}

// next returns the literal after the i-th piece, empty if there is none.
func (f *layoutField) next(i int) string {
	if i+1 < len(f.pieces) {
		return f.pieces[i+1].text
	}
	return ""
}

// matchLast matches the field as the last one of line[at:end], and returns where it
// begins: end if it is not there. Free text begins at the first place where it may: the
// message before it is the server's.
func (f *layoutField) matchLast(line []byte, at, end int, c *captures) int {
	from := end
	if text := f.pieces[0].text; text != "" {
		from = bytes.LastIndex(line[at:end], []byte(text))
		if f.pieces[len(f.pieces)-1].kind == free {
			from = index(line[at:end], text)
		}
		if from < 0 {
			return end
		}
		from += at
	} else if f.blank {
		from = at + bytes.LastIndexByte(line[at:end], ' ') + 1
	}
	if n, ok := f.match(line[:end], from, c); !ok || n != end {
		return end
	}
	if f.blank && from > at && line[from-1] == ' ' {
		from--
	}
	return from
}

// errnoLength returns the length of "(13)Permission denied" before ": ", -1 if b does
// not begin so.
func errnoLength(b []byte) int {
	if !hasPrefix(b, "(") {
		return -1
	}
	n := 1
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	if n == 1 || n == len(b) || b[n] != ')' {
		return -1
	}
	return index(b, ": ")
}

// sourceLength returns the length of "mod_auth_basic.c(360)", -1 if b does not begin so.
func sourceLength(b []byte) int {
	file, rest, ok := cut(b, "(")
	line, _, closed := cut(rest, ")")
	if !ok || !closed || !scan.AllDigits(line) || index(file, " ") >= 0 {
		return -1
	}
	return len(file) + len(line) + 2
}
