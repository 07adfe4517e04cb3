package dialect

import (
	"cmp"
	"fmt"
	"strings"

	"logscan/parse/field/strftime"
)

// envoyMeanings maps the command operators that logscan uses.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
var envoyMeanings = map[string]Meaning{
	"START_TIME": Time, "PROTOCOL": Protocol, "RESPONSE_CODE": Status,
	"BYTES_SENT": Bytes, "BYTES_RECEIVED": Count, "DURATION": Millis,
	"RESPONSE_CODE_DETAILS": Reason,
	"UPSTREAM_HOST":         Upstream, "UPSTREAM_REMOTE_ADDRESS": Upstream,
	"DOWNSTREAM_REMOTE_ADDRESS": ClientPort, "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": Client,
	"DOWNSTREAM_DIRECT_REMOTE_ADDRESS": Peer, "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": Peer,
}

// isEnvoy reports whether a string has a command operator: %NAME%, %NAME(…)%.
func isEnvoy(spec string) bool {
	for i := range len(spec) {
		if spec[i] == '%' {
			if _, n := envoyOperator(spec[i:]); n > 0 {
				return true
			}
		}
	}
	return false
}

// envoyOperator returns the name of the operator at the start of s, and its length
// with its percent signs, 0 if there is none.
func envoyOperator(s string) (name string, n int) {
	i := 1
	for i < len(s) && (s[i] == '_' || s[i] >= 'A' && s[i] <= 'Z' || i > 1 && isDigit(s[i])) {
		i++
	}
	if i < 4 { // none is so short, but Apache has %D%
		return "", 0
	}
	name = s[1:i]
	if i < len(s) && s[i] == '(' {
		end := strings.IndexByte(s[i:], ')')
		if end < 0 {
			return "", 0
		}
		i += end + 1
	}
	if i < len(s) && s[i] == ':' { // a limit of the length
		i++
		for i < len(s) && isDigit(s[i]) {
			i++
		}
	}
	if i == len(s) || s[i] != '%' {
		return "", 0
	}
	return name, i + 1
}

// envoyField parses an operator with its argument.
func envoyField(s *scanner, at int) (end int, err error) {
	name, n := envoyOperator(s.spec[at:])
	if n == 0 {
		return 0, fmt.Errorf("at byte %d: a %% without an operator and its closing %%", at)
	}
	operator := s.spec[at+1 : at+n-1]
	p := Piece{Name: operator, Means: envoyMeanings[name], At: at}
	_, arg, _ := strings.Cut(operator, "(")
	arg, _, _ = strings.Cut(arg, ")")
	switch name {
	case "REQ":
		first, second, _ := strings.Cut(arg, "?")
		p.Name = cmp.Or(first, operator)
		if p.Means = header(first); p.Means == Ignored && second != "" {
			p.Means = header(second)
		}
		if strings.EqualFold(first, "x-envoy-original-path") {
			p.Means = Target
		}
	case "RESP", "TRAILER":
		p.Name, p.Means = cmp.Or(arg, operator), responseHeader(arg)
	case "START_TIME":
		if arg != "" {
			p.Means = TimePart
			if p.Time, err = strftime.Compile(arg); err != nil {
				return 0, fmt.Errorf("at byte %d: %w", at, err)
			}
		}
	}
	// "METHOD target PROTOCOL" is one field: only the closing quote ends it, whatever
	// the target contains.
	ps := s.pieces
	if n := len(ps) - 4; n >= 0 && p.Means == Protocol && ps[n].Means == Method && ps[n+1].Literal == " " && ps[n+2].Means == Target && ps[n+3].Literal == " " {
		p = Piece{Name: "request", Means: Request, At: ps[n].At}
		s.pieces = ps[:n]
	}
	s.add(p)
	return at + n, nil
}
