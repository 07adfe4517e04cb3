package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"

	"logscan/analyze"
	"logscan/analyze/result"
	"logscan/report"
	"logscan/report/document"
	"logscan/report/notify"
	"logscan/report/outdir"
	"logscan/report/terminal"
	"logscan/report/wording"
)

// reportFlags say what becomes of a result: what a scan and a reduce have in common.
type reportFlags struct {
	Out       string   `short:"o" predictor:"dir" placeholder:"DIR" group:"output" help:"Output directory, written completely or not at all, or s3:// URL of a prefix, whose manifest.json is written last; replaces the previous output (default: logscan-out)."`
	State     string   `predictor:"file" placeholder:"FILE" group:"output" help:"State file, created if missing: count only lines that no earlier run with FILE counted, and continue its sessions. Use a new --out for each run, since repeating one rewrites that run."`
	Baseline  string   `predictor:"dir" placeholder:"DIR" group:"output" help:"Output directory of an earlier run, or its URL; findings are marked new, persisting, worse, better or resolved against it."`
	FailOn    severity `predictor:"severity" placeholder:"SEVERITY" group:"output" help:"Exit 3 if a finding has this severity or above: info, low, medium, high or critical (default: never)."`
	FailOnNew severity `predictor:"severity" placeholder:"SEVERITY" group:"output" help:"Exit 3 if a finding that is new or worse than in the baseline has this severity or above. Without a baseline, as on a first night, all are new."`
	lakeFlags
	MaxRejects percent `default:"5" placeholder:"PCT" group:"output" help:"Exit 4 if more than this percentage of lines is rejected (default: ${default})."`

	Event []eventFlag `placeholder:"TIME=TEXT" sep:"none" group:"output" help:"Something that happened, such as 2026-03-09T14:05:00Z=deploy 42: marked in the charts, and told with findings that began near it (repeatable)."`

	Metrics string `predictor:"file" placeholder:"FILE" group:"output" help:"File for metrics of the run, for node_exporter's textfile collector (name it *.prom)."`

	Webhook       confidential `placeholder:"URL" group:"output" help:"URL to post the findings to. Prefer LOGSCAN_WEBHOOK: other users can see command lines."`
	WebhookOn     string       `enum:"always,new" default:"always" placeholder:"always|new" group:"output" help:"When to post: after each run, or only if a finding is new or worse than in the baseline (default: ${default})."`
	ReportURL     string       `name:"report-url" placeholder:"URL" group:"output" help:"Where the output directory, or with --lake the directory of all nights, is published: messages link to the report there."`
	WebhookFormat string       `enum:"json,slack" default:"json" placeholder:"json|slack" group:"output" help:"What to post: the findings as JSON, or a message for Slack (default: ${default})."`

	Progress  string `enum:"auto,always,never" default:"auto" placeholder:"auto|always|never" group:"messages" help:"Show progress of runs over a second: auto (on a terminal), always or never (default: ${default})."`
	Quiet     bool   `short:"q" xor:"verbosity" group:"messages" help:"Print only errors and whether --fail-on was reached."`
	Verbose   bool   `short:"v" xor:"verbosity" group:"messages" help:"Print how each input was read and, without a terminal, progress every 30 seconds."`
	LogFormat string `enum:"text,json" default:"text" placeholder:"text|json" group:"messages" help:"Format of messages: text, or json with one object per line (default: ${default})."`

	acceptEmpty bool // standard input without a byte
}

// reportedRun is a run whose result is reported.
type reportedRun struct {
	options    *analyze.Options
	place      outdir.Place
	state      *outdir.State // nil without --state
	provenance *provenance
	events     []result.Event // of --event
}

// report writes and publishes the result of a run.
func (c *reportFlags) report(ctx context.Context, std *streams, run *reportedRun, diagnose func() (*result.Result, error)) error {
	options, p := run.options, run.provenance
	terminal := c.enableProgress(std, options)
	meter := startMeter(std.stderr, terminal, options.Progress, wording.NounOf(options.Parse.Refusals))
	defer meter.end()
	res, err := diagnose()
	if err != nil {
		return spillError(err)
	}
	if err := c.nothingRead(res); err != nil {
		return err
	}
	res.SetEvents(run.events)
	p.watch.begin(phaseWrite)
	if options.Progress != nil {
		options.Progress.Begin(phaseWrite)
	}
	if run.state != nil {
		if p.state, err = run.state.Prepare(res.Save); err != nil {
			return err
		}
	}
	described := wording.Describe(res)
	if err := report.Write(ctx, run.place, described, p.run); err != nil {
		return spillError(err)
	}
	problems := c.problems(res, "see "+outdir.Join(c.Out, "rejects.ndjson")+", or raise --max-rejects")
	if run.state != nil {
		if err := run.state.Commit(); err != nil {
			problems = append(problems, problem{err.Error(), "the report was written; the next run with --state tries again"})
		}
		run.state.Release()
	}
	run.place.Release()
	meter.end()
	problems = append(problems, c.publish(ctx, described, p)...)
	problems = append(problems, c.arrange(std)...)
	c.printResult(std, options, described, run.state)
	return c.checkSeverity(res, incomplete(problems))
}

// checkAddresses returns a usage error for an address that nothing can be sent to.
func (c *reportFlags) checkAddresses() error {
	if c.Webhook != "" {
		if err := c.hook().Check(); err != nil {
			return usagef("give the whole URL, such as https://hooks.example.com/T0/B0", "%v", err)
		}
	}
	if at, err := url.Parse(c.ReportURL); c.ReportURL != "" && (err != nil || at.Scheme != "https" && at.Scheme != "http" || at.Host == "") {
		return usagef("such as https://reports.example.com/logscan", "--report-url: not an http or https URL")
	}
	return nil
}

// claimError adds a hint to an error of claiming the output directory.
func claimError(err error) error {
	var locked *outdir.LockedError
	var foreign *outdir.NotOutputError
	switch {
	case errors.As(err, &locked):
		return &hintedError{err, "wait for the other run to finish, or choose another --out"}
	case errors.As(err, &foreign):
		return &usageError{err, "choose another --out"}
	}
	return err
}

// readBaseline reads the findings of --baseline into the options. It is called
// before the run, which may replace that directory.
func (c *reportFlags) readBaseline(ctx context.Context, o *analyze.Options) error {
	if c.Baseline == "" {
		return nil
	}
	baseline, err := openRun(ctx, c.Baseline)
	if err != nil {
		return err
	}
	if o.Baseline, err = baseline.Snapshot(); err != nil {
		return &usageError{err, "choose another --baseline"}
	}
	return nil
}

// limitCPUs applies --workers to garbage collection and writing too: few workers
// are meant to leave CPUs to other processes.
func limitCPUs(w workers) {
	if n := int(w); n > 0 && n < runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}

// enableProgress sets the options up for progress messages if they are wanted,
// and reports whether to redraw them on a terminal.
func (c *reportFlags) enableProgress(std *streams, o *analyze.Options) (terminal bool) {
	_, isLog := std.stderr.(*logWriter)
	_, terminal = terminalOf(std.stderr)
	terminal = !isLog && !c.Quiet && c.Progress != "never" && (c.Progress == "always" || terminal)
	if terminal || c.Verbose && c.Progress != "never" {
		o.Progress = &analyze.Progress{}
	}
	return terminal
}

// link returns the address at which the report is published, "" if none was given.
func (c *reportFlags) link() string {
	if c.ReportURL == "" {
		return ""
	}
	path := []string{document.ReportName}
	if c.Lake != "" {
		path = []string{filepath.Base(c.Out), document.ReportName}
	}
	link, err := url.JoinPath(c.ReportURL, path...)
	if err != nil {
		return "" // options has checked the URL
	}
	return link
}

func (c *reportFlags) hook() notify.Webhook {
	return notify.Webhook{URL: string(c.Webhook), Format: c.WebhookFormat, Link: c.link()}
}

// publish writes the metrics and posts to the webhook. It returns what failed.
func (c *reportFlags) publish(ctx context.Context, res *wording.Report, p *provenance) (problems []problem) {
	if c.Metrics != "" {
		if err := notify.WriteMetrics(c.Metrics, res.Result, p.run()); err != nil {
			problems = append(problems, problem{"write " + c.Metrics + ": " + err.Error(), "the report was written; check --metrics"})
		}
	}
	if c.Webhook != "" && (c.WebhookOn == "always" || c.count(res.Result, result.Info, true) > 0) {
		if err := c.hook().Post(ctx, c.Out, res, p.run()); err != nil {
			problems = append(problems, problem{err.Error(), "the report was written; check --webhook"})
		}
	}
	return problems
}

// printResult prints how the inputs were read and a summary of the findings, as
// far as --quiet and --verbose say so.
func (c *reportFlags) printResult(std *streams, o *analyze.Options, res *wording.Report, state *outdir.State) {
	if c.Verbose {
		printInputs(std, res.Result)
		if state != nil {
			note(std.stderr, "state: %s: %d bytes", c.State, state.Size())
		}
	}
	if c.Quiet {
		return
	}
	if b := o.Baseline; b != nil && b.PseudonymKey != res.PseudonymKey {
		note(std.stderr, "note: not compared with %s: %v", c.Baseline, errPseudonymKeys)
	}
	page := outdir.Join(c.Out, document.ReportName)
	if l, ok := std.stderr.(*logWriter); ok {
		t := &res.Totals
		l.log.Info("done", "report", page, "inputs", len(res.Inputs), "lines", t.Lines, "parsed", t.Parsed, "rejected", t.Rejected, "skipped", t.Skipped,
			"unauthorized", t.Unauthorized, "unexplained", t.Unexplained, "findings", t.Findings)
		return
	}
	terminal.Summary(std.stderr, res, paintFor(std.stderr), widthOf(std.stderr))
	noteLogsWithoutRequests(std, res.Result)
	note(std.stderr, "report: %s", page)
	if len(res.Findings) > 0 {
		note(std.stderr, "evidence and steps of a finding: logscan show %s 1", wording.ShellWord(c.Out))
	}
}

// printInputs prints how each input was read.
func printInputs(std *streams, res *result.Result) {
	for i := range res.Inputs {
		in := &res.Inputs[i]
		if in.OutOfRange {
			note(std.stderr, "skipped %s: last modified before the time range", in.Path)
			continue
		}
		if in.DuplicateOf != "" {
			note(std.stderr, "skipped %s: same content as %s", in.Path, in.DuplicateOf)
			continue
		}
		if in.BytesBefore > 0 || in.BytesLeft > 0 {
			note(std.stderr, "counted by earlier runs: %s: %d bytes, %d lines; left for the next run: %d bytes", in.Path, in.BytesBefore, in.LinesBefore, in.BytesLeft)
		}
		note(std.stderr, "read %s: format %s, compression %s, %d bytes, %d lines: %d parsed, %d rejected, %d skipped; %d %s",
			in.Path, in.Format, in.Compression, in.Bytes, in.Lines, in.Parsed, in.Rejected, in.Skipped, in.Unauthorized, wording.NounOf(res.Statuses).Many())
	}
}

// problems returns the reasons why the run, although done, is incomplete. rejects is the
// hint for too many rejected lines.
func (c *reportFlags) problems(res *result.Result, rejects string) []problem {
	var all []problem
	for i := range res.Inputs {
		in := &res.Inputs[i]
		if in.Error != "" {
			all = append(all, problem{text: in.Path + ": " + in.Error})
		}
		if c.emptyStdin(in) && in.Error == "" {
			all = append(all, problem{in.Path + ": standard input is empty", "give --allow-empty if it may be"})
		}
		if in.Format == analyze.UnknownFormat && in.Parsed+in.Skipped < in.Lines {
			all = append(all, unrecognised(in.Path, wording.Match(in.Closest), in.UTF16, in.Proposed, in.Parsed, in.Lines-in.Skipped))
		}
		if in.Parsed > 0 && in.NoStatus == in.Parsed {
			all = append(all, problem{in.Path + ": no line has a status code, so refusals cannot be found", "log the status, or name the key that holds it with --field status=KEY"})
		}
	}
	if onlyEvents(res) {
		all = append(all, problem{"no access log: only error logs and logs of identity providers were read", "name the access logs beside them"})
	}
	if p, ok := tooManyRejects(res.Totals.Rejected, res.Totals.Lines, c.MaxRejects); ok {
		p.hint = rejects
		all = append(all, p)
	}
	return all
}

// checkSeverity returns a severeError if there are findings at or above
// --fail-on or --fail-on-new, and other otherwise. A severeError takes precedence, so that a
// corrupt line in a log does not hide an alarm.
func (c *reportFlags) checkSeverity(res *result.Result, other error) error {
	for _, on := range []struct {
		severity
		changed    bool
		what, flag string
	}{
		{c.FailOn, false, "finding", "--fail-on"},
		{c.FailOnNew, true, "new or worse finding", "--fail-on-new"},
	} {
		if n := c.count(res, on.least, on.changed); on.set && n > 0 {
			return &severeError{fmt.Sprintf("%s at or above %v (%s)", wording.Count(int64(n), on.what), on.least, on.flag), other}
		}
	}
	return other
}

// count returns the number of findings that are not muted and have at least a severity;
// if changed is set, only of those that are new or worse than in the baseline.
func (c *reportFlags) count(res *result.Result, least result.Severity, changed bool) (n int) {
	for i := range res.Findings {
		f := &res.Findings[i]
		unchanged := f.Change != nil && f.Change.Status != result.StatusNew && f.Change.Status != result.StatusWorse
		if f.Severity >= least && f.Muted == nil && !(changed && unchanged) {
			n += f.Count()
		}
	}
	return n
}
