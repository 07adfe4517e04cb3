package main

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kong"

	"logscan/analyze/result"
	"logscan/parse/source"
)

// cli is the grammar of the command line, read by kong.
type cli struct {
	Help         helpFlag    `short:"h" help:"Show this help."`
	PrintVersion versionFlag `name:"version" short:"V" help:"Print the version."`

	Scan    scanCmd    `cmd:"" default:"withargs" help:"Find the causes of 401s and write a report (default command)."`
	Watch   watchCmd   `cmd:"" help:"Analyse the last hour of logs that grow, again and again."`
	Plan    planCmd    `cmd:"" help:"Divide logs into tasks for several machines."`
	Map     mapCmd     `cmd:"" help:"Read the logs of one task of a plan and write a part."`
	Reduce  reduceCmd  `cmd:"" help:"Merge the parts of a plan, find the causes of 401s and write a report."`
	Parse   parseCmd   `cmd:"" help:"Print the fields of every log line as NDJSON."`
	Show    showCmd    `cmd:"" help:"Show the findings of a finished run."`
	Diff    diffCmd    `cmd:"" help:"Compare the findings of two runs."`
	Formats formatsCmd `cmd:"" help:"List log formats, print one, or detect the format of a file."`
	Check   checkCmd   `cmd:"" help:"Show what protects which route of an nginx or Apache configuration, and likely faults."`
	Config  configCmd  `cmd:"" help:"Check configuration files."`
	Version versionCmd `cmd:"" help:"Print the version."`

	HelpCmd    helpCmd       `cmd:"" name:"help" help:"Show the help of a command."`
	Completion completionCmd `cmd:"" help:"Print a shell completion script."`
	Man        manCmd        `cmd:"" help:"Print the manual page."`
}

// options returns the options of the kong parser.
func options(std *streams) []kong.Option {
	return []kong.Option{
		kong.Name("logscan"),
		kong.Description(description),
		kong.DefaultEnvars("LOGSCAN"),
		kong.Vars{"max_ratio": strconv.Itoa(source.DefaultMaxRatio)},
		// The footer explains environment variables once, rather than per flag.
		kong.ValueFormatter(func(v *kong.Value) string { return v.Help }),
		kong.KindMapper(reflect.String, kong.MapperFunc(rawString)),
		kong.NoDefaultHelp(), // kong's own help flag exits the process
		kong.Bind(std),
		kong.Writers(std.stdout, std.stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "input", Title: "Input:"},
			{Key: "output", Title: "Output:"},
			{Key: "privacy", Title: "Privacy:"},
			{Key: "site", Title: "Site policy:"},
			{Key: "messages", Title: "Messages:"},
		}),
	}
}

// rawString decodes a string byte for byte. kong's default replaces invalid
// UTF-8, but file names may be any bytes.
func rawString(ctx *kong.DecodeContext, target reflect.Value) error {
	t := ctx.Scan.Peek()
	s, ok := t.Value.(string)
	if !ok || !t.IsValue() {
		return ctx.Scan.PopValueInto("string", target.Addr().Interface()) // returns kong's error
	}
	ctx.Scan.Pop()
	target.SetString(s)
	return nil
}

// percent is a percentage from 0 to 100.
type percent float64

// UnmarshalText parses "5", "0.5" or "5%".
func (p *percent) UnmarshalText(text []byte) error {
	f, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "%"), 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 100 {
		return fmt.Errorf("%q is not a percentage from 0 to 100", text)
	}
	*p = percent(f)
	return nil
}

func (p percent) String() string {
	if p > 0 && p < 0.1 {
		return "under 0.1%"
	}
	return fmt.Sprintf("%.3g%%", float64(p))
}

// ratio is the decompressed size of an input divided by its stored size.
type ratio int64

// UnmarshalText parses a positive integer.
func (r *ratio) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number of 1 or more", text)
	}
	*r = ratio(n)
	return nil
}

// severity is a minimum severity. The zero value means never.
type severity struct {
	least result.Severity
	set   bool
}

// UnmarshalText parses the name of a severity.
func (s *severity) UnmarshalText(text []byte) error {
	least, err := result.ParseSeverity(string(text))
	*s = severity{least, true}
	return err
}

// workers is a number of goroutines. 0 means one per CPU.
type workers int

// maxWorkers bounds --workers: each worker has its own buffers and tables.
const maxWorkers = 1024

// UnmarshalText parses an integer from 1 to maxWorkers.
func (w *workers) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxWorkers {
		return fmt.Errorf("%q is not a number from 1 to %d", text, maxWorkers)
	}
	*w = workers(n)
	return nil
}

// fieldMap holds the values of --field, each NAME=KEY.
type fieldMap []string

// fields returns the log variable or JSON key of each field name. Its errors
// are usage errors.
func (m fieldMap) fields() (map[string]string, error) {
	fields := make(map[string]string, len(m))
	for _, s := range m {
		name, key, ok := strings.Cut(s, "=")
		if !ok || name == "" || key == "" {
			return nil, usagef("for example --field session=cookie_sid", "--field %s: expected NAME=KEY", s)
		}
		if old, ok := fields[name]; ok && old != key {
			return nil, usagef("", "--field %s is given twice", name)
		}
		fields[name] = key
	}
	return fields, nil
}

// nearest returns the candidate with the smallest edit distance from name, or
// "" if that distance exceeds limit.
func nearest(name string, candidates []string, limit int) string {
	best := ""
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(name, c); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}
