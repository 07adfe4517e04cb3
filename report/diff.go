package report

import (
	"fmt"
	"io"
	"strings"

	"logscan/analyze/result"
	"logscan/report/wording"
)

// Difference is what has changed between the findings of two runs.
type Difference struct {
	SchemaVersion int       `json:"schema_version"`
	Old           string    `json:"old"` // output directories
	New           string    `json:"new"`
	Findings      []Finding `json:"findings"` // of the new one, each with its status
	Resolved      []Finding `json:"resolved"` // of the old one, that are gone
}

// Diff compares two outputs, whatever their own baselines were.
func Diff(before, now *Report) (*Difference, error) {
	a, err := before.Snapshot()
	if err != nil {
		return nil, err
	}
	b, err := now.Snapshot()
	if err != nil {
		return nil, err
	}
	changes, resolved := result.Compare(a, b)
	for i := range b.Findings {
		b.Findings[i].Change = &changes[i]
	}
	return &Difference{
		SchemaVersion: SchemaVersion, Old: before.Dir, New: now.Dir,
		Findings: findingsOf(b.Findings), Resolved: findingsOf(resolved),
	}, nil
}

// WriteDiff writes a difference as JSON.
func WriteDiff(w io.Writer, d *Difference) error { return writeDocument(w, d) }

// statuses are in the order in which a difference is told: what somebody should
// look at first.
var statuses = [...]struct {
	status  result.Status
	heading string
}{
	{result.StatusNew, "New"},
	{result.StatusWorse, "Worse"},
	{result.StatusBetter, "Better"},
	{result.StatusResolved, "Resolved"},
	{result.StatusPersisting, "Persisting"},
}

// ShowDiff writes a difference for people.
func ShowDiff(w io.Writer, d *Difference, paint Paint) error {
	var b strings.Builder
	all := append(append([]Finding{}, d.Findings...), d.Resolved...)
	if len(all) == 0 {
		fmt.Fprintln(&b, "no findings in either run")
	}
	first := true
	for _, s := range statuses {
		var list []*Finding
		for i := range all {
			if all[i].Status == string(s.status) {
				list = append(list, &all[i])
			}
		}
		if len(list) == 0 {
			continue
		}
		if !first {
			b.WriteByte('\n')
		}
		first = false
		fmt.Fprintln(&b, paint.bold(fmt.Sprintf("%s (%d)", s.heading, len(list))))
		for _, f := range list {
			fmt.Fprintf(&b, "%s%s %9s 401s  %s\n", textIndent, paint.severity(f.Severity, fmt.Sprintf("%-8s", wording.Visible(f.Severity))),
				wording.Number(f.Unauthorized), wording.Readable(wording.Clip(f.Title, wording.MaxTitle)))
			if text := changeText(f); text != "" {
				fmt.Fprintf(&b, "%s%-8s %9s       %s\n", textIndent, "", "", text)
			}
			fmt.Fprintf(&b, "%s%-8s %9s       %s\n", textIndent, "", "", wording.Visible(f.ID))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// changeText says what is behind a finding's status, or nothing where the
// status says it all.
func changeText(f *Finding) string {
	c := f.Change
	if c == nil || f.Status == string(result.StatusResolved) {
		return ""
	}
	s := wording.Refusals(c.Unauthorized) + " before"
	if c.Severity != f.Severity {
		s += ", severity " + wording.Visible(c.Severity)
	}
	if c.Ratio > 0 {
		s += fmt.Sprintf("; %.2g times as many a request (p = %.2g)", c.Ratio, c.PValue)
	}
	return s
}

// statusCounts says in a few words how findings stand against the baseline, or
// nothing without one.
func statusCounts(findings []Finding, resolved int) string {
	n := map[string]int{string(result.StatusResolved): resolved}
	compared := resolved > 0
	for i := range findings {
		if s := findings[i].Status; s != "" {
			n[s]++
			compared = true
		}
	}
	if !compared {
		return ""
	}
	var parts []string
	for _, s := range statuses {
		if k := n[string(s.status)]; k > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", k, s.status))
		}
	}
	return "Since the baseline: " + strings.Join(parts, ", ") + "."
}
