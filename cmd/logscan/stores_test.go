package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"logscan/fixtures"
	"logscan/fixtures/bucket"
	corpus "logscan/fixtures/planted"
)

// putLogs puts the logs of a scenario below web/, and returns the ids of their sessions.
func putLogs(t *testing.T, b *bucket.Bucket, o fixtures.Options) (sessions []string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := fixtures.Generate(t.Context(), o, dir); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.log*"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	seen := map[string]bool{}
	for _, log := range logs {
		data, err := os.ReadFile(log)
		if err == nil {
			err = b.Put("web/"+filepath.Base(log), data)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"([0-9a-f]{32})"`).FindAllSubmatch(data, -1) {
			seen[string(m[1])] = true
		}
	}
	for id := range seen {
		sessions = append(sessions, id)
	}
	return sessions
}

// stderrOfFailure runs a command that fails and returns what it prints to standard error.
func stderrOfFailure(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(&streams{strings.NewReader(""), &stdout, &stderr, args}); code != exitFailed && code != exitUsage {
		t.Errorf("logscan %q: %d: %s", args, code, stderr.String())
	}
	return stderr.String()
}

// TestTasksInStore does a scan in tasks whose logs, plan and parts are all in a bucket.
func TestTasksInStore(t *testing.T) {
	b := bucket.StartFor(t)
	sessions := putLogs(t, b, fixtures.Options{Scenario: "mixed", Lines: 8000, Seed: 5, Servers: 3, Format: "session", Compress: "none"})
	if len(sessions) < 10 {
		t.Fatal("sessions:", len(sessions))
	}
	want, got := filepath.Join(t.TempDir(), "scan"), filepath.Join(t.TempDir(), "reduce")
	logscan(t, "scan", "-q", "-o", want, "s3://logs/web/")
	const plan = "s3://logs/job/plan.json"
	const tasks = 5
	logscan(t, "plan", "-q", "--tasks", fmt.Sprint(tasks), "-o", plan, "s3://logs/web/")
	get := func(key string) []byte {
		t.Helper()
		data, err := b.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	parts := make([][]byte, tasks)
	for task := range tasks {
		key := fmt.Sprintf("job/parts/part-%06d", task)
		for _, workers := range []string{"1", "3"} { // the second is a twin
			logscan(t, "map", plan, "--task", fmt.Sprint(task), "--workers", workers, "-o", "s3://logs/job/parts/")
			data := get(key)
			if parts[task] != nil && !bytes.Equal(parts[task], data) {
				t.Errorf("task %d writes other bytes when it is done again", task)
			}
			parts[task] = data
		}
		for _, id := range sessions {
			if bytes.Contains(parts[task], []byte(id)) {
				t.Errorf("the part of task %d holds the session %s", task, id)
			}
		}
	}
	logscan(t, "reduce", plan, "-q", "-o", got, "s3://logs/job/parts/")
	sameOutputs(t, "parts", got, want)
	logscan(t, "reduce", plan, "--partial", "-o", "s3://logs/job/merged", "s3://logs/job/parts/part-00000[0-2]")
	logscan(t, "reduce", plan, "-q", "-o", got, "s3://logs/job/merged", "s3://logs/job/parts/part-000003", "s3://logs/job/parts/part-000004")
	sameOutputs(t, "a merged part", got, want)

	put := func(key string, data []byte) {
		t.Helper()
		if err := b.Put(key, data); err != nil {
			t.Fatal(err)
		}
	}
	fails := func(want ...string) {
		t.Helper()
		text := stderrOfFailure(t, "reduce", plan, "-o", filepath.Join(t.TempDir(), "none"), "s3://logs/job/parts/")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s\nwant %s", text, w)
			}
		}
	}
	for name, ok := range map[string]bool{"s3://logs/job/parts": false, "s3://logs/job/part-1": false, "s3://logs/3/part": false, "s3://logs/other/3.part": true} {
		if ok {
			logscan(t, "map", plan, "--task", "3", "-o", name)
		} else if text := stderrOfFailure(t, "map", plan, "--task", "3", "-o", name); !strings.Contains(text, "all tasks would write this object") {
			t.Errorf("--out %s: %s", name, text)
		}
	}
	const third = "job/parts/part-000003"
	if err := b.Delete(third); err != nil {
		t.Fatal(err)
	}
	fails("no part of task 3", "logscan map "+plan+" --task 3 -o s3://logs/job/parts/")
	damaged := bytes.Clone(parts[3])
	damaged[len(damaged)/2] ^= 1
	put(third, damaged)
	fails("s3://logs/"+third+": is damaged (task 3)", "--task 3 -o s3://logs/"+third)
	put(third, parts[3][:len(parts[3])-1])
	fails("s3://logs/" + third + ": is damaged (task 3)")
	put(third, []byte("not a part"))
	fails("s3://logs/" + third + ": is no part of logscan")
	logscan(t, "plan", "-q", "--tasks", fmt.Sprint(tasks), "-o", "s3://logs/job/other.json", "s3://logs/web/")
	logscan(t, "map", "s3://logs/job/other.json", "--task", "3", "-o", "s3://logs/"+third)
	fails("s3://logs/" + third + ": is a part of another plan")
}

// TestPlantedInStore searches what tasks write to a bucket for the credentials in logs.
func TestPlantedInStore(t *testing.T) {
	b := bucket.StartFor(t)
	var needles []string
	for _, l := range append(append(corpus.Corpus(), corpus.BrokenEndpoint()), corpus.Sessions()...) {
		var text strings.Builder
		if l.Name == "iis" {
			text.WriteString(corpus.Directive + "\n")
		}
		for i := range l.Lines {
			text.WriteString(l.Lines[i].Text + "\n")
			for _, needle := range l.Lines[i].Needles {
				if len(needle) > 6 { // a code of six digits stands in random numbers and times, too
					needles = append(needles, needle)
				}
			}
		}
		if err := b.Put("web/"+l.Name+".log", []byte(text.String())); err != nil {
			t.Fatal(err)
		}
	}
	logscan(t, "plan", "-q", "--tasks", "3", "-o", "s3://logs/job/plan.json", "s3://logs/web/")
	for task := range 3 {
		logscan(t, "map", "s3://logs/job/plan.json", "-q", "--task", fmt.Sprint(task), "-o", "s3://logs/job/parts/")
	}
	keys, err := b.Keys("job/")
	if err != nil || len(keys) != 4 || len(needles) < 100 {
		t.Fatal(keys, len(needles), err)
	}
	for _, key := range keys {
		data, err := b.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, needle := range needles {
			if bytes.Contains(data, []byte(needle)) {
				t.Errorf("%s holds %q", key, needle)
			}
		}
	}
}

// TestOutputInStore writes the output of a scan and of a reduce to a bucket.
func TestOutputInStore(t *testing.T) {
	b := bucket.StartFor(t)
	putLogs(t, b, fixtures.Options{Scenario: "endpoint", Lines: 6000, Seed: 5, Servers: 2, Format: "session", Compress: "none"})
	want := filepath.Join(t.TempDir(), "scan")
	logscan(t, "scan", "-q", "-o", want, "s3://logs/web/")
	same := func(what, prefix string) {
		t.Helper()
		keys, err := b.Keys(prefix)
		if err != nil {
			t.Fatal(err)
		}
		got := t.TempDir()
		for _, key := range keys {
			data, err := b.Get(key)
			if err == nil {
				err = os.WriteFile(filepath.Join(got, strings.TrimPrefix(key, prefix)), data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		sameOutputs(t, what, got, want)
		if files, err := os.ReadDir(want); err != nil || len(files) != len(keys) {
			t.Errorf("%s: objects %v, %v", what, keys, err)
		}
	}
	tmp := t.TempDir()
	logscan(t, "scan", "-q", "--tmp-dir", tmp, "-o", "s3://logs/runs/one", "s3://logs/web/")
	same("scan", "runs/one/")
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Error("temporary files are left:", left, err)
	}
	logscan(t, "plan", "-q", "--tasks", "2", "-o", "s3://logs/job/plan.json", "s3://logs/web/")
	for _, task := range []string{"0", "1"} {
		logscan(t, "map", "s3://logs/job/plan.json", "-q", "--task", task, "-o", "s3://logs/job/parts/")
	}
	logscan(t, "reduce", "s3://logs/job/plan.json", "-q", "-o", "s3://logs/runs/two/", "s3://logs/job/parts/")
	same("reduce", "runs/two/")

	// A run is read from there, and replaced. It does not read its own output.
	if out := logscan(t, "show", "s3://logs/runs/two"); !strings.Contains(out, "endpoint") {
		t.Error(out)
	}
	if out := logscan(t, "diff", "s3://logs/runs/one/", "s3://logs/runs/two/"); !strings.Contains(out, "Persisting") {
		t.Error(out)
	}
	logscan(t, "scan", "-q", "--requests", "--baseline", "s3://logs/runs/one", "-o", "s3://logs/runs/one", "s3://logs/web/", "s3://logs/runs/one/")
	findings, err := b.Get("runs/one/findings.json")
	if err != nil || !bytes.Contains(findings, []byte(`"persisting"`)) {
		t.Errorf("not compared with the baseline: %v", err)
	}
	if _, err := b.Get("runs/one/requests.parquet"); err != nil {
		t.Error(err)
	}
	if text := stderrOfFailure(t, "scan", "-o", "s3://logs/", "s3://logs/web/"); !strings.Contains(text, "all inputs are in the output") {
		t.Error(text)
	}
	if text := stderrOfFailure(t, "scan", "-o", "s3://logs/web/", "s3://logs/job/", want); !strings.Contains(text, "s3://logs/web/ is no output of logscan") {
		t.Error(text)
	}
	if text := stderrOfFailure(t, "show", "s3://logs/web/"); !strings.Contains(text, "no such object") {
		t.Error(text)
	}
}

// TestWrongDestinations checks that nothing is read when the output cannot be written.
func TestWrongDestinations(t *testing.T) {
	for _, test := range []struct {
		args, want string
	}{
		{"plan -o https://example.com/plan.json?sig=secret x.log", "nothing can be written to https:// URLs"},
		{"plan -o s3://logs/ x.log", "the URL names no object"},
		{"plan --state s3://logs/state -o p x.log", "--state s3://logs/state: URLs are not supported"},
		{"map plan.json --task 0 -o https://example.com/parts/", "nothing can be written to https:// URLs"},
		{"scan -o https://example.com/out/?sig=secret x.log", "nothing can be written to https:// URLs"},
		{"scan -o s3:///x x.log", "names no bucket"},
		{"scan --lake s3://logs/lake x.log", "--lake s3://logs/lake: URLs are not supported"},
		{"scan --state s3://logs/state x.log", "--state s3://logs/state: URLs are not supported"},
		{"scan --state st -o s3://logs/out/ x.log", "--state cannot be combined with --out s3://logs/out/"},
		{"reduce plan.json --metrics s3://logs/m part", "--metrics s3://logs/m: URLs are not supported"},
		{"reduce plan.json --partial -o s3://logs/parts/ part", "the URL names no object"},
	} {
		text := stderrOfFailure(t, strings.Fields(test.args)...)
		if !strings.Contains(text, test.want) || strings.Contains(text, "secret") {
			t.Errorf("logscan %s: %s", test.args, text)
		}
	}
}
