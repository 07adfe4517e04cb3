// Package wording puts results into words: titles, explanations, steps, labels, numbers,
// durations and times, for the page, the terminal, webhooks, tables and JSON alike.
//
// Describe makes all texts of a run once. Text of the log in them is not escaped: Visible
// and Clip make it safe to show, and each output escapes it for its medium.
package wording

import (
	"fmt"
	"math"
	"strings"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/document"
)

// Report is a result in words: what all outputs of a run share, so that findings
// are described once. Like the result it is immutable.
type Report struct {
	*result.Result
	Described []document.Finding // Result.Findings with their texts, in their order
	Told      int                // how many of them are told one by one; the others sum up what is left
	Gone      []document.Finding // Result.Resolved with their texts
	Verdict   Verdict
	Residual  *document.Residual // nil if nothing is unexplained
}

// How many bytes the findings of a run, and those of the baseline that are gone, take in
// findings.json, so that programs can load it and people can mail it: 5 MB with the rest.
const (
	findingsBytes = 3 << 20
	resolvedBytes = 3 << 18
)

// Describe returns a result in words.
func Describe(res *result.Result) *Report {
	r := &Report{Result: res, Described: Findings(res.Findings, nounOf(res)), Gone: Findings(res.Resolved[:min(len(res.Resolved), result.MaxFindings)], nounOf(res))}
	c := newCommander(res)
	for i := range r.Described {
		r.Described[i].Commands = c.commands(&res.Findings[i])
	}
	for r.Told < len(res.Findings) && !res.Findings[r.Told].Rest() {
		r.Told++
	}
	// Long texts are shortened before any output has them, so that all have the same.
	document.Bound(r.Described, findingsBytes)
	document.Bound(r.Gone, resolvedBytes)
	title := ""
	if len(r.Described) > 0 {
		title = r.Described[0].Title
	}
	r.Verdict, r.Residual = judge(res, title), DescribeResidual(res)
	return r
}

// Document returns findings.json.
func (r *Report) Document() document.Findings {
	return document.NewFindings(document.Findings{Verdict: r.Verdict.document(), Findings: r.Described[:r.Told], More: r.More(), Resolved: r.Gone, Residual: r.Residual})
}

// More sums up the findings that are not told one by one, nil if all are.
func (r *Report) More() *document.More {
	return document.NewMore(r.Described[r.Told:], func(i int) int64 { return int64(r.Findings[r.Told+i].Count()) })
}

// MoreText says which findings are not told one by one; it is empty if all are.
func MoreText(m *document.More, noun Noun) string {
	if m == nil {
		return ""
	}
	var parts []string
	for i := range m.Kinds {
		k := &m.Kinds[i]
		parts = append(parts, Number(k.Findings)+" "+CauseOf(k.Kind).Label+" ("+noun.Count(k.Unauthorized)+")")
	}
	return Count(m.Findings, "more finding") + " with " + noun.Count(m.Unauthorized) + " are only counted, by kind: " + List(parts) + "."
}

// Findings returns findings of a result with their texts. They share its slices. noun
// is what the refusals of the run are called.
func Findings(all []result.Finding, noun Noun) []document.Finding {
	d := Describer{Noun: noun}
	list := make([]document.Finding, len(all))
	for i := range all {
		list[i] = d.finding(&all[i])
	}
	return list
}

func (d *Describer) finding(f *result.Finding) document.Finding {
	text := d.Text(f)
	out := document.Finding{
		ID: f.ID, Kind: f.Kind, Category: f.Category, Severity: f.Severity.String(), Confidence: document.Finite(f.Confidence),
		Subject: f.Subject, Title: text.Title, Explanation: text.Explanation, Remediation: text.Remediation,
		Onset: document.Stamp(f.Onset), FirstSeen: document.Stamp(f.FirstSeen), LastSeen: document.Stamp(f.LastSeen),
		Unauthorized: f.Unauthorized, Actors: f.Actors, Users: f.Users,
		Details: d.details(f), Evidence: f.Evidence, Reason: document.NewReason(f.Reason), AnsweredBy: f.AnsweredBy.String(),
	}
	out.Configuration = configurationLines(f.Configuration)
	if f.Muted != nil {
		out.Muted = &document.Muted{Reason: f.Muted.Reason, Until: document.Stamp(f.Muted.Until)}
	}
	if e := f.Event; e != nil {
		out.Event = &document.Event{Time: document.Stamp(e.Time), Text: Visible(e.Text)}
	}
	if c := f.Change; c != nil {
		out.Status = string(c.Status)
		if c.Status != result.StatusNew {
			out.Change = &document.Change{Severity: c.Severity.String(), Unauthorized: c.Unauthorized,
				Ratio: document.Finite(c.Ratio), PValue: document.Finite(c.PValue)}
		}
	}
	if out.Remediation == nil {
		out.Remediation = []string{}
	}
	if out.Evidence == nil {
		out.Evidence = []result.Evidence{}
	}
	return out
}

// details returns the details of a finding for JSON, with the titles of the
// findings that it absorbed.
func (d *Describer) details(f *result.Finding) map[string]any {
	details := map[string]any{}
	for _, x := range result.Figures(f.Details) {
		details[x.Key] = representable(x.Value)
	}
	if f.AbsorbedCount > 0 {
		var titles []string
		for i := range f.Absorbed {
			titles = append(titles, d.Text(&f.Absorbed[i]).Title)
		}
		details["absorbed"], details["absorbed_count"] = titles, f.AbsorbedCount
	}
	return details
}

// representable returns v, with numbers that JSON cannot represent replaced by nil.
func representable(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case []float64:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = representable(x)
		}
		return list
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = representable(x)
		}
		return list
	}
	return v
}

// Status is a status of findings with its heading.
type Status struct {
	Status  result.Status
	Heading string
}

// Statuses returns the statuses in the order in which readers should look at them.
func Statuses() []Status {
	return []Status{
		{result.StatusNew, "New"},
		{result.StatusWorse, "Worse"},
		{result.StatusBetter, "Better"},
		{result.StatusResolved, "Resolved"},
		{result.StatusPersisting, "Persisting"},
	}
}

// Compared counts findings by their status: "Since the baseline: 1 new, 2 worse."
// It is empty if there was no baseline. resolved is how many findings of the
// baseline are gone.
func Compared(findings []document.Finding, resolved int) string {
	n := map[result.Status]int{result.StatusResolved: resolved}
	compared := resolved > 0
	for i := range findings {
		if s := findings[i].Status; s != "" {
			n[result.Status(s)]++
			compared = true
		}
	}
	if !compared {
		return ""
	}
	var parts []string
	for _, s := range Statuses() {
		if k := n[s.Status]; k > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", k, s.Status))
		}
	}
	return "Since the baseline: " + strings.Join(parts, ", ") + "."
}

// Changed says what a finding was at the baseline, as far as its status leaves that
// open; else it is empty. noun is what the refusals of the run are called.
func Changed(f *document.Finding, noun Noun) string {
	c := f.Change
	if c == nil || f.Status == string(result.StatusResolved) {
		return ""
	}
	s := noun.Count(c.Unauthorized)
	if c.Severity != f.Severity {
		s += ", severity " + Visible(c.Severity)
	}
	if c.Ratio > 0 {
		s += fmt.Sprintf("; now %.2g times as many per request (p = %.2g)", c.Ratio, c.PValue)
	}
	return s
}

// Onset returns the onset of a finding as a time.
func Onset(f *document.Finding) string {
	if f.Onset == parse.NoTime {
		return FromTheStart
	}
	return At(int64(f.Onset))
}

// FromTheStart is the onset of a finding that was there from the first line.
const FromTheStart = "start of the log"

// Affected counts the actors and users that a finding affects.
func Affected(f *document.Finding) string {
	return Count(f.Actors, "actor") + ", " + Count(f.Users, "user")
}

// MutedUntil says until when and why a finding is muted; it is empty if it is not.
func MutedUntil(f *document.Finding) string {
	if f.Muted == nil {
		return ""
	}
	return "until " + At(int64(f.Muted.Until)) + ": " + Clip(f.Muted.Reason, MaxParagraph)
}

// SubjectFigures returns what a finding is about.
func SubjectFigures(s *result.Subject) []Figure {
	var all []Figure
	for _, f := range []Figure{
		{"Host", s.Host}, {"Method", s.Method}, {"Route", s.Route}, {"User", s.User},
		{"Client address", s.ClientAddress}, {"User agent", s.UserAgent}, {"Backend", s.Upstream}, {"Server", s.Server},
	} {
		if f.Value != "" {
			all = append(all, Figure{f.Name, Clip(f.Value, MaxName)})
		}
	}
	return all
}

// Position returns the place of a line: "access.log:17".
func Position(path string, line int64) string { return fmt.Sprintf("%s:%d", Clip(path, MaxName), line) }

// How many characters of a text are shown.
const (
	MaxTitle     = 240
	MaxName      = 160  // of a path, user or address
	MaxParagraph = 2000 // of an explanation or a step
)
