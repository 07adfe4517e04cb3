// Package dialect reads the format strings of servers: nginx's log_format,
// Apache's LogFormat, HAProxy's log-format, Envoy's format strings, uWSGI's and
// Gunicorn's, GoAccess's.
//
// In: the string, verbatim, perhaps with the directive around it. Out: its
// pieces, literals and fields, with what each field means. It does not look at
// log lines.
package dialect

import (
	"fmt"
	"strings"

	"logscan/parse/field/strftime"
)

// Piece is a part of a format string: a literal, or a field with the name the
// server has for it.
type Piece struct {
	Literal string
	Name    string // $cookie_sid, %{SID}C; empty for a literal
	Means   Meaning
	Arg     string            // with CookieNamed: the cookie's name
	Time    *strftime.Pattern // how a time, or a part of one, is spelled; nil for the usual ways
	At      int               // byte offset in the format string
}

// Meaning is what a field says. Ignored, the zero value, is nothing of use.
type Meaning string

// The meanings.
const (
	Ignored         Meaning = ""
	Time            Meaning = "time"     // a whole time
	TimePart        Meaning = "timepart" // as Piece.Time spells it
	Request         Meaning = "request"  // METHOD target PROTOCOL
	Target          Meaning = "target"   // path?query, or an absolute URL
	Path            Meaning = "path"
	Query           Meaning = "query"
	Method          Meaning = "method"
	Protocol        Meaning = "protocol"
	Scheme          Meaning = "scheme"
	Host            Meaning = "host"
	ServerName      Meaning = "servername" // what the server calls itself, whatever host was asked
	Status          Meaning = "status"
	StatusOriginal  Meaning = "statusoriginal" // before an internal redirect
	Bytes           Meaning = "bytes"
	Seconds         Meaning = "duration"
	Millis          Meaning = "millis"
	Micros          Meaning = "micros"
	Nanos           Meaning = "nanos"
	Referrer        Meaning = "referrer"
	Agent           Meaning = "user_agent"
	User            Meaning = "user"
	CookieNamed     Meaning = "cookienamed" // the value of the cookie Arg
	Cookie          Meaning = "cookie"      // the whole header
	Client          Meaning = "client"
	ClientPort      Meaning = "clientport"      // address:port
	Forwarded       Meaning = "forwarded"       // X-Forwarded-For
	ForwardedHeader Meaning = "forwardedheader" // Forwarded, RFC 7239
	RealIP          Meaning = "realip"          // X-Real-IP and others that hold one address
	Proxied         Meaning = "proxied"         // client by the PROXY protocol
	Authorization   Meaning = "authorization"   // the whole header
	Session         Meaning = "session"
	Peer            Meaning = "peer"
	Upstream        Meaning = "upstream"
	UpstreamStatus  Meaning = "upstream_status"
	Server          Meaning = "server" // HAProxy's backend/server
	Reason          Meaning = "reason"
	State           Meaning = "state" // HAProxy's termination state
	Count           Meaning = "count" // digits that are not kept, but tell this format from others
	Word            Meaning = "word"  // without blanks, not kept, as Count
	Padding         Meaning = "padding"
)

// Spec is a format string taken apart.
type Spec struct {
	Dialect string  // the server whose it is
	Name    string  // that the directive gives it; empty where there is none
	Raw     bool    // values are logged without escapes (escape=none)
	Pieces  []Piece // of a line of text

	// Object holds the members where the line is a JSON object; Pieces is empty.
	Object []Member
}

// Escapes tells whether every value is logged with escapes, in quotes or not.
func (s *Spec) Escapes() bool {
	return !s.Raw && (s.Dialect == "nginx" || s.Dialect == "apache" || s.Dialect == "haproxy")
}

// Member is a member of a JSON object: its path, dotted, and the pieces of its
// value.
type Member struct {
	Path   string
	Pieces []Piece
}

// language is a way to spell format strings.
type language struct {
	name   string
	is     func(spec string) bool
	pieces func(spec string) ([]Piece, error)
}

// languages are told apart in this order: the first whose marks a string has.
func languages() []language {
	return []language{
		{"envoy", isEnvoy, envoyPieces},
		{"nginx", isNginx, nginxPieces},
		{"uwsgi", isParenthesized, parenthesizedPieces},
		{"haproxy", isHAProxy, haproxyPieces},
		{"goaccess", isGoAccess, goaccessPieces},
		{"apache", isApache, apachePieces},
	}
}

// Parse takes a format string apart. Errors name the byte offset.
func Parse(spec string) (*Spec, error) { return parse(undress(spec)) }

// ParseAs is Parse for a string as the configuration of a server, nginx or
// apache, is read: there is nothing around it, and raw says that values are
// logged without escapes.
func ParseAs(server, spec string, raw bool) (*Spec, error) {
	return parse(undressed{text: spec, dialect: server, raw: raw})
}

// maxSpec is the longest format string in bytes. Those of people have hundreds,
// and some thousands where the line is JSON.
const maxSpec = 32 << 10

func parse(d undressed) (*Spec, error) {
	if len(d.text) > maxSpec {
		return nil, fmt.Errorf("a format string of more than %d KiB", maxSpec>>10)
	}
	s := &Spec{Dialect: d.dialect, Name: d.name, Raw: d.raw}
	var lang *language
	for _, l := range languages() {
		if d.dialect == l.name || d.dialect == "" && l.is(d.text) {
			lang = &l
			break
		}
	}
	if lang == nil {
		return nil, fmt.Errorf("neither an nginx log_format ($remote_addr …) nor an Apache LogFormat (%%h …), nor one of Envoy, HAProxy, uWSGI or GoAccess")
	}
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

// nameOr gives a name, or where it is empty another, since a piece without a
// name is a literal.
func nameOr(name, other string) string {
	if name == "" {
		return other
	}
	return name
}

// literal appends text to the last literal, or as a new one.
func literal(ps []Piece, text string, at int) []Piece {
	if n := len(ps) - 1; n >= 0 && ps[n].Name == "" {
		ps[n].Literal += text
		return ps
	}
	return append(ps, Piece{Literal: text, At: at})
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// header says what a request header means, whatever the server.
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

// responseHeader says what a response header means.
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
