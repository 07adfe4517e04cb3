package stats

import "math/bits"

// Durations counts durations with a relative resolution of 1/1024, in the
// manner of HdrHistogram: exact below 2,048 ms, then 1,024 steps an octave.
// The zero value is empty. Counts add up, so histograms merge in any order.
type Durations struct {
	counts []int64
	total  int64
}

const stepBits = 10 // steps an octave: 1 << stepBits

func step(ms int64) int {
	ms = max(ms, 0)
	if ms < 2<<stepBits {
		return int(ms)
	}
	shift := bits.Len64(uint64(ms)) - stepBits - 1
	return shift<<stepBits + int(ms>>shift)
}

// StepStart gives the least duration in milliseconds that is counted in the
// same step as ms.
func StepStart(ms int64) int64 { return stepStart(step(ms)) }

func stepStart(i int) int64 {
	if i < 2<<stepBits {
		return int64(i)
	}
	shift := i>>stepBits - 1
	return int64(i-shift<<stepBits) << shift
}

// Add counts a duration in milliseconds.
func (d *Durations) Add(ms int64) {
	i := step(ms)
	if i >= len(d.counts) {
		d.grow(i)
	}
	d.counts[i]++
	d.total++
}

// grow makes room for a step. Memory behind it, which is not touched before it is
// needed, is had for longer ones.
func (d *Durations) grow(i int) {
	if i >= cap(d.counts) {
		counts := make([]int64, i+1, max(i+1+1<<stepBits, 2*len(d.counts)))
		copy(counts, d.counts)
		d.counts = counts
	}
	d.counts = d.counts[:i+1]
}

// Merge adds the counts of e.
func (d *Durations) Merge(e *Durations) {
	if len(e.counts) > len(d.counts) {
		d.counts = append(d.counts, make([]int64, len(e.counts)-len(d.counts))...)
	}
	for i, n := range e.counts {
		d.counts[i] += n
	}
	d.total += e.total
}

// Total gives how many durations were counted.
func (d *Durations) Total() int64 { return d.total }

// Aboves gives a function that tells how many durations were counted in steps
// above that of a duration in milliseconds. What is added later it does not see.
func (d *Durations) Aboves() func(ms int64) int64 {
	above := make([]int64, len(d.counts)) // by step
	n := int64(0)
	for i := len(above) - 1; i >= 0; i-- {
		above[i] = n
		n += d.counts[i]
	}
	return func(ms int64) int64 {
		if i := step(ms); i < len(above) {
			return above[i]
		}
		return 0
	}
}

// Threshold is a duration from which on trials fare differently.
type Threshold struct {
	// Low and High, in milliseconds, bound the threshold: trials up to Low
	// belong below it, trials from High on above. Any value between them is as
	// likely as the other. LowerBound and UpperBound span the 95 % interval.
	Low, High              int64
	LowerBound, UpperBound int64
	Gain                   float64 // log likelihood gained over one rate for all
	LogLikelihood          float64
	Below, Above           Cell // deaths and trials on either side
}

// FindThreshold finds the duration T that best tells deaths from survivals: a
// trial of a duration above T dies with one probability, one below with
// another, and the likelihood of both is the greatest. Only cuts above which
// dying is more likely count. It is a change-point in the binomial rate over
// the ordered durations, with the profile likelihood's interval.
func FindThreshold(deaths, survivals *Durations) (t Threshold, ok bool) {
	n := max(len(deaths.counts), len(survivals.counts))
	at := func(d *Durations, i int) int64 {
		if i < len(d.counts) {
			return d.counts[i]
		}
		return 0
	}
	// One cell for every step that holds a trial.
	var steps []int
	var cells []Cell
	var all Cell
	for i := range n {
		if k, s := at(deaths, i), at(survivals, i); k+s > 0 {
			steps = append(steps, i)
			cells = append(cells, Cell{k, k + s})
			all.Hits += k
			all.Trials += k + s
		}
	}
	whole := LogBinomial(all.Hits, all.Trials)
	lls := make([]float64, len(cells))
	var left Cell
	best := -1
	for i, c := range cells {
		lls[i] = whole
		right := Cell{all.Hits - left.Hits, all.Trials - left.Trials}
		// A cut before cell i, where the rate rises.
		if i > 0 && left.Hits*right.Trials < right.Hits*left.Trials {
			lls[i] = LogBinomial(left.Hits, left.Trials) + LogBinomial(right.Hits, right.Trials)
			if best < 0 || lls[i] > lls[best] {
				best = i
				t.Below, t.Above = left, right
			}
		}
		left.Merge(c)
	}
	if best < 0 {
		return Threshold{}, false
	}
	t.LogLikelihood, t.Gain = lls[best], lls[best]-whole
	t.Low, t.High = stepStart(steps[best-1]), stepStart(steps[best])
	t.LowerBound, t.UpperBound = t.Low, t.High
	for i := 1; i < len(lls); i++ {
		if lls[i] >= lls[best]-profile95 && lls[i] > whole {
			t.LowerBound = min(t.LowerBound, stepStart(steps[i-1]))
			t.UpperBound = max(t.UpperBound, stepStart(steps[i]))
		}
	}
	return t, true
}
