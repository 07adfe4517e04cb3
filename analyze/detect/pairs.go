package detect

import (
	"maps"
	"slices"

	"logscan/analyze/stats"
)

// pairs counts requests that are compared with each other: for each key two cells,
// of requests that differ in one property. Observers embed it. A request takes constant
// time.
type pairs[K comparable] struct {
	counts map[K]*[2]stats.Cell
	parts  []map[K]*[2]stats.Cell
}

// newPairs returns empty pairs for the keys. Requests of other keys are not counted.
func newPairs[K comparable](keys []K) pairs[K] { return pairs[K]{counts: emptyPairs(keys)} }

func emptyPairs[K comparable](keys []K) map[K]*[2]stats.Cell {
	m := make(map[K]*[2]stats.Cell, len(keys))
	for _, k := range keys {
		m[k] = &[2]stats.Cell{}
	}
	return m
}

// part returns the cells that one goroutine counts in.
func (p *pairs[K]) part() map[K]*[2]stats.Cell {
	cells := emptyPairs(slices.Collect(maps.Keys(p.counts)))
	p.parts = append(p.parts, cells)
	return cells
}

// gather sums the parts.
func (p *pairs[K]) gather() {
	for _, cells := range p.parts {
		for k, n := range cells {
			for i := range n {
				p.counts[k][i].Merge(n[i])
			}
		}
	}
	p.parts = nil
}
