package parse

import "bytes"

// Parser reads the lines of one format. It owns scratch memory, so each
// goroutine has its own.
type Parser struct {
	format *Format

	plain   bool   // leave the common shapes of fields to the general way: for tests
	escaped bool   // the line at hand holds a backslash
	scratch []byte // decoded values of the line at hand
	said    said   // of the line at hand
	settings

	lastTime    [40]byte
	lastTimeLen int
	lastMicros  int64

	ranks [numFields]uint8 // JSON: rank of the alias that a field was taken from, plus one
}

// NewParser makes a parser of the format.
func (f *Format) NewParser() *Parser { return &Parser{format: f, settings: defaultSettings} }

// Parse reads one line, without its terminator, into e. See Entry for how long
// e is valid.
func (p *Parser) Parse(line []byte, e *Entry) Verdict {
	e.Reset()
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) == 0 {
		return SkipBlank
	}
	if line[0] <= '#' {
		if line[0] == '#' {
			return SkipComment
		}
		if len(bytes.TrimLeft(line, " \t")) == 0 {
			return SkipBlank
		}
	}
	p.scratch = p.scratch[:0]
	if p.said.any {
		p.said = said{}
	}
	p.escaped = bytes.IndexByte(line, '\\') >= 0
	var v Verdict
	if p.format.keys != nil {
		v = p.object(line, e)
	} else {
		if v = p.format.program.run(p, line, e); v != Parsed && bytes.Contains(line, bareDash) {
			e.Reset()
			p.said = said{}
			if p.format.program.runDashes(p, line, e) == Parsed {
				v = Parsed
			}
		}
	}
	if v != Parsed {
		if unprintable(line) {
			return RejectBinary
		}
		return v
	}
	if e.Time == NoTime && e.Status < 0 && p.format.says() {
		return RejectEmpty
	}
	return p.finish(e)
}

var bareDash = []byte(" -")

// says tells whether the format has a time or a status at all: one that has
// neither can be read, though it says nothing of use to a diagnosis.
func (f *Format) says() bool {
	return f.keys != nil || f.program.reads[fieldTime] || f.program.reads[fieldStatus]
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

// unescape decodes b into the scratch memory, where it holds an escape. Values
// decoded before stay valid when the scratch has to be made anew.
func (p *Parser) unescape(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	p.room(len(b) + 4)
	n := len(p.scratch)
	p.scratch = appendUnescaped(p.scratch, b)
	return p.scratch[n:len(p.scratch):len(p.scratch)]
}
