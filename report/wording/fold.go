package wording

import (
	"strings"

	"logscan/analyze/result"
	"logscan/parse"
)

// namedMembers is how many members of a fold its explanation names.
const namedMembers = 5

// memberNouns are what the members of a fold are called, by the type of their subjects.
var memberNouns = map[string][2]string{
	"account":  {"account", "accounts"},
	"client":   {"client", "clients"},
	"endpoint": {"route", "routes"},
}

// foldText returns the text of a finding that sums up several.
func (d *Describer) foldText(f *result.Finding) result.Text {
	fold := f.Fold
	largest := d.Text(fold.Largest)
	label := CauseOf(f.Kind).Label
	if f.Rest() {
		return result.Text{
			Title: label + ": " + Count(int64(fold.Members), "more finding"),
			Explanation: "A report lists at most " + Number(result.MaxFindings) + " findings one by one. These are the smaller ones of their kind; the largest of them: " +
				largest.Title + ".",
			Remediation: largest.Remediation,
		}
	}
	title := label + ": " + members(f)
	switch {
	case fold.By == result.FoldedByOnset, fold.By == result.FoldedByHost && f.Onset != parse.NoTime:
		title += " since " + At(f.Onset)
	case fold.By == result.FoldedByAttack && fold.SubjectType == "client":
		title += " in one attack"
	case fold.By == result.FoldedByAttack:
		title += " under one attack"
	}
	text := result.Text{Title: title}
	var sentences []string
	if fold.Entered > 0 {
		text.Title += ", " + Number(int64(fold.Entered)) + " successful"
		s := "Somebody got in"
		if len(fold.Compromised) > 0 {
			s += " as " + listed(fold.Compromised, len(fold.Compromised))
		}
		sentences = append(sentences, s+".")
	}
	sentences = append(sentences, foldReason(f), "They are "+listed(fold.Names, fold.Members)+". The largest: "+largest.Title+".", largest.Explanation)
	text.Explanation = strings.Join(sentences, " ")
	if s := stated(f.Reason, f.AnsweredBy, d.Noun); s != "" {
		text.Explanation += " " + s
	}
	text.Remediation = largest.Remediation
	if step := foldStep(f); step != "" {
		text.Remediation = append([]string{step}, text.Remediation...)
	}
	return text
}

// members counts the members of a fold, and says where they are.
func members(f *result.Finding) string {
	noun, ok := memberNouns[f.Fold.SubjectType]
	if !ok {
		noun = [2]string{"finding", "findings"}
	}
	s := Plural(int64(f.Fold.Members), noun[0], noun[1])
	switch subject := &f.Subject; {
	case subject.ClientAddress != "" && subject.Type == "account":
		s += ", all from " + subject.ClientAddress
	case subject.ClientAddress != "":
		s += " in " + subject.ClientAddress
	case subject.Type == "endpoint" && subject.Host+subject.Route != "":
		s += " below " + subject.Host + subject.Route
	case subject.UserAgent != "":
		s += " with " + subject.UserAgent
	}
	return s
}

// foldReason says why several findings are one.
func foldReason(f *result.Finding) string {
	switch f.Fold.By {
	case result.FoldedByNetwork:
		return "All these addresses belong to one network and do the same, so they are one finding."
	case result.FoldedByAttack:
		if f.Fold.SubjectType == "client" {
			return "They begin and end together and do about as much, as clients do that share a list of accounts, so they are one finding."
		}
		return "The same networks guess at all of them, so they are one finding."
	case result.FoldedByHost:
		return "The same happens at all of them, so they probably have one cause."
	case result.FoldedByOnset:
		return "They began within a time that is too short to be chance, so they probably have one cause."
	}
	return "They are so many that a list shows nothing. They may have several causes."
}

// foldStep is the first step for some folds.
func foldStep(f *result.Finding) string {
	switch {
	case f.Fold.By == result.FoldedByNetwork && f.Category == "attack":
		return "Limit or block the network " + f.Subject.ClientAddress + " as a whole: its addresses cost nothing."
	case f.Fold.By == result.FoldedByOnset:
		return "Look for one change at " + At(f.Onset) + " before you look at each of them."
	}
	return ""
}

// listed lists the first of some names: "a, b and 3 others".
func listed(names []string, of int) string {
	shown := make([]string, 0, namedMembers+1)
	for _, n := range names[:min(len(names), namedMembers)] {
		shown = append(shown, Clip(n, maxAccount))
	}
	if more := of - len(shown); more > 0 {
		shown = append(shown, Count(int64(more), "other"))
	}
	return List(shown)
}
