package session

import (
	"context"
	"slices"

	"logscan/analyze/timeline"
)

// What begins a session is learnt from what follows it, because its route may have any
// name and method: a form, a token endpoint, the callback of an identity provider, a
// ticket in the query of a page, a link in a mail.
//
// Sign: a client that was refused makes the request, which is answered 2xx or 3xx, and
// is then accepted where it had been refused. Not: what is requested while nothing is
// wrong (any other route), what is requested in vain before the refusals go on (the
// sign-in page, a page that reloads).
//
// Statistic: of the times that actors who were refused made the request, the share
// after which they were accepted where they had been refused; and of all times that it
// was answered so, the share that came between a refusal and such a return. The lower
// bounds of both (Wilson) must be at least a half.

// way is an endpoint and how it answered: twice its index, plus one if it redirected. A
// page may take the ticket of an identity provider by a redirect, and be itself
// protected.
type way = uint32

func wayOf(e *timeline.Event) way {
	if e.Outcome == timeline.Redirected {
		return 2*e.Endpoint + 1
	}
	return 2 * e.Endpoint
}

const (
	// recentWays is the number of ways that are remembered between a refusal and the
	// acceptance: a sign-in takes a few requests. recentRefused is the number of
	// endpoints that refused: a page calls several at once.
	recentWays    = 6
	recentRefused = 8
	// learnReturns is the minimum number of returns after which a way is believed.
	// Four of four are the fewest whose share is at least a half at 95% confidence.
	learnReturns = 4
	// learnShare is the minimum of the shares; see above.
	learnShare = 0.5
	// vainOfOne is the number of times in a row that what one actor requests in vain counts:
	// who cannot be signed in, for whatever reason, tries on and on.
	vainOfOne = 4
	// returnsOfOne is the number of returns of one actor that count for a page answered as any
	// other: a program that fetches two pages in turn, each with a handshake, seems to come
	// back by the other one where the log does not show the order of requests.
	returnsOfOne = 4
	// plainZ is the number of standard deviations of the bounds for a page that is
	// answered as any other: a site has thousands of pages, but few forms and redirects.
	plainZ = 3.3
	// learnAlone is the minimum share of the returns by a way that no better one
	// explains: pages are loaded before and after sign-ins, too.
	learnAlone = 0.5
	// typicalRatio is the minimum ratio of the share that a form has of what is requested
	// before returns to the one that it has while nothing is wrong. Of what is requested
	// at random both are alike.
	typicalRatio = 5
	// formShare is the minimum share of the returns by a form that follow a redirect, from
	// which on it redirects who is signed in, and shows the form again to others. It is also
	// the minimum share of the refusals by a page that accepts nobody which follow a form, if
	// it tells of failed sign-ins; formFails is their maximum share of the form's redirects: if
	// all lead to it, the page is broken.
	formShare = 0.8
	formFails = 0.5
	// renewQuick is the minimum share of the requests of a renewal that a program
	// sends: at once after a refusal, or while nothing is wrong. People are slower.
	renewQuick = 0.8
	// stickyShare is the minimum share of the refusals of living sessions that are
	// followed by further refusals where sessions end, and stickyPairs the minimum
	// number of pairs that show the contrary. A site that refuses one request and
	// accepts the next at once does not end sessions.
	stickyShare = 0.9
	stickyPairs = 5
	// stickyProof is the number of pairs from which on a single refusal, too, may be
	// that of a session that ended.
	stickyProof = 20
	// stickyWindow is the time in milliseconds between the requests of a pair: the
	// calls of one page.
	stickyWindow = 10_000
)

// certainty says whether refusals end the sessions of a site.
type certainty uint8

const (
	unlikely certainty = iota
	likely
	proven
)

// tally counts the returns of one actor.
type tally struct {
	actor   uint32
	returns int
}

// bridge holds the ways between a refusal and the acceptance on the same endpoint,
// plus one; 0 for none.
type bridge [recentWays]way

// lessons is what one goroutine learns.
type lessons struct {
	*Evidence
	skip []bool // by endpoint: assets, preflights and sign-outs begin no session

	// By way: how often it led to an acceptance, of these how often it followed the
	// refusal at once, how often it did not lead to one, and how often it was requested
	// while nothing was wrong.
	returns, quick, vain, amid []int64
	decisive                   []int64 // returns before which no other answer of the endpoint came later
	list                       []bridge
	comebacks                  []comeback
	bare                       []timeline.Client  // that met at least repeatMatches refusals without a session and a user
	sticky, loose              []int64            // by endpoint: see stickyShare
	failed                     map[formPage]int64 // how often a form redirected to a page that accepts nobody
	current                    lesson             // of the actor visited last
	actors                     uint32             // visited
	ofOne                      map[way]tally      // returns by pages of the actor that made the last one
	shown                      []bool             // by endpoint, see shownForms
	allReturns, allAmid        int64              // sums, set by conclude
}

func newLessons(ev *Evidence, skip []bool) *lessons {
	counts := func() []int64 { return make([]int64, 2*len(ev.State.Endpoints)) }
	return &lessons{
		Evidence: ev, skip: skip, returns: counts(), quick: counts(), vain: counts(), amid: counts(), decisive: counts(),
		sticky: make([]int64, len(ev.State.Endpoints)), loose: make([]int64, len(ev.State.Endpoints)), failed: map[formPage]int64{},
		ofOne: map[way]tally{},
	}
}

func (l *lessons) merge(m *lessons) {
	for _, pair := range [][2][]int64{
		{l.returns, m.returns}, {l.quick, m.quick}, {l.vain, m.vain}, {l.amid, m.amid}, {l.decisive, m.decisive}, {l.sticky, m.sticky}, {l.loose, m.loose},
	} {
		for i, n := range pair[1] {
			pair[0][i] += n
		}
	}
	l.list = append(l.list, m.list...)
	l.comebacks = append(l.comebacks, m.comebacks...)
	l.bare = append(l.bare, m.bare...)
	for x, n := range m.failed {
		l.failed[x] += n
	}
}

// learn sets the roles of endpoints by which sessions begin, and whether sites end
// sessions, by a walk over the actors that were refused.
func (ev *Evidence) learn(ctx context.Context) error {
	ev.ends = make([]certainty, len(ev.Sites))
	ev.sticky, ev.loose = make([]int64, len(ev.State.Endpoints)), make([]int64, len(ev.State.Endpoints))
	if ev.State.Refusals.Len() == 0 && !ev.Carries() {
		return nil
	}
	skip := make([]bool, len(ev.State.Endpoints))
	for i := range skip {
		skip[i] = beginsNone(&ev.State.Endpoints[i])
	}
	parts := make([]*lessons, ev.Workers)
	for i := range parts {
		parts[i] = newLessons(ev, skip)
	}
	refused := func(_ uint32, w timeline.ActorSummary) bool { return w.Refused }
	err := ev.Visit(ctx, refused, func(worker int, _ uint32, a *timeline.Actor) { parts[worker].actor(a) })
	if err != nil {
		return err
	}
	sum := parts[0]
	for _, p := range parts[1:] {
		sum.merge(p)
	}
	ev.sticky, ev.loose = sum.sticky, sum.loose
	sum.conclude()
	ev.companions = newCompanions(sum.comebacks)
	ev.bare = make(map[timeline.Client]bool, len(sum.bare))
	for _, c := range sum.bare {
		ev.bare[c] = true
	}
	return nil
}

// beginsNone reports whether requests of an endpoint begin no session: assets, preflights
// and sign-outs.
func beginsNone(e *timeline.Endpoint) bool {
	return e.SignOut || e.Method == "OPTIONS" || e.Method == "HEAD" || IsAsset(e.Template)
}

// lesson is where the walk over an actor's events stands.
type lesson struct {
	refused   [recentRefused]uint32 // endpoints that refused and did not accept since, plus one
	last      int64                 // last refusal
	ways      bridge                // since then, the most recent first
	times     [recentWays]int64
	first     bool // the actor has not been accepted yet
	lastAlive bool // the last refusal found the actor accepted
	named     bool // it named a user
	session   bool // the actor is a session
	sentAway  bool // a protected route redirected the actor, and none refused it since
	bare      int  // refusals without a session and a user, in logs with sessions
	vain      int  // refusals after ways in vain, since the actor was accepted
}

// actor learns from an actor.
func (l *lessons) actor(a *timeline.Actor) {
	p := lesson{last: LongAgo, first: true, session: a.Session != nil}
	if a.Continues {
		p = l.current
	} else {
		l.actors++
	}
	for i := range a.Events {
		e := &a.Events[i]
		switch {
		case e.Outcome == timeline.Unauthorized:
			l.refuse(&p, a, i)
		case e.Outcome > timeline.Redirected || l.skip[e.Endpoint]:
		case e.Outcome == timeline.Accepted && p.forget(e.Endpoint):
			l.accept(&p, e)
		case p.last != LongAgo:
			if w := wayOf(e); e.Time > p.last || l.rank(w) < 3 { // a page of that instant is the one whose calls are refused
				p.push(w, e.Time)
			}
		case !p.first:
			l.amid[wayOf(e)]++
			if e.Outcome == timeline.Redirected && l.Roles[e.Endpoint]&Guards != 0 {
				p.remember(e.Endpoint)
				p.last, p.named, p.sentAway = e.Time, e.User != 0, true
			}
		case e.Outcome == timeline.Accepted && l.Roles[e.Endpoint]&Guards != 0:
			p.first = false
		}
	}
	l.current = p
}

// refuse learns from the refusal of event i.
func (l *lessons) refuse(p *lesson, a *timeline.Actor, i int) {
	e := &a.Events[i]
	if l.State.Sessions && !p.session && e.User == 0 {
		if p.bare++; p.bare == repeatMatches {
			l.bare = append(l.bare, e.Client)
		}
	}
	if l.Roles[e.Endpoint]&denies != 0 {
		if j := EventBefore(a, i, func(e *timeline.Event) bool { return submits(l.State, e) }); j >= 0 {
			l.failed[formPage{a.Events[j].Endpoint, e.Endpoint}]++
			return // perhaps the page that tells of a failed sign-in
		}
	}
	if p.lastAlive && e.Time-p.last <= stickyWindow && e.Refusal != timeline.EarlierEvent {
		l.sticky[e.Endpoint]++
	}
	p.lastAlive = !p.first && p.last == LongAgo
	if p.remember(e.Endpoint) && p.vain < vainOfOne {
		if p.ways != (bridge{}) {
			p.vain++
		}
		for _, w := range p.ways {
			if w != 0 {
				l.vain[w-1]++
			}
		}
	}
	p.ways, p.last, p.named, p.sentAway = bridge{}, e.Time, e.User != 0, false
}

// accept learns from an acceptance where the actor had been refused.
func (l *lessons) accept(p *lesson, e *timeline.Event) {
	own := wayOf(e) + 1
	r := p.ways
	for i, w := range r {
		// The order of requests of one instant is unknown.
		if w == own || p.times[i] == e.Time {
			r[i] = 0
		}
	}
	if p.lastAlive && p.ways == (bridge{}) && e.User == 0 && e.Time > p.last && e.Time-p.last <= stickyWindow && e.Refusal != timeline.EarlierEvent {
		l.loose[e.Endpoint]++
	}
	p.lastAlive, p.vain = false, 0
	switch {
	case e.User != 0 && !p.named && e.Time-p.last <= handshakeWindow: // credentials with the request itself
	case r == (bridge{}): // the same request again, which may itself be the sign-in
		if p.refused != ([recentRefused]uint32{}) {
			p.push(own-1, e.Time)
			return
		}
	case e.Time-p.times[0] <= arrivalWindow:
		for i, w := range r {
			if w != 0 && !l.counts(w-1) {
				r[i] = 0
			} else if w != 0 {
				l.returns[w-1]++
				if p.times[i]-p.last <= RedirectWindow {
					l.quick[w-1]++
				}
				if j := slices.Index(r[:], (w-1)^1+1); j < 0 || j > i {
					l.decisive[w-1]++
				}
			}
		}
		l.list = append(l.list, r)
		if !p.session && !p.sentAway {
			l.comebacks = append(l.comebacks, comeback{e.Client, p.times[0]})
		}
	}
	*p = lesson{last: LongAgo, session: p.session, bare: p.bare}
}

// counts reports whether a return of the current actor by a way counts, as those of an actor
// by a page do only up to returnsOfOne.
func (l *lessons) counts(w way) bool {
	if l.rank(w) < 3 {
		return true
	}
	t := l.ofOne[w]
	if t.actor != l.actors {
		t = tally{actor: l.actors}
	}
	t.returns++
	l.ofOne[w] = t
	return t.returns <= returnsOfOne
}

// remember adds an endpoint that refused and reports whether it had refused before.
func (p *lesson) remember(endpoint uint32) bool {
	known := slices.Contains(p.refused[:], endpoint+1)
	if !known {
		copy(p.refused[1:], p.refused[:])
		p.refused[0] = endpoint + 1
	}
	return known
}

// forget removes an endpoint from those that refused and reports whether it was one.
func (p *lesson) forget(endpoint uint32) bool {
	if p.last == LongAgo {
		return false
	}
	i := slices.Index(p.refused[:], endpoint+1)
	if i >= 0 {
		copy(p.refused[i:], p.refused[i+1:])
		p.refused[recentRefused-1] = 0
	}
	return i >= 0
}

// push adds a way as the most recent.
func (p *lesson) push(w way, ms int64) {
	i := slices.Index(p.ways[:], w+1)
	if i < 0 {
		i = recentWays - 1
	}
	copy(p.ways[1:i+1], p.ways[:i])
	copy(p.times[1:i+1], p.times[:i])
	p.ways[0], p.times[0] = w+1, ms
}
