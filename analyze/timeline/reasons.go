package timeline

import (
	"slices"
	"strings"

	"logscan/parse/field"
)

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

// ReasonClass returns the class of the reason that the line of a refusal, or a message about
// it, states. If nothing does, Refusals, which may be on disk, are not read.
func (s *State) ReasonClass(refusal int) field.ReasonClass {
	if s.Unstated {
		return field.UnknownReason
	}
	if n := s.Refusals.At(refusal).Reason; n != 0 {
		return s.Reasons[n-1].Class
	}
	return field.UnknownReason
}

// Statement is what a message states about a refusal.
type Statement struct {
	Message    uint32 // index into Messages
	Reason     uint32 // index into the reasons of Restate
	AnsweredBy field.Answerer
}

// Restate makes statements of messages those of the refusals: the reason of a message
// replaces that of the line unless only the line's is understood. statement returns that
// about a refusal, if there is one. reasons are the texts of the reasons, empty for none.
func (s *State) Restate(reasons []string, statement func(refusal int) (x Statement, ok bool)) error {
	stated := make([]statedReason, len(reasons))
	found := false
	for i := range s.Refusals.Len() {
		if x, ok := statement(i); ok {
			stated[x.Reason].used, found = true, true
		}
	}
	if !found {
		return nil
	}
	s.Unstated = false
	number, renumbered := s.renumberReasons(reasons, stated)
	for i, text := range reasons {
		if x := &stated[i]; x.used && text != "" {
			*x = statedReason{true, number(text), field.ClassOf(text), field.ReasonCredentials([]byte(text))}
		}
	}
	return s.Refusals.Change(s.workers[0].space, func(i int, r *Refusal) {
		r.Reason = renumbered[r.Reason]
		if x, ok := statement(i); ok {
			s.restate(i, r, &x, &stated[x.Reason])
		}
	})
}

// statedReason is a reason that messages state.
type statedReason struct {
	used        bool   // by a statement
	number      uint16 // as Refusal.Reason has it; 0 if there is no text
	class       field.ReasonClass
	credentials field.Credentials
}

// renumberReasons adds the reasons that are used to Reasons. number returns the number of a
// text, and renumbered holds the new numbers by the old ones.
func (s *State) renumberReasons(reasons []string, stated []statedReason) (number func(text string) uint16, renumbered []uint16) {
	texts := map[string]bool{}
	for i := range s.Reasons {
		texts[s.Reasons[i].Text] = true
	}
	for i, text := range reasons {
		if stated[i].used && text != "" {
			texts[text] = true
		}
	}
	name := func(reason string) string { return reason }
	if len(texts) > maxReasons {
		name = reasonGroup
	}
	old := s.Reasons
	grouped := map[string]bool{}
	for text := range texts {
		grouped[name(text)] = true
	}
	s.Reasons = nil
	for text := range grouped {
		s.Reasons = append(s.Reasons, Reason{text, field.ClassOf(text)})
	}
	slices.SortFunc(s.Reasons, func(a, b Reason) int { return strings.Compare(a.Text, b.Text) })
	number = func(text string) uint16 {
		n, _ := slices.BinarySearchFunc(s.Reasons, name(text), func(r Reason, text string) int { return strings.Compare(r.Text, text) })
		return uint16(n + 1)
	}
	renumbered = make([]uint16, len(old)+1)
	for i := range old {
		renumbered[i+1] = number(old[i].Text)
	}
	return number, renumbered
}

// restate makes one statement that of its refusal.
func (s *State) restate(refusal int, r *Refusal, x *Statement, stated *statedReason) {
	if r.AnsweredBy == field.Unknown {
		r.AnsweredBy = x.AnsweredBy
	}
	understood := r.Reason != 0 && s.Reasons[r.Reason-1].Class != field.UnknownReason
	if stated.number == 0 || understood && stated.class == field.UnknownReason {
		return
	}
	r.Reason, r.Message = stated.number, x.Message+1
	if stated.credentials != field.CredentialsUnknown {
		r.Credentials = stated.credentials
		s.state(refusal, stated.credentials)
	}
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
