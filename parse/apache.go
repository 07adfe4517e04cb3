package parse

import (
	"fmt"
	"strings"
)

// apacheFields are the directives without argument that mean something to
// logscan. https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats
var apacheFields = map[byte]field{
	'h': fieldClient, 'a': fieldClient, 'u': fieldUser, 't': fieldTime, 'r': fieldRequest, 's': fieldStatus,
	'b': fieldBytes, 'B': fieldBytes, 'O': fieldBytes, 'D': fieldMicros, 'T': fieldSeconds,
	'm': fieldMethod, 'U': fieldPath, 'q': fieldQuery, 'H': fieldProtocol, 'V': fieldHost, 'v': fieldHost,
	'I': fieldCount, 'k': fieldCount, 'P': fieldCount, 'p': fieldCount, 'S': fieldCount,
}

// apacheIgnored are the other directives there are.
const apacheIgnored = "AflLRXZ^C"

// apachePieces takes a LogFormat string apart:
// %[!][status,…][<|>][{argument}]directive, %% and the backslash escapes of the
// configuration file.
func apachePieces(spec string) ([]piece, error) {
	var ps []piece
	literal := func(s string, at int) { ps = append(ps, piece{literal: s, at: at}) }
	sizes := 0
	for i := 0; i < len(spec); {
		switch c := spec[i]; {
		case c == '\\' && i+1 < len(spec):
			switch d := spec[i+1]; d {
			case 'n':
				literal("\n", i)
			case 't':
				literal("\t", i)
			default:
				literal(string(d), i)
			}
			i += 2
			continue
		case c != '%':
			literal(string(c), i)
			i++
			continue
		}
		at := i
		i++
		if i < len(spec) && spec[i] == '%' {
			literal("%", at)
			i++
			continue
		}
		for i < len(spec) && strings.IndexByte("!<>,0123456789", spec[i]) >= 0 {
			i++
		}
		arg, braced := "", false
		if i < len(spec) && spec[i] == '{' {
			end := strings.IndexByte(spec[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("at byte %d: a { without its }", i)
			}
			arg, braced = spec[i+1:i+end], true
			i += end + 1
		}
		if i == len(spec) {
			return nil, fmt.Errorf("at byte %d: a %% without a directive", at)
		}
		d := spec[i]
		name := spec[at : i+1]
		i++
		if d == '^' && strings.HasPrefix(spec[i:], "t") { // %^ti, %^to: trailers
			i = min(i+2, len(spec))
			ps = append(ps, piece{name: name, at: at})
			continue
		}
		f, ok := apacheFields[d]
		if braced {
			f, ok = apacheArgument(d, arg)
		}
		if !ok && strings.IndexByte(apacheIgnored+"ioenCxDTtapP", d) < 0 {
			return nil, fmt.Errorf("at byte %d: no such directive: %s", at, name)
		}
		if f == fieldBytes {
			// Of the body's size and the whole response's the first counts.
			if sizes++; sizes > 1 {
				f = fieldCount
			}
		}
		if d == 't' && !braced {
			literal("[", at)
			ps = append(ps, piece{field: f, name: name, at: at})
			literal("]", at)
			continue
		}
		if braced {
			name = arg
		}
		ps = append(ps, piece{field: f, name: name, at: at})
	}
	return ps, nil
}

// apacheArgument says what a directive with an argument means.
func apacheArgument(d byte, arg string) (field, bool) {
	switch d {
	case 'i':
		switch strings.ToLower(arg) {
		case "referer":
			return fieldReferrer, true
		case "user-agent":
			return fieldAgent, true
		case "x-forwarded-for":
			return fieldForwarded, true
		case "forwarded":
			return fieldForwardedHeader, true
		case "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip":
			return fieldRealIP, true
		case "authorization":
			return fieldAuthorization, true
		case "x-session-id":
			return fieldSession, true
		case "cookie":
			return fieldCookie, true
		case "host":
			return fieldHost, true
		}
		return fieldIgnored, true
	case 'o':
		if strings.EqualFold(arg, "www-authenticate") {
			return fieldReason, true
		}
		return fieldIgnored, true
	case 'C':
		if isSessionName(arg) {
			return fieldSession, true
		}
		return fieldIgnored, true
	case 'a':
		if arg == "c" {
			return fieldPeer, true
		}
		return fieldClient, true
	case 'h':
		return fieldClient, true
	case 'T':
		switch arg {
		case "us":
			return fieldMicros, true
		case "ms":
			return fieldMillis, true
		}
		return fieldSeconds, true
	case 't':
		if wholeTime(arg) {
			return fieldTime, true
		}
		return fieldIgnored, true
	case 'e', 'n', 'x', 'p', 'P':
		return fieldIgnored, true
	}
	return fieldIgnored, false
}

// wholeTime tells whether the strftime format of a %{…}t is a spelling of a
// whole time that parseTime knows. A part of the time, such as msec_frac alone,
// is none.
func wholeTime(arg string) bool {
	arg = strings.TrimPrefix(strings.TrimPrefix(arg, "begin:"), "end:")
	switch arg {
	case "", "sec", "msec", "usec", "%s":
		return true
	}
	arg = strings.NewReplacer("%F", "%Y-%m-%d", "%T", "%H:%M:%S").Replace(arg)
	for _, date := range []string{"%d/%b/%Y:", "%d/%b/%Y ", "%Y-%m-%dT", "%Y-%m-%d "} {
		rest, ok := strings.CutPrefix(arg, date+"%H:%M:%S")
		if !ok {
			continue
		}
		for _, part := range []string{".msec_frac", ".usec_frac", ",msec_frac", ",usec_frac", " ", "%z", "Z"} {
			rest = strings.TrimPrefix(rest, part)
		}
		return rest == ""
	}
	return false
}
