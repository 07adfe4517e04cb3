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

// number describes a conversion that is a number.
type number struct {
	least, most int // digits
	padded      bool
	part        part
}

var numbers = [128]number{
	'Y': {4, 4, false, year}, 'G': {4, 4, false, noPart}, 'y': {2, 2, false, year}, 'g': {2, 2, false, noPart}, 'C': {2, 2, false, noPart},
	'm': {1, 2, true, month}, 'd': {1, 2, true, day}, 'e': {1, 2, true, day}, 'j': {1, 3, true, yearDay},
	'H': {1, 2, true, hour}, 'k': {1, 2, true, hour}, 'I': {1, 2, true, hour12}, 'l': {1, 2, true, hour12},
	'M': {1, 2, true, minute}, 'S': {1, 2, true, second},
	'u': {1, 1, false, noPart}, 'w': {1, 1, false, noPart}, 'U': {1, 2, true, noPart}, 'W': {1, 2, true, noPart}, 'V': {1, 2, true, noPart},
}

// verb reads one conversion.
func (r *reader) verb(v verb, c *Civil) bool {
	switch v {
	case 'b', 'h', 'B':
		n, ok := r.month()
		c.set(month, n)
		return ok
	case 'p', 'P':
		return r.half(c)
	case 'z', 'Z':
		return r.zone(c)
	case verbEpoch:
		return r.epoch(c)
	case verbMillis, verbMicros, verbFraction:
		return r.fraction(c)
	case 'a', 'A':
		return r.word()
	case verbDate:
		return r.date(c)
	case verbClock:
		return r.clock(c)
	}
	x := &numbers[v]
	most := x.most
	for x.padded && most > 1 && len(r.b) > 0 && r.b[0] == ' ' {
		r.b = r.b[1:]
		most--
	}
	n, ok := r.digits(x.least, most)
	if v == 'y' {
		if n += 1900; n < 1969 {
			n += 100
		}
	}
	c.set(x.part, n)
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
	name := [3]byte{b[0] &^ 0x20, b[1] | 0x20, b[2] | 0x20}
	for i := range int64(12) {
		if months[3*i:3*i+3] == string(name[:]) {
			return i + 1
		}
	}
	return 0
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// word reads letters.
func (r *reader) word() bool {
	i := 0
	for i < len(r.b) && r.b[i]|0x20 >= 'a' && r.b[i]|0x20 <= 'z' {
		i++
	}
	r.b = r.b[i:]
	return i > 0
}

// half reads AM or PM.
func (r *reader) half(c *Civil) bool {
	c.pm = len(r.b) > 1 && r.b[0]|0x20 == 'p' && r.b[1]|0x20 == 'm'
	ok := c.pm || len(r.b) > 1 && r.b[0]|0x20 == 'a' && r.b[1]|0x20 == 'm'
	if ok {
		r.b = r.b[2:]
	}
	return ok
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
	c.set(epoch, n)
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
	var y, m, d int64
	var ok [3]bool
	switch {
	case len(b) >= 10 && (b[4] == '-' || b[4] == '/'):
		y, ok[0] = r.digits(4, 4)
		r.b = r.b[1:]
		m, ok[1] = r.digits(1, 2)
		if len(r.b) == 0 || r.b[0] != b[4] {
			return false
		}
		r.b = r.b[1:]
		d, ok[2] = r.digits(1, 2)
	case len(b) >= 10 && (b[2] == '/' || b[2] == '-'):
		d, ok[0] = r.digits(2, 2)
		r.b = r.b[1:]
		if r.b[0]-'0' <= 9 {
			m = d
			d, ok[1] = r.digits(2, 2)
		} else {
			m, ok[1] = r.month()
		}
		if len(r.b) == 0 || r.b[0] != b[2] {
			return false
		}
		r.b = r.b[1:]
		y, ok[2] = r.digits(4, 4)
	default:
		return false
	}
	c.set(year, y)
	c.set(month, m)
	c.set(day, d)
	return ok == [3]bool{true, true, true}
}

// clock reads 14:05:00 with an optional fraction.
func (r *reader) clock(c *Civil) bool {
	for i, part := range [...]part{hour, minute, second} {
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
		c.set(part, n)
	}
	if len(r.b) > 1 && (r.b[0] == '.' || r.b[0] == ',') && r.b[1]-'0' <= 9 {
		r.b = r.b[1:]
		return r.fraction(c)
	}
	return true
}
