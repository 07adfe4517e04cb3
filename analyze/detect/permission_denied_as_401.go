package detect

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// permissionDenied finds routes that answer 401 to those who may not ask them,
// where 403 is meant.
//
// Sign: the same actors are refused whenever they ask, others are accepted
// whenever they ask, at the same times, and all of them are accepted on other
// routes. Not: a broken route (everybody is refused, or was from one time on), a
// bad backend (the same actors are refused now and accepted then).
//
// Statistic: actors that asked the route at least twice are all of one kind, or
// mixed. Were each request refused by the common share, the number of mixed ones
// would be binomial about its expectation: the lower tail, by the normal
// approximation of the Poisson-binomial sum (Le Cam, Pacific Journal of
// Mathematics 10, 1960), adjusted by Benjamini and Hochberg over the routes.
var permissionDenied = Kind{
	Name:     "permission_denied_as_401",
	Label:    "Missing permission",
	Meaning:  "Signed-in users without permission get 401 where 403 is meant.",
	Category: EndpointCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	observe:  observePermissions,
	inspect:  inspectPermissions,
}

const (
	// permissionActors of either kind are the least.
	permissionActors = 4
	// permissionMixed is the most that may be mixed, of those who asked more
	// than once: a right that was granted or taken away within the day.
	permissionMixed = 0.15
	// permissionOverlap is the share of the refusals that must lie between
	// acceptances of others, and the other way round: it is no change in time.
	permissionOverlap = 0.7
	// permissionFalse is the share of false reports allowed over the routes.
	permissionFalse = 0.001
)

// verdictCount is how one actor fared on one route.
type verdictCount struct {
	place             int32
	who               uint64 // user plus one, or the actor's id where no user is known
	accepted, refused int32
	first, last       int64 // Unix milliseconds
}

// permissionObserver collects how actors fared on routes.
type permissionObserver struct {
	*Diagnosis
	keys   []uint32
	place  []int32 // by endpoint, plus one
	counts [][]verdictCount
	mine   [][]verdictCount
}

func observePermissions(c *Diagnosis) observer {
	counts := make([]int64, len(c.Endpoints))
	for i := range c.Endpoints {
		if c.State.Endpoints[i].N[timeline.Accepted] > 0 {
			counts[i] = c.Endpoints[i].AliveActors
		}
	}
	list := worst(counts, permissionActors)
	if len(list) == 0 {
		return nil
	}
	return &permissionObserver{Diagnosis: c, keys: list, place: places(list, len(counts))}
}

func (o *permissionObserver) part() func(*timeline.Actor, uint32) {
	n := len(o.mine)
	o.mine = append(o.mine, nil)
	return func(a *timeline.Actor, id uint32) {
		user, from := uint32(0), len(o.mine[n])
		for i := range a.Events {
			e := &a.Events[i]
			if e.User != 0 {
				user = e.User
			}
			place := o.place[e.Endpoint] - 1
			refused := e.Refusal != timeline.NoRefusal
			if place < 0 || !refused && e.Outcome != timeline.Accepted || refused && !o.Refusals[e.Refusal].Good {
				continue
			}
			list := o.mine[n]
			at := from
			for at < len(list) && list[at].place != place {
				at++
			}
			if at == len(list) {
				list = append(list, verdictCount{place: place, who: uint64(id) << 32, first: e.Time, last: e.Time})
			}
			x := &list[at]
			if user != 0 {
				x.who = uint64(user)
			}
			x.first, x.last = min(x.first, e.Time), max(x.last, e.Time)
			if refused {
				x.refused++
			} else {
				x.accepted++
			}
			o.mine[n] = list
		}
	}
}

func (o *permissionObserver) gather() {
	o.counts = make([][]verdictCount, len(o.keys))
	for _, mine := range o.mine {
		for _, x := range mine {
			o.counts[x.place] = append(o.counts[x.place], x)
		}
	}
	o.mine = nil
	for place, list := range o.counts {
		// One user may have had several sessions.
		slices.SortFunc(list, func(a, b verdictCount) int {
			return cmp.Or(cmp.Compare(a.who, b.who), cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last),
				cmp.Compare(a.accepted, b.accepted), cmp.Compare(a.refused, b.refused))
		})
		merged := list[:0]
		for _, x := range list {
			if n := len(merged); n > 0 && merged[n-1].who == x.who {
				y := &merged[n-1]
				y.accepted += x.accepted
				y.refused += x.refused
				y.first, y.last = min(y.first, x.first), max(y.last, x.last)
			} else {
				merged = append(merged, x)
			}
		}
		// Who is who does not matter from here on, and where no user is known it is
		// by a hash that is seeded anew each run.
		slices.SortFunc(merged, func(a, b verdictCount) int {
			return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last),
				cmp.Compare(a.accepted, b.accepted), cmp.Compare(a.refused, b.refused))
		})
		o.counts[place] = merged
	}
}

// bimodal is how the actors of a route divide.
type bimodal struct {
	accepted, refused int // actors that are always one of them
	mixed             int
	p                 float64
}

// divide tests whether actors are of two kinds.
func divide(list []verdictCount) (b bimodal) {
	var k, n float64
	for _, x := range list {
		k += float64(x.refused)
		n += float64(x.refused + x.accepted)
	}
	share := k / max(n, 1)
	var expected, variance float64
	for _, x := range list {
		switch {
		case x.accepted > 0 && x.refused > 0:
			b.mixed++
		case x.refused > 0:
			b.refused++
		default:
			b.accepted++
		}
		m := float64(x.accepted + x.refused)
		mixed := 1 - math.Pow(share, m) - math.Pow(1-share, m)
		expected += mixed
		variance += mixed * (1 - mixed)
	}
	b.p = 1
	if variance > 0 && float64(b.mixed) < expected {
		z := (expected - float64(b.mixed) - 0.5) / math.Sqrt(variance)
		if z > 0 {
			b.p = math.Erfc(z/math.Sqrt2) / 2
		}
	}
	return b
}

// interleaved tells whether refusals and acceptances lie among each other in
// time, by the actors' spans.
func interleaved(list []verdictCount) bool {
	var accepted, refused [2]int64 // first and last
	accepted[0], refused[0] = math.MaxInt64, math.MaxInt64
	for _, x := range list {
		if x.accepted > 0 {
			accepted[0], accepted[1] = min(accepted[0], x.last), max(accepted[1], x.first)
		}
		if x.refused > 0 {
			refused[0], refused[1] = min(refused[0], x.last), max(refused[1], x.first)
		}
	}
	var within, of float64
	for _, x := range list {
		other := accepted
		if x.refused == 0 {
			other = refused
		}
		of++
		if x.last >= other[0] && x.first <= other[1] {
			within++
		}
	}
	return within >= permissionOverlap*of
}

func inspectPermissions(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*permissionObserver)
	divided, p := make([]bimodal, len(o.keys)), make([]float64, len(o.keys))
	for n := range o.keys {
		divided[n] = divide(o.counts[n])
		p[n] = divided[n].p
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n, endpoint := range o.keys {
		b := divided[n]
		if adjusted[n] > permissionFalse || b.accepted < permissionActors || b.refused < permissionActors ||
			float64(b.mixed) > permissionMixed*float64(b.accepted+b.refused+b.mixed) || !interleaved(o.counts[n]) {
			continue
		}
		if cand, ok := c.forbidden(endpoint, o.counts[n], b, adjusted[n]); ok {
			found = append(found, cand)
		}
	}
	return found, nil
}

func (c *Diagnosis) forbidden(endpoint uint32, list []verdictCount, b bimodal, p float64) (candidate, bool) {
	refused := map[uint64]bool{}
	for _, x := range list {
		if x.refused > 0 && x.accepted == 0 {
			refused[x.who] = true
		}
	}
	var cand candidate
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if f.Endpoint == endpoint && c.open(i) && f.Good && (refused[uint64(f.User)] && f.User != 0 || refused[uint64(f.Actor)<<32]) {
			cand.claims = append(cand.claims, uint32(i))
		}
	}
	if len(cand.claims) < routeRefused {
		return cand, false
	}
	e := &c.State.Endpoints[endpoint]
	cand.Subject, cand.Onset = endpointSubject(e), parse.NoTime
	cand.Severity = result.Medium
	purity := 1 - float64(b.mixed)/float64(b.accepted+b.refused+b.mixed)
	cand.Confidence = confidence(p, purity)
	cand.Title = fmt.Sprintf("%s answers 401 to users who are signed in and may not ask it, where 403 is meant", endpointLabel(e))
	cand.Explanation = Say("%d actors were refused here each time they asked, %d others were accepted each time, %d saw both; all of them were accepted on other routes meanwhile. So their credentials are good and it is a permission that they lack. A 401 says the contrary (RFC 9110, section 15.5.2): clients then sign in again, or ask for the password, in vain.",
		b.refused, b.accepted, b.mixed)
	cand.Remediation = []string{
		"Answer 403 (RFC 9110, section 15.5.4) where the credentials are good and the permission is missing; in OAuth, insufficient_scope with 403 (RFC 6750, section 3.1).",
		"Apache: Require group or Require expr answers 401; with AuthzSendForbiddenOnFailure On it is 403. Spring Security: an AccessDeniedHandler; ASP.NET: Forbid() instead of Challenge().",
		"Hide or disable in the page what its user may not ask.",
	}
	cand.Details = map[string]any{"refused_actors": b.refused, "accepted_actors": b.accepted, "mixed_actors": b.mixed, "p_value": p}
	return cand, true
}
