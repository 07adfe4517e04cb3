package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"logscan/fixtures"
	"logscan/fixtures/trials"
)

// logscan runs a command and returns its standard output.
func logscan(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(&streams{strings.NewReader(""), &stdout, &stderr, args}); code != exitDone && code != exitIncomplete {
		t.Fatalf("logscan %q: %d: %s", args, code, stderr.String())
	}
	return stdout.String()
}

// division is a way to do a scan in tasks.
type division struct {
	tasks         int
	plan, mapping []string // flags
	reduce        []string
	scan          []string // flags of the scan with the same result
}

// reduceInTasks does what a scan does in tasks: in random order, some of them twice, and
// merges some of the parts before.
func (d *division) reduceInTasks(t *testing.T, r *rand.Rand, out string, logs []string) {
	t.Helper()
	dir := t.TempDir()
	plan := filepath.Join(dir, "plan.json")
	logscan(t, slices.Concat([]string{"plan", "-q", "-o", plan, "--tasks", fmt.Sprint(d.tasks)}, d.plan, logs)...)
	var parts []string
	for _, task := range r.Perm(d.tasks) {
		var first []byte
		for n := range 1 + r.IntN(2) {
			path := filepath.Join(dir, fmt.Sprintf("part-%d-%d", task, n))
			logscan(t, slices.Concat([]string{"map", plan, "--task", fmt.Sprint(task), "-o", path, "--workers", fmt.Sprint(1 + r.IntN(4))}, d.mapping)...)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			} else if !bytes.Equal(first, b) {
				t.Errorf("task %d writes other bytes when it is done again", task)
			}
			parts = append(parts, path)
		}
	}
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	seen := map[string]bool{} // a copy of a part that was merged is in no other
	parts = slices.DeleteFunc(parts, func(p string) bool {
		task := p[:strings.LastIndexByte(p, '-')]
		again := seen[task]
		seen[task] = true
		return again && d.tasks > 1
	})
	var merged []string
	for group := range slices.Chunk(parts, 1+r.IntN(len(parts))) {
		if len(group) == 1 || r.IntN(2) == 0 {
			merged = append(merged, group...)
			continue
		}
		path := filepath.Join(dir, fmt.Sprintf("merged-%d", len(merged)))
		logscan(t, slices.Concat([]string{"reduce", plan, "--partial", "-o", path}, group)...)
		merged = append(merged, path)
	}
	logscan(t, slices.Concat([]string{"reduce", plan, "-q", "-o", out}, d.reduce, merged)...)
}

// sameOutputs compares output directories but for their manifests.
func sameOutputs(t *testing.T, what, got, want string) {
	t.Helper()
	files, err := os.ReadDir(want)
	if err != nil || len(files) < 10 {
		t.Fatal(len(files), err)
	}
	for _, f := range files {
		a, errA := os.ReadFile(filepath.Join(got, f.Name()))
		b, errB := os.ReadFile(filepath.Join(want, f.Name()))
		if f.Name() != "manifest.json" && (errA != nil || errB != nil || !bytes.Equal(a, b)) {
			t.Errorf("%s: %s differs from that of a scan (%v, %v)", what, f.Name(), errA, errB)
		}
	}
}

// TestParts checks that plan, map and reduce write what a scan writes, whatever the
// division into tasks.
func TestParts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	scenarios, lines := []string{"mixed"}, int64(8000)
	if trials.All() {
		scenarios, lines = []string{"clean", "handshakes", "idle", "absolute", "endpoint", "accounts", "mixed", "typists", "crawlers", "nat", "kiosk", "machines"}, 60_000
	}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("0123456789abcdefghijklmnopqrstuvwxyz"), 0o600); err != nil {
		t.Fatal(err)
	}
	pseudonyms := []string{"--pseudonymize", key}
	site := []string{"--monitor", "10.0.0.0/8", "--service-account", "user1*"}
	for i, scenario := range scenarios {
		dir := t.TempDir()
		o := fixtures.Options{Scenario: scenario, Lines: lines, Seed: uint64(i + 1), Servers: 3, Format: []string{"session", "json", "main", "combined"}[i%4], Files: 1 + i%3, Compress: []string{"none", "none", "gzip"}[i%3]}
		if _, err := fixtures.Generate(t.Context(), o, dir); err != nil {
			t.Fatal(err)
		}
		logs, err := filepath.Glob(filepath.Join(dir, "*.log*"))
		if err != nil || len(logs) < 3 {
			t.Fatal(logs, err)
		}
		divisions := []division{
			{tasks: 3, scan: site, reduce: site},
			{tasks: 17, plan: []string{"--since", "9h", "--status", "403,302"}, scan: []string{"--since", "9h", "--status", "403,302"}},
			{tasks: 1, plan: slices.Concat(pseudonyms, site), mapping: pseudonyms, scan: slices.Concat(pseudonyms, site)},
		}
		if trials.All() {
			memory := []string{"--memory", "16MiB"}
			divisions = append(divisions,
				division{tasks: 5, mapping: memory, reduce: memory},
				division{tasks: 40, plan: slices.Concat(pseudonyms, site, []string{"--redact-email", "--until", "2h"}), mapping: pseudonyms, scan: slices.Concat(pseudonyms, site, []string{"--redact-email", "--until", "2h"})},
			)
		}
		for n, d := range divisions {
			want, got := filepath.Join(t.TempDir(), "scan"), filepath.Join(t.TempDir(), "reduce")
			logscan(t, slices.Concat([]string{"scan", "-q", "-o", want}, d.scan, logs)...)
			d.reduceInTasks(t, r, got, logs)
			sameOutputs(t, fmt.Sprintf("%s, division %d", scenario, n), got, want)
		}
	}
}
