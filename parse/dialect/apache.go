package dialect

import (
	"fmt"
	"strings"

	"logscan/parse/field/strftime"
)

// apacheMeanings are the directives without argument that mean something to
// logscan. https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats
var apacheMeanings = map[byte]Meaning{
	'h': Client, 'a': Client, 'u': User, 't': Time, 'r': Request, 's': Status,
	'b': Bytes, 'B': Bytes, 'O': Bytes, 'D': Micros, 'T': Seconds,
	'm': Method, 'U': Path, 'q': Query, 'H': Protocol, 'V': Host, 'v': ServerName,
	'I': Count, 'k': Count, 'P': Count, 'p': Count, 'S': Count,
}

// apacheIgnored are the other directives there are, apacheBraced those that take
// an argument.
const (
	apacheIgnored = "AflLRXZ"
	apacheBraced  = "ioenCxtTapPh"
)

func isApache(spec string) bool { return strings.Contains(spec, "%") }

// commonTime is how %t spells a time.
const commonTime = "%d/%b/%Y:%H:%M:%S %z"

// apachePieces takes a LogFormat string apart:
// %[!][status,…][<|>][{argument}]directive, %% and the backslash escapes of the
// configuration file.
func apachePieces(spec string) ([]Piece, error) {
	var ps []Piece
	for i := 0; i < len(spec); {
		switch c := spec[i]; {
		case c == '\\' && i+1 < len(spec):
			switch d := spec[i+1]; d {
			case 'n':
				ps = literal(ps, "\n", i)
			case 't':
				ps = literal(ps, "\t", i)
			default:
				ps = literal(ps, string(d), i)
			}
			i += 2
			continue
		case c != '%':
			ps = literal(ps, string(c), i)
			i++
			continue
		}
		at := i
		i++
		if i < len(spec) && spec[i] == '%' {
			ps = literal(ps, "%", at)
			i++
			continue
		}
		final := false
		for i < len(spec) && strings.IndexByte("!<>,0123456789", spec[i]) >= 0 {
			final = final || spec[i] == '>'
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
			for i < len(spec) && strings.IndexByte("<>", spec[i]) >= 0 { // %{ms}>T is not, but %{X}>i is
				i++
			}
		}
		if i == len(spec) {
			return nil, fmt.Errorf("at byte %d: a %% without a directive", at)
		}
		d := spec[i]
		if d == '^' { // %^FB, %^ti: trailers, and the time to the first byte
			if i+3 > len(spec) {
				return nil, fmt.Errorf("at byte %d: no such directive: %s", at, spec[at:])
			}
			i += 3
			ps = append(ps, Piece{Name: spec[at:i], At: at})
			continue
		}
		p := Piece{Name: spec[at : i+1], At: at}
		i++
		ok := true
		switch {
		case braced && strings.IndexByte(apacheBraced, d) >= 0:
			p.Name = nameOr(arg, p.Name)
			if err := p.apacheArgument(d, arg); err != nil {
				return nil, fmt.Errorf("at byte %d: %w", at, err)
			}
		case braced:
			ok = false
		default:
			p.Means, ok = apacheMeanings[d]
			ok = ok || strings.IndexByte(apacheIgnored, d) >= 0
		}
		if !ok {
			return nil, fmt.Errorf("at byte %d: no such directive: %s", at, spec[at:i])
		}
		if d == 's' && !final {
			p.Means = StatusOriginal
		}
		if d == 't' && !braced {
			p.Time, _ = strftime.Compile(commonTime)
			ps = literal(append(literal(ps, "[", at), p), "]", at)
			continue
		}
		if n := len(ps) - 1; d == 'q' && n >= 0 && ps[n].Means == Path { // %U%q
			ps[n].Means, ps[n].Name = Target, ps[n].Name+p.Name
			continue
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// apacheArgument says what a directive with an argument means.
func (p *Piece) apacheArgument(d byte, arg string) error {
	switch d {
	case 'i':
		p.Means = header(arg)
	case 'o':
		p.Means = responseHeader(arg)
	case 'C':
		p.Means, p.Arg = CookieNamed, arg
	case 'e', 'n', 'x':
		switch strings.ToUpper(arg) {
		case "REMOTE_USER", "SSL_CLIENT_S_DN_CN", "OIDC_CLAIM_PREFERRED_USERNAME", "OIDC_CLAIM_EMAIL", "OIDC_CLAIM_SUB":
			p.Means = User
		case "REQUEST_SCHEME":
			p.Means = Scheme
		case "BALANCER_WORKER_NAME":
			p.Means = Upstream
		case "IPP-OPERATION", "IPP-STATUS": // CUPS, whose log looks like Apache's
			p.Means = Word
		}
	case 'a', 'h':
		if p.Means = Client; d == 'a' && arg == "c" {
			p.Means = Peer
		}
	case 'T':
		switch arg {
		case "us":
			p.Means = Micros
		case "ms":
			p.Means = Millis
		default:
			p.Means = Seconds
		}
	case 't':
		return p.apacheTime(arg)
	}
	return nil
}

// apacheTime says what %{…}t spells: a time, or a part of one.
func (p *Piece) apacheTime(arg string) error {
	arg = strings.TrimPrefix(strings.TrimPrefix(arg, "begin:"), "end:")
	spelled := arg
	switch arg {
	case "":
		spelled = commonTime
	case "sec", "msec", "usec":
		spelled = "%s"
	}
	var err error
	p.Time, err = strftime.Compile(spelled)
	if p.Means = TimePart; wholeTime(arg) {
		p.Means = Time
	}
	return err
}

// wholeTime tells whether a strftime format is one of the usual spellings of a
// whole time. A part of the time, such as msec_frac alone, is none.
func wholeTime(arg string) bool {
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
