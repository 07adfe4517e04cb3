package dialect

import (
	"fmt"
	"strings"
)

// haproxyMeanings maps the variables of a log-format that logscan uses.
// https://docs.haproxy.org/3.0/configuration.html#8.2.6
var haproxyMeanings = map[string]Meaning{
	"ci": Client, "t": Time, "tr": Time, "trl": Time, "trg": Time, "T": Time, "Tl": Time, "Ts": Time,
	"ST": Status, "B": Bytes, "Ta": Millis, "Tt": Millis, "CC": Cookie, // NAME=value

	"r": Request, "HM": Method, "HU": Target, "HPO": Path, "HP": Path, "HQ": Query, "HV": Protocol,
	"ft": Word, "f": Word, "b": Word, "s": Server, "tsc": State, "ts": State,
	"cp": Count, "fp": Count, "ac": Count, "fc": Count, "bc": Count, "sc": Count, "bq": Count, "sq": Count, "pid": Count,
}

// haproxyIgnored are the other variables, the longest first if one is a prefix of
// another.
var haproxyIgnored = strings.Fields("sslv sslc hrl hsl bi bp fi hr hs lc rc rt si sp Bi Bp bq ID Td Th Ti Tc Tq TR Tr Tw Tu CS Fi ms o H U Ms")

// haproxyFetches maps the sample fetches that logscan uses.
var haproxyFetches = map[string]Meaning{
	"src": Client, "method": Method, "path": Path, "pathq": Target, "url": Target, "query": Query, "status": Status,
	"capture.req.method": Method, "capture.req.uri": Target, "capture.req.ver": Protocol, "req.ver": Protocol,
	"http_auth_user": User, "req.fhdr(host)": Host, "req.hdr(host)": Host, "bytes_out": Bytes, "fc_err_str": Reason, "res.bytes_out": Bytes,
}

// isHAProxy reports whether a string is HAProxy's rather than Apache's: it has
// variables of two letters, flags or sample expressions.
func isHAProxy(spec string) bool {
	for _, mark := range []string{"%ci", "%cp", "%ST", "%ft", "%tr", "%tsc", "%HM", "%HU", "%HP", "%{+", "%{-", "%["} {
		if i := strings.Index(spec, mark); i >= 0 && (i == 0 || spec[i-1] != '%') {
			return true
		}
	}
	return false
}

// haproxyPieces parses a log-format string: %{flags}name and %[sample].
func haproxyPieces(spec string) ([]Piece, error) {
	var ps []Piece
	allQuoted := false
	for i := 0; i < len(spec); {
		c := spec[i]
		if c == '\\' && i+1 < len(spec) {
			ps = literal(ps, string(spec[i+1]), i)
			i += 2
			continue
		}
		if c != '%' {
			ps = literal(ps, string(c), i)
			i++
			continue
		}
		at := i
		if i++; i < len(spec) && spec[i] == '%' {
			ps = literal(ps, "%", at)
			i++
			continue
		}
		quoted := allQuoted
		flags := ""
		if i < len(spec) && spec[i] == '{' {
			end := strings.IndexByte(spec[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("at byte %d: a { without its }", i)
			}
			flags = spec[i+1 : i+end]
			i += end + 1
			quoted = quoted || strings.Contains(flags, "+Q")
			if strings.Contains(flags, "-Q") {
				quoted = false
			}
		}
		var p Piece
		p, i = haproxyField(spec, i)
		if p.Name == "" {
			return nil, fmt.Errorf("at byte %d: no such variable: %.8s", at, spec[at:])
		}
		p.At = at
		switch {
		case p.Name == "%o": // flags for all that follow
			allQuoted = quoted
			continue
		case quoted:
			ps = literal(append(literal(ps, `"`, at), p), `"`, at)
		default:
			ps = append(ps, p)
		}
	}
	return joinHAProxy(ps), nil
}

// haproxyField returns the piece of the variable or sample expression at i, and the
// offset after it. The piece has no name if there is none.
func haproxyField(spec string, i int) (Piece, int) {
	if i < len(spec) && spec[i] == '[' {
		depth := 0
		for j := i + 1; j < len(spec); j++ {
			switch spec[j] {
			case '(':
				depth++
			case ')':
				depth--
			case ']':
				if depth <= 0 {
					name := spec[i+1 : j]
					fetch, _, _ := strings.Cut(name, ",")
					p := Piece{Name: "%[" + name + "]"}
					p.Means, p.Arg = haproxyFetch(strings.TrimSpace(fetch))
					return p, j + 1
				}
			}
		}
		return Piece{}, i
	}
	for n := min(3, len(spec)-i); n > 0; n-- {
		if m, ok := haproxyMeanings[spec[i:i+n]]; ok {
			return Piece{Name: "%" + spec[i:i+n], Means: m}, i + n
		}
		for _, name := range haproxyIgnored {
			if name == spec[i:min(len(spec), i+len(name))] && len(name) >= n {
				return Piece{Name: "%" + name}, i + len(name)
			}
		}
	}
	return Piece{}, i
}

// haproxyFetch returns the meaning of a sample fetch, and the name if it is a cookie.
func haproxyFetch(fetch string) (m Meaning, arg string) {
	name, arg, _ := strings.Cut(strings.TrimSuffix(fetch, ")"), "(")
	switch m, ok := haproxyFetches[strings.ToLower(fetch)]; {
	case ok:
		return m, ""
	case name == "req.cook":
		return CookieNamed, arg
	case name == "req.hdr" || name == "req.fhdr":
		return header(arg), ""
	}
	return Ignored, ""
}

// joinHAProxy joins fields whose end is only clear together: the client's address and
// port, the backend and its server.
func joinHAProxy(ps []Piece) []Piece {
	out := ps[:0]
	for i := 0; i < len(ps); i++ {
		if i+2 < len(ps) && ps[i+1].Name == "" {
			p := ps[i]
			switch pair := ps[i].Name + ps[i+1].Literal + ps[i+2].Name; pair {
			case "%ci:%cp":
				p.Name, p.Means = pair, ClientPort
				out = append(out, p)
				i += 2
				continue
			case "%b/%s":
				p.Name, p.Means = pair, Server
				out = append(out, p)
				i += 2
				continue
			}
		}
		out = append(out, ps[i])
	}
	return out
}
