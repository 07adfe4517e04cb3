package detect

import (
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
)

const (
	maxTrend  = 120     // steps of a Trend
	maxParts  = 12      // parts of an Exhibit
	octave    = 3       // points of a Curve per doubling
	minMillis = 1000.0  // end of a Curve's first point
	maxMillis = 1 << 42 // more than the age of any session
)

// trendStep is the number of observer steps in one step of a Trend.
const trendStep = (session.MaxSteps + maxTrend - 1) / maxTrend

// newTrend returns an empty trend of the refusals; acceptances are not counted.
func newTrend(d *Diagnosis) *result.Trend {
	const steps = (session.MaxSteps + trendStep - 1) / trendStep
	return &result.Trend{From: d.From * 1000, Step: trendStep * d.Width * 1000, Refused: make([]int64, steps)}
}

// actorTrend returns the distinct actors of a series over time.
func (d *Diagnosis) actorTrend(cells []cell) *result.Exhibit {
	t := newTrend(d)
	t.Accepted = make([]int64, len(t.Refused))
	for i, x := range cells {
		t.Refused[i/trendStep] += int64(x.refused)
		t.Accepted[i/trendStep] += int64(x.accepted)
	}
	return &result.Exhibit{Counts: result.CountsActors, Trend: t}
}

// trendOf returns the refusals over time. Findings without another exhibit have this
// one.
func (d *Diagnosis) trendOf(refusals iter.Seq[uint32]) *result.Exhibit {
	t := newTrend(d)
	for _, r := range d.Refusals.Of(refusals) {
		t.Refused[d.Step(r.Time)/trendStep]++
	}
	return &result.Exhibit{Counts: result.CountsExplained, Trend: t}
}

// beforeSince compares the tries before an onset, accepted and refused, with the
// refused ones since.
func beforeSince(accepted, refused, since int64) *result.Exhibit {
	return &result.Exhibit{Counts: result.CountsTries, Parts: []result.Part{
		{Kind: result.BeforeOnset, Refused: refused, Accepted: accepted},
		{Kind: result.SinceOnset, Refused: since, Marked: true},
	}}
}

// comparison compares requests of two kinds, the first of which is the faulty one.
// Hits are refusals.
func comparison(counts result.ExhibitCounts, faulty, good result.PartKind, x, y stats.Cell) *result.Exhibit {
	return &result.Exhibit{Counts: counts, Parts: []result.Part{
		{Kind: faulty, Refused: x.Hits, Accepted: x.Trials - x.Hits, Marked: true},
		{Kind: good, Refused: y.Hits, Accepted: y.Trials - y.Hits},
	}}
}

// byAccount shows the accounts of an attack, those that were opened and those with
// most failures first. It returns nil if fewer than two are known.
func (d *Diagnosis) byAccount(a *attack) *result.Exhibit {
	if len(a.users) < 2 {
		return nil
	}
	opened := map[uint32]int64{}
	names := maps.Clone(a.users) // some were opened at the first try
	for i := range a.successes {
		if u := a.successes[i].user; u != 0 {
			opened[u]++
			names[u] = a.users[u]
		}
	}
	users := slices.SortedFunc(maps.Keys(names), func(u, v uint32) int {
		return cmp.Or(cmp.Compare(opened[v], opened[u]), cmp.Compare(a.users[v], a.users[u]), cmp.Compare(u, v))
	})
	x := &result.Exhibit{Counts: result.CountsByAccount}
	for _, u := range users[:min(len(users), maxParts)] {
		x.Parts = append(x.Parts, result.Part{Name: result.Clean(d.State.Users[u-1].Name), Refused: int64(a.users[u]), Accepted: opened[u], Marked: opened[u] > 0})
	}
	return x
}

// survival sets the points of c: how many requests were refused and accepted by
// duration. A request belongs to the first point that ends at or above its own
// duration.
func survival(refused, accepted *stats.Durations, c result.Curve) *result.Exhibit {
	c.Points = nil
	from := 0.0
	r, a := refused.Total(), accepted.Total()
	refusedAbove, acceptedAbove := refused.CountsAbove(), accepted.CountsAbove()
	for end := minMillis; r+a > 0 && end < maxMillis; end *= math.Exp2(1.0 / octave) {
		ms := int64(end)
		rAbove, aAbove := refusedAbove(ms), acceptedAbove(ms)
		if p := (result.Point{From: from / 1000, To: end / 1000, Refused: r - rAbove, Accepted: a - aAbove}); p.Refused+p.Accepted > 0 {
			c.Points = append(c.Points, p)
		}
		r, a, from = rAbove, aAbove, end
	}
	return &result.Exhibit{Counts: result.CountsRequests, Curve: &c}
}
