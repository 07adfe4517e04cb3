package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

const (
	// maxSummaryFindings is how many findings a summary names: with what
	// stands around them it fits a terminal of 24 lines.
	maxSummaryFindings = 6
	textWidth          = 100 // characters of a line of running text
	findingIndent      = 25  // before the title of a finding
	textIndent         = "  "
	terminalChars      = 400 // of a raw line
)

// Summary writes what a run found, in at most 24 lines of width characters. It
// is talk: that w fails does not matter to the run.
func Summary(w io.Writer, res *result.Result, paint Paint, width int) {
	var b strings.Builder
	v, t := wording.Judge(res), &res.Totals
	width = min(max(width, 40), textWidth)
	var sentence strings.Builder
	paragraph(&sentence, v.Sentence, "", width)
	b.WriteString(paint.bold(strings.TrimSuffix(sentence.String(), "\n")) + "\n")
	for _, s := range []string{v.Rest, v.Warning} {
		if s != "" {
			paragraph(&b, s, "", width)
		}
	}
	fmt.Fprintf(&b, "%s, %s: %s\n", wording.Count(t.Lines, "line"), wording.Count(int64(len(res.Inputs)), "input"), ledgerText(t.Parsed, t.Rejected, t.Skipped))
	if t.FirstTime != parse.NoTime {
		fmt.Fprintln(&b, wording.Period(t.FirstTime, t.LastTime))
	}
	findings := findingsOf(res.Findings)
	if text := statusCounts(findings, len(res.Resolved)); text != "" {
		fmt.Fprintln(&b, text)
	}
	shown := findings[:min(len(findings), maxSummaryFindings)]
	if len(shown) > 0 {
		fmt.Fprintln(&b)
	}
	for i := range shown {
		fmt.Fprintln(&b, findingLine(&shown[i], max(width-findingIndent, 20), paint))
	}
	if more := len(res.Findings) - len(shown); more > 0 {
		fmt.Fprintf(&b, "%s\n", wording.Count(int64(more), "more finding"))
	}
	fmt.Fprint(w, b.String())
}

// findingLine is a finding in a line: how severe, how many 401s, what, and
// against a baseline whether it is new, worse or better.
func findingLine(f *Finding, width int, paint Paint) string {
	title := wording.Readable(f.Title)
	if f.Status != "" && f.Status != string(result.StatusPersisting) {
		title = "[" + f.Status + "] " + title
	}
	if f.Muted != nil {
		title = "[muted] " + title
	}
	title = wording.Clip(title, width)
	return paint.severity(f.Severity, fmt.Sprintf("%-8s", wording.Visible(f.Severity))) + fmt.Sprintf(" %9s 401s  ", wording.Number(f.Unauthorized)) + title
}

func ledgerText(parsed, rejected, skipped int64) string {
	return wording.Number(parsed) + " parsed, " + wording.Number(rejected) + " rejected, " + wording.Number(skipped) + " skipped"
}

// ShowFindings writes the list of the findings, most severe first.
func ShowFindings(w io.Writer, r *Report, paint Paint) error {
	var b strings.Builder
	t := &r.Manifest.Totals
	fmt.Fprintf(&b, "%s in %s of %s", wording.Refusals(t.Unauthorized), wording.Count(t.Lines, "line"), wording.Count(int64(len(r.Manifest.Inputs)), "input"))
	if t.FirstTime != parse.NoTime {
		fmt.Fprintf(&b, ", %s", wording.Period(int64(t.FirstTime), int64(t.LastTime)))
	}
	fmt.Fprintln(&b)
	if t.Unauthorized > 0 {
		fmt.Fprintf(&b, "%s have a cause, %s have none\n", wording.Share(t.Unauthorized-t.Unexplained, t.Unauthorized), wording.Number(t.Unexplained))
	}
	if text := statusCounts(r.Findings, len(r.Resolved)); text != "" {
		fmt.Fprintln(&b, text)
	}
	if len(r.Findings) == 0 {
		fmt.Fprintln(&b, "no findings")
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(&b, "\n%s\n", findingLine(f, wording.MaxTitle, paint))
		fmt.Fprintf(&b, "%-8s %9s       %s\n", "", "", paint.faint(wording.Visible(f.ID)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// ShowFinding writes the finding with an id in full: what, since when, the
// figures, what to do, sample lines. The error is an *UnknownFindingError
// where there is none.
func ShowFinding(w io.Writer, r *Report, id string, paint Paint) error {
	f, err := r.Finding(id)
	if err != nil {
		return err
	}
	var b strings.Builder
	var title strings.Builder
	paragraph(&title, wording.Readable(wording.Clip(f.Title, wording.MaxTitle)), "", textWidth)
	b.WriteString(paint.bold(strings.TrimSuffix(title.String(), "\n")) + "\n")
	fmt.Fprintf(&b, "%s, %s, confidence %.2f\n", paint.severity(f.Severity, wording.Visible(f.Severity)), wording.Visible(f.Kind), f.Confidence)
	if f.Status != "" {
		fmt.Fprint(&b, wording.Visible(f.Status))
		if text := changeText(f); text != "" {
			fmt.Fprint(&b, ": ", text)
		}
		fmt.Fprintln(&b)
	}
	if f.Muted != nil {
		fmt.Fprintf(&b, "muted before %s: %s\n", wording.Time(int64(f.Muted.Until)), wording.Clip(f.Muted.Reason, longChars))
	}
	fmt.Fprintln(&b)
	paragraph(&b, wording.Readable(wording.Clip(f.Explanation, longChars)), "", textWidth)

	list := append(subjectFigures(&f.Subject),
		wording.Figure{"Since", since(f.Onset)},
		wording.Figure{"Seen", wording.Period(int64(f.FirstSeen), int64(f.LastSeen))},
		wording.Figure{"Explains", wording.Refusals(f.Unauthorized) + ", " + wording.Share(f.Unauthorized, r.Manifest.Totals.Unauthorized) + " of all"},
		wording.Figure{"Who is hit", wording.Count(f.Actors, "actor") + ", " + wording.Count(f.Users, "user")},
	)
	fmt.Fprintln(&b)
	aligned(&b, append(list, wording.Figures(f.Kind, f.Details)...))

	if len(f.Remediation) > 0 {
		fmt.Fprint(&b, "\n", paint.bold("What to do"), "\n")
	}
	for i, step := range f.Remediation {
		fmt.Fprintf(&b, "%2d. ", i+1)
		paragraph(&b, wording.Clip(step, longChars), "    ", textWidth)
	}
	if len(f.Evidence) > 0 {
		fmt.Fprint(&b, "\n", paint.bold("Evidence"), "\n")
	}
	for i := range f.Evidence {
		e := &f.Evidence[i]
		fmt.Fprintf(&b, "%s%s\n%s%s%s\n", textIndent, position(e.Path, e.Line), textIndent, textIndent, wording.Clip(e.Raw, terminalChars))
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// aligned writes names and values in two columns.
func aligned(b *strings.Builder, list []wording.Figure) {
	width := 0
	for _, f := range list {
		width = max(width, utf8.RuneCountInString(f.Name))
	}
	for _, f := range list {
		fmt.Fprintf(b, "%s%-*s  %s\n", textIndent, width, f.Name, f.Value)
	}
}

// paragraph writes text in lines of width characters, those after the first
// behind indent. A word that is longer stays whole.
func paragraph(b *strings.Builder, text, indent string, width int) {
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
}
