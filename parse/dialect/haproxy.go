package dialect

import (
	"fmt"
	"strings"
)

// haproxyMeanings maps the variables of a log-format that logscan uses.
// https://docs.haproxy.org/3.0/configuration.html#8.2.6
var haproxyMeanings = map[string]Meaning{
	"ci": Client, "t": Time, "tr": Time, "trl": Time, "trg": Time, "T": Time, "Tl": Time, "Ts": Time,
	"ST": Status, "B": Bytes, "Ta": Millis, "Tt": Millis, "CC": Ignored,
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

// haproxyField parses %{flags}name or %[sample].
func haproxyField(s *scanner, at int) (end int, err error) {
	i, quoted := at+1, s.quoted
	if i < len(s.spec) && s.spec[i] == '{' {
		var flags string
		if flags, i, err = s.argument(i, i, '}'); err != nil {
			return 0, err
		}
		quoted = (quoted || strings.Contains(flags, "+Q")) && !strings.Contains(flags, "-Q")
	}
	p, end := haproxyVariable(s.spec, i)
	p.At = at
	pair := ""
	n := len(s.pieces) - 2
	if n >= 0 {
		pair = s.pieces[n].Name + s.pieces[n+1].Literal + p.Name
	}
	switch {
	case p.Name == "":
		return 0, fmt.Errorf("at byte %d: no such variable: %.8s", at, s.spec[at:])
	case p.Name == "%o": // flags for all that follow
		s.quoted = quoted
	case quoted:
		s.enclose(`"`, p, `"`)
	case pair == "%ci:%cp", pair == "%b/%s": // their end is only clear together
		s.pieces = s.pieces[:n+1]
		s.pieces[n].Name, s.pieces[n].Means = pair, ClientPort
		if p.Means == Server {
			s.pieces[n].Means = Server
		}
	default:
		s.add(p)
	}
	return end, nil
}

// haproxyVariable returns the piece of the variable or sample expression at i, and the
// offset after it. The piece has no name if there is none.
func haproxyVariable(spec string, i int) (Piece, int) {
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
					return Piece{Name: "%[" + name + "]", Means: haproxyFetches[strings.ToLower(strings.TrimSpace(fetch))]}, j + 1
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
