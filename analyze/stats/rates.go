package stats

import "math"

// Ratio returns the ratio of the rate of k events in n to that of l events in m. It
// adds half an event to both counts (Haldane, Annals of Human Genetics 20, 1956) to
// avoid a division by zero. It returns 0 if n or m is not positive.
func Ratio(k, n, l, m int64) float64 {
	if n <= 0 || m <= 0 {
		return 0
	}
	return (float64(k) + 0.5) / float64(n) / ((float64(l) + 0.5) / float64(m))
}

// RateRatioTest returns the p-value of the two-sided test that k events in n and l
// events in m have the same Poisson rate: given their sum, k is binomial
// (Przyborowski and Wilenski, Biometrika 31, 1940). It returns 1 if there is nothing
// to compare.
func RateRatioTest(k, n, l, m int64) float64 {
	if n <= 0 || m <= 0 || k+l <= 0 {
		return 1
	}
	share := float64(n) / float64(n+m)
	return math.Min(1, 2*math.Min(BinomialTail(k, k+l, share), BinomialTail(l, k+l, 1-share)))
}
