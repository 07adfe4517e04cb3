package detect

import (
	"strings"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// A version that does not renew its tokens makes its people sign in whenever one expires,
// while those of other versions notice nothing. By itself, each such end looks ordinary.
//
// Not: people of an old version who come back so seldom that no token could be renewed.
//
// Statistic: that of compareVersions, with the share of the tokens of a client that expire
// and are not renewed in the place of the share of its requests that is refused.

// unrenewedLived is the minimum share of the sessions of a family idle for as long that went on:
// if fewer do, it is the silence that ends them. A version that most people use may end three
// of four.
const unrenewedLived = 0.2

// tokenEnds returns the clients of versions that are not the only ones of their families, with
// the number of their tokens that expired, and of those that were not renewed; in no order.
func (d *Diagnosis) tokenEnds(s *software) (all []versionClient) {
	ofVersion := func(i int, r *session.Refusal) bool {
		v := s.of[r.Agent][0]
		return v > 0 && s.family[v-1] > 0 && (r.Renewed() || r.Fatal) && d.open(i)
	}
	renews := false
	for i, r := range d.Refusals.All() {
		if renews = ofVersion(i, r) && r.Renewed(); renews {
			break
		}
	}
	if !renews {
		return nil
	}
	stale, of := d.staleVersions(s), map[timeline.Client]*versionClient{}
	for i, r := range d.Refusals.All() {
		if !ofVersion(i, r) || r.Fatal && stale(s.of[r.Agent][1], r.Gap()) {
			continue
		}
		c := of[r.Client()]
		if c == nil {
			v := s.of[r.Agent][0]
			c = &versionClient{family: s.family[v-1], version: v - 1, proven: true, browser: strings.HasPrefix(d.State.Agents[r.Agent], "Mozilla/")}
			of[r.Client()] = c
		}
		c.all++
		if r.Fatal {
			c.refused++
		}
	}
	for _, c := range of {
		all = append(all, *c)
	}
	return all
}

// staleVersions returns a function that reports whether the sessions of a family may have ended by
// a silence, in milliseconds, as next to none of them goes on after one as long.
func (d *Diagnosis) staleVersions(s *software) func(family uint32, gap int64) bool {
	type ends struct{ died, lived stats.Durations }
	of := map[uint32]*ends{} // by family
	for _, r := range d.Refusals.All() {
		if family := s.of[r.Agent][1]; r.Fatal && family > 0 {
			if of[family] == nil {
				of[family] = &ends{}
			}
			of[family].died.Add(r.Gap())
		}
	}
	for x, err := range d.EachSession() {
		if err != nil {
			break // the rows of the sessions report it
		}
		if d.State.Unlisted(x.Client) {
			continue
		}
		if e := of[s.of[x.Client.Agent][1]]; e != nil {
			e.lived.Add(x.LongestGap)
		}
	}
	type counts struct{ died, lived func(int64) int64 }
	above := map[uint32]counts{}
	for family, e := range of {
		above[family] = counts{e.died.CountsAbove(), e.lived.CountsAbove()}
	}
	return func(family uint32, gap int64) bool {
		n := above[family]
		died, lived := float64(n.died(gap*4/5)), float64(n.lived(gap*4/5))
		return lived < unrenewedLived*(lived+died)
	}
}

// stopsRenewing returns when a version stopped to renew its tokens, in Unix milliseconds:
// session.Never if it does not in all of the log.
func (d *Diagnosis) stopsRenewing(s *software, t *versionTest) int64 {
	var cells []stats.Cell
	var times []int64
	for _, r := range d.Refusals.All() {
		if s.of[r.Agent][0] != t.version+1 || !r.Fatal && !r.Renewed() {
			continue
		}
		cells = append(cells, stats.Cell{Trials: 1})
		if r.Fatal {
			cells[len(cells)-1].Hits = 1
		}
		times = append(times, r.Time)
	}
	c, ok := stats.Split(cells)
	if !ok || c.Gain < expiryGain {
		return session.Never
	}
	before := stats.Sum(cells[:c.At])
	if before.Trials < minMeasured || shareOf(before) > 2*t.othersMean {
		return session.Never
	}
	return times[c.At]
}
