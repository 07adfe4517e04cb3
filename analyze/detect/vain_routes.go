package detect

import (
	"cmp"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// A program whose token has expired renews it and repeats the request. If the answer is 401
// again, its token is not the reason. Where that happens on one route, and new tokens are
// accepted on others, the route is at fault, or a cache that keeps its 401s.
//
// Not: a server whose clock is late, or replicas without the same key (new tokens are refused
// on all routes: oddRenewals).
//
// Statistic: the binomial tail of the renewals in vain of a route at their share on all other
// routes of its host, adjusted by Benjamini and Hochberg over the routes.

// withVainRenewals returns a kind with the texts of findings of vainRoutes.
func withVainRenewals(k Kind) Kind {
	return withVariant(k, "Vain",
		`{{route .Subject}} refuses new tokens {{since .Onset}}`,
		`{{with .Details}}{{plural .Contrast "client" "clients"}} renewed {{if eq .Contrast 1}}its token{{else}}their tokens{{end}} after a refusal here and {{if eq .Contrast 1}}was{{else}}were{{end}} refused again with the new one, {{plural .Vain "time" "times"}}: that is {{share .RefusedShare}} of the renewals after a refusal on this route (at least {{share .RefusedLow}} with 95% confidence). On the other routes of the host it is {{share .Baseline}}, so the new tokens are good.{{end}}`,
		`Check whether something in front of the application stores the answer: a 401 from a cache is the same for everybody. Send Cache-Control: no-store or private with answers to requests with credentials, and let the cache store 200 only (nginx proxy_cache_valid, Varnish beresp.uncacheable, the error caching TTL of a CDN).`,
		`Compare what this route requires of a token (audience, issuer, scope) with a route that accepts it.`,
		`Replay one of the evidence requests with a new token, once through the proxy and once at the application itself.`,
	)
}

// inVain reports whether a refusal hit a new token: the one with which the program repeats what was
// refused, or one that it has just been given. In a log of whole seconds the former does not show.
func inVain(r *session.Refusal) bool { return r.Vain || Young(r) }

// vainRoutes returns a finding for each route that refuses the tokens which programs have just
// renewed, while others accept such tokens.
func (d *Diagnosis) vainRoutes() (found []candidate) {
	type renewals struct {
		stats.Cell // hits are in vain
		actors     map[uint32]bool
	}
	routes, hosts := map[uint32]*renewals{}, map[string]*stats.Cell{}
	for _, r := range d.eachOpen() {
		if !inVain(r) && !(r.Renewed() && r.TokenAge() > 0) {
			continue
		}
		host := d.State.Endpoints[r.Endpoint].Host
		x := routes[r.Endpoint]
		if x == nil {
			x = &renewals{actors: map[uint32]bool{}}
			routes[r.Endpoint] = x
		}
		if hosts[host] == nil {
			hosts[host] = &stats.Cell{}
		}
		if inVain(r) {
			x.Hits++
			x.actors[r.Actor] = true
			hosts[host].Hits++
		}
		x.Trials++
		hosts[host].Trials++
	}
	endpoints := slices.Sorted(maps.Keys(routes))
	p := make([]float64, len(endpoints))
	usual := func(endpoint uint32) float64 {
		return max(hosts[d.State.Endpoints[endpoint].Host].Minus(routes[endpoint].Cell).Smoothed(), mixedUsual)
	}
	for n, endpoint := range endpoints {
		p[n] = stats.BinomialTail(routes[endpoint].Hits, routes[endpoint].Trials, usual(endpoint))
	}
	for n, adjusted := range stats.BenjaminiHochberg(p) {
		x := routes[endpoints[n]]
		lower := stats.WilsonLower(x.Hits, x.Trials, stats.Z95)
		e := &d.State.Endpoints[endpoints[n]]
		elsewhere := hosts[e.Host].Minus(x.Cell)
		if adjusted > endpointFalse || len(x.actors) < endpointActors || lower < mixedShare || stats.Odds(lower) < contrastOdds*stats.Odds(usual(endpoints[n])) ||
			elsewhere.Trials-elsewhere.Hits < minMeasured {
			continue
		}
		cand := candidate{claims: d.vainAt(endpoints[n]), weight: 1.0 / certainty} // users without permission are refused like that, too
		last := cand.claims[len(cand.claims)-1]
		cand.Subject, cand.Severity, cand.Confidence = endpointSubject(e), d.routeSeverity(last, len(x.actors)), confidence(adjusted, lower)
		cand.Onset = d.Refusals.At(int(cand.claims[0])).Time * 1000
		cand.Details = &BrokenEndpoint{
			Vain: x.Hits, Contrast: len(x.actors), RefusedShare: result.Share(round(shareOf(x.Cell), 4)), RefusedLow: result.Share(round(lower, 4)),
			Baseline: result.Share(round(usual(endpoints[n]), 4)), PValue: result.Probability(adjusted), Accepted: e.N[timeline.Accepted], Ongoing: d.ongoing(last),
		}
		found = append(found, cand)
	}
	return found
}

// vainAt returns the open refusals on a route of actors whose new tokens it refused about then, and
// all of the times in which it refused those of several, one soon after the other.
func (d *Diagnosis) vainAt(endpoint uint32) (claims []uint32) {
	hits := map[uint32][]int64{} // by actor, ascending
	type run struct {
		period
		actors map[uint32]bool
	}
	var runs []run
	for _, r := range d.eachOpen() {
		if r.Endpoint != endpoint || !inVain(r) {
			continue
		}
		hits[r.Actor] = append(hits[r.Actor], r.Time)
		if n := len(runs); n == 0 || r.Time-runs[n-1].last > freshTo {
			runs = append(runs, run{period{r.Time, r.Time}, map[uint32]bool{}})
		}
		x := &runs[len(runs)-1]
		x.last, x.actors[r.Actor] = r.Time, true
	}
	runs = slices.DeleteFunc(runs, func(x run) bool { return len(x.actors) < endpointFew })
	for i, r := range d.eachOpen() {
		if r.Endpoint != endpoint {
			continue
		}
		times := hits[r.Actor]
		n, _ := slices.BinarySearch(times, r.Time-freshTo)
		k, _ := slices.BinarySearchFunc(runs, r.Time, func(x run, at int64) int { return cmp.Compare(x.last, at) })
		if n < len(times) && times[n] <= r.Time+freshTo || k < len(runs) && runs[k].first <= r.Time {
			claims = append(claims, uint32(i))
		}
	}
	return claims
}
