package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"logscan/analyze"
	"logscan/parse"
	"logscan/parse/source"
)

// formatFlags say how lines are to be understood.
type formatFlags struct {
	Config configFlag `predictor:"file" default:"auto" placeholder:"FILE" group:"in" help:"Values of flags, as YAML (default: ~/.config/logscan/config.yaml and /etc/logscan/config.yaml, where they are)."`
	Format string     `predictor:"format" default:"auto" placeholder:"F" group:"in" help:"Format of the lines: auto, a name from 'logscan formats', or a format string of nginx, Apache, HAProxy, Envoy, uWSGI, Gunicorn or GoAccess, verbatim (default: auto, found out for each file)."`
	Field  fieldMap   `placeholder:"NAME=KEY" sep:"none" group:"in" help:"Log variable or JSON key that carries a field: user, session, upstream, host, ... (repeatable)."`
	serverFlags
	MaxRatio ratio `default:"${max_ratio}" placeholder:"N" group:"in" help:"End an input that decompresses to more than N times its size, once that is more than 256 MiB (default: ${default})."`
}

// resolve gives the options that the flags make. Its errors are usage errors.
func (f *formatFlags) resolve(std *streams, quiet bool) (o analyze.Options, err error) {
	servers, err := f.load(std.stderr, quiet)
	if err != nil {
		return o, err
	}
	if o.Format, err = namedFormat(f.Format, servers); err != nil {
		return o, err
	}
	if o.Fields, err = f.Field.fields(); err != nil {
		return o, err
	}
	if servers != nil {
		o.Configured = servers.of
	}
	if _, err := o.Candidates(source.Input{Path: source.Stdin}); err != nil {
		return o, usagef("", "--field: %w", err)
	}
	return o, nil
}

// namedFormat gives the format that spec names or spells out, nil for auto.
func namedFormat(spec string, servers *configured) (*parse.Format, error) {
	if spec == "auto" {
		return nil, nil
	}
	if servers != nil {
		if f, err := servers.named(spec); f != nil || err != nil {
			return f, err
		}
	}
	if f, ok := parse.Lookup(spec); ok {
		return f, nil
	}
	if strings.ContainsAny(spec, "$%") {
		f, err := parse.Compile(spec)
		if err != nil {
			return nil, usagef("give the string as it stands in the server's configuration, in single quotes", "--format: %w", err)
		}
		return f, nil
	}
	hint := "see logscan formats"
	if near := nearFormats(spec); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "? see logscan formats"
	}
	return nil, usagef(hint, "unknown format %q", spec)
}

// nearFormats gives the names that resemble a mistyped one, nearest first.
func nearFormats(name string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	for _, f := range parse.Formats() {
		d := editDistance(strings.ToLower(name), f.Name)
		if d <= max(2, len(name)/3) || strings.HasPrefix(f.Name, name) {
			near = append(near, candidate{f.Name, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, c := range near[:min(len(near), 3)] {
		names = append(names, c.name)
	}
	return names
}

// editDistance counts the bytes that must be inserted, deleted or replaced to
// make a into b (Levenshtein's distance). Both are names: only the first
// maxName bytes count.
func editDistance(a, b string) int {
	const maxName = 64
	a, b = a[:min(len(a), maxName)], b[:min(len(b), maxName)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// expand finds the inputs that args name, tells what it left out, and gives a
// usage error when there is nothing to read.
func (f *formatFlags) expand(args []string, std *streams, quiet bool) ([]source.Input, error) {
	inputs, notes, err := source.Expand(args, std.stdin)
	if err != nil {
		return nil, &usageError{err, commandHint(args)}
	}
	if !quiet {
		for _, n := range notes {
			note(std.stderr, "note: %s: %s", n.Path, n.Text)
		}
	}
	source.Limit(inputs, int64(f.MaxRatio))
	if len(inputs) == 0 {
		return nil, usagef("name a file, a directory, a glob or - for standard input", "no input: nothing to read in %s", strings.Join(args, " "))
	}
	return inputs, nil
}

// unfold puts the files that are in archives in the place of the archives, and
// tells what it left out.
func unfold(ctx context.Context, inputs []source.Input, workers int, std *streams, quiet bool) ([]source.Input, []source.Note, error) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	inputs, notes, err := source.Members(ctx, inputs, workers)
	if err != nil {
		return nil, nil, err
	}
	if !quiet {
		for _, n := range notes {
			note(std.stderr, "note: %s: %s", n.Path, n.Text)
		}
	}
	return inputs, notes, nil
}

// commandHint helps who mistyped a command: it is then taken for an input of
// the default command.
func commandHint(args []string) string {
	for _, command := range []string{"scan", "parse", "show", "formats", "version"} {
		if args[0] != command && editDistance(args[0], command) <= 2 {
			return "did you mean logscan " + command + "?"
		}
	}
	return ""
}

// outside gives the inputs that are not in the output directory out: last
// night's report is no log, and a run must not read what it is about to
// replace. dropped is how many are left out.
func outside(inputs []source.Input, out string) (kept []source.Input, dropped int) {
	root := realPath(out)
	for _, in := range inputs {
		if in.Path != "-" && within(root, realPath(in.Path)) {
			dropped++
			continue
		}
		kept = append(kept, in)
	}
	return kept, dropped
}

// realPath gives the absolute path of name with symbolic links resolved as far
// as it exists.
func realPath(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs))
	}
	return abs
}

func within(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// shareRejected tells which share of lines was rejected, in percent.
func shareRejected(rejected, lines int64) percent {
	if lines == 0 {
		return 0
	}
	return percent(100 * float64(rejected) / float64(lines))
}

func (p percent) String() string {
	if p > 0 && p < 0.1 {
		return "under 0.1 %"
	}
	return fmt.Sprintf("%.3g %%", float64(p))
}

// write writes all of b.
func write(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}
