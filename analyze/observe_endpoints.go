package analyze

import (
	"math"
	"slices"

	"logscan/analyze/fold"
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

// endpointObserver follows endpoints over time.
type endpointObserver struct {
	*correlation
	endpoints []uint32 // ascending
	place     []int32  // by endpoint: place in endpoints plus one; 0 is not followed
	cells     [][]cell // by place, one for each step of time
	parts     []*endpointPart
}

// observeEndpoints follows the endpoints that refused enough actors while their
// sessions were alive.
func observeEndpoints(c *correlation) observer {
	var list []uint32
	for i := range c.endpoints {
		if c.endpoints[i].aliveActors >= endpointActors {
			list = append(list, uint32(i))
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b uint32) int {
		return int(c.endpoints[b].aliveActors - c.endpoints[a].aliveActors)
	})
	list = list[:min(len(list), maxFollowed)]
	slices.Sort(list)
	o := &endpointObserver{correlation: c, endpoints: list, place: make([]int32, len(c.state.Endpoints)), cells: newCells(len(list))}
	for n, e := range list {
		o.place[e] = int32(n) + 1
	}
	return o
}

func newCells(n int) [][]cell {
	cells := make([][]cell, n)
	for i := range cells {
		cells[i] = make([]cell, maxSteps)
		for j := range cells[i] {
			cells[i][j].lastAccepted, cells[i][j].firstRefused = math.MinInt64, math.MaxInt64
		}
	}
	return cells
}

func (o *endpointObserver) part() func(*fold.Actor, uint32) {
	p := &endpointPart{endpointObserver: o, cells: newCells(len(o.endpoints)), counted: make([]inStep, len(o.endpoints))}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *endpointObserver) gather() {
	for _, p := range o.parts {
		for n := range o.cells {
			for i := range o.cells[n] {
				o.cells[n][i].merge(&p.cells[n][i])
			}
		}
	}
	o.parts = nil
}

// endpointPart is one goroutine's part.
type endpointPart struct {
	*endpointObserver // read only
	cells             [][]cell
	counted           []inStep // by place
}

// inStep remembers in which step an endpoint's actor was counted last.
type inStep struct {
	actor             uint32
	accepted, refused int32 // step plus one
}

// actor counts an actor once in each step of time in which an endpoint accepted
// it, or refused it while it was alive elsewhere.
func (p *endpointPart) actor(a *fold.Actor, id uint32) {
	for i := range a.Events {
		e := &a.Events[i]
		place := p.place[e.Endpoint] - 1
		if place < 0 {
			continue
		}
		step := p.step(e.Time)
		c, in := &p.cells[place][step], &p.counted[place]
		if in.actor != id {
			*in = inStep{actor: id}
		}
		switch {
		case e.Outcome == fold.Accepted:
			c.lastAccepted = max(c.lastAccepted, e.Time)
			if in.accepted != int32(step)+1 {
				in.accepted = int32(step) + 1
				c.accepted++
			}
		case e.Refusal != fold.NoRefusal && p.facts[e.Refusal].alive:
			c.firstRefused = min(c.firstRefused, e.Time)
			if in.refused != int32(step)+1 {
				in.refused = int32(step) + 1
				c.refused++
			}
		}
	}
}
