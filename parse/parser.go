package parse

import (
	"bytes"
	"time"

	"logscan/parse/carrier"
	"logscan/parse/events"
	"logscan/parse/field"
	"logscan/parse/privacy"
)

// Parser parses the lines of one format, or of several that are mixed in an
// input. It owns scratch memory, so each goroutine needs its own.
type Parser struct {
	formats []*Format        // tried in this order
	carrier *carrier.Carrier // nil if no format has one
	texts   carrier.Reader

	lines  lines
	values decoder
	json   jsonReader
	header header
	event  events.Event // of the last line of a log without requests

	eventLog *events.Log // whose line that was, until Event has returned it
}

// NewParser returns a parser of the format.
func (f *Format) NewParser() *Parser { return NewParser(f) }

// NewParser returns a parser of several formats: a line that the first does not
// explain is tried with the others, in this order. The result for a line does not
// depend on the lines before it, except for directives and partial lines.
func NewParser(formats ...*Format) *Parser {
	p := &Parser{formats: formats, values: newDecoder(Options{})}
	p.values.format = formats[0]
	for _, f := range formats {
		if p.carrier == nil {
			p.carrier = f.carrier
		}
		if p.header.format == nil && f.kind == kindW3C {
			p.header.format = f
			p.header.reset()
		}
	}
	return p
}

// Configure applies o to all lines parsed from now on. Of events that are about nothing of
// authentication, only their outcome is read then.
func (p *Parser) Configure(o Options) {
	p.event.Brief = true
	general := p.values.general
	p.values = newDecoder(o)
	p.values.format, p.values.general = p.formats[0], general
}

// SetReference changes Options.Reference, for a parser that goes from file to
// file.
func (p *Parser) SetReference(t time.Time) { p.values.clock.SetReference(t) }

// Mask returns what makes the parser's pseudonyms, nil if Options asks for none.
// It recognises the names in the last line that was parsed.
func (p *Parser) Mask() *privacy.Mask { return p.values.mask }

// Parse parses one line, without its terminator, into e. See Entry for how long e
// is valid.
func (p *Parser) Parse(line []byte, e *Entry) Verdict {
	p.lines.known = nil
	if p.formats[0].prefixed && p.parseCommon(line, e) {
		return p.complete(e)
	}
	return p.parse(line, e)
}

// parse implements Parse for a line whose delimiters may be known.
func (p *Parser) parse(line []byte, e *Entry) Verdict {
	e.Reset()
	p.json.rest = nil
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
		if len(p.lines.known) == n {
			p.lines.known = line
		}
	}
	if len(line) == 0 {
		return SkipBlank
	}
	if line[0] == byteOrderMark[0] {
		if line = bytes.TrimPrefix(line, []byte(byteOrderMark)); len(line) == 0 {
			return SkipBlank
		}
	}
	if line[0] <= '#' {
		if v := p.skip(&line); v != Parsed {
			return v
		}
	}
	if p.carrier != nil {
		return p.parseCarried(line, e)
	}
	v := p.parseAs(p.formats[0], line, e)
	if v.Rejected() && (len(p.formats) > 1 || p.formats[0].rest) {
		return p.tryOthers(v, 1, line, nil, e)
	}
	return v
}

// skip returns SkipBlank or SkipComment for a line without a request, else Parsed.
// It reads directives, and removes one that Line has put before a line.
func (p *Parser) skip(line *[]byte) Verdict {
	if l := *line; len(l) > 0 && l[0] == '#' {
		if p.header.format == nil {
			return SkipComment
		}
		i := bytes.IndexByte(l, '\n')
		if i < 0 || i+1 == len(l) {
			p.header.read(l)
			return SkipComment
		}
		p.header.read(l[:i])
		*line = l[i+1:]
		return Parsed
	}
	if len(bytes.TrimLeft(*line, " \t")) == 0 {
		return SkipBlank
	}
	return Parsed
}

// parseCarried parses a line that may carry another.
func (p *Parser) parseCarried(line []byte, e *Entry) Verdict {
	text, result := p.texts.Read(p.carrier, line)
	switch result {
	case carrier.Foreign:
		return p.unlessMessage(p.tryOthers(RejectSyntax, 0, line, nil, e), line)
	case carrier.Continues:
		return SkipPartial
	case carrier.TooLong:
		return RejectTooLong
	case carrier.Damaged:
		return RejectSyntax
	}
	if len(text) == 0 {
		return SkipBlank
	}
	if text[0] <= '#' {
		if v := p.skip(&text); v != Parsed {
			return v
		}
	}
	v := p.unlessMessage(p.tryOthers(RejectSyntax, 0, p.texts.Line(line), text, e), line)
	if p.json.rest != nil { // only objects in the lines themselves can be read one by one
		p.json.rest = nil
		return RejectJSON
	}
	return v
}

// unlessMessage returns the verdict on a line, SkipNotice for one that is rejected and only a
// message beside requests.
func (p *Parser) unlessMessage(v Verdict, line []byte) Verdict {
	if v.Rejected() && p.carrier.Message(line) {
		return SkipNotice
	}
	return v
}

// tryOthers tries the formats from the n-th on with a line that those before have
// rejected with verdict v. text is the text that the line carries, nil if none.
func (p *Parser) tryOthers(v Verdict, n int, line, text []byte, e *Entry) Verdict {
	for _, f := range p.formats[n:] {
		b := line
		if f.carrier != nil {
			if b = text; b == nil {
				continue
			}
		}
		e.Reset()
		if w := p.parseAs(f, b, e); !w.Rejected() {
			if f.kind != kindJSON {
				p.json.rest = nil // it has read all of the line
			}
			return w
		}
	}
	e.Reset()
	if p.formats[0].rest {
		return SkipErrorLog
	}
	return v
}

// parseAs parses a line of one format.
func (p *Parser) parseAs(f *Format, line []byte, e *Entry) Verdict {
	d := &p.values
	d.start(f)
	if f.kind != kindEvents && (!f.prefixed || d.general || len(line) > window) { // else run determines it
		d.escaped = bytes.IndexByte(line, f.escape()) >= 0
	}
	var v Verdict
	switch f.kind {
	case kindText:
		if v = f.programs[0].read(d, &p.lines, line, e); v != Parsed {
			v = f.tryShapes(v, d, &p.lines, line, e)
		}
	case kindJSON:
		v = p.json.object(d, line, e)
	case kindLTSV:
		v = p.json.labels(d, line, e)
	case kindLogfmt:
		v = p.json.pairs(d, line, e)
	case kindEvents:
		if v = RejectSyntax; f.events.Read(line, &p.event) {
			v = SkipErrorLog
			p.stampEvent(f, &p.event)
			p.eventLog = f.events
		}
	case kindColumns, kindW3C:
		v = p.parseColumns(f, line, e)
	}
	switch {
	case v.Skipped():
		return v
	case v != Parsed:
		if isBinary(line) {
			return RejectBinary
		}
		return v
	}
	return p.complete(e)
}

// stampEvent sets the time of an event of the last line that states none to that of the
// line that carries it, or to its own that lacks the year.
func (p *Parser) stampEvent(f *Format, e *events.Event) {
	if e.Time != 0 {
		return
	}
	stamp := p.texts.Stamp()
	if f.carrier == nil || len(stamp) == 0 {
		stamp = e.Yearless
	}
	if len(stamp) == 0 {
		return
	}
	if s, ok := field.ParseStamp(stamp); ok {
		e.Time, e.Local, e.Resolution = s.Micros, !s.Zoned, s.Resolution
	} else if t, ok := p.values.clock.Parse(stamp); ok { // without a year
		e.Time, e.Resolution = t, 1e6
	}
}

// complete finishes a line of the current format whose fields are set.
func (p *Parser) complete(e *Entry) Verdict {
	f := p.values.format
	if e.Time == NoTime {
		if stamp := p.texts.Stamp(); f.carrier != nil && len(stamp) > 0 {
			if t, ok := p.values.clock.Parse(stamp); ok {
				e.Time = t
			}
		} else if e.Status < 0 && f.hasTimeOrStatus() {
			return RejectEmpty
		}
	}
	if e.Status < 0 && f.keys != nil && (len(e.Path) > 0 && e.Path[0] != '/' || len(e.Path)+len(e.Method) == 0) {
		return SkipErrorLog // a message with a time, and nothing of a request
	}
	if len(e.Host) == 0 {
		e.Host = f.host
	}
	return p.values.finish(e)
}

// parseColumns parses a line of columns: those that the log names, or else those
// of the format.
func (p *Parser) parseColumns(f *Format, line []byte, e *Entry) Verdict {
	d := &p.values
	if p.header.format == f && p.header.columns != nil {
		return p.header.columns.read(d, line, e)
	}
	first := Parsed
	for i, c := range f.tables {
		if i > 0 {
			d.restart(e)
		}
		v := c.read(d, line, e)
		if !v.Rejected() {
			return v
		}
		if i == 0 {
			first = v
		}
	}
	return first
}

// isBinary reports whether a line is not text: it contains NUL, or more than a tenth
// of it are control bytes.
func isBinary(line []byte) bool {
	n := 0
	for _, c := range line {
		if c == 0 {
			return true
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			n++
		}
	}
	return n*10 > len(line)
}

// Line returns what must be kept of a line that was just parsed so that it can be
// parsed alone: with the earlier parts of its text inserted and the directive that
// names its columns before it. Mostly it is the line itself. It is valid until the
// next call of Parse.
func (p *Parser) Line(line []byte) []byte {
	line = p.texts.Line(line)
	if p.header.changed {
		line = p.header.before(line)
	}
	return line
}

// Kept returns the line in a result of Line, without the directive before it.
func Kept(line []byte) []byte {
	if bytes.HasPrefix(line, fieldsDirective) {
		return line[bytes.IndexByte(line, '\n')+1:]
	}
	return line
}

// Directive starts a block of lines. line is the directive in force there, nil if
// there was none yet. Partial lines are forgotten.
func (p *Parser) Directive(line []byte) {
	p.texts.Reset()
	if p.header.format == nil {
		return
	}
	p.header.reset()
	p.header.read(line)
}
