package session

import (
	"logscan/analyze/timeline"
)

// SignedIn reports whether event i of an actor began a session: a sign-in, or the
// renewal of a session or token, that succeeded.
func (ev *Evidence) SignedIn(a *timeline.Actor, i int) bool {
	e := &a.Events[i]
	switch role := ev.Roles[e.Endpoint]; e.Outcome {
	case timeline.Accepted:
		return role&SignsIn != 0
	case timeline.Redirected:
		return role&redirectsIn != 0 && !ev.bounced(a, i)
	}
	return false
}

// givesTokens reports whether an endpoint renews tokens: one that does nothing else, or a
// token endpoint, at which people may sign in, too (RFC 6749, section 3.2).
func (ev *Evidence) givesTokens(endpoint uint32) bool {
	return ev.Roles[endpoint]&Renews != 0 || ev.State.Endpoints[endpoint].Token
}

// signedOut reports whether e is a sign-out that succeeded: many answer with a
// redirect.
func (ev *Evidence) signedOut(e *timeline.Event) bool {
	return ev.Roles[e.Endpoint]&SignsOut != 0 && e.Outcome <= timeline.Redirected
}

// bounced reports whether event i, a redirect, leads to a page that tells of wrong
// credentials by a 401, as Jenkins and Spring do.
func (ev *Evidence) bounced(a *timeline.Actor, i int) bool {
	denied := func(r *timeline.Event) bool {
		return r.Outcome == timeline.Unauthorized && ev.Roles[r.Endpoint]&denies != 0
	}
	return submits(ev.State, &a.Events[i]) && eventAfter(a, i, denied) >= 0
}

// deniedAfter reports whether the refusal of event i is the page that a failed sign-in
// redirected to.
func (ev *Evidence) deniedAfter(a *timeline.Actor, i int) bool {
	return ev.Roles[a.Events[i].Endpoint]&denies != 0 && eventBefore(a, i, func(e *timeline.Event) bool {
		return ev.Roles[e.Endpoint]&redirectsIn != 0 && submits(ev.State, e)
	}) >= 0
}

// submits reports whether e is the submission of a form that was answered with a
// redirect.
func submits(s *timeline.State, e *timeline.Event) bool {
	return e.Outcome == timeline.Redirected && s.Endpoints[e.Endpoint].Method == "POST"
}

// attempts reports whether the refusal of event i is that of a sign-in or of a renewal.
// p is the position before it.
func (s *sessionizer) attempts(p *position, a *timeline.Actor, i int) (signIn, renewal bool) {
	e := &a.Events[i]
	role := s.Roles[e.Endpoint]
	inSession := p.open && p.accepted
	switch {
	case role&Renews != 0, inSession && role&Tries != 0 && s.State.Endpoints[e.Endpoint].Token:
		return false, true
	case role&Tries != 0:
		// One route may both sign in and serve the session, told apart by a query.
		return !(inSession && role&Guards != 0), false
	}
	return s.deniedAfter(a, i), false
}

// silentWindow is how long, in milliseconds, all requests of a session are refused
// before it is accepted again without a sign-in in this log, if it ended: a person
// is sent to another server and comes back. A request that is refused by chance is
// repeated at once, or others are accepted meanwhile.
const silentWindow = 15_000

// returnWindow is how soon, in milliseconds, a route that refused is requested again: an
// hour of work.
const returnWindow = 3_600_000

// renewalWindow is how soon, in milliseconds, a program has renewed its token and
// repeated what was refused: a few requests, one of them to an identity provider. A
// person takes longer to type a password.
const renewalWindow = 5000

// renewed reports whether a program answered the refusal e by a renewal of its token and
// was accepted: its user notices nothing.
func renewed(e *timeline.Event, h *ahead) bool {
	return h.renews && h.signIn-e.Time <= renewalWindow && h.accepted-h.signIn <= renewalWindow && h.accepted >= h.signIn
}

// goesOn reports whether a session goes on at once after the refusal e, without a sign-in
// by hand: its token may have been renewed at a host that is not in this log.
func goesOn(e *timeline.Event, h *ahead) bool {
	return h.accepted-e.Time <= renewalWindow && (h.signIn > h.accepted || h.renews)
}

// raced reports whether the refused renewal e came together with one that succeeded: two
// tabs or threads of a client sent the same token, which is good for one renewal. A client
// that is refused first and accepted later has signed in again.
func raced(p *position, e *timeline.Event, h *ahead) bool {
	after := h.renews && h.signIn == e.Time // in a log of whole seconds the order is unknown
	before := e.Time-p.renewal <= RedirectWindow && (h.renews || h.accepted < h.signIn)
	return p.open && (before || after)
}

// ended reports whether the refusal e ends the session: it was accepted on protected
// routes before, and is not accepted again until a sign-in, if ever. The sign-in may be
// in the log of another server: then the session is refused for a while, wherever it
// is, and accepted later where it was refused.
func (s *sessionizer) ended(p *position, e *timeline.Event, h *ahead) bool {
	if !p.open || !p.accepted || ownCredentials(s.stated(e)) {
		return false
	}
	if h.signIn <= h.accepted {
		return true
	}
	if e.User != 0 || !h.returns {
		return false
	}
	away, several := h.accepted-e.Time, h.refusals > 1
	switch s.ends[s.siteOf[e.Endpoint]] {
	case likely:
		return away >= Nearby || away >= silentWindow && several
	case proven:
		return away >= silentWindow || away > RedirectWindow && several
	}
	return false
}

// renewalCause returns the cause of a refused renewal. p is the position after it.
func (ev *Evidence) renewalCause(e *timeline.Event, r *Refusal, p *position) Cause {
	switch {
	case p.dead, r.Session && !r.Good:
		return SessionEnd
	case !r.Good && !r.Named && ev.State.Endpoints[e.Endpoint].Renew:
		return Anonymous // a page asks at its start whether the visitor is signed in
	}
	return TokenRenewal
}
