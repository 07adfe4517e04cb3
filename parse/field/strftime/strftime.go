// Package strftime parses times by strftime(3) patterns.
//
// In: a pattern from the configuration of a server, and text that begins with a time
// or a part of one. Out: the parts, which Civil assembles. It does not know zones by
// name, and does not read the clock.
package strftime

import (
	"fmt"
	"strings"
)

// Pattern is a compiled pattern. It is immutable and may be used by several
// goroutines.
type Pattern struct {
	verbs []verb
}

// verb is a conversion, or a literal byte c as -1-c.
type verb int16

// Conversions without a letter in strftime.
const (
	verbMillis   verb = 1 + iota // msec_frac: three digits
	verbMicros                   // usec_frac: six digits
	verbFraction                 // any number of digits
	verbDate                     // any spelling of a date
	verbClock                    // any spelling of a clock
	verbEpoch                    // seconds, milliseconds, … by the number of digits
)

// expansions maps conversions that are short for others.
var expansions = map[byte]string{
	'D': "%m/%d/%y", 'F': "%Y-%m-%d", 'T': "%H:%M:%S", 'R': "%H:%M", 'r': "%I:%M:%S %p",
	'c': "%a %b %e %H:%M:%S %Y", '+': "%a %b %e %H:%M:%S %Z %Y", 'x': "%m/%d/%y", 'X': "%H:%M:%S",
	'v': "%e-%b-%Y",
}

// known are the other conversions.
const known = "YymbBhdejHIkMSpPzZsaAuwUWVgGClfLNnt%"

// Compile compiles a pattern. Apache's msec_frac and usec_frac are digits of a
// second; %f, %L, %N and %3N are a fraction.
func Compile(pattern string) (*Pattern, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ { // expand conversions
		if pattern[i] == '%' && i+1 < len(pattern) {
			i++
			for i+1 < len(pattern) && strings.IndexByte("-_^#EO0", pattern[i]) >= 0 { // paddings and alternatives
				i++
			}
			if e, ok := expansions[pattern[i]]; ok {
				b.WriteString(e)
				continue
			}
			b.WriteByte('%')
		}
		b.WriteByte(pattern[i])
	}
	p := &Pattern{}
	for s := b.String(); s != ""; {
		switch {
		case strings.HasPrefix(s, "msec_frac"):
			p.verbs, s = append(p.verbs, verbMillis), s[len("msec_frac"):]
		case strings.HasPrefix(s, "usec_frac"):
			p.verbs, s = append(p.verbs, verbMicros), s[len("usec_frac"):]
		case s[0] != '%':
			p.verbs, s = append(p.verbs, -1-verb(s[0])), s[1:]
		case len(s) == 1:
			return nil, fmt.Errorf("the time format %q ends in a lone %%", pattern)
		default:
			c, n := s[1], 2
			for n < len(s) && c >= '1' && c <= '9' && (s[n] == 'N' || s[n] == 'S' || s[n] == 'f') { // %3N, %3f
				c, n = s[n], n+1
			}
			if strings.IndexByte(known, c) < 0 {
				return nil, fmt.Errorf("no such conversion in the time format %q: %%%c", pattern, c)
			}
			switch c {
			case '%', 'n', 't':
				p.verbs = append(p.verbs, -1-verb(map[byte]byte{'%': '%', 'n': '\n', 't': '\t'}[c]))
			case 'f', 'N', 'L':
				p.verbs = append(p.verbs, verbFraction)
			case 's':
				p.verbs = append(p.verbs, verbEpoch)
			default:
				p.verbs = append(p.verbs, verb(c))
			}
			s = s[n:]
		}
	}
	return p, nil
}

// Date and Clock match all spellings of a date and of a clock in logs: 09/Mar/2026,
// 2026-03-09, 03/09/2026; 14:05:00 with or without a fraction.
var (
	Date  = &Pattern{verbs: []verb{verbDate}}
	Clock = &Pattern{verbs: []verb{verbClock}}
)

// Number reports whether the pattern is a single number: an epoch.
func (p *Pattern) Number() bool { return len(p.verbs) == 1 && p.verbs[0] == verbEpoch }

// Parse parses the time at the start of b into c and returns its length in bytes, -1
// if there is none.
func (p *Pattern) Parse(b []byte, c *Civil) int {
	r := reader{b: b}
	for _, v := range p.verbs {
		if v < 0 {
			if want := byte(-1 - v); len(r.b) == 0 || r.b[0] != want {
				return -1
			}
			r.b = r.b[1:]
			continue
		}
		if !r.verb(v, c) {
			return -1
		}
	}
	return len(b) - len(r.b)
}

// reader reads the text of a time.
type reader struct{ b []byte }

// verb reads one conversion.
func (r *reader) verb(v verb, c *Civil) bool {
	var n int64
	ok := true
	switch v {
	case 'Y', 'G':
		if n, ok = r.digits(4, 4); v == 'Y' {
			c.setYear(n)
		}
	case 'y', 'g':
		if n, ok = r.digits(2, 2); v == 'y' {
			if n += 1900; n < 1969 {
				n += 100
			}
			c.setYear(n)
		}
	case 'C':
		_, ok = r.digits(2, 2)
	case 'm':
		n, ok = r.padded(2)
		c.setMonth(n)
	case 'b', 'h', 'B':
		n, ok = r.month()
		c.setMonth(n)
	case 'd', 'e':
		n, ok = r.padded(2)
		c.setDay(n)
	case 'j':
		n, ok = r.padded(3)
		c.yday = n
	case 'H', 'k':
		n, ok = r.padded(2)
		c.setHour(n)
	case 'I', 'l':
		n, ok = r.padded(2)
		if c.has&hasHour == 0 {
			c.hour12 = n
		}
	case 'p', 'P':
		c.pm, ok = r.half()
	case 'M':
		n, ok = r.padded(2)
		c.minute = n
	case 'S':
		n, ok = r.padded(2)
		c.second = n
	case 'z', 'Z':
		ok = r.zone(c)
	case verbEpoch:
		ok = r.epoch(c)
	case verbMillis, verbMicros, verbFraction:
		ok = r.fraction(c)
	case 'a', 'A':
		ok = r.word()
	case 'u', 'w':
		_, ok = r.digits(1, 1)
	case 'U', 'W', 'V':
		_, ok = r.padded(2)
	case verbDate:
		ok = r.date(c)
	case verbClock:
		ok = r.clock(c)
	}
	return ok
}

// digits reads from least to most digits.
func (r *reader) digits(least, most int) (n int64, ok bool) {
	i := 0
	for ; i < most && i < len(r.b) && r.b[i]-'0' <= 9; i++ {
		n = n*10 + int64(r.b[i]-'0')
	}
	r.b = r.b[i:]
	return n, i >= least
}

// padded reads up to most digits, with spaces for leading ones.
func (r *reader) padded(most int) (int64, bool) {
	for most > 1 && len(r.b) > 0 && r.b[0] == ' ' {
		r.b = r.b[1:]
		most--
	}
	return r.digits(1, most)
}

// month reads the name of a month, in full or its first three letters.
func (r *reader) month() (int64, bool) {
	if len(r.b) < 3 {
		return 0, false
	}
	m := Month(r.b)
	return m, m > 0 && r.word()
}

// Month returns the number of the month that the first three letters of b abbreviate,
// 0 if there is none. b must have at least three bytes.
func Month(b []byte) int64 {
	switch string([]byte{b[0] &^ 0x20, b[1] | 0x20, b[2] | 0x20}) {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}

// word reads letters.
func (r *reader) word() bool {
	i := 0
	for i < len(r.b) && r.b[i]|0x20 >= 'a' && r.b[i]|0x20 <= 'z' {
		i++
	}
	r.b = r.b[i:]
	return i > 0
}

// half reads AM as 1 or PM as 2.
func (r *reader) half() (int8, bool) {
	if len(r.b) < 2 || r.b[1]|0x20 != 'm' {
		return 0, false
	}
	c := r.b[0] | 0x20
	r.b = r.b[2:]
	switch c {
	case 'a':
		return 1, true
	case 'p':
		return 2, true
	}
	return 0, false
}

// zone reads +0100, +01:00, +01 or a name. All names are treated as UTC.
func (r *reader) zone(c *Civil) bool {
	if len(r.b) > 1 && r.b[0] == ' ' { // some servers write one that is not in the format
		r.b = r.b[1:]
	}
	if len(r.b) == 0 {
		return false
	}
	c.zoned = true
	sign := r.b[0]
	if sign != '+' && sign != '-' {
		c.offset = 0
		return r.word()
	}
	r.b = r.b[1:]
	h, ok := r.digits(2, 2)
	if !ok {
		return false
	}
	if len(r.b) > 2 && r.b[0] == ':' {
		r.b = r.b[1:]
	}
	m, ok := r.digits(0, 2)
	if c.offset = h*60 + m; sign == '-' {
		c.offset = -c.offset
	}
	return ok && h <= 24 && m < 60
}

// epoch reads a number since 1970, whose digits determine the unit.
func (r *reader) epoch(c *Civil) bool {
	n, ok := r.digits(9, 18)
	if !ok {
		return false
	}
	for n < 1e14 { // from seconds or milliseconds to microseconds
		n *= 1000
	}
	c.epoch = n
	c.has |= hasEpoch
	return true
}

// fraction reads the digits after the point of a second.
func (r *reader) fraction(c *Civil) bool {
	unit := int64(100_000)
	micros, i := int64(0), 0
	for ; i < len(r.b) && r.b[i]-'0' <= 9; i++ {
		micros += int64(r.b[i]-'0') * unit
		unit /= 10
	}
	r.b = r.b[i:]
	c.micros = micros
	return i > 0
}

// date reads 2026-03-09, 09/Mar/2026, 09-Mar-2026 or 03/09/2026.
func (r *reader) date(c *Civil) bool {
	b := r.b
	var year, month, day int64
	var ok [3]bool
	switch {
	case len(b) >= 10 && (b[4] == '-' || b[4] == '/'):
		year, ok[0] = r.digits(4, 4)
		r.b = r.b[1:]
		month, ok[1] = r.digits(1, 2)
		if len(r.b) == 0 || r.b[0] != b[4] {
			return false
		}
		r.b = r.b[1:]
		day, ok[2] = r.digits(1, 2)
	case len(b) >= 10 && (b[2] == '/' || b[2] == '-'):
		day, ok[0] = r.digits(2, 2)
		r.b = r.b[1:]
		if r.b[0]-'0' <= 9 {
			month = day
			day, ok[1] = r.digits(2, 2)
		} else {
			month, ok[1] = r.month()
		}
		if len(r.b) == 0 || r.b[0] != b[2] {
			return false
		}
		r.b = r.b[1:]
		year, ok[2] = r.digits(4, 4)
	default:
		return false
	}
	c.setYear(year)
	c.setMonth(month)
	c.setDay(day)
	return ok == [3]bool{true, true, true}
}

// clock reads 14:05:00 with an optional fraction.
func (r *reader) clock(c *Civil) bool {
	var parts [3]int64
	for i := range parts {
		if i > 0 {
			if len(r.b) == 0 || r.b[0] != ':' {
				return false
			}
			r.b = r.b[1:]
		}
		n, ok := r.digits(2, 2)
		if !ok {
			return false
		}
		parts[i] = n
	}
	c.setHour(parts[0])
	c.minute, c.second = parts[1], parts[2]
	if len(r.b) > 1 && (r.b[0] == '.' || r.b[0] == ',') && r.b[1]-'0' <= 9 {
		r.b = r.b[1:]
		return r.fraction(c)
	}
	return true
}
