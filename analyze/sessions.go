package analyze

import (
	"strings"

	"logscan/analyze/timeline"
	"logscan/parse/privacy"
)

// ahead is what follows a refusal in its actor's timeline: Unix milliseconds,
// or never.
type ahead struct {
	answered int64 // acceptance on the same endpoint, or on a path below it
	accepted int64 // acceptance on any protected route
	other    int64 // acceptance on a protected route other than its own
	signIn   int64 // sign-in
}

const (
	never  = int64(1) << 62
	before = -never
)

// recent remembers the last few distinct endpoints that were accepted, walking
// back in time.
type recent [8]struct {
	endpoint uint32
	time     int64
}

func (r *recent) push(endpoint uint32, ms int64) {
	i := 0
	for i < len(r)-1 && r[i].endpoint != endpoint {
		i++
	}
	copy(r[1:i+1], r[:i])
	r[0].endpoint, r[0].time = endpoint, ms
}

// lookAhead fills w.aheads, one for every refusal of a in order, by one walk
// from the end: linear, however many requests a flood crams into a second.
func (w *walker) lookAhead(a *timeline.Actor) {
	w.aheads = w.aheads[:0]
	var last recent
	for i := range last {
		last[i].time = never
	}
	accepted, signIn := never, never
	acceptedOn, other := timeline.NoRefusal, never // endpoint of accepted; next acceptance elsewhere
	for i := len(a.Events) - 1; i >= 0; i-- {
		e := &a.Events[i]
		switch {
		case e.Outcome == timeline.Unauthorized:
			h := ahead{answered: never, accepted: accepted, other: accepted, signIn: signIn}
			if acceptedOn == e.Endpoint {
				h.other = other
			}
			for _, r := range last {
				if r.time < h.answered && (r.endpoint == e.Endpoint || w.below(r.endpoint, e.Endpoint)) {
					h.answered = r.time
				}
			}
			w.aheads = append(w.aheads, h)
		case w.signedIn(e):
			signIn = e.Time
		case e.Outcome == timeline.Accepted:
			last.push(e.Endpoint, e.Time)
			if w.roles[e.Endpoint]&guards != 0 {
				if acceptedOn != e.Endpoint {
					acceptedOn, other = e.Endpoint, accepted
				}
				accepted = e.Time
			}
		}
	}
	for i, j := 0, len(w.aheads)-1; i < j; i, j = i+1, j-1 {
		w.aheads[i], w.aheads[j] = w.aheads[j], w.aheads[i]
	}
}

// below tells whether endpoint a lies under the path of endpoint b, on the same
// host: the protection space that a challenge at b opens (RFC 7617, section
// 2.2), as with /v2/ of a registry. Such an entrance ends in a slash; one at "/"
// opens everything, which would say nothing.
func (w *walker) below(a, b uint32) bool {
	x, y := &w.state.Endpoints[a], &w.state.Endpoints[b]
	return len(y.Template) > 1 && y.Template[len(y.Template)-1] == '/' && x.Host == y.Host &&
		strings.HasPrefix(x.Template, y.Template)
}

// signedIn tells whether e is a sign-in that succeeded: many answer with a
// redirect.
func (w *walker) signedIn(e *timeline.Event) bool {
	return w.roles[e.Endpoint]&signsIn != 0 && (e.Outcome == timeline.Accepted || e.Outcome == timeline.Redirected)
}

func (w *walker) signedOut(e *timeline.Event) bool {
	return w.roles[e.Endpoint]&signsOut != 0 && (e.Outcome == timeline.Accepted || e.Outcome == timeline.Redirected)
}

// life is the session an actor is in, walking forward in time.
type life struct {
	open      bool
	seen      bool // the sign-in was seen
	start     int64
	protected int64 // last acceptance on a protected route, or the sign-in
	any       int64 // last request that was not refused
	row       sessionRecord
	accepted  bool   // on a protected route
	first     uint32 // endpoint that opened it

	// After its death, until the next sign-in:
	dead             bool
	gap, gapAny, age int64
}

// walk takes one actor through its events: it finds the sessions, counts every
// request to a protected route that a session survived, and gives every 401 the
// cause that it shows by itself.
func (w *walker) walk(a *timeline.Actor, id uint32, refused bool) {
	if refused {
		w.lookAhead(a)
	}
	var l life
	known := false // accepted on a protected route, or signed in, ever
	user := uint32(0)
	last, lastOther, lastOn := before, before, timeline.NoRefusal // acceptances on protected routes
	burst, lastRefused := uint32(0), before
	address, moves := uint32(0), false // of the last acceptance, once there is one
	next := 0
	since := before // what comes from before it is too late to change the session
	if len(a.Before) > 0 {
		t := w.recalled(a)
		since = t.since
		l, known, user, last, lastOther, lastOn = t.life, t.known, t.user, t.last, t.lastOther, t.lastOn
		burst, lastRefused, address, moves = t.burst, t.lastRefused, t.address, t.moves
	}
	keep := w.keeper != nil // how it stands has still to be kept
	w.news = w.keeper == nil
	for i := range a.Events {
		e := &a.Events[i]
		if e.Refusal != timeline.EarlierEvent {
			w.news = true
		}
		if keep && e.Time >= w.keeper.since {
			keep = false
			w.keeper.mark(trail{since, l, known, user, last, lastOther, lastOn, burst, lastRefused, address, moves})
		}
		late := e.Time < since
		if late && e.Outcome != timeline.Unauthorized {
			w.count(&l, e)
			continue
		}
		if e.User != 0 {
			user = e.User
		}
		switch {
		case w.signedIn(e):
			address, moves = e.Client.Address, true
			w.close(&l, e)
			w.open(&l, a, e, user, e.Time, true)
			known = true
			last, lastOther, lastOn = e.Time, e.Time, timeline.NoRefusal
		case w.signedOut(e):
			w.close(&l, e)
			user = 0
			last, lastOther = before, before
		case e.Outcome == timeline.Unauthorized:
			h := w.aheads[next]
			next++
			if e.Time-lastRefused > burstGap {
				burst++
			}
			lastRefused = e.Time
			f := &w.earlier
			if e.Refusal != timeline.EarlierEvent {
				f = &w.facts[e.Refusal]
			}
			*f = fact{
				time: e.Time, actor: id, endpoint: e.Endpoint, user: user,
				address: e.Client.Address, agent: e.Client.Agent,
				burst: burst, named: e.User != 0, session: a.Session != nil, known: known,
				signIn:   w.state.Endpoints[e.Endpoint].SignIn,
				upstream: e.Upstream, scheme: e.Scheme, moved: moves && e.Client.Address != address,
			}
			f.redirect = w.redirectedBy(a, i)
			other := last
			if lastOn == e.Endpoint {
				other = lastOther
			}
			f.good = known || a.Session != nil && h.accepted-e.Time <= nearby && h.signIn > h.accepted
			f.alive = e.Time-other <= nearby && h.other-e.Time <= nearby && h.signIn > h.other
			if !f.signIn && !late && !l.dead && l.open && l.accepted && h.signIn <= h.accepted {
				w.die(&l, e)
				f.first = true
			}
			f.cause = w.ordinaryCause(a, e, f, &h, &l)
			if f.cause == causeSessionEnd && l.dead {
				f.dead, f.gap, f.gapAny, f.age = true, l.gap, l.gapAny, l.age
			}
			if late {
				w.count(&l, e)
			} else if l.open {
				l.row.requests++
				l.row.unauthorized++
			}
			continue
		case e.Outcome == timeline.Accepted && w.roles[e.Endpoint]&guards != 0:
			if !l.open {
				start, seen := e.Time, false
				if a.Session != nil {
					at, ok, err := w.state.SignedIn(e.Client, e.Time-startWindow, e.Time)
					w.keep(err)
					if ok {
						start, seen = at, true
					}
				}
				w.open(&l, a, e, user, start, seen)
			} else {
				w.survive(&l, e)
			}
			known, l.accepted = true, true
			address, moves = e.Client.Address, true
			l.protected = e.Time
			l.row.accepted++
			l.row.lastAccepted = e.Time
			if lastOn != e.Endpoint {
				lastOther, lastOn = last, e.Endpoint
			}
			last = e.Time
		}
		if l.open {
			l.row.requests++
			if l.any = e.Time; l.row.user == 0 {
				l.row.user = user
			}
		}
	}
	if w.keeper != nil {
		if keep {
			w.keeper.mark(trail{since, l, known, user, last, lastOther, lastOn, burst, lastRefused, address, moves})
		}
		w.keep(w.keeper.add(a))
	}
	w.close(&l, nil)
}

// count counts a request that came too late to change the session it was in.
func (w *walker) count(l *life, e *timeline.Event) {
	if !l.open || e.Time < l.start {
		return
	}
	l.row.requests++
	switch {
	case e.Outcome == timeline.Unauthorized:
		l.row.unauthorized++
	case e.Outcome == timeline.Accepted && w.roles[e.Endpoint]&guards != 0:
		l.row.accepted++
	}
}

// redirectReach is how many requests lie at most between a redirect and the one
// that follows it: a page's calls run beside each other.
const redirectReach = 8

// redirectedBy gives the endpoint, plus one, that redirected the actor to where
// event i went: one shortly before, or of the same instant, because logs that
// tell whole seconds do not tell their order. It is 0 where there is none;
// sign-ins redirect for reasons of their own.
func (c *correlation) redirectedBy(a *timeline.Actor, i int) uint32 {
	e := &a.Events[i]
	is := func(r *timeline.Event) bool {
		return r.Outcome == timeline.Redirected && c.roles[r.Endpoint]&(signsIn|signsOut) == 0
	}
	for j := i - 1; j >= max(0, i-redirectReach) && e.Time-a.Events[j].Time <= redirectWindow; j-- {
		if is(&a.Events[j]) {
			return a.Events[j].Endpoint + 1
		}
	}
	for j := i + 1; j < min(len(a.Events), i+redirectReach) && a.Events[j].Time == e.Time; j++ {
		if is(&a.Events[j]) {
			return a.Events[j].Endpoint + 1
		}
	}
	return 0
}

// open begins a session.
func (w *walker) open(l *life, a *timeline.Actor, e *timeline.Event, user uint32, start int64, seen bool) {
	c := e.Client
	*l = life{open: true, seen: seen, start: start, protected: e.Time, any: e.Time, first: e.Endpoint}
	l.row = sessionRecord{
		client: c, site: w.siteOf[e.Endpoint], user: user, start: start, startSeen: seen,
		lastAccepted: before, end: before, endRefusal: timeline.NoRefusal,
	}
	if a.Session != nil {
		l.row.id, l.row.named = sumOf(a), true
	}
}

// sumOf gives the sum of the id of a session.
func sumOf(a *timeline.Actor) timeline.SessionSum {
	if a.Hashed {
		return timeline.SessionSum(a.Session)
	}
	return privacy.SessionSum(a.Session)
}

// close ends a session by a request, or by the end of the log where that is nil,
// and lists it, if it was ever accepted where acceptance means something. An
// earlier run has listed those from before the first new request.
func (w *walker) close(l *life, by *timeline.Event) {
	if l.open && l.accepted && w.news {
		l.row.open = by == nil
		w.keep(w.sessions.Add(l.row))
		if h := w.lifetimesOf(l.first); h != nil {
			h.sessions++
		}
	}
	*l = life{}
}

// die ends the session by the refusal e; what is refused after it until the
// next sign-in is part of its death.
func (w *walker) die(l *life, e *timeline.Event) {
	gap, gapAny, age := e.Time-l.protected, e.Time-l.any, int64(-1)
	if l.seen {
		age = e.Time - l.start
	}
	l.row.end, l.row.endRefusal = e.Time, e.Refusal
	w.close(l, e)
	*l = life{dead: true, gap: gap, gapAny: gapAny, age: age}
}

// survive counts a request to a protected route that the session survived.
func (w *walker) survive(l *life, e *timeline.Event) {
	gap := e.Time - l.protected
	l.row.longestGap = max(l.row.longestGap, gap)
	h := w.lifetimesOf(e.Endpoint)
	if h == nil || e.Refusal == timeline.EarlierEvent {
		return
	}
	if l.seen { // gather adds it to the others
		h.seenAge.Add(e.Time - l.start)
		h.seenGap.Add(gap)
		h.seenGapAny.Add(e.Time - l.any)
		return
	}
	h.gap.Add(gap)
	h.gapAny.Add(e.Time - l.any)
}

// lifetimesOf gives the lifetimes of the endpoint's host, nil where it is not
// followed.
func (w *walker) lifetimesOf(endpoint uint32) *lifetimes {
	n := w.hostOf[endpoint]
	if n < 0 {
		return nil
	}
	if w.lifetimes[n] == nil {
		w.lifetimes[n] = &lifetimes{}
	}
	return w.lifetimes[n]
}
