package detect

import (
	"cmp"
	"math"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// maxFollowed is the maximum number of endpoints followed over time, those with
// most refusals: each costs session.MaxSteps cells of 24 bytes.
const maxFollowed = 256

// cell counts the actors of one followed key in one step of time.
type cell struct {
	accepted, refused          int32 // distinct actors
	lastAccepted, firstRefused int64 // Unix milliseconds
}

// seriesObserver follows keys, such as endpoints, over time: it counts how many
// distinct actors each of them accepted and refused in each step. A request takes
// constant time.
type seriesObserver struct {
	d      *Diagnosis
	keys   []uint32 // ascending
	places []int32  // by key: its index in keys plus one, 0 for keys that are not followed
	sets   *keySets // of one key each
	// keyOf returns the key of an event, negative for none.
	keyOf func(*timeline.Event) int
	// refused reports whether a refused event counts. Every acceptance counts.
	refused func(*timeline.Event) bool
	cells   [][]cell // by index of the key, then by step
	parts   []*acceptances
}

// series returns an observer of the keys, which are numbers below size. keyOf
// returns the key of an event, negative for none.
func (d *Diagnosis) series(keys []uint32, size int, keyOf func(*timeline.Event) int, refused func(*timeline.Event) bool) *seriesObserver {
	o := &seriesObserver{d: d, keys: keys, places: places(keys, size), keyOf: keyOf, refused: refused}
	o.sets = newKeySets(size, func(key int) (list []int32) {
		if place := o.places[key]; place != 0 {
			list = []int32{place - 1}
		}
		return list
	})
	return o
}

// topKeys returns the keys with the greatest counts in ascending order, those with
// at least least, at most maxFollowed.
func topKeys(counts []int64, least int64) []uint32 { return topOf(counts, least, maxFollowed) }

// topOf returns the keys like topKeys, at most limit.
func topOf(counts []int64, least int64, limit int) []uint32 {
	var list []uint32
	for i, n := range counts {
		if n >= least {
			list = append(list, uint32(i))
		}
	}
	slices.SortStableFunc(list, func(a, b uint32) int { return cmp.Compare(counts[b], counts[a]) })
	list = list[:min(len(list), limit)]
	slices.Sort(list)
	return list
}

func endpointOf(e *timeline.Event) int { return int(e.Endpoint) }

func newCells(n int) [][]cell {
	cells, all := make([][]cell, n), make([]cell, n*session.MaxSteps)
	for i := range all {
		all[i].lastAccepted, all[i].firstRefused = math.MinInt64, math.MaxInt64
	}
	for i := range cells {
		cells[i] = all[i*session.MaxSteps : (i+1)*session.MaxSteps]
	}
	return cells
}

func (o *seriesObserver) part() func(*timeline.Actor, uint32) {
	counts := o.d.newAcceptances(o.sets, len(o.keys), 0)
	o.parts = append(o.parts, &counts)
	return func(a *timeline.Actor, id uint32) { o.add(a, id, &counts) }
}

func (o *seriesObserver) gather() { o.cells, o.parts = cellsOf(o.parts), nil }

// posted reports whether e is a form that was accepted: most are answered by a redirect
// to the next page.
func posted(d *Diagnosis, e *timeline.Event) bool {
	return e.Outcome == timeline.Redirected && d.State.Endpoints[e.Endpoint].Method == "POST"
}

// add counts an actor once in each step in which it was accepted, and once in each in
// which it was refused.
func (o *seriesObserver) add(a *timeline.Actor, id uint32, counts *acceptances) {
	for i := range a.Events {
		e := &a.Events[i]
		accepted := e.Outcome == timeline.Accepted || posted(o.d, e)
		if !accepted && e.Refusal == timeline.NoRefusal {
			continue
		}
		key := o.keyOf(e)
		if key < 0 || o.places[key] == 0 {
			continue
		}
		if accepted {
			counts.accept(uint32(key), id, -1, e.Time)
		} else if o.refused(e) {
			counts.refuse(o.places[key]-1, id, e.Time)
		}
	}
}

// allRefused returns the sum of the refused actors of cells.
func allRefused(cells []cell) (n int64) {
	for i := range cells {
		n += int64(cells[i].refused)
	}
	return n
}

// span is a run of steps [from, to) in which a followed key refuses actors.
type span struct {
	from, to   int
	stats.Cell      // actors of the steps; hits are refused
	accepted   bool // actors were accepted before the span
}

// segmentShare is the least refused share of a segment beside that of the segment with most
// refusals: with less, something else is at work there.
const segmentShare = 0.5

// refusingSpan returns the one of refusingSpans with most refusals.
func refusingSpan(cells []cell, least float64) (best span, ok bool) {
	for _, s := range refusingSpans(cells, least) {
		if !ok || s.Hits > best.Hits {
			best, ok = s, true
		}
	}
	return best, ok
}

// refusingSpans returns the runs of consecutive segments (see stats.Segment) that each refuse
// at least the share least of their actors, and segmentShare of the greatest segment's, in
// order of time.
func refusingSpans(cells []cell, least float64) (runs []span) {
	series := make([]stats.Cell, len(cells))
	for i, x := range cells {
		series[i] = stats.Cell{Hits: int64(x.refused), Trials: int64(x.refused + x.accepted)}
	}
	starts := []int{0}
	for _, ch := range stats.Segment(series) {
		starts = append(starts, ch.At)
	}
	sums := make([]stats.Cell, len(starts))
	main := 0 // the segment with most refusals
	for n, from := range starts {
		for _, x := range series[from:segmentEnd(starts, n, len(series))] {
			sums[n].Merge(x)
		}
		if sums[n].Hits > sums[main].Hits {
			main = n
		}
	}
	least = max(least, segmentShare*shareOf(sums[main]))
	within, accepted := false, int64(0)
	for n, from := range starts {
		sum, to := sums[n], segmentEnd(starts, n, len(series))
		if float64(sum.Hits) < least*float64(sum.Trials) || sum.Trials == 0 {
			within = false
			accepted += sum.Trials - sum.Hits
			continue
		}
		if !within {
			within = true
			runs = append(runs, span{from: from, to: from, accepted: accepted > 0})
		}
		run := &runs[len(runs)-1]
		run.to = to
		run.Merge(sum)
	}
	return runs
}

// briefSpan is refusingSpan of a few minutes amid a day, which gain too little by one cut: of
// the runs that refuse such a share, it returns the one that stands out most (see
// stats.Excursions).
func briefSpan(cells []cell, least float64) (best span, ok bool) {
	series := make([]stats.Cell, len(cells))
	for i, x := range cells {
		series[i] = stats.Cell{Hits: int64(x.refused), Trials: int64(x.refused + x.accepted)}
	}
	for _, x := range stats.Excursions(series) {
		if shareOf(x.Inside) < least {
			continue
		}
		before := stats.Sum(series[:x.From])
		return span{from: x.From, to: x.To, Cell: x.Inside, accepted: before.Trials > before.Hits}, true
	}
	return best, false
}

// segmentEnd returns where segment n ends, if all end at end.
func segmentEnd(starts []int, n, end int) int {
	if n+1 < len(starts) {
		return starts[n+1]
	}
	return end
}

// onsetOf returns the time of the first refusal of a span and of the last
// acceptance before it, in Unix milliseconds. lastAccepted is math.MinInt64 if
// nobody was accepted before.
func (d *Diagnosis) onsetOf(cells []cell, s span) (firstRefused, lastAccepted int64) {
	firstRefused, lastAccepted = math.MaxInt64, math.MinInt64
	for i := s.from; i < s.to; i++ {
		firstRefused = min(firstRefused, cells[i].firstRefused)
	}
	if !s.accepted {
		return firstRefused, lastAccepted
	}
	// The change may be within the step before the span: if all of its acceptances
	// are before its refusals, the refusals belong to the span.
	if b := s.from - 1; b >= 0 && cells[b].refused > 0 && cells[b].firstRefused > cells[b].lastAccepted {
		firstRefused = min(firstRefused, cells[b].firstRefused)
	}
	for i := range cells[:s.to] {
		if at := cells[i].lastAccepted; at < firstRefused {
			lastAccepted = max(lastAccepted, at)
		}
	}
	return firstRefused, lastAccepted
}
