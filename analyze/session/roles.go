package session

import (
	"path"
	"strings"

	"logscan/analyze/timeline"
)

// Role is what a request to an endpoint may mean for the session it belongs to.
// It is looked up for every request: one byte for each endpoint stays in the
// nearest cache.
type Role uint8

// The roles, as bits.
const (
	SignsIn     Role = 1 << iota // who is accepted is signed in
	redirectsIn                  // who is redirected is signed in
	Tries                        // a refusal is a failed try of credentials
	Renews                       // requests renew a session or token
	denies                       // accepts nobody: the page that follows a failed sign-in
	SignsOut                     // who is answered is signed out
	Guards                       // the endpoint is protected
)

// Begins reports whether the endpoint is there to begin sessions: who is accepted is
// signed in, or who is redirected, unless it is a protected page that takes a ticket.
func (r Role) Begins() bool { return r&SignsIn != 0 || r&(redirectsIn|Guards) == redirectsIn }

// learnable are the roles that are learnt from the timelines, and kept for later runs.
const learnable = SignsIn | redirectsIn | Tries | Renews | Guards

// roleOf returns the role of an endpoint by its name and counts, and what earlier runs
// have learnt of it; see learn.
func roleOf(e *timeline.Endpoint, learnt Role) (r Role) {
	switch {
	case e.Renew:
		r |= SignsIn | redirectsIn | Renews
	case e.SignIn:
		r |= SignsIn | redirectsIn | Tries
	case takesTickets(e):
		if r |= redirectsIn; e.N[timeline.Accepted]+e.Known.Accepted == 0 {
			r |= Tries
		}
	}
	if e.N[timeline.Accepted]+e.N[timeline.Redirected]+e.Known.Accepted == 0 {
		r |= denies
	}
	if e.SignOut {
		r |= SignsOut
	}
	if protects(e) && learnt&SignsIn == 0 {
		r |= Guards
	}
	if learnt&Renews != 0 {
		r &^= Tries
	}
	return r | learnt
}

// takesTickets reports whether most of the requests that an endpoint redirects bring the ticket
// of an identity provider: who comes with one has signed in there.
func takesTickets(e *timeline.Endpoint) bool {
	return e.Tickets > 0 && 2*e.Tickets > e.N[timeline.Redirected]
}

// provenRequests is the number of accepted requests to an endpoint, all with a user or
// a session, that show that it requires credentials even if it never refused. A public
// route would also get requests of new visitors, who have neither.
const provenRequests = 10

// protects reports whether an endpoint is protected, so that an acceptance shows that
// the client was signed in: it refused some requests and accepted others, or accepts
// nobody without a user or session. Assets that pages load do not count, nor does the page
// of a sign-in form, which may have given every visitor a session id, nor preflights, which
// browsers send without credentials.
func protects(e *timeline.Endpoint) bool {
	accepted := e.N[timeline.Accepted] + e.Known.Accepted
	if accepted == 0 || e.SignIn || e.Renew || e.SignOut || e.Method == "OPTIONS" && e.Bare+e.Known.Bare > 0 {
		return false
	}
	return e.N[timeline.Unauthorized]+e.Known.Unauthorized > 0 || e.Bare+e.Known.Bare == 0 && accepted >= provenRequests && !IsAsset(e.Template) && !timeline.NamesSignIn(e.Template)
}

// IsAsset reports whether a route, by its name, is a file that pages load: style,
// script, image, font, manifest, source map.
func IsAsset(template string) bool {
	name := strings.ToLower(path.Base(template))
	switch path.Ext(name) {
	case ".js", ".mjs", ".css", ".map", ".wasm",
		".ico", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif",
		".woff", ".woff2", ".ttf", ".otf", ".eot",
		".mp3", ".mp4", ".webm", ".webmanifest":
		return true
	}
	return name == "manifest.json" || name == "browserconfig.xml"
}
