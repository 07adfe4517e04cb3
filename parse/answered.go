package parse

// Answerer says who answered a request.
type Answerer uint8

// The answerers, as far as the log tells.
const (
	Unknown  Answerer = iota
	Proxy             // the server that wrote the log
	Upstream          // the backend behind it
)

// String gives the name as it stands in outputs; Unknown is empty.
func (a Answerer) String() string { return [...]string{"", "proxy", "upstream"}[a] }

// Expired tells whether the line of a refusal says outright that what the
// client showed had expired: the server names that reason, or the token its end.
func (e *Entry) Expired() bool {
	return string(e.Reason) == reasonTokenExpired || string(e.Reason) == reasonSessionExpired ||
		e.TokenExpiry != NoTime && e.Time != NoTime && e.Time >= e.TokenExpiry
}

// whoAnswered tells who answered a refusal: by what the server says outright,
// by the status of the upstream, and by whether there was one at all.
func (p *Parser) whoAnswered(e *Entry) Answerer {
	switch {
	case p.said.answered != Unknown:
		return p.said.answered
	case string(e.UpstreamStatus) == "401":
		return Upstream
	case len(e.UpstreamStatus) > 0: // it answered something else, and the proxy made a 401 of it
		return Proxy
	case p.said.origin: // it never got there
		return Proxy
	case !e.HasUpstream:
		return Unknown
	case len(e.Upstream) == 0, string(e.Upstream) == "<NOSRV>", string(e.Upstream) == "<STATS>":
		return Proxy
	}
	return Upstream
}
