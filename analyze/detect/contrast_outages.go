package detect

import (
	"iter"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// An outage of a host or a tenant shows as a contrast, too: its site or path refuses
// nearly all visits, and its acceptances collapse. Where a session id is new with every
// sign-in, and people give up after a try or two, that shows more than the fate of each
// actor does.

const (
	// outageFamiliar is the minimum share of the clients refused at a sign-in that are
	// accepted at another time: those who guess are not. It is not asked of other routes,
	// where most clients come once a day only, or from an address that changes.
	outageFamiliar = 0.1
	// outageSpike is the minimum share of the visits of a site that a spike refuses if it is
	// an outage: some programs have credentials that another service checks. outageKnown is
	// the minimum share of its clients that are accepted at another time, unless next to
	// nobody is accepted meanwhile (outageShare), or those who are known are locked out: then
	// outageFamiliar is.
	outageSpike = 0.75
	outageKnown = 0.3
	// lockedClients is the minimum number of people that are refused whatever they ask
	// for, if others are accepted meanwhile: more than have a trouble of their own at once.
	// lockedShare is their minimum share: sessions of the others end as usual.
	lockedClients = 10
	lockedShare   = 0.75
	// outageRoutes is the minimum number of routes, but for the sign-in, that refuse: one
	// route may itself be at fault, and who guesses goes to the sign-in.
	outageRoutes = 2
)

// contrastingOutages returns the sites and paths that accept next to nobody in a period,
// and whose clients are accepted nowhere else meanwhile. Those of which one of found has
// all refusals or the subject are left out: it knows their edges better.
func (o *outageObserver) contrastingOutages(found []candidate) (wide []candidate) {
	o.d.contrasts([]contrastType{siteContrast, pathContrast}, []bool{true}, func(s *contrastSeries, c *contrast, claims *ascending) {
		routes := distinctEndpoints(o.d, func(yield func(uint32) bool) {
			claims.each(func(i uint32) bool { return o.d.Refusals.At(int(i)).SignIn || yield(i) })
		})
		if routes < outageRoutes || s.o.keys[c.place].kind == pathContrast && o.d.aliveElsewhere(claims.each) {
			return
		}
		cand, ok := o.contrastingOutage(s, c, claims)
		known := slices.ContainsFunc(found, func(f candidate) bool {
			return f.Subject == cand.Subject || float64(inBoth(&f.packed, claims)) >= intact*float64(claims.n)
		})
		if ok && !known {
			wide = append(wide, cand)
		}
	})
	return wide
}

// withWide returns all of both lists but for those of found whose refusals are mostly in a
// wide one: nobody can sign in where nobody is accepted. The rest are consequences.
func withWide(found, wide []candidate) []candidate {
	found = slices.DeleteFunc(found, func(f candidate) bool {
		return slices.ContainsFunc(wide, func(w candidate) bool {
			return float64(inBoth(&f.packed, &w.packed)) >= minKept*float64(f.packed.n)
		})
	})
	return append(found, wide...)
}

// inBoth returns how many elements two ascending lists have in common.
func inBoth(a, b *ascending) (n int) {
	next, stop := iter.Pull(b.each)
	defer stop()
	x, ok := next()
	for i := range a.each {
		for ok && x < i {
			x, ok = next()
		}
		if !ok {
			break
		}
		if x == i {
			n++
		}
	}
	return n
}

// restOfOutages returns the routes at which next to nobody can sign in: by itself, each
// of the failed tries looks like a mistyped password. It also returns the spikes in which
// most visits of a site are refused, to people who are accepted at other times: a small
// site has too few of them at a time for any other sign.
func restOfOutages(d *Diagnosis, seen observer) (found []candidate, err error) {
	found = d.awayOutages()
	o, _ := seen.(*outageObserver)
	if o == nil {
		return found, nil
	}
	d.contrasts([]contrastType{routeContrast}, []bool{true}, func(s *contrastSeries, c *contrast, claims *ascending) {
		if !d.Roles[s.o.keys[c.place].number].Begins() {
			return
		}
		if cand, ok := o.contrastingOutage(s, c, claims); ok {
			found = append(found, cand)
		}
	})
	return append(found, o.spikingOutages()...), nil
}

func (o *outageObserver) spikingOutages() (found []candidate) {
	if o.d.contrast == nil {
		return nil
	}
	o.d.contrast.mu.Lock()
	defer o.d.contrast.mu.Unlock()
	for _, outage := range []bool{true, false} {
		s := o.d.contrast.spikeSeries(outage)
		for place := range s.o.keys {
			if s.o.keys[place].kind != siteContrast {
				continue
			}
			s.spikes(place, outage, func(c *contrast) bool {
				all := s.claims(c)
				claims := all.slice(densest(o.d, all))
				familiar, clients := o.familiar(s, claims.each)
				part := c.share() < outageSpike
				known := outageKnown
				if part || c.share() >= outageShare {
					known = outageFamiliar
				}
				if part && !o.lockedOut(claims.each) || float64(familiar) < known*float64(clients) || isRest(o.d, s.o.keys[place].host, &claims) {
					return false
				}
				cand, ok := o.contrastingOutage(s, c, &claims)
				if ok {
					cand.Details.(*Outage).Part = part
					found = append(found, cand)
				}
				return ok
			})
		}
	}
	return found
}

// lockedOut reports whether the people refused, who are accepted at other times, are not
// accepted meanwhile, whatever they do: those of a tenant or directory that the log does
// not name. Programs of one kind have their software in common. Who meets an expired
// session signs in, and so does everybody when all have ended at once. A refused session
// id does not come back, whoever signs in.
func (o *outageObserver) lockedOut(refusals iter.Seq[uint32]) bool {
	first := map[timeline.Client]bool{} // of those accepted at other times: they come back soon
	locked, last := 0, session.LongAgo
	agents := map[uint32]int{}
	for _, r := range o.d.Refusals.Of(refusals) {
		last = max(last, r.Time)
	}
	for _, r := range o.d.Refusals.Of(refusals) {
		c := r.Client()
		s := o.clients[c]
		if _, seen := first[c]; seen || r.Session || s == nil || !s.proven || last-r.Time <= session.Nearby {
			continue
		}
		first[c] = r.Back
		if !r.Back {
			locked++
			agents[c.Agent]++
		}
	}
	return locked >= lockedClients && !o.d.ofOneTool(agents, locked) && float64(locked) >= lockedShare*float64(len(first))
}

// contrastingOutage returns the finding of a contrast; false if those refused are
// strangers.
func (o *outageObserver) contrastingOutage(s *contrastSeries, c *contrast, claims *ascending) (cand candidate, ok bool) {
	key := &s.o.keys[c.place]
	familiar, clients := o.familiar(s, claims.each)
	if key.kind == routeContrast && o.retriesAsUsual(s, c, claims) {
		familiar = clients
	}
	if o.d.endedRenewals(claims.each) || o.d.byTools(claims.each) {
		return cand, false
	}
	if familiar < outageActors || key.kind == routeContrast && float64(familiar) < outageFamiliar*float64(clients) {
		return cand, false
	}
	cand = s.contrastFinding(c, claims)
	cand.Subject = result.Subject{Type: "site", Host: key.host, Route: key.path}
	switch key.kind {
	case pathContrast:
		cand.weight = 1.0 / certainty // as of other parts of a site
	case routeContrast:
		e := &o.d.State.Endpoints[key.number]
		cand.Subject.Method, cand.Subject.Route = e.Method, e.Template
	case siteContrast:
		if e, ok := o.onlyRoute(claims.each); ok { // others may be open to everybody
			cand.Subject.Method, cand.Subject.Route = e.Method, e.Template
		}
	}
	details := &Outage{
		SignIn: key.kind == routeContrast || o.mostlySignIns(claims.each), Refused: int64(clients), Accepted: c.Inside.Trials - c.Inside.Hits, Proven: int64(familiar), Routes: distinctEndpoints(o.d, claims.each),
		UsualShare: result.Share(round(c.usual, 4)), AcceptedOutside: c.Outside.Trials - c.Outside.Hits,
		PValue: result.Probability(c.p), Ongoing: c.To == s.o.steps,
	}
	if !details.Ongoing {
		details.Until = result.Time((s.o.d.From + int64(c.To)*s.o.width) * 1000)
	}
	if cand.Onset != parse.NoTime {
		high := result.Time(cand.Onset)
		details.OnsetHigh = &high
	}
	if clients >= outageHigh || float64(clients) >= outagePeople*float64(o.d.Actors) {
		cand.Severity = result.High
	}
	cand.Details = details
	return cand, true
}

// onlyRoute returns the endpoint of refusals, if there is one only.
func (o *outageObserver) onlyRoute(refusals iter.Seq[uint32]) (e *timeline.Endpoint, ok bool) {
	for _, r := range o.d.Refusals.Of(refusals) {
		of := &o.d.State.Endpoints[o.d.Form(r.Endpoint)]
		if e != nil && e != of {
			return nil, false
		}
		e = of
	}
	return e, e != nil
}

// mostlySignIns reports whether most refusals are failed sign-ins, or stand for one.
func (o *outageObserver) mostlySignIns(refusals iter.Seq[uint32]) bool {
	n, all := 0, 0
	for _, r := range o.d.Refusals.Of(refusals) {
		all++
		if r.SignIn {
			n++
		}
	}
	return 2*n > all
}

// familiar returns how many of the clients of refusals are accepted with credentials at
// some time, and how many there are. In an outage, where acceptances collapse, visitors who try
// to sign in count, too: who gives up is accepted at no time.
func (o *outageObserver) familiar(s *contrastSeries, refusals iter.Seq[uint32]) (familiar, clients int) {
	seen := map[timeline.Client]bool{}
	for _, r := range o.d.Refusals.Of(refusals) {
		c := r.Client()
		if seen[c] {
			continue
		}
		seen[c] = true
		if own := o.clients[c]; own != nil && (own.proven || s.share >= outageShare && r.SignIn && own.visitor()) {
			familiar++
		}
	}
	return familiar, len(seen)
}

// retriesAsUsual reports whether those who try a sign-in in a period that accepts next to nobody
// are as many as at other times, and try as people do, most of them more than once within
// minutes. They are its own people then, though none of them gets in nor sees a page: a form
// may be all that a log of an application shows them asking for. Who guesses comes beside
// them.
func (o *outageObserver) retriesAsUsual(s *contrastSeries, c *contrast, claims *ascending) bool {
	if s.share < outageShare || !s.usualCrowd(c) {
		return false
	}
	type tries struct {
		last int64
		n    int
		soon bool // one came soon after another
	}
	of, again := map[timeline.Client]*tries{}, 0
	for _, r := range o.d.Refusals.Of(claims.each) {
		x := of[r.Client()]
		if x == nil {
			x = &tries{last: session.LongAgo}
			of[r.Client()] = x
		}
		if !x.soon && r.Time-x.last <= outagePace {
			x.soon = true
			again++
		}
		x.last, x.n = r.Time, x.n+1
		if x.n > outageTries {
			return false
		}
	}
	return 2*again > len(of)
}

// aliveElsewhere reports whether many of the actors refused were accepted elsewhere in
// the same minutes: then the routes that refuse them are at fault.
func (d *Diagnosis) aliveElsewhere(refusals iter.Seq[uint32]) bool {
	actors, alive := map[uint32]bool{}, map[uint32]bool{}
	for _, r := range d.Refusals.Of(refusals) {
		actors[r.Actor] = true
		if r.Alive || r.Denied {
			alive[r.Actor] = true
		}
	}
	return float64(len(alive)) >= elsewhereShare*float64(len(actors))
}
