package report

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"logscan/analyze/result"
	"logscan/report/wording"
)

// write writes a result to a new directory and gives its path.
func write(t *testing.T, res *result.Result) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if err := Write(t.Context(), dir, res, testRun); err != nil {
		t.Fatal(err)
	}
	return dir
}

// content gives the files of a directory by name; a directory has no text.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		all[name] = ""
		if !d.IsDir() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all[name] = string(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWriteMakesEveryOutputAndNothingElse(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "lake", "dt=2026-03-09")
	if err := Write(t.Context(), dir, fixture(), testRun); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, o := range Outputs() {
		want = append(want, o.Name)
		info, err := os.Stat(filepath.Join(dir, o.Name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", o.Name, info.Mode())
		}
		if o.Doc == "" {
			t.Errorf("%s has no documentation", o.Name)
		}
	}
	slices.Sort(want)
	if got := wording.SortedKeys(content(t, dir)); !slices.Equal(got, want) {
		t.Errorf("output holds %v, want %v", got, want)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %v (%v), want 0700", info.Mode(), err)
	}
	if got := names(t, filepath.Dir(dir)); !slices.Equal(got, []string{"dt=2026-03-09"}) {
		t.Errorf("beside the output lie %v", got)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWriteIsAFunctionOfTheResult(t *testing.T) {
	a, b := content(t, write(t, fixture())), content(t, write(t, fixture()))
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s differs between two runs with one result", name)
		}
	}
	// Another clock shows in the manifest alone.
	dir := filepath.Join(t.TempDir(), "out")
	later := func() Run {
		r := testRun()
		r.Started, r.Finished, r.WallSeconds, r.PeakRSSBytes = r.Started.AddDate(1, 0, 0), r.Finished.AddDate(1, 0, 0), 9, 9
		r.Arguments = []string{"scan", "other"}
		return r
	}
	if err := Write(t.Context(), dir, fixture(), later); err != nil {
		t.Fatal(err)
	}
	for name, text := range content(t, dir) {
		if (text == a[name]) != (name != manifestName) {
			t.Errorf("%s: equal to that of an earlier run is %v", name, text == a[name])
		}
	}
}

func TestWriteReplaces(t *testing.T) {
	small := func() *result.Result {
		res := fixture()
		res.Findings = res.Findings[:1]
		return res
	}
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
	}{
		{"an earlier output", func(t *testing.T, dir string) {
			if err := Write(t.Context(), dir, fixture(), testRun); err != nil {
				t.Fatal(err)
			}
		}},
		{"an earlier output that a desktop looked at", func(t *testing.T, dir string) {
			if err := Write(t.Context(), dir, fixture(), testRun); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, ".DS_Store"), "x")
		}},
		{"an empty directory", func(t *testing.T, dir string) {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}},
		{"what a link names", func(t *testing.T, dir string) {
			target := filepath.Join(t.TempDir(), "target")
			if err := Write(t.Context(), target, fixture(), testRun); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, dir); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			c.prepare(t, dir)
			before, err := os.Lstat(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := Write(t.Context(), dir, small(), testRun); err != nil {
				t.Fatal(err)
			}
			r, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) != 1 {
				t.Errorf("%d findings, want the one of the new output", len(r.Findings))
			}
			after, err := os.Lstat(dir)
			if err != nil {
				t.Fatal(err)
			}
			if before.Mode().Type() != after.Mode().Type() {
				t.Errorf("a %v became a %v", before.Mode(), after.Mode())
			}
			if got := names(t, filepath.Dir(dir)); !slices.Equal(got, []string{"out"}) {
				t.Errorf("left behind: %v", got)
			}
			if got := len(names(t, dir)); got != len(Outputs()) {
				t.Errorf("%d files, want %d", got, len(Outputs()))
			}
		})
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWriteRefusesWhatIsNotItsOwn(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		prepare      func(t *testing.T, dir string)
	}{
		{"a file", "no directory", func(t *testing.T, dir string) { put(t, dir, "precious") }},
		{"a directory with files", "has no manifest.json", func(t *testing.T, dir string) { put(t, filepath.Join(dir, "thesis.txt"), "precious") }},
		{"another program's manifest", "does not name logscan", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "manifest.json"), `{"name": "my web app", "icons": []}`)
		}},
		{"a manifest that is no JSON", "manifest.json", func(t *testing.T, dir string) { put(t, filepath.Join(dir, "manifest.json"), `precious`) }},
		{"an output of another version", "schema version 99", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "manifest.json"), `{"schema_version": 99, "tool": {"name": "logscan"}}`)
		}},
		{"an output with a file of the user's", `"query.sql"`, func(t *testing.T, dir string) {
			if err := Write(t.Context(), dir, fixture(), testRun); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, "query.sql"), "precious")
		}},
		{"an output with a directory of an output's name", `"report.html"`, func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "manifest.json"), `{"schema_version": 1, "tool": {"name": "logscan"}}`)
			put(t, filepath.Join(dir, "report.html", "x"), "precious")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "out")
			c.prepare(t, dir)
			before := content(t, parent)
			for _, err := range []error{Check(dir), Write(t.Context(), dir, fixture(), testRun)} {
				var refused *NotOutputError
				if !errors.As(err, &refused) || !strings.Contains(refused.Reason, c.reason) || refused.Dir != dir {
					t.Errorf("got %v, want a refusal because of %q", err, c.reason)
				}
			}
			after := content(t, parent)
			if !slices.Equal(wording.SortedKeys(before), wording.SortedKeys(after)) {
				t.Errorf("it held %v, and holds %v", wording.SortedKeys(before), wording.SortedKeys(after))
			}
			for name := range before {
				if before[name] != after[name] {
					t.Errorf("%s was changed", name)
				}
			}
		})
	}
}

func TestCheckLetsOthersFail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "x")
	for _, dir := range []string{filepath.Join(file, "out"), filepath.Join(t.TempDir(), "missing", "out")} {
		if err := Check(dir); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := Write(t.Context(), filepath.Join(file, "out"), fixture(), testRun); err == nil {
		t.Error("a directory below a file was written")
	}
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	broken := errors.New("disk full")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name string
		ctx  context.Context
		res  func() *result.Result
		want error
	}{
		{"rows that fail", t.Context(), func() *result.Result {
			res := fixture()
			res.Unauthorized = pieces(make([]result.Unauthorized, 3*batchRows), broken)
			return res
		}, broken},
		{"called off before", stopped, fixture, context.Canceled},
	} {
		for _, earlier := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				parent := t.TempDir()
				dir := filepath.Join(parent, "lake", "night", "out")
				if earlier {
					if err := Write(t.Context(), dir, fixture(), testRun); err != nil {
						t.Fatal(err)
					}
				}
				before := content(t, parent)
				if err := Write(c.ctx, dir, c.res(), testRun); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				after := content(t, parent)
				if !slices.Equal(wording.SortedKeys(before), wording.SortedKeys(after)) {
					t.Errorf("there was %v, and is %v", wording.SortedKeys(before), wording.SortedKeys(after))
				}
				for name := range before {
					if before[name] != after[name] {
						t.Errorf("%s was changed", name)
					}
				}
			})
		}
	}
}

func TestWriteStopsInTheMiddle(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var read atomic.Int64
	res := fixture()
	res.Unauthorized = piecesOf(1000*batchRows, func(int) (result.Unauthorized, error) {
		if read.Add(1) == batchRows/2 {
			stop()
		}
		return result.Unauthorized{}, nil
	})
	parent := t.TempDir()
	if err := Write(ctx, filepath.Join(parent, "out"), res, testRun); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was called off", err)
	}
	if n := read.Load(); n > int64(2+runtime.GOMAXPROCS(0))*batchRows {
		t.Errorf("%d rows were read after it was called off", n)
	}
	if left := names(t, parent); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// With two CPUs the other outputs are begun when half of the 401s are made.
func TestOutputsBegin(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for share, want := range map[float64]bool{0: false, 0.49: false, 0.5: true, 1: true} {
		begun := false
		j := &job{begin: func() { begun = true }}
		if j.advanced(share); begun != want {
			t.Errorf("at %v of the 401s: begun %v, want %v", share, begun, want)
		}
	}
	(&job{}).advanced(1) // nothing waits
}

func TestSwapByRename(t *testing.T) {
	parent := t.TempDir()
	made, place := filepath.Join(parent, "made"), filepath.Join(parent, "place")
	put(t, filepath.Join(made, "new"), "new")
	put(t, filepath.Join(place, "old"), "old")
	if err := swapByRename(made, place); err != nil {
		t.Fatal(err)
	}
	got := content(t, parent)
	if got["place/new"] != "new" || got["made/old"] != "old" || len(got) != 4 {
		t.Errorf("got %v", got)
	}
	// What cannot be put into place leaves the old one there.
	if err := swapByRename(filepath.Join(parent, "missing"), place); err == nil {
		t.Error("a directory that is missing was put into place")
	}
	if got := content(t, parent); got["place/new"] != "new" {
		t.Errorf("got %v", got)
	}
}

func TestOpen(t *testing.T) {
	dir := write(t, fixture())
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := fixture()
	if len(r.Findings) != len(want.Findings) {
		t.Fatalf("%d findings, want %d", len(r.Findings), len(want.Findings))
	}
	for i := range r.Findings {
		// By way of JSON, because a byte that is no UTF-8 comes back as U+FFFD.
		b, err := json.Marshal(findingOf(&want.Findings[i]))
		if err != nil {
			t.Fatal(err)
		}
		var f Finding
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r.Findings[i], f) {
			t.Errorf("finding %d, %s, was read back as another", i, f.ID)
		}
	}
	if r.Manifest.Totals.Unauthorized != want.Totals.Unauthorized || r.Manifest.Totals.FirstTime != Stamp(want.Totals.FirstTime) {
		t.Errorf("totals are %+v, want %+v", r.Manifest.Totals, want.Totals)
	}
	var unknown *UnknownFindingError
	if _, err := r.Finding("no-such"); !errors.As(err, &unknown) || unknown.ID != "no-such" {
		t.Errorf("got %v, want that the finding is unknown", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	manifest := `{"schema_version": 1, "tool": {"name": "logscan"}}`
	for _, c := range []struct {
		name, manifest, findings, want string
	}{
		{"nothing there", "", "", "no such file"},
		{"no findings", manifest, "", "findings.json"},
		{"another program's", `{"name": "x"}`, `{}`, "does not name logscan"},
		{"a newer manifest", `{"schema_version": 2, "tool": {"name": "logscan"}}`, `{}`, "schema version 2, want 1"},
		{"newer findings", manifest, `{"schema_version": 2}`, "schema version 2, want 1"},
		{"cut off", manifest, `{"schema_version": 1, "findings": [`, "findings.json: unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.manifest != "" {
				put(t, filepath.Join(dir, "manifest.json"), c.manifest)
			}
			if c.findings != "" {
				put(t, filepath.Join(dir, "findings.json"), c.findings)
			}
			if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}
