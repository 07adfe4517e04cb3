package stats

import (
	"cmp"
	"slices"
)

// Excursion is a run of cells [From, To) whose share of hits is greater than that of
// all other cells.
type Excursion struct {
	From, To        int
	Inside, Outside Cell
	Gain            float64 // gain of log likelihood over one share for all, in nats
}

const (
	// maxChanges is the maximum number of changes between which runs are sought,
	// those that gain most: every pair of them is a run.
	maxChanges = 64
	// maxExcursions is the maximum number of runs returned.
	maxExcursions = 32
)

// Excursions returns the runs between the changes of a series (see Segment) whose
// share of hits is greater than outside of them, those that gain most likelihood
// first: the model of an epidemic change, with one share inside a run and another
// outside (Levin and Kline, Statistics in Medicine 4, 1985). Unlike a median of the
// cells, the share outside does not depend on how long the run is: it may last for
// most of the series.
func Excursions(cells []Cell) []Excursion {
	changes := Segment(cells)
	if len(changes) > maxChanges {
		slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(b.Gain, a.Gain) })
		changes = changes[:maxChanges]
	}
	edges := make([]int, 0, len(changes)+2)
	edges = append(edges, 0)
	for _, c := range changes {
		edges = append(edges, c.At)
	}
	slices.Sort(edges)
	edges = append(edges, len(cells))
	before := make([]Cell, len(edges)) // sums of the cells before each edge
	for i := 1; i < len(edges); i++ {
		before[i] = before[i-1]
		before[i].Merge(sum(cells[edges[i-1]:edges[i]]))
	}
	all := before[len(edges)-1]
	var found []Excursion
	for i := range edges {
		for j := i + 1; j < len(edges); j++ {
			x := Excursion{From: edges[i], To: edges[j], Inside: before[j].minus(before[i])}
			x.Outside = all.minus(x.Inside)
			if x.Outside.Trials == 0 || x.Inside.Hits*x.Outside.Trials <= x.Outside.Hits*x.Inside.Trials {
				continue
			}
			x.Gain = x.Inside.logLikelihood() + x.Outside.logLikelihood() - all.logLikelihood()
			found = append(found, x)
		}
	}
	slices.SortFunc(found, func(a, b Excursion) int {
		return cmp.Or(cmp.Compare(b.Gain, a.Gain), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return found[:min(len(found), maxExcursions)]
}
