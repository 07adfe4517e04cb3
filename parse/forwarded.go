package parse

import (
	"bytes"
	"net/netip"
)

// A proxy tells the server behind it for whom it asks. Anyone can send such a
// header, so that it is believed only of the proxies that the user trusts: the
// walk begins at the network peer, and goes on while who speaks is trusted.

// resolveClient finds the client of the line, of what was said about it.
func (p *Parser) resolveClient(e *Entry) {
	s := &p.said
	if len(p.trusted) == 0 {
		switch {
		case len(s.proxied) > 0 && (len(e.Peer) == 0 || bytes.Equal(e.Peer, e.Client)):
			// The PROXY protocol is spoken only where the server was told to.
			p.moveClient(e, p.address(s.proxied))
		case len(e.Client) == 0:
			p.firstForwarded(e)
		}
		return
	}
	if len(e.Client) == 0 {
		e.Client = e.Peer
	}
	if !p.trusts(e.Client) {
		return
	}
	if len(s.proxied) > 0 {
		p.moveClient(e, p.address(s.proxied))
		if !p.trusts(e.Client) {
			return
		}
	}
	// Of several headers the one that proxies add to is taken, not the one that
	// some of them pass on unseen.
	switch {
	case len(s.forwardedFor) > 0:
		p.walk(e, s.forwardedFor, lastListed)
	case len(s.forwarded) > 0:
		p.walk(e, s.forwarded, lastForwarded)
	case len(s.realIP) > 0:
		if a, ok := hostAddr(s.realIP); ok {
			p.moveClient(e, p.canonical(a, s.realIP))
		}
	}
}

// firstForwarded takes the first address that the headers name for the client,
// where the line has no other: nothing better is known.
func (p *Parser) firstForwarded(e *Entry) {
	one := p.said.forwardedFor
	if i := bytes.IndexByte(one, ','); i >= 0 {
		one = one[:i]
	}
	if one = bytes.TrimSpace(one); len(one) == 0 {
		for rest := p.said.forwarded; len(rest) > 0; {
			one, rest = lastForwarded(rest)
		}
	}
	if len(one) == 0 || bytes.EqualFold(one, unknown) {
		one = p.said.realIP
	}
	if len(one) > 0 {
		e.Client = p.address(one)
	}
}

// walk goes through a list of addresses from the right, while who added the
// next one is trusted.
func (p *Parser) walk(e *Entry, list []byte, last func([]byte) (one, rest []byte)) {
	var client []byte
	for len(list) > 0 {
		var one []byte
		one, list = last(list)
		a, ok := hostAddr(one)
		if ok || hidden(one) { // hidden: the proxy's own name for a client that it knows
			client = one
		}
		if !ok || !p.trustsAddr(a) {
			break
		}
	}
	if client != nil {
		p.moveClient(e, p.address(client))
	}
}

// moveClient makes client the client; who was taken for it is the peer, where
// no other is known.
func (p *Parser) moveClient(e *Entry, client []byte) {
	if len(e.Peer) == 0 && !bytes.Equal(e.Client, client) {
		e.Peer = e.Client
	}
	e.Client = client
}

// trusts tells whether what an address says is believed. A Unix socket can be
// reached from the machine alone; where no peer was logged, it is whoever wrote
// the log.
func (p *Parser) trusts(b []byte) bool {
	if len(b) == 0 || string(b) == "unix:" {
		return true
	}
	a, ok := hostAddr(b)
	return ok && p.trustsAddr(a)
}

func (p *Parser) trustsAddr(a netip.Addr) bool {
	for _, t := range p.trusted {
		if t.Contains(a) {
			return true
		}
	}
	return false
}

// lastListed takes the last address off X-Forwarded-For.
func lastListed(list []byte) (one, rest []byte) {
	i := bytes.LastIndexByte(list, ',')
	one = bytes.Trim(list[i+1:], " \t\"")
	return one, list[:max(i, 0)]
}

// lastForwarded takes the last element off a Forwarded header (RFC 7239) and
// gives the value of its for parameter. It is read from the right, so that a
// quote which a client leaves open hides nothing that proxies added.
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

// hidden tells whether b is an obfuscated identifier (RFC 7239, section 6.3).
func hidden(b []byte) bool {
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
