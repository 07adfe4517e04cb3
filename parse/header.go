package parse

import "bytes"

// header is the state of a log that names its columns in directives, which may
// change within the log.
type header struct {
	format    *Format // the one with directives; nil if none has them
	directive []byte  // in force; empty for the format's own
	columns   *columns
	changed   bool   // the directive is not the format's own
	buf       []byte // memory of before
}

// fieldsDirective begins the directive of the W3C extended log format.
// https://www.w3.org/TR/WD-logfile.html
var fieldsDirective = []byte("#Fields:")

// Directive returns the beginning of the lines that name the columns of the lines
// after them, nil if the format has none. Code that cuts a log into blocks must
// pass the last one before a block to Parser.Directive.
func (f *Format) Directive() []byte {
	if f.kind == kindW3C {
		return fieldsDirective
	}
	return nil
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

// before returns a line with the directive in force before it. The result is valid
// until the next call.
func (h *header) before(line []byte) []byte {
	h.buf = append(append(h.buf[:0], fieldsDirective...), h.directive...)
	h.buf = append(append(h.buf, '\n'), line...)
	return h.buf
}

// describedBy returns the format with the columns that a directive names.
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
