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
	'C': Ignored, 'K': Ignored, 'k': Ignored, 'M': Ignored, '^': Ignored, '~': Padding,
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

// goaccessField parses a specifier or ~h{…}. Dates and clocks may have any spelling,
// because GoAccess takes theirs from other options.
func goaccessField(s *scanner, at int) (end int, err error) {
	if s.spec[at] == '~' {
		if _, end, err = s.argument(at, at+len("~h"), '}'); err == nil {
			s.add(Piece{Name: s.spec[at:end], Means: Forwarded, At: at})
		}
		return end, err
	}
	if end = at + 2; end > len(s.spec) {
		return 0, fmt.Errorf("at byte %d: a %% without a specifier", at)
	}
	letter := s.spec[at+1]
	m, ok := goaccessMeanings[letter]
	if !ok {
		return 0, fmt.Errorf("at byte %d: no such specifier: %s", at, s.spec[at:end])
	}
	p := Piece{Name: s.spec[at:end], Means: m, At: at}
	switch letter {
	case 'd':
		p.Time = strftime.Date
	case 't':
		p.Time = strftime.Clock
	}
	s.add(p)
	return end, nil
}
