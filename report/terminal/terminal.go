// Package terminal writes findings as text for a terminal: the summary of a run, the
// list of findings, one finding in full, and the difference between two runs.
//
// Control characters in text of the log are made visible, so they cannot act on the
// terminal.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/wording"
)

const (
	// maxSummaryFindings is how many findings a summary lists: together with the
	// other lines they fit a terminal of 24 lines.
	maxSummaryFindings = 6
	textWidth          = 100 // characters per line of running text
	titleIndent        = 29  // characters before the title of a finding
	textIndent         = "  "
	maxRawLine         = 400 // characters of a raw line
	maxAgent           = 30  // characters of a user agent in a title that is too long
	maxResidual        = 400 // characters that a summary says of what is unexplained
)

// Summary writes what a run found, in at most 24 lines of width characters. It
// ignores errors of w: the run does not depend on them.
func Summary(w io.Writer, r *wording.Report, paint Paint, width int) {
	var b strings.Builder
	t := &r.Totals
	titles := min(max(width, 40)-titleIndent, wording.MaxTitle)
	width = min(max(width, 40), textWidth)
	b.WriteString(paint.bold(strings.TrimSuffix(paragraph(r.Verdict.Sentence, "", width), "\n")) + "\n")
	for _, s := range []string{r.Verdict.Rest, r.Verdict.Warning} {
		if s != "" {
			b.WriteString(paragraph(s, "", width))
		}
	}
	fmt.Fprintf(&b, "%s, %s: %s parsed, %s rejected, %s skipped\n", wording.Count(t.Lines, "line"), wording.Count(int64(len(r.Inputs)), "input"),
		wording.Number(t.Parsed), wording.Number(t.Rejected), wording.Number(t.Skipped))
	if t.FirstTime != parse.NoTime {
		fmt.Fprintln(&b, wording.Period(t.FirstTime, t.LastTime))
	}
	for _, text := range []string{wording.Agreement(r.Result), wording.Compared(r.Described, len(r.Gone))} {
		if text != "" {
			fmt.Fprintln(&b, text)
		}
	}
	shown := r.Described[:min(len(r.Described), maxSummaryFindings)]
	if len(shown) > 0 {
		fmt.Fprintln(&b)
	}
	for i := range shown {
		fmt.Fprintln(&b, findingLine(i, &shown[i], max(titles, 20), wording.NounOf(r.Statuses), paint))
	}
	if more := result.CountFindings(r.Findings) - len(shown); more > 0 {
		fmt.Fprintln(&b, wording.Count(int64(more), "more finding"))
	}
	if s := &r.Verdict.Shares; r.Residual != nil && !s.SmallUnexplained() {
		text := wording.Clip(strings.Join(r.Residual.Text[1:], " "), maxResidual)
		b.WriteString("\n" + paragraph("Unexplained: "+text, "", width))
	}
	fmt.Fprint(w, b.String())
}

// findingLine returns a finding as a line: its number, from 1 on, its severity, the
// number of its 401s, and its title, with its status if it is not as before.
func findingLine(i int, f *document.Finding, width int, noun wording.Noun, paint Paint) string {
	title := f.Title
	if agent := f.Subject.UserAgent; utf8.RuneCountInString(title) > width { // what it does is behind the name
		title = strings.Replace(title, agent, wording.Clip(agent, maxAgent), 1)
	}
	if f.Status != "" && f.Status != string(result.StatusPersisting) {
		title = "[" + f.Status + "] " + title
	}
	if f.Muted != nil {
		title = "[muted] " + title
	}
	return fmt.Sprintf("%2d  ", i+1) + severityColumns(f, noun, paint) + wording.Clip(title, width)
}

func severityColumns(f *document.Finding, noun wording.Noun, paint Paint) string {
	return paint.severity(f.Severity, fmt.Sprintf("%-8s", wording.Visible(f.Severity))) + fmt.Sprintf(" %9s %s  ", wording.Number(f.Unauthorized), noun.Many())
}

// writeResidual writes what is known of the refusals that nothing explains.
func writeResidual(b *strings.Builder, r *document.Residual, noun wording.Noun, paint Paint) {
	if r == nil {
		return
	}
	b.WriteString("\n" + paint.bold("Unexplained") + "\n")
	for _, s := range r.Text {
		b.WriteString(textIndent + paragraph(wording.Clip(s, wording.MaxParagraph), textIndent, textWidth))
	}
	for i := range r.Dimensions {
		d := &r.Dimensions[i]
		if d.Distinct < 2 {
			continue
		}
		fmt.Fprintf(b, "\n%s%s (%s with unexplained %s)\n", textIndent, wording.DimensionLabel(d.Name), wording.Number(d.Distinct), noun.Many())
		for _, p := range d.Top {
			fmt.Fprintf(b, "%s%9s of %s in %s  %s\n", textIndent, wording.Number(p.Unexplained), noun.Count(p.Unauthorized), wording.Count(p.Requests, "request"), wording.Clip(p.Name, wording.MaxName))
		}
	}
}

// writeCommands writes what can be run or configured, each command on a line of its own.
func writeCommands(b *strings.Builder, all []document.Command) {
	for _, c := range all {
		purpose := wording.Visible(c.Purpose)
		if c.Documentation != "" {
			purpose += ", see " + wording.Visible(c.Documentation)
		}
		fmt.Fprintf(b, "\n%s%s%s%s\n", textIndent, paragraph(purpose+":", textIndent, textWidth), textIndent+textIndent, wording.Visible(c.Command))
	}
}

// underTitle returns a line that is aligned with the titles of findings.
func underTitle(text string) string { return strings.Repeat(" ", titleIndent) + text }

// ShowFindings writes the list of findings, most severe first.
func ShowFindings(w io.Writer, r *outdir.Report, paint Paint) error {
	var b strings.Builder
	t := &r.Manifest.Totals
	noun := wording.NounOf(r.Manifest.RefusalStatuses)
	if v := r.Verdict; v != nil {
		b.WriteString(paint.bold(strings.TrimSuffix(paragraph(wording.Visible(v.Sentence), "", textWidth), "\n")) + "\n")
	}
	fmt.Fprintf(&b, "%s in %s of %s", noun.Count(t.Unauthorized), wording.Count(t.Lines, "line"), wording.Count(int64(len(r.Manifest.Inputs)), "input"))
	if t.FirstTime != parse.NoTime {
		fmt.Fprintf(&b, ", %s", wording.Period(int64(t.FirstTime), int64(t.LastTime)))
	}
	fmt.Fprintln(&b)
	if t.Unauthorized > 0 {
		fmt.Fprintf(&b, "%s explained, %s unexplained\n", wording.Share(t.Unauthorized-t.Unexplained, t.Unauthorized), wording.Number(t.Unexplained))
	}
	if text := wording.Compared(r.Findings, len(r.Resolved)); text != "" {
		fmt.Fprintln(&b, text)
	}
	if len(r.Findings) == 0 {
		fmt.Fprintln(&b, "no findings")
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(&b, "\n%s\n%s\n", findingLine(i, f, wording.MaxTitle, noun, paint), underTitle(paint.faint(wording.Visible(f.ID))))
	}
	if text := wording.MoreText(r.More, noun); text != "" {
		b.WriteString("\n" + paragraph(text, "", textWidth))
	}
	writeResidual(&b, r.Residual, noun, paint)
	_, err := io.WriteString(w, b.String())
	return err
}

// ShowFinding writes the finding with an id in full: title, onset, figures, steps,
// sample lines. The error is an *outdir.UnknownFindingError if there is none.
func ShowFinding(w io.Writer, r *outdir.Report, id string, paint Paint) error {
	f, err := r.Finding(id)
	if err != nil {
		return err
	}
	noun := wording.NounOf(r.Manifest.RefusalStatuses)
	var b strings.Builder
	b.WriteString(paint.bold(strings.TrimSuffix(paragraph(wording.Clip(f.Title, wording.MaxTitle), "", textWidth), "\n")) + "\n")
	fmt.Fprintf(&b, "%s, %s, confidence %.2f\n", paint.severity(f.Severity, wording.Visible(f.Severity)), wording.Visible(f.Kind), f.Confidence)
	if f.Status != "" {
		b.WriteString(wording.Visible(f.Status))
		if text := wording.Changed(f, noun); text != "" {
			b.WriteString("; at the baseline " + text)
		}
		b.WriteByte('\n')
	}
	if text := wording.MutedUntil(f); text != "" {
		fmt.Fprintf(&b, "muted %s\n", text)
	}
	b.WriteByte('\n')
	b.WriteString(paragraph(wording.Clip(f.Explanation, wording.MaxParagraph), "", textWidth))

	list := append(wording.SubjectFigures(&f.Subject),
		wording.Figure{Name: "Since", Value: wording.Onset(f)},
		wording.Figure{Name: "Seen", Value: wording.Period(int64(f.FirstSeen), int64(f.LastSeen))},
		wording.Figure{Name: "Explains", Value: noun.Count(f.Unauthorized) + ", " + wording.Share(f.Unauthorized, r.Manifest.Totals.Unauthorized) + " of all"},
		wording.Figure{Name: "Affected", Value: wording.Affected(f)},
	)
	b.WriteString("\n" + aligned(append(list, wording.Figures(f.Kind, f.Details)...)))

	if len(f.Remediation) > 0 {
		b.WriteString("\n" + paint.bold("What to do") + "\n")
	}
	for i, step := range f.Remediation {
		fmt.Fprintf(&b, "%2d. %s", i+1, paragraph(wording.Clip(step, wording.MaxParagraph), "    ", textWidth))
	}
	writeCommands(&b, f.Commands)
	if len(f.Configuration) > 0 {
		b.WriteString("\n" + paint.bold("Configuration") + "\n")
	}
	for i := range f.Configuration {
		b.WriteString(textIndent + paragraph(wording.ConfigurationText(&f.Configuration[i]), textIndent+textIndent, textWidth))
	}
	if len(f.Evidence) > 0 {
		b.WriteString("\n" + paint.bold("Evidence") + "\n")
	}
	for i := range f.Evidence {
		e := &f.Evidence[i]
		fmt.Fprintf(&b, "%s%s\n%s%s%s\n", textIndent, wording.Position(e.Path, e.Line), textIndent, textIndent, wording.Clip(e.Raw, maxRawLine))
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// aligned returns names and values in two columns.
func aligned(list []wording.Figure) string {
	width := 0
	for _, f := range list {
		width = max(width, utf8.RuneCountInString(f.Name))
	}
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%s%-*s  %s\n", textIndent, width, f.Name, f.Value)
	}
	return b.String()
}

// paragraph breaks text into lines of width characters, those after the first
// indented. Longer words are not broken.
func paragraph(text, indent string, width int) string {
	var b strings.Builder
	used := utf8.RuneCountInString(indent)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > width:
			b.WriteString("\n" + indent)
			used = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	b.WriteByte('\n')
	return b.String()
}
