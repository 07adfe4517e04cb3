package detect

import (
	"iter"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse/field"
)

// nearlyAll is the share of refusals from which on one answerer is named for all.
const nearlyAll = 0.95

// StatedReason returns the reason that the log states for most of some refusals, of
// those for which it states any, and who answered nearly all of them. The reason is nil
// if there is no such one; by is Unknown if both answered or the log does not say.
func StatedReason(s *timeline.State, refusals iter.Seq[uint32]) (reason *result.Reason, by field.Answerer) {
	if s.Unstated {
		return nil, field.Unknown
	}
	n := make([]int64, len(s.Reasons)+1)
	var answered [field.NumAnswerers]int64
	all, stated := int64(0), int64(0)
	for _, x := range s.Refusals.Of(refusals) {
		all++
		answered[x.AnsweredBy]++
		if x.Reason != 0 && s.Reasons[x.Reason-1].Class != field.UnknownReason {
			n[x.Reason]++
			stated++
		}
	}
	for a := field.Proxy; a < field.NumAnswerers; a++ {
		if answered[a] > 0 && float64(answered[a]) >= nearlyAll*float64(all) {
			by = a
		}
	}
	best := 0
	for i := range n {
		if n[i] > n[best] {
			best = i
		}
	}
	if 2*n[best] <= stated { // also if none is stated
		return nil, by
	}
	r := &s.Reasons[best-1]
	return &result.Reason{Text: result.Clean(r.Text), Class: r.Class, N: n[best], Stated: stated, Of: all}, by
}
