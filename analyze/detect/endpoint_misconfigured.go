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
// accepted elsewhere within the same minutes, without a sign-in in between.
//
// Sign: nearly all actors that request the route are refused, many different ones, from
// the start or from one time on. Not: an expired session (nothing is accepted until
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
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraSession, parse.ExtraHost, parse.ExtraUpstreamStatus},
	Details:  func() any { return new(BrokenEndpoint) },
	Title:    `{{route .Subject}} refuses {{share .Details.RefusedShare}} of its signed-in clients {{since .Onset}}`,
	Explanation: `{{with .Details}}
		{{if .Contrast}}{{plural .Actors "client was" "clients were"}} refused here in a period in which the rest of the host accepted its clients.
		{{share .RefusedShare}} of the visits to this route were refused (at least {{share .RefusedLow}} with 95% confidence); at other times, and on the rest of the host, it is at most {{share .Baseline}}.
		{{else}}{{plural .Actors "client was" "clients were"}} refused here while the same sessions were accepted on other routes within {{duration .Nearby}} before and after, without a new sign-in. Their credentials were good.
		{{share .RefusedShare}} of the clients that requested this route were refused (at least {{share .RefusedLow}} with 95% confidence); on a typical route it is at most {{share .Baseline}}.
		{{if .OnsetLow}}The route last accepted a request at {{time .OnsetLow}} and refused the first one at {{time .OnsetHigh}}.{{else}}The log shows no time at which it worked.{{end}}{{end}}
		{{if .Ongoing}}It still fails at the end of the log.{{else}}It stopped before the end of the log.{{end}}{{end}}`,
	Remedy: []string{
		`{{with .Details.OnsetHigh}}Check what changed at {{time .}}{{else}}Check what changed before the start of the log{{end}}: a deploy, a reload of the proxy, a changed route.`,
		`Compare the route's authentication settings with those of a route that works. nginx: auth_basic, auth_request, proxy_set_header Authorization (a nested location inherits proxy_set_header only if it sets none itself). Apache: AuthType, AuthName, Require, .htaccess, CGIPassAuth. IIS: the access control list of the files (substatus 401.3).`,
		`For bearer tokens, check the audience, issuer and scope that this route requires. For API keys in a header, check nginx's underscores_in_headers.`,
		`Replay one of the evidence requests with a session that works elsewhere, and check whether the 401 comes from the proxy or from the application.`,
	},
	observe: observeEndpoints,
	inspect: inspectEndpoints,
	rest:    restOfEndpoints,
}

// BrokenEndpoint is the details of an endpoint_misconfigured finding.
type BrokenEndpoint struct {
	Actors       int64              `json:"-"` // refused
	Nearby       result.Seconds     `json:"-"` // session.Nearby
	Contrast     bool               `json:"-"` // found by contrast with other times and routes
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
	// endpointActors is the minimum number of actors refused while alive: fewer may
	// be a few unlucky visitors, unless they are at least endpointFew and refused
	// routeCertain times without an acceptance.
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

// observeEndpoints follows the endpoints that refused enough actors while their
// sessions were alive.
func observeEndpoints(d *Diagnosis) observer {
	counts := make([]int64, len(d.Endpoints))
	for i := range d.Endpoints {
		counts[i] = d.Endpoints[i].AliveActors
	}
	list := topKeys(counts, endpointFew)
	if len(list) == 0 {
		return nil
	}
	return d.series(list, len(counts), endpointOf, func(e *timeline.Event) bool { return d.Refusals[e.Refusal].Alive })
}

func inspectEndpoints(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	followed := seen.(*seriesObserver)
	type tested struct {
		place int
		span  span
	}
	var tests []tested
	var p []float64
	base := aliveShare(d)
	for n := range followed.keys {
		s, ok := refusingSpan(followed.cells[n], endpointShare)
		if !ok {
			continue
		}
		tests = append(tests, tested{n, s})
		p = append(p, stats.PoissonTail(s.Hits, float64(s.Trials)*base))
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n, t := range tests {
		lower := stats.WilsonLower(t.span.Hits, t.span.Trials, stats.Z95)
		if adjusted[n] > endpointFalse || lower < endpointLower {
			continue
		}
		if cand, ok := brokenEndpoint(d, followed.keys[t.place], followed.cells[t.place], t.span, lower, adjusted[n]); ok {
			found = append(found, cand)
		}
	}
	return found, nil
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
	slices.Sort(shares)
	return max(least, shares[(len(shares)-1)/2])
}

func brokenEndpoint(d *Diagnosis, endpoint uint32, cells []cell, s span, lower, p float64) (candidate, bool) {
	e := &d.State.Endpoints[endpoint]
	onset, lastAccepted := d.onsetOf(cells, s)
	end, lastSeen := d.From+int64(s.to)*d.Width, int64(math.MinInt64)
	var cand candidate
	for i := range d.Refusals {
		r := &d.Refusals[i]
		if r.Endpoint != endpoint || !d.open(i) || !(r.Good || r.Named || r.Session) || r.Time <= lastAccepted {
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
	cand.Subject, cand.Onset = endpointSubject(e), parse.NoTime
	cand.Confidence = confidence(p, lower)
	cand.Severity = result.Medium
	switch {
	case few:
		cand.Severity = result.Low
	case ongoing && (actors >= 20 || float64(actors) >= 0.05*float64(d.Actors)):
		cand.Severity = result.High
	}
	details := &BrokenEndpoint{
		Actors: actors, Nearby: session.Nearby / 1000,
		RefusedShare: result.Share(round(float64(s.Hits)/float64(s.Trials), 4)), RefusedLow: result.Share(round(lower, 4)),
		Baseline: result.Share(round(aliveShare(d), 4)), PValue: result.Probability(p),
		Accepted: e.N[timeline.Accepted], Ongoing: ongoing,
	}
	if s.accepted {
		cand.Onset = onset * 1000
		low, high := result.Time(lastAccepted*1000), result.Time(cand.Onset)
		details.OnsetLow, details.OnsetHigh = &low, &high
	}
	cand.Exhibit, cand.Details = d.actorTrend(cells), details
	return cand, true
}
