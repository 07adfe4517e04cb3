package stats

import "testing"

func TestRateRatio(t *testing.T) {
	for _, tt := range []struct {
		k, n, l, m int64
		want       float64
	}{
		{10, 100, 0, 100, 2.0 / 1024},
		{0, 100, 10, 100, 2.0 / 1024},
		{8, 100, 2, 100, 112.0 / 1024},
		{5, 100, 5, 100, 1},
		{0, 100, 0, 100, 1},
		{7, 0, 7, 100, 1},
		// Twice the requests, twice the events.
		{200, 2000, 100, 1000, 1},
	} {
		if got := RateRatioTest(tt.k, tt.n, tt.l, tt.m); got < tt.want-0.03 || got > tt.want+0.03 {
			t.Errorf("RateRatioTest(%d, %d, %d, %d) = %v, want %v", tt.k, tt.n, tt.l, tt.m, got, tt.want)
		}
	}
	near(t, "ratio", Ratio(20, 1000, 10, 1000), 20.5/10.5, 1e-12)
	near(t, "ratio", Ratio(0, 1000, 0, 2000), 2, 1e-12)
	near(t, "ratio", Ratio(5, 0, 5, 10), 0, 0)
}
