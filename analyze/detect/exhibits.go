package detect

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

const (
	maxTrend  = 120 // steps of a Trend
	maxParts  = 12
	octave    = 3       // points of a Curve in each doubling
	minMillis = 1000.0  // first end of a point
	maxMillis = 1 << 42 // beyond any session
)

// trendStep is how many steps of the observers make one of a Trend.
const trendStep = (session.MaxSteps + maxTrend - 1) / maxTrend

// trend shows cells, distinct actors in each step.
func (c *Diagnosis) trend(cells []cell) *result.Exhibit {
	n := (len(cells) + trendStep - 1) / trendStep
	t := &result.Trend{From: c.From * 1000, Step: trendStep * c.Width * 1000, Refused: make([]int64, n), Accepted: make([]int64, n)}
	for i, x := range cells {
		t.Refused[i/trendStep] += int64(x.refused)
		t.Accepted[i/trendStep] += int64(x.accepted)
	}
	return &result.Exhibit{Caption: "Actors refused and accepted", Trend: t}
}

// trendOf shows when 401s were, the most that every finding can show.
func (c *Diagnosis) trendOf(claims []uint32) *result.Exhibit {
	t := &result.Trend{From: c.From * 1000, Step: trendStep * c.Width * 1000, Refused: make([]int64, (session.MaxSteps+trendStep-1)/trendStep)}
	for _, i := range claims {
		t.Refused[c.Step(c.Refusals[i].Time)/trendStep]++
	}
	return &result.Exhibit{Caption: "401s that it explains", Trend: t}
}

// beforeSince compares what came of tries before and since a turn.
func beforeSince(accepted, refused, since int64) *result.Exhibit {
	return &result.Exhibit{Caption: "Tries before and since", Parts: []result.Part{
		{Name: "before", Refused: refused, Accepted: accepted},
		{Name: "since", Refused: since, Marked: true},
	}}
}

// twoCells compares trials of two kinds, whose hits are refusals.
func twoCells(caption, bad string, x stats.Cell, good string, y stats.Cell) *result.Exhibit {
	return &result.Exhibit{Caption: caption, Parts: []result.Part{
		{Name: bad, Refused: x.Hits, Accepted: x.Trials - x.Hits, Marked: true},
		{Name: good, Refused: y.Hits, Accepted: y.Trials - y.Hits},
	}}
}

// backends compares a backend with the others.
func (c *Diagnosis) backends(bad uint32) *result.Exhibit {
	x := &result.Exhibit{Caption: "Requests refused and accepted by backend"}
	for i := range c.State.Upstreams {
		u := &c.State.Upstreams[i]
		p := result.Part{Name: result.Clean(u.Name), Refused: u.N[timeline.Unauthorized], Accepted: u.N[timeline.Accepted], Marked: uint32(i) == bad}
		if p.Marked {
			x.Parts = slices.Insert(x.Parts, 0, p)
		} else if len(x.Parts) < maxParts {
			x.Parts = append(x.Parts, p)
		}
	}
	return x
}

// byAccount shows the accounts with most failures, or the times where none is
// named.
func (c *Diagnosis) byAccount(a *attack, claims []uint32) *result.Exhibit {
	if len(a.users) < 2 {
		return c.trendOf(claims)
	}
	opened := map[uint32]int64{}
	for i := range a.successes {
		opened[a.successes[i].user]++
	}
	users := slices.SortedFunc(maps.Keys(a.users), func(u, v uint32) int {
		return cmp.Or(cmp.Compare(opened[v], opened[u]), cmp.Compare(a.users[v], a.users[u]), cmp.Compare(u, v))
	})
	x := &result.Exhibit{Caption: "Tries by account that failed and succeeded"}
	for _, u := range users[:min(len(users), maxParts)] {
		x.Parts = append(x.Parts, result.Part{Name: result.Clean(c.State.Users[u-1].Name), Refused: int64(a.users[u]), Accepted: opened[u], Marked: opened[u] > 0})
	}
	return x
}

// survival shows how requests fared by duration, in milliseconds: each request
// is in the point that ends at or above it.
func survival(died, survived *stats.Durations, c result.Curve) *result.Exhibit {
	c.Points = nil
	from := 0.0
	d, s := died.Total(), survived.Total()
	diedAbove, survivedAbove := died.CountsAbove(), survived.CountsAbove()
	for end := minMillis; d+s > 0 && end < maxMillis; end *= math.Exp2(1.0 / octave) {
		ms := int64(end)
		dAbove, sAbove := diedAbove(ms), survivedAbove(ms)
		if p := (result.Point{From: from / 1000, To: end / 1000, Refused: d - dAbove, Accepted: s - sAbove}); p.Refused+p.Accepted > 0 {
			c.Points = append(c.Points, p)
		}
		d, s, from = dAbove, sAbove, end
	}
	return &result.Exhibit{Caption: "Share of requests accepted", Curve: &c}
}
