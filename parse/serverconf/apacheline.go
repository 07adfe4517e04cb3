package serverconf

import "strings"

// logicalLines reads the lines of a text. Lines that end in a backslash are joined with the
// next one; white space around a line is removed.
type logicalLines struct {
	text string
	next int // number of the first line in text, 1-based
}

// read returns the next line and the number of its first part.
func (l *logicalLines) read() (line string, number int, ok bool) {
	if l.text == "" {
		return "", 0, false
	}
	number = l.next
	var parts []string
	for continued := true; continued && l.text != ""; {
		part, rest, ended := strings.Cut(l.text, "\n")
		l.text = rest
		l.next++
		// Apache looks only at the end: two backslashes continue the line as well.
		cut, backslash := strings.CutSuffix(strings.TrimSuffix(part, "\r"), `\`)
		if continued = ended && backslash; continued {
			part = cut
		}
		parts = append(parts, part)
	}
	return strings.TrimSpace(strings.Join(parts, "")), number, true
}

// cutWord splits the first word off a line, as Apache reads arguments: in single or double
// quotes, where a backslash escapes the quote and itself, or up to white space. A quote
// that is not closed ends with the line.
func cutWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t\r\n\v\f")
	if s == "" {
		return "", ""
	}
	quote := s[0]
	if quote != '"' && quote != '\'' {
		end := strings.IndexAny(s, " \t\r\n\v\f")
		if end < 0 {
			end = len(s)
		}
		return strings.ReplaceAll(s[:end], `\\`, `\`), strings.TrimLeft(s[end:], " \t\r\n\v\f")
	}
	var b strings.Builder
	i := 1
	for ; i < len(s) && s[i] != quote; i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == quote) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), strings.TrimLeft(s[min(i+1, len(s)):], " \t\r\n\v\f")
}

// words splits a line into words.
func words(s string) []string {
	var list []string
	for s = strings.TrimSpace(s); s != ""; {
		var w string
		w, s = cutWord(s)
		list = append(list, w)
	}
	return list
}
