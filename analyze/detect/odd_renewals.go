package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// race is the renewals of a site that came together, or those that were in vain.
type race struct {
	claims []uint32
	actors map[uint32]bool
	routes map[uint32]int64 // refusals
}

// oddRenewals returns a finding of intermittent_refusal for each site at which clients
// renew a token twice at once, of which one is refused: the session lives on, and what
// decides is chance. A few of them, or those of a few clients, are no trouble. It also returns
// one for each site at which some of the new tokens are refused at once.
func oddRenewals(d *Diagnosis) (found []candidate) {
	raced, vain := map[string]*race{}, map[string]*race{}
	for i, r := range d.Refusals.All() {
		sites := raced
		switch {
		case !d.open(i):
			continue
		case r.Vain:
			sites = vain
		case !r.Raced:
			continue
		}
		host := d.State.Endpoints[r.Endpoint].Host
		x := sites[host]
		if x == nil {
			x = &race{actors: map[uint32]bool{}, routes: map[uint32]int64{}}
			sites[host] = x
		}
		x.claims = append(x.claims, uint32(i))
		x.actors[r.Actor] = true
		x.routes[r.Endpoint]++
	}
	for _, host := range slices.Sorted(maps.Keys(raced)) {
		if c, ok := raceFinding(d, host, raced[host]); ok {
			found = append(found, c)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(vain)) {
		if c, ok := vainFinding(d, host, vain[host]); ok {
			found = append(found, c)
		}
	}
	return found
}

const (
	// vainMost is the share of the renewals after which the new token is refused from which on it
	// is no matter of chance; vainClients the minimum share of the clients that renew which it
	// happens to, and vainRoutes that of the requests accepted on protected routes which are for
	// routes that refuse new tokens.
	vainMost    = 0.9
	vainClients = 0.5
	vainRoutes  = 0.7
	// vainRefused is the minimum number of refusals of such a route.
	vainRefused = 3
)

// vainFinding returns the finding of new tokens that are refused at once, by chance: a part of
// the renewals of most clients, on most routes. A route that refuses whoever asks, a user who
// may not see it, or a client that goes on with its old token, are something else.
func vainFinding(d *Diagnosis, host string, x *race) (c candidate, ok bool) {
	var renewals, tokens, renewing, like, all int64
	for i := range d.State.Endpoints {
		e := &d.State.Endpoints[i]
		switch accepted := e.N[timeline.Accepted]; {
		case e.Host != host:
		case d.Roles[i]&session.Renews != 0:
			renewals += accepted
			renewing = max(renewing, d.Endpoints[i].Actors)
		case e.Token:
			tokens += accepted
		case d.Roles[i]&session.Guards != 0:
			if all += accepted; x.routes[uint32(i)] >= vainRefused {
				like += accepted
			}
		}
	}
	if renewals == 0 {
		renewals = tokens // RFC 6749 has one endpoint for both
	}
	n := stats.Cell{Hits: min(int64(len(x.claims)), renewals), Trials: renewals}
	p := min(1, stats.BinomialTail(n.Hits, n.Trials, mixedUsual)*float64(len(d.Sites)))
	if len(x.actors) < mixedSessions || n.Hits < mixedRefused || shareOf(n) < mixedShare || shareOf(n) > vainMost || p > mixedFalse ||
		float64(len(x.actors)) < vainClients*float64(renewing) || float64(like) < vainRoutes*float64(all) || d.atOnePlace(x.claims) || d.ofOneVersion(x.claims) {
		return c, false
	}
	c.claims = x.claims
	for i, r := range d.Refusals.All() {
		if (r.Dead || r.Good && r.Cause == session.Unexplained) && !r.Vain && !r.SignIn && d.open(i) && d.State.Endpoints[r.Endpoint].Host == host {
			c.claims = append(c.claims, uint32(i))
		}
	}
	slices.Sort(c.claims)
	details := (&mixture{answers: n}).details()
	details.Processes, details.BrokenOf = 0, 0 // one client's answers depend on each other
	details.Vain, details.Sessions, details.Routes = n.Hits, int64(len(x.actors)), len(x.routes)
	d.rateMixture(&c, details, p, int64(len(x.actors)))
	c.Subject.Host = host
	return c, true
}

// raceLow is the least share that the lower bound (Wilson) of the share of renewals which race must
// have: people open two tabs at once now and then.
const raceLow = mixedShare / 2

func raceFinding(d *Diagnosis, host string, x *race) (c candidate, ok bool) {
	refused := int64(len(x.claims))
	all := refused
	for endpoint := range x.routes {
		all += d.State.Endpoints[endpoint].N[timeline.Accepted]
	}
	share := float64(refused) / float64(all)
	p := min(1, stats.BinomialTail(refused, all, mixedUsual)*float64(len(d.Sites)))
	low, high := stats.WilsonLower(refused, all, stats.Z95), 1-stats.WilsonLower(all-refused, all, stats.Z95)
	if len(x.actors) < mixedSessions || share < mixedShare || low < raceLow || p > mixedFalse {
		return c, false
	}
	c.claims = x.claims
	c.Subject, c.Onset = result.Subject{Type: "site", Host: host}, parse.NoTime
	c.Confidence = confidence(p, 1-mixedShare)
	c.Severity = result.Medium
	c.Details = &Intermittent{
		Renewals: true, RefusedShare: result.Share(round(share, 4)), RefusedLow: result.Share(round(low, 4)), RefusedHigh: result.Share(round(high, 4)),
		Sessions: int64(len(x.actors)), Routes: len(x.routes), PValue: result.Probability(p), Ongoing: d.ongoing(c.claims[len(c.claims)-1]),
	}
	slices.Sort(c.claims)
	return c, true
}
