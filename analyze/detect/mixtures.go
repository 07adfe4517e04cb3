package detect

import (
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// phases is the number of parts of the log by which routes and backends are counted.
const phases = 32

// sessionAnswers is called with the answers to an actor's live sessions.
type sessionAnswers interface {
	// forget is called when a session ends or another one begins.
	forget()
	// answer is called with an acceptance and the refusals since the last one.
	answer(refused []*timeline.Event, e *timeline.Event)
}

// livingWalk is scratch memory.
type livingWalk struct{ pending []*timeline.Event }

// answers calls to with the answers to an actor's sessions up to the last acceptance
// before each sign-in or sign-out: what is refused after it belongs to the end of the
// session.
func (w *livingWalk) answers(d *Diagnosis, a *timeline.Actor, to sessionAnswers) {
	alive := a.Session != nil
	pending := w.pending[:0] // refusals since the last acceptance
	to.forget()
	for i := range a.Events {
		e := &a.Events[i]
		switch {
		case e.Outcome == timeline.Unauthorized:
			if r := d.Refusals.At(int(e.Refusal)); alive && r.Cause != session.Challenge && !r.SignIn {
				pending = append(pending, e)
			}
		case d.signsIn(e), e.Outcome == timeline.Accepted && len(pending) > 0 && d.signsInAt(a, i):
			pending = pending[:0]
			to.forget()
			if alive = true; !d.signsIn(e) && d.Roles[e.Endpoint]&session.Guards != 0 {
				to.answer(nil, e)
			}
		case e.Outcome == timeline.Accepted && d.Roles[e.Endpoint]&session.Guards != 0:
			alive = true
			to.answer(pending, e)
			pending = pending[:0]
		}
	}
	w.pending = pending
}

// signsIn reports whether e begins a session, or may do so by a redirect. A renewal at a host
// that refuses young tokens does not: see youngTokens.
func (d *Diagnosis) signsIn(e *timeline.Event) bool {
	role := d.Roles[e.Endpoint]
	return e.Outcome <= timeline.Redirected && role&session.SignsIn != 0 &&
		(len(d.young) == 0 || role&session.Renews == 0 || !d.young[d.State.Endpoints[e.Endpoint].Host])
}

// sameInstant is the number of events after one that are searched for those of its instant: a
// page has a few requests.
const sameInstant = 16

// signsInAt reports whether a sign-in is at the instant of event i and stands behind it: in a log
// of whole seconds nothing shows which came first.
func (d *Diagnosis) signsInAt(a *timeline.Actor, i int) bool {
	for j := i + 1; j < min(len(a.Events), i+1+sameInstant) && a.Events[j].Time == a.Events[i].Time; j++ {
		if d.signsIn(&a.Events[j]) {
			return true
		}
	}
	return false
}

// mixture counts the requests of live sessions in a time.
type mixture struct {
	answers stats.Cell    // hits are refused
	after   [2]stats.Cell // of requests after an acceptance, after a refusal
	again   stats.Cell    // of requests after a refusal on the same route
	fresh   stats.Cell    // of requests soon after an acceptance that followed a refusal
	same    stats.Cell    // pairs of answers by one backend to a session; hits are equal
}

func (m *mixture) merge(o *mixture) {
	m.answers.Merge(o.answers)
	m.after[0].Merge(o.after[0])
	m.after[1].Merge(o.after[1])
	m.again.Merge(o.again)
	m.fresh.Merge(o.fresh)
	m.same.Merge(o.same)
}

// mixtures is what is counted of live sessions that are refused.
type mixtures struct {
	inside, outside []mixture             // by suspicion: in its span, and at other times
	routes          []*[phases]stats.Cell // by endpoint and phase; nil for none
	places          []*[phases]stats.Cell // by upstream, then by server, and phase; nil for none
}

func newMixtures(suspicions, endpoints, places int) *mixtures {
	return &mixtures{
		inside: make([]mixture, suspicions), outside: make([]mixture, suspicions),
		routes: make([]*[phases]stats.Cell, endpoints), places: make([]*[phases]stats.Cell, places),
	}
}

func (m *mixtures) merge(o *mixtures) {
	for n := range m.inside {
		m.inside[n].merge(&o.inside[n])
		m.outside[n].merge(&o.outside[n])
	}
	mergePhases(m.routes, o.routes)
	mergePhases(m.places, o.places)
}

func mergePhases(sums, all []*[phases]stats.Cell) {
	for n, x := range all {
		if x == nil {
			continue
		}
		if sums[n] == nil {
			sums[n] = &[phases]stats.Cell{}
		}
		for i := range x {
			sums[n][i].Merge(x[i])
		}
	}
}

// addPhase counts an answer of a route or backend.
func addPhase(sums []*[phases]stats.Cell, n uint32, phase int, refused bool) {
	if sums[n] == nil {
		sums[n] = &[phases]stats.Cell{}
	}
	sums[n][phase].Add(refused)
}

// mixtureObserver counts what the requests of live sessions are answered, of actors that
// are refused and accepted in turn. A request takes time for the suspicions about its
// endpoint, of which there are at most scopesOfEndpoint.
type mixtureObserver struct {
	*mixedObserver          // read only
	of             *keySets // the suspicions about endpoints
	actors         actorSet
	all            *mixtures
	parts          []*mixturePart
}

func newMixtureObserver(o *mixedObserver) *mixtureObserver {
	m := &mixtureObserver{mixedObserver: o}
	at := make([]int32, len(o.scopes.list)) // by scope: its suspicion plus one
	for n, x := range o.suspicions {
		at[x.scope] = int32(n) + 1
	}
	m.of = newKeySets(len(o.d.State.Endpoints), func(endpoint int) (list []int32) {
		o.scopes.each(uint32(endpoint), func(s int32) {
			if at[s] > 0 {
				list = append(list, at[s]-1)
			}
		})
		return list
	})
	for i, living := range o.living {
		if living {
			m.actors.add(o.d.Refusals.At(i).Actor)
		}
	}
	return m
}

func (o *mixtureObserver) wants(id uint32, _ timeline.ActorSummary) bool { return o.actors.has(id) }

// mixturePart is the part of a mixtureObserver that belongs to one goroutine.
type mixturePart struct {
	*mixtureObserver // read only
	clock            stepClock
	sums             *mixtures
	walk             livingWalk
	last             []lastAnswer    // by suspicion
	placed           map[uint16]bool // by upstream: whether its last answer was a refusal
	routes           []lastOnRoute   // by endpoint
	session          int32           // number of the current session
}

// lastOnRoute is the last answer of a route.
type lastOnRoute struct {
	session int32 // whose it was
	refused bool
}

// lastAnswer is the last answer to the current session that a suspicion is about.
type lastAnswer struct {
	known, refused bool
	resumed        int64 // when it was accepted after a refusal, Unix milliseconds; LongAgo for never
}

func (o *mixtureObserver) newSums() *mixtures {
	return newMixtures(len(o.suspicions), len(o.d.State.Endpoints), len(o.d.State.Upstreams)+len(o.d.State.Servers))
}

func (o *mixtureObserver) part() func(*timeline.Actor, uint32) {
	p := &mixturePart{
		mixtureObserver: o, clock: o.d.clock(), sums: o.newSums(), last: make([]lastAnswer, len(o.suspicions)),
		placed: map[uint16]bool{}, routes: make([]lastOnRoute, len(o.d.State.Endpoints)),
	}
	o.parts = append(o.parts, p)
	return p.actor
}

// actor counts the answers to an actor that was refused. Those that are never refused may
// have sessions of another kind.
func (p *mixturePart) actor(a *timeline.Actor, _ uint32) {
	if slices.ContainsFunc(a.Events, func(e timeline.Event) bool { return e.Outcome == timeline.Unauthorized && p.living[e.Refusal] }) {
		p.walk.answers(p.d, a, p)
	}
}

// forget forgets the answers to the session before.
func (p *mixturePart) forget() {
	clear(p.last)
	clear(p.placed)
	p.session++
}

func (p *mixturePart) answer(refused []*timeline.Event, e *timeline.Event) {
	for _, r := range refused {
		p.count(r, true)
	}
	p.count(e, false)
}

// count counts an answer to an actor that is refused and accepted in turn.
func (p *mixturePart) count(e *timeline.Event, refused bool) {
	step := int(p.clock.at(e.Time))
	phase := step * phases / session.MaxSteps
	addPhase(p.sums.routes, e.Endpoint, phase, refused)
	if n := e.Origin.Server(); n > 0 {
		addPhase(p.sums.places, uint32(len(p.d.State.Upstreams)+n-1), phase, refused)
	}
	placed, agrees := false, false
	if e.Upstream != 0 {
		addPhase(p.sums.places, uint32(e.Upstream-1), phase, refused)
		if before, ok := p.placed[e.Upstream]; ok {
			placed, agrees = true, before == refused
		}
		p.placed[e.Upstream] = refused
	}
	was := p.routes[e.Endpoint]
	p.routes[e.Endpoint] = lastOnRoute{p.session, refused}
	set := p.of.of[e.Endpoint] - 1
	if set < 0 {
		return
	}
	for _, n := range p.of.sets[set] {
		m, last := &p.sums.outside[n], &p.last[n]
		if span := &p.suspicions[n].span; step >= span.from && step < span.to {
			m = &p.sums.inside[n]
		}
		m.answers.Add(refused)
		if was.refused && was.session == p.session {
			m.again.Add(refused)
		}
		if last.known {
			after := 0
			if last.refused {
				after = 1
			}
			m.after[after].Add(refused)
		}
		if placed {
			m.same.Add(agrees)
		}
		if since := e.Time - last.resumed; last.known && since > freshFrom && since <= freshTo {
			m.fresh.Add(refused)
		}
		resumed := session.LongAgo
		switch {
		case refused:
		case last.refused:
			resumed = e.Time
		case last.known:
			resumed = last.resumed
		}
		*last = lastAnswer{true, refused, resumed}
	}
}

func (o *mixtureObserver) gather() {
	o.all = o.newSums()
	for _, p := range o.parts {
		o.all.merge(p.sums)
	}
	o.parts = nil
}

// random reports whether refusals do not depend on the answer before, and whether at least
// a share of the requests is refused.
func (m *mixture) random(least float64) bool {
	back := m.after[1].Trials - m.after[1].Hits // acceptances right after a refusal
	if back < mixedBack || m.after[0].Trials < mixedRefused || shareOf(m.answers) < least {
		return false
	}
	all, after := shareOf(m.answers), shareOf(m.after[1])
	if m.fresh.Trials >= freshRequests && shareOf(m.fresh) < freshRepeat*all {
		return false
	}
	if m.again.Trials >= freshRequests && shareOf(m.again)-shareOf(m.after[0]) > mixedDependence {
		return false // users are refused on some routes whenever they ask
	}
	return after-shareOf(m.after[0]) <= mixedDependence && (all >= timerShare || after >= mixedRepeat*all)
}

// continues reports whether those who are refused at other times are refused again, after a
// refusal and soon after an acceptance, about as often as in the mixture: what is refused to
// them is the same trouble, however many requests of programs that it spares lie between.
// Where tokens expire by a timer, nothing is refused soon after.
func (m *mixture) continues(in *mixture) bool {
	back := m.after[1].Trials - m.after[1].Hits
	return back >= mixedBack && m.fresh.Trials >= freshRequests && shareOf(m.answers) >= mixedLow &&
		alike(m.after[1], in.after[1]) && alike(m.fresh, in.fresh)
}

// alike reports whether a share of refusals is like that of all requests.
func alike(c, all stats.Cell) bool {
	p, q := shareOf(all), shareOf(c)
	return q >= p/alikeFactor && 1-q >= (1-p)/alikeFactor
}

// during sums the phases of a span of steps: those that are in it as a whole or, if there
// are none, those that it is in.
func during(all *[phases]stats.Cell, s span) (sum stats.Cell) {
	if all == nil {
		return sum
	}
	const steps = session.MaxSteps / phases
	from, to := (s.from+steps-1)/steps, s.to/steps
	if from >= to {
		from, to = s.from/steps, (s.to-1)/steps+1
	}
	for i := from; i < to; i++ {
		sum.Merge(all[i])
	}
	return sum
}

// routesAlike reports whether the routes of a scope refuse about the same share, and not
// some nearly all requests and the others none. A scope may have one route: see byItself.
func (o *mixtureObserver) routesAlike(s int32, span span, inside *mixture) bool {
	all := inside.answers
	var compared, like int64
	var refusing, rest stats.Cell
	alikes, routes, last := 0, 0, 0 // last is an endpoint
	for e := range o.all.routes {
		n := during(o.all.routes[e], span)
		if !slices.Contains(o.scopes.of[e][:], s) {
			rest.Merge(n)
			continue
		}
		if n.Trials < alikeRequests {
			continue
		}
		compared += n.Trials
		routes, last = routes+1, e
		if alike(n, all) {
			like += n.Trials
			alikes++
		}
		if shareOf(n) >= shareOf(all)/alikeFactor {
			refusing.Merge(n)
		}
	}
	if shareOf(refusing) >= closedRoutes && shareOf(all) < closedRoutes {
		return false
	}
	if routes == 1 && !o.byItself(last, span, inside, rest) {
		return false
	}
	return routes > 0 && alikes >= min(routes, 2) && float64(like) >= alikeRoutes*float64(compared)
}

// byItself reports whether one route, such as that of GraphQL, may be a mixture: it is one
// path (of several, some may be forbidden), it refuses all actors alike (some may have no
// permission), not in turn, and the rest of the site does not refuse about as much.
func (o *mixtureObserver) byItself(endpoint int, span span, inside *mixture, rest stats.Cell) bool {
	all := inside.answers
	return shareOf(inside.after[0])-shareOf(inside.after[1]) <= mixedDependence &&
		!strings.Contains(o.d.State.Endpoints[endpoint].Template, "{") &&
		shareOf(span.Cell) >= mixedAll*min(shareOf(all), 0.5) &&
		(rest.Trials < alikeRequests || !alike(rest, all))
}

// placesAlike reports whether at least two backends, and servers, refuse, where they are
// logged, and no single one makes most of the share.
func (o *mixtureObserver) placesAlike(span span, all stats.Cell) bool {
	upstreams := len(o.d.State.Upstreams)
	return alikePlaces(o.all.places[:upstreams], span, all) && alikePlaces(o.all.places[upstreams:], span, all)
}

func alikePlaces(places []*[phases]stats.Cell, span span, all stats.Cell) bool {
	seen, refusing := 0, 0
	for _, p := range places {
		n := during(p, span)
		if n.Trials < alikeRequests {
			continue
		}
		seen++
		if shareOf(n) >= shareOf(all)/alikeFactor {
			refusing++
		}
		if rest := all.Minus(n); rest.Trials >= alikeRequests && shareOf(rest) <= shareOf(all)/onePlaceFactor {
			return false
		}
	}
	return seen < 2 || refusing >= 2
}

// details returns the figures of the requests.
func (m *mixture) details() *Intermittent {
	n := m.answers
	p := shareOf(n)
	low := stats.WilsonLower(n.Hits, n.Trials, stats.Z95)
	high := 1 - stats.WilsonLower(n.Trials-n.Hits, n.Trials, stats.Z95)
	d := &Intermittent{
		RefusedShare: result.Share(round(p, 4)), RefusedLow: result.Share(round(low, 4)), RefusedHigh: result.Share(round(high, 4)),
		AfterRefusal: result.Share(round(shareOf(m.after[1]), 4)), AfterAcceptance: result.Share(round(shareOf(m.after[0]), 4)),
		OnePlace: m.same.Trials >= onePlacePairs && shareOf(m.same) >= onePlaceAgree,
	}
	// The nearest number of processes fits if the interval of the share reaches it,
	// or nearly: sessions differ in length.
	const slack = 0.02
	fits := func(share float64) bool { return share >= low-slack && share <= high+slack }
	for k := 2; k <= mostProcesses; k++ {
		switch f := float64(k); {
		case d.Processes == 0 && fits((f-1)/f):
			d.Processes = k
		case d.BrokenOf == 0 && fits(1/f):
			d.BrokenOf = k
		}
	}
	return d
}
