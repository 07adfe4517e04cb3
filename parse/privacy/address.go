package privacy

import (
	"bytes"
	"net/netip"
)

// longestAddress is the longest spelling of an address in bytes.
const longestAddress = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

// addressAt parses the address that begins at i. If end is i there is none. If end is
// greater but a is not valid, t[i:end] is something else made of digits and dots, such as a
// version.
func addressAt(t []byte, i int) (a netip.Addr, end int) {
	c := t[i]
	if !isHex(c) && c != ':' {
		return a, i
	}
	if i == 0 || !inWord[t[i-1]] && t[i-1] != ':' {
		n, colons := i, 0
		for n < len(t) && n-i <= longestAddress && (isHex(t[n]) || t[n] == ':' || t[n] == '.') {
			if t[n] == ':' {
				colons++
			}
			n++
		}
		if colons >= 2 && (n == len(t) || !inWord[t[n]]) {
			for n > i && (t[n-1] == '.' || t[n-1] == ':' && (n-2 < i || t[n-2] != ':')) {
				n--
			}
			if a, err := netip.ParseAddr(string(t[i:n])); err == nil && !a.IsUnspecified() {
				return a, n
			}
		}
	}
	if !isDigit(c) || i > 0 && (isDigit(t[i-1]) || t[i-1] == '.') {
		return a, i
	}
	n := i
	for n < len(t) && n-i <= longestAddress && (isDigit(t[n]) || t[n] == '.') {
		n++
	}
	for t[n-1] == '.' {
		n--
	}
	if a, ok := parseIPv4(t[i:n]); ok && !version(t, i, n) {
		return a, n
	}
	return netip.Addr{}, n
}

// parseIPv4 parses a dotted IPv4 address. netip.ParseAddr would need a string for nearly
// every line.
func parseIPv4(b []byte) (netip.Addr, bool) {
	var a [4]byte
	part, n, digits := 0, 0, 0
	for _, c := range b {
		switch {
		case c == '.' && digits > 0 && part < 3:
			a[part] = byte(n)
			part, n, digits = part+1, 0, 0
		case c == '.', digits > 0 && n == 0: // 01 is octal for some readers
			return netip.Addr{}, false
		default:
			if n, digits = n*10+int(c-'0'), digits+1; n > 255 {
				return netip.Addr{}, false
			}
		}
	}
	a[part] = byte(n)
	return netip.AddrFrom4(a), part == 3 && digits > 0
}

// version reports whether t[i:n] is the version of a product, as in Chrome/120.0.0.0: no
// client has an address that ends so.
func version(t []byte, i, n int) bool {
	return i >= 2 && t[i-1] == '/' && t[i-2]|0x20 >= 'a' && t[i-2]|0x20 <= 'z' && bytes.HasSuffix(t[i:n], []byte(".0.0"))
}

// longestEmail is the maximum size in bytes of each part of an e-mail address (RFC 5321,
// section 4.5.3.1).
const longestEmail = 255

// emailAround finds the e-mail address whose @ is at i. start equals end if there is none.
func emailAround(t []byte, i int) (start, end int) {
	start = i
	for start > 0 && i-start < longestEmail && (inWord[t[start-1]] || bytes.IndexByte([]byte("._%+-"), t[start-1]) >= 0) {
		start--
	}
	end = i + 1
	dot := 0
	for end < len(t) && end-i < longestEmail && (inWord[t[end]] || t[end] == '-' || t[end] == '.') {
		if t[end] == '.' {
			dot = end
		}
		end++
	}
	if dot == end-1 && dot > 0 { // the full stop of a sentence
		end--
		dot = i + 1 + bytes.LastIndexByte(t[i+1:end], '.')
	}
	if start == i || string(t[start:i]) == redacted || dot <= i+1 || end-dot < 3 || t[dot+1]-'0' <= 9 {
		return i, i
	}
	return start, end
}
