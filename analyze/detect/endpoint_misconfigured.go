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

// endpointMisconfigured finds routes that refuse clients whose sessions are
// accepted elsewhere within the same minutes, without a sign-in in between, or whose
// credentials, sent with each request, had been accepted before, or that are accepted elsewhere
// before and after, in other visits too, while the route accepts nobody.
//
// Sign: nearly all actors that request the route are refused, many different ones, from
// the start or from one time on; with HTTP authentication, challenges are no longer
// answered with success. Not: an expired session (nothing is accepted until
// the next sign-in), one failing account or client (few actors), a route that
// refuses some users for good and accepts others (the share stays well below 1).
//
// Statistic: over time steps, distinct actors refused while alive against distinct
// actors accepted. Binary segmentation finds when the share changes. The Poisson
// tail against the share of all routes, adjusted by Benjamini and Hochberg over the
// routes, says whether it is chance; Wilson's lower bound of the share, whether it
// is large.
var endpointMisconfigured = Kind{
	Name:     "endpoint_misconfigured",
	Label:    "Misconfigured endpoint",
	Meaning:  "One endpoint refuses people who are signed in and accepted elsewhere.",
	Category: EndpointCategory,
	Subjects: []string{"endpoint"},
	folds:    byOnset,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraSession, parse.ExtraHost, parse.ExtraUpstreamStatus},
	Details:  func() any { return new(BrokenEndpoint) },
	Title:    `{{route .Subject}} refuses {{share .Details.RefusedShare}} of its {{if not .Details.Contrast}}signed-in {{end}}clients {{since .Onset}}`,
	Explanation: `{{with .Details}}
		{{if .Contrast}}{{plural .Contrast "client was" "clients were"}} refused here in a period in which the rest of the host accepted its clients.
		{{share .RefusedShare}} of the visits to this route were refused (at least {{share .RefusedLow}} with 95% confidence); at other times, and on the rest of the host, it is at most {{share .Baseline}}.
		{{else}}{{if .Routes}}{{count .Routes "route"}} of this form {{if eq .Routes 1}}is{{else}}are{{end}} affected.{{end}}
		{{if .Alive}}{{plural .Alive "client was" "clients were"}} refused here while the same sessions were accepted on other routes within {{duration .Nearby}} before and after, without a new sign-in. Their credentials were good.{{end}}
		{{if .Proven}}{{plural .Proven "client" "clients"}} that {{if eq .Proven 1}}sends{{else}}send{{end}} a user name and password with each request, which had been accepted before, {{if eq .Proven 1}}was{{else}}were{{end}} refused.{{end}}
		{{if .Returned}}{{plural .Returned "client was" "clients were"}} refused here while the same session or user was accepted on other routes before and after, in other visits too, without a new sign-in.{{end}}
		{{if .Denied}}For {{count .Denied "request"}}, the server's log states that the credentials were good and that an access control list, a permission of the file system or a filter denied access.{{end}}
		{{share .RefusedShare}} of the clients that requested this route were refused (at least {{share .RefusedLow}} with 95% confidence); on a typical route it is at most {{share .Baseline}}.
		{{if .OnsetLow}}The route last accepted a request at {{time .OnsetLow}} and refused the first one at {{time .OnsetHigh}}.{{else}}The log shows no time at which it worked.{{end}}{{end}}
		{{if .Ongoing}}It still fails at the end of the log.{{else}}It stopped before the end of the log.{{end}}{{end}}`,
	Remedy: []string{
		`{{if .Details.Denied}}Compare the permissions of this resource with those of one that works: the access control list (ACL) of the folder (IIS 401.3), authorization rules, scopes.{{end}}`,
		`{{if .Details.Proven}}Check whether the header Authorization still reaches the server that verifies it.{{end}}`,
		`{{with .Details.OnsetHigh}}Check what changed at {{time .}}{{else}}Check what changed before the start of the log{{end}}: a deploy, a reload of the proxy, a changed route.`,
		`Compare the route's authentication settings with those of a route that works. nginx: auth_basic, auth_request, proxy_set_header Authorization (a nested location inherits proxy_set_header only if it sets none itself). Apache: AuthType, AuthName, Require, .htaccess, CGIPassAuth.`,
		`For bearer tokens, check the audience, issuer and scope that this route requires. For API keys in a header, check nginx's underscores_in_headers.`,
		`Replay one of the evidence requests with a session that works elsewhere, and check whether the 401 comes from the proxy or from the application.`,
	},
	observe: observeEndpoints,
	inspect: inspectEndpoints,
	rest:    restOfEndpoints,
}

// BrokenEndpoint is the details of an endpoint_misconfigured finding.
type BrokenEndpoint struct {
	Routes       int                `json:"routes,omitempty"`                                              // of an area, that refused clients; 0 for a single endpoint
	Alive        int64              `json:"-"`                                                             // actors refused while accepted elsewhere
	Proven       int64              `json:"-"`                                                             // actors refused whose credentials had been accepted before
	Returned     int64              `json:"-"`                                                             // actors refused that were accepted elsewhere before and after, in other visits
	Failures     int64              `json:"failures,omitempty" label:"requests that could not be checked"` // as the error log says; then nothing else is known
	Code         string             `json:"code,omitempty" label:"message"`
	Opened       int                `json:"opened,omitempty" label:"clients whose links had been opened"`
	OpenedWithin result.Seconds     `json:"opened_within_seconds,omitempty" label:"links opened within"`
	Heads        int                `json:"heads_refused,omitempty" label:"clients that HEAD refused"` // and GET is open
	HeadsByGET   int                `json:"heads_accepted_by_get,omitempty" label:"of them accepted by GET"`
	Vain         int64              `json:"renewed_in_vain,omitempty"`                           // new tokens that are refused here
	Denied       int64              `json:"denied,omitempty" label:"denied to good credentials"` // requests
	Nearby       result.Seconds     `json:"-"`                                                   // session.Nearby
	Contrast     int                `json:"-"`                                                   // clients refused, if it was found by contrast with other times and routes
	RefusedShare result.Share       `json:"refused_share"`
	RefusedLow   result.Share       `json:"refused_share_low" label:"refused share (at least)"` // 95% bound
	Baseline     result.Share       `json:"baseline_share"`                                     // of a typical route
	PValue       result.Probability `json:"p_value"`
	Accepted     int64              `json:"accepted"` // requests in the whole log
	Ongoing      bool               `json:"ongoing"`  // at the end of the log
	// OnsetLow is the last acceptance before the onset, OnsetHigh the first
	// refusal; nil if the route was never accepted before.
	OnsetLow  *result.Time `json:"onset_low,omitempty" label:"onset (earliest)"`
	OnsetHigh *result.Time `json:"onset_high,omitempty" label:"onset (latest)"`
}

const (
	// endpointActors is the minimum number of actors refused with good credentials:
	// fewer may be a few unlucky visitors, unless they are at least endpointFew and
	// refused routeCertain times without an acceptance.
	endpointActors = 5
	endpointFew    = 2
	// endpointShare is the minimum share of actors refused: a misconfiguration
	// affects everybody, but caches and the edges of steps blur it.
	endpointShare = 0.9
	// endpointLower is the minimum of the 95% lower bound of that share.
	endpointLower = 0.6
	// endpointFalse is the accepted rate of false reports over all routes.
	endpointFalse = 0.001
	// minMeasured is the minimum number of actors of a route that is part of the
	// baseline.
	minMeasured = 20
)

// endpointObserver follows endpoints and areas of them over time. A request takes constant
// time: its endpoint is in at most one area of each form.
type endpointObserver struct {
	d       *Diagnosis
	members [][]uint32 // by key: the endpoints, ascending
	keys    *keySets   // of endpoints
	cells   [][]cell   // by key and step
	parts   []*acceptances
	links   *linkObserver // nil if no route may take one-time links
	heads   *headObserver // nil if no route refuses HEAD alone
}

// observeEndpoints follows the endpoints and areas that refused enough actors with good
// credentials, routes that may take one-time links, and those that refuse HEAD alone.
func observeEndpoints(d *Diagnosis) observer {
	counts := make([]int64, len(d.Endpoints))
	for i := range d.Endpoints {
		counts[i] = d.Endpoints[i].AliveActors
	}
	o := &endpointObserver{d: d, links: observeLinks(d), heads: observeHeads(d)}
	for _, endpoint := range topKeys(counts, endpointFew) {
		o.members = append(o.members, []uint32{endpoint})
	}
	for i := range counts {
		if d.State.Endpoints[i].Method == "OPTIONS" {
			counts[i] = 0 // refused preflights of many routes are told as such: see corsPreflight
		}
	}
	for _, form := range areaForms {
		o.members = append(o.members, areasOf(d, form, counts, endpointActors)...)
	}
	if len(o.members) == 0 && o.links == nil && o.heads == nil {
		return nil
	}
	o.keys = keySetsOf(len(counts), o.members)
	return o
}

func (o *endpointObserver) part() func(*timeline.Actor, uint32) {
	counts := o.d.newAcceptances(o.keys, len(o.members), 0)
	o.parts = append(o.parts, &counts)
	open, ask := func(*timeline.Actor) {}, func(*timeline.Actor, uint32) {}
	if o.links != nil {
		open = o.links.part()
	}
	if o.heads != nil {
		ask = o.heads.part()
	}
	return func(a *timeline.Actor, id uint32) {
		open(a)
		ask(a, id)
		for i := range a.Events {
			e := &a.Events[i]
			switch set := counts.of[e.Endpoint] - 1; {
			case set < 0:
			case e.Outcome == timeline.Accepted || posted(o.d, e):
				counts.accept(e.Endpoint, id, -1, e.Time)
			case e.Refusal != timeline.NoRefusal && goodElsewhere(o.d.Refusals.At(int(e.Refusal))):
				for _, key := range counts.sets[set] {
					counts.refuse(key, id, e.Time)
				}
			}
		}
	}
}

func (o *endpointObserver) gather() {
	o.cells, o.parts = cellsOf(o.parts), nil
	if o.links != nil {
		o.links.gather()
	}
	if o.heads != nil {
		o.heads.gather()
	}
}

// goodElsewhere reports whether a refused request had credentials that were accepted
// elsewhere or before.
func goodElsewhere(r *session.Refusal) bool { return r.Alive || r.Proven || r.Returned }

func inspectEndpoints(d *Diagnosis, seen observer) ([]candidate, error) {
	// A path that refuses everybody is not so many routes.
	found := append(d.contrastingEndpoints([]contrastType{pathContrast}, []bool{true}), d.vainRoutes()...)
	if seen == nil {
		return found, nil
	}
	type tested struct {
		members []uint32
		cells   []cell
		span    span
	}
	var tests []tested
	var p []float64
	base := aliveShare(d)
	o := seen.(*endpointObserver)
	found = append(append(found, d.openedLinks(o.links)...), d.closedHeads(o.heads)...)
	legs := d.legsOfClosed()
	for n, cells := range o.cells {
		s, ok := refusingSpan(cells, endpointShare)
		if !ok || asks(o.members[n], legs) {
			continue
		}
		tests = append(tests, tested{o.members[n], cells, s})
		p = append(p, stats.PoissonTail(s.Hits, float64(s.Trials)*base))
	}
	adjusted := stats.BenjaminiHochberg(p)
	for n, t := range tests {
		lower := stats.WilsonLower(t.span.Hits, t.span.Trials, stats.Z95)
		if adjusted[n] > endpointFalse || lower < endpointLower {
			continue
		}
		if cand, ok := brokenEndpoint(d, t.members, t.cells, t.span, lower, adjusted[n]); ok {
			found = append(found, cand)
		}
	}
	return found, nil
}

// legsOfClosed returns, of endpoints that accept nobody, the refusals that are first legs
// of handshakes, less the others that nothing explains.
func (d *Diagnosis) legsOfClosed() map[uint32]int {
	legs := map[uint32]int{}
	for i, r := range d.Refusals.All() {
		if r.Actor != 0 && d.State.Endpoints[r.Endpoint].N[timeline.Accepted] == 0 {
			switch {
			case r.Cause == session.Challenge:
				legs[r.Endpoint]++
			case d.open(i):
				legs[r.Endpoint]--
			}
		}
	}
	return legs
}

// asks reports whether a route, or routes together, only ask for credentials that are used
// elsewhere, as /v2/ of a registry does, or with which nothing is found: most of their
// refusals are first legs of handshakes.
func asks(members []uint32, legs map[uint32]int) bool {
	n := 0
	for _, endpoint := range members {
		n += legs[endpoint]
	}
	return n > 0
}

// aliveShare returns the share of actors that a healthy route refuses while they
// are alive: the median over the routes, which a few broken ones do not move.
func aliveShare(d *Diagnosis) float64 {
	var shares []float64
	for i := range d.Endpoints {
		if e := &d.Endpoints[i]; d.Protected[i] && e.Actors >= minMeasured {
			shares = append(shares, float64(e.AliveActors)/float64(e.Actors))
		}
	}
	// At least one in a hundred: with a share of 0, a single refusal would be
	// infinitely surprising.
	const least = 0.01
	if len(shares) == 0 {
		return least
	}
	// At most three in ten: if most routes are broken, their median is no baseline.
	const most = 0.3
	slices.Sort(shares)
	return min(max(least, shares[(len(shares)-1)/2]), most)
}

// brokenEndpoint returns the finding of an endpoint or area.
func brokenEndpoint(d *Diagnosis, members []uint32, cells []cell, s span, lower, p float64) (candidate, bool) {
	onset, lastAccepted := d.onsetOf(cells, s)
	end, lastSeen := d.From+int64(s.to)*d.Width, int64(math.MinInt64)
	var cand candidate
	for i, r := range d.Refusals.All() {
		if _, in := slices.BinarySearch(members, r.Endpoint); !in || !d.open(i) || !(r.Good || r.Named || r.Session) || r.Time <= lastAccepted {
			continue
		}
		if s.to < session.MaxSteps && r.Time >= end {
			continue
		}
		cand.claims = append(cand.claims, uint32(i))
		onset, lastSeen = min(onset, r.Time), max(lastSeen, r.Time)
	}
	actors := distinctActors(d, cand.claims)
	few := actors < endpointActors
	if actors < endpointFew || few && (s.Hits < s.Trials || len(cand.claims) < routeCertain) {
		return cand, false
	}
	ongoing := s.to == session.MaxSteps || lastSeen >= d.To-session.Nearby
	cand.Onset = parse.NoTime
	cand.Confidence = confidence(p, lower)
	cand.Severity = result.Medium
	switch {
	case few:
		cand.Severity = result.Low
	case ongoing && (actors >= 20 || float64(actors) >= 0.05*float64(d.Actors)):
		cand.Severity = result.High
	}
	details := &BrokenEndpoint{
		Nearby:       session.Nearby / 1000,
		RefusedShare: result.Share(round(float64(s.Hits)/float64(s.Trials), 4)), RefusedLow: result.Share(round(lower, 4)),
		Baseline: result.Share(round(aliveShare(d), 4)), PValue: result.Probability(p),
		Ongoing: ongoing,
	}
	cand.Subject, details.Routes = areaSubject(d, members, cand.claims)
	for _, n := range members {
		details.Accepted += d.State.Endpoints[n].N[timeline.Accepted]
	}
	details.count(d, cand.claims)
	if s.accepted {
		cand.Onset = onset * 1000
		low, high := result.Time(lastAccepted*1000), result.Time(cand.Onset)
		details.OnsetLow, details.OnsetHigh = &low, &high
	}
	cand.Exhibit, cand.Details = d.actorTrend(cells), details
	return cand, true
}

// count counts the actors and requests of the claims by what shows that their
// credentials were good.
func (b *BrokenEndpoint) count(d *Diagnosis, claims []uint32) {
	var alive, proven, returned []uint32
	for i, r := range d.Refusals.Of(slices.Values(claims)) {
		switch {
		case r.Denied:
			b.Denied++
		case r.Proven && !r.Alive:
			proven = append(proven, i)
		case r.Returned && !r.Alive:
			returned = append(returned, i)
		default:
			alive = append(alive, i)
		}
	}
	b.Alive, b.Proven, b.Returned = distinctActors(d, alive), distinctActors(d, proven), distinctActors(d, returned)
}

// areaSubject returns the subject of an endpoint or area, and how many routes of an
// area the claims are about, 0 if it is one.
func areaSubject(d *Diagnosis, members, claims []uint32) (result.Subject, int) {
	refused := map[uint32]bool{}
	for _, r := range d.Refusals.Of(slices.Values(claims)) {
		refused[r.Endpoint] = true
	}
	var templates []string
	var last uint32
	for _, n := range members {
		if refused[n] {
			templates, last = append(templates, d.State.Endpoints[n].Template), n
		}
	}
	subject := endpointSubject(&d.State.Endpoints[last])
	if len(templates) < 2 {
		return subject, 0
	}
	subject.Route = commonRoute(templates)
	return subject, len(templates)
}
