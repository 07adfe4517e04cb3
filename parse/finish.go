package parse

import (
	"logscan/parse/field"
	"logscan/parse/scan"
)

// finish evaluates what a line says as a whole, when all its fields are set.
func (d *decoder) finish(e *Entry) Verdict {
	if e.Time < d.since || e.Time >= d.until {
		return SkipRange
	}
	if !d.plainPath && scan.ContainsEither(e.Path, ';', '(') { // it may have parameters
		var id []byte
		if e.Path, id = field.PathSession(&d.scratch, e.Path); len(e.Session) == 0 {
			e.Session = id
		}
	}
	if len(e.Query) > field.ShortestSecret {
		d.readQuery(e)
	}
	if d.hints.Any || len(d.proxies) > 0 {
		e.plain = false
		if len(d.proxies) > 0 || len(d.hints.Proxied) > 0 || len(e.Client) == 0 { // else the logged client counts
			o := field.Origin{Client: e.Client, Peer: e.Peer}
			d.proxies.Resolve(&d.scratch, &o, &d.hints)
			e.Client, e.Peer = o.Client, o.Peer
		}
		if len(d.hints.Token) > 0 {
			d.applyClaims(e)
		}
		if len(e.User) == 0 {
			e.User = d.hints.User
		}
	}
	if d.mask != nil {
		e.plain = false
		d.pseudonymize(e)
	}
	if d.refused(e.Status) {
		e.plain = false
		d.explain(e)
	} else if len(e.Reason) > 0 && e.Status < 400 {
		e.Reason = nil
	}
	return Parsed
}

// readQuery searches the query for a token and a session id.
func (d *decoder) readQuery(e *Entry) {
	session, token := field.MayHoldSecrets(e.Query)
	if token && len(d.hints.Token) == 0 && len(e.Query) > field.ShortestToken {
		if t := field.FindToken(e.Query); t != nil {
			d.hints.Any, d.hints.Token = true, t
		}
	}
	if session && len(e.Session) == 0 {
		e.plain = false
		e.Session = field.QuerySession(e.Query)
	}
}

// applyClaims takes the user, the session and the expiry of the token.
func (d *decoder) applyClaims(e *Entry) {
	c := field.TokenClaims(&d.scratch, d.hints.Token)
	if c.Expiry != 0 {
		e.TokenExpiry = c.Expiry
	}
	if len(e.User) == 0 && len(d.hints.User) == 0 {
		e.User = d.unescape(c.User)
	}
	// A cookie that is the token itself changes with every refresh; sid does not.
	if (len(e.Session) == 0 || string(e.Session) == string(d.hints.Token)) && len(c.Session) > 0 {
		e.Session = d.unescape(c.Session)
	}
}

// explain determines who refused the request, and maps the reason to the
// vocabulary of package field.
func (d *decoder) explain(e *Entry) {
	raw := e.Reason
	by, word, known := d.hints.Refusal(raw, &field.Upstreams{Logged: e.HasUpstream, Name: e.Upstream, Status: e.UpstreamStatus})
	e.AnsweredBy = by
	switch {
	case known:
		e.Reason = d.scratch.String(word)
	case len(raw) > 0:
		if d.mask != nil {
			raw = d.mask.Text(raw)
		}
		e.Reason = raw[:min(len(raw), field.LongestReason)]
	}
}

// pseudonymize replaces names by pseudonyms as soon as all names in the line are
// known, so that nothing made of entries, in memory, in temporary files or in
// outputs, can contain one. The host and the backend stay: they are the site's.
func (d *decoder) pseudonymize(e *Entry) {
	m := d.mask
	m.Line(e.User, e.Client, e.Peer, e.Session, e.Host, e.Upstream)
	for list := d.hints.ForwardedFor; len(list) > 0; {
		var one []byte
		one, list = field.LastListed(list)
		m.Also(one)
	}
	for _, text := range [...]*[]byte{&e.Path, &e.Query, &e.Referrer} {
		*text = m.Text(*text)
	}
	if !d.refused(e.Status) { // else explain does it
		e.Reason = m.Text(e.Reason)
	}
	e.UserAgent = m.Agent(e.UserAgent)
	e.User, e.Client, e.Peer, e.Session = m.User(e.User), m.Address(e.Client), m.Address(e.Peer), m.Session(e.Session)
}
