package parse

import (
	"bytes"
	"time"

	"logscan/parse/strftime"
)

// time reads a time in any of the spellings of logs, in Unix microseconds:
//
//	10/Oct/2000:13:55:36 -0700        nginx $time_local, Apache %t
//	2000-10-10T13:55:36.123+02:00     ISO 8601, RFC 3339; a space for the T, a comma for the point
//	20001010T135536Z                  ISO 8601, basic
//	2000/10/10 13:55:36               nginx's error log
//	Tue, 10 Oct 2000 13:55:36 GMT     RFC 9110, RFC 5322
//	Tue Oct 10 13:55:36 2000          asctime; without the day's name, and the year after the day
//	Oct 10 13:55:36                   syslog (RFC 3164): the year is found by Options.Reference
//	1665402936.123                    epoch seconds; longer ones are ms, µs, ns by their length
//
// Names of months are English. A time without offset is that of
// Options.Timezone. Only 1990 to 2100 are times that a log can have. The last
// spelling is remembered: neighbours mostly share their second.
func (p *Parser) time(b []byte) (int64, bool) {
	if n := p.lastTimeLen; len(b) == n && n > 0 && string(b) == string(p.lastTime[:n]) {
		return p.lastMicros, true
	}
	t, ok := p.parseTime(b)
	if !ok || t < minTime || t >= maxTime {
		return 0, false
	}
	if len(b) <= len(p.lastTime) {
		p.lastTimeLen = copy(p.lastTime[:], b)
		p.lastMicros = t
	}
	return t, true
}

// 1990-01-01 and 2101-01-01 in Unix microseconds.
const (
	minTime = 631152000e6
	maxTime = 4133980800e6
)

func (p *Parser) parseTime(b []byte) (int64, bool) {
	var c clock
	var ok bool
	switch {
	case len(b) >= 20 && b[2] == '/':
		c, ok = parseCommon(b)
	case len(b) >= 19 && (b[4] == '-' || b[4] == '/'):
		c, ok = parseISO(b)
	case len(b) >= 15 && b[8] == 'T':
		c, ok = parseBasic(b)
	case len(b) >= 14 && b[0] > '9':
		return p.parseNamed(b)
	default:
		return parseEpoch(b)
	}
	if ok && !c.zoned {
		c.micros = p.zone.utc(c.micros)
	}
	return c.micros, ok
}

// clock is a date and time of day, in microseconds since 1970: UTC when it came
// with its offset, else what the clock showed.
type clock struct {
	micros int64
	zoned  bool
}

func two(b []byte) int64 {
	x, y := b[0]-'0', b[1]-'0'
	if x > 9 || y > 9 {
		return -1 << 20
	}
	return int64(x)*10 + int64(y)
}

func four(b []byte) int64 { return two(b)*100 + two(b[2:]) }

// month reads Jan to Dec; 0 is none of them.
func month(b []byte) int64 {
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

// parseCommon reads 10/Oct/2000:13:55:36 with an optional fraction and offset.
func parseCommon(b []byte) (clock, bool) {
	if b[6] != '/' || b[11] != ':' && b[11] != ' ' {
		return clock{}, false
	}
	return civil(four(b[7:]), month(b[3:]), two(b), b[12:])
}

// parseISO reads 2000-10-10T13:55:36 with an optional fraction and offset.
func parseISO(b []byte) (clock, bool) {
	if b[7] != b[4] || b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return clock{}, false
	}
	return civil(four(b), two(b[5:]), two(b[8:]), b[11:])
}

// parseBasic reads 20001010T135536 with an optional fraction and offset.
func parseBasic(b []byte) (clock, bool) {
	t := b[9:]
	text := [...]byte{t[0], t[1], ':', t[2], t[3], ':', t[4], t[5]}
	c, ok := civil(four(b), two(b[4:]), two(b[6:]), text[:])
	if !ok {
		return c, false
	}
	return c.rest(t[6:])
}

// parseNamed reads the spellings that begin with the name of a day or month.
func (p *Parser) parseNamed(b []byte) (int64, bool) {
	if weekday(b) {
		b = bytes.TrimLeft(b[3:], ", ")
	}
	var mon int64
	var day int64 = -1
	if len(b) > 0 && b[0] <= '9' { // 10 Oct 2000, 10-Oct-2000
		if day, b = dayOf(b); day < 0 || len(b) < 4 || b[0] != ' ' && b[0] != '-' {
			return 0, false
		}
		b = b[1:]
	}
	if len(b) < 4 {
		return 0, false
	}
	if mon = month(b); mon == 0 {
		return 0, false
	}
	if b = b[3:]; day < 0 {
		if b = bytes.TrimLeft(b, " "); len(b) == 0 {
			return 0, false
		}
		if day, b = dayOf(b); day < 0 {
			return 0, false
		}
		b = bytes.TrimPrefix(b, comma)
	}
	if len(b) < 9 || b[0] != ' ' && b[0] != '-' {
		return 0, false
	}
	b = b[1:]
	year := int64(-1)
	if b[2] != ':' { // the year before the clock
		if year = four(b); year < 0 || len(b) < 13 || b[4] != ' ' {
			return 0, false
		}
		b = b[5:]
	} else if n := len(b) - 5; n >= 8 && b[n] == ' ' && four(b[n+1:]) > 0 { // or at the end
		year, b = four(b[n+1:]), b[:n]
	}
	if year >= 0 {
		c, ok := civil(year, mon, day, b)
		if ok && !c.zoned {
			c.micros = p.zone.utc(c.micros)
		}
		return c.micros, ok
	}
	// The latest year that is not after the reference. A leap day may need
	// eight years to be one.
	last := p.reference + dayMicros
	year = int64(time.UnixMicro(last).UTC().Year())
	for range 9 {
		c, ok := civil(year, mon, day, b)
		if ok && !c.zoned {
			c.micros = p.zone.utc(c.micros)
		}
		if ok && c.micros <= last {
			return c.micros, true
		}
		if !ok && (mon != 2 || day != 29) {
			return 0, false
		}
		year--
	}
	return 0, false
}

// dayOf reads a day of the month, of one digit or two.
func dayOf(b []byte) (day int64, rest []byte) {
	n := 0
	for n < len(b) && n < 2 && b[n]-'0' <= 9 {
		day = day*10 + int64(b[n]-'0')
		n++
	}
	if n == 0 {
		return -1, b
	}
	return day, b[n:]
}

// weekday tells whether b begins with the name of a day: Mon to Sun.
func weekday(b []byte) bool {
	switch string([]byte{b[0] &^ 0x20, b[1] | 0x20, b[2] | 0x20}) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return b[3] == ' ' || b[3] == ','
	}
	return false
}

// civil adds the clock to a date: HH:MM:SS, fraction and offset are in b.
func civil(year, mon, day int64, b []byte) (clock, bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return clock{}, false
	}
	h, m, s := two(b), two(b[3:]), two(b[6:])
	if year < 1900 || mon < 1 || mon > 12 || day < 1 || day > strftime.DaysIn(year, mon) ||
		h < 0 || h > 24 || m < 0 || m > 59 || s < 0 || s > 60 {
		return clock{}, false
	}
	return clock{micros: (strftime.Days(year, mon, day)*86400 + h*3600 + m*60 + s) * 1e6}.rest(b[8:])
}

// rest adds what may follow the seconds: a fraction and an offset.
func (c clock) rest(b []byte) (clock, bool) {
	if len(b) > 1 && (b[0] == '.' || b[0] == ',') {
		unit := int64(100_000)
		b = b[1:]
		for len(b) > 0 && b[0]-'0' <= 9 {
			c.micros += int64(b[0]-'0') * unit
			unit /= 10
			b = b[1:]
		}
	}
	if len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if len(b) >= 2 && b[1]|0x20 == 'm' && (b[0]|0x20 == 'a' || b[0]|0x20 == 'p') { // 1:55:36 PM
		hour := c.micros / 3600e6 % 24
		switch {
		case hour < 1 || hour > 12:
			return c, false
		case b[0]|0x20 == 'p' && hour < 12:
			c.micros += dayMicros / 2
		case b[0]|0x20 == 'a' && hour == 12:
			c.micros -= dayMicros / 2
		}
		if b = b[2:]; len(b) > 0 && b[0] == ' ' {
			b = b[1:]
		}
	}
	switch {
	case len(b) == 0:
		return c, true
	case len(b) == 1 && (b[0] == 'Z' || b[0] == 'z'), string(b) == "UTC", string(b) == "GMT":
		c.zoned = true
		return c, true
	case len(b) < 3 || b[0] != '+' && b[0] != '-':
		return c, false
	}
	offset := two(b[1:]) * 60
	switch {
	case len(b) == 5:
		offset += two(b[3:])
	case len(b) == 6 && b[3] == ':':
		offset += two(b[4:])
	case len(b) != 3:
		return c, false
	}
	if offset < 0 || offset > 24*60 {
		return c, false
	}
	if b[0] == '-' {
		offset = -offset
	}
	return clock{c.micros - offset*60e6, true}, true
}

// parseEpoch reads a number since 1970; the digits before the point tell the
// unit, unambiguously for 1973 to 2286.
func parseEpoch(b []byte) (int64, bool) {
	whole := b
	fraction := int64(0) // in millionths of the unit
	for i, c := range b {
		if c != '.' {
			continue
		}
		whole = b[:i]
		unit := int64(100_000)
		for _, c := range b[i+1:] {
			if c < '0' || c > '9' {
				return 0, false
			}
			fraction += int64(c-'0') * unit
			unit /= 10
		}
		break
	}
	if len(whole) > 19 {
		return 0, false
	}
	n := int64(0)
	for _, c := range whole {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	switch l := len(whole); {
	case l < 9:
		return 0, false
	case l <= 11:
		return n*1e6 + fraction, true
	case l <= 14:
		return n*1e3 + fraction/1e3, true
	case l <= 17:
		return n, true
	}
	return n / 1e3, true
}
