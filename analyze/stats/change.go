package stats

import "math"

// Cell counts the trials, and the hits among them, of one step of an ordered
// series.
type Cell struct{ Hits, Trials int64 }

// Add counts a trial.
func (c *Cell) Add(hit bool) {
	c.Trials++
	if hit {
		c.Hits++
	}
}

// Merge adds the counts of d.
func (c *Cell) Merge(d Cell) {
	c.Hits += d.Hits
	c.Trials += d.Trials
}

// Minus returns a sum without one of its parts.
func (c Cell) Minus(part Cell) Cell { return Cell{c.Hits - part.Hits, c.Trials - part.Trials} }

// Smoothed returns the share of hits with one of each added (Laplace's rule of succession):
// without trials it says nothing.
func (c Cell) Smoothed() float64 { return float64(c.Hits+1) / float64(c.Trials+2) }

// logLikelihood returns the maximum log likelihood, in nats, of the hits, which is that
// of the probability Hits/Trials, without the binomial coefficient (Casella and
// Berger, Statistical Inference, 7.2.2). It returns 0 without trials.
func (c Cell) logLikelihood() float64 {
	if c.Hits == 0 || c.Hits == c.Trials {
		return 0
	}
	p, n := float64(c.Hits)/float64(c.Trials), float64(c.Trials)
	return n * (p*math.Log(p) + (1-p)*math.Log1p(-p))
}

// Sum returns the sum of cells.
func Sum(cells []Cell) (all Cell) {
	for _, c := range cells {
		all.Merge(c)
	}
	return all
}

// Change is a change of the share of hits in a series.
type Change struct {
	At        int     // index of the first cell with the new share
	Gain      float64 // gain of log likelihood over a constant share, in nats
	Low, High int     // 95 % interval of At
}

// profile95 is how far the log likelihood falls below its maximum within a 95 %
// interval: half the chi-square quantile of one degree of freedom.
const profile95 = 1.92

// Split returns the change-point of a binomial rate: the one cut of the series that
// gains most likelihood if the share of hits may differ before and after it (Hinkley
// and Hinkley, Biometrika 57, 1970). The interval is that of the profile likelihood.
// ok is false if the series cannot be cut.
func Split(cells []Cell) (c Change, ok bool) {
	whole := Sum(cells).logLikelihood()
	gains, best := cuts(cells, whole, func(_, _ Cell) bool { return true })
	if best < 0 {
		return Change{}, false
	}
	c = Change{At: best, Gain: gains[best], Low: best, High: best}
	for i, g := range gains {
		if g >= gains[best]-profile95 {
			c.Low, c.High = min(c.Low, i), max(c.High, i)
		}
	}
	return c, true
}

// cuts returns, for a cut before each cell, by how much the log likelihood of both
// sides exceeds base, and the index of the first maximum, or -1. It is -Inf for cuts
// that are not allowed, that have no trials on the left, or none in the cell.
func cuts(cells []Cell, base float64, allowed func(left, right Cell) bool) (scores []float64, best int) {
	all := Sum(cells)
	scores = make([]float64, len(cells))
	var left Cell
	best = -1
	for i, x := range cells {
		scores[i] = math.Inf(-1)
		if right := all.Minus(left); left.Trials > 0 && x.Trials > 0 && allowed(left, right) {
			scores[i] = left.logLikelihood() + right.logLikelihood() - base
			if best < 0 || scores[i] > scores[best] {
				best = i
			}
		}
		left.Merge(x)
	}
	return scores, best
}

// Segment returns the changes of the share of hits in a series, in ascending order,
// by binary segmentation (Scott and Knott, Biometrics 30, 1974): if the best cut
// gains more than a penalty, both sides are cut again. The penalty is that of the
// Bayesian information criterion (Schwarz, Annals of Statistics 6, 1978) for two
// parameters, a place and a share, in the number of cells with trials, plus
// minimalGain.
func Segment(cells []Cell) []Change {
	filled := 0
	for _, x := range cells {
		if x.Trials > 0 {
			filled++
		}
	}
	if filled < 2 {
		return nil
	}
	penalty := math.Log(float64(filled)) + minimalGain
	return segment(cells, 0, penalty, nil)
}

// minimalGain is what a cut must gain in addition to the penalty of the criterion,
// so that short series are not cut by chance: a likelihood ratio of e^3.
const minimalGain = 3

func segment(cells []Cell, offset int, penalty float64, changes []Change) []Change {
	c, ok := Split(cells)
	if !ok || c.Gain <= penalty {
		return changes
	}
	changes = segment(cells[:c.At], offset, penalty, changes)
	changes = append(changes, Change{At: c.At + offset, Gain: c.Gain, Low: c.Low + offset, High: c.High + offset})
	return segment(cells[c.At:], offset+c.At, penalty, changes)
}
