package result

// Exhibit is what shows a finding at a glance, as figures that an output draws:
// one of Trend, Parts and Curve is set.
type Exhibit struct {
	Caption string // what is counted
	Trend   *Trend
	Parts   []Part
	Curve   *Curve
}

// Trend is what was refused and accepted over time, in equal steps. Accepted is
// nil where nothing was accepted that compares.
type Trend struct {
	From, Step        int64 // Unix microseconds, microseconds
	Refused, Accepted []int64
}

// Part is one of several things that are compared.
type Part struct {
	Name              string
	Refused, Accepted int64
	Marked            bool // it is the one that the finding is about
}

// Curve is how requests fared by how long their session had been silent (idle)
// or had lived (absolute), and the timeout that was inferred from it.
type Curve struct {
	Idle               bool
	Timeout, Low, High float64 // seconds; Low and High bound it with 95 % confidence
	Points             []Point // ascending
}

// Point is the requests after From to To seconds.
type Point struct {
	From, To          float64
	Refused, Accepted int64
}
