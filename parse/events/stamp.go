package events

// Shapes of times: see shaped. The longest is tried first.
var stampShapes = [...]string{
	"Aaa Aaa 00 00:00:00", // ctime: a fraction and the year follow
	"Aaa Aaa  0 00:00:00",
	"0000-00-00T00:00:00", "0000-00-00 00:00:00", "0000/00/00 00:00:00", "0000/00/00 - 00:00:00",
	"00/Aaa/0000:00:00:00", "00-Aaa-0000 00:00:00", "00/00/0000, 00:00:00", "00/00/0000, 0:00:00",
	"Aaa 00 00:00:00", "Aaa  0 00:00:00", "Aaa 0 00:00:00", "00000000T000000", "00:00:00",
}

// stampLength returns the length of the time at the start of b, with its fraction, zone
// and year, -1 if there is none.
func stampLength(b []byte) int {
	for _, s := range stampShapes {
		if (s[0] == 'A') == (len(b) > 0 && b[0] > '9') && shaped(b, s) {
			n := len(s)
			n += fractionLength(b[n:])
			n += zoneLength(b[n:])
			return n
		}
	}
	n := 0
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	if n < 10 { // seconds since 1970
		return -1
	}
	return n + fractionLength(b[n:])
}

// fractionLength returns the length of the fraction of a second that b begins with.
func fractionLength(b []byte) int {
	if len(b) < 2 || b[0] != '.' && b[0] != ',' || b[1]-'0' > 9 {
		return 0
	}
	n := 1
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	return n
}

// zoneLength returns the length of what follows the seconds of a time: AM or PM, an
// offset, or a year.
func zoneLength(b []byte) int {
	for _, s := range [...]string{" +00:00", " -00:00", "+00:00", "-00:00", " +0000", " -0000", "+0000", "-0000", " 0000", " AM", " PM", " UTC", "Z"} {
		if !shapedZone(b, s) {
			continue
		}
		if n := len(s); s[n-1] != '0' || n == len(b) || b[n]-'0' > 9 {
			return n
		}
	}
	return 0
}

// shapedZone is shaped for zones, in which letters are themselves.
func shapedZone(b []byte, shape string) bool {
	if len(b) < len(shape) {
		return false
	}
	for i := range len(shape) {
		if shape[i] == '0' && b[i]-'0' > 9 || shape[i] != '0' && b[i] != shape[i] {
			return false
		}
	}
	return true
}
