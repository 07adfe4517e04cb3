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
	OldTotals     RunTotals          `json:"old_totals"`
	NewTotals     RunTotals          `json:"new_totals"`
	Caveats       []Caveat           `json:"caveats"`  // what cannot be compared, and why
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
		OldTotals: totalsOf(before), NewTotals: totalsOf(now), Caveats: caveats(before, now),
		Findings: wording.Findings(b.Findings, noun), Resolved: wording.Findings(resolved, noun), noun: noun,
	}, nil
}

// ShowDiff writes a difference: the totals of both runs, what cannot be compared, and the
// findings by status.
func ShowDiff(w io.Writer, d *Difference, paint Paint) error {
	byStatus := map[string][]*document.Finding{}
	for _, list := range [][]document.Finding{d.Findings, d.Resolved} {
		for i := range list {
			f := &list[i]
			byStatus[f.Status] = append(byStatus[f.Status], f)
		}
	}
	var b strings.Builder
	d.writeTotals(&b)
	for _, c := range d.Caveats {
		writeCaveat(&b, &c, paint)
	}
	if len(byStatus) == 0 {
		fmt.Fprintln(&b, "\nno findings in either run")
	}
	for _, s := range wording.Statuses() {
		list := byStatus[string(s.Status)]
		if len(list) == 0 {
			continue
		}
		fmt.Fprintln(&b, "\n"+paint.bold(fmt.Sprintf("%s (%d)", s.Heading, len(list))))
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

// writeTotals writes the totals of both runs side by side.
func (d *Difference) writeTotals(b *strings.Builder) {
	const label, column = 12, 26
	row := func(name string, value func(*RunTotals) string) {
		fmt.Fprintf(b, "%-*s %*s %*s\n", label, name, column, value(&d.OldTotals), column, value(&d.NewTotals))
	}
	part := func(n int64, whole int64) string { return wording.Number(n) + " (" + wording.Share(n, whole) + ")" }
	row("", func(t *RunTotals) string {
		if t == &d.OldTotals {
			return "old"
		}
		return "new"
	})
	row("from (UTC)", func(t *RunTotals) string { return wording.Time(int64(t.FirstTime)) })
	row("to", func(t *RunTotals) string { return wording.Time(int64(t.LastTime)) })
	row("requests", func(t *RunTotals) string { return wording.Number(t.Requests) })
	row(d.noun.Many(), func(t *RunTotals) string { return part(t.Unauthorized, t.Requests) })
	for _, s := range []struct {
		name string
		of   func(*RunTotals) *int64
	}{
		{"trouble", func(t *RunTotals) *int64 { return t.Trouble }},
		{"harmless", func(t *RunTotals) *int64 { return t.Harmless }},
		{"unexplained", func(t *RunTotals) *int64 { return &t.Unexplained }},
	} {
		row(s.name, func(t *RunTotals) string {
			if n := s.of(t); n != nil {
				return part(*n, t.Unauthorized)
			}
			return "unknown"
		})
	}
	row("findings", func(t *RunTotals) string { return wording.Number(t.Findings) })
}

// writeCaveat writes what cannot be compared, with both values if there are any.
func writeCaveat(b *strings.Builder, c *Caveat, paint Paint) {
	b.WriteString("\n" + paint.bold("Not comparable: ") + paragraph(c.Text, "", textWidth))
	if c.Old == "" && c.New == "" {
		return
	}
	for _, v := range []struct{ name, value string }{{"old", c.Old}, {"new", c.New}} {
		if v.value == "" {
			v.value = "none"
		}
		fmt.Fprintf(b, "%s%s: %s\n", textIndent, v.name, wording.Clip(v.value, maxRawLine))
	}
}
