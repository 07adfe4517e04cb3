package detect

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// upstreamMisconfigured finds a backend that refuses what the others accept.
//
// Sign: on the same routes in the same hours, good sessions are refused by one
// backend and accepted by the others, on many routes. Not: a route that is broken
// on all of them, one that only this backend serves, sessions that have ended (no
// backend accepts them).
//
// Statistic: by backend, Cochran, Mantel and Haenszel's test over the strata route
// × hour, each actor counted once per stratum, adjusted by Benjamini and Hochberg;
// Wilson's lower bound of the share refused while it lasts; the change-point of
// that share over time (stats.Segment) is the onset.
var upstreamMisconfigured = Kind{
	Name:     "upstream_misconfigured",
	Label:    "Misconfigured backend",
	Meaning:  "One backend of several refuses what the others accept.",
	Category: UpstreamCategory,
	Subjects: []string{"upstream"},
	Needs:    []string{needTime, needStatus, needPath, needClient, needUpstream},
	Uses:     []parse.Extra{parse.ExtraUpstream, parse.ExtraUpstreamStatus},
	Details:  func() any { return new(BadUpstream) },
	Title:    `Backend {{.Subject.Upstream}} refuses sessions that the other backends accept, {{since .Onset}}`,
	Explanation: `{{with .Details}}
		{{share .RefusedShare}} of the clients that reached this backend with a good session were refused (at least {{share .RefusedLow}} with 95% confidence), on {{count .Routes "route"}}.
		Other backends accepted clients on the same routes in the same hours{{if lt .OddsRatio 1000.0}}: the odds of a refusal are {{fixed 0 .OddsRatio}} times as high here{{else}} and refused next to none{{end}}.
		Users see it only some of the time, because their next request may reach another backend and succeed.
		{{if .Ongoing}}It still fails at the end of the log.{{else}}It stopped before the end of the log.{{end}}{{end}}`,
	Remedy: []string{
		`Take the backend out of the pool until it accepts sessions again (nginx: down on its server line in the upstream block; HAProxy: disable server).`,
		`Compare it with a backend that works: signing key or JWKS cache, clock (chronyc tracking), environment and secrets, version, and access to the shared session store.`,
		`Do not use sticky sessions (ip_hash, sticky cookie) as a cure: they hide the fault from most clients and lock out the rest.`,
	},
	observe: observeUpstreams,
	inspect: inspectUpstreams,
	rest:    restOfUpstreams,
}

// BadUpstream is the details of an upstream_misconfigured finding.
type BadUpstream struct {
	RefusedShare result.Share       `json:"refused_share"`
	RefusedLow   result.Share       `json:"refused_share_low" label:"refused share (at least)"` // 95% bound
	OddsRatio    float64            `json:"odds_ratio"`                                         // at most a million
	PValue       result.Probability `json:"p_value"`
	Routes       int                `json:"routes"`  // that refused
	Others       []string           `json:"others"`  // the other backends with their counts
	Ongoing      bool               `json:"ongoing"` // at the end of the log
}

const (
	// upstreamRefused is the minimum number of refusals of good sessions.
	upstreamRefused = 10
	// upstreamShare is the minimum share of actors with good sessions that are
	// refused while it lasts.
	upstreamShare = 0.6
	// upstreamLower is the minimum of the lower bound of that share.
	upstreamLower = 0.5
	// upstreamOdds is the minimum odds ratio of a refusal against the others.
	upstreamOdds = 5
	// upstreamActors is the minimum number of distinct actors refused.
	upstreamActors = 4
	// upstreamFalse is the accepted rate of false reports over the backends.
	upstreamFalse = 0.001
	// upstreamRoutes is the minimum number of distinct routes that refuse: if there
	// is only one, the route is at fault.
	upstreamRoutes = 2
	// maxOthers is the maximum number of other backends in the details.
	maxOthers = 10
)

// goodSession reports whether a refused session was good: accepted shortly before,
// and again after without a sign-in.
func goodSession(r *session.Refusal) bool { return r.Upstream != 0 && !r.SignIn && r.Alive }

// stratum is a route in an hour, at one backend.
type stratum struct {
	endpoint uint32
	hour     int32
	upstream uint16
}

// upstreamObserver follows the backends over time, and counts actors by stratum.
type upstreamObserver struct {
	*seriesObserver
	strata      map[stratum]*stats.Cell // distinct actors; hits are refused
	strataParts []map[stratum]*stats.Cell
}

func observeUpstreams(d *Diagnosis) observer {
	counts := make([]int64, len(d.State.Upstreams))
	for i := range d.Refusals {
		if r := &d.Refusals[i]; d.open(i) && goodSession(r) {
			counts[r.Upstream-1]++
		}
	}
	list := topKeys(counts, upstreamRefused)
	if len(list) == 0 || len(d.State.Upstreams) < 2 {
		return nil
	}
	series := d.series(list, len(counts), func(e *timeline.Event) int {
		if d.Roles[e.Endpoint]&session.Guards == 0 {
			return -1
		}
		return int(e.Upstream) - 1
	}, func(e *timeline.Event) bool { return goodSession(&d.Refusals[e.Refusal]) })
	return &upstreamObserver{seriesObserver: series, strata: map[stratum]*stats.Cell{}}
}

func (o *upstreamObserver) part() func(*timeline.Actor, uint32) {
	follow := o.seriesObserver.part()
	cells := map[stratum]*stats.Cell{}
	o.strataParts = append(o.strataParts, cells)
	seen := map[stratum]uint8{} // of the actor: 1 accepted, 2 refused
	return func(a *timeline.Actor, id uint32) {
		follow(a, id)
		clear(seen)
		for i := range a.Events {
			e := &a.Events[i]
			refused := e.Refusal != timeline.NoRefusal && goodSession(&o.Refusals[e.Refusal])
			if e.Upstream == 0 || !refused && e.Outcome != timeline.Accepted || o.Roles[e.Endpoint]&session.Guards == 0 {
				continue
			}
			key := stratum{e.Endpoint, int32(e.Time / 3_600_000), e.Upstream}
			bit := uint8(1)
			if refused {
				bit = 2
			}
			if seen[key]&bit != 0 {
				continue
			}
			seen[key] |= bit
			cell := cells[key]
			if cell == nil {
				cell = &stats.Cell{}
				cells[key] = cell
			}
			cell.Add(refused)
		}
	}
}

func (o *upstreamObserver) gather() {
	o.seriesObserver.gather()
	for _, cells := range o.strataParts {
		for key, n := range cells {
			sum := o.strata[key]
			if sum == nil {
				sum = &stats.Cell{}
				o.strata[key] = sum
			}
			sum.Merge(*n)
		}
	}
	o.strataParts = nil
}

// against returns the strata of a backend, with the sums of all others.
func (o *upstreamObserver) against(upstream uint16) []stats.Stratum {
	keys := make([]stratum, 0, len(o.strata))
	for key := range o.strata {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b stratum) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.hour, b.hour), cmp.Compare(a.upstream, b.upstream))
	})
	var list []stats.Stratum
	for i, key := range keys {
		if i == 0 || keys[i-1].endpoint != key.endpoint || keys[i-1].hour != key.hour {
			list = append(list, stats.Stratum{})
		}
		s, n := &list[len(list)-1], o.strata[key]
		side := &s.Others
		if key.upstream == upstream {
			side = &s.Group
		}
		side.Merge(*n)
	}
	return list
}

func inspectUpstreams(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*upstreamObserver)
	p, odds := make([]float64, len(o.keys)), make([]float64, len(o.keys))
	for n, u := range o.keys {
		p[n], odds[n] = stats.CochranMantelHaenszel(o.against(uint16(u) + 1))
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n, u := range o.keys {
		span, ok := refusingSpan(o.cells[n], upstreamShare)
		if !ok || adjusted[n] > upstreamFalse || odds[n] < upstreamOdds {
			continue
		}
		if lower := stats.WilsonLower(span.Hits, span.Trials, stats.Z95); lower >= upstreamLower {
			if cand, ok := d.badUpstream(u, o.cells[n], span, lower, adjusted[n], odds[n]); ok {
				found = append(found, cand)
			}
		}
	}
	return found, nil
}

func (d *Diagnosis) badUpstream(upstream uint32, cells []cell, s span, lower, p, odds float64) (candidate, bool) {
	var cand candidate
	onset, _ := d.onsetOf(cells, s)
	// The backend may accept some requests while it is faulty, so the onset is the
	// first refusal rather than the last acceptance.
	start := int64(math.MinInt64)
	if s.accepted {
		start = onset
	}
	end := d.From + int64(s.to)*d.Width
	routes := map[uint32]bool{}
	for i := range d.Refusals {
		r := &d.Refusals[i]
		if r.Upstream != uint16(upstream)+1 || !d.open(i) || r.SignIn || !(r.Good || r.Session) || r.Time < start || s.to < session.MaxSteps && r.Time >= end {
			continue
		}
		cand.claims = append(cand.claims, uint32(i))
		routes[r.Endpoint] = true
	}
	if len(cand.claims) < upstreamRefused || distinctActors(d, cand.claims) < upstreamActors || len(routes) < upstreamRoutes {
		return cand, false
	}
	cand.Subject, cand.Onset = result.Subject{Type: "upstream", Upstream: d.State.Upstreams[upstream].Name}, parse.NoTime
	if s.accepted {
		cand.Onset = onset * 1000
	}
	cand.Confidence = confidence(p, lower)
	cand.Severity = result.Medium
	ongoing := d.ongoing(cand.claims)
	if ongoing {
		cand.Severity = result.High
	}
	cand.Exhibit = d.byUpstream(upstream)
	cand.Details = &BadUpstream{
		RefusedShare: result.Share(round(float64(s.Hits)/float64(s.Trials), 4)), RefusedLow: result.Share(round(lower, 4)),
		OddsRatio: round(min(odds, 1e6), 1), PValue: result.Probability(p),
		Routes: len(routes), Others: otherUpstreams(d, upstream), Ongoing: ongoing,
	}
	return cand, true
}

// otherUpstreams returns the other backends with their counts, at most maxOthers.
func otherUpstreams(d *Diagnosis, upstream uint32) (others []string) {
	for i := range d.State.Upstreams {
		if u := &d.State.Upstreams[i]; uint32(i) != upstream && len(others) < maxOthers {
			others = append(others, fmt.Sprintf("%s: %d accepted, %d refused", u.Name, u.N[timeline.Accepted], u.N[timeline.Unauthorized]))
		}
	}
	return others
}
