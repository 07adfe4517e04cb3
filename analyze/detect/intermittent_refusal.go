package detect

import (
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// intermittentRefusal finds sites that refuse and accept the same sessions in turn.
//
// Sign: within living sessions, without a sign-in between, requests are refused and
// accepted, on all routes, for all users, and whether the request before was refused or
// not. Not: expiry (after a refusal nothing is accepted until the next sign-in, or
// nothing is refused for a while), a broken route or missing permission (the routes
// differ), one bad backend (upstream_misconfigured).
//
// Statistic: distinct actors refused and accepted over time (stats.Segment), the
// binomial tail of the refused ones against the share at all other times; the share of
// refusals after a refusal against that after an acceptance, which are equal if the
// requests of a session are independent (runs, Wald and Wolfowitz, 1940); the share of
// refusals by route. A share of (n-1)/n fits n processes of which each accepts its own
// sessions, 1/n one broken process of n.
var intermittentRefusal = Kind{
	Name:     "intermittent_refusal",
	Label:    "Refusals at random",
	Meaning:  "Live sessions are refused and accepted in turn: processes or replicas do not share sessions or keys.",
	Category: SessionCategory,
	Subjects: []string{"site"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraSession, parse.ExtraUser, parse.ExtraUpstream, parse.ExtraHost},
	Details:  func() any { return new(Intermittent) },
	Title:    `{{share .Details.RefusedShare}} of the {{if .Details.Renewals}}token renewals{{else}}requests of live sessions{{end}}{{with .Subject.Host}} on {{.}}{{end}}{{with .Subject.Route}} at {{.}}{{end}} are refused {{if .Details.Renewals}}because two come at once{{else}}at random{{end}} {{since .Onset}}`,
	Explanation: `{{with .Details}}{{if .Renewals}}
		{{plural .Sessions "client" "clients"}} sent two renewals at once on {{count .Routes "route"}}: one was accepted and the other refused, while the session went on.
		Two tabs or threads send the same refresh token, which is good for one renewal.
		{{else}}
		{{plural .Sessions "session was" "sessions were"}} refused and accepted in turn, without a sign-in between, alike on {{count .Routes "route"}}.
		After a refusal, {{share .AfterRefusal}} of a session's next requests are refused; after an acceptance, {{share .AfterAcceptance}}: neither the user nor the route decides.
		{{if .OnePlace}}The log names the backends: each session is accepted at one of them and refused at the others, so the backends do not share their sessions or keys.
		{{else if .Processes}}That fits {{.Processes}} processes, replicas or servers that do not share their secret or session store: each accepts only the sessions that it began.
		{{else if .BrokenOf}}That fits one broken process, replica or server of {{.BrokenOf}}.
		{{else}}That fits several processes, replicas or servers that do not share their secret or session store, or a store that fails now and then.{{end}}{{end}}
		{{if .Ongoing}}It still happens at the end of the log.{{else}}It stopped before the end of the log.{{end}}{{end}}`,
	Remedy: []string{
		`{{if .Details.Renewals}}Let one tab or thread renew the token and the others wait for it (navigator.locks, a single-flight call), and accept a spent refresh token for some seconds (reuse interval or leeway of the identity provider).{{end}}`,
		`Give all workers, replicas and servers the same secret: SECRET_KEY, the cookie or session secret, the signing key or JWKS. A secret that is made up at the start differs in every process.`,
		`Keep sessions in a store that all replicas share (Redis, a database), not in the memory of a process.`,
		`If they cannot share sessions, make sessions sticky: nginx ip_hash or hash on the session cookie, HAProxy cookie, ingress affinity. {{with .Details.OnsetHigh}}Check whether the affinity was lost, or replicas were added, at {{time .}}.{{end}}`,
		`If the share grows with the load, check the time-outs and limits of the session store, the identity provider and the service behind auth_request.`,
	},
	observe: observeIntermittent,
	inspect: inspectIntermittent,
}

// Intermittent is the details of an intermittent_refusal finding.
type Intermittent struct {
	RefusedShare    result.Share       `json:"refused_share"` // of the requests of live sessions
	RefusedLow      result.Share       `json:"refused_share_low" label:"refused share (at least)"`
	RefusedHigh     result.Share       `json:"refused_share_high" label:"refused share (at most)"`
	Sessions        int64              `json:"sessions"`                // refused and accepted in turn
	Routes          int                `json:"routes"`                  // that refused
	AfterRefusal    result.Share       `json:"refused_after_refusal"`   // of the next requests
	AfterAcceptance result.Share       `json:"refused_after_accepted"`  // of the next requests
	Processes       int                `json:"processes,omitempty"`     // that do not share, whose number fits the share
	BrokenOf        int                `json:"broken_one_of,omitempty"` // processes, of which one is broken, that fit
	Renewals        bool               `json:"renewals"`                // renewals that came together
	OnePlace        bool               `json:"each_at_one_backend"`     // each session is accepted by one backend only
	PValue          result.Probability `json:"p_value"`
	Ongoing         bool               `json:"ongoing"`
	OnsetLow        *result.Time       `json:"onset_low,omitempty" label:"onset (earliest)"`
	OnsetHigh       *result.Time       `json:"onset_high,omitempty" label:"onset (latest)"`
}

const (
	// mixedRefused is the minimum number of refusals of live sessions, and mixedBack
	// that of acceptances right after one.
	mixedRefused = 20
	mixedBack    = 10
	// mixedSessions is the minimum number of sessions refused and accepted in turn.
	mixedSessions = 5
	// mixedShare is the minimum share of refused requests: that of one broken process
	// of ten.
	mixedShare = 0.1
	// mixedLow is the share of refused requests from which on what is refused at random at
	// other times belongs to the same trouble: it may grow with the load.
	mixedLow = 0.02
	// mixedUsual is the least share at other times that counts as usual.
	mixedUsual = 0.01
	// mixedFalse is the accepted probability of a false report in a run.
	mixedFalse = 0.001
	// mixedDependence is the maximum difference between the shares of refusals after
	// a refusal and after an acceptance: connections that are kept alive stay at
	// one process, so that it is not 0.
	mixedDependence = 0.4
	// mixedRepeat is the minimum share of refusals after a refusal, in the share of
	// all: where tokens expire by a timer, the next request after a refusal is accepted.
	// No timer refuses every other request, so from timerShare on it is not asked.
	mixedRepeat = 0.3
	timerShare  = 0.4
	// A timer refuses nothing for a while after each renewal. Counted are the requests
	// from freshFrom to freshTo, in milliseconds, after a session is accepted again: those
	// before may have been sent with the old token, and tokens live for minutes at least.
	freshFrom = 2500
	freshTo   = 60_000
	// freshRequests is the minimum number of them that is compared, and freshRepeat the
	// minimum of their refused share, in the share of all.
	freshRequests = 20
	freshRepeat   = 0.3
	// alikeRoutes is the minimum share of the requests that must be for routes whose
	// share of refusals is like that of all: between alikeFactor times less refused
	// and alikeFactor times less accepted.
	alikeRoutes = 0.7
	alikeFactor = 3
	// alikeRequests is the minimum number of requests of a route that is compared.
	alikeRequests = 10
	// onePlaceAgree is the minimum share of equal answers of a backend to one session.
	onePlaceAgree = 0.95
	// onePlacePairs is the minimum number of pairs of answers that it is taken from.
	onePlacePairs = 20
	// mostProcesses is the greatest number of processes that a share can show.
	mostProcesses = 16
	// mixedHigh is the number of sessions from which on the severity is high, and
	// mixedPeople the share of all actors.
	mixedHigh   = 20
	mixedPeople = 0.2
	// phases is the number of parts of the log by which routes are counted.
	phases = 32
)

// mixture counts the requests of live sessions in a time.
type mixture struct {
	answers stats.Cell    // hits are refused
	after   [2]stats.Cell // of requests after an acceptance, after a refusal
	again   stats.Cell    // of requests after a refusal on the same route
	fresh   stats.Cell    // of requests soon after an acceptance that followed a refusal
	same    stats.Cell    // pairs of answers by one backend to a session; hits are equal
}

// stepMixture is a mixture in half the memory: each scope has one for each step, and each
// request of a session that is refused now and then may change another one.
type stepMixture struct {
	answers     smallCell
	after       [2]smallCell
	again       smallCell
	fresh, same smallCell
}

// smallCell is a stats.Cell of less than 2^32 trials.
type smallCell struct{ hits, trials uint32 }

func (c *smallCell) add(hit bool) {
	c.trials++
	if hit {
		c.hits++
	}
}

func (c *smallCell) merge(d smallCell) {
	c.hits += d.hits
	c.trials += d.trials
}

func (c smallCell) addTo(sum *stats.Cell) {
	sum.Merge(stats.Cell{Hits: int64(c.hits), Trials: int64(c.trials)})
}

func (m *stepMixture) merge(o *stepMixture) {
	m.answers.merge(o.answers)
	m.after[0].merge(o.after[0])
	m.after[1].merge(o.after[1])
	m.again.merge(o.again)
	m.fresh.merge(o.fresh)
	m.same.merge(o.same)
}

func (m *stepMixture) addTo(sum *mixture) {
	m.answers.addTo(&sum.answers)
	m.after[0].addTo(&sum.after[0])
	m.after[1].addTo(&sum.after[1])
	m.again.addTo(&sum.again)
	m.fresh.addTo(&sum.fresh)
	m.same.addTo(&sum.same)
}

// mixtures is what is counted of live sessions.
type mixtures struct {
	steps  [][]stepMixture       // by scope and step: requests
	routes []*[phases]stats.Cell // by endpoint and phase; nil for none
	places []*[phases]stats.Cell // by upstream, then by server, and phase; nil for none
}

func newMixtures(scopes, endpoints, upstreams int) *mixtures {
	m := &mixtures{
		steps:  make([][]stepMixture, scopes),
		routes: make([]*[phases]stats.Cell, endpoints), places: make([]*[phases]stats.Cell, upstreams),
	}
	for i := range m.steps {
		m.steps[i] = make([]stepMixture, session.MaxSteps)
	}
	return m
}

func (m *mixtures) merge(o *mixtures) {
	for n := range m.steps {
		for i := range m.steps[n] {
			m.steps[n][i].merge(&o.steps[n][i])
		}
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

// mixedObserver counts what the requests of live sessions are answered. A request takes
// constant time: its endpoint is in at most scopesOfEndpoint scopes.
type mixedObserver struct {
	d      *Diagnosis
	scopes *scopes
	cells  [][]cell // by scope and step: actors
	all    *mixtures
	living []bool // by refusal: the session was accepted after it, without a sign-in
	parts  []*mixedPart
}

func observeIntermittent(d *Diagnosis) observer {
	o := &mixedObserver{d: d, scopes: newScopes(d)}
	seen, counts := map[visitor]bool{}, make([]int64, len(o.scopes.list))
	for i := range d.Refusals.Len() {
		r := d.Refusals.At(i)
		if !d.open(i) || r.SignIn || !r.Good || r.Dead {
			continue
		}
		o.scopes.each(r.Endpoint, func(s int32) {
			if v := (visitor{s, r.Actor}); !seen[v] {
				seen[v] = true
				counts[s]++
			}
		})
	}
	for s := range o.scopes.list {
		if x := &o.scopes.list[s]; x.signIn || x.both {
			counts[s] = 0
		}
	}
	o.scopes.keep(counts, mixedSessions)
	if !o.mayBeMixed() {
		return nil
	}
	o.living = make([]bool, d.Refusals.Len())
	return o
}

// mayBeMixed reports whether a scope refused as many live sessions, and as often, as a
// finding has at least. Sessions that end, of which every log has some, are none.
func (o *mixedObserver) mayBeMixed() bool {
	seen, actors, refused := map[visitor]bool{}, make([]int, len(o.scopes.list)), make([]int, len(o.scopes.list))
	for i := range o.d.Refusals.Len() {
		r := o.d.Refusals.At(i)
		if !o.d.open(i) || r.SignIn || !r.Resumed {
			continue
		}
		o.scopes.each(r.Endpoint, func(s int32) {
			refused[s]++
			if v := (visitor{s, r.Actor}); !seen[v] {
				seen[v] = true
				actors[s]++
			}
		})
	}
	for s := range actors {
		if actors[s] >= mixedSessions && refused[s] >= mixedBack {
			return true
		}
	}
	return false
}

func (o *mixedObserver) newSums() *mixtures {
	return newMixtures(len(o.scopes.list), len(o.d.State.Endpoints), len(o.d.State.Upstreams)+len(o.d.State.Servers))
}

// mixedPart is the part of a mixedObserver that belongs to one goroutine.
type mixedPart struct {
	*mixedObserver // read only, but for living of the current actor's refusals
	acceptances
	clock   stepClock
	sums    *mixtures
	pending []*timeline.Event // scratch of answers
	last    []lastAnswer      // by scope
	placed  map[uint16]bool   // by upstream: whether its last answer was a refusal
	routes  []lastOnRoute     // by endpoint
	session int32             // number of the current session
}

// lastOnRoute is the last answer of a route.
type lastOnRoute struct {
	session int32 // whose it was
	refused bool
}

// lastAnswer is the last answer to the current session in a scope.
type lastAnswer struct {
	known, refused bool
	resumed        int64 // when it was accepted after a refusal, Unix milliseconds; LongAgo for never
}

func (o *mixedObserver) part() func(*timeline.Actor, uint32) {
	n := len(o.scopes.list)
	p := &mixedPart{
		mixedObserver: o, acceptances: o.d.newAcceptances(o.scopes.sets(), n, 0), clock: o.d.clock(),
		sums: o.newSums(), last: make([]lastAnswer, n), placed: map[uint16]bool{},
		routes: make([]lastOnRoute, len(o.d.State.Endpoints)),
	}
	o.parts = append(o.parts, p)
	return p.actor
}

// actor counts the answers to an actor's sessions up to the last acceptance before each
// sign-in or sign-out: what is refused after it belongs to the end of the session.
func (p *mixedPart) actor(a *timeline.Actor, id uint32) {
	if p.answers(a, id, false) { // actors that are never refused may have sessions of another kind
		p.answers(a, id, true)
	}
}

// answers goes through the answers to an actor's live sessions. It counts the actor by
// scope and reports whether one of them is a refusal; or, with themselves, it counts the
// answers.
func (p *mixedPart) answers(a *timeline.Actor, id uint32, themselves bool) (mixed bool) {
	alive := a.Session != nil
	pending := p.pending[:0] // refusals since the last acceptance
	p.forget()
	for i := range a.Events {
		e := &a.Events[i]
		switch {
		case e.Outcome == timeline.Unauthorized:
			if r := p.d.Refusals.At(int(e.Refusal)); alive && r.Cause != session.Challenge && !r.SignIn {
				pending = append(pending, e)
			}
		case e.Outcome <= timeline.Redirected && p.d.Roles[e.Endpoint]&session.SignsIn != 0:
			pending = pending[:0]
			p.forget()
			alive = true
		case e.Outcome == timeline.Accepted && p.d.Roles[e.Endpoint]&session.Guards != 0:
			alive, mixed = true, mixed || len(pending) > 0
			if !themselves {
				p.enter(pending, e, id)
			} else {
				for _, r := range pending {
					p.count(r, true)
				}
				p.count(e, false)
			}
			pending = pending[:0]
		}
	}
	p.pending = pending
	return mixed
}

// forget forgets the answers to the session before.
func (p *mixedPart) forget() {
	clear(p.last)
	clear(p.placed)
	p.session++
}

// enter counts an actor in the scopes of an acceptance and the refusals before it.
func (p *mixedPart) enter(refused []*timeline.Event, e *timeline.Event, actor uint32) {
	for _, r := range refused {
		p.living[r.Refusal] = true
		step := p.clock.at(r.Time)
		p.scopes.each(r.Endpoint, func(s int32) { p.refuse(s, actor, step, r.Time) })
	}
	p.accept(e.Endpoint, actor, p.clock.at(e.Time), -1, e.Time)
}

// count counts an answer to an actor that is refused and accepted in turn.
func (p *mixedPart) count(e *timeline.Event, refused bool) {
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
	for _, s := range p.scopes.of[e.Endpoint] {
		if s < 0 {
			continue
		}
		m, last := &p.sums.steps[s][step], &p.last[s]
		m.answers.add(refused)
		if was.refused && was.session == p.session {
			m.again.add(refused)
		}
		if last.known {
			after := 0
			if last.refused {
				after = 1
			}
			m.after[after].add(refused)
		}
		if placed {
			m.same.add(agrees)
		}
		if since := e.Time - last.resumed; last.known && since > freshFrom && since <= freshTo {
			m.fresh.add(refused)
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

func (o *mixedObserver) gather() {
	var counts []*acceptances
	o.all = o.parts[0].sums
	for i, p := range o.parts {
		counts = append(counts, &p.acceptances)
		if i > 0 {
			o.all.merge(p.sums)
		}
	}
	o.cells, o.parts = cellsOf(counts), nil
}

func inspectIntermittent(d *Diagnosis, seen observer) ([]candidate, error) {
	found := racedRenewals(d)
	if seen == nil {
		return found, nil
	}
	o := seen.(*mixedObserver)
	for s := range o.scopes.list {
		if c, ok := o.mixed(int32(s)); ok {
			found = append(found, c)
		}
	}
	return found, nil
}

// mixed returns the finding of a scope whose sessions are refused and accepted in turn.
func (o *mixedObserver) mixed(s int32) (c candidate, ok bool) {
	cells := o.cells[s]
	if allRefused(cells) < mixedSessions {
		return c, false
	}
	span, ok := refusingSpan(cells, mixedShare)
	if !ok {
		return c, false
	}
	var inside, rest mixture
	var outside stats.Cell
	for i := range cells {
		if i >= span.from && i < span.to {
			o.all.steps[s][i].addTo(&inside)
		} else {
			o.all.steps[s][i].addTo(&rest)
			outside.Merge(stats.Cell{Hits: int64(cells[i].refused), Trials: int64(cells[i].refused + cells[i].accepted)})
		}
	}
	usual := max(mixedUsual, shareOf(outside))
	pValue := min(1, stats.BinomialTail(span.Hits, span.Trials, usual)*session.MaxSteps*float64(len(o.scopes.list)))
	if pValue > mixedFalse || !inside.random(mixedShare) || !o.routesAlike(s, span, inside.answers) || !o.placesAlike(span, inside.answers) {
		return c, false
	}
	always := rest.random(mixedLow)
	sessions, routes, onset := o.claimMixed(&c, s, span, always)
	if sessions < mixedSessions || len(c.claims) < mixedRefused {
		return c, false
	}
	x := &o.scopes.list[s]
	c.Subject, c.Onset = result.Subject{Type: "site", Host: x.host, Route: x.prefix}, parse.NoTime
	if x.every {
		c.Subject.Host = o.d.commonHost(slices.Values(c.claims))
	}
	details := inside.details()
	details.Sessions, details.Routes, details.PValue = sessions, routes, result.Probability(pValue)
	details.Ongoing = span.to == session.MaxSteps || o.d.ongoing(c.claims[len(c.claims)-1])
	if span.accepted && !always {
		c.Onset = onset * 1000
		high := result.Time(c.Onset)
		details.OnsetHigh = &high
		if _, last := o.d.onsetOf(cells, span); last != math.MinInt64 {
			low := result.Time(min(last, onset) * 1000)
			details.OnsetLow = &low
		}
	}
	c.Confidence = confidence(pValue, 1-mixedShare)
	c.Severity = result.Medium
	if sessions >= mixedHigh || float64(sessions) >= mixedPeople*float64(o.d.Actors) {
		c.Severity = result.High
	}
	c.Details, c.Exhibit = details, o.d.actorTrend(cells)
	return c, true
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

// shareOf returns the share of hits, 0 for a cell without trials.
func shareOf(c stats.Cell) float64 { return float64(c.Hits) / float64(max(c.Trials, 1)) }

// without returns a sum without one of its parts.
func without(sum, part stats.Cell) stats.Cell {
	return stats.Cell{Hits: sum.Hits - part.Hits, Trials: sum.Trials - part.Trials}
}

// alike reports whether a share of refusals is like that of all requests.
func alike(c, all stats.Cell) bool {
	p, q := shareOf(all), shareOf(c)
	return q >= p/alikeFactor && 1-q >= (1-p)/alikeFactor
}

// during sums the phases that a span of steps is in.
func during(all *[phases]stats.Cell, s span) (sum stats.Cell) {
	if all == nil {
		return sum
	}
	for i := s.from * phases / session.MaxSteps; i <= (s.to-1)*phases/session.MaxSteps; i++ {
		sum.Merge(all[i])
	}
	return sum
}

// routesAlike reports whether the routes of a scope refuse about the same share.
func (o *mixedObserver) routesAlike(s int32, span span, all stats.Cell) bool {
	var compared, like, routes int64
	for e := range o.all.routes {
		if !slices.Contains(o.scopes.of[e][:], s) {
			continue
		}
		n := during(o.all.routes[e], span)
		if n.Trials < alikeRequests {
			continue
		}
		compared += n.Trials
		if alike(n, all) {
			like += n.Trials
			routes++
		}
	}
	return routes >= 2 && float64(like) >= alikeRoutes*float64(compared)
}

// placesAlike reports whether at least two backends, and servers, refuse, where they are
// logged.
func (o *mixedObserver) placesAlike(span span, all stats.Cell) bool {
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
	}
	return seen < 2 || refusing >= 2
}

// claimMixed sets the claims of a finding: what is refused in a span and, with always, the
// refusals of live sessions at other times. It returns the number of live sessions, the
// number of routes, and the time of the first refusal of a live session.
func (o *mixedObserver) claimMixed(c *candidate, s int32, x span, always bool) (sessions int64, routes int, onset int64) {
	start, end := session.LongAgo, session.Never
	if x.accepted {
		start, _ = o.d.onsetOf(o.cells[s], x)
	}
	if x.to < session.MaxSteps {
		end = o.d.From + int64(x.to)*o.d.Width
	}
	actors, on := map[uint32]bool{}, map[uint32]bool{}
	onset = session.Never
	for i := range o.d.Refusals.Len() {
		r := o.d.Refusals.At(i)
		if !o.d.open(i) || r.SignIn || !(r.Good || r.Session) || (r.Time < start || r.Time >= end) && !(always && o.living[i]) || !slices.Contains(o.scopes.of[r.Endpoint][:], s) {
			continue
		}
		c.claims = append(c.claims, uint32(i))
		if o.living[i] {
			actors[r.Actor], on[r.Endpoint] = true, true
			onset = min(onset, r.Time)
		}
	}
	return int64(len(actors)), len(on), onset
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
