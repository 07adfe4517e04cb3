package detect

import "math"

// falseReports is the accepted rate of false reports over all accounts or clients
// that a kind tests, after the adjustment by Benjamini and Hochberg.
const falseReports = 0.001

// confidence returns the confidence in a finding, from 0 to 0.99: one minus the
// p-value of its test, times the lower bound of its effect.
func confidence(p, effect float64) float64 {
	return round(min(0.99, (1-p)*min(1, effect+0.05)), 2)
}

// round returns x rounded to a number of digits after the decimal point.
func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}
