package stats

// Threshold is a duration above which trials die more often. Durations are in
// milliseconds.
type Threshold struct {
	// The threshold is between Low and High: trials up to Low are below it, trials
	// from High on above. All values between are equally likely.
	Low, High              int64
	LowerBound, UpperBound int64   // 95 % interval
	Gain                   float64 // gain of log likelihood over a constant rate, in nats
	LogLikelihood          float64 // in nats
	Below, Above           Cell    // deaths among the trials on either side
}

// FindThreshold returns the threshold that separates deaths from survivals best: if
// trials above it die with one probability and those below with a lower one, it
// maximises the likelihood. It is the change-point of a binomial rate over the
// ordered durations, with an interval of the profile likelihood; see Split. ok is
// false if no cut has a higher rate of deaths above it.
func FindThreshold(deaths, survivals *Durations) (t Threshold, ok bool) {
	// One cell for each step with trials.
	var steps []int
	var cells []Cell
	for died, lived := deaths.steps(), survivals.steps(); len(died)+len(lived) > 0; {
		var i int
		var c Cell
		if len(lived) == 0 || len(died) > 0 && died[0].step <= lived[0].step {
			i, c = died[0].step, Cell{died[0].n, died[0].n}
			died = died[1:]
		} else {
			i = lived[0].step
		}
		if len(lived) > 0 && lived[0].step == i {
			c.Trials += lived[0].n
			lived = lived[1:]
		}
		steps, cells = append(steps, i), append(cells, c)
	}
	rises := func(left, right Cell) bool { return left.Hits*right.Trials < right.Hits*left.Trials }
	lls, best := cuts(cells, 0, rises)
	if best < 0 {
		return Threshold{}, false
	}
	all := Sum(cells)
	whole := all.logLikelihood()
	t.Below = Sum(cells[:best])
	t.Above = all.Minus(t.Below)
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
