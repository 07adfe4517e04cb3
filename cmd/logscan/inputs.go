package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"logscan/analyze"
	"logscan/parse"
	"logscan/parse/source"
	"logscan/parse/source/object"
)

// formatFlags say how to read inputs and which format their lines have.
type formatFlags struct {
	Config configFlag `predictor:"file" default:"auto" placeholder:"FILE" group:"input" help:"YAML file with flag values (default: ~/.config/logscan/config.yaml and /etc/logscan/config.yaml, if present)."`
	Format string     `predictor:"format" default:"auto" placeholder:"F" group:"input" help:"Log format: auto, a name listed by 'logscan formats', or a format string of nginx, Apache, HAProxy, Envoy, uWSGI, Gunicorn or GoAccess (default: auto, detected for each file)."`
	Field  fieldMap   `placeholder:"NAME=KEY" sep:"none" group:"input" help:"Log variable or JSON key that holds a field: user, session, upstream, host, ... (repeatable)."`
	serverFlags
	MaxRatio ratio `default:"${max_ratio}" placeholder:"N" group:"input" help:"Maximum ratio of decompressed to compressed size; applies to inputs of more than 256 MiB decompressed (default: ${default})."`
}

// options returns the analysis options of the flags. Its errors are usage
// errors.
func (f *formatFlags) options(std *streams, quiet bool) (o analyze.Options, err error) {
	servers, err := f.load(std.stderr, quiet)
	if err != nil {
		return o, err
	}
	if o.Format, err = lookupFormat(f.Format, servers); err != nil {
		return o, err
	}
	if o.Fields, err = f.Field.fields(); err != nil {
		return o, err
	}
	if servers != nil {
		o.Configured = servers.forPath
	}
	if _, err := o.Candidates(source.Input{Path: source.Stdin}); err != nil {
		return o, usagef("", "--field: %w", err)
	}
	return o, nil
}

// lookupFormat returns the format for a name or format string, or nil for auto.
func lookupFormat(spec string, servers *configuredFormats) (*parse.Format, error) {
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
			return nil, usagef("copy the format string from the server's configuration, in single quotes", "--format: %w", err)
		}
		return f, nil
	}
	return nil, usagef(formatHint(spec), "unknown format %q", spec)
}

// formatHint returns the hint for an unknown format name.
func formatHint(name string) string {
	if near := nearest(strings.ToLower(name), namesOfFormats(parse.Formats()), max(1, len(name)/3)); near != "" {
		return "did you mean " + near + "? run logscan formats for the list"
	}
	return "run logscan formats for the list"
}

// expand returns the inputs that args name and that can have lines in the time range of the
// options, and prints notes on skipped files. It sets the notes of the options. Having
// nothing to read is a usage error.
func (f *formatFlags) expand(ctx context.Context, args []string, std *streams, quiet bool, o *analyze.Options) ([]source.Input, error) {
	if err := checkInputs(args); err != nil {
		return nil, err
	}
	x, err := source.ExpandURLs(ctx, args, std.stdin, o.Dates())
	var list *source.ListError
	if errors.As(err, &list) {
		return nil, err
	}
	if err != nil {
		return nil, &usageError{err, commandHint(args[0])}
	}
	printNotes(std, append(x.Notes, x.DateNotes...), quiet)
	source.Limit(x.Inputs, int64(f.MaxRatio))
	switch n := x.Skipped.Directories; {
	case len(x.Inputs) > 0:
	case n > 0:
		return nil, usagef("choose another time range, or name a directory itself", "no input files: all directories (%d) have dates outside of --since and --until", n)
	default:
		return nil, usagef("name a file, a directory, a glob, or - for standard input", "no input files in %s", strings.Join(args, " "))
	}
	o.Notes, o.Newest = x.DateNotes, x.Newest
	return x.Inputs, nil
}

// expandArchives replaces archives by their members and prints notes on skipped
// members. Without workers, it uses one goroutine per CPU.
func expandArchives(ctx context.Context, inputs []source.Input, workers int, std *streams, quiet bool) ([]source.Input, []source.Note, error) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	inputs, notes, err := source.Members(ctx, inputs, workers)
	if err != nil {
		return nil, nil, err
	}
	printNotes(std, notes, quiet)
	return inputs, notes, nil
}

func printNotes(std *streams, notes []source.Note, quiet bool) {
	if quiet {
		return
	}
	for _, n := range notes {
		note(std.stderr, "note: %s: %s", n.Path, n.Text)
	}
}

// commandHint returns a hint if arg looks like a mistyped command, which the
// default command takes as an input.
func commandHint(arg string) string {
	commands := []string{"scan", "watch", "plan", "map", "reduce", "parse", "show", "diff", "formats", "config", "version", "completion", "man"}
	if command := nearest(arg, commands, min(2, len(arg)/2)); command != "" && command != arg {
		return "did you mean logscan " + command + "?"
	}
	return ""
}

// outside returns the inputs that are not inside the output directory, and the
// number of those that are: a run must not read what it is about to replace.
func outside(inputs []source.Input, out string) (kept []source.Input, dropped int) {
	if object.Scheme(out) != "" {
		kept = slices.DeleteFunc(slices.Clone(inputs), func(in source.Input) bool { return strings.HasPrefix(in.Path, out) })
		return kept, len(inputs) - len(kept)
	}
	root := realPath(out)
	kept = make([]source.Input, 0, len(inputs))
	directories := map[string]string{} // their real paths
	for i := range inputs {
		in := &inputs[i]
		if in.Path != source.Stdin && within(root, realFile(in, directories)) {
			dropped++
			continue
		}
		kept = append(kept, *in)
	}
	return kept, dropped
}

// realFile is realPath for one of many files. directories holds the real paths of their
// directories, as far as they are known.
func realFile(in *source.Input, directories map[string]string) string {
	name := in.Path
	if !in.Direct() {
		if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
			return realPath(name)
		}
	}
	dir := filepath.Dir(name)
	real, ok := directories[dir]
	if !ok {
		real = realPath(dir)
		directories[dir] = real
	}
	return filepath.Join(real, filepath.Base(name))
}

// realPath returns the absolute path of name with symbolic links resolved as far
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

// within reports whether path is root or inside it.
func within(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
