package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestSteady(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, x := range []struct {
		name        string
		gap         func() int64
		least, most float64 // share near the typical gap
	}{
		{"a timer with jitter", func() int64 { return 60_000 + r.Int64N(6000) }, 1, 1},
		{"a timer with a random delay", func() int64 { return 40_000 + r.Int64N(40_000) }, 1, 1},
		{"a timer that misses one round in ten", func() int64 {
			if r.IntN(10) == 0 {
				return 120_000
			}
			return 60_000
		}, 0.85, 0.95},
		{"a Poisson process", func() int64 { return int64(60_000 * r.ExpFloat64()) }, 0.25, 0.45},
	} {
		gaps := make([]int64, 400)
		for i := range gaps {
			gaps[i] = x.gap()
		}
		_, near := Steady(gaps, 1000)
		if s := float64(near) / 400; s < x.least || s > x.most {
			t.Errorf("%s: %v of the gaps are near, want %v to %v", x.name, s, x.least, x.most)
		}
	}
	if typical, near := Steady([]int64{2000, 1000, 3000}, 1000); typical != 2000 || near != 3 {
		t.Errorf("whole seconds: %d, %d", typical, near)
	}
	if _, near := Steady(nil, 1000); near != 0 {
		t.Error("Steady found gaps in an empty list")
	}
}

func TestMaxSegment(t *testing.T) {
	for _, x := range []struct {
		scores   []float64
		from, to int
		sum      float64
	}{
		{nil, 0, 0, 0},
		{[]float64{-1, -2}, 0, 0, 0},
		{[]float64{1, -3, 2, -1, 2, -4, 1}, 2, 5, 3},
		{[]float64{2, -1, 2}, 0, 3, 3},
		{[]float64{1, -1, 1}, 0, 1, 1},
	} {
		from, to, sum := MaxSegment(x.scores)
		if from != x.from || to != x.to || sum != x.sum {
			t.Errorf("MaxSegment(%v) = %d, %d, %v, want %d, %d, %v", x.scores, from, to, sum, x.from, x.to, x.sum)
		}
	}
	// Fair coins: at most 1 % of the series have a run whose bound is at most 1 %.
	r := rand.New(rand.NewPCG(9, 10))
	met := 0
	for range 2000 {
		scores := make([]float64, 100)
		for i := range scores {
			scores[i] = -2.81 // log(0.03/0.5)
			if r.IntN(2) == 0 {
				scores[i] = 0.66 // log(0.97/0.5)
			}
		}
		if _, _, sum := MaxSegment(scores); SegmentTail(sum, 100) <= 0.01 {
			met++
		}
	}
	if met > 20 {
		t.Errorf("%d of 2000 fair series have a run bounded by 1 %%", met)
	}
}

func TestMedianDeviation(t *testing.T) {
	for _, tt := range []struct {
		values            []float64
		median, deviation float64
	}{
		{nil, 0, 0},
		{[]float64{7}, 7, 0},
		{[]float64{1, 2, 3, 4, 1000}, 3, 1.4826},
		{[]float64{4, 1, 3, 2}, 2.5, 1.4826},
	} {
		m, d := MedianDeviation(tt.values)
		near(t, "median", m, tt.median, 1e-12)
		near(t, "deviation", d, tt.deviation, 1e-12)
	}
}

// TestRandomNear compares the share of random gaps near the typical one with that of a sample.
func TestRandomNear(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, mean := range []float64{900, 2300, 30_000} {
		gaps := make([]int64, 20_000)
		at, last := 0.0, int64(0)
		for i := range gaps {
			at += r.ExpFloat64() * mean
			now := int64(at) / 1000 * 1000
			gaps[i], last = now-last, now
		}
		typical, near := Steady(gaps, 1000)
		if got, want := float64(near)/float64(len(gaps)), RandomNear(typical, 1000); math.Abs(got-want) > 0.12 {
			t.Errorf("gaps of %v ms: %.2f near %d, RandomNear %.2f", mean, got, typical, want)
		}
	}
}
