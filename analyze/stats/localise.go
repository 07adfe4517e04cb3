package stats

import (
	"cmp"
	"math"
	"slices"
)

// Part is how much of a total belongs to one element of an attribute, such as
// one endpoint, in fact and as was to be expected.
type Part struct {
	Element          uint64
	Actual, Expected float64
}

// Share is a set of elements of one attribute that makes an anomaly.
type Share struct {
	Elements []uint64 // by their surprise, the greatest first
	Power    float64  // explanatory power: their share of the excess
	Surprise float64  // how much their distribution differs, in nats
}

const (
	// elementPower is the least share of the excess of an element that counts.
	elementPower = 0.1
	// elementRise is how many times its usual share of all an element must have:
	// what grows with everything else does not make the excess.
	elementRise = 1.3
	// enoughPower is the share of the excess from which a set explains it.
	enoughPower = 0.67
	// maxElements is the most of them: a long list locates nothing.
	maxElements = 5
)

// Localise finds the elements of one attribute whose excess makes that of the
// total: Adtributor (Bhagwan et al., NSDI 2014, algorithm 1), with the
// Jensen-Shannon divergence as surprise. ok is false where no few elements
// explain enough.
func Localise(parts []Part) (s Share, ok bool) {
	var actual, expected float64
	for _, p := range parts {
		actual += p.Actual
		expected += p.Expected
	}
	if actual <= expected {
		return s, false
	}
	surprise := func(p Part) float64 {
		e, a := p.Expected/math.Max(expected, 1e-9), p.Actual/actual
		if e+a == 0 {
			return 0
		}
		half := func(x float64) float64 {
			if x == 0 {
				return 0
			}
			return x * math.Log(2*x/(e+a)) / 2
		}
		return half(e) + half(a)
	}
	sorted := slices.Clone(parts)
	slices.SortFunc(sorted, func(p, q Part) int {
		return cmp.Or(cmp.Compare(surprise(q), surprise(p)), cmp.Compare(p.Element, q.Element))
	})
	for _, p := range sorted {
		power := (p.Actual - p.Expected) / (actual - expected)
		if power < elementPower || p.Actual/actual < elementRise*p.Expected/math.Max(expected, 1e-9) {
			continue
		}
		s.Elements = append(s.Elements, p.Element)
		s.Power += power
		s.Surprise += surprise(p)
		if s.Power >= enoughPower {
			return s, true
		}
		if len(s.Elements) == maxElements {
			break
		}
	}
	return s, false
}

// MedianDeviation gives the median of values and the standard deviation that
// their median absolute deviation stands for, were they normal (Hampel, JASA 69,
// 1974): both unmoved by a few that are far off. It sorts values.
func MedianDeviation(values []float64) (median, deviation float64) {
	if len(values) == 0 {
		return 0, 0
	}
	median = middle(values)
	off := make([]float64, len(values))
	for i, v := range values {
		off[i] = math.Abs(v - median)
	}
	return median, 1.4826 * middle(off)
}

// middle sorts values and gives their median.
func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
