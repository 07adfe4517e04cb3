package stats

import (
	"cmp"
	"math"
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

// Excursions returns the runs of a series whose share of hits is greater than outside
// of them, those that gain most likelihood first: the model of an epidemic change, with
// one share inside a run and another outside (Levin and Kline, Statistics in Medicine
// 4, 1985). Unlike a median of the cells, the share outside does not depend on how long
// the run is: it may last for most of the series.
//
// The runs lie between the changes of Segment, which finds long ones, and the ends of
// the runs with the greatest log likelihood ratio against the share of the whole series
// (MaxSegment), which finds short ones: a single cut beside a short run gains little. A
// run must gain more than the criterion of Segment for two places and a share.
func Excursions(cells []Cell) []Excursion {
	filled := 0
	for _, c := range cells {
		if c.Trials > 0 {
			filled++
		}
	}
	if filled < 2 {
		return nil
	}
	edges := runEdges(cells)
	before := make([]Cell, len(edges)) // sums of the cells before each edge
	for i := 1; i < len(edges); i++ {
		before[i] = before[i-1]
		before[i].Merge(Sum(cells[edges[i-1]:edges[i]]))
	}
	all := before[len(edges)-1]
	whole := all.logLikelihood()
	penalty := 2*math.Log(float64(filled)) + minimalGain
	var found []Excursion
	for i := range edges {
		for j := i + 1; j < len(edges); j++ {
			x := Excursion{From: edges[i], To: edges[j], Inside: before[j].Minus(before[i])}
			x.Outside = all.Minus(x.Inside)
			if x.Outside.Trials == 0 || x.Inside.Hits*x.Outside.Trials <= x.Outside.Hits*x.Inside.Trials {
				continue
			}
			if x.Gain = x.Inside.logLikelihood() + x.Outside.logLikelihood() - whole; x.Gain > penalty {
				found = append(found, x)
			}
		}
	}
	slices.SortFunc(found, func(a, b Excursion) int {
		return cmp.Or(cmp.Compare(b.Gain, a.Gain), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return found[:min(len(found), maxExcursions)]
}

// excursionShares are the shares inside a run for which short runs are sought.
var excursionShares = [...]float64{0.03, 0.1, 0.3, 0.6, 0.9}

// runEdges returns the places at which a run may begin or end, from 0 to the number of
// cells.
func runEdges(cells []Cell) []int {
	changes := Segment(cells)
	if len(changes) > maxChanges {
		slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(b.Gain, a.Gain) })
		changes = changes[:maxChanges]
	}
	edges := []int{0, len(cells)}
	for _, c := range changes {
		edges = append(edges, c.At)
	}
	all := Sum(cells)
	usual := (float64(all.Hits) + 0.5) / (float64(all.Trials) + 1)
	scores := make([]float64, len(cells))
	for _, share := range excursionShares {
		if share <= usual {
			continue
		}
		hit, miss := math.Log(share/usual), math.Log((1-share)/(1-usual))
		for i, c := range cells {
			scores[i] = hit*float64(c.Hits) + miss*float64(c.Trials-c.Hits)
		}
		if from, to, sum := MaxSegment(scores); sum > 0 {
			edges = append(edges, from, to)
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}
