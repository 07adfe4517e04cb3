package field

import (
	"bytes"
	"net/netip"

	"logscan/parse/scan"
)

// Proxies are the networks of the proxies whose statements about the client are
// believed. Anyone can send such a header, so the client is found by starting at
// the network peer and continuing as long as the sender is trusted.
type Proxies []netip.Prefix

// Origin is where a request came from.
type Origin struct {
	Client []byte
	Peer   []byte // the network peer, if it is known and not the client
}

// Resolve corrects the origin of a request, which holds the logged addresses,
// according to the hints.
func (t Proxies) Resolve(s *scan.Scratch, o *Origin, h *Hints) {
	if len(t) == 0 {
		switch {
		case len(h.Proxied) > 0 && (len(o.Peer) == 0 || bytes.Equal(o.Peer, o.Client)):
			// The PROXY protocol is used only where the server is configured for it.
			o.move(Address(s, h.Proxied))
		case len(o.Client) == 0:
			o.Client = firstForwarded(s, h)
		}
		return
	}
	if len(o.Client) == 0 {
		o.Client = o.Peer
	}
	if !t.trusts(o.Client) {
		return
	}
	if len(h.Proxied) > 0 {
		o.move(Address(s, h.Proxied))
		if !t.trusts(o.Client) {
			return
		}
	}
	// Of several headers, use one that proxies append to rather than one that some
	// of them pass on unchanged.
	switch {
	case len(h.ForwardedFor) > 0:
		t.walk(s, o, h.ForwardedFor, LastListed)
	case len(h.Forwarded) > 0:
		t.walk(s, o, h.Forwarded, lastForwarded)
	case len(h.RealIP) > 0:
		if a, ok := hostAddr(h.RealIP); ok {
			o.move(canonical(s, a, h.RealIP))
		}
	}
}

// firstForwarded returns the first address in the headers, for lines that name no
// other client.
func firstForwarded(s *scan.Scratch, h *Hints) []byte {
	one := h.ForwardedFor
	if i := bytes.IndexByte(one, ','); i >= 0 {
		one = one[:i]
	}
	if one = bytes.TrimSpace(one); len(one) == 0 {
		for rest := h.Forwarded; len(rest) > 0; {
			one, rest = lastForwarded(rest)
		}
	}
	if len(one) == 0 || bytes.EqualFold(one, unknown) {
		one = h.RealIP
	}
	if len(one) == 0 {
		return nil
	}
	return Address(s, one)
}

// walk goes through a list of addresses from the right, as long as the proxy that
// added the next one is trusted.
func (t Proxies) walk(s *scan.Scratch, o *Origin, list []byte, last func([]byte) (one, rest []byte)) {
	var client []byte
	for len(list) > 0 {
		var one []byte
		one, list = last(list)
		a, ok := hostAddr(one)
		if ok || obfuscated(one) {
			client = one
		}
		if !ok || !t.contain(a) {
			break
		}
	}
	if client != nil {
		o.move(Address(s, client))
	}
}

// move sets another client. The former one becomes the peer, unless that is known.
func (o *Origin) move(client []byte) {
	if len(o.Peer) == 0 && !bytes.Equal(o.Client, client) {
		o.Peer = o.Client
	}
	o.Client = client
}

// trusts reports whether what an address says about the client is believed. A Unix
// socket can be reached only from the machine; if no peer was logged, it is the
// server that wrote the log.
func (t Proxies) trusts(b []byte) bool {
	if len(b) == 0 || string(b) == "unix:" {
		return true
	}
	a, ok := hostAddr(b)
	return ok && t.contain(a)
}

func (t Proxies) contain(a netip.Addr) bool {
	for _, prefix := range t {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// LastListed returns the last address of an X-Forwarded-For header and the list
// before it.
func LastListed(list []byte) (one, rest []byte) {
	i := bytes.LastIndexByte(list, ',')
	one = bytes.Trim(list[i+1:], " \t\"")
	return one, list[:max(i, 0)]
}

// lastForwarded returns the for parameter of the last element of a Forwarded
// header (RFC 7239), nil if it has none, and the list before it. It reads from the
// right, so that a quote left open by a client hides nothing that proxies added.
func lastForwarded(list []byte) (one, rest []byte) {
	element := list
	rest = nil
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch list[i] {
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				element, rest = list[i+1:], list[:i]
				i = 0
			}
		}
	}
	for len(element) > 0 {
		var pair []byte
		pair, element, _ = bytes.Cut(element, semicolon)
		pair = bytes.TrimSpace(pair)
		if len(pair) > 4 && bytes.EqualFold(pair[:4], forEquals) {
			return bytes.Trim(pair[4:], `"`), rest
		}
	}
	return nil, rest
}

// obfuscated reports whether b is an obfuscated identifier (RFC 7239, section
// 6.3): a proxy's own name for a client.
func obfuscated(b []byte) bool {
	if len(b) < 2 || len(b) > 64 || b[0] != '_' {
		return false
	}
	for _, c := range b {
		if !(c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

var (
	semicolon = []byte(";")
	forEquals = []byte("for=")
	unknown   = []byte("unknown")
)
