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
// backend and accepted by the others, on many routes. Not: a route that is
// broken on all of them, one that only this backend serves, sessions that have
// ended (no backend accepts them).
//
// Statistic: by backend, Cochran, Mantel and Haenszel's test over the strata
// route × hour, each actor counted once in a stratum, adjusted by Benjamini and
// Hochberg; Wilson's lower bound of the share refused while it lasts; the
// change-point of that share over time (stats.Segment) is the onset.
var upstreamMisconfigured = Kind{
	Name:     "upstream_misconfigured",
	Label:    "Misconfigured backend",
	Meaning:  "One backend of several refuses what the others accept.",
	Category: UpstreamCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient, needUpstream},
	observe:  observeUpstreams,
	inspect:  inspectUpstreams,
}

const (
	// upstreamRefused 401s of good sessions make a backend worth a look.
	upstreamRefused = 10
	// upstreamShare of its requests by good sessions are refused while it lasts.
	upstreamShare = 0.6
	// upstreamLower bounds that share from below.
	upstreamLower = 0.5
	// upstreamOdds is how many times the others' odds of a refusal it must show.
	upstreamOdds = 5
	// upstreamActors distinct actors must be refused.
	upstreamActors = 4
	// upstreamFalse is the share of false reports allowed over the backends.
	upstreamFalse = 0.001
	// upstreamRoutes distinct routes must be refused: of one route alone the
	// route is the trouble.
	upstreamRoutes = 2
)

// goodAt tells whether a 401 is of a session that was good: accepted shortly
// before, and again after without a sign-in.
func goodAt(f *session.Refusal) bool { return f.Upstream != 0 && !f.SignIn && f.Alive }

// stratum is a route in an hour, at one backend.
type stratum struct {
	endpoint uint32
	hour     int32
	upstream uint16
}

type upstreamObserver struct {
	*seriesObserver
	strata map[stratum]*stats.Cell // distinct actors; hits are refused
	mine   []map[stratum]*stats.Cell
}

func observeUpstreams(c *Diagnosis) observer {
	counts := make([]int64, len(c.State.Upstreams))
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) && goodAt(f) {
			counts[f.Upstream-1]++
		}
	}
	list := worst(counts, upstreamRefused)
	if len(list) == 0 || len(c.State.Upstreams) < 2 {
		return nil
	}
	series := c.series(list, len(counts), func(e *timeline.Event) int {
		if c.Roles[e.Endpoint]&session.Guards == 0 {
			return -1
		}
		return int(e.Upstream) - 1
	}, func(e *timeline.Event) bool { return goodAt(&c.Refusals[e.Refusal]) })
	return &upstreamObserver{seriesObserver: series, strata: map[stratum]*stats.Cell{}}
}

func (o *upstreamObserver) part() func(*timeline.Actor, uint32) {
	follow := o.seriesObserver.part()
	mine := map[stratum]*stats.Cell{}
	o.mine = append(o.mine, mine)
	seen := map[stratum]uint8{}
	return func(a *timeline.Actor, id uint32) {
		follow(a, id)
		clear(seen)
		for i := range a.Events {
			e := &a.Events[i]
			good := e.Refusal != timeline.NoRefusal && goodAt(&o.Refusals[e.Refusal])
			if e.Upstream == 0 || !good && e.Outcome != timeline.Accepted || o.Roles[e.Endpoint]&session.Guards == 0 {
				continue
			}
			key := stratum{e.Endpoint, int32(e.Time / 3_600_000), e.Upstream}
			bit := uint8(1)
			if good {
				bit = 2
			}
			if seen[key]&bit != 0 {
				continue
			}
			seen[key] |= bit
			cell := mine[key]
			if cell == nil {
				cell = &stats.Cell{}
				mine[key] = cell
			}
			cell.Add(good)
		}
	}
}

func (o *upstreamObserver) gather() {
	o.seriesObserver.gather()
	for _, mine := range o.mine {
		for key, n := range mine {
			sum := o.strata[key]
			if sum == nil {
				sum = &stats.Cell{}
				o.strata[key] = sum
			}
			sum.Merge(*n)
		}
	}
	o.mine = nil
}

// against gives the strata of a backend beside the sums of all others.
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

func inspectUpstreams(c *Diagnosis, seen observer) ([]candidate, error) {
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
			if cand, ok := c.badBackend(u, o.cells[n], span, lower, adjusted[n], odds[n]); ok {
				found = append(found, cand)
			}
		}
	}
	return found, nil
}

func (c *Diagnosis) badBackend(upstream uint32, cells []cell, s span, lower, p, odds float64) (candidate, bool) {
	var cand candidate
	onset, _ := c.onsetOf(cells, s)
	// It may accept some even then: the first refusals say when it began.
	lastOK := int64(math.MinInt64)
	if s.accepted {
		lastOK = onset - 1
	}
	end := c.From + int64(s.to)*c.Width
	routes := map[uint32]bool{}
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if f.Upstream != uint16(upstream)+1 || !c.open(i) || f.SignIn || !(f.Good || f.Session) || f.Time <= lastOK || s.to < session.MaxSteps && f.Time >= end {
			continue
		}
		cand.claims = append(cand.claims, uint32(i))
		routes[f.Endpoint] = true
	}
	if len(cand.claims) < upstreamRefused || c.distinctActors(cand.claims) < upstreamActors || len(routes) < upstreamRoutes {
		return cand, false
	}
	name := c.State.Upstreams[upstream].Name
	share := float64(s.Hits) / float64(s.Trials)
	cand.Subject, cand.Onset = result.Subject{Type: "upstream", Upstream: name}, parse.NoTime
	since := "from the first line on"
	if s.accepted {
		cand.Onset = onset * 1000
		since = "since " + Clock(cand.Onset)
	}
	cand.Confidence = confidence(p, lower)
	cand.Severity = result.Medium
	if c.ongoing(cand.claims) {
		cand.Severity = result.High
	}
	others := make([]any, 0, len(c.State.Upstreams))
	for i := range c.State.Upstreams {
		if uint32(i) != upstream && len(others) < maxOthers {
			u := &c.State.Upstreams[i]
			others = append(others, fmt.Sprintf("%s: %d accepted, %d refused", u.Name, u.N[timeline.Accepted], u.N[timeline.Unauthorized]))
		}
	}
	cand.Title = fmt.Sprintf("Backend %s refuses sessions that the other backends accept, %s", name, since)
	cand.Explanation = fmt.Sprintf("%s of the actors that came to this backend with a good session were refused by it (at least %s with 95 %% confidence), on %s, while other backends accepted them on the same routes in the same hours; the odds of a refusal are %.0f times theirs. A load balancer in front hides it: the next request succeeds.",
		percent(share), percent(lower), count(len(routes), "route"), min(odds, 1e6))
	cand.Remediation = []string{
		"Take the backend out of the pool (nginx: down in its upstream line; HAProxy: disable server) until it accepts.",
		"Compare it with one that works: signing key or JWKS cache, clock (chronyc tracking), environment and secrets, version, and whether it reaches the shared session store.",
		"Sticky sessions (ip_hash, sticky cookie) would hide it for most and lock out the rest: do not use them as a cure.",
	}
	cand.Exhibit = c.backends(upstream)
	cand.Details = map[string]any{
		"refused_share": round(share, 4), "refused_share_low": round(lower, 4), "odds_ratio": round(min(odds, 1e6), 1), "p_value": p,
		"routes": len(routes), "others": others, "ongoing": c.ongoing(cand.claims),
	}
	return cand, true
}

// maxOthers is how many other backends are told beside a bad one.
const maxOthers = 10
