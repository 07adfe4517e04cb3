package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"logscan/analyze/detect"
	"logscan/parse"
	"logscan/parse/advice"
)

// adviceWidth is the width of wrapped text in columns.
const adviceWidth = 100

// advise prints which fields a log in format f lacks, and how to log them.
// fields are those mapped by --field.
func advise(b *bytes.Buffer, sample []byte, f *parse.Format, fields map[string]string) {
	s := parse.Survey(sample, f)
	a := advice.For(f, &s, fields)
	sampled := "1 sampled line"
	if s.Lines != 1 {
		sampled = fmt.Sprintf("%d sampled lines", s.Lines)
	}
	if len(a.Gaps) == 0 {
		if s.Lines > 0 {
			fmt.Fprintf(b, "\nno missing fields in %s\n", sampled)
		}
		return
	}
	fmt.Fprintf(b, "\nmissing fields in %s:\n", sampled)
	for _, g := range a.Gaps {
		state := "not logged"
		if g.Logged {
			state = "logged, but empty in all sampled lines"
		}
		fmt.Fprintf(b, "%-15s  %s\n", g.Name(), state)
		paragraph(b, 17, g.Why)
		paragraph(b, 17, g.Empty)
		if kinds := detect.KindsUsing(g.Extra); len(kinds) > 0 {
			paragraph(b, 17, "needed for: "+strings.Join(kinds, ", "))
		}
	}
	for _, c := range a.Configs {
		fmt.Fprintf(b, "\nto log them with %s, add to %s:\n\n", c.Server, c.Place)
		for line := range strings.Lines(c.Text) {
			fmt.Fprintf(b, "    %s\n", printable(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "    ")))
		}
		if scan := c.Scan(); scan != "" {
			fmt.Fprintf(b, "\nand scan the new log with:\n\n    %s\n", printable(scan))
		}
		if len(c.Notes) > 0 {
			b.WriteByte('\n')
		}
		for _, n := range c.Notes {
			paragraph(b, 0, n)
		}
	}
}

// paragraph prints text indented and wrapped at spaces. It prints nothing if the
// text is empty.
func paragraph(b *bytes.Buffer, indent int, text string) {
	column := 0
	for word := range strings.FieldsSeq(text) {
		width := utf8.RuneCountInString(word)
		switch {
		case column == 0:
			b.WriteString(strings.Repeat(" ", indent))
			column = indent
		case column+1+width > adviceWidth:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += width
	}
	if column > 0 {
		b.WriteByte('\n')
	}
}
