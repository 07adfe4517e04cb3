package main

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"logscan/analyze/result"
	"logscan/parse/source"
)

const description = `Reads access logs (nginx, Apache, JSON) and tells why there are HTTP 401s.`

const examples = `Examples:
  logscan /var/log/nginx                    why are there 401s? writes logscan-out/report.html
  logscan scan -o lake/dt=2026-11-22 'web*/access.log*.gz'
  logscan formats access.log                which format is this, and what is read from a line?
  logscan parse --format '$remote_addr [$time_local] "$request" $status' access.log
  zcat old.log.Z | logscan -                standard input
  logscan show logscan-out                  the findings, in the terminal
  logscan scan --baseline lake/dt=2026-11-21 -o lake/dt=2026-11-22 --fail-on high /var/log/nginx
                                            a nightly job: what is new, and exit 3 when it is grave

Every flag can also be set in the environment (LOGSCAN_OUT for --out) or in a
configuration file (see logscan config check); the flag counts first, then the
environment, then the file.

Exit codes: 0 done, 1 failed and nothing written, 2 usage error, 3 done and there
are findings at or above --fail-on, 4 done but some input could not be read or too
many lines were rejected, 130 interrupted.`

// cli is the command line, as kong reads it.
type cli struct {
	Help helpFlag `short:"h" help:"Show this help."`

	Scan    scanCmd    `cmd:"" default:"withargs" help:"Find the causes of the 401s and write a report (the default command)."`
	Parse   parseCmd   `cmd:"" help:"Print the fields of every line as NDJSON."`
	Show    showCmd    `cmd:"" help:"Show the findings of a finished run."`
	Diff    diffCmd    `cmd:"" help:"Tell what has changed between the findings of two runs."`
	Formats formatsCmd `cmd:"" help:"List the known formats, print one, or say which one a file has."`
	Config  configCmd  `cmd:"" help:"Check a configuration file."`
	Version versionCmd `cmd:"" help:"Print the version."`

	Completion completionCmd `cmd:"" help:"Print what makes a shell complete commands, flags and values."`
	Man        manCmd        `cmd:"" help:"Print the manual page."`
}

func options(std *streams) []kong.Option {
	return []kong.Option{
		kong.Name("logscan"),
		kong.Description(description),
		kong.DefaultEnvars("LOGSCAN"),
		kong.Vars{"max_ratio": strconv.Itoa(source.DefaultMaxRatio)},
		// The variables are told once, and not with every flag.
		kong.ValueFormatter(func(v *kong.Value) string { return v.Help }),
		kong.KindMapper(reflect.String, kong.MapperFunc(asGiven)),
		kong.NoDefaultHelp(), // kong's own help flag wants to exit the process
		kong.Writers(std.stdout, std.stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "in", Title: "Reading:"},
			{Key: "out", Title: "Writing:"},
			{Key: "names", Title: "Privacy:"},
			{Key: "known", Title: "What is known of the site:"},
			{Key: "talk", Title: "Talking:"},
		}),
	}
}

// asGiven reads a text byte for byte: kong's own way replaces what is no UTF-8,
// and file names are any bytes.
func asGiven(ctx *kong.DecodeContext, target reflect.Value) error {
	t := ctx.Scan.Peek()
	s, ok := t.Value.(string)
	if !ok || !t.IsValue() {
		return ctx.Scan.PopValueInto("string", target.Addr().Interface()) // which says what is wrong
	}
	ctx.Scan.Pop()
	target.SetString(s)
	return nil
}

// helpFlag shows the help of the command it follows.
type helpFlag bool

// BeforeReset is called by kong before anything else about the command line is
// judged, so that help is given also where arguments are missing.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	asked := slices.Contains(ctx.Args, ctx.Selected().Name) // or else it is the default command
	if !asked {
		fmt.Fprintf(ctx.Stdout, "%s\n\nCommands:\n", description)
		for _, command := range ctx.Model.Children {
			fmt.Fprintf(ctx.Stdout, "  %-10s  %s\n", command.Name, command.Help)
		}
		fmt.Fprintln(ctx.Stdout)
	}
	if err := ctx.PrintUsage(false); err != nil {
		return err
	}
	if !asked {
		fmt.Fprintf(ctx.Stdout, "\n%s\n", examples)
	}
	return errHelpShown
}

// percent is a share in percent, with or without the sign.
type percent float64

// UnmarshalText reads "5", "0.5" or "5%".
func (p *percent) UnmarshalText(text []byte) error {
	f, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "%"), 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 100 {
		return fmt.Errorf("%q is no percentage from 0 to 100", text)
	}
	*p = percent(f)
	return nil
}

// ratio is how many times as much as is stored an input may decompress to.
type ratio int64

// UnmarshalText reads a positive number.
func (r *ratio) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number from 1 on", text)
	}
	*r = ratio(n)
	return nil
}

// severity is a least severity, or the empty one for never.
type severity struct {
	least result.Severity
	set   bool
}

// UnmarshalText reads the name of a severity.
func (s *severity) UnmarshalText(text []byte) error {
	least, err := result.ParseSeverity(string(text))
	*s = severity{least, true}
	return err
}

// workers is a number of goroutines; 0 is one for each CPU.
type workers int

// maxWorkers bounds --workers: each has its own buffers and tables.
const maxWorkers = 1024

// UnmarshalText reads a positive number.
func (w *workers) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxWorkers {
		return fmt.Errorf("%q is no number from 1 to %d", text, maxWorkers)
	}
	*w = workers(n)
	return nil
}

// fieldMap is what --field said: field name to log variable or JSON key.
type fieldMap []string

func (m fieldMap) fields() (map[string]string, error) {
	fields := make(map[string]string, len(m))
	for _, s := range m {
		name, key, ok := strings.Cut(s, "=")
		if !ok || name == "" || key == "" {
			return nil, &usageError{fmt.Errorf("--field %s: want NAME=KEY", s), "for example --field session=cookie_sid"}
		}
		if old, ok := fields[name]; ok && old != key {
			return nil, &usageError{errors.New("--field " + name + " is given twice"), ""}
		}
		fields[name] = key
	}
	return fields, nil
}
