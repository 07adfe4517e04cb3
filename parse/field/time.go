package field

import (
	"bytes"
	"encoding/binary"
	"time"

	"logscan/parse/field/strftime"
	"logscan/parse/scan"
)

// Clock parses the times of a log. It remembers the last time, because neighbouring
// lines mostly share their second. The zero value needs SetReference first.
type Clock struct {
	zone      zone
	reference int64 // Unix microseconds

	last       [40]byte // text of the last time
	lastLen    int      // 0: none
	lastMicros int64
}

// The range of times that a log can have: 1990-01-01 up to 2101-01-01, in Unix
// microseconds.
const (
	MinTime = 631152000e6
	MaxTime = 4133980800e6
)

// NewClock returns a clock for times without an offset in the given zone (nil is
// UTC) and times without a year up to the reference.
func NewClock(zone *time.Location, reference time.Time) Clock {
	var c Clock
	if zone != time.UTC {
		c.zone.location = zone
	}
	c.SetReference(reference)
	return c
}

// SetReference sets the newest time that a line can have: a time without a year is
// of the latest year in which it is at most a day after the reference. Zero is the
// year 2100.
func (c *Clock) SetReference(t time.Time) {
	us := int64(MaxTime - 1)
	if !t.IsZero() {
		us = min(max(t.UnixMicro(), MinTime), us)
	}
	if us != c.reference {
		c.reference, c.lastLen = us, 0
	}
}

// Last returns the text of the last time and its value in Unix microseconds. The
// text is empty if there was none; it is valid until the next time is parsed.
func (c *Clock) Last() (text []byte, micros int64) { return c.last[:c.lastLen], c.lastMicros }

// Forget discards the last time.
func (c *Clock) Forget() { c.lastLen = 0 }

// Parse parses a time in any of the spellings found in logs, in Unix microseconds:
//
//	10/Oct/2000:13:55:36 -0700        nginx $time_local, Apache %t
//	10-Oct-2000 13:55:36.123          Tomcat, PHP
//	2000-10-10T13:55:36.123+02:00     ISO 8601, RFC 3339; a space for the T, a comma for the point
//	20001010T135536Z                  ISO 8601, basic
//	2000/10/10 13:55:36               nginx's error log
//	Tue, 10 Oct 2000 13:55:36 GMT     RFC 9110, RFC 5322
//	Tue Oct 10 13:55:36 2000          asctime; without the day's name, and the year after the day
//	Oct 10 13:55:36                   syslog (RFC 3164): see SetReference
//	1665402936.123                    epoch seconds, or ms, µs, ns by the number of digits
//
// Names of months are English. A time without an offset is in the clock's zone.
// ok is false for anything else and outside MinTime to MaxTime.
func (c *Clock) Parse(b []byte) (us int64, ok bool) {
	if n := c.lastLen; len(b) == n && n > 0 && string(b) == string(c.last[:n]) {
		return c.lastMicros, true
	}
	us, ok = c.parse(b)
	if !ok || us < MinTime || us >= MaxTime {
		return 0, false
	}
	if len(b) <= len(c.last) {
		c.lastLen = copy(c.last[:], b)
		c.lastMicros = us
	}
	return us, true
}

// CommonLen is the length of a time of the common log format.
const CommonLen = len("10/Oct/2000:13:55:36 -0700")

// SameCommon returns the last time if b spells it, without a call.
func (c *Clock) SameCommon(b *[CommonLen]byte) (us int64, ok bool) {
	a := &c.last
	return c.lastMicros, c.lastLen == CommonLen &&
		binary.LittleEndian.Uint64(a[18:]) == binary.LittleEndian.Uint64(b[18:]) && // what changes first
		binary.LittleEndian.Uint64(a[:]) == binary.LittleEndian.Uint64(b[:]) &&
		binary.LittleEndian.Uint64(a[8:]) == binary.LittleEndian.Uint64(b[8:]) &&
		binary.LittleEndian.Uint16(a[16:]) == binary.LittleEndian.Uint16(b[16:])
}

// ParseCommon is Parse for a time of the length of the common log format. It is
// fast for the same day as the last time.
func (c *Clock) ParseCommon(b *[CommonLen]byte) (us int64, ok bool) {
	if us, ok = c.parseSameDay(b); ok {
		return us, true
	}
	return c.Parse(b[:])
}

// parseSameDay parses a time that differs from the last one only in the time of
// day.
func (c *Clock) parseSameDay(b *[CommonLen]byte) (us int64, ok bool) {
	const day, zone = len("10/Oct/2000:"), len("10/Oct/2000:13:55:36")
	last := (*[CommonLen]byte)(c.last[:])
	if c.lastLen != len(b) || string(b[:day]) != string(last[:day]) || string(b[zone:]) != string(last[zone:]) {
		return 0, false
	}
	from, ok := scan.TimeOfDay(binary.LittleEndian.Uint64(last[day:]))
	to, valid := scan.TimeOfDay(binary.LittleEndian.Uint64(b[day:]))
	us = c.lastMicros + (to-from)*1e6
	if !ok || !valid || us < MinTime || us >= MaxTime {
		return 0, false
	}
	*last, c.lastMicros = *b, us
	return us, true
}

// Assemble returns the time of parts that were read by patterns. ok is false if
// they are no time.
func (c *Clock) Assemble(parts *strftime.Civil) (us int64, ok bool) {
	us, ok = parts.Micros()
	if ok && !parts.Zoned() {
		us = c.zone.utc(us)
	}
	return us, ok && us >= MinTime && us < MaxTime
}

func (c *Clock) parse(b []byte) (int64, bool) {
	var d datetime
	var ok bool
	switch {
	case len(b) >= 20 && (b[2] == '/' || b[2] == '-'):
		d, ok = parseCommon(b)
	case len(b) >= 19 && (b[4] == '-' || b[4] == '/'):
		d, ok = parseISO(b)
	case len(b) >= 15 && b[8] == 'T':
		d, ok = parseBasic(b)
	case len(b) >= 14 && b[0] > '9':
		return c.parseNamed(b)
	default:
		return parseEpoch(b)
	}
	return c.utc(d), ok
}

// utc returns the time of d in Unix microseconds.
func (c *Clock) utc(d datetime) int64 {
	if d.zoned {
		return d.micros
	}
	return c.zone.utc(d.micros)
}

// datetime is a date and time of day in microseconds since 1970: UTC if it has an
// offset, else as the clock showed it.
type datetime struct {
	micros int64
	zoned  bool
}

// two returns the number of two digits, a large negative number if they are none.
func two(b []byte) int64 {
	x, y := b[0]-'0', b[1]-'0'
	if x > 9 || y > 9 {
		return -1 << 20
	}
	return int64(x)*10 + int64(y)
}

func four(b []byte) int64 { return two(b)*100 + two(b[2:]) }

// parseCommon parses 10/Oct/2000:13:55:36 and 10-Oct-2000 13:55:36 with an optional fraction and offset.
func parseCommon(b []byte) (datetime, bool) {
	if b[6] != b[2] || b[11] != ':' && b[11] != ' ' {
		return datetime{}, false
	}
	return civil(four(b[7:]), strftime.Month(b[3:]), two(b), b[12:])
}

// parseISO parses 2000-10-10T13:55:36 with an optional fraction and offset, and Gin's
// 2000/10/10 - 13:55:36.
func parseISO(b []byte) (datetime, bool) {
	if b[7] != b[4] || b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return datetime{}, false
	}
	clock := b[11:]
	if clock[0] == '-' && clock[1] == ' ' && len(clock) >= len("- 13:55:36") {
		clock = clock[2:]
	}
	return civil(four(b), two(b[5:]), two(b[8:]), clock)
}

// parseBasic parses 20001010T135536 with an optional fraction and offset.
func parseBasic(b []byte) (datetime, bool) {
	t := b[9:]
	text := [...]byte{t[0], t[1], ':', t[2], t[3], ':', t[4], t[5]}
	d, ok := civil(four(b), two(b[4:]), two(b[6:]), text[:])
	if !ok {
		return d, false
	}
	return d.rest(t[6:])
}

// parseNamed parses the spellings that begin with the name of a day or month.
func (c *Clock) parseNamed(b []byte) (int64, bool) {
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
	if mon = strftime.Month(b); mon == 0 {
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
		d, ok := civil(year, mon, day, b)
		return c.utc(d), ok
	}
	// Use the latest year that is not after the reference. A leap day may need eight
	// years to occur.
	last := c.reference + dayMicros
	year = int64(time.UnixMicro(last).UTC().Year())
	for range 9 {
		d, ok := civil(year, mon, day, b)
		if us := c.utc(d); ok && us <= last {
			return us, true
		}
		if !ok && (mon != 2 || day != 29) {
			return 0, false
		}
		year--
	}
	return 0, false
}

// dayOf parses a day of the month of one or two digits, -1 if there is none.
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

// weekday reports whether b begins with the name of a day, Mon to Sun.
func weekday(b []byte) bool {
	switch string([]byte{b[0] &^ 0x20, b[1] | 0x20, b[2] | 0x20}) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return b[3] == ' ' || b[3] == ','
	}
	return false
}

// civil adds the time of day in b to a date: HH:MM:SS, fraction and offset.
func civil(year, mon, day int64, b []byte) (datetime, bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return datetime{}, false
	}
	h, m, s := two(b), two(b[3:]), two(b[6:])
	if year < 1900 || mon < 1 || mon > 12 || day < 1 || day > strftime.DaysIn(year, mon) ||
		h < 0 || h > 24 || m < 0 || m > 59 || s < 0 || s > 60 {
		return datetime{}, false
	}
	return datetime{micros: (strftime.Days(year, mon, day)*86400 + h*3600 + m*60 + s) * 1e6}.rest(b[8:])
}

// rest adds what may follow the seconds: a fraction and an offset.
func (d datetime) rest(b []byte) (datetime, bool) {
	if len(b) > 1 && (b[0] == '.' || b[0] == ',') {
		unit := int64(100_000)
		b = b[1:]
		for len(b) > 0 && b[0]-'0' <= 9 {
			d.micros += int64(b[0]-'0') * unit
			unit /= 10
			b = b[1:]
		}
	}
	if len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if len(b) >= 2 && b[1]|0x20 == 'm' && (b[0]|0x20 == 'a' || b[0]|0x20 == 'p') { // 1:55:36 PM
		hour := d.micros / 3600e6 % 24
		switch {
		case hour < 1 || hour > 12:
			return d, false
		case b[0]|0x20 == 'p' && hour < 12:
			d.micros += dayMicros / 2
		case b[0]|0x20 == 'a' && hour == 12:
			d.micros -= dayMicros / 2
		}
		if b = b[2:]; len(b) > 0 && b[0] == ' ' {
			b = b[1:]
		}
	}
	switch {
	case len(b) == 0:
		return d, true
	case len(b) == 1 && (b[0] == 'Z' || b[0] == 'z'), string(b) == "UTC", string(b) == "GMT":
		d.zoned = true
		return d, true
	case len(b) < 3 || b[0] != '+' && b[0] != '-':
		return d, false
	}
	offset := two(b[1:]) * 60
	switch {
	case len(b) == 5:
		offset += two(b[3:])
	case len(b) == 6 && b[3] == ':':
		offset += two(b[4:])
	case len(b) != 3:
		return d, false
	}
	if offset < 0 || offset > 24*60 {
		return d, false
	}
	if b[0] == '-' {
		offset = -offset
	}
	return datetime{d.micros - offset*60e6, true}, true
}

// parseEpoch parses a number since 1970. The digits before the point determine the
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
