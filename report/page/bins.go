package page

import (
	"math"

	"logscan/analyze/result"
	"logscan/report/wording"
)

const (
	maxBuckets = 240 // as many as can be told apart at the usual width
	minBuckets = 12

	// enough is the share of the 401s that the chart must show.
	enough = 0.99
	// outlier is how many times longer than the span of nearly all 401s the log must
	// be for the rest to be cut off.
	outlier       = 2
	minute  int64 = 60 * 1e6 // microseconds
)

// steps are the possible lengths of a bar in minutes: divisors of an hour or of a
// day, or whole days.
var steps = []int64{1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2 * 1440, 7 * 1440, 14 * 1440, 28 * 1440, 91 * 1440, 364 * 1440}

// bins hold the timeline in equal steps.
type bins struct {
	first, step int64 // Unix microseconds, microseconds
	from, to    int64 // first and last minute shown
	groups      [][wording.NumGroups]int64
	refused     []int64
	accepted    []int64
	used        [wording.NumGroups]bool
	inside      int64 // 401s shown
	outside     int64 // 401s with a time that is not shown
}

// end returns the end of the last step.
func (b *bins) end() int64 { return b.first + int64(len(b.refused))*b.step }

// place returns the step of a time, or -1 if it is not shown.
func (b *bins) place(t int64) int {
	if t < b.from || t >= b.to+minute {
		return -1
	}
	return int((t - b.first) / b.step)
}

// newBins returns the timeline in steps, nil if it holds no 401.
func newBins(timeline []result.Minute) *bins {
	from, to, ok := window(timeline)
	if !ok {
		return nil
	}
	step := bucketStep(from, to)
	b := &bins{from: from, to: to, step: step, first: floorTo(from, step)}
	n := int((floorTo(to, step)-b.first)/step) + 1
	if n < minBuckets { // a single minute must not fill the chart
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

// window returns the first and last minute to draw. This is the whole log, unless a
// few lines are absurdly far away in time: then it is the shortest span that holds
// nearly all 401s, joined with the shortest that holds nearly all requests and with
// adjoining minutes.
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
	// Minutes that follow without a long gap belong to it.
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

// shortest returns the shortest span that holds enough of what count counts, the
// earliest if there are several. The timeline is ordered by time.
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

// bucketStep returns the shortest length of a bar in microseconds that gives at most
// maxBuckets bars.
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

// floorTo returns the last multiple of step that is not after t.
func floorTo(t, step int64) int64 {
	r := t % step
	if r < 0 {
		r += step
	}
	return t - r
}
