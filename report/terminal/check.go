package terminal

import (
	"fmt"
	"io"
	"strings"

	"logscan/analyze/result"
	"logscan/report/document"
	"logscan/report/wording"
)

const (
	// maxCheckRoutes and maxCheckChanges are how many lines of a kind are shown; the JSON
	// has all.
	maxCheckRoutes  = 500
	maxCheckChanges = 50
	pathWidth       = 32 // characters of the column of paths
)

// ShowCheck writes what protects each route of a configuration, its likely faults, and what
// it would do to the requests of a run.
func ShowCheck(w io.Writer, c *document.Check, paint Paint) error {
	var b strings.Builder
	var likely, possible []document.Fault
	for _, f := range c.Faults {
		if f.Certainty == "possible" {
			possible = append(possible, f)
		} else {
			likely = append(likely, f)
		}
	}
	fmt.Fprintf(&b, "%s\n", paint.bold(fmt.Sprintf("%s configuration %s: %s, %s", wording.Visible(c.Server), wording.Clip(c.File, wording.MaxName),
		wording.Count(int64(len(c.Routes)), "route"), wording.Count(int64(len(likely)), "likely fault"))))
	host := "\x00"
	for i := range c.Routes[:min(len(c.Routes), maxCheckRoutes)] {
		r := &c.Routes[i]
		if r.Host != host {
			host = r.Host
			name := wording.Clip(host, wording.MaxName)
			if name == "" {
				name = "(no name)"
			}
			fmt.Fprintf(&b, "\n%s\n", paint.bold(name))
		}
		writeRoute(&b, r, paint)
	}
	if more := len(c.Routes) - maxCheckRoutes; more > 0 {
		fmt.Fprintf(&b, "%s%s (see --json)\n", textIndent, wording.Count(int64(more), "more route"))
	}
	writeFaults(&b, "Likely faults", likely, paint)
	writeFaults(&b, "Right or wrong, depending on the backends", possible, paint)
	writeComparison(&b, c.Comparison, paint)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeFaults writes faults with their lines and what to do.
func writeFaults(b *strings.Builder, heading string, list []document.Fault, paint Paint) {
	if len(list) > 0 {
		b.WriteString("\n" + paint.bold(heading) + "\n")
	}
	for i := range list {
		f := &list[i]
		b.WriteString(textIndent + paragraph(f.Text, textIndent, textWidth))
		for j := range f.Lines {
			l := &f.Lines[j]
			fmt.Fprintf(b, "%s%s%s: %s: %s\n", textIndent, textIndent, wording.ConfigurationPlace(l.Path, l.Line), wording.Visible(l.Directive), wording.Visible(l.Why))
		}
		b.WriteString(textIndent + textIndent + paragraph(wording.Clip(f.Remediation, wording.MaxParagraph), textIndent+textIndent, textWidth))
	}
}

func writeRoute(b *strings.Builder, r *document.Route, paint Paint) {
	path := r.Path
	if path == "" {
		path = "(all else)"
	}
	access := fmt.Sprintf("%-10s", r.Access)
	if r.Access == "unknown" || r.Access == "answered" {
		access = paint.faint(access)
	}
	line := fmt.Sprintf("%s%s  %-*s", textIndent, access, pathWidth, wording.Clip(path, wording.MaxName))
	if by := decided(r.DecidedBy); by != "" {
		line += "  " + by
	} else if r.Line > 0 {
		line += "  " + wording.ConfigurationPlace(r.File, r.Line)
	}
	if r.Upstream != "" {
		line += paint.faint("  → " + wording.Clip(r.Upstream, wording.MaxName))
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// decided returns directives with their places.
func decided(lines []result.ConfigurationLine) string {
	var list []string
	for i := range lines {
		l := &lines[i]
		list = append(list, wording.Visible(l.Directive)+" ("+wording.ConfigurationPlace(l.Path, l.Line)+")")
	}
	return strings.Join(list, ", ")
}

// writeComparison writes which routes of a run a changed configuration treats differently.
func writeComparison(b *strings.Builder, c *document.Comparison, paint Paint) {
	if c == nil {
		return
	}
	b.WriteString("\n" + paint.bold(fmt.Sprintf("Compared with %s, for the requests of %s", wording.Clip(c.Old, wording.MaxName), wording.Clip(c.Run, wording.MaxName))) + "\n")
	fmt.Fprintf(b, "%s%s, %s: %s changed\n", textIndent, wording.Count(c.Routes, "route"), wording.Count(c.Requests, "request"), wording.Count(int64(len(c.Changes)), "route"))
	if c.Undecided > 0 {
		fmt.Fprintf(b, "%snot decided by the configurations: %s\n", textIndent, wording.Count(c.Undecided, "request"))
	}
	for i := range c.Changes[:min(len(c.Changes), maxCheckChanges)] {
		x := &c.Changes[i]
		subject := result.Subject{Host: x.Host, Method: x.Method, Route: x.Route}
		fmt.Fprintf(b, "%s%s → %s  %s  %s\n", textIndent, x.Before, paint.bold(x.After), wording.Clip(subject.Endpoint(), wording.MaxName), wording.Count(x.Requests, "request"))
		for _, by := range [][]result.ConfigurationLine{x.BeforeBy, x.AfterBy} {
			if text := decided(by); text != "" {
				b.WriteString(textIndent + textIndent + textIndent + paragraph(text, textIndent+textIndent+textIndent, textWidth))
			}
		}
	}
	if more := len(c.Changes) - maxCheckChanges; more > 0 {
		fmt.Fprintf(b, "%s%s (see --json)\n", textIndent, wording.Count(int64(more), "more change"))
	}
}
