package serverconf

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
)

// maxWord is the maximum size of a word in bytes, quoted or not. nginx itself has no room
// for more (NGX_CONF_BUFFER).
const maxWord = 4096

// nginxLexer splits an nginx configuration into words and the characters ; { and }.
// Comments and directives in Lua are left out.
type nginxLexer struct {
	path   string
	text   []byte // not read yet
	line   int    // of text, 1-based
	begins bool   // the next word is the name of a directive
}

// nginxToken is a word without quotes and escapes, or one of ; { and }.
type nginxToken struct {
	text string
	word bool
	at   Position
}

// is reports whether the token is the given one of ; { and }.
func (t nginxToken) is(special string) bool { return !t.word && t.text == special }

func newNginxLexer(path string, text []byte) nginxLexer {
	return nginxLexer{path: path, text: text, line: 1, begins: true}
}

// nginxUnescaper decodes the escapes in a word. Other backslashes stand for themselves.
var nginxUnescaper = strings.NewReplacer(`\"`, `"`, `\'`, `'`, `\\`, `\`, `\t`, "\t", `\r`, "\r", `\n`, "\n", "\r", "")

// next returns the next token. ok is false at the end, or if a quote is not closed.
func (l *nginxLexer) next() (t nginxToken, ok bool, err error) {
	for len(l.text) > 0 {
		t.at = Position{l.path, l.line}
		switch c := l.text[0]; {
		case isNginxSpace(c):
			l.skip(1)
		case c == '#':
			l.skip(bytes.IndexByte(l.text, '\n'))
		case isNginxSpecial(c):
			l.skip(1)
			t.text, t.word = string(rune(c)), false
			if l.begins && c != '}' {
				return t, false, errorAt(t.at, "unexpected %q", t.text)
			}
			l.begins = true
			return t, true, nil
		default:
			n := wordSize(l.text)
			raw := l.skip(n)
			switch {
			case len(raw) > maxWord:
				return t, false, errorAt(t.at, "a word of more than %d bytes, which nginx does not read either: is a quote missing?", maxWord)
			case n < 0:
				return t, false, nil
			case c == '"' || c == '\'':
				raw = raw[1 : n-1]
			}
			t.text, t.word = nginxUnescaper.Replace(string(raw)), true
			// https://github.com/openresty/lua-nginx-module#directives
			if !l.begins || !strings.HasSuffix(t.text, "_by_lua_block") {
				l.begins = false
				return t, true, nil
			}
			if !l.skipLua() {
				return t, false, errorAt(Position{l.path, l.line}, "a block of Lua that is not closed")
			}
		}
	}
	return nginxToken{}, false, nil
}

// skip removes and returns the first n bytes, or everything if n is negative.
func (l *nginxLexer) skip(n int) []byte {
	if n < 0 {
		n = len(l.text)
	}
	skipped := l.text[:n]
	l.text = l.text[n:]
	l.line += bytes.Count(skipped, []byte("\n"))
	return skipped
}

// wordSize returns the size in bytes of the word that b begins with, or -1 if a quote is
// not closed.
func wordSize(b []byte) int {
	if b[0] == '"' || b[0] == '\'' {
		return quotedSize(b, b[0])
	}
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\\':
			i++
		case c == '{' && i > 0 && b[i-1] == '$':
			if n := bytes.IndexAny(b[i:], "} \t\n\r"); n > 0 && b[i+n] == '}' {
				i += n
			}
		case isNginxSpace(c) || isNginxSpecial(c):
			return i
		}
	}
	return len(b)
}

// quotedSize returns the size in bytes of the text that the first byte of b opens and an
// unescaped end closes, or -1 if it is not closed.
func quotedSize(b []byte, end byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case end:
			return i + 1
		}
	}
	return -1
}

// skipLua skips a block of Lua, and reports whether it is closed.
func (l *nginxLexer) skipLua() bool {
	for depth := 0; len(l.text) > 0; {
		n, c := 1, l.text[0]
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case depth > 0:
			n = luaSize(l.text)
		}
		l.skip(n)
		switch {
		case n < 0:
			return false
		case depth <= 0 && (c == '}' || c == ';'):
			return true
		}
	}
	return false
}

// longBracket compiles the pattern of what opens a long string of Lua on first use.
var longBracket = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\[=*\[`) })

// luaSize returns the size in bytes of the string or comment of Lua that b begins with,
// which may hold braces and quotes. It returns 1 for anything else, and -1 if the end is
// missing.
func luaSize(b []byte) int {
	text, comment := bytes.CutPrefix(b, []byte("--"))
	end := []byte("\n")
	if open := longBracket().Find(text); open != nil {
		end = bytes.ReplaceAll(open, []byte("["), []byte("]"))
	} else if !comment {
		if b[0] == '"' || b[0] == '\'' {
			return quotedSize(b, b[0])
		}
		return 1
	}
	at := bytes.Index(text, end)
	if at < 0 {
		return -1
	}
	return len(b) - len(text) + at + len(end)
}

func isNginxSpace(c byte) bool   { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isNginxSpecial(c byte) bool { return c == ';' || c == '{' || c == '}' }
