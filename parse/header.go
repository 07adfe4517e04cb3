package parse

import "bytes"

// header is what a parser knows of a log that names its columns by a directive,
// which may change within the log.
type header struct {
	format    *Format // that has directives; nil where none has
	directive []byte  // in force; empty for the format's own
	columns   *columns
	changed   bool   // the directive is another than the format's own
	kept      []byte // memory of before
}

// fieldsDirective begins the directive of the W3C extended log format.
// https://www.w3.org/TR/WD-logfile.html
var fieldsDirective = []byte("#Fields:")

// Directive gives the beginning of the lines that name the columns of those
// after them, nil where the format has none. Who cuts a log into blocks must
// hand the last one before a block to Parser.Directive.
func (f *Format) Directive() []byte {
	if f.kind == kindW3C {
		return fieldsDirective
	}
	return nil
}

// Directive says that a block begins, and which directive is in force there: nil
// where there was none yet. Beginnings of partial lines are forgotten.
func (p *Parser) Directive(line []byte) {
	for i := range p.carrier.partial {
		p.carrier.partial[i], p.carrier.tooLong[i] = p.carrier.partial[i][:0], false
	}
	if p.header.format == nil {
		return
	}
	p.header.reset()
	p.header.read(line)
}

// reset puts the format's own directive in force.
func (h *header) reset() {
	h.directive, h.columns, h.changed = h.directive[:0], h.format.described, false
}

// read reads a comment, which may be a directive.
func (h *header) read(line []byte) {
	names, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), fieldsDirective)
	if !ok || len(h.directive) > 0 && bytes.Equal(h.directive, names) {
		return
	}
	h.directive = append(h.directive[:0], names...)
	h.changed = !bytes.Equal(names, h.format.directive)
	if !h.changed {
		h.columns = h.format.described
		return
	}
	h.columns = newColumns(string(names), h.format.separator, columnsW3C, h.format.assigned)
}

// before gives a line with the directive in force before it.
func (h *header) before(line []byte) []byte {
	h.kept = append(append(h.kept[:0], fieldsDirective...), h.directive...)
	h.kept = append(append(h.kept, '\n'), line...)
	return h.kept
}

// describedBy gives the format with the columns that a directive names.
func (f *Format) describedBy(line []byte) *Format {
	names, ok := bytes.CutPrefix(line, fieldsDirective)
	if !ok || f.kind != kindW3C {
		return f
	}
	g := *f
	g.directive = bytes.Clone(names)
	g.described = newColumns(string(names), f.separator, columnsW3C, f.assigned)
	return &g
}
