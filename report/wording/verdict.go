package wording

import (
	"strings"

	"logscan/analyze/result"
)

// Verdict summarises a run in a sentence.
type Verdict struct {
	Level    string // name of a severity, "ok", or "unknown" if the logs do not show it
	Sentence string // ends in a full stop
	Rest     string // further sentences, or empty
	Warning  string // why the figures may be too low, or empty
}

// serious is the lowest severity that someone should act on at once.
const serious = result.Medium

// muchUnexplained is the share of unexplained 401s above which the verdict does not
// say that nothing needs attention.
const muchUnexplained = 0.1

// judge returns the verdict on a result: the worst finding, whose title is title,
// how many 401s the serious findings explain, and what the other 401s are.
func judge(res *result.Result, title string) Verdict {
	v := Verdict{Level: "unknown", Warning: Caution(res)}
	t := &res.Totals
	switch {
	case len(res.Inputs) == 0:
		v.Sentence = "No input was read."
		return v
	case t.Parsed == 0 && t.Lines == t.Skipped:
		v.Sentence = "There are no requests in " + theInputs(len(res.Inputs)) + "."
		return v
	case t.Parsed == 0:
		v.Sentence = "No line in " + theInputs(len(res.Inputs)) + " could be parsed as a request."
		v.Rest = "Set the format with --format, or run logscan formats to see why no format fits."
		return v
	case t.Unauthorized == 0:
		v.Level, v.Sentence = "ok", "No 401s in "+Count(t.Parsed, "request")+"."
		return v
	}
	worst, claimed := 0, int64(0) // serious findings, and their 401s
	for i := range res.Findings {
		if f := &res.Findings[i]; f.Severity >= serious && f.Muted == nil {
			worst++
			claimed += f.Unauthorized
		}
	}
	switch {
	case worst > 0:
		v.Level = res.Findings[0].Severity.String()
		v.Sentence = strings.TrimRight(Clip(title, MaxTitle), ". ") + ": " + explains(worst, claimed, t.Unauthorized)
		v.Rest = normalUse(res) + unexplained(t)
	case t.Unexplained == t.Unauthorized:
		v.Sentence = "None of the " + Refusals(t.Unauthorized) + " could be explained."
		if t.Unauthorized == 1 {
			v.Sentence = "The only 401 could not be explained."
		}
	default:
		v.Level = "ok"
		minor := 0
		for i := range res.Findings {
			if res.Findings[i].Muted == nil {
				minor++
			}
		}
		v.Sentence = calm(res, minor)
		if minor > 0 {
			v.Level = res.Findings[0].Severity.String()
			v.Rest = Count(int64(minor), "minor finding") + " below. "
		}
		if muted := len(res.Findings) - minor; muted > 0 {
			v.Rest += Count(int64(muted), "finding") + " muted. "
		}
		v.Rest = strings.TrimSpace(v.Rest + normalUse(res))
	}
	return v
}

// explains says how many 401s the serious findings explain.
func explains(findings int, claimed, total int64) string {
	s := "this explains "
	if findings > 1 {
		s = "with " + Count(int64(findings-1), "other finding") + ", this explains "
	}
	if total == 1 {
		return s + "the only 401."
	}
	return s + Number(claimed) + " of " + Refusals(total) + " (" + Share(claimed, total) + ")."
}

// calm is the sentence for a run without serious findings: it says what the 401s
// are.
func calm(res *result.Result, minor int) string {
	t := &res.Totals
	normal := NormalUse(res)
	switch {
	case normal == t.Unauthorized && normal == 1:
		return "Nothing needs attention: the only 401 is part of normal use."
	case normal == t.Unauthorized:
		return "Nothing needs attention: all " + Refusals(normal) + " are part of normal use."
	}
	s := "Nothing needs attention"
	if float64(t.Unexplained) > muchUnexplained*float64(t.Unauthorized) {
		s = "No serious problem found"
	}
	cause := "a minor cause"
	if minor == 0 {
		cause = "a muted cause"
	}
	if t.Unauthorized == 1 {
		return s + ": the only 401 has " + cause + "."
	}
	var parts []string
	add := func(n int64, one, many string) {
		if n > 0 {
			parts = append(parts, Plural(n, one, many))
		}
	}
	add(normal, "is normal use", "are normal use")
	add(t.Unauthorized-normal-t.Unexplained, "has "+cause, "have "+cause)
	add(t.Unexplained, "is unexplained", "are unexplained")
	return s + ": of " + Refusals(t.Unauthorized) + ", " + List(parts) + "."
}

// normalUse says what the 401s of normal use are; it is empty without any.
func normalUse(res *result.Result) string {
	n := NormalUse(res)
	if n == 0 {
		return ""
	}
	var kinds []string
	for _, c := range Causes() {
		if k := res.Causes[c.Name]; c.Group == groupOrdinary && k > 0 {
			kinds = append(kinds, ordinaryWords(c.Name, k))
		}
	}
	return Share(n, res.Totals.Unauthorized) + " of all 401s are normal use: " + List(kinds) + ". "
}

// unexplained says how many 401s have no cause.
func unexplained(t *result.Totals) string {
	if t.Unexplained == 0 {
		return "No 401 is unexplained."
	}
	verb := " are"
	if t.Unexplained == 1 {
		verb = " is"
	}
	return Refusals(t.Unexplained) + " (" + Share(t.Unexplained, t.Unauthorized) + ")" + verb + " unexplained."
}

// ordinaryWords counts the 401s of a cause that is part of normal use.
func ordinaryWords(name string, n int64) string {
	switch name {
	case "challenge":
		return Plural(n, "sign-in challenge", "sign-in challenges")
	case "login_failure":
		return Plural(n, "mistyped password", "mistyped passwords")
	case "session_end":
		return Plural(n, "expired session", "expired sessions")
	case "token_renewal":
		return Plural(n, "refused renewal", "refused renewals")
	}
	return Plural(n, "request without credentials", "requests without credentials")
}

// manyRejected is the share of rejected lines above which the report warns.
const manyRejected = 0.05

// Caution says why the figures may be too low; it is empty if nothing does.
func Caution(res *result.Result) string {
	failed := 0
	for i := range res.Inputs {
		if res.Inputs[i].Error != "" {
			failed++
		}
	}
	var parts []string
	if failed > 0 {
		parts = append(parts, Number(int64(failed))+" of "+Count(int64(len(res.Inputs)), "input")+" could not be read to the end")
	}
	if t := &res.Totals; float64(t.Rejected) > manyRejected*float64(t.Lines) {
		parts = append(parts, Share(t.Rejected, t.Lines)+" of the lines were rejected")
	}
	if len(parts) == 0 {
		return ""
	}
	return "The figures may be too low: " + List(parts) + "."
}

func theInputs(n int) string {
	if n == 1 {
		return "the input"
	}
	return "the " + Number(int64(n)) + " inputs"
}
