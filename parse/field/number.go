package field

import (
	"bytes"
	"math"
)

// Status parses a status code: three digits, 0 as 0, and -1 for HAProxy's "none was
// sent".
func Status(b []byte) (int32, bool) {
	if len(b) != 3 {
		switch {
		case len(b) == 1 && b[0] == '0':
			return 0, true
		case len(b) == 2 && b[0] == '-' && b[1] == '1':
			return -1, true
		}
		return 0, false
	}
	n := int32(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int32(c-'0')
	}
	return n, n == 0 || n >= 100
}

// Integer parses up to 18 decimal digits.
func Integer(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// decimal parses digits with an optional fraction and exponent, as in JSON.
func decimal(b []byte) (x float64, ok bool) {
	scale, digits, point := 1.0, 0, false
	i := 0
	for ; i < len(b); i++ {
		c := b[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		x = x*10 + float64(c-'0')
		digits++
		if point {
			scale *= 10
		}
	}
	if digits == 0 || digits > 40 {
		return 0, false
	}
	x /= scale
	if i == len(b) {
		return x, true
	}
	if b[i] != 'e' && b[i] != 'E' || i+1 == len(b) {
		return 0, false
	}
	exp := b[i+1:]
	negative := exp[0] == '-'
	if exp[0] == '-' || exp[0] == '+' {
		exp = exp[1:]
	}
	n, ok := Integer(exp)
	if !ok || n > 40 {
		return 0, false
	}
	if negative {
		n = -n
	}
	return x * math.Pow10(int(n)), true
}

// Seconds parses seconds with at most six digits after the point, as nearly all
// servers write them, in microseconds.
func Seconds(b []byte) (us int64, ok bool) {
	if len(b) > 15 {
		return 0, false
	}
	if len(b) == len("0.123") && b[1] == '.' { // nginx, as a rule
		s, x, y, z := b[0]-'0', b[2]-'0', b[3]-'0', b[4]-'0'
		return (int64(s)*1000 + int64(x)*100 + int64(y)*10 + int64(z)) * 1000, max(s, x, y, z) < 10
	}
	unit := int64(0) // of the next digit after the point; 0 before it
	for i, c := range b {
		switch {
		case c-'0' < 10 && unit == 0:
			us = us*10 + int64(c-'0')
		case c-'0' < 10 && unit > 1:
			unit /= 10
			us += int64(c-'0') * unit
		case c == '.' && unit == 0 && i > 0 && i < len(b)-1:
			us *= 1e6
			unit = 1e6
		default:
			return 0, false
		}
	}
	if unit == 0 {
		us *= 1e6
	}
	return us, true
}

// Duration parses a number of units of the given length in microseconds. It
// returns -1 if the value is empty or negative, which HAProxy and AWS write for
// "not reached".
func Duration(b []byte, unit float64) (us int64, ok bool) {
	if len(b) == 0 || b[0] == '-' {
		return -1, true
	}
	if b[0] == '+' { // HAProxy: the request continued
		b = b[1:]
	}
	x, ok := decimal(b)
	if x *= unit; !ok || x > math.MaxInt64/4 {
		return -1, false
	}
	return int64(math.Round(x)), true
}

// Latency parses a duration with its unit, such as 0.12s or 5ms, in microseconds,
// as Duration does. Without a unit it is in seconds.
func Latency(b []byte) (us int64, ok bool) {
	for _, u := range []struct {
		name   string
		micros float64
	}{{"ms", 1e3}, {"us", 1}, {"µs", 1}, {"ns", 1e-3}, {"s", 1e6}} {
		if bytes.HasSuffix(b, []byte(u.name)) {
			return Duration(b[:len(b)-len(u.name)], u.micros)
		}
	}
	return Duration(b, 1e6)
}
