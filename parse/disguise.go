package parse

import "logscan/parse/privacy"

// disguise puts pseudonyms in the place of names, when it is known who
// is named. Whoever reads entries never meets a name then: neither what is kept of
// them, nor what is written to temporary files, nor any output can hold one.
// The host and the backend stay: they are the site's.
func (p *Parser) disguise(e *Entry) {
	m := p.mask
	m.Line(e.User, e.Client, e.Peer, e.Session, e.Host, e.Upstream)
	for list := p.said.forwardedFor; len(list) > 0; {
		var one []byte
		one, list = lastListed(list)
		m.Also(one)
	}
	for _, text := range [...]*[]byte{&e.Path, &e.Query, &e.Referrer} {
		*text = m.Text(*text)
	}
	if e.Status != 401 { // else explain makes a word of it, or does this
		e.Reason = m.Text(e.Reason)
	}
	e.UserAgent = m.Agent(e.UserAgent)
	e.User, e.Client, e.Peer, e.Session = m.User(e.User), m.Address(e.Client), m.Address(e.Peer), m.Session(e.Session)
}

// Mask is what makes pseudonyms for the parser, nil where Options want none. It
// knows the names of the line that was parsed last.
func (p *Parser) Mask() *privacy.Mask { return p.mask }
