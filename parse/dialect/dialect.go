// Package dialect parses the format strings of servers: nginx's log_format, Apache's
// LogFormat, HAProxy's log-format, and those of Envoy, uWSGI, Gunicorn and GoAccess.
//
// In: the string, verbatim, optionally with the directive around it. Out: its pieces,
// literals and fields, with the meaning of each field. It does not see log lines.
package dialect

import (
	"fmt"
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

// Meaning is the meaning of a field. The zero value is Ignored.
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
	ServerName      Meaning = "servername" // the name of the server, whatever the requested host
	Status          Meaning = "status"
	StatusOriginal  Meaning = "statusoriginal" // before an internal redirect
	Bytes           Meaning = "bytes"
	Seconds         Meaning = "duration"
	Millis          Meaning = "millis"
	Micros          Meaning = "micros"
	Nanos           Meaning = "nanos"
	Latency         Meaning = "latency" // a duration with its unit
	Referrer        Meaning = "referrer"
	Agent           Meaning = "user_agent"
	User            Meaning = "user"
	CookieNamed     Meaning = "cookienamed" // the value of the cookie Arg
	Cookie          Meaning = "cookie"      // the whole header
	Client          Meaning = "client"
	ClientPort      Meaning = "clientport"      // address:port
	Forwarded       Meaning = "forwarded"       // X-Forwarded-For
	ForwardedHeader Meaning = "forwardedheader" // Forwarded, RFC 7239
	RealIP          Meaning = "realip"          // X-Real-IP and other headers with a single address
	Proxied         Meaning = "proxied"         // client according to the PROXY protocol
	Authorization   Meaning = "authorization"   // the whole header
	Session         Meaning = "session"
	Peer            Meaning = "peer"
	Upstream        Meaning = "upstream"
	UpstreamStatus  Meaning = "upstream_status"
	Server          Meaning = "server" // HAProxy's backend/server
	Reason          Meaning = "reason"
	Flags           Meaning = "flags"   // Envoy's response flags
	State           Meaning = "state"   // HAProxy's termination state
	Count           Meaning = "count"   // digits that are not kept, but distinguish this format from others
	Word            Meaning = "word"    // like Count, any text without blanks
	Keyword         Meaning = "keyword" // like Count, letters and hyphens
	Padding         Meaning = "padding"
)

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
	name   string
	is     func(spec string) bool
	pieces func(spec string) ([]Piece, error)
}

// languages returns all languages. A string is of the first whose marks it has.
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

// nameOr returns name, or other if it is empty, because a piece without a name is a
// literal.
func nameOr(name, other string) string {
	if name == "" {
		return other
	}
	return name
}

// literal appends text to the last piece if it is a literal, or as a new literal.
func literal(ps []Piece, text string, at int) []Piece {
	if n := len(ps) - 1; n >= 0 && ps[n].Name == "" {
		ps[n].Literal += text
		return ps
	}
	return append(ps, Piece{Literal: text, At: at})
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
	if statesReason(strings.ToLower(name)) {
		return Reason
	}
	return Ignored
}

// statesReason reports whether the name of a response header, in lower case, is one that
// applications use for the reason of a refusal: X-Auth-Failure, Auth-Error-Reason.
func statesReason(name string) bool {
	if !strings.Contains(name, "auth") {
		return false
	}
	for _, part := range []string{"error", "fail", "reason"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
