package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze"
	"logscan/analyze/follow"
	"logscan/analyze/spill"
	"logscan/fixtures"
	"logscan/parse/source"
	"logscan/report"
	"logscan/report/document"
	"logscan/report/wording"
)

// followed is a directory of logs that a follower follows.
type followed struct {
	*testing.T
	dir      string
	options  analyze.Options
	follower *follow.Follower
	now      time.Time
}

func followDirectory(t *testing.T, window time.Duration) *followed {
	d := &followed{T: t, dir: t.TempDir(), options: analyze.Options{Workers: 2}, now: time.Now()}
	space := spill.NewSpace(filepath.Join(t.TempDir(), "lines"))
	d.follower = follow.New(follow.Options{Args: []string{d.dir}, Window: window, Limit: 1 << 30, Space: space, Latest: d.options.Latest})
	t.Cleanup(func() {
		if err := d.follower.Close(); err != nil {
			t.Error(err)
		}
		if err := space.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// append writes text to the end of a log.
func (d *followed) append(name, text string) {
	d.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		d.Fatal(err)
	}
}

func (d *followed) poll() {
	d.Helper()
	d.now = d.now.Add(time.Second)
	if _, err := d.follower.Poll(d.Context(), d.now); err != nil {
		d.Fatal(err)
	}
}

// outputs returns the files of an analysis.
func (d *followed) outputs(inputs []source.Input, since analyze.Moment) map[string]string {
	d.Helper()
	o := d.options
	o.Inputs, o.Since = inputs, since
	res, err := analyze.Run(d.Context(), o)
	if err != nil {
		d.Fatal(err)
	}
	out := filepath.Join(d.TempDir(), "out")
	claimed, err := report.Claim(d.Context(), out)
	if err != nil {
		d.Fatal(err)
	}
	defer claimed.Release()
	if err := report.Write(d.Context(), claimed, wording.Describe(res), func() document.Run { return document.Run{} }); err != nil {
		d.Fatal(err)
	}
	files := map[string]string{}
	entries, err := os.ReadDir(out)
	if err != nil {
		d.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			d.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

// equalsScan checks that the outputs of what is followed are those of a scan of the
// directory, but for some files.
func (d *followed) equalsScan(when string, since analyze.Moment, but ...string) {
	d.Helper()
	inputs, _, err := source.Expand([]string{d.dir}, nil)
	if err != nil {
		d.Fatal(err)
	}
	want := d.outputs(inputs, since)
	got := d.outputs(d.follower.Inputs(), analyze.Moment{At: d.follower.Since()})
	if len(got) != len(want) || len(got) < 10 {
		d.Errorf("%s: %d files, want %d", when, len(got), len(want))
	}
	for name := range want {
		if got[name] != want[name] && name != document.ManifestName && !slices.Contains(but, name) {
			d.Errorf("%s: %s differs from that of a scan", when, name)
		}
	}
}

// TestWatchEqualsScan checks that the outputs of logs that grow line by line and byte by
// byte, are renamed, and are copied and truncated, are those of a scan of the same bytes.
func TestWatchEqualsScan(t *testing.T) {
	var logs [2]bytes.Buffer
	_, err := fixtures.Simulate(t.Context(), fixtures.Options{Scenario: "mixed", Lines: 8000, Seed: 11, Servers: 2}, []io.Writer{&logs[0], &logs[1]})
	if err != nil {
		t.Fatal(err)
	}
	d := followDirectory(t, 10000*time.Hour)
	random := rand.New(rand.NewPCG(1, 2))
	rest := [2]string{logs[0].String(), logs[1].String()}
	names := [2]string{"renamed.log", "truncated.log"}
	d.append("empty.log", "")
	const steps = 12
	for step := range steps {
		for i := range rest {
			n := len(rest[i])
			if step < steps-1 {
				n = min(n, len(logs[i].String())/steps+random.IntN(500)) // mostly in the middle of a line
			}
			d.append(names[i], rest[i][:n])
			rest[i] = rest[i][n:]
		}
		d.poll()
		switch step {
		case 3, 7: // complete the lines, and compare
			for i := range rest {
				n := strings.IndexByte(rest[i], '\n') + 1
				d.append(names[i], rest[i][:n])
				rest[i] = rest[i][n:]
			}
			d.poll()
			d.equalsScan("in between", analyze.Moment{})
			d.rotate(step)
			d.poll()
		}
	}
	d.poll()
	d.equalsScan("at the end", analyze.Moment{})
}

// rotate renames one log, and copies and truncates the other.
func (d *followed) rotate(step int) {
	d.Helper()
	at := func(name string) string { return filepath.Join(d.dir, name) }
	suffix := map[int]string{3: ".2", 7: ".1"}[step]
	if err := os.Rename(at("renamed.log"), at("renamed.log"+suffix)); err != nil {
		d.Fatal(err)
	}
	d.append("renamed.log", "")
	text, err := os.ReadFile(at("truncated.log"))
	if err != nil {
		d.Fatal(err)
	}
	d.append("truncated.log"+suffix, string(text))
	d.poll() // a poll between the copy and the truncation is usual: polls are frequent
	if err := os.Truncate(at("truncated.log"), 0); err != nil {
		d.Fatal(err)
	}
}

// TestWatchWindow checks that what has left the window is dropped, and that the rest gives
// what a scan of the same time range gives, with the same line numbers.
func TestWatchWindow(t *testing.T) {
	var log bytes.Buffer
	if _, err := fixtures.Simulate(t.Context(), fixtures.Options{Scenario: "mixed", Lines: 24_000, Seed: 12, Servers: 1}, []io.Writer{&log}); err != nil {
		t.Fatal(err)
	}
	const window = 3 * time.Hour
	d := followDirectory(t, window)
	text := log.String()
	for len(text) > 0 {
		n := min(len(text), 300_000)
		n = strings.LastIndexByte(text[:n], '\n') + 1
		d.append("access.log", text[:n])
		text = text[n:]
		d.poll()
	}
	inputs := d.follower.Inputs()
	if before, lines, _ := inputs[0].Before(); before == 0 || lines == 0 {
		t.Fatal("nothing was dropped")
	}
	// Lines that were dropped are not counted as skipped or rejected.
	d.equalsScan("window", analyze.Moment{Back: window}, "inputs.parquet", "report.html", "rejects.ndjson")
}
