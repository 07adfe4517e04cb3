package page

import (
	"strings"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse/advice"
	"logscan/report/wording"
)

// maxFormats is how many formats the report shows: a run has a few.
const maxFormats = 20

// gapSheet is what the logs of one format lack.
type gapSheet struct {
	Format, Judged string
	Rows           []gapRow
	Configs        []configText
}

type gapRow struct{ Name, State, Why, Empty, Kinds string }

// configText is configuration to paste, and the command that reads the log.
type configText struct {
	Server, Place, Text, Scan string
	Notes                     []string
}

// undetectable is a kind of finding that the logs cannot show.
type undetectable struct {
	Label   string
	Missing []string
}

// gapSheets returns the formats that lack something.
func gapSheets(formats []result.LogFormat) []gapSheet {
	var all []gapSheet
	for i := range formats {
		f := &formats[i]
		if len(f.Advice.Gaps) == 0 || len(all) == maxFormats {
			continue
		}
		s := gapSheet{Format: wording.Clip(f.Name, wording.MaxName), Judged: wording.Count(f.Inputs, "input") + ", " + wording.Count(f.Presence.Lines, "line") + " sampled"}
		for _, g := range f.Advice.Gaps {
			s.Rows = append(s.Rows, newGapRow(&g))
		}
		for _, c := range f.Advice.Configs {
			s.Configs = append(s.Configs, configText{Server: c.Server, Place: c.Place, Text: visibleLines(c.Text), Scan: wording.Visible(c.Scan()), Notes: c.Notes})
		}
		all = append(all, s)
	}
	return all
}

func newGapRow(g *advice.Gap) gapRow {
	r := gapRow{Name: g.Name(), State: "not logged", Why: g.Why, Empty: g.Empty}
	if g.Logged {
		r.State = "logged, but empty in all sampled lines"
	}
	kinds := detect.KindsUsing(g.Extra)
	labels := make([]string, len(kinds))
	for i, k := range kinds {
		labels[i] = strings.ToLower(wording.CauseOf(k).Label)
	}
	r.Kinds = strings.Join(labels, ", ")
	return r
}

// visibleLines returns text of several lines with characters made visible and tabs
// replaced by spaces.
func visibleLines(s string) string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = wording.Visible(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}
