package timeline

import "logscan/parse/field"

// Reason is a reason that lines of refusals state.
type Reason struct {
	Text  string // a word of the vocabulary of package field, or a server's own text
	Class field.ReasonClass
}

// maxReasons is the maximum number of reasons. Servers have a few dozen; a log whose
// texts contain ids or names has any number. Then the texts that are not of the
// vocabulary are grouped by their class.
const maxReasons = 1 << 8

func newReasons() boundedNames {
	return boundedNames{dict: newDict(), limit: maxReasons, group: reasonGroup}
}

// reasonGroup returns the group of a reason: itself if it is of the vocabulary, a
// reason of its class that is, or OtherName.
func reasonGroup(reason string) string {
	if field.IsReason(reason) || reason == OtherName {
		return reason
	}
	if word := field.ClassOf(reason).Word(); word != "" {
		return word
	}
	return OtherName
}

// mergeReasons sets Reasons, and returns their indexes by worker and its number.
func (s *State) mergeReasons() (reasonOf [][]uint32) {
	texts, reasonOf, _ := mergeBounded(s.workers, func(w *Worker) *boundedNames { return &w.reasons })
	s.Reasons = make([]Reason, len(texts))
	for i, text := range texts {
		s.Reasons[i] = Reason{text, field.ClassOf(text)}
	}
	return reasonOf
}

// sumStatuses sets Statuses.
func (s *State) sumStatuses() {
	s.Statuses = make([]int64, Statuses)
	for _, w := range s.workers {
		for status, n := range w.statuses {
			s.Statuses[status] += n
		}
	}
}
