package detect

import (
	"fmt"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// endpointMisconfigured finds routes that refuse actors whose sessions are
// accepted elsewhere within the same minutes, without a sign-in between.
//
// Sign: nearly all actors that ask the route are refused, many different ones,
// from the start or from one time on. Not: an expired session (nothing is
// accepted until the next sign-in), one failing account or client (few
// actors), a route that refuses some users for good and accepts others (the
// share stays well below 1).
//
// Statistic: over time steps, distinct actors refused while alive against
// distinct actors accepted; binary segmentation finds when the share changes;
// the Poisson tail against the share of all routes, adjusted by Benjamini and
// Hochberg over the routes, says whether it is chance, Wilson's lower bound of
// the share whether it is large.
var endpointMisconfigured = Kind{
	Name:     "endpoint_misconfigured",
	Label:    "Misconfigured endpoint",
	Meaning:  "People whose sign-in is good elsewhere are refused at one endpoint.",
	Category: EndpointCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	observe:  observeEndpoints,
	inspect:  inspectEndpoints,
}

const (
	// endpointActors refused while alive are the least that tell a broken
	// route from a few unlucky visitors.
	endpointActors = 5
	// endpointShare of the actors must be refused: a misconfiguration spares
	// nobody, but edges of steps and caches blur it.
	endpointShare = 0.9
	// endpointLower bounds that share from below at 95 %.
	endpointLower = 0.6
	// endpointFalse is the share of false reports allowed over all routes.
	endpointFalse = 0.001
)

func inspectEndpoints(c *Diagnosis, seen observer) ([]candidate, error) {
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
	base := c.aliveShare()
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
		if cand, ok := c.brokenEndpoint(followed.keys[t.place], followed.cells[t.place], t.span, lower, adjusted[n]); ok {
			found = append(found, cand)
		}
	}
	return found, nil
}

// aliveShare is the share of actors refused while alive that a healthy route
// shows: the median over the routes, which a few broken ones cannot move.
func (c *Diagnosis) aliveShare() float64 {
	var shares []float64
	for i := range c.Endpoints {
		if f := &c.Endpoints[i]; c.Protected[i] && f.Actors >= minMeasured {
			shares = append(shares, float64(f.AliveActors)/float64(f.Actors))
		}
	}
	// One refusal in a hundred is the least to expect: with none seen at all,
	// a single one would be infinitely surprising.
	const least = 0.01
	if len(shares) == 0 {
		return least
	}
	slices.Sort(shares)
	return max(least, shares[(len(shares)-1)/2])
}

// minMeasured actors make a route's share one to measure by.
const minMeasured = 20

// span is a run of time steps [from, to) in which a route refuses.
type span struct {
	from, to int
	stats.Cell
	accepted bool // it accepted before
}

// refusingSpan finds the run of segments in which at least that share of the
// actors is refused; where there are several, the one with most refusals.
func refusingSpan(cells []cell, least float64) (best span, ok bool) {
	series := make([]stats.Cell, len(cells))
	for i, x := range cells {
		series[i] = stats.Cell{Hits: int64(x.refused), Trials: int64(x.refused + x.accepted)}
	}
	starts := []int{0}
	for _, ch := range stats.Segment(series) {
		starts = append(starts, ch.At)
	}
	var run *span
	accepted := int64(0)
	for n, from := range starts {
		to := len(series)
		if n+1 < len(starts) {
			to = starts[n+1]
		}
		var sum stats.Cell
		for _, x := range series[from:to] {
			sum.Merge(x)
		}
		if float64(sum.Hits) < least*float64(sum.Trials) || sum.Trials == 0 {
			run = nil
			accepted += sum.Trials - sum.Hits
			continue
		}
		if run == nil {
			run = &span{from: from, to: from, accepted: accepted > 0}
		}
		run.to = to
		run.Merge(sum)
		if !ok || run.Hits > best.Hits {
			best, ok = *run, true
		}
	}
	return best, ok
}

func (c *Diagnosis) brokenEndpoint(endpoint uint32, cells []cell, s span, lower, p float64) (candidate, bool) {
	e := &c.State.Endpoints[endpoint]
	onset, lastOK := c.onsetOf(cells, s)
	end, lastSeen := c.From+int64(s.to)*c.Width, int64(math.MinInt64)
	var cand candidate
	for i := range c.Refusals {
		x := &c.Refusals[i]
		if x.Endpoint != endpoint || !c.open(i) || !(x.Good || x.Named || x.Session) || x.Time <= lastOK {
			continue
		}
		if s.to < session.MaxSteps && x.Time >= end {
			continue
		}
		cand.claims = append(cand.claims, uint32(i))
		onset, lastSeen = min(onset, x.Time), max(lastSeen, x.Time)
	}
	actors := c.distinctActors(cand.claims)
	if actors < endpointActors {
		return cand, false
	}
	ongoing := s.to == session.MaxSteps || lastSeen >= c.To-session.Nearby
	share := float64(s.Hits) / float64(s.Trials)
	cand.Subject = result.Subject{Type: "endpoint", Host: e.Host, Method: e.Method, Route: e.Template}
	cand.Confidence = confidence(p, lower)
	cand.Severity = result.Medium
	if ongoing && (actors >= 20 || float64(actors) >= 0.05*float64(c.Actors)) {
		cand.Severity = result.High
	}
	cand.Onset = parse.NoTime
	since := "from the first line on"
	if s.accepted {
		cand.Onset = onset * 1000
		since = "since " + Clock(cand.Onset)
	}
	cand.Title = fmt.Sprintf("%s refuses %s of its signed-in users %s", endpointLabel(e), percent(share), since)
	before := "It was not accepted by anybody before."
	if s.accepted {
		before = fmt.Sprintf("Before, it accepted them; the last acceptance was at %s, the first refusal at %s.", Clock(lastOK*1000), Clock(onset*1000))
	}
	cand.Explanation = Say("%d actors were refused here while the same sessions were accepted on other routes within %d minutes before and after, without signing in again: their credentials were good. %s of the actors that asked this route were refused (at least %s with 95 %% confidence); on a healthy route it is up to %s. %s",
		actors, session.Nearby/60_000, percent(share), percent(lower), percent(c.aliveShare()), before)
	cand.Remediation = []string{
		"Look at what changed at the onset: a deploy, a reload of the proxy, a changed route.",
		"Compare the route's authentication with a route that works: nginx auth_basic, auth_request and proxy_set_header Authorization (nested locations inherit headers only when they set none), Apache AuthType, Require, AuthName and .htaccess, CGIPassAuth.",
		"For bearer tokens check audience, issuer and scope that this route demands; for API keys in headers, nginx's underscores_in_headers.",
		"Replay one of the evidence requests with a session that works elsewhere; who answers, the proxy or the application?",
	}
	cand.Exhibit = c.trend(cells)
	cand.Details = map[string]any{
		"refused_share": round(share, 4), "refused_share_low": round(lower, 4),
		"baseline_share": round(c.aliveShare(), 4), "p_value": p,
		"accepted": e.N[timeline.Accepted], "ongoing": ongoing,
	}
	if s.accepted {
		cand.Details.(map[string]any)["onset_low"] = Clock(lastOK * 1000)
		cand.Details.(map[string]any)["onset_high"] = Clock(onset * 1000)
	}
	return cand, true
}

// onsetOf finds the first refusal of a span, and the last acceptance before it:
// the least number where the route was not accepted before.
func (c *Diagnosis) onsetOf(cells []cell, s span) (onset, lastOK int64) {
	onset, lastOK = math.MaxInt64, math.MinInt64
	for i := s.from; i < s.to; i++ {
		onset = min(onset, cells[i].firstRefused)
	}
	if !s.accepted {
		return onset, lastOK
	}
	// The step before may hold the first refusals, when it holds acceptances
	// only before them.
	if b := s.from - 1; b >= 0 && cells[b].refused > 0 && cells[b].firstRefused > cells[b].lastAccepted {
		onset = min(onset, cells[b].firstRefused)
	}
	for i := range cells[:s.to] {
		if at := cells[i].lastAccepted; at < onset {
			lastOK = max(lastOK, at)
		}
	}
	return onset, lastOK
}
