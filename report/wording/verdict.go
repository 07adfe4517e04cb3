package wording

import (
	"strings"

	"logscan/analyze/result"
)

// verdict is the run in a sentence, and what must be known beside it.
type Verdict struct {
	Level    string // name of a severity, "ok", or "unknown" where nothing can be told
	Sentence string // ends in a full stop
	Rest     string // further sentences, or empty
	Warning  string // why the figures may be too low, or empty
}

// serious is the least severity that somebody should be woken, or at least
// called, for.
const serious = result.Medium

// muchUnexplained is the share of unexplained 401s above which it would be too
// much to say that nothing needs attention.
const muchUnexplained = 0.1

// judge says in a sentence why there are 401s: the worst first, how much of
// them is explained, what of them is harmless.
func Judge(res *result.Result) Verdict {
	v := Verdict{Warning: Caution(res)}
	t := &res.Totals
	switch {
	case len(res.Inputs) == 0:
		v.Level, v.Sentence = "unknown", "Nothing was read."
		return v
	case t.Parsed == 0 && t.Lines == t.Skipped:
		v.Level, v.Sentence = "unknown", "There is no request in "+these(len(res.Inputs))+"."
		return v
	case t.Parsed == 0:
		v.Level = "unknown"
		v.Sentence = "No line of " + these(len(res.Inputs)) + " could be read as a request."
		v.Rest = "Name the format with --format, or let logscan formats tell why a file has none."
		return v
	case t.Unauthorized == 0:
		v.Level, v.Sentence = "ok", "None of "+Count(t.Parsed, "request")+" was answered 401."
		return v
	}
	worst, claimed := 0, int64(0) // findings that are serious, and their 401s
	for i := range res.Findings {
		if f := &res.Findings[i]; f.Severity >= serious && f.Muted == nil {
			worst++
			claimed += f.Unauthorized
		}
	}
	if worst > 0 {
		first := &res.Findings[0]
		v.Level = first.Severity.String()
		v.Sentence = sentence(Readable(Clip(first.Title, MaxTitle))) + ": "
		switch worst {
		case 1:
			v.Sentence += "this explains "
		case 2:
			v.Sentence += "with one other finding, this explains "
		default:
			v.Sentence += "with " + Number(int64(worst-1)) + " other findings, this explains "
		}
		if t.Unauthorized == 1 {
			v.Sentence += "the only 401."
		} else {
			v.Sentence += Number(claimed) + " of " + Refusals(t.Unauthorized) + " (" + Share(claimed, t.Unauthorized) + ")."
		}
	} else {
		v.Level = "ok"
		switch ordinary := Harmless(res); {
		case ordinary == t.Unauthorized && ordinary == 1:
			v.Sentence = "Nothing needs attention: the only 401 is harmless."
		case ordinary == t.Unauthorized:
			v.Sentence = "Nothing needs attention: all of " + Refusals(ordinary) + " are harmless."
		case t.Unexplained == t.Unauthorized:
			v.Level, v.Sentence = "unknown", "None of "+Refusals(t.Unauthorized)+" could be explained."
			return v
		default:
			v.Sentence = "Nothing needs attention: "
			if float64(t.Unexplained) > muchUnexplained*float64(t.Unauthorized) {
				v.Sentence = "No trouble stands out: "
			}
			v.Sentence += Share(ordinary, t.Unauthorized) + " of " + Refusals(t.Unauthorized) + " are harmless."
		}
		minor := 0
		for i := range res.Findings {
			if res.Findings[i].Muted == nil {
				minor++
			}
		}
		if minor > 0 {
			v.Level = res.Findings[0].Severity.String()
			v.Rest = Count(int64(minor), "minor finding") + " below. "
		}
		if muted := len(res.Findings) - minor; muted > 0 {
			v.Rest += Count(int64(muted), "finding") + " muted. "
		}
	}
	v.Rest += remainder(res)
	return v
}

// maxTitle is how many characters of a title are shown.
const MaxTitle = 240

// remainder tells what is harmless and what is left.
func remainder(res *result.Result) string {
	t := &res.Totals
	var parts []string
	if n := Harmless(res); n > 0 && n < t.Unauthorized {
		var kinds []string
		for _, c := range Causes() {
			if c.Group == groupOrdinary && res.Causes[c.Name] > 0 {
				kinds = append(kinds, Number(res.Causes[c.Name])+" "+ordinaryWords(c.Name))
			}
		}
		parts = append(parts, Share(n, t.Unauthorized)+" are harmless: "+List(kinds)+".")
	}
	switch {
	case Harmless(res) == t.Unauthorized:
	case t.Unexplained == 0:
		parts = append(parts, "None is unexplained.")
	default:
		parts = append(parts, Share(t.Unexplained, t.Unauthorized)+" ("+Number(t.Unexplained)+") are unexplained.")
	}
	return strings.Join(parts, " ")
}

func ordinaryWords(name string) string {
	switch name {
	case "challenge":
		return "first steps of sign-ins that then succeeded"
	case "login_failure":
		return "mistyped passwords"
	case "session_end":
		return "sessions at their ordinary end"
	}
	return "requests of anonymous visitors"
}

// manyRejected is the share of rejected lines from which a reader is warned.
const manyRejected = 0.05

// caution tells why the figures may be too low.
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
		parts = append(parts, Share(t.Rejected, t.Lines)+" of the lines could not be read")
	}
	if len(parts) == 0 {
		return ""
	}
	return List(parts) + ": the figures may be too low."
}

func these(inputs int) string {
	if inputs == 1 {
		return "the input"
	}
	return "the " + Number(int64(inputs)) + " inputs"
}

// sentence takes the full stop from a title.
func sentence(title string) string { return strings.TrimRight(title, ". ") }
