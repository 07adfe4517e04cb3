package stats

import (
	"cmp"
	"math"
	"slices"
)

// Part is the amount of a total that belongs to one element of an attribute, such as
// one endpoint: as observed and as expected.
type Part struct {
	Element          uint64
	Actual, Expected float64
}

// Share is a set of elements of one attribute that explains an anomaly.
type Share struct {
	Elements []uint64 // by surprise, descending
	Power    float64  // explanatory power: their share of the excess, 1 for all of it
	Surprise float64  // how much their distribution has changed, in nats
}

const (
	// elementPower is the minimum share of the excess of an element in the set.
	elementPower = 0.1
	// elementRise is the minimum factor by which an element's share of the total has
	// risen: an element that grows with all others does not cause the excess.
	elementRise = 1.3
	// enoughPower is the minimum share of the excess that a set has to explain.
	enoughPower = 0.67
	// maxElements is the maximum size of a set: a long list locates nothing.
	maxElements = 5
)

// Localise returns the elements of one attribute that cause the excess of the total
// over what is expected: algorithm 1 of Adtributor (Bhagwan et al., NSDI 2014), with
// the Jensen-Shannon divergence as surprise. ok is false if no small set explains
// enough of it.
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
