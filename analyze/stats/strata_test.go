package stats

import "testing"

func TestCochranMantelHaenszel(t *testing.T) {
	cell := func(hits, trials int64) Cell { return Cell{hits, trials} }
	// Agresti, Categorical Data Analysis (2nd ed., 2002), table 6.9: a treatment
	// in eight centres; the statistic is 6.38 without correction, the common
	// odds ratio 2.13.
	centres := []Stratum{
		{cell(11, 36), cell(10, 37)}, {cell(16, 20), cell(22, 32)}, {cell(14, 19), cell(7, 19)}, {cell(2, 16), cell(1, 17)},
		{cell(6, 17), cell(0, 12)}, {cell(1, 11), cell(0, 10)}, {cell(1, 5), cell(1, 9)}, {cell(4, 6), cell(6, 7)},
	}
	p, odds := CochranMantelHaenszel(centres)
	near(t, "p", p, 0.0079, 0.002)
	near(t, "odds", odds, 2.13, 0.1)

	for _, tt := range []struct {
		name   string
		strata []Stratum
		sure   bool
	}{
		{"no strata", nil, false},
		{"only one group", []Stratum{{cell(50, 50), cell(0, 0)}}, false},
		{"a bad backend", []Stratum{{cell(30, 30), cell(0, 60)}, {cell(20, 21), cell(1, 40)}}, true},
		// All backends refuse one route, and this one serves it more often: there is no
		// difference within the strata.
		{"a bad route", []Stratum{{cell(90, 90), cell(10, 10)}, {cell(0, 10), cell(0, 90)}}, false},
	} {
		if p, _ := CochranMantelHaenszel(tt.strata); p < 0.001 != tt.sure {
			t.Errorf("%s: p = %v", tt.name, p)
		}
	}
}
