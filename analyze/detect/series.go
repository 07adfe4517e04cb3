package detect

import (
	"cmp"
	"math"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

const (
	// maxFollowed is how many endpoints, those with most 401s, are followed
	// over time: 2,048 steps of 24 bytes each.
	maxFollowed = 256
)

// cell counts the actors of one endpoint in one step of time.
type cell struct {
	accepted, refused          int32 // distinct actors; refused ones were alive elsewhere
	lastAccepted, firstRefused int64 // Unix milliseconds
}

func (x *cell) merge(y *cell) {
	x.accepted += y.accepted
	x.refused += y.refused
	x.lastAccepted = max(x.lastAccepted, y.lastAccepted)
	x.firstRefused = min(x.firstRefused, y.firstRefused)
}

// seriesObserver follows things over time, such as endpoints: in each step, how
// many distinct actors they accepted and refused.
type seriesObserver struct {
	*Diagnosis
	keys []uint32 // what is followed, ascending
	// place gives the place in keys of what an event belongs to, -1 for nothing
	// that is followed.
	place func(*timeline.Event) int32
	// refused tells whether an event is a refusal that counts. Every acceptance
	// counts.
	refused func(*timeline.Event) bool
	cells   [][]cell // by place, one for each step of time
	parts   []*seriesPart
}

// series follows the keys; place gives, by what keyOf says of an event, where it
// stands in keys.
func (c *Diagnosis) series(keys []uint32, size int, keyOf func(*timeline.Event) int, refused func(*timeline.Event) bool) *seriesObserver {
	placeOf := make([]int32, size)
	for n, k := range keys {
		placeOf[k] = int32(n) + 1
	}
	place := func(e *timeline.Event) int32 {
		if k := keyOf(e); k >= 0 {
			return placeOf[k] - 1
		}
		return -1
	}
	return &seriesObserver{Diagnosis: c, keys: keys, place: place, refused: refused, cells: newCells(len(keys))}
}

// worst gives the keys with the greatest counts, at least least, at most
// maxFollowed of them, ascending.
func worst(counts []int64, least int64) []uint32 {
	var list []uint32
	for i, n := range counts {
		if n >= least {
			list = append(list, uint32(i))
		}
	}
	slices.SortStableFunc(list, func(a, b uint32) int { return cmp.Compare(counts[b], counts[a]) })
	list = list[:min(len(list), maxFollowed)]
	slices.Sort(list)
	return list
}

func byEndpoint(e *timeline.Event) int { return int(e.Endpoint) }

// observeEndpoints follows the endpoints that refused enough actors while their
// sessions were alive.
func observeEndpoints(c *Diagnosis) observer {
	counts := make([]int64, len(c.Endpoints))
	for i := range c.Endpoints {
		counts[i] = c.Endpoints[i].AliveActors
	}
	list := worst(counts, endpointActors)
	if len(list) == 0 {
		return nil
	}
	return c.series(list, len(counts), byEndpoint, func(e *timeline.Event) bool { return c.Refusals[e.Refusal].Alive })
}

func newCells(n int) [][]cell {
	cells := make([][]cell, n)
	for i := range cells {
		cells[i] = make([]cell, session.MaxSteps)
		for j := range cells[i] {
			cells[i][j].lastAccepted, cells[i][j].firstRefused = math.MinInt64, math.MaxInt64
		}
	}
	return cells
}

func (o *seriesObserver) part() func(*timeline.Actor, uint32) {
	p := &seriesPart{seriesObserver: o, cells: newCells(len(o.keys)), counted: make([]inStep, len(o.keys))}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *seriesObserver) gather() {
	for _, p := range o.parts {
		for n := range o.cells {
			for i := range o.cells[n] {
				o.cells[n][i].merge(&p.cells[n][i])
			}
		}
	}
	o.parts = nil
}

// seriesPart is one goroutine's part.
type seriesPart struct {
	*seriesObserver // read only
	cells           [][]cell
	counted         []inStep // by place
}

// inStep remembers in which step an actor was counted last.
type inStep struct {
	actor             uint32
	accepted, refused int32 // step plus one
}

// actor counts an actor once in each step of time in which it was accepted, or
// refused.
func (p *seriesPart) actor(a *timeline.Actor, id uint32) {
	for i := range a.Events {
		e := &a.Events[i]
		if e.Outcome != timeline.Accepted && e.Refusal == timeline.NoRefusal {
			continue
		}
		place := p.place(e)
		if place < 0 {
			continue
		}
		step := p.Step(e.Time)
		c, in := &p.cells[place][step], &p.counted[place]
		if in.actor != id {
			*in = inStep{actor: id}
		}
		switch {
		case e.Outcome == timeline.Accepted:
			c.lastAccepted = max(c.lastAccepted, e.Time)
			if in.accepted != int32(step)+1 {
				in.accepted = int32(step) + 1
				c.accepted++
			}
		case p.refused(e):
			c.firstRefused = min(c.firstRefused, e.Time)
			if in.refused != int32(step)+1 {
				in.refused = int32(step) + 1
				c.refused++
			}
		}
	}
}
