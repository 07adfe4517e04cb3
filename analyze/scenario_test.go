package analyze

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/spill"
	"logscan/fixtures"
	"logscan/fixtures/trials"
	"logscan/parse"
	"logscan/parse/source"
)

// simulate writes the logs of three servers and returns their labels and paths.
func simulate(t *testing.T, o fixtures.Options) (*fixtures.Labels, []string) {
	t.Helper()
	dir := t.TempDir()
	o.Servers = 3
	labels, err := fixtures.Generate(t.Context(), o, dir)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.log*"))
	if err != nil || len(paths) < 3 {
		t.Fatalf("logs: %v %v", paths, err)
	}
	return labels, paths
}

func run(t *testing.T, workers int, format *parse.Format, paths ...string) *result.Result {
	t.Helper()
	return runWithin(t, spill.Memory{}, workers, format, paths...)
}

func runWithin(t *testing.T, memory spill.Memory, workers int, format *parse.Format, paths ...string) *result.Result {
	t.Helper()
	inputs, _, err := source.Expand(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := Run(context.Background(), Options{Inputs: inputs, Workers: workers, Format: format, Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestScenarios checks that the faults of labelled days are found, and nothing else.
func TestScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("TestEveryScenarioIsReproducible analyses the same scenarios")
	}
	for _, scenario := range []string{"clean", "handshakes", "idle", "absolute", "endpoint", "accounts", "mixed", "typists", "crawlers", "nat", "kiosk", "machines"} {
		for _, format := range []string{"combined", "session", "json"} {
			t.Run(scenario+"/"+format, func(t *testing.T) {
				t.Parallel()
				if format == "session" && scenario != "idle" && scenario != "mixed" {
					t.Skip("json has the same fields")
				}
				labels, paths := simulate(t, fixtures.Options{Scenario: scenario, Format: format, Lines: 15_000, Seed: 11})
				var f *parse.Format
				if format == "session" { // a format string, because it is not a known format
					var err error
					if f, err = parse.Compile(fixtures.SessionFormat); err != nil {
						t.Fatal(err)
					}
				}
				res := run(t, 2, f, paths...)
				checkFindings(t, labels, res)
				checkAccounts(t, labels, res)
				tolerance := 0.1 // without session ids, clients differ only by address and agent
				if format != "combined" {
					tolerance = 0.06
				} else if scenario == "nat" {
					tolerance = 0.4 // hundreds of people appear as three clients
				}
				checkCauses(t, labels, res, tolerance)
			})
		}
	}
}

func checkFindings(t *testing.T, labels *fixtures.Labels, res *result.Result) {
	t.Helper()
	want := labels.Findings
	for _, f := range res.Findings {
		if f.Severity < result.Medium {
			continue
		}
		i := slices.IndexFunc(want, func(l fixtures.Finding) bool {
			return l.Kind == f.Kind && (result.Subject{Type: l.Subject.Type, Host: l.Subject.Host, Method: l.Subject.Method,
				Route: l.Subject.Route, User: l.Subject.User}) == f.Subject
		})
		if i < 0 {
			t.Errorf("false finding %v %s %+v: %+v", f.Severity, f.Kind, f.Subject, f.Details)
			continue
		}
		l := want[i]
		want = slices.Delete(slices.Clone(want), i, i+1)
		switch {
		case l.Onset == nil && f.Onset != parse.NoTime:
			t.Errorf("%s: onset %s, want none because it began before the log", f.Kind, time.UnixMicro(f.Onset).UTC())
		case l.Onset != nil && f.Onset == parse.NoTime:
			t.Errorf("%s: no onset, want %v", f.Kind, l.Onset)
		case l.Kind == "endpoint_misconfigured":
			if off := time.UnixMicro(f.Onset).Sub(*l.Onset).Abs(); off > 2*time.Minute {
				t.Errorf("%s: onset is off by %v", f.Kind, off)
			}
		case l.Kind == "account_failure": // the onset is that of the user's next request
			if at := time.UnixMicro(f.Onset); at.Before(l.Onset.Add(-time.Second)) || at.After(l.FirstSeen.Add(2*time.Minute)) {
				t.Errorf("%s: onset %v, want %v to %v", f.Kind, at, l.Onset, l.FirstSeen)
			}
		}
		if l.Details.TimeoutSeconds > 0 {
			d := f.Details.(*detect.Expiry)
			got, want := float64(d.Timeout), float64(l.Details.TimeoutSeconds)
			if math.Abs(got-want) > 0.05*want || d.Policy != l.Details.Policy {
				t.Errorf("%v timeout of %v s, want %s timeout of %v s", d.Policy, got, l.Details.Policy, want)
			}
		}
	}
	for _, l := range want {
		t.Errorf("missing finding %s %+v", l.Kind, l.Subject)
	}
}

func checkAccounts(t *testing.T, labels *fixtures.Labels, res *result.Result) {
	t.Helper()
	tot := res.Totals
	if tot.Lines != labels.Totals.Lines || tot.Unauthorized != labels.Totals.Unauthorized || tot.Parsed != tot.Lines {
		t.Errorf("%d lines, %d parsed, %d 401s; the labels say %d lines, %d 401s",
			tot.Lines, tot.Parsed, tot.Unauthorized, labels.Totals.Lines, labels.Totals.Unauthorized)
	}
	sums := map[string]int64{}
	for _, e := range res.Endpoints {
		sums["endpoints"] += e.Unauthorized
		sums["endpoint requests"] += e.Requests
	}
	for _, c := range res.Clients {
		sums["clients"] += c.Unauthorized
		sums["client requests"] += c.Requests
	}
	for _, m := range res.Timeline {
		sums["timeline"] += m.Unauthorized
		sums["timeline requests"] += m.Requests
		for _, n := range m.Causes {
			sums["timeline causes"] += n
		}
	}
	for _, n := range res.Causes {
		sums["causes"] += n
	}
	explained := map[string]int64{}
	for row, err := range res.Unauthorized.Reader()(0, res.Unauthorized.Len) {
		if err != nil {
			t.Fatal(err)
		}
		sums["rows"]++
		explained[row.FindingID]++
		if row.Status != 401 || row.Template == "" || row.Cause == "" {
			t.Errorf("row %+v", row)
		}
	}
	for name, n := range sums {
		want := tot.Unauthorized
		if name == "endpoint requests" || name == "client requests" || name == "timeline requests" {
			want = tot.Parsed
		}
		if n != want {
			t.Errorf("%s sum to %d, want %d", name, n, want)
		}
	}
	for _, f := range res.Findings {
		if explained[f.ID] != f.Unauthorized {
			t.Errorf("%s explains %d 401s, but %d rows have its id", f.ID, f.Unauthorized, explained[f.ID])
		}
		if n := len(f.Evidence); n == 0 || n > result.MaxEvidence || int64(n) > f.Unauthorized {
			t.Errorf("%s has %d lines of evidence", f.ID, n)
		}
	}
}

// checkCauses checks that the share of 401s with a cause other than that of the labels is
// within the tolerance.
func checkCauses(t *testing.T, labels *fixtures.Labels, res *result.Result, tolerance float64) {
	t.Helper()
	off := int64(0)
	for cause, n := range res.Causes {
		off += max(0, n-labels.Totals.Causes[cause])
	}
	if float64(off) > tolerance*float64(labels.Totals.Unauthorized) {
		t.Errorf("%d of %d 401s have a wrong cause: %v, want %v", off, labels.Totals.Unauthorized, res.Causes, labels.Totals.Causes)
	}
}

// resultText returns a Result as text, including its 401s.
func resultText(t *testing.T, res *result.Result) string {
	t.Helper()
	rows := []result.Unauthorized{}
	for row, err := range res.Unauthorized.Reader()(0, res.Unauthorized.Len) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, *row)
	}
	sessions := []result.Session{}
	for row, err := range res.Sessions {
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, *row)
	}
	b, err := json.Marshal(map[string]any{"result": resultOnly(*res), "rows": rows, "sessions": sessions})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// resultOnly returns r without the fields that JSON cannot represent.
func resultOnly(r result.Result) any {
	return []any{r.Inputs, r.Totals, r.Skips, r.Rejects, r.RejectedLines, r.Causes, r.Findings, r.Notes,
		r.Endpoints, r.Accounts, r.Clients, r.Timeline}
}

// TestResultIsReproducible checks that the result does not depend on the number of
// workers, the order of the inputs, scheduling, or spilling to disk.
func TestResultIsReproducible(t *testing.T) {
	_, paths := simulate(t, fixtures.Options{Scenario: "mixed", Format: "json", Lines: 16_000, Seed: 3})
	junk := filepath.Join(t.TempDir(), "junk.log")
	if err := os.WriteFile(junk, []byte("no log line\n{\"a\":1}\n\n# comment\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	paths = append(paths, junk)
	want := resultText(t, run(t, 1, nil, paths...))
	slices.Reverse(paths)
	all := []int{8}
	if trials.All() {
		all = []int{1, 2, 8}
	}
	for _, workers := range all {
		if got := resultText(t, run(t, workers, nil, paths...)); got != want {
			t.Errorf("%d workers, inputs reversed: the result differs", workers)
		}
		space := spill.NewSpace(filepath.Join(t.TempDir(), "spill"))
		got := resultText(t, runWithin(t, spill.Memory{Bytes: 2 << 20, Space: space}, workers, nil, paths...))
		if space.Written() == 0 {
			t.Errorf("%d workers: nothing was spilled to disk", workers)
		}
		if err := space.Close(); err != nil {
			t.Error(err)
		}
		if got != want {
			t.Errorf("%d workers, with little memory: the result differs", workers)
		}
	}
}

// TestEveryScenarioIsReproducible checks that no result depends on the hash seeds of the
// run, to the last digit of a probability.
func TestEveryScenarioIsReproducible(t *testing.T) {
	for _, s := range fixtures.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			_, paths := simulate(t, fixtures.Options{Scenario: s.Name, Format: "combined", Lines: 4000, Seed: 6})
			want := resultText(t, run(t, 1, nil, paths...))
			for range trials.Seeds(2) {
				if got := resultText(t, run(t, 2, nil, paths...)); got != want {
					t.Error("the result of a second run differs")
				}
			}
		})
	}
}

// TestFindingsDoNotDependOnTheSplit checks that the findings do not depend on how the
// lines are divided among files, except for the position of the evidence.
func TestFindingsDoNotDependOnTheSplit(t *testing.T) {
	labels, paths := simulate(t, fixtures.Options{Scenario: "mixed", Format: "json", Lines: 40_000, Seed: 4})
	whole := filepath.Join(t.TempDir(), "whole.log")
	var all []byte
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if err := os.WriteFile(whole, all, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := func(res *result.Result) string {
		for i := range res.Findings {
			res.Findings[i].Evidence = nil
		}
		b, err := json.Marshal(res.Findings)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	a, b := run(t, 2, nil, paths...), run(t, 2, nil, whole)
	checkFindings(t, labels, b)
	if x, y := plain(a), plain(b); x != y {
		t.Errorf("three files:\n%s\none file:\n%s", x, y)
	}
}

// TestNoSecretInResult checks that no row contains a session id, token or password.
func TestNoSecretInResult(t *testing.T) {
	const secret = "Pl4ntedS3cretValue"
	var log []byte
	for i := range 50 {
		log = fmt.Appendf(log, `{"time":"2026-03-09T14:%02d:00Z","remote_addr":"192.0.2.1","request":"GET /a;jsessionid=%s?token=%s HTTP/1.1","status":401,"session":"%s","http_referer":"https://u:%s@x/?code=%s","user_agent":"x Bearer %s"}`+"\n",
			i, secret, secret, secret, secret, secret, secret)
	}
	log = fmt.Appendf(log, "junk token=%s\n", secret)
	log = fmt.Appendf(log, `{"session":"%s","n":"%s","status":"x","time":"2026-03-09T14:00:00Z"}`+"\n", secret, secret)
	path := filepath.Join(t.TempDir(), "a.log")
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	res := run(t, 1, nil, path)
	if res.Totals.Unauthorized != 50 || res.Totals.Rejected != 2 {
		t.Fatalf("totals %+v", res.Totals)
	}
	if got := resultText(t, res); strings.Contains(got, secret) {
		t.Errorf("the result contains the secret: %s", got)
	}
}
