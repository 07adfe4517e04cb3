package serverconf

import (
	"bytes"
	"slices"
)

// maxWord is the maximum size of a word in bytes, quoted or not. nginx itself has no room
// for more (NGX_CONF_BUFFER), and the time of the lexer grows with the square of the size.
const maxWord = 4096

// nginxWords scans a file as the lexer does, and measures the words.
type nginxWords struct {
	text []byte
	at   int // offset in text
	line int // line of that offset, 1-based
}

// checkWords returns an error if a word in an nginx configuration is too long.
func checkWords(path string, text []byte) error {
	lua := luaDirectives()
	w := nginxWords{text: text, line: 1}
	for w.at < len(text) {
		begin, line := w.at, w.line
		switch c := text[w.at]; {
		case c == '#':
			if end := bytes.IndexByte(text[w.at:], '\n'); end >= 0 {
				w.at += end
			} else {
				w.at = len(text)
			}
			continue
		case isNginxSpace(c) || c == ';' || c == '{' || c == '}':
			w.one()
			continue
		case c == '"' || c == '\'':
			w.one()
			w.to(c)
			w.one()
		default:
			w.word()
		}
		word := text[begin:w.at]
		if len(word) > maxWord {
			return errorAt(Position{path, line}, "a word of more than %d bytes, which nginx does not read either: is a quote missing?", maxWord)
		}
		if slices.Contains(lua, string(word)) {
			block := luaBlock{next: w.next}
			block.skip() // the lexer reports a block that is not closed
		}
	}
	return nil
}

// one advances by a byte.
func (w *nginxWords) one() {
	if w.at < len(w.text) {
		if w.text[w.at] == '\n' {
			w.line++
		}
		w.at++
	}
}

// escaped advances by a byte, or by two if the first one escapes the second.
func (w *nginxWords) escaped() {
	if w.text[w.at] == '\\' {
		w.one()
	}
	w.one()
}

// to advances to the next unescaped c.
func (w *nginxWords) to(c byte) {
	for w.at < len(w.text) && w.text[w.at] != c {
		w.escaped()
	}
}

// word advances to the end of an unquoted word.
func (w *nginxWords) word() {
	for before := byte(0); w.at < len(w.text); {
		c := w.text[w.at]
		if c == '{' && before == '$' {
			w.to('}')
			w.one()
			before = '}'
			continue
		}
		if isNginxSpace(c) || c == ';' || c == '{' || c == '}' {
			return
		}
		before = c
		w.escaped()
	}
}

// next returns the next byte for luaBlock, which cares about ASCII only.
func (w *nginxWords) next() (char string, ok bool) {
	if w.at >= len(w.text) {
		return "", false
	}
	w.one()
	return string(w.text[w.at-1 : w.at]), true
}

func isNginxSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
