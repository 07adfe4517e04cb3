package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"logscan/analyze"
	"logscan/analyze/follow"
	"logscan/analyze/spill"
	"logscan/parse/source"
	"logscan/report/document"
	"logscan/report/live"
	"logscan/report/page"
	"logscan/report/terminal"
	"logscan/report/wording"
)

type watchCmd struct {
	Inputs []string `arg:"" predictor:"file" name:"input" help:"File, directory or glob of logs that grow. Compressed files are not followed."`

	Window duration `default:"1h" placeholder:"DURATION" group:"output" help:"How far back from the newest line to look (default: ${default})."`
	Every  duration `default:"10s" placeholder:"DURATION" group:"output" help:"How often to analyse and redraw. If that takes long, it is done less often, so that it is at work at most half of the time (default: ${default})."`
	Serve  string   `placeholder:"ADDR" group:"output" help:"Loopback address to serve the report on, such as 127.0.0.1:8401: / is the report, /live loads itself again, /findings.json are the findings. Other users of this machine can read it."`
	For    duration `placeholder:"DURATION" group:"output" help:"End after this time (default: when interrupted)."`
	Spool  size     `default:"2GiB" placeholder:"SIZE" group:"input" help:"Maximum size of the temporary files that hold the lines of the window, compressed; beyond it, the oldest lines are dropped (default: ${default})."`

	formatFlags
	valueFlags
	memoryFlags
	Workers workers `placeholder:"N" group:"input" help:"Number of worker goroutines (default: the number of CPUs)."`

	policyFlags
	privacyFlags
}

// Help returns the text that kong prints before the flags.
func (watchCmd) Help() string {
	return `Follows logs as they grow, and shows the findings of a sliding window: those of a scan of the same lines. Only new bytes are read; rotated, truncated and new files are followed. A last line without its end waits. Ends when interrupted.`
}

// pollEvery is how often files are looked at: a log that is truncated by its rotation is
// lost beyond what was read before.
const pollEvery = time.Second

// Run follows the logs until it is interrupted, which is no failure.
func (c *watchCmd) Run(ctx context.Context, std *streams) (err error) {
	if err := checkInputs(c.Inputs); err != nil {
		return err
	}
	for _, arg := range c.Inputs {
		if arg == source.Stdin {
			return usagef("name files or directories", "standard input cannot be watched")
		}
		if info, err := os.Stat(arg); err == nil && info.IsDir() {
			continue // its logs may come later
		}
		if _, _, err := source.Expand([]string{arg}, nil); err != nil {
			return &usageError{err, commandHint(arg)}
		}
	}
	w := &watcher{watchCmd: c, std: std}
	if w.options, err = c.options(std); err != nil {
		return err
	}
	if c.For > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(c.For))
		defer stop()
	}
	dir, err := os.MkdirTemp(c.TmpDir, "logscan-watch-")
	if err != nil {
		return fmt.Errorf("make a directory for temporary files: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	w.dir, w.memory = dir, c.limit(ctx)
	space := spill.NewSpace(filepath.Join(dir, "lines"))
	defer func() { err = errors.Join(err, space.Close()) }()
	w.follower = follow.New(follow.Options{
		Args: c.Inputs, Window: time.Duration(c.Window), Limit: int64(c.Spool), Space: space, Latest: w.options.Latest,
	})
	defer func() { err = errors.Join(err, w.follower.Close()) }()

	g, ctx := errgroup.WithContext(ctx)
	if c.Serve != "" {
		policy, err := page.Policy()
		if err != nil {
			return err
		}
		w.server = live.New(policy, time.Duration(c.Every))
		listener, err := w.server.Listen(ctx, c.Serve)
		if err != nil {
			return &usageError{err, "give a loopback address and a free port, such as --serve 127.0.0.1:8401"}
		}
		note(std.stderr, "report: http://%s/live", listener.Addr())
		g.Go(func() error { return w.server.Serve(ctx, listener) })
	}
	g.Go(func() error { return w.watch(ctx) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return spillError(err)
	}
	return nil
}

// options returns the analysis options of the flags.
func (c *watchCmd) options(std *streams) (analyze.Options, error) {
	o, err := c.formatFlags.options(std, false)
	if err != nil {
		return o, err
	}
	if o.Configuration, err = c.configuration(&appFlags{}, std.stderr, false); err != nil {
		return o, err
	}
	o.Policy, o.Workers, o.Parse = c.policy(), int(c.Workers), c.valueFlags.options(time.Now())
	o.Parse.Privacy, err = c.privacyFlags.options()
	return o, err
}

// watcher is a run of watchCmd.
type watcher struct {
	*watchCmd
	std      *streams
	options  analyze.Options
	follower *follow.Follower
	server   *live.Server // nil without --serve
	dir      string       // for temporary files
	memory   int64        // limit in bytes; 0 for none
	runs     int
	noted    int // notes that were printed
}

// window is what is analysed at a time.
type window struct {
	inputs []source.Input
	since  time.Time
	notes  []source.Note
	full   bool
}

// watch analyses what the follower keeps, again and again, until ctx is done. It goes on
// reading meanwhile: a log that is truncated by its rotation is lost beyond what was read.
func (w *watcher) watch(ctx context.Context) error {
	poll := time.NewTicker(min(pollEvery, time.Duration(w.Every)))
	defer poll.Stop()
	var due, began time.Time
	changed, done := true, make(chan error, 1)
	for busy := false; ; {
		w.follower.Hold(busy)
		grew, err := w.follower.Poll(ctx, time.Now())
		if changed = changed || grew; err == nil && changed && !busy && !time.Now().Before(due) {
			busy, changed, began = true, false, time.Now()
			now := window{w.follower.Inputs(), w.follower.Since(), slices.Clone(w.follower.Notes), w.follower.Full()}
			go func() { done <- w.analyse(ctx, &now) }()
		}
		if err == nil {
			select {
			case <-poll.C:
			case err = <-done:
				busy = false
				due = began.Add(max(time.Duration(w.Every), 2*time.Since(began)))
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil {
			if busy {
				err = errors.Join(err, <-done) // it uses the temporary files
			}
			return err
		}
	}
}

// analyse analyses the window, and prints and serves the result.
func (w *watcher) analyse(ctx context.Context, now *window) error {
	began := time.Now()
	o := w.options
	o.Inputs, o.Notes, o.Since = now.inputs, now.notes, analyze.Moment{At: now.since}
	w.runs++
	space := spill.NewSpace(filepath.Join(w.dir, strconv.Itoa(w.runs)))
	if w.memory > 0 {
		o.Memory = spill.Memory{Bytes: w.memory, Space: space}
	}
	res, err := analyze.Run(ctx, o)
	if err == nil {
		described := wording.Describe(res)
		if err = w.serve(described); err == nil {
			w.print(described, now, time.Since(began))
		}
	}
	return errors.Join(err, space.Close())
}

// serve makes the outputs that are served.
func (w *watcher) serve(r *wording.Report) error {
	if w.server == nil {
		return nil
	}
	var report, findings bytes.Buffer
	if err := errors.Join(page.Write(&report, r), document.Write(&findings, r.Document())); err != nil {
		return err
	}
	w.server.Set(live.Outputs{Report: report.Bytes(), Findings: findings.Bytes()})
	return nil
}

// print prints the summary: on a terminal in the place of the last one.
func (w *watcher) print(r *wording.Report, now *window, took time.Duration) {
	var b bytes.Buffer
	width := widthOf(w.std.stdout)
	fmt.Fprintf(&b, "%s  window %v, analysed in %.1f s\n", time.Now().Format(time.TimeOnly), w.Window, took.Seconds())
	terminal.Summary(&b, r, paintFor(w.std.stdout), width)
	if now.full {
		fmt.Fprintln(&b, "The window is shorter than asked for: its lines do not fit into --spool.")
	}
	for _, n := range now.notes[w.noted:] {
		note(w.std.stderr, "note: %s: %s", n.Path, n.Text)
	}
	w.noted = len(now.notes)
	if fd, ok := terminalOf(w.std.stdout); ok {
		const home, erase = "\x1b[H", "\x1b[J"
		_, height, err := term.GetSize(fd)
		if err == nil && height > 1 {
			b = *bytes.NewBuffer(firstLines(b.Bytes(), height-1))
		}
		fmt.Fprint(w.std.stdout, home+erase)
	} else if w.runs > 1 {
		fmt.Fprintln(w.std.stdout)
	}
	_, _ = b.WriteTo(w.std.stdout) // the run does not depend on it
}

// firstLines returns the first n lines of b.
func firstLines(b []byte, n int) []byte {
	at := 0
	for ; n > 0; n-- {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return b
		}
		at += i + 1
	}
	return b[:at]
}

// duration is a positive duration, such as 90s, 1h or 2d.
type duration time.Duration

// String returns d without units that are zero: 24h for 24h0m0s.
func (d duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// UnmarshalText parses a duration.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, ok := parseDuration(string(text))
	if !ok {
		return fmt.Errorf("%q is not a duration such as 30s, 5m, 1h or 2d", text)
	}
	*d = duration(parsed)
	return nil
}
