package stats

import (
	"math"
	"slices"
)

// steadyBand is by how much a gap may differ from the typical one: a timer with
// a random delay of up to half its period still is one.
const steadyBand = 0.5

// Steady gives the typical gap between events, and how many of the gaps are
// about as long: within a half, or the resolution of the times. Of the gaps of a
// Poisson process about a third are, of those of people, which are spread more
// widely, fewer. It is the peak of the histogram of gaps, taken at the median:
// robust against pauses and missed rounds, which spoil the coefficient of
// variation.
func Steady(gaps []int64, resolution int64) (typical int64, near int) {
	if len(gaps) == 0 {
		return 0, 0
	}
	sorted := slices.Clone(gaps)
	slices.Sort(sorted)
	typical = sorted[(len(sorted)-1)/2]
	band := max(int64(steadyBand*float64(typical)), resolution)
	for _, g := range sorted {
		if g >= typical-band && g <= typical+band {
			near++
		}
	}
	return typical, near
}

// MaxSegment gives the run of scores [from, to) with the greatest sum (Bentley,
// Communications of the ACM 27, 1984), the first of several; the sum is 0 where
// no score is positive. With scores that are log likelihood ratios, the chance
// that a series of n has such a run by accident is at most about n·exp(-sum)
// (Karlin and Altschul, PNAS 87, 1990).
func MaxSegment(scores []float64) (from, to int, sum float64) {
	start, running := 0, 0.0
	for i, s := range scores {
		if running <= 0 {
			start, running = i, 0
		}
		if running += s; running > sum {
			from, to, sum = start, i+1, running
		}
	}
	return from, to, sum
}

// SegmentTail bounds the chance of a run with that sum in a series of n.
func SegmentTail(sum float64, n int) float64 { return min(1, float64(n)*math.Exp(-sum)) }
