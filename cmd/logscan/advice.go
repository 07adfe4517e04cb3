package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"logscan/parse"
	"logscan/parse/advice"
)

// adviceWidth is where sentences wrap, in columns.
const adviceWidth = 100

// advise tells what a log of format f cannot tell, and what to log instead.
// fields are those that the user named.
func advise(b *strings.Builder, sample []byte, f *parse.Format, fields map[string]string) {
	s := parse.Survey(sample, f)
	a := advice.For(f, &s, fields)
	if len(a.Gaps) == 0 {
		if s.Lines > 0 {
			fmt.Fprintf(b, "\nnothing is missing: all that the diagnosis uses is in %s\n", sampledLines(s.Lines))
		}
		return
	}
	fmt.Fprintf(b, "\nwhat this log cannot tell, judged by %s:\n", sampledLines(s.Lines))
	for _, g := range a.Gaps {
		state := "not logged"
		if g.Logged {
			state = "logged, but no sampled line holds one"
		}
		fmt.Fprintf(b, "%-15s  %s\n", g.Name(), state)
		paragraph(b, 17, g.Why)
		paragraph(b, 17, g.Empty)
		if len(g.Kinds) > 0 {
			paragraph(b, 17, "findings that need it: "+strings.Join(g.Kinds, ", "))
		}
	}
	for _, c := range a.Configs {
		fmt.Fprintf(b, "\nto have %s log it, add to %s:\n\n", c.Server, c.Place)
		for line := range strings.Lines(c.Text) {
			fmt.Fprintf(b, "    %s\n", printable(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "    ")))
		}
		if scan := c.Scan(); scan != "" {
			fmt.Fprintf(b, "\nand read it with:\n\n    %s\n", printable(scan))
		}
		if len(c.Notes) > 0 {
			b.WriteByte('\n')
		}
		for _, n := range c.Notes {
			paragraph(b, 0, n)
		}
	}
}

func sampledLines(n int64) string {
	if n == 1 {
		return "1 sampled line"
	}
	return fmt.Sprintf("%d sampled lines", n)
}

// paragraph writes text wrapped between words and indented; nothing where
// there is none.
func paragraph(b *strings.Builder, indent int, text string) {
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
