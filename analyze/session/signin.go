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
		return role&redirectsIn != 0 && !ev.Bounced(a, i)
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

// Bounced reports whether event i, a redirect, leads to a page that tells of wrong
// credentials by a 401, as Jenkins and Spring do.
func (ev *Evidence) Bounced(a *timeline.Actor, i int) bool {
	denied := func(r *timeline.Event) bool {
		return r.Outcome == timeline.Unauthorized && ev.Roles[r.Endpoint]&denies != 0
	}
	return submits(ev.State, &a.Events[i]) && eventAfter(a, i, denied) >= 0
}

// deniedBy returns the form that redirected to event i, if that is a refusal by the page
// that tells of a failed sign-in.
func (ev *Evidence) deniedBy(a *timeline.Actor, i int) (form uint32, ok bool) {
	if ev.Roles[a.Events[i].Endpoint]&denies == 0 {
		return 0, false
	}
	j := EventBefore(a, i, func(e *timeline.Event) bool {
		return ev.Roles[e.Endpoint]&redirectsIn != 0 && submits(ev.State, e)
	})
	if j < 0 {
		return 0, false
	}
	return a.Events[j].Endpoint, true
}

// Form returns the endpoint that a refusal by an endpoint is about: the form that
// redirects to it if it is the page that tells of a failed sign-in, else itself.
func (ev *Evidence) Form(endpoint uint32) uint32 {
	if ev.forms != nil && ev.forms[endpoint] != 0 {
		return ev.forms[endpoint] - 1
	}
	return endpoint
}

// formPage is a form and the page that it redirects to when a sign-in failed.
type formPage struct{ form, page uint32 }

// gatherForms sets for each such page the form that redirects to it most.
func (ev *Evidence) gatherForms(parts []*sessionizer) {
	sum := map[formPage]int64{}
	for _, s := range parts {
		for x, n := range s.forms {
			sum[x] += n
		}
	}
	if len(sum) == 0 {
		return
	}
	ev.forms = make([]uint32, len(ev.State.Endpoints))
	most, all := map[uint32]int64{}, map[uint32]int64{} // by page
	for x, n := range sum {
		all[x.page] += n
		if n > most[x.page] || n == most[x.page] && x.form+1 < ev.forms[x.page] {
			most[x.page], ev.forms[x.page] = n, x.form+1
		}
	}
	for page, n := range all {
		if 2*n <= ev.State.Endpoints[page].N[timeline.Unauthorized] {
			ev.forms[page] = 0 // it refuses others, too
		}
	}
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
	form, failed := s.deniedBy(a, i)
	if failed {
		s.forms[formPage{form, e.Endpoint}]++
	}
	return failed, false
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

// renewed reports whether a program answered the refusal e, or others of the same moment, by
// a renewal of its token and was accepted: its user notices nothing. What was refused need
// not be repeated: the next call may be that of the next click. refusedBefore is the time of
// the refusal before e.
func renewed(p *position, e *timeline.Event, h *ahead, refusedBefore int64) bool {
	if h.renews && h.signIn-e.Time <= renewalWindow {
		return h.accepted >= h.signIn && h.accepted != Never
	}
	// In a log of whole seconds, and where a page makes several calls, the renewal may come
	// before the last of the refusals.
	return e.Time-p.renewal < clock && p.renewal-refusedBefore <= renewalWindow && h.accepted < h.signIn
}

// goesOn reports whether a session goes on at once after the refusal e, without a sign-in
// by hand: its token may have been renewed at a host that is not in this log.
func goesOn(e *timeline.Event, h *ahead) bool {
	return h.accepted-e.Time <= renewalWindow && (h.signIn > h.accepted || h.renews)
}

// raced reports whether the refused renewal e came together with one that succeeded: two
// tabs or threads of a client sent the same token, which is good for one renewal. A client
// that is refused first and accepted later has signed in again. A session id that is renewed
// itself is not used again.
func raced(p *position, a *timeline.Actor, e *timeline.Event, h *ahead) bool {
	after := h.renews && h.signIn == e.Time // in a log of whole seconds the order is unknown
	spent := a.Session != nil && h.accepted == Never && h.signIn == Never
	before := e.Time-p.renewal <= RedirectWindow && (h.renews || h.accepted < h.signIn || spent)
	return p.open && before || after && (p.open || a.Session != nil)
}

// renewedInVain reports whether event i, a refusal, follows a renewal that succeeded, before
// which the actor was refused on the same route: the program repeats the request with the new
// token. A page makes a few calls at once.
func (s *sessionizer) renewedInVain(a *timeline.Actor, i int) bool {
	const calls = 4
	e := &a.Events[i]
	if s.shared || i < 2 {
		return false
	}
	renewal := &a.Events[i-1]
	if renewal.Outcome != timeline.Accepted || e.Time-renewal.Time > legWindow || !s.givesTokens(renewal.Endpoint) {
		return false
	}
	for j := i - 2; j >= max(0, i-1-calls); j-- {
		x := &a.Events[j]
		if x.Outcome != timeline.Unauthorized || renewal.Time-x.Time > legWindow {
			return false
		}
		if x.Endpoint == e.Endpoint {
			return true
		}
	}
	return false
}

// ended reports whether the refusal e ends the session: it was accepted on protected
// routes before, and is not accepted again until a sign-in, if ever. The sign-in may be
// in the log of another server: then the session is refused for a while, wherever it
// is, and accepted later where it was refused. Who signed in, comes back after a while and
// signs in again had a session, too: a log without session ids may not show its use.
func (s *sessionizer) ended(p *position, e *timeline.Event, h *ahead) bool {
	if !p.open || ownCredentials(s.stated(e)) {
		return false
	}
	if !p.accepted {
		return !s.State.Sessions && p.seen && e.Time-p.start > Nearby && p.vain < vainSignIns && h.signIn <= h.accepted && h.signIn-e.Time <= arrivalWindow
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
