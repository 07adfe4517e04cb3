package parse

import (
	"bytes"

	"logscan/parse/privacy"
	"logscan/parse/strftime"
	"logscan/parse/wrap"
)

// Parser reads the lines of one format, or of several that are mixed in an
// input. It owns scratch memory, so each goroutine has its own.
type Parser struct {
	formats []*Format // tried in this order
	wrapper *wrap.Wrapper
	format  *Format // the one at hand

	plain   bool          // leave the common shapes of fields to the general way: for tests
	escaped bool          // the line at hand holds a backslash
	quick   bool          // its beginning was read in one go, and there are no parameters in its path
	scratch []byte        // decoded values of the line at hand
	said    said          // of the line at hand
	mask    *privacy.Mask // nil: names stay
	settings

	lastTime    [40]byte
	lastTimeLen int
	lastMicros  int64

	civil            strftime.Civil   // parts of the time of the line at hand
	zoned            bool             // these parts hold an offset
	substatus, win32 []byte           // of IIS
	ranks            [numFields]uint8 // JSON: rank of the alias that a field was taken from, plus one
	latency          []byte           // JSON: a duration without its unit
	statusKey        uint64           // JSON: hash of the key that the status was taken from

	lines   lines
	orders  orders
	carrier carrier
	header  header
}

// NewParser makes a parser of the format.
func (f *Format) NewParser() *Parser { return NewParser(f) }

// NewParser makes a parser of several formats: a line that the first does not
// explain is tried with the others, in this order. What a line gives does not
// depend on the lines before it, but for directives and partial lines.
func NewParser(formats ...*Format) *Parser {
	p := &Parser{formats: formats, format: formats[0], settings: defaultSettings}
	for _, f := range formats {
		if p.wrapper == nil {
			p.wrapper = f.wrapper
		}
		if p.header.format == nil && f.kind == kindW3C {
			p.header.format = f
			p.header.reset()
		}
	}
	return p
}

// Parse reads one line, without its terminator, into e. See Entry for how long
// e is valid.
func (p *Parser) Parse(line []byte, e *Entry) Verdict {
	p.lines.marked = nil
	return p.parse(line, e)
}

// parse is Parse of a line of which the marks may be known.
func (p *Parser) parse(line []byte, e *Entry) Verdict {
	e.Reset()
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
		if len(p.lines.marked) == n {
			p.lines.marked = line
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
		if v := p.noRequest(&line); v != Parsed {
			return v
		}
	}
	if p.wrapper != nil {
		return p.carried(line, e)
	}
	v := p.read(p.formats[0], line, e)
	if v.Rejected() && len(p.formats) > 1 {
		return p.others(v, 1, line, nil, e)
	}
	return v
}

// noRequest tells blank lines and comments. A directive that Line has put
// before a line is taken off.
func (p *Parser) noRequest(line *[]byte) Verdict {
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

// others tries the formats from the n-th on with a line that those before have
// rejected: text is what the line carries, nil where it carries nothing.
func (p *Parser) others(v Verdict, n int, line, text []byte, e *Entry) Verdict {
	for _, f := range p.formats[n:] {
		b := line
		if f.wrapper != nil {
			if b = text; b == nil {
				continue
			}
		}
		e.Reset()
		if w := p.read(f, b, e); !w.Rejected() {
			return w
		}
	}
	e.Reset()
	return v
}

// read reads a line of one format.
func (p *Parser) read(f *Format, line []byte, e *Entry) Verdict {
	p.start(f)
	if !f.prefixed || p.plain || len(line) > window { // else run looks
		p.escaped = bytes.IndexByte(line, f.escape()) >= 0
	}
	var v Verdict
	switch f.kind {
	case kindText:
		if v = f.programs[0].read(p, line, e); v != Parsed {
			v = f.reshape(v, p, line, e)
		}
	case kindJSON:
		v = p.object(line, e)
	case kindLTSV:
		v = p.labels(line, e)
	case kindColumns, kindW3C:
		v = p.tabular(f, line, e)
	}
	switch {
	case v.Skipped():
		return v
	case v != Parsed:
		if unprintable(line) {
			return RejectBinary
		}
		return v
	}
	return p.complete(e)
}

// start begins a line of a format.
func (p *Parser) start(f *Format) {
	p.format = f
	p.scratch = p.scratch[:0]
	if p.said.any {
		p.said = said{}
	}
	p.quick = false
}

// complete ends a line of the format at hand whose fields are set.
func (p *Parser) complete(e *Entry) Verdict {
	f := p.format
	if e.Time == NoTime {
		if f.wrapper != nil && len(p.carrier.stamp) > 0 {
			e.Time = p.stamp()
		} else if e.Status < 0 && f.says() {
			return RejectEmpty
		}
	}
	if len(e.Host) == 0 {
		e.Host = f.host
	}
	return p.finish(e)
}

// stamp reads the time that what carried a line gave it.
func (p *Parser) stamp() int64 {
	if t, ok := p.time(p.carrier.stamp); ok {
		return t
	}
	return NoTime
}

// reshape tries the further shapes of a format with a line that does not have
// the first, then all with bare dashes for quoted fields.
func (f *Format) reshape(v Verdict, p *Parser, line []byte, e *Entry) Verdict {
	for _, g := range f.programs[1:] {
		p.again(e)
		if g.read(p, line, e) == Parsed {
			return Parsed
		}
	}
	if v == RejectTime || bytes.Contains(line, bareDash) {
		for _, g := range f.programs {
			if p.again(e); !g.loose && g.runDashes(p, line, e) == Parsed {
				return Parsed
			}
		}
	}
	for _, beginning := range f.notices {
		if len(line) >= len(beginning) && string(line[:len(beginning)]) == beginning {
			e.Reset()
			return SkipNotice
		}
	}
	return v
}

// again forgets what was read of the line at hand.
func (p *Parser) again(e *Entry) {
	e.Reset()
	p.scratch, p.said, p.quick = p.scratch[:0], said{}, false
}

// tabular reads a line of columns: those that the log itself names, or else
// those of the format.
func (p *Parser) tabular(f *Format, line []byte, e *Entry) Verdict {
	if p.header.format == f && p.header.columns != nil {
		return p.header.columns.read(p, line, e)
	}
	v := Parsed
	for i, c := range f.tables {
		if i > 0 {
			p.again(e)
		}
		w := c.read(p, line, e)
		if !w.Rejected() {
			return w
		}
		if i == 0 {
			v = w
		}
	}
	return v
}

// read reads a line by the program, in the way that it needs.
func (g *program) read(p *Parser, line []byte, e *Entry) Verdict {
	if g.loose {
		p.civil = strftime.Civil{}
		if v := g.runLoose(p, line, e); v != Parsed {
			return v
		}
		return p.settle(e)
	}
	return g.run(p, line, e)
}

var bareDash = []byte(" -")

// says tells whether the format has a time or a status at all: one that has
// neither can be read, though it says nothing of use to a diagnosis.
func (f *Format) says() bool {
	return f.kind != kindText || f.programs[0].reads[fieldTime] || f.programs[0].reads[fieldStatus]
}

// unprintable tells whether a line is no text: a NUL in it, or more control
// bytes than a tenth.
func unprintable(line []byte) bool {
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

// escape is the byte that escapes of the format begin with.
func (f *Format) escape() byte {
	if f.hashes {
		return '#'
	}
	return '\\'
}

// unescape decodes b into the scratch memory, where it holds an escape.
func (p *Parser) unescape(b []byte) []byte {
	if bytes.IndexByte(b, p.format.escape()) < 0 {
		return b
	}
	p.room(len(b) + 4)
	n := len(p.scratch)
	if p.format.hashes {
		p.scratch = appendUnhashed(p.scratch, b)
	} else {
		p.scratch = appendUnescaped(p.scratch, b)
	}
	return p.scratch[n:len(p.scratch):len(p.scratch)]
}
