package parse

import (
	"bytes"
	"sync"
)

// Known is the format of the logs beside a log: of a log that it reads whole, nothing is
// to be detected. Most directories have many logs of one format, and detection takes as
// long as parsing a few thousand lines.
type Known struct {
	format   *Format
	presence Presence // of the log that the format was detected in
	parsers  sync.Pool
}

// NewKnown detects the format in a sample of one of the logs. It returns nil if that is
// not a single one that explains all lines.
func NewKnown(sample []byte, formats []*Format) *Known {
	d := Detect(sample, formats)
	if len(d.Formats) != 1 || d.Format.openEnd || d.Explained < d.Lines {
		return nil
	}
	f := *d.Format
	f.rest = false // a line that it does not read must be noticed
	k := &Known{format: &f, presence: Survey(sample, d.Format)}
	k.parsers.New = func() any { return f.NewParser() }
	return k
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
	for line, v := range p.surveyed(sample, &e) {
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
	if d.Lines == 0 {
		return d, s, false
	}
	f := k.format.withRest()
	d.Format, d.Formats, d.Best, d.Explained = f, []*Format{f}, f, d.Lines
	return d, s, true
}
