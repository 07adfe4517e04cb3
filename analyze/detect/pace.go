package detect

import (
	"logscan/analyze/session"
	"logscan/analyze/stats"
)

const (
	// tryGap is the maximum time, in milliseconds, between requests that belong to one
	// try or round, such as those of a page. A person who tries again takes longer.
	tryGap = 2000
	// steadyGaps is the minimum number of gaps that show a pace.
	steadyGaps = 4
	// steadyShare is the minimum share of gaps near the typical one that shows a
	// program. For random gaps the share is a third.
	steadyShare = 0.8
	// minPeriod is the minimum time between the rounds of a monitor, in milliseconds.
	// Monitors are not faster, and in logs of whole seconds every fast pace looks
	// steady.
	minPeriod = 4000
)

// rounds returns the beginnings of rounds: requests at most tryGap apart are one
// round. times are ascending, in milliseconds.
func rounds(times []int64) []int64 {
	var list []int64
	last := int64(session.LongAgo)
	for _, t := range times {
		if t-last > tryGap {
			list = append(list, t)
		}
		last = t
	}
	return list
}

// gapsOf returns the differences between consecutive times.
func gapsOf(times []int64) []int64 {
	gaps := make([]int64, 0, len(times))
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, times[i]-times[i-1])
	}
	return gaps
}

// pace returns the typical gap between times, and whether the gaps are as steady as
// those of a machine.
func pace(times []int64) (typical int64, steady bool) { return pacedSeriesOf(times).pace() }

// pacedSeries is refusals of which only the pace matters.
type pacedSeries struct {
	first, last int64 // Unix milliseconds
	gaps        stats.Gaps
}

// add adds a refusal that follows the others.
func (s *pacedSeries) add(ms int64) {
	s.gaps.Add(ms - s.last)
	s.last = ms
}

// pacedSeriesOf returns the series of times, which are ascending.
func pacedSeriesOf(times []int64) *pacedSeries {
	s := &pacedSeries{}
	for i, t := range times {
		if i == 0 {
			s.first, s.last = t, t
		} else {
			s.add(t)
		}
	}
	return s
}

// pace is the function pace of a series.
func (s *pacedSeries) pace() (typical int64, steady bool) {
	typical, near := s.gaps.Steady(clockStep)
	return typical, s.gaps.N() >= steadyGaps && float64(near) >= steadyShare*float64(s.gaps.N())
}

// allDay reports whether a series keeps a pace from the beginning of the log to its
// end.
func (d *Diagnosis) allDay(s *pacedSeries) bool {
	period, steady := s.pace()
	return steady && period >= minPeriod &&
		s.first-d.From <= 2*period && d.To-s.last <= 2*period+60_000 // d.To is in whole minutes
}
