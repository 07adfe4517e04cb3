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
	"logscan/parse/propose"
	"logscan/parse/source"
	"logscan/parse/source/object"
)

type formatsCmd struct {
	Name string `arg:"" name:"name|file" optional:"" help:"Name of a format, or a log file."`

	formatFlags
}

// Help returns the text that kong prints before the flags.
func (formatsCmd) Help() string {
	return `Lists the known formats. With a name, prints the format string and sample lines. With a file, prints the detected format, how many sampled lines match it, the fields of one line, which fields are missing, and the server configuration that logs them.`
}

// Run lists formats, prints one, or explains a file.
func (c *formatsCmd) Run(ctx context.Context, std *streams) error {
	if c.Name == "" {
		return listFormats(std.stdout)
	}
	if f, ok := parse.Lookup(c.Name); ok {
		return printFormat(std.stdout, f)
	}
	if _, err := os.Stat(c.Name); c.Name != "-" && object.Scheme(c.Name) == "" && errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(c.Name, "*?[/") {
		return usagef(formatHint(c.Name), "%q is neither a format nor a file", c.Name)
	}
	options, err := c.options(std, false)
	if err != nil {
		return err
	}
	inputs, err := c.expand(ctx, []string{c.Name}, std, false, &options)
	if err != nil {
		return err
	}
	if inputs, _, err = expandArchives(ctx, inputs, 0, std, false); err != nil {
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
	for _, group := range source.Together(inputs) {
		s := sampler{inputs: group, explain: explain, seen: make([]bool, len(group))}
		read, err := source.Read(ctx, group, 1, &s)
		if err = cmp.Or(s.err, err); err != nil {
			return err
		}
		for i, in := range group {
			switch {
			case s.seen[i]:
			case read[i].Err != nil:
				problems = append(problems, problem{text: in.Path + ": " + read[i].Err.Error()})
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
	var b bytes.Buffer
	for _, f := range parse.Formats() {
		fmt.Fprintf(&b, "%-*s  %s\n", width, f.Name, f.Doc)
	}
	b.WriteString("\nother names:\n")
	for _, f := range parse.Formats() {
		if names := parse.OtherNames(f); len(names) > 0 {
			fmt.Fprintf(&b, "%-*s  %s\n", width, f.Name, strings.Join(names, ", "))
		}
	}
	_, err := b.WriteTo(w)
	return err
}

func printFormat(w io.Writer, f *parse.Format) error {
	var b bytes.Buffer
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
	_, err := b.WriteTo(w)
	return err
}

// explainFile prints which of the formats a sample of an input has, why, what is
// parsed from a line, and which fields are missing.
func explainFile(w io.Writer, in source.Input, sample []byte, formats []*parse.Format, fields map[string]string) ([]problem, error) {
	d := parse.Detect(sample, formats)
	if d.Lines == 0 {
		_, err := fmt.Fprintf(w, "%s: no lines to detect a format from\n", printable(in.Path))
		return nil, err
	}
	if d.Format == nil && d.UTF16 {
		return []problem{{text: in.Path + ": unknown format; the text is UTF-16", hint: hintUTF16}}, nil
	}
	if d.Format == nil {
		closest := fmt.Sprintf("; none matches one of %d sampled lines", d.Lines)
		if d.Explained > 0 {
			closest = fmt.Sprintf("; the closest, %s, matches %d of %d sampled lines", d.Best.Name, d.Explained, d.Lines)
		}
		return []problem{{
			text: fmt.Sprintf("%s: unknown format%s", in.Path, closest),
			hint: "set --format to the log_format or LogFormat of the server's configuration; logscan parse prints which lines do not match",
		}}, printProposal(w, in, sample)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s, matches %d of %d sampled lines\n", printable(in.Path), d.Format.Name, d.Explained, d.Lines)
	if more := d.Formats[1:]; len(more) > 0 {
		fmt.Fprintf(&b, "formats tried for the other lines: %s\n", strings.Join(namesOfFormats(more), ", "))
	}
	if native := d.Format.Native; native != "" && native != d.Format.Name {
		fmt.Fprintf(&b, "\n%s\n", native)
	}
	if learned := d.Format.Inferred(); learned != "" {
		fmt.Fprintf(&b, "\ninferred from the values in these lines: %s; pass --format or --field if that is wrong\n", printable(learned))
	}
	if len(d.Tied) > 0 {
		fmt.Fprintf(&b, "\nmatches as many lines, but is less specific: %s\n", strings.Join(namesOfFormats(d.Tied), ", "))
	}
	b.WriteString("\nsampled lines that each format matches:\n")
	for _, r := range rank(sample, formats) {
		if r.matched > 0 {
			fmt.Fprintf(&b, "%6d  %s\n", r.matched, r.format.Name)
		}
	}
	if line, row, ok := exampleRow(sample, d.Formats, in); ok {
		fmt.Fprintf(&b, "\nexample line:\n%s\n\nparsed fields:\n", line)
		for _, f := range row {
			fmt.Fprintf(&b, "%-28s  %s\n", f.name, f.value)
		}
	}
	advise(&b, sample, d.Format, fields)
	_, err := b.WriteTo(w)
	return nil, err
}

// printProposal prints a command with a format string for a log of an unknown format, if
// the shape of its columns suggests one.
func printProposal(w io.Writer, in source.Input, sample []byte) error {
	p := propose.Format(sample)
	if p.Spec == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s: by the shape of its columns, this reads %d of %d sampled lines; check what it takes them for:\n\n    logscan parse --format %s %s\n\n",
		printable(in.Path), p.Matched, p.Lines, shellQuoted(p.Spec), shellQuoted(in.Path))
	return err
}

// shellQuoted quotes an argument for a shell, if it has to be.
func shellQuoted(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._-+=,@%", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(printable(s), "'", `'\''`) + "'"
}

func namesOfFormats(formats []*parse.Format) []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return names
}

// ranked is a format with the number of sampled lines that it matches.
type ranked struct {
	format  *parse.Format
	matched int
}

// rank sorts the formats by how many lines of the sample each matches, most
// first, and keeps the order of formats that match equally many.
func rank(sample []byte, formats []*parse.Format) []ranked {
	all := make([]ranked, len(formats))
	for i, f := range formats {
		d := parse.Detect(sample, []*parse.Format{f})
		all[i] = ranked{d.Best, d.Explained}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return b.matched - a.matched })
	return all
}

// field is a column name with a printable value.
type field struct{ name, value string }

// exampleRow returns a line that the formats match, redacted, with its fields:
// the first line with status 401, or else the first line.
func exampleRow(sample []byte, formats []*parse.Format, in source.Input) (line string, row []field, ok bool) {
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
		line, row, ok = printable(string(privacy.RedactLine(nil, raw, p.Locate(raw, parse.Parsed)))), fieldsOf(r.buf), true
		if e.Status == 401 {
			break
		}
	}
	return line, row, ok
}

// fieldsOf decodes a row, so that formats shows exactly what parse prints.
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

// sampler explains inputs by their samples, and reads nothing else.
type sampler struct {
	inputs  []source.Input
	explain func(in source.Input, sample []byte) error
	seen    []bool // by input: there was a sample
	err     error
}

var _ source.Handler = (*sampler)(nil)

// Open explains an input and skips the rest of it.
func (s *sampler) Open(input int, sample []byte) source.Plan {
	if len(sample) > 0 && s.err == nil {
		s.seen[input] = true
		s.err = s.explain(s.inputs[input], sample)
	}
	return source.Plan{Skip: true}
}

// Block is never called: Open skips every input.
func (s *sampler) Block(int, *source.Block) {}
