package detect

import (
	"iter"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// contrasts calls do with the contrasts of the keys of the given types, and their
// claims: those with collapsed acceptances, for which all refusals count, or those of
// clients whose credentials were known to be good. A key has one.
func (d *Diagnosis) contrasts(kinds []contrastType, collapsed []bool, do func(s *contrastSeries, c *contrast, claims *ascending)) {
	if d.contrast == nil {
		return
	}
	d.contrast.mu.Lock()
	defer d.contrast.mu.Unlock()
	done := make([]bool, len(d.contrast.keys))
	for _, collapse := range collapsed {
		// Another backend accepts at once what one refuses: nothing settles that.
		settled := collapse || slices.ContainsFunc(kinds, contrastType.replica)
		share := contrastLower
		if collapse {
			share = outageShare
		}
		s := d.contrast.series(kinds, settled, share, func(r *session.Refusal) bool { return collapse || r.Good })
		for place := range s.o.keys {
			if done[place] || !slices.Contains(kinds, s.o.keys[place].kind) {
				continue
			}
			find := s.find
			switch {
			case s.o.keys[place].kind == siteContrast:
				find = s.findClosed
			case s.o.keys[place].kind.replica():
				find = s.findReplica
			}
			if c, ok := find(place, collapse); ok {
				done[place] = true
				do(s, &c, s.claims(&c))
			}
		}
	}
}

// restOfEndpoints returns the routes and paths that stand out from the rest of their
// host: from a time on, they refuse clients that everything else accepts.
func restOfEndpoints(d *Diagnosis, _ observer) ([]candidate, error) {
	return d.contrastingEndpoints([]contrastType{routeContrast, pathContrast}, []bool{true, false}), nil
}

func (d *Diagnosis) contrastingEndpoints(kinds []contrastType, collapsed []bool) (found []candidate) {
	d.contrasts(kinds, collapsed, func(s *contrastSeries, c *contrast, claims *ascending) {
		if d.endedRenewals(claims.each) || d.ofStrangers(claims.each) && !s.closesDoor(c) && !s.closesAlone(c) && !s.turnsAway(c) || d.byTools(claims.each) {
			return
		}
		key := &s.o.keys[c.place]
		subject := result.Subject{Type: "endpoint", Host: key.host, Route: key.path}
		accepted, routes := int64(0), 0
		if key.kind == routeContrast {
			e := &d.State.Endpoints[key.number]
			subject, accepted = endpointSubject(e), e.N[timeline.Accepted]
		} else {
			if routes = distinctEndpoints(d, claims.each); routes < 2 {
				return // the route is the finding
			}
			rest := int64(0)
			if accepted, rest = d.acceptedBelow(key); c.share() < outageShare && float64(rest) < pathRest*float64(accepted) {
				return // there is no other part that accepts what this one refuses
			}
		}
		cand := s.contrastFinding(c, claims)
		cand.Subject = subject
		ongoing := d.ongoing(cand.packed.last)
		cand.Severity = d.routeSeverity(cand.packed.last, c.voters)
		if key.kind == routeContrast && d.Roles[key.number].Begins() && ongoing && c.voters >= spikeMany {
			cand.Severity = result.High // nobody can sign in
		}
		cand.Details = &BrokenEndpoint{
			Contrast: c.voters, Routes: routes,
			RefusedShare: result.Share(round(c.share(), 4)), RefusedLow: result.Share(round(c.lower, 4)),
			Baseline: result.Share(round(c.usual, 4)), PValue: result.Probability(c.p),
			Accepted: accepted, Ongoing: ongoing,
		}
		found = append(found, cand)
	})
	return found
}

// closesDoor reports whether a contrast is that of a sign-in which hardly accepts anybody
// any more: who comes to a sign-in has not been accepted yet. But people have seen a page
// of the site before, while programs that guess ask for nothing else.
func (s *contrastSeries) closesDoor(c *contrast) bool {
	key := &s.o.keys[c.place]
	return key.kind == routeContrast && s.o.d.Roles[key.number]&session.Tries != 0 && c.share() >= outageShare && s.collapsed(c, s.others(c.place)) &&
		!s.o.d.onlyRefused(s.claims(c).each)
}

// onlyRefused reports whether most of the clients of refusals are answered nothing else.
func (d *Diagnosis) onlyRefused(refusals iter.Seq[uint32]) bool {
	clients := map[timeline.Client]bool{}
	only := 0
	for _, r := range d.Refusals.Of(refusals) {
		c := r.Client()
		if clients[c] {
			continue
		}
		clients[c] = true
		if s := d.Clients[c]; s != nil && s.Tally.OnlyRefused() {
			only++
		}
	}
	return 2*only > len(clients)
}

// ofStrangers reports whether next to none of the clients of refusals had been accepted:
// a route does not fail because many come who have no account.
func (d *Diagnosis) ofStrangers(refusals iter.Seq[uint32]) bool {
	known := map[timeline.Client]bool{}
	for _, r := range d.Refusals.Of(refusals) {
		known[r.Client()] = known[r.Client()] || r.Known || r.Good
	}
	n := 0
	for _, yes := range known {
		if yes {
			n++
		}
	}
	return float64(n) < outageFamiliar*float64(len(known))
}

// distinctEndpoints returns the number of endpoints of refusals.
func distinctEndpoints(d *Diagnosis, refusals iter.Seq[uint32]) int {
	seen := map[uint32]bool{}
	for _, r := range d.Refusals.Of(refusals) {
		seen[r.Endpoint] = true
	}
	return len(seen)
}

// pathRest is the minimum ratio of what the rest of a site accepts of those who are signed in
// to what a path does that refuses some of them: below it, the site does, and the path is most
// of it. Signing in shows nothing, as it needs no session.
const pathRest = 0.1

// acceptedBelow returns the number of requests that were accepted below the path of a key,
// and of those for what else its host protects, but for signing in.
func (d *Diagnosis) acceptedBelow(key *contrastKey) (n, rest int64) {
	for i := range d.State.Endpoints {
		e := &d.State.Endpoints[i]
		switch {
		case e.Host != key.host:
		case slices.Contains(pathsOf(e.Template), key.path):
			n += e.N[timeline.Accepted]
		case d.Protected[i] && !d.Roles[i].Begins():
			rest += e.N[timeline.Accepted]
		}
	}
	return n, rest
}

// restOfUpstreams returns the backends and servers that, from a time on, refuse a far
// greater share of good clients than the others, though not nearly all, or nearly
// everybody, though others come to them than to the rest.
func restOfUpstreams(d *Diagnosis, seen observer) (found []candidate, err error) {
	places, _ := seen.(upstreamObserver)
	for _, o := range places {
		if o.signIn {
			continue
		}
		counts := o.counts()
		d.contrasts([]contrastType{o.kind()}, []bool{true, false}, func(s *contrastSeries, c *contrast, claims *ascending) {
			if cand, ok := o.contrasting(s, c, claims, counts); ok {
				found = append(found, cand)
			}
		})
	}
	return found, nil
}

// contrasting returns the finding of a place that contrasts with the others; false if it
// refuses one route alone, or a server others than the other servers have.
func (o *placeObserver) contrasting(s *contrastSeries, c *contrast, claims *ascending, counts []stats.Cell) (cand candidate, ok bool) {
	d, place := o.o.d, s.o.keys[c.place].number
	routes := distinctEndpoints(d, claims.each)
	if routes < upstreamRoutes || o.server && !o.elsewhere(place, claims) {
		return cand, false
	}
	cand = s.contrastFinding(c, claims)
	cand.Subject = o.subject(place)
	ongoing := d.ongoing(cand.packed.last)
	if ongoing {
		cand.Severity = result.High
	}
	cand.Exhibit = o.exhibit(place, counts)
	cand.Details = &BadUpstream{
		RefusedShare: result.Share(round(c.share(), 4)), RefusedLow: result.Share(round(c.lower, 4)),
		OddsRatio: round(min(stats.Odds(min(c.share(), c.Inside.Smoothed()))/stats.Odds(c.usual), 1e6), 1), PValue: result.Probability(c.p),
		Routes: routes, Others: o.others(place, counts), Ongoing: ongoing,
	}
	return cand, true
}

// servedElsewhere is the minimum share of what a server refuses on routes that another
// one accepts: servers may have sites of their own.
const servedElsewhere = 0.5

// elsewhere reports whether other places accept somebody on the routes that one refuses.
func (o *placeObserver) elsewhere(place uint32, claims *ascending) bool {
	accepted := map[uint32]bool{}
	for key, n := range o.strata {
		if uint32(key.place) != place && n.Trials > n.Hits {
			accepted[key.endpoint] = true
		}
	}
	served := 0
	for _, r := range o.o.d.Refusals.Of(claims.each) {
		if accepted[r.Endpoint] {
			served++
		}
	}
	return float64(served) >= servedElsewhere*float64(claims.n)
}
