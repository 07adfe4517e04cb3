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
	for i := range max(len(deaths.counts), len(survivals.counts)) {
		if k, s := deaths.count(i), survivals.count(i); k+s > 0 {
			steps = append(steps, i)
			cells = append(cells, Cell{k, k + s})
		}
	}
	rises := func(left, right Cell) bool { return left.Hits*right.Trials < right.Hits*left.Trials }
	lls, best := cuts(cells, 0, rises)
	if best < 0 {
		return Threshold{}, false
	}
	all := sum(cells)
	whole := all.logLikelihood()
	t.Below = sum(cells[:best])
	t.Above = all.minus(t.Below)
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
