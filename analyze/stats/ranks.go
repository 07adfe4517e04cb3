package stats

import "math"

// RankTest compares a group with all others.
type RankTest struct {
	Wins float64 // share of the pairs of one of the group and one of the others in which the former is greater; ties count a half
	P    float64 // one-sided p-value of so many wins
}

// RankSums tests for each of a number of groups whether its values are greater than those
// of all others together, by the rank sum test (Mann and Whitney, Annals of Mathematical
// Statistics 18, 1947) in its normal approximation with the correction for ties (Lehmann,
// Nonparametrics, 1975). values must be in ascending order; group holds the group of each.
// A group that is empty, or holds all values, has no p-value but 1.
func RankSums(values []float64, group []int32, groups int) []RankTest {
	sums, sizes := make([]float64, groups), make([]float64, groups)
	ties, all := 0.0, float64(len(values))
	for from := 0; from < len(values); {
		to := from
		for to < len(values) && values[to] == values[from] {
			to++
		}
		rank := float64(from+to+1) / 2 // the mean of from+1 to to
		for _, g := range group[from:to] {
			sums[g] += rank
			sizes[g]++
		}
		t := float64(to - from)
		ties += t*t*t - t
		from = to
	}
	tests := make([]RankTest, groups)
	for g := range tests {
		n, m := sizes[g], all-sizes[g]
		t := &tests[g]
		if t.P = 1; n == 0 || m == 0 {
			continue
		}
		wins := sums[g] - n*(n+1)/2
		t.Wins = wins / (n * m)
		variance := n * m / 12 * (all + 1 - ties/(all*(all-1)))
		if z := wins - n*m/2 - 0.5; variance > 0 && z > 0 {
			t.P = math.Erfc(z/math.Sqrt(2*variance)) / 2
		}
	}
	return tests
}
