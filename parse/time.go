package parse

// time reads a time in any of the spellings of logs, in Unix microseconds:
//
//	10/Oct/2000:13:55:36 -0700     nginx $time_local, Apache %t
//	2000-10-10T13:55:36.123+02:00  ISO 8601, RFC 3339; a space for the T, a comma for the point
//	1665402936.123                 epoch seconds; longer ones are ms, µs, ns by their length
//
// A time without offset is UTC. Only 1990 to 2100 are times that a log can have.
// The last spelling is remembered: neighbours mostly share their second.
func (p *Parser) time(b []byte) (int64, bool) {
	if n := p.lastTimeLen; len(b) == n && n > 0 && string(b) == string(p.lastTime[:n]) {
		return p.lastMicros, true
	}
	t, ok := parseTime(b)
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

func parseTime(b []byte) (int64, bool) {
	switch {
	case len(b) >= 20 && b[2] == '/':
		return parseCommon(b)
	case len(b) >= 19 && b[4] == '-':
		return parseISO(b)
	}
	return parseEpoch(b)
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
func parseCommon(b []byte) (int64, bool) {
	if b[6] != '/' || b[11] != ':' && b[11] != ' ' {
		return 0, false
	}
	return civil(four(b[7:]), month(b[3:]), two(b), b[12:])
}

// parseISO reads 2000-10-10T13:55:36 with an optional fraction and offset.
func parseISO(b []byte) (int64, bool) {
	if b[7] != '-' || b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return 0, false
	}
	return civil(four(b), two(b[5:]), two(b[8:]), b[11:])
}

// civil adds the clock to a date: HH:MM:SS, fraction and offset are in b.
func civil(year, mon, day int64, b []byte) (int64, bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, false
	}
	h, m, s := two(b), two(b[3:]), two(b[6:])
	if year < 1900 || mon < 1 || mon > 12 || day < 1 || day > daysIn(year, mon) ||
		h < 0 || h > 24 || m < 0 || m > 59 || s < 0 || s > 60 {
		return 0, false
	}
	us := (days(year, mon, day)*86400 + h*3600 + m*60 + s) * 1e6
	b = b[8:]
	if len(b) > 1 && (b[0] == '.' || b[0] == ',') {
		unit := int64(100_000)
		b = b[1:]
		for len(b) > 0 && b[0]-'0' <= 9 {
			us += int64(b[0]-'0') * unit
			unit /= 10
			b = b[1:]
		}
	}
	if len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	switch {
	case len(b) == 0, len(b) == 1 && (b[0] == 'Z' || b[0] == 'z'), string(b) == "UTC":
		return us, true
	case len(b) < 3 || b[0] != '+' && b[0] != '-':
		return 0, false
	}
	offset := two(b[1:]) * 60
	switch {
	case len(b) == 5:
		offset += two(b[3:])
	case len(b) == 6 && b[3] == ':':
		offset += two(b[4:])
	case len(b) != 3:
		return 0, false
	}
	if offset < 0 || offset > 24*60 {
		return 0, false
	}
	if b[0] == '-' {
		offset = -offset
	}
	return us - offset*60e6, true
}

func daysIn(year, mon int64) int64 {
	switch mon {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// days counts the days from 1970-01-01 to a date of the Gregorian calendar, by
// counting years from March on so that the leap day comes last.
func days(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
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
