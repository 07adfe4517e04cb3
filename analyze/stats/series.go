package stats

import (
	"iter"
	"math"
	"slices"
)

// MedianDeviation returns the median of values, and an estimate of their standard
// deviation from the median absolute deviation, which is consistent for a normal
// distribution (Hampel, JASA 69, 1974). Outliers affect neither. It sorts values.
func MedianDeviation(values []float64) (median, deviation float64) {
	if len(values) == 0 {
		return 0, 0
	}
	median = sortedMedian(values)
	off := make([]float64, len(values))
	for i, v := range values {
		off[i] = math.Abs(v - median)
	}
	return median, 1.4826 * sortedMedian(off)
}

// sortedMedian sorts values and returns their median.
func sortedMedian(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// steadyBand is how far a gap may differ from the typical one, as a share of it: a
// timer with a random delay of up to half its period still counts as steady.
const steadyBand = 0.5

// Steady returns the typical gap between events, which is the lower median, and the
// number of gaps that are near it: within half of it or within the resolution of the
// times. All are in the unit of gaps. About a third of the gaps of a Poisson process
// are near, fewer of those of people. Unlike the coefficient of variation, it is
// robust against pauses and missed rounds. The band around the median is our own
// definition, in place of the peak of the histogram of gaps.
func Steady(gaps []int64, resolution int64) (typical int64, near int) {
	sorted := slices.Sorted(slices.Values(gaps))
	return steady(len(sorted), resolution, func(yield func(int64, int) bool) {
		for _, g := range sorted {
			if !yield(g, 1) {
				return
			}
		}
	})
}

// steady is Steady of n gaps, which ascending yields with how many of each there are.
func steady(n int, resolution int64, ascending iter.Seq2[int64, int]) (typical int64, near int) {
	below := 0
	for gap, k := range ascending {
		if below += k; below > (n-1)/2 {
			typical = gap
			break
		}
	}
	band := max(int64(steadyBand*float64(typical)), resolution)
	for gap, k := range ascending {
		if gap >= typical-band && gap <= typical+band {
			near += k
		}
	}
	return typical, near
}

// RandomNear returns the share of random gaps (exponential ones) that Steady counts near the
// typical one, in a log whose times are rounded to a resolution.
func RandomNear(typical, resolution int64) float64 {
	if typical <= 0 {
		return 1
	}
	rate := math.Ln2 / float64(typical)
	band := max(steadyBand*float64(typical), float64(resolution)) + float64(resolution)/2
	return math.Exp(-rate*max(float64(typical)-band, 0)) - math.Exp(-rate*(float64(typical)+band))
}

// MaxSegment returns the run of scores [from, to) with the greatest sum, the first
// one of several, and its sum (Bentley, Communications of the ACM 27, 1984). The sum
// is 0 if no score is positive. See SegmentTail for scores that are log likelihood
// ratios.
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

// SegmentTail returns an upper bound, n·exp(-sum), of the probability that a series
// of n log likelihood ratios has a run with at least that sum by chance (Karlin and
// Altschul, PNAS 87, 1990).
func SegmentTail(sum float64, n int) float64 { return min(1, float64(n)*math.Exp(-sum)) }
