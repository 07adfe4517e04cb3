package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logscan/fixtures/bucket"
)

// dailyLog returns the lines of a day: one each half an hour, and some of the evening before and
// the morning after, as of another time zone and of late lines.
func dailyLog(day time.Time) []byte {
	var b strings.Builder
	for m := -20 * 60; m < 44*60; m += 30 {
		if m < 0 && m%300 != 0 || m >= 24*60 && m%180 != 0 {
			continue
		}
		at := day.Add(time.Duration(m) * time.Minute)
		status := 200
		if m%120 == 0 {
			status = 401
		}
		fmt.Fprintf(&b, "192.0.2.%d - - [%s] \"GET /a HTTP/1.1\" %d 5 \"-\" \"curl/8.5.0\"\n", 1+m%7*m%7, at.Format("02/Jan/2006:15:04:05 -0700"), status)
	}
	return []byte(b.String())
}

// TestDatesOfDirectories compares what is read of directories with dates with what is read of
// the same files without them.
func TestDatesOfDirectories(t *testing.T) {
	b := bucket.StartFor(t)
	root := t.TempDir()
	for n := range 12 {
		day := time.Date(2026, 3, 1+n, 0, 0, 0, 0, time.UTC)
		log := dailyLog(day)
		dir := filepath.Join(root, "dated", day.Format("dt=2006-01-02"))
		for _, path := range []string{filepath.Join(dir, "a.log"), filepath.Join(root, "flat", day.Format("02.log"))} {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, log, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Put("aws/"+day.Format("2006/01/02")+"/a.log", log); err != nil {
			t.Fatal(err)
		}
	}
	for _, bounds := range [][]string{{"--since", "2026-03-06"}, {"--since", "2026-03-06", "--until", "2026-03-07T12:00"}, {"--until", "2026-03-04"}, {"--since", "30h"}, {"--since", "3d", "--until", "24h"}} {
		want := strings.Count(logscan(t, append([]string{"parse", filepath.Join(root, "flat")}, bounds...)...), "\n")
		for _, input := range []string{filepath.Join(root, "dated"), "s3://logs/aws/"} {
			if got := strings.Count(logscan(t, append([]string{"parse", input}, bounds...)...), "\n"); got != want || want == 0 {
				t.Errorf("%v %s: %d lines, want %d", bounds, input, got, want)
			}
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	logscan(t, "scan", "-q", "--since", "2026-03-10", "-o", out, "s3://logs/aws/")
	manifest, err := os.ReadFile(filepath.Join(out, "manifest.json"))
	if err != nil || !strings.Contains(string(manifest), "s3://logs/aws/2026/03/01/: skipped (date): 8 directories from here to s3://logs/aws/2026/03/08/") {
		t.Errorf("%v: %s", err, manifest)
	}
	plan, reduced := filepath.Join(t.TempDir(), "plan.json"), filepath.Join(t.TempDir(), "reduced")
	logscan(t, "plan", "-q", "--since", "2026-03-10", "--tasks", "2", "-o", plan, "s3://logs/aws/")
	logscan(t, "map", plan, "-q", "--task", "0", "-o", plan+".0")
	logscan(t, "map", plan, "-q", "--task", "1", "-o", plan+".1")
	logscan(t, "reduce", plan, "-q", "-o", reduced, plan+".0", plan+".1")
	sameOutputs(t, "tasks", reduced, out)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--since", "2027-01-01"}, "all directories (12) have dates outside of --since and --until"},
		{[]string{"--since", "24h"}, "directories have later dates, from 2026-05-31 on"},
	} {
		if test.args[1] == "24h" {
			if err := b.Put("aws/2026/06/01/a.log", dailyLog(time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC))); err != nil {
				t.Fatal(err)
			}
		}
		if text := stderrOfFailure(t, append([]string{"scan", "-o", filepath.Join(t.TempDir(), "none"), "s3://logs/aws/"}, test.args...)...); !strings.Contains(text, test.want) {
			t.Errorf("%v: %s", test.args, text)
		}
	}
}
