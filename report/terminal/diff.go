package terminal

import (
	"fmt"
	"io"
	"strings"

	"logscan/analyze/result"
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/wording"
)

// Difference is how the findings of two runs differ. It is the JSON of logscan diff.
type Difference struct {
	SchemaVersion int                `json:"schema_version"`
	Old           string             `json:"old"` // output directories
	New           string             `json:"new"`
	Findings      []document.Finding `json:"findings"` // of the new run, with their status
	Resolved      []document.Finding `json:"resolved"` // of the old run, gone in the new one

	noun wording.Noun // what the refusals of the new run are called
}

// Diff compares two outputs, whatever their own baselines were. It fails if a finding
// has an unknown severity.
func Diff(before, now *outdir.Report) (*Difference, error) {
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
	noun := wording.NounOf(now.Manifest.RefusalStatuses)
	return &Difference{
		SchemaVersion: document.SchemaVersion, Old: before.Dir, New: now.Dir,
		Findings: wording.Findings(b.Findings, noun), Resolved: wording.Findings(resolved, noun), noun: noun,
	}, nil
}

// ShowDiff writes a difference, grouped by status.
func ShowDiff(w io.Writer, d *Difference, paint Paint) error {
	byStatus := map[string][]*document.Finding{}
	for _, list := range [][]document.Finding{d.Findings, d.Resolved} {
		for i := range list {
			f := &list[i]
			byStatus[f.Status] = append(byStatus[f.Status], f)
		}
	}
	var b strings.Builder
	if len(byStatus) == 0 {
		fmt.Fprintln(&b, "no findings in either run")
	}
	for _, s := range wording.Statuses() {
		list := byStatus[string(s.Status)]
		if len(list) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintln(&b, paint.bold(fmt.Sprintf("%s (%d)", s.Heading, len(list))))
		for _, f := range list {
			fmt.Fprintln(&b, textIndent+severityColumns(f, d.noun, paint)+wording.Clip(f.Title, wording.MaxTitle))
			if text := wording.Changed(f, d.noun); text != "" {
				fmt.Fprintln(&b, textIndent+underTitle("before: "+text))
			}
			fmt.Fprintln(&b, textIndent+underTitle(wording.Visible(f.ID)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
