package parse

import (
	"bytes"
	"iter"
	"sync"
)

// Known is the format of the logs beside a log: of a log that it reads whole, nothing is
// to be detected. Most directories have many logs of one format, and detection takes as
// long as parsing a few thousand lines.
type Known struct {
	format   *Format
	presence Presence // of the log that the format was detected in
	parsers  sync.Pool
	// A format that leaves out the rest of a line reads lines that another format may read
	// more of. shapes are those of the rests of which none does; nil for other formats.
	shapes  map[string]bool
	words   int       // that the format reads
	formats []*Format // that are detected
}

// newShapes is how many lines of other shapes than those of the known log are detected
// anew. A value that is missing makes such a shape, and there are few.
const newShapes = 8

// NewKnown detects the format in a sample of one of the logs. It returns nil if that is
// not a single one that explains all lines.
func NewKnown(sample []byte, formats []*Format) *Known {
	d := Detect(sample, formats)
	if len(d.Formats) != 1 || d.Explained < d.Lines {
		return nil
	}
	f := *d.Format
	f.rest = false // a line that it does not read must be noticed
	k := &Known{format: &f, presence: Survey(sample, d.Format), formats: formats}
	k.parsers.New = func() any { return f.NewParser() }
	if f.openEnd {
		k.shapes = map[string]bool{}
		for range words([]byte(f.Native)) {
			k.words++
		}
		var shape []byte
		for _, line := range spreadLines(sample, surveyed) {
			shape = appendShape(shape[:0], line, k.words)
			k.shapes[string(shape)] = true
		}
	}
	return k
}

// appendShape appends the shape of a line behind its first words: of each word, and of each
// text in quotes or brackets, whether it is missing, a number or list of numbers, or
// something else.
func appendShape(dst, line []byte, skipped int) []byte {
	for word, close := range words(bytes.TrimRight(line, "\r\n")) {
		if skipped > 0 {
			skipped--
			continue
		}
		if close != ' ' {
			dst = append(dst, close)
		}
		kind := byte('-')
		for n, c := range word {
			switch {
			case c-'0' < 10:
				if kind == '-' {
					kind = '0'
				}
			case c != '-' && c != '.' && c != ':' && c != ',' && c != ' ' || c == '-' && n > 0:
				kind = 'w'
			}
		}
		dst = append(dst, kind)
	}
	return dst
}

// words yields the words of a line, and the texts in quotes or brackets, without these, and
// what ends each.
func words(line []byte) iter.Seq2[[]byte, byte] {
	return func(yield func([]byte, byte) bool) {
		for {
			for len(line) > 0 && (line[0] == ' ' || line[0] == '\t') { // faster than bytes.TrimLeft
				line = line[1:]
			}
			if len(line) == 0 {
				return
			}
			close := byte(' ')
			switch line[0] {
			case '"', '\'':
				close, line = line[0], line[1:]
			case '[':
				close, line = ']', line[1:]
			}
			n := 0
			for {
				i := bytes.IndexByte(line[n:], close)
				if i < 0 {
					yield(line, close)
					return
				}
				if n += i; n == 0 || close == ' ' || line[n-1] != '\\' {
					break
				}
				n++ // it is escaped
			}
			if !yield(line[:n], close) {
				return
			}
			line = line[n+1:]
		}
	}
}

// asDetected reports whether the format is detected in some lines, and no other.
func (k *Known) asDetected(lines []byte) bool {
	if len(lines) == 0 {
		return true
	}
	d := Detect(lines, k.formats)
	return len(d.Formats) == 1 && d.Format.known().Key() == k.format.known().Key() && d.Explained == d.Lines
}

// Detect returns what Detect and Survey return for a sample of lines in the known format.
// ok is false if the format does not read every line, to its end and without doubt.
func (k *Known) Detect(sample []byte) (d Detection, s Presence, ok bool) {
	p := k.parsers.Get().(*Parser)
	defer k.parsers.Put(p)
	p.Directive(nil)
	s = Presence{Open: k.presence.Open, JSON: k.presence.JSON, Server: k.presence.Server, Logged: k.presence.Logged}
	var e Entry
	var in doubts
	var shape, others []byte
	seen := map[string]bool{} // shapes that k.shapes does not hold
	for line, v := range p.surveyed(sample, &e) {
		if k.shapes != nil {
			if shape = appendShape(shape[:0], line, k.words); !k.shapes[string(shape)] && !seen[string(shape)] {
				if len(seen) == newShapes {
					return d, s, false
				}
				seen[string(shape)] = true
				others = append(append(others, line...), '\n')
			}
		}
		if bytes.HasPrefix(line, fieldsDirective) && !bytes.Equal(bytes.TrimRight(line[len(fieldsDirective):], "\r"), k.format.directive) {
			return d, s, false
		}
		switch {
		case v == Parsed:
			if in.add(k.format, &e, p.values.hints.ForwardedFor); !in.none() {
				return d, s, false
			}
			s.add(p, &e)
			d.Lines++
		case v == SkipErrorLog && !k.format.HasRequests():
			d.Lines++
		case v != SkipBlank && v != SkipComment && (v != SkipPartial || k.format.carrier == nil):
			return d, s, false
		}
	}
	if d.Lines == 0 || !k.asDetected(others) {
		return d, s, false
	}
	f := k.format.withRest()
	d.Format, d.Formats, d.Best, d.Explained = f, []*Format{f}, f, d.Lines
	return d, s, true
}
