package stats

import "math"

// Stratum is a table of two groups in one stratum, such as one route in one hour:
// the hits and trials of the group in question and of all others.
type Stratum struct{ Group, Others Cell }

// CochranMantelHaenszel tests whether a group is hit more often than the others,
// over strata whose probabilities may differ (Cochran, Biometrics 10, 1954; Mantel
// and Haenszel, JNCI 22, 1959; with continuity correction). It returns the p-value
// of the one-sided test, and the common odds ratio of Mantel and Haenszel with 0.5
// added to its numerator and denominator. It ignores strata without both groups.
func CochranMantelHaenszel(strata []Stratum) (p, odds float64) {
	var observed, expected, variance, up, down float64
	for _, s := range strata {
		n1, n2 := float64(s.Group.Trials), float64(s.Others.Trials)
		if n1 == 0 || n2 == 0 {
			continue
		}
		a, c := float64(s.Group.Hits), float64(s.Others.Hits)
		n, m := n1+n2, a+c
		observed += a
		expected += n1 * m / n
		if n > 1 {
			variance += n1 * n2 * m * (n - m) / (n * n * (n - 1))
		}
		up += a * (n2 - c) / n
		down += c * (n1 - a) / n
	}
	odds = (up + 0.5) / (down + 0.5)
	if variance == 0 || observed <= expected {
		return 1, odds
	}
	z := math.Max(0, observed-expected-0.5)
	return ChiSquareTail(z*z/variance, 1) / 2, odds
}
