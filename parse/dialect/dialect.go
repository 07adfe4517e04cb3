// Package dialect parses the format strings of servers: nginx's log_format, Apache's
// LogFormat, HAProxy's log-format, and those of Envoy, uWSGI, Gunicorn and GoAccess.
//
// In: the string, verbatim, optionally with the directive around it. Out: its pieces,
// literals and fields, with the meaning of each field. It does not see log lines.
package dialect

import (
	"fmt"
	"slices"
	"strings"

	"logscan/parse/field/strftime"
)

// Piece is a part of a format string: a literal, or a field with the name that the
// server uses.
type Piece struct {
	Literal string
	Name    string // $cookie_sid, %{SID}C; empty for a literal
	Means   Meaning
	Arg     string            // with CookieNamed: the cookie's name
	Time    *strftime.Pattern // of a time or a part of one; nil for the usual spellings
	At      int               // byte offset in the format string
}

// Spec is a parsed format string.
type Spec struct {
	Dialect string  // its server
	Name    string  // given by the directive; empty if there is none
	Raw     bool    // values are logged without escapes (escape=none)
	Pieces  []Piece // of a line of text

	// Object holds the members if the line is a JSON object; Pieces is empty then.
	Object []Member
}

// Escapes reports whether all values are logged with escapes, even without quotes.
func (s *Spec) Escapes() bool {
	return !s.Raw && (s.Dialect == "nginx" || s.Dialect == "apache" || s.Dialect == "haproxy")
}

// Member is a member of a JSON object: its dotted path and the pieces of its value.
type Member struct {
	Path   string
	Pieces []Piece
}

// language is a syntax of format strings.
type language struct {
	name    string
	is      func(spec string) bool
	starts  []string      // beginnings of fields
	escapes map[byte]byte // what a backslash and a byte stand for, if not for the byte; nil: backslashes are literal
	field   func(s *scanner, at int) (end int, err error)
	join    func([]Piece) []Piece // nil if fields need not be joined
}

// languages returns all languages. A string is of the first whose marks it has.
func languages() []language {
	percent := []string{"%"}
	return []language{
		{name: "envoy", is: isEnvoy, starts: percent, field: envoyField},
		{name: "nginx", is: isNginx, starts: []string{"$"}, field: nginxField, join: joinTargets},
		{name: "uwsgi", is: isParenthesized, starts: []string{"%("}, field: parenthesizedField},
		{name: "haproxy", is: isHAProxy, starts: percent, escapes: map[byte]byte{}, field: haproxyField},
		{name: "goaccess", is: isGoAccess, starts: []string{"%", "~h{"}, escapes: map[byte]byte{'t': '\t'}, field: goaccessField},
		{name: "apache", is: isApache, starts: percent, escapes: map[byte]byte{'n': '\n', 't': '\t'}, field: apacheField},
	}
}

// scanner splits a format string into pieces.
type scanner struct {
	spec   string
	pieces []Piece
	quoted bool // HAProxy: quotes are put around the values of all fields that follow
}

// pieces parses a format string.
func (l *language) pieces(spec string) ([]Piece, error) {
	if l.name == "envoy" { // the documented line feed at the end is not part of the line
		spec = strings.TrimSuffix(strings.TrimSuffix(spec, "\n"), `\n`)
	}
	s := scanner{spec: spec}
	for i := 0; i < len(spec); {
		rest := spec[i:]
		switch {
		case l.escapes != nil && rest[0] == '\\' && len(rest) > 1:
			c, ok := l.escapes[rest[1]]
			if !ok {
				c = rest[1]
			}
			s.literal(string([]byte{c}), i)
			i += 2
		case l.starts[0] == "%" && strings.HasPrefix(rest, "%%"):
			s.literal("%", i)
			i += 2
		case slices.ContainsFunc(l.starts, func(start string) bool { return strings.HasPrefix(rest, start) }):
			var err error
			if i, err = l.field(&s, i); err != nil {
				return nil, err
			}
		default:
			s.literal(rest[:1], i)
			i++
		}
	}
	if l.join != nil {
		return l.join(s.pieces), nil
	}
	return s.pieces, nil
}

// literal adds text to the last piece if it is a literal, or as a new literal.
func (s *scanner) literal(text string, at int) {
	if n := len(s.pieces) - 1; n >= 0 && s.pieces[n].Name == "" {
		s.pieces[n].Literal += text
	} else {
		s.pieces = append(s.pieces, Piece{Literal: text, At: at})
	}
}

// add adds a field.
func (s *scanner) add(p Piece) { s.pieces = append(s.pieces, p) }

// enclose adds a field whose value stands between two literals.
func (s *scanner) enclose(before string, p Piece, after string) {
	s.literal(before, p.At)
	s.add(p)
	s.literal(after, p.At)
}

// argument returns the text in the brackets that open at offset i, and the offset
// after them. at is the offset for errors.
func (s *scanner) argument(at, i int, closing byte) (arg string, end int, err error) {
	n := strings.IndexByte(s.spec[i:], closing)
	if n < 0 {
		return "", 0, fmt.Errorf("at byte %d: a %c without its %c", at, s.spec[i], closing)
	}
	return s.spec[i+1 : i+n], i + n + 1, nil
}

// Parse parses a format string. Errors give the byte offset.
func Parse(spec string) (*Spec, error) { return parse(unwrap(spec)) }

// ParseAs parses a format string from the configuration of a server, nginx or
// apache, without a directive around it. raw reports whether values are logged
// without escapes.
func ParseAs(server, spec string, raw bool) (*Spec, error) {
	return parse(unwrapped{text: spec, dialect: server, raw: raw})
}

// maxSpec is the greatest length of a format string in bytes. Usual ones have
// hundreds, some for JSON thousands.
const maxSpec = 32 << 10

func parse(d unwrapped) (*Spec, error) {
	if len(d.text) > maxSpec {
		return nil, fmt.Errorf("a format string of more than %d KiB", maxSpec>>10)
	}
	s := &Spec{Dialect: d.dialect, Name: d.name, Raw: d.raw}
	all := languages()
	i := slices.IndexFunc(all, func(l language) bool { return d.dialect == l.name || d.dialect == "" && l.is(d.text) })
	if i < 0 {
		return nil, fmt.Errorf("neither an nginx log_format ($remote_addr …) nor an Apache LogFormat (%%h …), nor one of Envoy, HAProxy, uWSGI or GoAccess")
	}
	lang := &all[i]
	s.Dialect = lang.name
	if members, ok := splitObject(d.text, lang); ok {
		for _, m := range members {
			pieces, err := lang.pieces(m.text)
			if err != nil {
				return nil, fmt.Errorf("of key %s: %w", m.path, err)
			}
			s.Object = append(s.Object, Member{m.path, pieces})
		}
		return s, nil
	}
	var err error
	s.Pieces, err = lang.pieces(d.text)
	return s, err
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// header returns the meaning of a request header, for any server.
func header(name string) Meaning {
	switch strings.ReplaceAll(strings.ToLower(name), "_", "-") {
	case "referer":
		return Referrer
	case "user-agent":
		return Agent
	case "x-forwarded-for":
		return Forwarded
	case "forwarded":
		return ForwardedHeader
	case "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-envoy-external-address":
		return RealIP
	case "authorization":
		return Authorization
	case "x-session-id":
		return Session
	case "cookie":
		return Cookie
	case "host", ":authority":
		return Host
	case ":method":
		return Method
	case ":path":
		return Target
	case ":scheme", "x-forwarded-proto", "x-forwarded-scheme":
		return Scheme
	case "x-forwarded-user", "x-remote-user", "remote-user", "x-auth-request-user", "x-auth-request-email", "x-auth-request-preferred-username", "x-authenticated-user":
		return User
	}
	return Ignored
}

// responseHeader returns the meaning of a response header.
func responseHeader(name string) Meaning {
	switch strings.ReplaceAll(strings.ToLower(name), "_", "-") {
	case "www-authenticate":
		return Reason
	case "x-auth-request-user", "x-auth-request-email", "x-auth-request-preferred-username":
		return User
	case ":status":
		return Status
	}
	return Ignored
}
