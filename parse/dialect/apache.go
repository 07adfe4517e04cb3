package dialect

import (
	"fmt"
	"strings"

	"logscan/parse/field/strftime"
)

// apacheMeanings maps the directives without an argument that logscan uses.
// https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats
var apacheMeanings = map[byte]Meaning{
	'h': Client, 'a': Client, 'u': User, 't': Time, 'r': Request, 's': Status,
	'b': Bytes, 'B': Bytes, 'O': Bytes, 'D': Micros, 'T': Seconds,
	'm': Method, 'U': Path, 'q': Query, 'H': Protocol, 'V': Host, 'v': ServerName,
	'I': Count, 'k': Count, 'P': Count, 'p': Count, 'S': Count,
}

// apacheIgnored are the other directives, apacheBraced those that take an argument.
const (
	apacheIgnored = "AflLRXZ"
	apacheBraced  = "ioenCxtTapPhL"
)

func isApache(spec string) bool { return strings.Contains(spec, "%") }

// commonTime is the pattern of %t, within its brackets.
const commonTime = "%d/%b/%Y:%H:%M:%S %z"

// apachePieces parses a LogFormat string: directives, %% and the backslash escapes
// of the configuration file.
func apachePieces(spec string) ([]Piece, error) {
	var ps []Piece
	for i := 0; i < len(spec); {
		switch c := spec[i]; {
		case c == '\\' && i+1 < len(spec):
			text := string(spec[i+1])
			switch text {
			case "n":
				text = "\n"
			case "t":
				text = "\t"
			}
			ps = literal(ps, text, i)
			i += 2
		case c != '%':
			ps = literal(ps, string(c), i)
			i++
		case i+1 < len(spec) && spec[i+1] == '%':
			ps = literal(ps, "%", i)
			i += 2
		default:
			p, letter, end, err := apacheDirective(spec, i)
			if err != nil {
				return nil, err
			}
			switch n := len(ps) - 1; {
			case letter == 't': // its value has brackets
				p.Time, _ = strftime.Compile(commonTime)
				ps = literal(append(literal(ps, "[", i), p), "]", i)
			case letter == 'q' && n >= 0 && ps[n].Means == Path: // %U%q
				ps[n].Means, ps[n].Name = Target, ps[n].Name+p.Name
			default:
				ps = append(ps, p)
			}
			i = end
		}
	}
	return ps, nil
}

// apacheDirective parses the directive at offset at of spec, which ends at end:
// %[!][status,…][<|>][{argument}]letter. letter is 0 if there is an argument.
func apacheDirective(spec string, at int) (p Piece, letter byte, end int, err error) {
	i, final := at+1, false
	for i < len(spec) && strings.IndexByte("!<>,0123456789", spec[i]) >= 0 {
		final = final || spec[i] == '>'
		i++
	}
	arg, braced := "", false
	if i < len(spec) && spec[i] == '{' {
		n := strings.IndexByte(spec[i:], '}')
		if n < 0 {
			return p, 0, 0, fmt.Errorf("at byte %d: a { without its }", i)
		}
		arg, braced = spec[i+1:i+n], true
		i += n + 1
		for i < len(spec) && strings.IndexByte("<>", spec[i]) >= 0 { // as in %{X}>i
			i++
		}
	}
	if i == len(spec) {
		return p, 0, 0, fmt.Errorf("at byte %d: a %% without a directive", at)
	}
	letter = spec[i]
	if letter == '^' { // %^FB, %^ti: trailers and the time to the first byte
		if i+3 > len(spec) {
			return p, 0, 0, fmt.Errorf("at byte %d: no such directive: %s", at, spec[at:])
		}
		return Piece{Name: spec[at : i+3], At: at}, 0, i + 3, nil
	}
	end = i + 1
	p = Piece{Name: spec[at:end], At: at}
	ok := true
	switch {
	case braced && strings.IndexByte(apacheBraced, letter) >= 0:
		p.Name = nameOr(arg, p.Name)
		if err := p.apacheArgument(letter, arg); err != nil {
			return p, 0, 0, fmt.Errorf("at byte %d: %w", at, err)
		}
		if letter != 't' || !strings.HasPrefix(arg, javaTime) { // Jetty's is in brackets as well
			letter = 0
		}
	case braced:
		ok = false
	default:
		p.Means, ok = apacheMeanings[letter]
		ok = ok || strings.IndexByte(apacheIgnored, letter) >= 0
	}
	if !ok {
		return p, 0, 0, fmt.Errorf("at byte %d: no such directive: %s", at, spec[at:end])
	}
	switch {
	case letter == 'L': // whose name in lower case is that of %l
		p.Name = "log_id"
	case braced && spec[i] == 'L':
		p.Name = "connection_log_id"
	case braced && spec[i] == 'p' && arg == "remote":
		p.Name = "remote_port"
	}
	if letter == 's' && !final {
		p.Means = StatusOriginal
	}
	return p, letter, end, nil
}

// apacheArgument sets the meaning of a directive with an argument.
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
			p.Means = Keyword
		case "TAKEN": // Jira, in a unit that depends on its version
			p.Means = Word
		case "LATENCY": // Gin, whose log is described in this syntax
			p.Means = Latency
		}
	case 'a', 'h':
		switch arg {
		case "c":
			p.Means = Peer
		case "server", "local": // Jetty
			p.Means = Ignored
		default:
			p.Means = Client
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

// apacheTime sets the meaning of %{arg}t: a time or a part of one.
func (p *Piece) apacheTime(arg string) error {
	arg = strings.TrimPrefix(strings.TrimPrefix(arg, "begin:"), "end:")
	spelled := arg
	switch arg {
	case "":
		spelled = commonTime
	case "sec", "msec", "usec":
		spelled = "%s"
	}
	if strings.HasPrefix(arg, javaTime) {
		arg, spelled = "", commonTime
	}
	var err error
	p.Time, err = strftime.Compile(spelled)
	if p.Means = TimePart; wholeTime(arg) {
		p.Means = Time
	}
	return err
}

// javaTime begins the time in Jetty's formats: %{dd/MMM/yyyy:HH:mm:ss ZZZ|GMT}t.
const javaTime = "dd/MMM/yyyy:HH:mm:ss"

// wholeTime reports whether a strftime format is one of the usual spellings of a whole
// time, as opposed to a part such as msec_frac.
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
