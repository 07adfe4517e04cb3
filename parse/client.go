package parse

import (
	"bytes"
	"net/netip"
)

// setClient takes an address field. Where a module has put a list of forwarded
// addresses there, the client is the last public one: those after it are the
// site's own proxies, those before it can be made up. A field with spaces but
// no commas, or a name with a port, is no address: the format is another.
func (p *Parser) setClient(e *Entry, b []byte) bool {
	if dotted(b) || canonicalIPv6(b) {
		e.Client = b
		return true
	}
	if bytes.IndexByte(b, ',') < 0 {
		if a, ok := hostAddr(b); ok {
			e.Client = p.canonical(a, b)
			return true
		}
		colon := bytes.IndexByte(b, ':')
		hostPort := colon > 0 && colon < len(b)-1 && bytes.IndexByte(b[colon+1:], ':') < 0
		e.Client = b
		return !hostPort && bytes.IndexByte(b, ' ') < 0
	}
	var first, public []byte
	for rest := b; len(rest) > 0; {
		var one []byte
		one, rest, _ = bytes.Cut(rest, comma)
		one = bytes.Trim(one, " \"")
		if bytes.IndexByte(one, ' ') >= 0 {
			return false
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
	e.Client = p.address(first)
	return true
}

var comma = []byte(",")

// dotted tells whether b is an IPv4 address as nearly all are written: digits
// and dots alone. It is asked for every line.
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

// canonicalIPv6 tells whether b is an IPv6 address that surely is spelled as
// RFC 5952 wants it, so that it need not be read and written again, which takes
// five times as long: groups in lower case without leading zeros, none of them
// zero, and a :: in the middle where there are less than eight.
func canonicalIPv6(b []byte) bool {
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

// address gives the one spelling of an address, without port: IPv6 as RFC 5952
// writes it, without zone, and IPv4 in IPv6 as IPv4. What is no address, such
// as a name, stays as it is.
func (p *Parser) address(b []byte) []byte {
	if dotted(b) || canonicalIPv6(b) {
		return b
	}
	if a, ok := hostAddr(b); ok {
		return p.canonical(a, b)
	}
	if b[len(b)-1] == ':' { // nginx writes unix: for a Unix socket
		return b
	}
	return withoutPort(b)
}

// canonical writes a, which was read from b, into the scratch memory.
func (p *Parser) canonical(a netip.Addr, b []byte) []byte {
	if a.Is4() { // nothing is to be written where b begins with it
		if i := bytes.IndexByte(b, ':'); i < 0 {
			return b
		} else if i > 0 && dotted(b[:i]) {
			return b[:i]
		}
	}
	const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
	p.room(longest)
	n := len(p.scratch)
	p.scratch = a.AppendTo(p.scratch)
	return p.scratch[n:len(p.scratch):len(p.scratch)]
}

// room makes room for n bytes of scratch. What was written before stays valid.
func (p *Parser) room(n int) {
	if cap(p.scratch)-len(p.scratch) < n {
		p.scratch = make([]byte, 0, 2*cap(p.scratch)+n+1024)
	}
}

// hostAddr reads an address with or without brackets, port and zone.
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
		b = b[:i] // the zone is the server's own name of an interface
	}
	a, ok := parseIPv6(b)
	return netip.AddrFrom16(a).Unmap(), ok
}

// parseIPv4 reads four decimal bytes. netip.ParseAddr wants a string, which
// would have to be allocated.
func parseIPv4(b []byte) (a [4]byte, ok bool) {
	part, digits, n := 0, 0, 0
	for _, c := range b {
		switch {
		case c-'0' <= 9:
			if digits > 0 && n == 0 { // octal to some: no address to others
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

// parseIPv6 reads the text of RFC 4291, section 2.2, without zone.
func parseIPv6(b []byte) (a [16]byte, ok bool) {
	at, gap := 0, -1 // bytes that are known; where the :: is
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		gap, b = 0, b[2:]
	}
	for len(b) > 0 {
		if at == 16 {
			return a, false
		}
		n, digits := uint32(0), 0
		for digits < len(b) && digits < 5 {
			x, hex := hexDigits(b[digits:digits+1], 1)
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

// withoutPort cuts the port off a host or address; an IPv6 address loses its
// brackets.
func withoutPort(b []byte) []byte {
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
