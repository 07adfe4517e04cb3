package stats

import (
	"math"
	"testing"
)

func TestRankSums(t *testing.T) {
	// Mann and Whitney's statistic of {3, 4, 4} against {1, 2, 2, 4}: of twelve pairs, ten
	// are won and two are ties.
	tests := RankSums([]float64{1, 2, 2, 3, 4, 4, 4}, []int32{1, 1, 1, 0, 0, 0, 1}, 3)
	if got, want := tests[0].Wins, 10.0/12; math.Abs(got-want) > 1e-12 {
		t.Errorf("wins %v, want %v", got, want)
	}
	if got := tests[0].Wins + tests[1].Wins; math.Abs(got-1) > 1e-12 {
		t.Errorf("both win %v of the pairs", got)
	}
	// Variance 12/12 × (8 − (6+24)/42), so z = 3.5/2.70 = 1.2956.
	if got := tests[0].P; math.Abs(got-0.0976) > 0.001 {
		t.Errorf("p-value %v", got)
	}
	if tests[1].P != 1 || tests[2].P != 1 {
		t.Errorf("p-values of the lesser and the empty group: %v", tests[1:])
	}
	if alike := RankSums([]float64{5, 5, 5, 5}, []int32{0, 1, 0, 1}, 2); alike[0].P != 1 || alike[0].Wins != 0.5 {
		t.Errorf("equal values: %v", alike[0])
	}
}
