package dialect

import (
	"fmt"
	"strings"

	"logscan/parse/field/strftime"
)

// goaccessMeanings maps the specifiers of GoAccess's log-format.
// https://goaccess.io/man#custom-log
var goaccessMeanings = map[byte]Meaning{
	'x': Time, 'd': TimePart, 't': TimePart, 'v': Host, 'e': User, 'h': Client, 'r': Request, 'm': Method,
	'U': Target, 'q': Query, 'H': Protocol, 's': Status, 'b': Bytes, 'R': Referrer, 'u': Agent,
	'D': Micros, 'T': Seconds, 'L': Millis, 'n': Nanos,
	'C': Ignored, 'K': Ignored, 'k': Ignored, 'M': Ignored, '^': Ignored,
}

// isGoAccess reports whether a string is GoAccess's rather than Apache's: it has what
// Apache does not have, or a date and a time.
func isGoAccess(spec string) bool {
	if strings.Contains(spec, "%^") && !strings.Contains(spec, "%^t") && !strings.Contains(spec, "%^F") {
		return true
	}
	if strings.Contains(spec, "%{") || strings.Contains(spec, "%>") {
		return false
	}
	return strings.Contains(spec, "~h{") || strings.Contains(spec, "%x") ||
		strings.Contains(spec, "%d") && strings.Contains(spec, "%t")
}

// goaccessPieces parses a log-format string. Dates and clocks may have any spelling,
// because GoAccess takes theirs from other options.
func goaccessPieces(spec string) ([]Piece, error) {
	var ps []Piece
	for i := 0; i < len(spec); {
		switch {
		case strings.HasPrefix(spec[i:], "~h{"):
			end := strings.IndexByte(spec[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("at byte %d: a { without its }", i)
			}
			ps = append(ps, Piece{Name: spec[i : i+end+1], Means: Forwarded, At: i})
			i += end + 1
		case spec[i] == '\\' && i+1 < len(spec):
			c := spec[i+1]
			if c == 't' {
				c = '\t'
			}
			ps = literal(ps, string(c), i)
			i += 2
		case spec[i] != '%':
			ps = literal(ps, string(spec[i]), i)
			i++
		case i+1 == len(spec):
			return nil, fmt.Errorf("at byte %d: a %% without a specifier", i)
		case spec[i+1] == '%':
			ps = literal(ps, "%", i)
			i += 2
		case spec[i+1] == '~':
			ps = append(ps, Piece{Name: "%~", Means: Padding, At: i})
			i += 2
		default:
			m, ok := goaccessMeanings[spec[i+1]]
			if !ok {
				return nil, fmt.Errorf("at byte %d: no such specifier: %s", i, spec[i:i+2])
			}
			p := Piece{Name: spec[i : i+2], Means: m, At: i}
			switch spec[i+1] {
			case 'd':
				p.Time = strftime.Date
			case 't':
				p.Time = strftime.Clock
			}
			ps = append(ps, p)
			i += 2
		}
	}
	return ps, nil
}
