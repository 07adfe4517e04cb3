package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance || math.IsNaN(got) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

// The references are R's: prop.test(8, 10, correct=FALSE), ppois(9, 4,
// lower.tail=FALSE), pchisq(10, 2, lower.tail=FALSE).
func TestTails(t *testing.T) {
	near(t, "WilsonLower(8, 10)", WilsonLower(8, 10, Z95), 0.4901625, 1e-6)
	near(t, "WilsonLower(0, 0)", WilsonLower(0, 0, Z95), 0, 0)
	near(t, "WilsonLower(0, 5)", WilsonLower(0, 5, Z95), 0, 1e-12)
	near(t, "PoissonTail(10, 4)", PoissonTail(10, 4), 0.008132243, 1e-8)
	near(t, "PoissonTail(0, 4)", PoissonTail(0, 4), 1, 0)
	near(t, "PoissonTail(3, 0)", PoissonTail(3, 0), 0, 0)
	near(t, "ChiSquareTail(10, 2)", ChiSquareTail(10, 2), math.Exp(-5), 1e-12)
	near(t, "LogBinomial(5, 10)", LogBinomial(5, 10), 10*math.Log(0.5), 1e-9)
}

func TestBenjaminiHochberg(t *testing.T) {
	got := BenjaminiHochberg([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.02, 0.04, 0.04, 0.02} { // R: p.adjust(…, "BH")
		near(t, "adjusted", got[i], want, 1e-12)
	}
	if got := BenjaminiHochberg(nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// series makes cells of the given trials with a share of hits that changes
// from cell to cell.
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

func TestSplitFindsTheChange(t *testing.T) {
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
		t.Errorf("the 95 %% interval held the change in %d of 200 series", covered)
	}
	if _, ok := Split(make([]Cell, 9)); ok {
		t.Error("a series without trials was cut")
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
		t.Errorf("%d of 200 series without a change were cut", cut)
	}
	shares := append(append(repeat(0.02, 60), repeat(0.95, 30)...), repeat(0.02, 60)...)
	cuts := Segment(series(r, 6, shares...))
	if len(cuts) != 2 || cuts[0].At < 59 || cuts[0].At > 61 || cuts[1].At < 89 || cuts[1].At > 91 {
		t.Errorf("Segment = %+v, want cuts at 60 and 90", cuts)
	}
	if len(Segment([]Cell{{0, 5}})) != 0 {
		t.Error("one cell was cut")
	}
}

func TestDurationsResolution(t *testing.T) {
	for ms := int64(0); ms < 1<<40; ms = ms*1001/1000 + 1 {
		start := StepStart(ms)
		if start > ms || float64(ms-start) > float64(ms)/1024+1e-9 {
			t.Fatalf("StepStart(%d) = %d: off by more than 1/1024", ms, start)
		}
		if step(start) != step(ms) || start > 0 && step(start-1) == step(ms) {
			t.Fatalf("StepStart(%d) = %d is not where its step starts", ms, start)
		}
	}
	if StepStart(-5) != 0 {
		t.Error("a negative duration is not 0")
	}
}

func TestDurationsMerge(t *testing.T) {
	var all, a, b Durations
	for i, ms := range []int64{0, 1, 1500, 1_800_000, 1_800_000, 7_200_000, 90} {
		all.Add(ms)
		if i%2 == 0 {
			a.Add(ms)
		} else {
			b.Add(ms)
		}
	}
	b.Merge(&a)
	above, allAbove := b.Aboves(), all.Aboves()
	for ms, want := range map[int64]int64{0: 6, 1: 5, 2000: 3, 1_799_000: 3, 1_800_000: 1, 1 << 40: 0} {
		if got, gotAll := above(ms), allAbove(ms); got != want || gotAll != want {
			t.Errorf("%d and %d above %d, want %d", got, gotAll, ms, want)
		}
	}
	if b.Total() != 7 {
		t.Errorf("Total = %d, want 7", b.Total())
	}
}

func TestFindThreshold(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const timeout = 1_800_000
	for _, noise := range []float64{0, 0.02} {
		var died, lived Durations
		for range 3000 {
			ms := int64(30_000 * math.Exp(r.NormFloat64()*2))
			if (ms > timeout) != (r.Float64() < noise) {
				died.Add(ms)
			} else {
				lived.Add(ms)
			}
		}
		got, ok := FindThreshold(&died, &lived)
		if !ok {
			t.Fatal("no threshold")
		}
		if mid := float64(got.Low+got.High) / 2; math.Abs(mid-timeout) > 0.05*timeout {
			t.Errorf("noise %v: threshold %v, want %v within 5 %%", noise, mid, timeout)
		}
		if got.LowerBound > timeout || got.UpperBound < timeout {
			t.Errorf("noise %v: interval %d to %d does not hold %d", noise, got.LowerBound, got.UpperBound, timeout)
		}
		if n := got.Above.Trials + got.Below.Trials; n != 3000 {
			t.Errorf("noise %v: %d trials on both sides, want 3000", noise, n)
		}
	}
	// Deaths that come at any duration have no threshold worth its name.
	var died, lived Durations
	for range 2000 {
		ms := int64(30_000 * math.Exp(r.NormFloat64()*2))
		if r.Float64() < 0.1 {
			died.Add(ms)
		} else {
			lived.Add(ms)
		}
	}
	if got, ok := FindThreshold(&died, &lived); ok && got.Gain > 10 {
		t.Errorf("threshold of deaths at random: %+v", got)
	}
	if _, ok := FindThreshold(new(Durations), new(Durations)); ok {
		t.Error("a threshold of nothing")
	}
}
