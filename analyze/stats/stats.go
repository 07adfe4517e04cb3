// Package stats holds the statistics that the detectors judge by: pure
// functions of counts, each with its source. They know nothing of logs.
package stats

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// Z95 is the normal quantile of a two-sided 95 % interval.
const Z95 = 1.959963984540054

// WilsonLower gives the lower bound of the score interval of a share of k in n
// at the normal quantile z (Wilson, JASA 22, 1927). It is 0 for n = 0.
func WilsonLower(k, n int64, z float64) float64 {
	if n == 0 {
		return 0
	}
	p, m := float64(k)/float64(n), float64(n)
	centre := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, (centre-half)/(1+z*z/m))
}

// PoissonTail gives the chance of at least k events where mean are expected,
// by the regularised incomplete gamma function.
func PoissonTail(k int64, mean float64) float64 {
	switch {
	case k <= 0:
		return 1
	case mean <= 0:
		return 0
	}
	return mathext.GammaIncReg(float64(k), mean)
}

// ChiSquareTail gives the chance that a chi-square variable with the degrees
// of freedom is at least x: the p-value of a likelihood ratio statistic
// (Wilks, Annals of Mathematical Statistics 9, 1938).
func ChiSquareTail(x, degrees float64) float64 {
	if x <= 0 {
		return 1
	}
	return mathext.GammaIncRegComp(degrees/2, x/2)
}

// BenjaminiHochberg gives the p-values adjusted for the number of tests
// (Benjamini and Hochberg, JRSS B 57, 1995): reporting those at most q keeps
// the expected share of false reports at most q.
func BenjaminiHochberg(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	adjusted := make([]float64, len(p))
	least := 1.0
	for rank := len(order); rank > 0; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*float64(len(p))/float64(rank))
		adjusted[i] = least
	}
	return adjusted
}

// LogBinomial gives the greatest log likelihood of k hits in n trials, without
// the binomial coefficient: that of the share k/n. It is 0 for n = 0.
func LogBinomial(k, n int64) float64 {
	if k == 0 || k == n {
		return 0
	}
	p, m := float64(k)/float64(n), float64(n)
	return m * (p*math.Log(p) + (1-p)*math.Log1p(-p))
}
