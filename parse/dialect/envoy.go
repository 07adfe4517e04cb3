package dialect

import (
	"fmt"
	"strings"

	"logscan/parse/field/strftime"
)

// envoyMeanings maps the command operators that logscan uses.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
var envoyMeanings = map[string]Meaning{
	"START_TIME": Time, "PROTOCOL": Protocol, "RESPONSE_CODE": Status,
	"BYTES_SENT": Bytes, "BYTES_RECEIVED": Count, "DURATION": Millis,
	"RESPONSE_CODE_DETAILS": Reason, "RESPONSE_FLAGS": Flags,
	"UPSTREAM_HOST": Upstream, "UPSTREAM_REMOTE_ADDRESS": Upstream,
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

// envoyPieces parses a format string. The documented line feed at its end is left
// out.
func envoyPieces(spec string) ([]Piece, error) {
	spec = strings.TrimSuffix(strings.TrimSuffix(spec, "\n"), `\n`)
	var ps []Piece
	for i := 0; i < len(spec); {
		if spec[i] != '%' {
			j := strings.IndexByte(spec[i:], '%')
			if j < 0 {
				j = len(spec) - i
			}
			ps = literal(ps, spec[i:i+j], i)
			i += j
			continue
		}
		if strings.HasPrefix(spec[i:], "%%") {
			ps = literal(ps, "%", i)
			i += 2
			continue
		}
		name, n := envoyOperator(spec[i:])
		if n == 0 {
			return nil, fmt.Errorf("at byte %d: a %% without an operator and its closing %%", i)
		}
		p, err := envoyField(name, spec[i+1:i+n-1])
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", i, err)
		}
		p.At = i
		ps = append(ps, p)
		i += n
	}
	return joinRequest(ps), nil
}

// envoyField returns the piece of an operator with its argument.
func envoyField(name, operator string) (Piece, error) {
	p := Piece{Name: operator, Means: envoyMeanings[name]}
	_, arg, _ := strings.Cut(operator, "(")
	if i := strings.IndexByte(arg, ')'); i >= 0 {
		arg = arg[:i]
	}
	switch name {
	case "REQ":
		first, second, _ := strings.Cut(arg, "?")
		p.Name = nameOr(first, operator)
		if p.Means = header(first); p.Means == Ignored && second != "" {
			p.Means = header(second)
		}
		if strings.EqualFold(first, "x-envoy-original-path") {
			p.Means = Target
		}
	case "RESP", "TRAILER":
		p.Name, p.Means = nameOr(arg, operator), responseHeader(arg)
	case "START_TIME":
		if arg == "" {
			break
		}
		var err error
		p.Time, err = strftime.Compile(arg)
		p.Means = TimePart
		return p, err
	}
	return p, nil
}

// joinRequest joins "METHOD target PROTOCOL" in quotes into one field: only the
// closing quote ends it, whatever the target contains.
func joinRequest(ps []Piece) []Piece {
	out := ps[:0]
	for i := 0; i < len(ps); i++ {
		if i+4 < len(ps) && ps[i].Means == Method && ps[i+1].Literal == " " && ps[i+2].Means == Target &&
			ps[i+3].Literal == " " && ps[i+4].Means == Protocol {
			out = append(out, Piece{Name: "request", Means: Request, At: ps[i].At})
			i += 4
			continue
		}
		out = append(out, ps[i])
	}
	return out
}
