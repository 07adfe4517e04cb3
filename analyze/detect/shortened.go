package detect

import (
	"cmp"
	"slices"

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
	for s, err := range d.EachSession() {
		if err != nil {
			return parse.NoTime, false // the rows of the sessions report it
		}
		reached := s.LongestGap
		if t.absolute {
			reached = s.LastAccepted - s.Start
		}
		if s.LastAccepted >= s.Start && reached >= t.High && (s.StartSeen || !t.absolute) && slices.Contains(h.names, d.Sites[s.Site]) &&
			(h.door == 0 || s.Door == h.door) && (h.runs == nil || h.runs(s.Client)) {
			all = append(all, outcome{s.LastAccepted, false})
		}
	}
	slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(a.at, b.at) })
	cells := make([]stats.Cell, len(all))
	for i := range all {
		cells[i].Add(all[i].ended)
	}
	c, ok := stats.Split(cells)
	if !ok || c.Gain < expiryGain {
		return parse.NoTime, false
	}
	var before, after stats.Cell
	for i := range cells {
		if i < c.At {
			before.Merge(cells[i])
		} else {
			after.Merge(cells[i])
		}
	}
	return all[c.At].at, shareOf(before) <= sparedBefore && shareOf(after) >= expiryLethal && after.Hits >= expiryDeaths
}

// endedPast returns the sessions of a host that a timeout ended.
func (d *Diagnosis) endedPast(h *mortalHost, t *timeout) (all []outcome) {
	for _, r := range d.Refusals.Of(slices.Values(h.deaths)) {
		if t.measure(r) >= t.High {
			all = append(all, outcome{r.Time, true})
		}
	}
	return all
}
