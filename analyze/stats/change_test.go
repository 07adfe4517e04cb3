package stats

import (
	"math/rand/v2"
	"testing"
)

// series returns cells with the given number of trials and shares of hits.
func series(r *rand.Rand, trials int64, shares ...float64) []Cell {
	cells := make([]Cell, len(shares))
	for i, p := range shares {
		cells[i].Trials = trials
		for range trials {
			if r.Float64() < p {
				cells[i].Hits++
			}
		}
	}
	return cells
}

func repeat(p float64, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = p
	}
	return s
}

func TestSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	covered := 0
	for range 200 {
		cells := series(r, 5, append(repeat(0.05, 70), repeat(0.6, 50)...)...)
		c, ok := Split(cells)
		if !ok || c.At < 65 || c.At > 75 {
			t.Fatalf("Split = %+v, %v, want a cut near 70", c, ok)
		}
		if c.Low <= 70 && 70 <= c.High {
			covered++
		}
	}
	if covered < 180 { // 95 % nominal
		t.Errorf("the 95 %% interval contains the change in %d of 200 series", covered)
	}
	if _, ok := Split(make([]Cell, 9)); ok {
		t.Error("Split found a change without trials")
	}
}

func TestSegment(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	cut := 0
	for range 200 {
		if len(Segment(series(r, 4, repeat(0.1, 200)...))) > 0 {
			cut++
		}
	}
	if cut > 10 {
		t.Errorf("Segment found changes in %d of 200 constant series", cut)
	}
	shares := append(append(repeat(0.02, 60), repeat(0.95, 30)...), repeat(0.02, 60)...)
	cuts := Segment(series(r, 6, shares...))
	if len(cuts) != 2 || cuts[0].At < 59 || cuts[0].At > 61 || cuts[1].At < 89 || cuts[1].At > 91 {
		t.Errorf("Segment = %+v, want cuts at 60 and 90", cuts)
	}
	if len(Segment([]Cell{{0, 5}})) != 0 {
		t.Error("Segment found a change in one cell")
	}
}
