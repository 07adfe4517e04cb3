package field

// Stamp is a time of a line whose zone is not known to its reader.
type Stamp struct {
	Micros     int64 // Unix microseconds; as if the clock showed UTC if not Zoned
	Zoned      bool  // it has an offset from UTC
	Resolution int64 // microseconds that its last digit stands for
}

// ParseStamp parses a time in any of the spellings of Clock.Parse that have a year.
func ParseStamp(b []byte) (s Stamp, ok bool) {
	var c Clock
	if len(b) >= 14 && b[0] > '9' && !hasYear(b) {
		return s, false
	}
	us, ok := c.parse(b)
	if !ok || us < MinTime || us >= MaxTime {
		return s, false
	}
	s = Stamp{Micros: us, Resolution: 1e6}
	rest, clock := afterSeconds(b)
	if !clock { // a number since 1970, or the basic format
		s.Zoned = b[len(b)-1]|0x20 == 'z' || len(b) < 9 || b[8] != 'T'
		if s.Zoned && b[len(b)-1] <= '9' {
			s.Resolution = epochResolution(b)
		}
		return s, true
	}
	if len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') {
		for rest = rest[1:]; len(rest) > 0 && rest[0]-'0' <= 9; rest = rest[1:] {
			s.Resolution = max(s.Resolution/10, 1)
		}
	}
	for _, c := range rest { // +02:00, Z, UTC, GMT
		s.Zoned = s.Zoned || c == '+' || c == '-' || c|0x20 == 'z' || c == 'U' || c == 'G'
	}
	return s, true
}

// hasYear reports whether a time that begins with a name has four digits in a row.
func hasYear(b []byte) bool {
	n := 0
	for i, c := range b {
		if c-'0' > 9 {
			n = 0
			continue
		}
		if n++; n == 4 && (i == 3 || b[i-4] == ' ' || b[i-4] == '-' || b[i-4] == '/') {
			return true
		}
	}
	return false
}

// afterSeconds returns what follows HH:MM:SS in a time.
func afterSeconds(b []byte) (rest []byte, ok bool) {
	for i := 0; i+6 <= len(b); i++ {
		if b[i] == ':' && b[i+3] == ':' {
			return b[i+6:], true
		}
	}
	return nil, false
}

// epochResolution returns the microseconds that the last digit of a number since 1970
// stands for.
func epochResolution(b []byte) int64 {
	whole, fraction := len(b), 0
	for i, c := range b {
		if c == '.' {
			whole, fraction = i, len(b)-i-1
		}
	}
	unit := int64(1)
	switch {
	case whole <= 11:
		unit = 1e6
	case whole <= 14:
		unit = 1e3
	}
	for ; fraction > 0 && unit > 1; fraction-- {
		unit /= 10
	}
	return unit
}
