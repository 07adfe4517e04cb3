package detect

import (
	"cmp"
	"maps"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// Hosts that accept the same sessions, such as that of the pages and that of their
// calls, have one session policy. It is fitted to the deaths of all of them, of which
// each host sees a part.

const (
	// sharedDeaths is the minimum number of sessions that began at one host and ended at
	// another from which on the two share them, and sharedShare the minimum share of the
	// deaths of the host that has fewer: a client without a session id may use two
	// sites, one after the other.
	sharedDeaths = 3
	sharedShare  = 0.1
)

// joinHosts returns the hosts, in the order of their names. Those that share sessions, and
// whose policies do not differ, are one.
func (d *Diagnosis) joinHosts(all map[string]*mortalHost) ([]*mortalHost, error) {
	names := slices.Sorted(maps.Keys(all))
	if len(names) < 2 {
		return slices.Collect(maps.Values(all)), nil
	}
	moved, begun, err := d.movedSessions(all)
	if err != nil {
		return nil, err
	}
	signIns := d.signIns()
	var joined []*mortalHost
	taken := map[string]bool{}
	// The host with most deaths shows its policy best.
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(all[b].deaths), len(all[a].deaths)) })
	for i, name := range names {
		if taken[name] {
			continue
		}
		h := all[name]
		for _, other := range names[i+1:] {
			n := moved[[2]string{name, other}] + moved[[2]string{other, name}]
			if o := all[other]; !taken[other] && n >= sharedDeaths && float64(n) >= sharedShare*float64(len(o.deaths)) && d.samePolicy(h, o) {
				h, taken[other] = joinTwo(h, o), true
			}
		}
		// The finding is named for the host at which people sign in, and most sessions begin.
		slices.SortStableFunc(h.names, func(a, b string) int {
			return cmp.Or(cmp.Compare(signIns[b], signIns[a]), cmp.Compare(begun[b], begun[a]))
		})
		joined = append(joined, h)
	}
	slices.SortFunc(joined, func(a, b *mortalHost) int { return cmp.Compare(a.names[0], b.names[0]) })
	return joined, nil
}

// movedSessions returns how many of the sessions that refusals ended had begun at one host
// and ended at another, and how many sessions began at each.
func (d *Diagnosis) movedSessions(all map[string]*mortalHost) (moved map[[2]string]int, begun map[string]int, err error) {
	moved, begun = map[[2]string]int{}, map[string]int{}
	for s, err := range d.EachSession() {
		if err != nil {
			return nil, nil, err
		}
		from := d.Sites[s.Site]
		begun[from]++
		if s.EndRefusal >= timeline.EarlierEvent || all[from] == nil {
			continue
		}
		if to := d.State.Endpoints[d.Refusals.At(int(s.EndRefusal)).Endpoint].Host; to != from {
			moved[[2]string{from, to}]++
		}
	}
	return moved, begun, nil
}

// samePolicy reports whether two hosts may have one policy: if each shows a timeout by
// itself, they are of one rule and their intervals overlap.
func (d *Diagnosis) samePolicy(h, o *mortalHost) bool {
	t, ok := d.fitPolicy(h)
	u, other := d.fitPolicy(o)
	return !ok || !other ||
		t.absolute == u.absolute && t.LowerBound-clockStep <= u.UpperBound+clockStep && u.LowerBound-clockStep <= t.UpperBound+clockStep
}

// joinTwo returns two hosts as one.
func joinTwo(h, o *mortalHost) *mortalHost {
	sum := &mortalHost{lifetimes: &session.Lifetimes{}}
	for _, part := range []*mortalHost{h, o} {
		sum.names = append(sum.names, part.names...)
		sum.deaths = append(sum.deaths, part.deaths...)
		sum.lifetimes.Merge(part.lifetimes)
	}
	slices.Sort(sum.deaths)
	return sum
}
