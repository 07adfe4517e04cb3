package stats

import "math"

// Cell counts the trials of one step of an ordered series, and the hits among
// them.
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

// Change is where the share of hits of a series changes.
type Change struct {
	At        int     // first cell of the new share
	Gain      float64 // log likelihood gained over one share for all
	Low, High int     // cells between which At lies with 95 % confidence
}

// profile95 is by how much the log likelihood may fall short of its maximum
// within a 95 % interval: half the chi-square quantile of one degree.
const profile95 = 1.92

// Split finds the one cut of the series that gains most likelihood when the
// share of hits may differ before and after it: a change-point of a binomial
// rate. The interval is the profile likelihood's. ok is false where there is
// nothing to cut.
func Split(cells []Cell) (c Change, ok bool) {
	var all Cell
	for _, x := range cells {
		all.Merge(x)
	}
	whole := LogBinomial(all.Hits, all.Trials)
	gains := make([]float64, len(cells))
	var left Cell
	best := -1
	for i, x := range cells {
		// A cut before cell i.
		gains[i] = math.Inf(-1)
		if i > 0 && x.Trials > 0 && left.Trials > 0 {
			gains[i] = LogBinomial(left.Hits, left.Trials) +
				LogBinomial(all.Hits-left.Hits, all.Trials-left.Trials) - whole
			if best < 0 || gains[i] > gains[best] {
				best = i
			}
		}
		left.Merge(x)
	}
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

// Segment cuts a series where its share of hits changes, by binary
// segmentation (Scott and Knott, Biometrics 30, 1974): the best cut is kept
// when it gains more than the penalty, and both sides are cut again. The
// penalty per cut is that of the Bayesian information criterion with two
// parameters, a place and a share, in the number of cells that hold trials.
// The changes come in ascending order.
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

// minimalGain is what a cut must gain beside the criterion's penalty, so that
// short series are not cut at chance: a likelihood ratio of e^3.
const minimalGain = 3

func segment(cells []Cell, offset int, penalty float64, cuts []Change) []Change {
	c, ok := Split(cells)
	if !ok || c.Gain <= penalty {
		return cuts
	}
	cuts = segment(cells[:c.At], offset, penalty, cuts)
	d := c
	d.At, d.Low, d.High = c.At+offset, c.Low+offset, c.High+offset
	cuts = append(cuts, d)
	return segment(cells[c.At:], offset+c.At, penalty, cuts)
}
