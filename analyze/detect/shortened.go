package detect

import (
	"cmp"
	"math"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/parse"
)

// A timeout that is shortened within a log spares all sessions before that, and next to none
// after it.

// sparedBefore is the maximum share of the sessions that end past a timeout before it was
// shortened: what else ends sessions does so before, too.
const sparedBefore = 0.1

// outcome is what came of a session that reached a timeout.
type outcome struct {
	at    int64 // Unix milliseconds: when it ended, or was accepted last
	start int64 // when it began
	ended bool
}

// shortened returns when a timeout began to end the sessions of a host, in Unix milliseconds;
// false if it did so from the start of the log. A session that outlived the timeout counts when
// it was accepted last, which is not before that.
func (d *Diagnosis) shortened(h *mortalHost, t *timeout) (onset int64, ok bool) {
	all := d.endedPast(h, t)
	if len(all) < expiryDeaths {
		return parse.NoTime, false
	}
	for s, err := range d.sessionsOf(h.names) {
		if err != nil {
			return parse.NoTime, false // inspectLifetimes reports it
		}
		reached := s.Gap
		if t.absolute {
			reached = s.Last - s.Start
		}
		if s.Last >= s.Start && reached >= t.High && (s.StartSeen || !t.absolute) &&
			(h.door == 0 || s.Door == h.door) && (h.runs == nil || h.runs(s.Client)) {
			all = append(all, outcome{s.Last, s.Start, false})
		}
	}
	return beginsToEnd(all, func(x outcome) int64 { return x.at })
}

// limitSince returns the maximum age of the sessions that began from some time on, where older ones
// have none: they go on with the token or cookie of before, so that all sessions together show no
// timeout.
func (d *Diagnosis) limitSince(h *mortalHost) (t timeout, ok bool) {
	var ages []int64
	for _, r := range d.Refusals.Of(slices.Values(h.deaths)) {
		if r.Age() >= 0 {
			ages = append(ages, r.Age())
		}
	}
	if len(ages) < expiryDeaths {
		return t, false
	}
	slices.Sort(ages)
	usual := ages[len(ages)/2]
	var all, lived []outcome // those that reached the age, and all that were not refused
	for _, r := range d.Refusals.Of(slices.Values(h.deaths)) {
		if r.Age() >= usual*4/5 {
			all = append(all, outcome{r.Time, r.Time - r.Age(), r.Age() <= usual*5/4})
		}
	}
	for s, err := range d.sessionsOf(h.names) {
		if err != nil {
			return t, false // inspectLifetimes reports it
		}
		if s.StartSeen && s.Last >= s.Start && s.End == session.LongAgo {
			x := outcome{s.Last, s.Start, false}
			if lived = append(lived, x); x.at-x.start > usual*5/4 {
				all = append(all, x)
			}
		}
	}
	since, ok := beginsToEnd(all, func(x outcome) int64 { return x.start })
	if !ok {
		return t, false
	}
	t = timeout{absolute: true, measure: ageOf, deaths: &stats.Durations{}, survived: &stats.Durations{}, bic: math.Inf(1), since: since}
	for _, r := range d.Refusals.Of(slices.Values(h.deaths)) {
		if r.Age() >= 0 && r.Time-r.Age() >= since {
			t.deaths.Add(r.Age())
		}
	}
	for _, x := range lived {
		if x.start >= since {
			t.survived.Add(x.at - x.start)
		}
	}
	t.Threshold, ok = stats.FindThreshold(t.deaths, t.survived)
	return t, ok && t.Gain >= expiryGain && t.Above.Hits >= expiryDeaths && float64(t.Above.Hits) >= max(expiryLethal*float64(t.Above.Trials), expiryShare*float64(len(h.deaths)))
}

// beginsToEnd returns the time from which on sessions end that were spared before, by their order
// at some time of each.
func beginsToEnd(all []outcome, at func(outcome) int64) (onset int64, ok bool) {
	slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(at(a), at(b)) })
	cells := make([]stats.Cell, len(all))
	for i := range all {
		cells[i].Add(all[i].ended)
	}
	c, ok := stats.Split(cells)
	if !ok || c.Gain < expiryGain {
		return parse.NoTime, false
	}
	before, after := stats.Sum(cells[:c.At]), stats.Sum(cells[c.At:])
	return at(all[c.At]), shareOf(before) <= sparedBefore && shareOf(after) >= expiryLethal && after.Hits >= expiryDeaths
}

// endedPast returns the sessions of a host that a timeout ended.
func (d *Diagnosis) endedPast(h *mortalHost, t *timeout) (all []outcome) {
	for _, r := range d.Refusals.Of(slices.Values(h.deaths)) {
		if t.measure(r) >= t.High {
			all = append(all, outcome{r.Time, r.Time - r.Age(), true})
		}
	}
	return all
}
