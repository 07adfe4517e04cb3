package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"logscan/analyze"
	"logscan/analyze/result"
	"logscan/analyze/spill"
	"logscan/parse/source"
	"logscan/report"
	"logscan/report/document"
	"logscan/report/notify"
	"logscan/report/outdir"
	"logscan/report/terminal"
	"logscan/report/wording"
)

type scanCmd struct {
	Inputs []string `arg:"" predictor:"file" name:"input" help:"File, directory, glob, or - for standard input; compression and format are found out."`

	formatFlags
	lineFlags
	memoryFlags
	Workers workers `placeholder:"N" group:"in" help:"Read and analyse with N goroutines (default: the CPUs)."`

	policyFlags
	privacyFlags

	Out        string   `short:"o" predictor:"dir" default:"logscan-out" placeholder:"DIR" group:"out" help:"Output directory; appears whole or not at all, and replaces the last one (default: ${default})."`
	State      string   `predictor:"file" placeholder:"FILE" group:"out" help:"Count only what no earlier run with FILE has counted, and go on with its sessions; FILE is made and kept up to date. Name another --out each time: the same one is written again."`
	Baseline   string   `predictor:"dir" placeholder:"DIR" group:"out" help:"Output directory of an earlier run: findings are marked new, persisting, worse, better or resolved against it."`
	FailOn     severity `predictor:"severity" placeholder:"SEVERITY" group:"out" help:"Exit 3 when there is a finding of this severity or above: info, low, medium, high or critical (default: never)."`
	MaxRejects percent  `default:"5" placeholder:"PCT" group:"out" help:"Exit 4 when more than this share of the lines is rejected (default: ${default})."`

	Metrics string `predictor:"file" placeholder:"FILE" group:"out" help:"Write figures of the run for node_exporter's textfile collector (name it *.prom)."`

	Webhook       confidential `placeholder:"URL" group:"out" help:"Post the findings to this URL; best set as LOGSCAN_WEBHOOK, because others can see arguments."`
	WebhookFormat string       `enum:"json,slack" default:"json" placeholder:"json|slack" group:"out" help:"What is posted: the findings as JSON, or a message for Slack and its like (default: ${default})."`

	Progress  string `enum:"auto,always,never" default:"auto" placeholder:"auto|always|never" group:"talk" help:"Show how far the work has come: auto is on a terminal, when it lasts (default: ${default})."`
	Quiet     bool   `short:"q" xor:"talk" group:"talk" help:"Say nothing but errors."`
	Verbose   bool   `short:"v" xor:"talk" group:"talk" help:"Tell how each input was read, and every 30 seconds how far the work has come."`
	LogFormat string `enum:"text,json" default:"text" placeholder:"text|json" group:"talk" help:"How messages are written: for people, or a JSON object a line (default: ${default})."`
}

// Help is shown below the command's flags.
func (scanCmd) Help() string {
	return `Reads every line once, follows every session and account through all inputs together, and tells which trouble explains the 401s. Writes report.html for reading, findings.json and manifest.json for programs, rejects.ndjson, and Parquet tables for SQL.`
}

// Run reads the inputs, finds the causes and writes the output directory.
func (c *scanCmd) Run(ctx context.Context, std *streams) (err error) {
	started := time.Now()
	if c.LogFormat == "json" {
		std.stderr = newStructured(std.stderr)
	}
	options, err := c.resolve(std, c.Quiet)
	if err != nil {
		return err
	}
	options.Policy = c.policy()
	options.Workers = int(c.Workers)
	var watch stopwatch
	options.Phase = func(p analyze.Phase) { watch.begin(string(p)) }
	if options.Parse, options.Since, options.Until, err = c.lineFlags.options(started); err != nil {
		return err
	}
	if options.Parse.Privacy, err = c.privacyFlags.options(); err != nil {
		return err
	}
	inputs, err := c.expand(c.Inputs, std, c.Quiet)
	if err != nil {
		return err
	}
	inputs, dropped := outside(inputs, c.Out)
	switch {
	case len(inputs) == 0:
		return usagef("choose another --out", "every input lies in the output directory %s, which is to be replaced", c.Out)
	case dropped > 0 && !c.Quiet:
		note(std.stderr, "note: %s: the output directory is not read (%d files)", c.Out, dropped)
	}
	place, err := report.Claim(c.Out)
	if err != nil {
		return claimError(err)
	}
	defer place.Release()
	state, err := c.claimState(std, &options)
	if err != nil {
		return err
	}
	if state != nil {
		defer state.Release()
		inputs = slices.DeleteFunc(inputs, func(in source.Input) bool { return state.Holds(in.Path) })
		if len(inputs) == 0 {
			return usagef("name the logs", "there is nothing to read but the state %s", c.State)
		}
	}
	if options.Memory, err = c.bound(place); err != nil {
		return err
	}
	if space := options.Memory.Space; space != nil {
		defer func() {
			if e := space.Close(); e != nil {
				err = errors.Join(err, e)
			}
		}()
	}
	if c.Baseline != "" {
		// Read now: it may be the very directory that this run replaces.
		baseline, err := open(c.Baseline)
		if err != nil {
			return err
		}
		if options.Baseline, err = baseline.Snapshot(); err != nil {
			return &usageError{err, "choose another --baseline"}
		}
	}

	if n := int(c.Workers); n > 0 && n < runtime.GOMAXPROCS(0) {
		// Fewer workers are asked for to leave CPUs to others: garbage
		// collection and writing keep to them too.
		runtime.GOMAXPROCS(n)
	}
	if options.Inputs, options.Notes, err = unfold(ctx, inputs, int(c.Workers), std, c.Quiet); err != nil {
		return err
	}
	terminal := c.watched(std, &options)
	meter := startMeter(std.stderr, terminal, options.Progress)
	defer meter.end()
	res, err := analyze.Run(ctx, options)
	if err != nil {
		return spillError(boundError(err))
	}
	watch.begin(phaseWrite)
	if options.Progress != nil {
		options.Progress.Begin(phaseWrite)
	}
	provenance := c.provenance(std, started, &watch, options.Memory.Space)
	if state != nil {
		left, err := state.Prepare(res.Save)
		if err != nil {
			return err
		}
		run := provenance
		provenance = func() document.Run {
			r := run()
			r.State = left
			return r
		}
	}
	described := wording.Describe(res)
	if err := report.Write(ctx, place, described, provenance); err != nil {
		return spillError(err)
	}
	problems := c.problems(res)
	if state != nil {
		if err := state.Commit(); err != nil {
			problems = append(problems, problem{err.Error(), "the report is written; the next run with --state tries again"})
		}
		state.Release()
	}
	place.Release()
	meter.end()
	if c.Metrics != "" {
		if err := notify.WriteMetrics(c.Metrics, res, provenance()); err != nil {
			problems = append(problems, problem{"write " + c.Metrics + ": " + err.Error(), "the report is written; choose another --metrics"})
		}
	}
	if c.Verbose {
		tellInputs(std, res)
		if state != nil {
			note(std.stderr, "state: %s: %d bytes", c.State, state.Size())
		}
	}
	if c.Webhook != "" {
		hook := notify.Webhook{URL: string(c.Webhook), Format: c.WebhookFormat}
		if err := hook.Post(ctx, c.Out, described, provenance()); err != nil {
			problems = append(problems, problem{err.Error(), "the report is written; look at --webhook"})
		}
	}
	if !c.Quiet {
		if b := options.Baseline; b != nil && b.PseudonymKey != res.PseudonymKey {
			note(std.stderr, "note: not compared with %s: %v", c.Baseline, errOtherNames)
		}
		c.summarise(std, described)
	}
	return c.grave(res, incomplete(problems))
}

// claimError is why the output directory cannot be had, and what to do about it.
func claimError(err error) error {
	var locked *outdir.LockedError
	var foreign *outdir.NotOutputError
	switch {
	case errors.As(err, &locked):
		return &hintedError{err, "wait for it to end, or choose another --out"}
	case errors.As(err, &foreign):
		return &usageError{err, "choose another --out"}
	}
	return err
}

// watched sets the options up for telling how far the run has come, where
// somebody wants to know, and says whether that is on a terminal.
func (c *scanCmd) watched(std *streams, o *analyze.Options) (terminal bool) {
	_, structured := std.stderr.(*structured)
	_, terminal = terminalOf(std.stderr)
	terminal = !structured && !c.Quiet && c.Progress != "never" && (c.Progress == "always" || terminal)
	if terminal || c.Verbose && c.Progress != "never" {
		o.Progress = &analyze.Progress{}
	}
	return terminal
}

// summarise tells what was found.
func (c *scanCmd) summarise(std *streams, res *wording.Report) {
	page := filepath.Join(c.Out, "report.html")
	if s, ok := std.stderr.(*structured); ok {
		t := &res.Totals
		s.log.Info("done", "report", page, "inputs", len(res.Inputs), "lines", t.Lines, "parsed", t.Parsed, "rejected", t.Rejected, "skipped", t.Skipped,
			"unauthorized", t.Unauthorized, "unexplained", t.Unexplained, "findings", len(res.Findings))
		return
	}
	terminal.Summary(std.stderr, res, paintFor(std.stderr), widthOf(std.stderr))
	note(std.stderr, "report: %s", page)
}

// grave is the error of findings that --fail-on asks about. It comes before
// what else there is to tell: an alarm must not be hidden by a line of junk in a
// log.
func (c *scanCmd) grave(res *result.Result, other error) error {
	n := 0
	for i := range res.Findings {
		if f := &res.Findings[i]; c.FailOn.set && f.Severity >= c.FailOn.least && f.Muted == nil {
			n++
		}
	}
	if n == 0 {
		return other
	}
	return &graveError{n, c.FailOn.least.String(), other}
}

// provenance gives what the manifest alone may hold: who ran it, when, and what
// it took. It is asked for as late as possible, so that writing is in it.
func (c *scanCmd) provenance(std *streams, started time.Time, watch *stopwatch, space *spill.Space) func() document.Run {
	return func() document.Run {
		version, commit := build()
		cpu, rss := used()
		finished := time.Now()
		spilled := int64(0)
		if space != nil {
			spilled = space.Written()
		}
		return document.Run{
			ToolName: "logscan", Version: version, Commit: commit, Arguments: withoutSecrets(std.args, c.confidential()),
			Started: started, Finished: finished,
			WallSeconds: finished.Sub(started).Seconds(), CPUSeconds: cpu, PeakRSSBytes: rss, SpilledBytes: spilled, Phases: watch.read(),
		}
	}
}

// confidential is the value of a flag that nothing may tell.
type confidential string

// confidentialFlags are the names of such flags, namingFlags those whose values
// name people and addresses.
var (
	confidentialFlags = []string{"webhook"}
	namingFlags       = []string{"monitor", "shared-address", "service-account"}
)

// confidential gives the names of the flags whose values the manifest must not
// tell.
func (c *scanCmd) confidential() []string {
	if c.Pseudonymize == "" {
		return confidentialFlags
	}
	return slices.Concat(confidentialFlags, namingFlags)
}

// withoutSecrets gives arguments fit for the manifest: without the values of
// some flags.
func withoutSecrets(args, flags []string) []string {
	told := slices.Clone(args)
	for i, a := range told {
		for _, f := range flags {
			switch {
			case strings.HasPrefix(a, "--"+f+"="):
				told[i] = "--" + f + "=REDACTED"
			case a == "--"+f && i+1 < len(told):
				told[i+1] = "REDACTED"
			}
		}
	}
	return told
}

// stopwatch times phases that follow each other. The zero value has not begun.
type stopwatch struct {
	phase   string
	since   time.Time
	seconds map[string]float64
}

// begin ends the phase that runs and begins another one.
func (w *stopwatch) begin(phase string) {
	w.seconds = w.read()
	w.phase, w.since = phase, time.Now()
}

// read gives the seconds of every phase, of the one that runs as much as has
// passed.
func (w *stopwatch) read() map[string]float64 {
	all := maps.Clone(w.seconds)
	if all == nil {
		all = map[string]float64{}
	}
	if w.phase != "" {
		all[w.phase] += time.Since(w.since).Seconds()
	}
	return all
}

// tellInputs tells how each input was read.
func tellInputs(std *streams, res *result.Result) {
	for i := range res.Inputs {
		in := &res.Inputs[i]
		if in.OutOfRange {
			note(std.stderr, "not read: %s: last changed before the range of time begins", in.Path)
			continue
		}
		if in.DuplicateOf != "" {
			note(std.stderr, "not read: %s: the same content as %s", in.Path, in.DuplicateOf)
			continue
		}
		if in.BytesBefore > 0 || in.BytesLeft > 0 {
			note(std.stderr, "counted before: %s: %d bytes, %d lines; left for the next run: %d bytes", in.Path, in.BytesBefore, in.LinesBefore, in.BytesLeft)
		}
		note(std.stderr, "read %s: format %s, compression %s, %d bytes, %d lines: %d parsed, %d rejected, %d skipped; %d answered 401",
			in.Path, in.Format, in.Compression, in.Bytes, in.Lines, in.Parsed, in.Rejected, in.Skipped, in.Unauthorized)
	}
}

// problems are the reasons why a run that was done is not complete.
func (c *scanCmd) problems(res *result.Result) []problem {
	var all []problem
	for i := range res.Inputs {
		in := &res.Inputs[i]
		if in.Error != "" {
			all = append(all, unread(in.Path, in.Error))
		}
		if in.Format == analyze.UnknownFormat && in.Lines > in.Skipped {
			all = append(all, unexplained(in.Path, in.Closest, in.UTF16, in.Parsed, in.Lines-in.Skipped))
		}
	}
	if p, ok := tooManyRejects(res.Totals.Rejected, res.Totals.Lines, c.MaxRejects); ok {
		p.hint = "see " + filepath.Join(c.Out, "rejects.ndjson") + ", or raise --max-rejects"
		all = append(all, p)
	}
	return all
}

// unread is the problem of an input that could not be read to its end.
func unread(path, reason string) problem {
	return problem{text: fmt.Sprintf("%s: %s", path, reason), hint: ""}
}

const hintUTF16 = "convert it first: iconv -f UTF-16 -t UTF-8"

// unexplained is the problem of an input whose format is not known.
func unexplained(path, closest string, utf16 bool, parsed, lines int64) problem {
	p := problem{
		text: fmt.Sprintf("no format explains %s: %d of its %d lines could be read", path, parsed, lines),
		hint: "try --format, or logscan formats " + path,
	}
	if utf16 {
		p.text, p.hint = p.text+"; it is text in UTF-16", hintUTF16
	} else if closest != "" {
		p.text += "; the closest is " + closest
	}
	return p
}

// tooManyRejects is the problem of lines that are rejected too often.
func tooManyRejects(rejected, lines int64, limit percent) (problem, bool) {
	share := shareRejected(rejected, lines)
	if share <= limit {
		return problem{}, false
	}
	return problem{text: fmt.Sprintf("%d of %d lines were rejected (%v), more than %v", rejected, lines, share, limit)}, true
}
