package detect

import (
	"cmp"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// retryStorm finds software that repeats a refused request over and over and
// never signs in again.
//
// Sign: after its session or token has ended, a client repeats the same request at
// a machine's pace, without a sign-in or an acceptance of it in between; grouped by user
// agent. A page that loads itself again on each refusal may be accepted. Where the log
// names no sessions, the client is a browser, or repeats the request far faster than it made it before, or
// several clients of the same software do so from different times on. Not: a monitor
// (never accepted), a program whose key has expired (it has no session and continues its
// usual work at its usual pace), password guessing (sign-in routes, user names), a
// person who reloads (a few times, at irregular intervals).
//
// Statistic: the length of the run, and the share of its gaps within a factor of
// two of their median; human gaps are long-tailed and do not reach it. The minimum
// lengths are far above what a person reloads by hand.
var retryStorm = Kind{
	Name:     "retry_storm",
	Label:    "Retry storm",
	Meaning:  "A client repeats a refused request over and over and never signs in again.",
	Category: SessionCategory,
	Subjects: []string{"client_software", "site"},
	Needs:    []string{needTime, needStatus, needPath, needClient, needAgent},
	Uses:     []parse.Extra{parse.ExtraUserAgent, parse.ExtraSubSecond},
	Details:  func() any { return new(RetryStorm) },
	Title: `{{with .Details}}{{if .Agents}}A page open in {{.Agents}} kinds of browsers{{else if not .Client}}{{or $.Subject.UserAgent "Software without a user agent"}}{{else}}A browser at {{.Client}}{{end}} repeats {{with .Route}}the refused {{.}}{{else}}refused requests{{end}}
		{{- with .Interval}} every {{duration .}}{{else}} without a pause{{end}} instead of signing in again{{end}}`,
	Explanation: `{{with .Details}}
		{{count .Sessions "session"}} of {{if .Agents}}a page{{else}}this software{{end}} repeated a request {{plural .Requests "time" "times"}} after it was refused, up to {{plural .LongestRun "time" "times"}} in one session, typically {{with .Interval}}{{duration .}}{{else}}less than 0.1 seconds{{end}} apart.
		The software had been accepted before. It neither signed in nor renewed a token in between, so none of these requests could succeed.{{end}}`,
	Remedy: []string{
		`Fix the client: stop on a 401, renew the token once (OAuth refresh_token), then ask the user to sign in. Back off exponentially with jitter.`,
		`Report the affected versions to the vendor: the user agent names them.`,
		`Until then, limit the rate of the requests: nginx limit_req keyed by session cookie or address, Apache mod_qos. Answer with Retry-After.`,
	},
	certain: true,
	observe: observeRetries,
	inspect: inspectRetries,
}

// RetryStorm is the details of a retry_storm finding.
type RetryStorm struct {
	Sessions   int            `json:"sessions"`
	Requests   int            `json:"wasted_requests"`
	LongestRun int            `json:"longest_run"`
	Interval   result.Seconds `json:"interval_seconds"`                                // the typical one
	Route      string         `json:"-"`                                               // if it is always the same one
	Client     string         `json:"-"`                                               // the address of a browser, if it is one
	Agents     int            `json:"user_agents,omitempty" label:"kinds of browsers"` // if a page is at fault
}

const (
	// stormRun is the minimum number of repeats by one session or client.
	stormRun = 20
	// Several sessions or clients with the same software, with at least stormShort
	// repeats each, also suffice if their repeats add up to stormTotal.
	stormShort = 10
	stormTotal = 40
	// stormEven is the minimum share of the gaps within a factor of two of the
	// median.
	stormEven = 0.85
	// loopPages is the maximum number of protected routes that are accepted in a loop:
	// a page and what it loads. Whoever requests more is at work.
	loopPages = 2
	// leftRoutes is the minimum number of routes that a person has left. maxRoutes bounds
	// those remembered.
	leftRoutes = 3
	maxRoutes  = 16
	// paceGaps is the number of gaps between acceptances that show a route's pace.
	paceGaps = 15
	// hurry is how many times faster than before a client without a session repeats what
	// was refused: a program whose key has expired keeps its pace. hurryGaps is the
	// minimum number of gaps that show the pace before.
	hurry     = 3
	hurryGaps = 4
	// stormClients is the minimum number of clients of one software without sessions
	// that repeat alike: an integration is one client or two. Their runs begin at least
	// session.Nearby apart: a key that several share expires for all at once.
	stormClients = 3
	// stormAgents is the minimum number of user agents of browsers that repeat the same request:
	// what they have in common is the page that sends it.
	stormAgents = 3
	// maxStorms is the maximum number of actors followed, those with most repeats.
	maxStorms = 20_000
)

// retries is a run of refusals of the same request.
type retries struct {
	refusals []uint32 // without the first, which may be how the client noticed
	agent    uint32
	actor    uint32
	gap      int64 // typical, milliseconds
	alone    bool  // nothing but the same runs of others tells it from a program whose key has expired
}

// repeatable reports whether a refusal may be one of a retry storm: its client was
// accepted before, or has something to renew. A program that names its user without a
// session brings its credentials with each request: what fails is the account.
func (d *Diagnosis) repeatable(r *session.Refusal) bool {
	account := r.Named && !r.Session && !r.Renewal && !isBrowser(d.State.Agents[r.Agent])
	return !r.SignIn && !account && !d.unservedCheck(r) && (r.Good || r.Session || r.Renewal || d.leftOpen(r))
}

// pageRequests is the number of accepted requests that show a page which a person has
// opened: itself, and what it loads and calls.
const pageRequests = 3

// leftOpen reports whether a refusal is one of a browser that had been accepted, whether
// that takes credentials or not, and is not any more: a page is open there, which goes on
// by itself. A monitor is accepted elsewhere all the time.
func (d *Diagnosis) leftOpen(r *session.Refusal) bool {
	if !isBrowser(d.State.Agents[r.Agent]) || d.State.Unlisted(r.Client()) {
		return false
	}
	seen := &d.Clients[r.Client()].Tally
	return seen.N[timeline.Accepted] >= pageRequests && seen.LastAccepted < r.Time*1000
}

// retryObserver collects the runs of refusals of the actors that repeat most. It visits
// these only. A request takes time for the routes that are remembered of its actor, at
// most maxRoutes and loopPages; each refusal is in one run.
type retryObserver struct {
	d      *Diagnosis
	actors actorSet
	runs   []retries   // by agent and first refusal
	parts  [][]retries // by goroutine
}

func observeRetries(d *Diagnosis) observer {
	type repeated struct{ actor, endpoint uint32 }
	n := map[repeated]int{}
	for _, r := range d.eachOpen() {
		if d.repeatable(r) {
			n[repeated{r.Actor, r.Endpoint}]++
		}
	}
	type repeater struct {
		actor uint32
		n     int
	}
	var list []repeater
	for r, count := range n {
		if count > stormShort {
			list = append(list, repeater{r.actor, count})
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b repeater) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.actor, b.actor)) })
	o := &retryObserver{d: d}
	for _, m := range list[:min(len(list), maxStorms)] {
		o.actors.add(m.actor)
	}
	return o
}

func (o *retryObserver) wants(id uint32, _ timeline.ActorSummary) bool { return o.actors.has(id) }

func (o *retryObserver) part() func(*timeline.Actor, uint32) {
	n := len(o.parts)
	o.parts = append(o.parts, nil)
	p := retryPart{o: o, open: map[uint32]*repeats{}}
	return func(a *timeline.Actor, _ uint32) { o.parts[n] = append(o.parts[n], p.actor(a)...) }
}

// retryPart is the part of one goroutine.
type retryPart struct {
	o          *retryObserver
	open       map[uint32]*repeats // by endpoint
	pages      []uint32            // protected endpoints that accepted since the first of open, at most loopPages
	routes     []usedRoute         // that accepted the actor, at most maxRoutes
	used       []uint32            // by place in routes: the endpoint
	accepted   int                 // acceptances
	hadSession bool                // an actor without a session is a program, whose key may have expired
	found      []retries
}

// repeats is the refusals of one request since it was accepted last.
type repeats struct {
	refusals []uint32
	before   int // acceptances before the first one
	accepted int // acceptances before the last one
	loaded   int // refusals between which something was accepted
}

// loops reports whether an acceptance comes between most of the refusals: the page
// loads again, which a program whose key has expired does not.
func (r *repeats) loops() bool { return 2*r.loaded > len(r.refusals) }

// actor returns the runs of an actor.
func (p *retryPart) actor(a *timeline.Actor) []retries {
	p.found, p.hadSession, p.routes, p.used = nil, a.Session != nil, p.routes[:0], p.used[:0]
	for i := range a.Events {
		e := &a.Events[i]
		switch {
		case e.Refusal != timeline.NoRefusal:
			if r := p.o.d.Refusals.At(int(e.Refusal)); r.Cause != session.Challenge && p.o.d.repeatable(r) {
				p.refuse(e)
			}
		case p.o.d.SignedIn(a, i):
			p.endAll()
			p.hadSession = true
		case e.Outcome == timeline.Accepted:
			p.accept(e)
		}
	}
	p.endAll()
	return p.found
}

func (p *retryPart) refuse(e *timeline.Event) {
	if len(p.open) == 0 {
		p.pages = p.pages[:0]
	}
	r := p.open[e.Endpoint]
	if r == nil {
		r = &repeats{before: p.accepted, accepted: p.accepted}
		p.open[e.Endpoint] = r
	}
	if p.accepted > r.accepted {
		r.loaded++
	}
	r.accepted = p.accepted
	r.refusals = append(r.refusals, e.Refusal)
}

// accept ends the run of an endpoint that accepts, and all runs once other protected
// ones show that the actor is at work.
func (p *retryPart) accept(e *timeline.Event) {
	endpoint := e.Endpoint
	p.accepted++
	p.end(endpoint, true)
	delete(p.open, endpoint)
	p.use(e)
	if len(p.open) == 0 || p.o.d.Roles[endpoint]&session.Guards == 0 || slices.Contains(p.pages, endpoint) {
		return
	}
	if p.pages = append(p.pages, endpoint); len(p.pages) > loopPages {
		p.endAll()
		p.pages = p.pages[:0]
	}
}

// usedRoute is an endpoint that accepted an actor.
type usedRoute struct {
	accepted int // acceptances up to the last one there
	first    int64
	last     int64
	gaps     [paceGaps]int64 // between the last acceptances there, in a ring
	n        int             // gaps so far
}

// pace returns the median of the last gaps between acceptances, and whether there are
// enough.
func (u *usedRoute) pace() (int64, bool) {
	gaps := slices.Clone(u.gaps[:min(u.n, paceGaps)])
	if len(gaps) < hurryGaps {
		return 0, false
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2], true
}

// use notes that an endpoint accepted the actor.
func (p *retryPart) use(e *timeline.Event) {
	i := p.routeOf(e.Endpoint)
	switch {
	case i >= 0:
		u := &p.routes[i]
		u.gaps[u.n%paceGaps] = e.Time - u.last
		u.accepted, u.last, u.n = p.accepted, e.Time, u.n+1
	case len(p.routes) < maxRoutes && !session.IsAsset(p.o.d.State.Endpoints[e.Endpoint].Template):
		p.routes = append(p.routes, usedRoute{accepted: p.accepted, first: e.Time, last: e.Time})
		p.used = append(p.used, e.Endpoint)
	}
}

// routeOf returns the index of an endpoint in routes, -1 for none.
func (p *retryPart) routeOf(endpoint uint32) int { return slices.Index(p.used, endpoint) }

// paces reports how the gaps of a run at an endpoint compare with those of the actor's
// acceptances there before it: whether their pace is known, whether the run is far faster, and
// whether it goes on as from the beginning of the log.
func (p *retryPart) paces(endpoint uint32, gap int64) (known, hurries, goesOn bool) {
	i := p.routeOf(endpoint)
	if i < 0 {
		return false, false, false
	}
	before, known := p.routes[i].pace()
	goesOn = 3*max(gap-before, before-gap) <= before && p.routes[i].first-p.o.d.From <= 2*before
	return known, known && gap*hurry <= before, known && goesOn
}

// leftWork reports whether the actor was accepted on several routes before the run and
// has not requested them since: a tab that was left open goes on. A program would
// request them all.
func (p *retryPart) leftWork(r *repeats) bool {
	left := 0
	for i := range p.routes {
		if p.routes[i].accepted <= r.before && p.open[p.used[i]] == nil {
			left++
		}
	}
	return left >= leftRoutes
}

func (p *retryPart) endAll() {
	for _, endpoint := range slices.Sorted(maps.Keys(p.open)) {
		p.end(endpoint, false)
	}
	clear(p.open) // at last: what is open was not left
}

// end ends the run of an endpoint, which the caller removes. again is whether the endpoint accepts the actor: then
// what it had was good, and whoever polls goes on when an outage is over.
func (p *retryPart) end(endpoint uint32, again bool) {
	r := p.open[endpoint]
	if r == nil {
		return
	}
	if run, ok := p.o.run(r.refusals); ok {
		known, hurries, goesOn := p.paces(endpoint, run.gap)
		program := !isBrowser(p.o.d.State.Agents[run.agent])
		left := p.leftWork(r) && !(program && goesOn) // a program ends its round where it is refused
		run.alone = !p.hadSession && (again || program) && !r.loops() && !left && !hurries
		if !run.alone || !known && run.gap < session.Nearby { // otherwise its usual pace
			p.found = append(p.found, run)
		}
	}
}

// run returns the repeats of one request by one actor, and whether they come at an
// even pace.
func (o *retryObserver) run(refusals []uint32) (retries, bool) {
	if len(refusals) <= stormShort {
		return retries{}, false
	}
	times := make([]int64, len(refusals))
	for i, n := range refusals {
		times[i] = o.d.Refusals.At(int(n)).Time
	}
	median, ok := evenly(times[1:])
	if list := rounds(times[1:]); !ok && len(list) >= stormShort { // of a page that calls several times at once
		median, ok = evenly(list)
	}
	r := o.d.Refusals.At(int(refusals[0]))
	return retries{refusals: slices.Clone(refusals[1:]), agent: r.Agent, actor: r.Actor, gap: median}, ok
}

// evenly returns the median gap between times, and whether the gaps are as even as
// those of a program that repeats a request.
func evenly(times []int64) (median int64, ok bool) {
	gaps := gapsOf(times)
	slices.Sort(gaps)
	median = max(gaps[len(gaps)/2], 1)
	even := 0
	for _, g := range gaps {
		if 2*g+clockStep >= median && g <= 2*median+clockStep {
			even++
		}
	}
	return median, float64(even) >= stormEven*float64(len(gaps))
}

func (o *retryObserver) gather() {
	for _, runs := range o.parts {
		o.runs = append(o.runs, runs...)
	}
	o.parts = nil
	slices.SortFunc(o.runs, func(a, b retries) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.refusals[0], b.refusals[0]))
	})
}

func inspectRetries(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*retryObserver)
	var found []candidate
	for _, runs := range o.bySoftware() {
		if cand, ok := storm(d, runs); ok {
			found = append(found, cand)
		}
	}
	return append(found, o.ofPages()...), nil
}

// bySoftware returns the runs by user agent; those of programs by version: what else their user
// agents name is the device.
func (o *retryObserver) bySoftware() (groups [][]retries) {
	s := o.d.software()
	agents, versions := map[uint32]int{}, map[uint32]int{} // to groups
	for _, r := range o.runs {
		of, key := agents, r.agent
		if version := s.of[r.agent][0]; version > 0 && !isBrowser(o.d.State.Agents[r.agent]) {
			of, key = versions, version
		}
		n, known := of[key]
		if !known {
			n = len(groups)
			of[key] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], r)
	}
	return groups
}

// ofPages returns the findings of requests that browsers of several kinds repeat.
func (o *retryObserver) ofPages() (found []candidate) {
	d := o.d
	byRoute := map[uint32][]retries{}
	for _, r := range o.runs {
		if isBrowser(d.State.Agents[r.agent]) {
			route := d.Refusals.At(int(r.refusals[0])).Endpoint
			byRoute[route] = append(byRoute[route], r)
		}
	}
	for _, route := range slices.Sorted(maps.Keys(byRoute)) {
		cand, ok := storm(d, byRoute[route])
		agents := map[uint32]bool{}
		for _, r := range d.Refusals.Of(slices.Values(cand.claims)) {
			agents[r.Agent] = true
		}
		if ok && len(agents) >= stormAgents {
			e := &d.State.Endpoints[route]
			cand.Subject = result.Subject{Type: "site", Host: e.Host, Method: e.Method, Route: e.Template}
			cand.Details.(*RetryStorm).Agents = len(agents)
			if severalStorms(d, byRoute[route]) {
				cand.Onset = parse.NoTime // the page always does so when its session has ended
			}
			found = append(found, cand)
		}
	}
	return found
}

// severalStorms reports whether several clients repeat refused requests, each from a
// time of its own on.
func severalStorms(d *Diagnosis, runs []retries) bool {
	first := map[uint32]int64{} // by actor
	for _, r := range runs {
		if at, ok := first[r.actor]; !ok || d.Refusals.At(int(r.refusals[0])).Time < at {
			first[r.actor] = d.Refusals.At(int(r.refusals[0])).Time
		}
	}
	starts := slices.Sorted(maps.Values(first))
	apart, last := 0, session.LongAgo
	for _, at := range starts {
		if at-last >= session.Nearby {
			apart++
			last = at
		}
	}
	return apart >= stormClients
}

// storm returns the finding of the runs of one software, if they are enough.
func storm(d *Diagnosis, runs []retries) (candidate, bool) {
	var cand candidate
	longest := 0
	actors := map[uint32]bool{}
	var gaps []int64
	several := severalStorms(d, runs)
	for _, r := range runs {
		if r.alone && !several {
			continue
		}
		n := 0
		for _, i := range r.refusals {
			if d.open(int(i)) {
				cand.claims = append(cand.claims, i)
				n++
			}
		}
		if n >= stormShort {
			longest = max(longest, n)
			actors[r.actor] = true
			gaps = append(gaps, r.gap)
		}
	}
	if longest < stormShort || longest < stormRun && len(cand.claims) < stormTotal {
		return cand, false
	}
	slices.Sort(cand.claims)
	slices.Sort(gaps)
	cand.Subject = result.Subject{Type: "client_software", UserAgent: d.State.Agents[runs[0].agent]}
	if version := d.software().of[runs[0].agent][0]; version > 0 && slices.ContainsFunc(runs, func(r retries) bool { return r.agent != runs[0].agent }) {
		cand.Subject.UserAgent = d.software().names[version-1]
	}
	if cand.Subject.UserAgent == "" {
		cand.Subject.Type = "site"
	}
	cand.Onset = d.State.Refusals.At(int(cand.claims[0])).Time
	cand.Confidence = 0.95
	cand.Severity = result.Low
	if len(cand.claims) >= 100 || float64(len(cand.claims)) >= 0.2*float64(d.Refusals.Len()) {
		cand.Severity = result.Medium
	}
	details := &RetryStorm{
		Sessions: len(actors), Requests: len(cand.claims), LongestRun: longest, Interval: result.Seconds(round(float64(gaps[len(gaps)/2])/1000, 1)),
	}
	details.Route, details.Client = d.repeatedBy(cand.claims)
	cand.Details = details
	return cand, true
}

// repeatedBy returns the route of refusals, empty if they have several, and the address of
// the browser, empty if they are not all of one.
func (d *Diagnosis) repeatedBy(refusals []uint32) (route, browser string) {
	first := d.Refusals.At(int(refusals[0]))
	oneRoute, oneClient := true, isBrowser(d.State.Agents[first.Agent])
	for _, r := range d.Refusals.Of(slices.Values(refusals)) {
		oneRoute = oneRoute && r.Endpoint == first.Endpoint
		oneClient = oneClient && r.Client() == first.Client()
	}
	if oneRoute {
		route = endpointLabel(&d.State.Endpoints[first.Endpoint])
	}
	if oneClient {
		browser = d.clientSubject(first.Address).ClientAddress
	}
	return route, browser
}
