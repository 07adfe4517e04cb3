package stats

import (
	"maps"
	"math"
	"slices"
)

// Gaps are the gaps between successive events, in their unit, without their order: four
// bytes for each, or less where there are many. The zero value has none.
type Gaps struct {
	n       int
	recent  []uint32       // that are not counted yet
	counted map[uint32]int // of how many gaps each is
}

// maxRecent is the number of gaps from which on they are counted. Of many gaps there are
// few different ones: a thousand of them add up to half a million.
const maxRecent = 1 << 10

// Add adds a gap. One that is longer than uint32 has is as long as that.
func (g *Gaps) Add(gap int64) {
	g.n++
	g.recent = append(g.recent, uint32(min(gap, math.MaxUint32)))
	if len(g.recent) < maxRecent {
		return
	}
	if g.counted == nil {
		g.counted = map[uint32]int{}
	}
	for _, x := range g.recent {
		g.counted[x]++
	}
	g.recent = g.recent[:0]
}

// N returns the number of gaps.
func (g *Gaps) N() int { return g.n }

// Steady is the function Steady of the gaps.
func (g *Gaps) Steady(resolution int64) (typical int64, near int) {
	recent := slices.Sorted(slices.Values(g.recent))
	if g.counted == nil {
		return steady(g.n, resolution, func(yield func(int64, int) bool) {
			for _, x := range recent {
				if !yield(int64(x), 1) {
					return
				}
			}
		})
	}
	n := maps.Clone(g.counted)
	for _, x := range recent {
		n[x]++
	}
	distinct := slices.Sorted(maps.Keys(n))
	return steady(g.n, resolution, func(yield func(int64, int) bool) {
		for _, x := range distinct {
			if !yield(int64(x), n[x]) {
				return
			}
		}
	})
}
