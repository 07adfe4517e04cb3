package carrier

import "bytes"

// Lines of the same fields may be laid out differently: with several blanks between the
// columns.

// spacedColumns locates a line whose columns are separated by tabs or several blanks,
// which begins with a blank or which is coloured. Blanks in quotes are values.
func spacedColumns(line []byte) (t text, ok bool) {
	if len(line) == 0 || line[0] == '{' {
		return t, false
	}
	t = text{end: len(line), encoding: spaced}
	return t, line[0] == ' ' || line[0] == '\t' || hasGap(line) || bytes.Contains(line, colour)
}

var colour = []byte("\x1b[")

// hasGap reports whether a tab or several blanks are in a line, outside of quotes.
func hasGap(b []byte) bool {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\t', c == ' ' && i+1 < len(b) && (b[i+1] == ' ' || b[i+1] == '\t'):
			return true
		}
	}
	return false
}

// appendSpaced appends a line with one blank between its columns, none around them, and
// without colours. dst must be empty.
func appendSpaced(dst, line []byte) []byte {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == 0x1b:
			if rest := withoutColour(line[i:]); len(rest) < len(line)-i {
				i = len(line) - len(rest) - 1
				continue
			}
			dst = append(dst, c)
		case c == '\\' && quoted && i+1 < len(line):
			dst = append(dst, c, line[i+1])
			i++
		case (c == ' ' || c == '\t') && !quoted:
			if n := len(dst); n > 0 && dst[n-1] != ' ' {
				dst = append(dst, ' ')
			}
		default:
			if c == '"' {
				quoted = !quoted
			}
			dst = append(dst, c)
		}
	}
	return bytes.TrimRight(dst, " ")
}
