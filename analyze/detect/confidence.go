package detect

import "math"

// falseReports is the share of false reports that is allowed over all accounts or
// clients that a detector tests, after the adjustment by Benjamini and Hochberg.
const falseReports = 0.001

// confidence returns the confidence in a finding from the p-value of its test and
// the lower bound of its effect: the chance that it is not chance, times the effect
// that is certain.
func confidence(p, effect float64) float64 {
	return round(min(0.99, (1-p)*min(1, effect+0.05)), 2)
}

// round returns x with so many digits after the point.
func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}
