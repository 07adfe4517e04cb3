package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"logscan/parse"
	"logscan/parse/privacy"
	"logscan/parse/source"
)

type formatsCmd struct {
	Name string `arg:"" name:"name|file" optional:"" help:"A format's name, or a log file."`

	formatFlags
}

// Help is shown below the command's flags.
func (formatsCmd) Help() string {
	return `Without an argument, lists the known formats. With a name, prints the format as the server's configuration spells it, and sample lines. With a file, says which format it has, how sure that is, what is read from one of its lines, and what it cannot tell, with the lines to add to the server's configuration.`
}

// Run lists formats, prints one, or explains a file.
func (c *formatsCmd) Run(ctx context.Context, std *streams) error {
	if c.Name == "" {
		return listFormats(std.stdout)
	}
	if f, ok := parse.Lookup(c.Name); ok {
		return printFormat(std.stdout, f)
	}
	if _, err := os.Stat(c.Name); c.Name != "-" && errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(c.Name, "*?[/") {
		hint := "logscan formats lists the names"
		if near := nearFormats(c.Name); len(near) > 0 {
			hint = "did you mean " + strings.Join(near, " or ") + "?"
		}
		return usagef(hint, "%q is neither a format nor a file", c.Name)
	}
	options, err := c.resolve(std, false)
	if err != nil {
		return err
	}
	inputs, err := c.expand([]string{c.Name}, std, false)
	if err != nil {
		return err
	}
	if inputs, _, err = unfold(ctx, inputs, 0, std, false); err != nil {
		return err
	}
	var problems []problem
	explain := func(in source.Input, sample []byte) error {
		formats, err := options.Candidates(in)
		if err != nil {
			return err
		}
		p, err := explainFile(std.stdout, in, sample, formats, options.Fields)
		problems = append(problems, p...)
		return err
	}
	for _, together := range source.Together(inputs) {
		s := sampler{inputs: together, explain: explain, seen: make([]bool, len(together))}
		read, err := source.Read(ctx, together, 1, &s)
		if err = cmp.Or(s.err, err); err != nil {
			return err
		}
		for i, in := range together {
			switch {
			case s.seen[i]:
			case read[i].Err != nil:
				problems = append(problems, unread(in.Path, read[i].Err.Error()))
			default:
				if err := explain(in, nil); err != nil {
					return err
				}
			}
		}
	}
	return incomplete(problems)
}

func listFormats(w io.Writer) error {
	width := 0
	for _, f := range parse.Formats() {
		width = max(width, len(f.Name))
	}
	var b strings.Builder
	for _, f := range parse.Formats() {
		fmt.Fprintf(&b, "%-*s  %s\n", width, f.Name, f.Doc)
	}
	return write(w, []byte(b.String()))
}

func printFormat(w io.Writer, f *parse.Format) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Doc)
	if f.Native != "" {
		fmt.Fprintf(&b, "\n%s\n", f.Native)
	}
	for _, s := range f.Shapes {
		fmt.Fprintf(&b, "%s\n", s)
	}
	b.WriteString("\nsample lines:\n")
	for _, s := range f.Samples {
		fmt.Fprintf(&b, "%s\n", printable(s))
	}
	return write(w, []byte(b.String()))
}

// explainFile says by a sample which of the formats an input has, why, and what
// it lacks.
func explainFile(w io.Writer, in source.Input, sample []byte, formats []*parse.Format, fields map[string]string) ([]problem, error) {
	chosen := parse.Detect(sample, formats)
	var b strings.Builder
	if chosen.Lines == 0 {
		fmt.Fprintf(&b, "%s: no lines to judge by\n", printable(in.Path))
		return nil, write(w, []byte(b.String()))
	}
	if chosen.Format == nil && chosen.UTF16 {
		return []problem{{text: fmt.Sprintf("no format explains %s: it is text in UTF-16", in.Path), hint: hintUTF16}}, nil
	}
	if chosen.Format == nil {
		return []problem{{
			text: fmt.Sprintf("no format explains %s: the best, %s, reads %d of %d sampled lines", in.Path, chosen.Best.Name, chosen.Explained, chosen.Lines),
			hint: "give the log_format or LogFormat of the server's configuration with --format; logscan parse tells line by line what cannot be read",
		}}, nil
	}
	fmt.Fprintf(&b, "%s: %s, which explains %d of %d sampled lines\n", printable(in.Path), chosen.Format.Name, chosen.Explained, chosen.Lines)
	if more := chosen.Formats[1:]; len(more) > 0 {
		var names []string
		for _, f := range more {
			names = append(names, f.Name)
		}
		fmt.Fprintf(&b, "lines that it does not explain are tried with: %s\n", strings.Join(names, ", "))
	}
	if native := chosen.Format.Native; native != "" && native != chosen.Format.Name {
		fmt.Fprintf(&b, "\n%s\n", chosen.Format.Native)
	}
	if len(chosen.Tied) > 0 {
		names := make([]string, len(chosen.Tied))
		for i, f := range chosen.Tied {
			names[i] = f.Name
		}
		fmt.Fprintf(&b, "\na tie: %s as many; %s is the more specific\n", explainAsMany(names), chosen.Format.Name)
	}
	b.WriteString("\nformats that explain any of the lines (of equals, the more specific is taken):\n")
	for _, r := range rank(sample, formats) {
		if r.explained > 0 {
			fmt.Fprintf(&b, "%6d  %s\n", r.explained, r.format.Name)
		}
	}
	if line, row, ok := firstRow(sample, chosen.Formats, in); ok {
		fmt.Fprintf(&b, "\none of its lines:\n%s\n\nwhat is read from it:\n", line)
		for _, f := range row {
			fmt.Fprintf(&b, "%-28s  %s\n", f.name, f.value)
		}
	}
	advise(&b, sample, chosen.Format, fields)
	return nil, write(w, []byte(b.String()))
}

// explainAsMany is the subject and verb of a sentence on formats that tie.
func explainAsMany(names []string) string {
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last] + " explain"
	}
	return names[0] + " explains"
}

// ranked is how many sampled lines a format explains.
type ranked struct {
	format    *parse.Format
	explained int
}

// rank orders the formats by how many lines of the sample each explains, most
// first, and equals as the table of formats has them.
func rank(sample []byte, formats []*parse.Format) []ranked {
	all := make([]ranked, len(formats))
	for i, f := range formats {
		d := parse.Detect(sample, []*parse.Format{f})
		all[i] = ranked{d.Best, d.Explained}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return b.explained - a.explained })
	return all
}

// field is a column and its value as JSON writes it, without quotes.
type field struct{ name, value string }

// firstRow gives a line that the formats explain, redacted, and its fields:
// the first with status 401, or else the first of all.
func firstRow(sample []byte, formats []*parse.Format, in source.Input) (line string, row []field, ok bool) {
	p := parse.NewParser(formats...)
	p.SetReference(in.Modified())
	var e parse.Entry
	var r rows
	for raw := range bytes.Lines(sample) {
		raw = bytes.TrimRight(raw, "\r\n")
		if p.Parse(raw, &e) != parse.Parsed || ok && e.Status != 401 {
			continue
		}
		r.buf = r.buf[:0]
		r.open(in.Path)
		r.parsed(1, &e)
		line, row, ok = printable(string(privacy.RedactLine(nil, raw, e.Session))), fieldsOf(r.buf), true
		if e.Status == 401 {
			break
		}
	}
	return line, row, ok
}

// fieldsOf takes a row apart again: what is shown here is then exactly what
// the parse command prints.
func fieldsOf(row []byte) []field {
	var all []field
	d := json.NewDecoder(bytes.NewReader(row))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		value, err := d.Token()
		if err != nil {
			return nil
		}
		if s := fmt.Sprint(name); s != "log_file_path" && s != "log_line" {
			all = append(all, field{s, printable(fmt.Sprint(value))})
		}
	}
	return all
}

// sampler explains inputs by their samples and has nothing else read.
type sampler struct {
	inputs  []source.Input
	explain func(in source.Input, sample []byte) error
	seen    []bool // by input: there was a sample
	err     error
}

var _ source.Handler = (*sampler)(nil)

func (s *sampler) Open(input int, sample []byte) source.Plan {
	if len(sample) > 0 && s.err == nil {
		s.seen[input] = true
		s.err = s.explain(s.inputs[input], sample)
	}
	return source.Plan{Skip: true}
}

func (s *sampler) Block(int, *source.Block) {}
