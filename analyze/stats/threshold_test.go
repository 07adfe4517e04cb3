package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

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
			t.Errorf("noise %v: interval %d to %d does not contain %d", noise, got.LowerBound, got.UpperBound, timeout)
		}
		if n := got.Above.Trials + got.Below.Trials; n != 3000 {
			t.Errorf("noise %v: %d trials on both sides, want 3000", noise, n)
		}
	}
	// Deaths that do not depend on the duration have no significant threshold.
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
		t.Errorf("threshold of random deaths: %+v", got)
	}
	if _, ok := FindThreshold(new(Durations), new(Durations)); ok {
		t.Error("threshold without trials")
	}
}
