package stats

import "gonum.org/v1/gonum/mathext"

// BinomialTail gives the chance of at least k hits in n trials of chance p each,
// by the regularised incomplete beta function.
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
