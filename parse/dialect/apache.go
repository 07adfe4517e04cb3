package dialect

import (
	"cmp"
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
	apacheBraced  = "ioenCxtTapPh"
)

func isApache(spec string) bool { return strings.Contains(spec, "%") }

// commonTime is the pattern of %t, within its brackets.
const commonTime = "%d/%b/%Y:%H:%M:%S %z"

// apacheField parses a directive: %[!][status,…][<|>][{argument}][<|>]letter.
func apacheField(s *scanner, at int) (end int, err error) {
	spec, i := s.spec, at+1
	for i < len(spec) && strings.IndexByte("!<>,0123456789", spec[i]) >= 0 {
		i++
	}
	final := strings.Contains(spec[at:i], ">")
	arg, braced := "", i < len(spec) && spec[i] == '{'
	if braced {
		if arg, i, err = s.argument(i, i, '}'); err != nil {
			return 0, err
		}
		for i < len(spec) && strings.IndexByte("<>", spec[i]) >= 0 {
			i++
		}
	}
	if i == len(spec) {
		return 0, fmt.Errorf("at byte %d: a %% without a directive", at)
	}
	letter := spec[i]
	if end = i + 1; letter == '^' { // %^FB, %^ti: trailers and the time to the first byte
		end = min(i+3, len(spec))
	}
	p := Piece{Name: spec[at:end], At: at}
	m, known := apacheMeanings[letter]
	n := len(s.pieces) - 1
	switch {
	case letter == '^' && i+3 <= len(spec):
	case braced && strings.IndexByte(apacheBraced, letter) >= 0:
		p.Name = cmp.Or(arg, p.Name)
		if err := p.apacheArgument(letter, arg); err != nil {
			return 0, fmt.Errorf("at byte %d: %w", at, err)
		}
	case braced || !known && strings.IndexByte(apacheIgnored, letter) < 0:
		return 0, fmt.Errorf("at byte %d: no such directive: %s", at, p.Name)
	case letter == 's' && !final:
		p.Means = StatusOriginal
	case letter == 't': // its value has brackets
		p.Means = m
		p.Time, err = strftime.Compile(commonTime)
		s.enclose("[", p, "]")
		return end, err
	case letter == 'q' && n >= 0 && s.pieces[n].Means == Path: // %U%q
		s.pieces[n].Means, s.pieces[n].Name = Target, s.pieces[n].Name+p.Name
		return end, nil
	default:
		p.Means = m
	}
	s.add(p)
	return end, nil
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
	var err error
	p.Time, err = strftime.Compile(spelled)
	if p.Means = TimePart; wholeTime(arg) {
		p.Means = Time
	}
	return err
}

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
