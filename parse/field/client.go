package field

import (
	"bytes"
	"net/netip"

	"logscan/parse/scan"
)

// Client returns the client named by an address field. If a module has put a list
// of forwarded addresses there, the client is the last public one: those after it
// are the site's own proxies, those before it may be forged. ok is false if the
// value has spaces but no commas, or is a name with a port: then the field is no
// address, and the line has another format.
func Client(s *scan.Scratch, b []byte) (client []byte, ok bool) {
	if PlainAddress(b) {
		return b, true
	}
	if bytes.IndexByte(b, ',') < 0 {
		if a, ok := hostAddr(b); ok {
			return canonical(s, a, b), true
		}
		colon := bytes.IndexByte(b, ':')
		hostPort := colon > 0 && colon < len(b)-1 && bytes.IndexByte(b[colon+1:], ':') < 0
		return b, !hostPort && bytes.IndexByte(b, ' ') < 0
	}
	var first, public []byte
	for rest := b; len(rest) > 0; {
		var one []byte
		one, rest, _ = bytes.Cut(rest, comma)
		one = bytes.Trim(one, " \"")
		if bytes.IndexByte(one, ' ') >= 0 {
			return nil, false
		}
		if first == nil {
			first = one
		}
		if a, ok := hostAddr(one); ok && !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			public = one
		}
	}
	if public != nil {
		first = public
	}
	return Address(s, first), true
}

var comma = []byte(",")

// ClientPort returns the client of a value "address:port". An IPv6 address may
// stand without brackets: the last colon counts. A Unix socket has no port. The
// client is nil if it was not logged.
func ClientPort(s *scan.Scratch, b []byte) (client []byte, ok bool) {
	i := bytes.LastIndexByte(b, ':')
	switch {
	case b[0] == '/', bytes.HasPrefix(b, []byte("unix:")):
		return b, true
	case i < 0, !scan.AllDigits(b[i+1:]):
		return nil, false
	}
	if b = b[:i]; len(b) > 1 && b[0] == '[' && b[len(b)-1] == ']' {
		b = b[1 : len(b)-1]
	}
	if bytes.IndexByte(b, ' ') >= 0 {
		return nil, false
	}
	if Missing(b) {
		return nil, true
	}
	return Address(s, b), true
}

// Missing reports whether a value is empty or a lone dash, which stands for an
// empty one.
func Missing(b []byte) bool { return len(b) == 0 || len(b) == 1 && b[0] == '-' }

// PlainAddress reports whether b is an address in the spelling that Address
// returns, as nearly all are.
func PlainAddress(b []byte) bool { return dotted(b) || CanonicalIPv6(b) }

// dotted reports whether b consists of digits and dots, as IPv4 addresses do.
func dotted(b []byte) bool {
	if len(b) > len("255.255.255.255") {
		return false
	}
	for _, c := range b {
		if c-'.' > '9'-'.' || c == '/' {
			return false
		}
	}
	return true
}

// CanonicalIPv6 reports whether b is certainly an IPv6 address in the spelling of
// RFC 5952, so that it need not be parsed and formatted, which takes five times as
// long: lower-case groups without leading zeros, none of them zero, and a :: in
// the middle if there are fewer than eight.
func CanonicalIPv6(b []byte) bool {
	groups, digits, gap := 0, 0, false
	for i, c := range b {
		switch {
		case c-'0' <= 9 || c-'a' <= 5:
			if digits == 0 {
				if groups++; c == '0' {
					return false
				}
			}
			if digits++; digits > 4 {
				return false
			}
		case c == ':' && i > 0:
			if digits == 0 {
				if gap {
					return false
				}
				gap = true
			}
			digits = 0
		default:
			return false
		}
	}
	return digits > 0 && (groups == 8 && !gap || groups < 7 && groups > 1 && gap)
}

// Address returns the canonical spelling of an address, without port: IPv6 as in
// RFC 5952, without zone, and IPv4-mapped IPv6 as IPv4. Anything else, such as a
// name, stays as it is but for its port.
func Address(s *scan.Scratch, b []byte) []byte {
	if PlainAddress(b) {
		return b
	}
	if a, ok := hostAddr(b); ok {
		return canonical(s, a, b)
	}
	if b[len(b)-1] == ':' { // nginx logs unix: for a Unix socket
		return b
	}
	return WithoutPort(b)
}

// canonical formats a, which was parsed from b.
func canonical(s *scan.Scratch, a netip.Addr, b []byte) []byte {
	if a.Is4() { // b may begin with the canonical spelling
		if i := bytes.IndexByte(b, ':'); i < 0 {
			return b
		} else if i > 0 && dotted(b[:i]) {
			return b[:i]
		}
	}
	const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
	return s.Keep(a.AppendTo(s.Grow(longest)))
}

// hostAddr parses an address with or without brackets, port and zone.
func hostAddr(b []byte) (netip.Addr, bool) {
	if len(b) > 1 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || end+1 < len(b) && b[end+1] != ':' {
			return netip.Addr{}, false
		}
		b = b[1:end]
	} else if i := bytes.IndexByte(b, ':'); i > 0 && bytes.IndexByte(b[i+1:], ':') < 0 {
		b = b[:i] // one colon: a port
	}
	if i := bytes.IndexByte(b, ':'); i < 0 {
		a, ok := parseIPv4(b)
		return netip.AddrFrom4(a), ok
	}
	if i := bytes.IndexByte(b, '%'); i > 0 {
		b = b[:i] // the zone, an interface of the server
	}
	a, ok := parseIPv6(b)
	return netip.AddrFrom16(a).Unmap(), ok
}

// parseIPv4 parses four decimal bytes. netip.ParseAddr takes a string, which would
// have to be allocated.
func parseIPv4(b []byte) (a [4]byte, ok bool) {
	part, digits, n := 0, 0, 0
	for _, c := range b {
		switch {
		case c-'0' <= 9:
			if digits > 0 && n == 0 { // some read it as octal, others reject it
				return a, false
			}
			if n = n*10 + int(c-'0'); n > 255 {
				return a, false
			}
			digits++
		case c == '.' && digits > 0 && part < 3:
			a[part] = byte(n)
			part, digits, n = part+1, 0, 0
		default:
			return a, false
		}
	}
	a[part] = byte(n)
	return a, part == 3 && digits > 0
}

// parseIPv6 parses the text form of RFC 4291, section 2.2, without zone.
func parseIPv6(b []byte) (a [16]byte, ok bool) {
	at, gap := 0, -1 // bytes parsed; position of the ::
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		gap, b = 0, b[2:]
	}
	for len(b) > 0 {
		if at == 16 {
			return a, false
		}
		n, digits := uint32(0), 0
		for digits < len(b) && digits < 5 {
			x, hex := scan.HexDigits(b[digits:digits+1], 1)
			if !hex {
				break
			}
			n = n<<4 | x
			digits++
		}
		if digits == 0 || digits > 4 {
			return a, false
		}
		if digits < len(b) && b[digits] == '.' { // the last four bytes as IPv4
			v4, ok := parseIPv4(b)
			if !ok || at > 12 {
				return a, false
			}
			copy(a[at:], v4[:])
			at, b = at+4, nil
			break
		}
		a[at], a[at+1] = byte(n>>8), byte(n)
		at += 2
		if b = b[digits:]; len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return a, false
		}
		if b = b[1:]; b[0] == ':' {
			if gap >= 0 {
				return a, false
			}
			gap, b = at, b[1:]
		}
	}
	if at == 16 {
		return a, gap < 0
	}
	if gap < 0 {
		return a, false
	}
	copy(a[16-(at-gap):], a[gap:at])
	clear(a[gap : 16-(at-gap)])
	return a, true
}

// WithoutPort returns a host or address without its port, an IPv6 address without
// its brackets.
func WithoutPort(b []byte) []byte {
	if len(b) > 0 && b[0] == '[' {
		if i := bytes.IndexByte(b, ']'); i > 0 {
			return b[1:i]
		}
		return b
	}
	if i := bytes.IndexByte(b, ':'); i >= 0 && bytes.IndexByte(b[i+1:], ':') < 0 {
		return b[:i]
	}
	return b
}

// sharedNetwork are the addresses that providers share among customers (RFC
// 6598), which networks use like private ones.
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

// IsAddress reports whether b is an address, with or without a port.
func IsAddress(b []byte) bool {
	if IsIPv4(b) { // most are, and need not be parsed
		return true
	}
	_, ok := hostAddr(b)
	return ok
}

// IsIPv4 reports whether b is an IPv4 address, without a port.
func IsIPv4(b []byte) bool {
	numbers, value, digits := 0, 0, 0
	for _, c := range b {
		switch {
		case c-'0' <= 9 && (digits == 0 || value > 0): // no leading zero
			if value, digits = 10*value+int(c-'0'), digits+1; value > 255 {
				return false
			}
		case c == '.' && digits > 0:
			numbers, value, digits = numbers+1, 0, 0
		default:
			return false
		}
	}
	return numbers == 3 && digits > 0
}

// Private reports whether b is an address of a private network.
func Private(b []byte) bool {
	if len(b) == 0 || len(b) > 64 || b[0] != '1' && bytes.IndexByte(b, ':') < 0 { // those of IPv4 begin with a 1
		return false
	}
	if dotted(b) {
		return privateIPv4(b)
	}
	a, err := netip.ParseAddr(string(b))
	if err != nil {
		return false
	}
	a = a.Unmap()
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || sharedNetwork.Contains(a)
}

// privateIPv4 is Private for a text of digits and dots. It takes a fifth of the time that
// netip takes.
func privateIPv4(b []byte) bool {
	first, rest := leadingNumber(b)
	second, _ := leadingNumber(rest)
	private := false
	switch first {
	case 10, 127:
		private = true
	case 100: // sharedNetwork
		private = second&0xc0 == 64
	case 169:
		private = second == 254
	case 172:
		private = second&0xf0 == 16
	case 192:
		private = second == 168
	}
	return private && IsIPv4(b)
}

// leadingNumber returns the number before the first dot, and what follows.
func leadingNumber(b []byte) (n int, rest []byte) {
	for i, c := range b {
		if c == '.' {
			return n, b[i+1:]
		}
		n = 10*n + int(c-'0')
	}
	return n, nil
}
