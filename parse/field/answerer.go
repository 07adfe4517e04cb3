package field

// Answerer is who answered a request.
type Answerer uint8

// The answerers.
const (
	Unknown  Answerer = iota // the log does not say
	Proxy                    // the server that wrote the log
	Upstream                 // the backend behind it
	NumAnswerers
)

// String returns the name used in outputs; it is empty for Unknown.
func (a Answerer) String() string { return [...]string{"", "proxy", "upstream"}[a] }

// Upstreams is what a log says about the backend that a request was passed to.
type Upstreams struct {
	Logged bool   // the format has a field for it
	Name   []byte // name or address; empty if the proxy answered
	Status []byte // status of the backend; empty if none
}

// RefusedBy returns who answered a refused request: according to an explicit
// statement in the log, the status of the upstream, or whether there was one.
func (h *Hints) RefusedBy(u *Upstreams) Answerer {
	switch {
	case h.Answerer != Unknown:
		return h.Answerer
	case string(u.Status) == "401":
		return Upstream
	case len(u.Status) > 0: // another status, which the proxy replaced
		return Proxy
	case h.OriginStatus: // the request did not reach the origin
		return Proxy
	case !u.Logged:
		return Unknown
	case len(u.Name) == 0, string(u.Name) == "<NOSRV>", string(u.Name) == "<STATS>":
		return Proxy
	}
	return Upstream
}
