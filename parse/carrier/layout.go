package carrier

import "bytes"

// Lines of the same fields may be laid out differently: with several blanks between the
// columns, or as objects over several lines.

// spacedColumns locates a line whose columns are separated by tabs or several blanks,
// or which begins with a blank. Blanks in quotes and brackets are values.
func spacedColumns(line []byte) (t text, ok bool) {
	if len(line) == 0 || line[0] == '{' {
		return t, false
	}
	t = text{end: len(line), encoding: spaced}
	return t, line[0] == ' ' || line[0] == '\t' || nextGap(line, 0) >= 0
}

// nextGap returns the offset of the next tab, or the next blank that another follows,
// outside of quotes, from offset i on; -1 if there is none.
func nextGap(b []byte, i int) int {
	quoted := false
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\t', c == ' ' && i+1 < len(b) && (b[i+1] == ' ' || b[i+1] == '\t'):
			return i
		}
	}
	return -1
}

// appendSpaced appends a line with one blank between its columns, and none around them.
func appendSpaced(dst, line []byte) []byte {
	line = bytes.Trim(line, " \t")
	for {
		i := nextGap(line, 0)
		if i < 0 {
			return append(dst, line...)
		}
		dst = append(append(dst, line[:i]...), ' ')
		line = bytes.TrimLeft(line[i:], " \t")
	}
}

// spreadObject locates the lines of JSON objects that a program has laid out: a brace
// alone, indented members, a brace alone. An object in one line is whole.
func spreadObject(line []byte) (t text, ok bool) {
	if len(line) == 0 {
		return t, false
	}
	t.end = len(line)
	switch trimmed := bytes.TrimRight(line, " \t,"); {
	case len(trimmed) == 0:
		return t, false
	case trimmed[0] == '{' || trimmed[0] == '}':
		t.end = len(trimmed)
		t.partial = trimmed[len(trimmed)-1] != '}'
		return t, true
	case line[0] == ' ' || line[0] == '\t':
		first := bytes.TrimLeft(line, " \t")[0]
		t.partial = true
		return t, first == '"' || first == '{' || first == '}' || first == ']' || first == '[' || first == '-' || first-'0' <= 9
	}
	return t, false
}
