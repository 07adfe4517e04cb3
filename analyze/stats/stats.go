// Package stats provides the statistics that the detectors use: pure functions of
// counts and durations, each with its source. Nothing in it is specific to logs.
package stats

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// Z95 is the standard normal quantile of a two-sided 95 % interval.
const Z95 = 1.959963984540054

// Odds returns the odds of a share, infinite for 1.
func Odds(share float64) float64 { return share / (1 - share) }

// WilsonLower returns the lower bound, in [0, 1], of the score interval of a share
// of k in n at the normal quantile z (Wilson, JASA 22, 1927). It returns 0 for
// n = 0.
func WilsonLower(k, n int64, z float64) float64 {
	if n == 0 {
		return 0
	}
	p, m := float64(k)/float64(n), float64(n)
	centre := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, (centre-half)/(1+z*z/m))
}

// BinomialTail returns the probability of at least k hits in n trials that each hit
// with probability p, by the regularised incomplete beta function (Abramowitz and
// Stegun, Handbook of Mathematical Functions, 26.5.24).
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

// PoissonTail returns the probability of at least k events if mean are expected, by
// the regularised incomplete gamma function (Abramowitz and Stegun, 26.4.21).
func PoissonTail(k int64, mean float64) float64 {
	switch {
	case k <= 0:
		return 1
	case mean <= 0:
		return 0
	}
	return mathext.GammaIncReg(float64(k), mean)
}

// ChiSquareTail returns the probability that a chi-square variable with the given
// degrees of freedom is at least x (Abramowitz and Stegun, 26.4.19): the p-value of
// a likelihood ratio statistic (Wilks, Annals of Mathematical Statistics 9, 1938).
func ChiSquareTail(x, degrees float64) float64 {
	if x <= 0 {
		return 1
	}
	return mathext.GammaIncRegComp(degrees/2, x/2)
}

// BenjaminiHochberg returns p-values adjusted for the number of tests, in the order
// of p (Benjamini and Hochberg, JRSS B 57, 1995). Of the findings whose adjusted
// p-value is at most q, an expected share of at most q is false.
func BenjaminiHochberg(p []float64) []float64 { return BenjaminiHochbergAmong(p, len(p)) }

// BenjaminiHochbergAmong is like BenjaminiHochberg for p-values that were selected
// among a greater number of tests, all others of which show nothing.
func BenjaminiHochbergAmong(p []float64, tests int) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	adjusted := make([]float64, len(p))
	least := 1.0
	for rank := len(order); rank > 0; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*float64(max(tests, len(p)))/float64(rank))
		adjusted[i] = least
	}
	return adjusted
}
