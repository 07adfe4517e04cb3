package report

import (
	"math"

	"logscan/analyze/result"
	"logscan/report/wording"
)

const (
	maxBuckets = 240 // as many as are told apart at the usual width
	minBuckets = 12

	enough        = 0.99
	outlier       = 2 // times the span of nearly all makes the rest outliers
	minute  int64 = 60 * 1e6
)

// steps are how long a bar may be, in minutes: divisors of an hour, a day, or
// whole days.
var steps = []int64{1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2 * 1440, 7 * 1440, 14 * 1440, 28 * 1440, 91 * 1440, 364 * 1440}

// bins are what a log holds over time, in equal steps.
type bins struct {
	first, step int64 // Unix microseconds, microseconds
	from, to    int64 // first and last minute that are shown
	groups      [][wording.NumGroups]int64
	refused     []int64
	accepted    []int64
	used        [wording.NumGroups]bool
	inside      int64 // 401s that are shown
	outside     int64 // and that are not, though they have a time
}

// end is the time after the last step.
func (b *bins) end() int64 { return b.first + int64(len(b.refused))*b.step }

// place is the step of a time, -1 where it is not shown.
func (b *bins) place(t int64) int {
	if t < b.from || t >= b.to+minute {
		return -1
	}
	return int((t - b.first) / b.step)
}

// binned puts the timeline into steps; nil where it holds no 401.
func binned(timeline []result.Minute) *bins {
	from, to, ok := window(timeline)
	if !ok {
		return nil
	}
	step := bucketStep(from, to)
	b := &bins{from: from, to: to, step: step, first: floorTo(from, step)}
	n := int((floorTo(to, step)-b.first)/step) + 1
	if n < minBuckets { // a lone minute is no wall
		b.first -= int64(minBuckets-n) / 2 * step
		n = minBuckets
	}
	b.groups, b.refused, b.accepted = make([][wording.NumGroups]int64, n), make([]int64, n), make([]int64, n)
	groupOf := wording.CauseGroups()
	for i := range timeline {
		m := &timeline[i]
		at := b.place(m.Time)
		if at < 0 {
			b.outside += m.Unauthorized
			continue
		}
		left := m.Unauthorized
		for c, count := range m.Causes {
			if count != 0 && c < len(groupOf) {
				b.groups[at][groupOf[c]] += count
				b.used[groupOf[c]] = true
				left -= count
			}
		}
		if left > 0 {
			b.groups[at][wording.GroupUnexplained] += left
			b.used[wording.GroupUnexplained] = true
		}
		b.refused[at] += m.Unauthorized
		b.accepted[at] += m.Accepted
		b.inside += m.Unauthorized
	}
	return b
}

// window is the time to draw, as first and last minute: all of the log, or
// where a few lines lie absurdly far away the shortest time that holds nearly
// all 401s together with the shortest that holds nearly all requests, and what
// joins on to them.
func window(timeline []result.Minute) (from, to int64, ok bool) {
	unauthorized := func(m *result.Minute) int64 { return m.Unauthorized }
	requests := func(m *result.Minute) int64 { return m.Requests }
	from, to, ok = shortest(timeline, unauthorized)
	if !ok {
		return 0, 0, false
	}
	if f, t, ok := shortest(timeline, requests); ok {
		from, to = min(from, f), max(to, t)
	}
	// What joins on without a long silence belongs to it.
	near := (to-from)/4 + 10*minute
	for i := range timeline {
		if t := timeline[i].Time; t > to && t-to <= near {
			to = t
		}
	}
	for i := len(timeline) - 1; i >= 0; i-- {
		if t := timeline[i].Time; t < from && from-t <= near {
			from = t
		}
	}
	first, last := timeline[0].Time, timeline[len(timeline)-1].Time
	if last-first <= outlier*(to-from+minute) || last-first <= maxBuckets*minute {
		return first, last, true
	}
	return from, to, true
}

// shortest is the shortest time that holds enough of what count counts, the
// earliest of several. The timeline is ordered by time.
func shortest(timeline []result.Minute, count func(*result.Minute) int64) (from, to int64, ok bool) {
	total := int64(0)
	for i := range timeline {
		total += count(&timeline[i])
	}
	if total <= 0 {
		return 0, 0, false
	}
	need := int64(math.Ceil(enough * float64(total)))
	held, begin := int64(0), 0
	for end := range timeline {
		held += count(&timeline[end])
		for held-count(&timeline[begin]) >= need {
			held -= count(&timeline[begin])
			begin++
		}
		if a, b := timeline[begin].Time, timeline[end].Time; held >= need && (!ok || b-a < to-from) {
			from, to, ok = a, b, true
		}
	}
	return from, to, ok
}

// bucketStep is the shortest bar in microseconds that does not make too many.
func bucketStep(from, to int64) int64 {
	for _, s := range steps {
		if step := s * minute; (floorTo(to, step)-floorTo(from, step))/step < maxBuckets {
			return step
		}
	}
	last := steps[len(steps)-1] * minute
	years := (to-from)/(last*maxBuckets) + 1
	return last * (years + 1)
}

// floorTo is the last multiple of step that is not after t.
func floorTo(t, step int64) int64 {
	r := t % step
	if r < 0 {
		r += step
	}
	return t - r
}
