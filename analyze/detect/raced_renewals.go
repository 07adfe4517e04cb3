package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// race is the renewals of a site that came together.
type race struct {
	claims []uint32
	actors map[uint32]bool
	routes map[uint32]bool
}

// racedRenewals returns a finding of intermittent_refusal for each site at which clients
// renew a token twice at once, of which one is refused: the session lives on, and what
// decides is chance. A few of them, or those of a few clients, are no trouble.
func racedRenewals(d *Diagnosis) (found []candidate) {
	sites := map[string]*race{}
	for i, r := range d.Refusals.All() {
		if !r.Raced || !d.open(i) {
			continue
		}
		host := d.State.Endpoints[r.Endpoint].Host
		x := sites[host]
		if x == nil {
			x = &race{actors: map[uint32]bool{}, routes: map[uint32]bool{}}
			sites[host] = x
		}
		x.claims = append(x.claims, uint32(i))
		x.actors[r.Actor], x.routes[r.Endpoint] = true, true
	}
	for _, host := range slices.Sorted(maps.Keys(sites)) {
		if c, ok := raceFinding(d, host, sites[host]); ok {
			found = append(found, c)
		}
	}
	return found
}

func raceFinding(d *Diagnosis, host string, x *race) (c candidate, ok bool) {
	refused := int64(len(x.claims))
	all := refused
	for endpoint := range x.routes {
		all += d.State.Endpoints[endpoint].N[timeline.Accepted]
	}
	share := float64(refused) / float64(all)
	p := min(1, stats.BinomialTail(refused, all, mixedUsual)*float64(len(d.Sites)))
	if len(x.actors) < mixedSessions || refused < mixedRefused || share < mixedShare || p > mixedFalse {
		return c, false
	}
	low, high := stats.WilsonLower(refused, all, stats.Z95), 1-stats.WilsonLower(all-refused, all, stats.Z95)
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
