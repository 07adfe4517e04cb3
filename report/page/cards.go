package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/document"
	"logscan/report/wording"
)

// tile is a key figure of the run.
type tile struct{ Name, Value, Note string }

// tiles returns the key figures of the run.
func tiles(r *wording.Report, c *chart) []tile {
	res, t := r.Result, &r.Totals
	all := []tile{
		{wording.NounOf(res.Statuses).Many(), wording.Number(t.Unauthorized), wording.Share(t.Unauthorized, t.Parsed) + " of " + wording.Count(t.Parsed, "request")},
		{"Findings", wording.Number(int64(result.CountFindings(res.Findings))), severities(res.Findings, &r.Verdict.Shares)},
		{"Lines read", wording.Number(t.Lines), wording.Number(t.Rejected) + " rejected; " + wording.Count(int64(len(res.Inputs)), "input") + ", " + wording.Bytes(t.Bytes)},
	}
	if hosts, n := hostNames(res); n > 0 {
		all = append(all, tile{"Hosts", wording.Number(int64(n)), hosts})
	}
	// A few lines with an absurd date must not make it a span of decades.
	span, from, to := tile{"Time span", "–", "no line has a time"}, t.FirstTime, t.LastTime
	if c != nil && c.Outside != "" {
		from, to = c.From, c.To
	}
	if from != parse.NoTime {
		span.Value, span.Note = wording.Duration(float64(to-from)/1e6), wording.Period(from, to)
	}
	return append(all, span)
}

// shareBar is the division of all refusals into trouble, harmless and unexplained.
type shareBar struct {
	Summary string
	Parts   []sharePart
}

type sharePart struct {
	Class, Name, Share, Text string
	X, W                     string // percent
}

// newShareBar returns the shares of a run, nil if nothing was refused.
func newShareBar(r *wording.Report) *shareBar {
	s := &r.Verdict.Shares
	if s.Total == 0 {
		return nil
	}
	bar, sum := &shareBar{}, int64(0)
	var texts []string
	for _, p := range []struct {
		class, name string
		n           int64
	}{{"trouble", "trouble", s.Trouble}, {"unexplained", "unexplained", s.Unexplained}, {"harmless", "harmless", s.Harmless}} {
		wide := max(0, min(p.n, s.Total-sum)) // a bar cannot leave the drawing, whatever the figures say
		bar.Parts = append(bar.Parts, sharePart{
			Class: p.class, Name: p.name, Share: wording.Share(p.n, s.Total), Text: wording.Number(p.n),
			X: coordinate(100 * float64(sum) / float64(s.Total)), W: coordinate(100 * float64(wide) / float64(s.Total)),
		})
		texts = append(texts, wording.Share(p.n, s.Total)+" "+p.name)
		sum += wide
	}
	bar.Summary = wording.List(texts) + " of " + wording.Number(s.Total) + " " + wording.NounOf(r.Statuses).Many()
	return bar
}

// severities counts findings by severity. Without findings it does not reassure if much
// is unexplained.
func severities(findings []result.Finding, s *wording.Shares) string {
	var parts []string
	for s := int(result.Critical); s >= int(result.Info); s-- {
		n := 0
		for i := range findings {
			if findings[i].Severity == result.Severity(s) {
				n += findings[i].Count()
			}
		}
		if n > 0 {
			parts = append(parts, wording.Number(int64(n))+" "+result.Severity(s).String())
		}
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case !s.SmallUnexplained():
		return wording.Share(s.Unexplained, s.Total) + " unexplained"
	}
	return "no problem found"
}

// hostNames returns the virtual hosts with most requests, and how many hosts there
// are.
func hostNames(res *result.Result) (string, int) {
	requests := map[string]int64{}
	for i := range res.Endpoints {
		if e := &res.Endpoints[i]; e.Host != "" {
			requests[e.Host] += e.Requests
		}
	}
	names := byCount(requests)
	shown := names[:min(len(names), maxHosts)]
	parts := make([]string, len(shown))
	for i, n := range shown {
		parts[i] = wording.Clip(n, maxHost)
	}
	if len(names) > len(shown) {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", "), len(names)
}

// byCount returns the keys of counts, highest count first.
func byCount(counts map[string]int64) []string {
	names := wording.SortedKeys(counts)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	return names
}

// card is a finding.
type card struct {
	Number                    int
	Open                      bool
	ID, Severity, Kind, Title string
	Status, Before, Muted     string
	Subject                   []wording.Figure
	Since                     *moment // nil for the start of the log
	Seen                      []moment
	Unauthorized, Explains    string
	Affected                  string
	Exhibit                   *drawing
	Confidence, Explanation   string
	Figures                   []wording.Figure
	Steps                     []string
	Commands                  []document.Command
	Configuration             []string
	Evidence                  []evidence
	Query                     string // SQL for all its 401s
}

// newCard returns the card of the finding with a number, from 1. total is the number
// of all refusals, noun what they are called.
func newCard(number int, f *document.Finding, total int64, noun wording.Noun) card {
	c := card{
		Number: number, Open: number <= openCards, ID: wording.Visible(f.ID), Severity: f.Severity, Kind: wording.CauseOf(f.Kind).Label,
		Title: wording.Clip(f.Title, wording.MaxTitle), Explanation: wording.Clip(f.Explanation, wording.MaxParagraph),
		Status: wording.Visible(f.Status), Before: wording.Changed(f, noun), Muted: wording.MutedUntil(f),
		Unauthorized: wording.Number(f.Unauthorized), Explains: noun.Count(f.Unauthorized) + ", " + wording.Share(f.Unauthorized, total) + " of all",
		Affected:   wording.Affected(f),
		Confidence: strconv.FormatFloat(f.Confidence, 'f', 2, 64),
		Figures:    wording.Figures(f.Kind, f.Details), Subject: wording.SubjectFigures(&f.Subject),
		Commands: f.Commands,
		Query: "SELECT timestamp, client_address, user_name, http_request_method, url_path, log_file_path, log_line\n" +
			"FROM 'unauthorized.parquet'\nWHERE finding_id = '" + strings.ReplaceAll(wording.Visible(f.ID), "'", "''") + "'\nORDER BY timestamp;",
	}
	if f.Onset != parse.NoTime {
		m := newMoment(int64(f.Onset))
		c.Since = &m
	}
	if f.FirstSeen != parse.NoTime {
		c.Seen = []moment{newMoment(int64(f.FirstSeen)), newMoment(int64(f.LastSeen))}
	}
	for _, s := range f.Remediation {
		c.Steps = append(c.Steps, wording.Clip(s, wording.MaxParagraph))
	}
	for i := range f.Configuration {
		c.Configuration = append(c.Configuration, wording.ConfigurationText(&f.Configuration[i]))
	}
	shown := f.Evidence[:min(len(f.Evidence), result.MaxEvidence)]
	if number > manyEvidence {
		shown = shown[:min(len(shown), fewEvidence)]
	}
	for i := range shown {
		c.Evidence = append(c.Evidence, evidence{wording.Position(shown[i].Path, shown[i].Line), wording.Clip(shown[i].Raw, maxRawLine)})
	}
	return c
}

// noFindings returns the text that is shown if there are no findings.
func noFindings(res *result.Result, s *wording.Shares) string {
	noun := wording.NounOf(res.Statuses).Many()
	switch {
	case res.Totals.Parsed == 0:
		return "No requests to analyse."
	case res.Totals.Unauthorized == 0:
		return "No " + noun + ", so no findings."
	case wording.NormalUse(res) == res.Totals.Unauthorized:
		return "No findings: all " + noun + " are part of normal use."
	case !s.SmallUnexplained():
		return "No findings, but " + wording.Share(s.Unexplained, s.Total) + " of the " + noun + " are unexplained: what is known of them follows."
	}
	return "No findings. The causes of the " + noun + " are listed below."
}
