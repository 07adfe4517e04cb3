package parse

import (
	"encoding/binary"

	"logscan/parse/octets"
)

// said is what a line says of the client, the user and who answered in other
// ways than a field for it. It is made sense of when the whole line is read.
type said struct {
	any          bool   // whether anything was
	forwardedFor []byte // X-Forwarded-For
	forwarded    []byte // Forwarded (RFC 7239)
	realIP       []byte // X-Real-IP and others of one address
	proxied      []byte // client by the PROXY protocol
	user         []byte // of an Authorization header
	token        []byte // JSON Web Token
	answered     Answerer
	origin       bool // the log has a field for the status of the origin, which may be left out
}

// say notes a field that is one among several ways to say something.
func (p *Parser) say(e *Entry, f field, b []byte) {
	s := &p.said
	s.any = true
	switch f {
	case fieldForwarded:
		s.forwardedFor = b
	case fieldForwardedHeader:
		s.forwarded = b
	case fieldRealIP:
		s.realIP = b
	case fieldProxied:
		s.proxied = b
	case fieldAuthorization:
		p.authorization(b)
	case fieldCookie:
		if len(e.Session) == 0 {
			e.Session = sessionCookie(b)
		}
		if len(s.token) == 0 {
			s.token = findToken(b)
		}
	case fieldSource:
		switch string(b) {
		case "upstream":
			s.answered = Upstream
		case "kong":
			s.answered = Proxy
		}
	}
}

// finish makes sense of what the line said as a whole.
func (p *Parser) finish(e *Entry) Verdict {
	if e.Time < p.since || e.Time >= p.until {
		return SkipRange
	}
	if !p.quick && parameters(e.Path) {
		p.sessionPath(e)
	}
	if len(e.Query) > shortestSecret {
		p.sessionQuery(e)
	}
	if p.said.any || len(p.trusted) > 0 {
		p.resolve(e)
	}
	if p.mask != nil {
		p.disguise(e)
	}
	if e.Status == 401 {
		p.explain(e)
	} else if len(e.Reason) > 0 && e.Status < 400 {
		e.Reason = nil
	}
	return Parsed
}

// parameters tells whether there is a ';' or a '(' in a path, behind which a
// session id can stand.
func parameters(path []byte) bool { return holds(path, ';', '(') }

// holds tells whether one of two bytes, which are not 0, is in b: eight bytes at a time, since it is
// asked for short texts of every line.
func holds(b []byte, c, d byte) bool {
	cs, ds := octets.Ones*uint64(c), octets.Ones*uint64(d)
	for ; len(b) > 8; b = b[8:] {
		if x := binary.LittleEndian.Uint64(b); octets.Zeros(x^cs)|octets.Zeros(x^ds) != 0 {
			return true
		}
	}
	x := octets.First(b)
	return octets.Zeros(x^cs)|octets.Zeros(x^ds) != 0
}

// shortestSecret bytes of a query, or fewer, hold no session and no token.
const shortestSecret = len("sid=12345678")

// resolve finds the client, the user and the session in what was said of them.
func (p *Parser) resolve(e *Entry) {
	p.resolveClient(e)
	s := &p.said
	if len(s.token) > 0 {
		p.claims(e, s.token)
	}
	if len(e.User) == 0 {
		e.User = s.user
	}
}
