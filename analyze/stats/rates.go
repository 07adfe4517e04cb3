package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Ratio gives how many times the rate of k events in n is that of l in m, with
// half an event added to both counts (Haldane, Annals of Human Genetics 20,
// 1956), so that none is no division by zero. It is 0 where n or m is.
func Ratio(k, n, l, m int64) float64 {
	if n <= 0 || m <= 0 {
		return 0
	}
	return (float64(k) + 0.5) / float64(n) / ((float64(l) + 0.5) / float64(m))
}

// RateRatio gives the p-value of the two-sided test that k events in n and l in
// m have the same Poisson rate: given their sum, k is binomial (Przyborowski and
// Wilenski, Biometrika 31, 1940). It is 1 where there is nothing to compare.
func RateRatio(k, n, l, m int64) float64 {
	if n <= 0 || m <= 0 || k+l <= 0 {
		return 1
	}
	share := float64(n) / float64(n+m)
	return math.Min(1, 2*math.Min(BinomialTail(k, k+l, share), BinomialTail(l, k+l, 1-share)))
}

// BinomialTail gives the chance of at least k hits in n trials of a chance p, by
// the regularised incomplete beta function.
func BinomialTail(k, n int64, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n || p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}
