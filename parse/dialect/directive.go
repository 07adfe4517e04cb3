package dialect

import "strings"

// unwrapped is a format string without the directive around it.
type unwrapped struct {
	text    string
	dialect string // of the directive; empty if there is none
	name    string
	raw     bool
}

// unwrap removes the directive around a format string in a configuration file:
//
//	log_format name escape=json '…' '…';
//	LogFormat "…" name
//	log-format "…"
//
// escape=… may also precede an nginx string alone.
func unwrap(spec string) unwrapped {
	word, rest := cutWord(spec)
	switch {
	case word == "log_format":
		d := unwrapped{dialect: "nginx"}
		d.name, rest = cutWord(rest)
		d.escape(&rest)
		d.text = joinQuoted(rest)
		return d
	case strings.HasPrefix(word, "escape="):
		d := unwrapped{dialect: "nginx"}
		d.escape(&spec)
		if d.text = spec; strings.HasPrefix(spec, "'") {
			d.text = joinQuoted(spec)
		}
		return d
	case strings.EqualFold(word, "LogFormat"), strings.EqualFold(word, "CustomLog"):
		if strings.EqualFold(word, "CustomLog") { // its first argument is the file
			_, rest = cutQuoted(rest)
		}
		text, rest := cutQuoted(rest)
		name, _ := cutWord(rest)
		return unwrapped{text: unquoteApache(text), dialect: "apache", name: name}
	case word == "log-format":
		text, _ := cutQuoted(rest)
		if !strings.HasPrefix(strings.TrimSpace(rest), `"`) {
			text = strings.ReplaceAll(strings.TrimSpace(rest), `\ `, " ")
		}
		return unwrapped{text: text, dialect: "haproxy"}
	}
	if isNginx(spec) { // copied from within quotes, of YAML for one
		spec = strings.ReplaceAll(spec, `\"`, `"`)
	}
	return unwrapped{text: spec}
}

// escape removes nginx's escape parameter from the start of rest.
func (d *unwrapped) escape(rest *string) {
	word, after := cutWord(*rest)
	if how, ok := strings.CutPrefix(word, "escape="); ok {
		d.raw, *rest = how == "none", after
	}
}

// cutWord returns the first word of s and the text after it.
func cutWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t\r\n")
	if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \t\r\n")
	}
	return s, ""
}

// cutQuoted returns the text in the quotes at the start of s, with its escapes, or
// else the first word, and the text after it.
func cutQuoted(s string) (text, rest string) {
	s = strings.TrimLeft(s, " \t\r\n")
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return cutWord(s)
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return s[1:i], s[i+1:]
		}
	}
	return s[1:], ""
}

// unquoteApache removes the escapes of quotes in a quoted argument. Escapes of the
// format itself stay.
func unquoteApache(s string) string { return strings.ReplaceAll(s, `\"`, `"`) }

// joinQuoted concatenates the strings of an nginx directive, up to its semicolon,
// without their quotes and escapes.
func joinQuoted(s string) string {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			default:
				b.WriteByte(s[i])
			}
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote = c
		case c == ';':
			return b.String()
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			b.WriteByte(c)
		}
	}
	return b.String()
}
