package detect

import (
	"maps"
	"slices"

	"logscan/analyze/stats"
)

// pairs counts what is compared, as an observer does: for each key two cells,
// of requests that differ in one thing.
type pairs[K comparable] struct {
	counts map[K]*[2]stats.Cell
	parts  []map[K]*[2]stats.Cell
}

// newPairs counts for these keys alone.
func newPairs[K comparable](keys []K) pairs[K] { return pairs[K]{counts: emptyPairs(keys)} }

func emptyPairs[K comparable](keys []K) map[K]*[2]stats.Cell {
	m := make(map[K]*[2]stats.Cell, len(keys))
	for _, k := range keys {
		m[k] = &[2]stats.Cell{}
	}
	return m
}

// part gives the cells of one goroutine.
func (p *pairs[K]) part() map[K]*[2]stats.Cell {
	mine := emptyPairs(slices.Collect(maps.Keys(p.counts)))
	p.parts = append(p.parts, mine)
	return mine
}

// gather sums the parts.
func (p *pairs[K]) gather() {
	for _, mine := range p.parts {
		for k, n := range mine {
			for i := range n {
				p.counts[k][i].Merge(n[i])
			}
		}
	}
	p.parts = nil
}
