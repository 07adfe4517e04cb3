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
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/reporttest"
	"logscan/report/wording"
)

// writeTo writes a result to dir.
func writeTo(ctx context.Context, dir string, res *result.Result, run func() document.Run) error {
	d, err := Claim(context.Background(), dir)
	if err != nil {
		return err
	}
	defer d.Release()
	return Write(ctx, d, wording.Describe(res), run)
}

// write writes a result to a new directory and returns its path.
func write(t *testing.T, res *result.Result) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if err := writeTo(t.Context(), dir, res, reporttest.Run); err != nil {
		t.Fatal(err)
	}
	return dir
}

// content returns the files of a directory by name; a directory has no text.
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

func TestWriteMakesAllOutputs(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "lake", "dt=2026-03-09")
	if err := writeTo(t.Context(), dir, reporttest.Result(), reporttest.Run); err != nil {
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
	if got := reporttest.Names(t, filepath.Dir(dir)); !slices.Equal(got, []string{"dt=2026-03-09"}) {
		t.Errorf("beside the output lie %v", got)
	}
}

// TestWriteLeavesOutWhatIsOnDemand checks that a run has no table of requests unless it
// was asked for.
func TestWriteLeavesOutWhatIsOnDemand(t *testing.T) {
	res := reporttest.Result()
	res.Requests = nil
	files := content(t, write(t, res))
	if _, ok := files["requests.parquet"]; ok || len(files) != len(Outputs())-1 {
		t.Errorf("output holds %v", wording.SortedKeys(files))
	}
	if strings.Contains(files[document.ManifestName], `"requests":`) {
		t.Error("the manifest lists the table of requests")
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	a, b := content(t, write(t, reporttest.Result())), content(t, write(t, reporttest.Result()))
	for name := range a {
		if a[name] != b[name] {
			t.Errorf("%s differs between two runs with one result", name)
		}
	}
	// Another clock changes only the manifest.
	dir := filepath.Join(t.TempDir(), "out")
	later := func() document.Run {
		r := reporttest.Run()
		r.Started, r.Finished, r.WallSeconds, r.PeakRSSBytes = r.Started.AddDate(1, 0, 0), r.Finished.AddDate(1, 0, 0), 9, 9
		r.Arguments = []string{"scan", "other"}
		return r
	}
	if err := writeTo(t.Context(), dir, reporttest.Result(), later); err != nil {
		t.Fatal(err)
	}
	for name, text := range content(t, dir) {
		if (text == a[name]) != (name != document.ManifestName) {
			t.Errorf("%s: equal to that of an earlier run is %v", name, text == a[name])
		}
	}
}

func TestWriteReplaces(t *testing.T) {
	small := func() *result.Result {
		res := reporttest.Result()
		res.Findings = res.Findings[:1]
		return res
	}
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
	}{
		{"an earlier output", func(t *testing.T, dir string) {
			if err := writeTo(t.Context(), dir, reporttest.Result(), reporttest.Run); err != nil {
				t.Fatal(err)
			}
		}},
		{"an earlier output that a desktop looked at", func(t *testing.T, dir string) {
			if err := writeTo(t.Context(), dir, reporttest.Result(), reporttest.Run); err != nil {
				t.Fatal(err)
			}
			reporttest.Put(t, filepath.Join(dir, ".DS_Store"), "x")
		}},
		{"an empty directory", func(t *testing.T, dir string) {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}},
		{"what a link names", func(t *testing.T, dir string) {
			target := filepath.Join(t.TempDir(), "target")
			if err := writeTo(t.Context(), target, reporttest.Result(), reporttest.Run); err != nil {
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
			if err := writeTo(t.Context(), dir, small(), reporttest.Run); err != nil {
				t.Fatal(err)
			}
			r, err := outdir.Open(dir)
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
			if got := reporttest.Names(t, filepath.Dir(dir)); !slices.Equal(got, []string{"out"}) {
				t.Errorf("left behind: %v", got)
			}
			if got := len(reporttest.Names(t, dir)); got != len(Outputs()) {
				t.Errorf("%d files, want %d", got, len(Outputs()))
			}
		})
	}
}

func TestWriteRefusesForeignDirectories(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		prepare      func(t *testing.T, dir string)
	}{
		{"a file", "no directory", func(t *testing.T, dir string) { reporttest.Put(t, dir, "precious") }},
		{"a directory with files", "has no manifest.json", func(t *testing.T, dir string) { reporttest.Put(t, filepath.Join(dir, "thesis.txt"), "precious") }},
		{"another program's manifest", "does not name logscan", func(t *testing.T, dir string) {
			reporttest.Put(t, filepath.Join(dir, "manifest.json"), `{"name": "my web app", "icons": []}`)
		}},
		{"a manifest that is no JSON", "manifest.json", func(t *testing.T, dir string) { reporttest.Put(t, filepath.Join(dir, "manifest.json"), `precious`) }},
		{"an output of another version", "schema version 99", func(t *testing.T, dir string) {
			reporttest.Put(t, filepath.Join(dir, "manifest.json"), `{"schema_version": 99, "tool": {"name": "logscan"}}`)
		}},
		{"an output with a file of the user's", `"query.sql"`, func(t *testing.T, dir string) {
			if err := writeTo(t.Context(), dir, reporttest.Result(), reporttest.Run); err != nil {
				t.Fatal(err)
			}
			reporttest.Put(t, filepath.Join(dir, "query.sql"), "precious")
		}},
		{"an output with a directory of an output's name", `"report.html"`, func(t *testing.T, dir string) {
			reporttest.Put(t, filepath.Join(dir, "manifest.json"), `{"schema_version": 1, "tool": {"name": "logscan"}}`)
			reporttest.Put(t, filepath.Join(dir, "report.html", "x"), "precious")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "out")
			c.prepare(t, dir)
			before := content(t, parent)
			for _, err := range []error{writeTo(t.Context(), dir, reporttest.Result(), reporttest.Run)} {
				var refused *outdir.NotOutputError
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

func TestClaimBelowAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	reporttest.Put(t, file, "x")
	var refused *outdir.NotOutputError
	if _, err := Claim(t.Context(), filepath.Join(file, "out")); err == nil || errors.As(err, &refused) {
		t.Errorf("got %v, want an error of the file system", err)
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
			res := reporttest.Result()
			res.Unauthorized = reporttest.Pieces(make([]result.Unauthorized, 10_000), broken)
			return res
		}, broken},
		{"cancelled before", stopped, reporttest.Result, context.Canceled},
	} {
		for _, earlier := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				parent := t.TempDir()
				dir := filepath.Join(parent, "lake", "night", "out")
				if earlier {
					if err := writeTo(t.Context(), dir, reporttest.Result(), reporttest.Run); err != nil {
						t.Fatal(err)
					}
				}
				before := content(t, parent)
				if err := writeTo(c.ctx, dir, c.res(), reporttest.Run); !errors.Is(err, c.want) {
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
	res := reporttest.Result()
	res.Unauthorized = reporttest.PiecesOf(4_000_000, func(int) (result.Unauthorized, error) {
		if read.Add(1) == 2000 {
			stop()
		}
		return result.Unauthorized{}, nil
	})
	parent := t.TempDir()
	if err := writeTo(ctx, filepath.Join(parent, "out"), res, reporttest.Run); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
	if n := read.Load(); n > int64(2+runtime.GOMAXPROCS(0))*4096 {
		t.Errorf("%d rows were read after cancelling", n)
	}
	if left := reporttest.Names(t, parent); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestOutputsBegin checks that with two CPUs the other outputs start when half of the
// table of 401s is made.
func TestOutputsBegin(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for share, want := range map[float64]bool{0: false, 0.49: false, 0.5: true, 1: true} {
		begun := false
		j := &job{begin: func() { begun = true }}
		if j.advanced(share); begun != want {
			t.Errorf("at %v of the 401s: begun %v, want %v", share, begun, want)
		}
	}
	(&job{}).advanced(1) // nothing is waiting
}

func TestOpen(t *testing.T) {
	dir := write(t, reporttest.Result())
	r, err := outdir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := wording.Describe(reporttest.Result())
	if len(r.Findings) != len(want.Findings) {
		t.Fatalf("%d findings, want %d", len(r.Findings), len(want.Findings))
	}
	for i := range r.Findings {
		// Through JSON, because invalid UTF-8 is read back as U+FFFD.
		b, err := json.Marshal(want.Described[i])
		if err != nil {
			t.Fatal(err)
		}
		var f document.Finding
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r.Findings[i], f) {
			t.Errorf("finding %d, %s, was read back as another", i, f.ID)
		}
	}
	if r.Manifest.Totals.Unauthorized != want.Totals.Unauthorized || r.Manifest.Totals.FirstTime != document.Stamp(want.Totals.FirstTime) {
		t.Errorf("totals are %+v, want %+v", r.Manifest.Totals, want.Totals)
	}
	var unknown *outdir.UnknownFindingError
	if _, err := r.Finding("no-such"); !errors.As(err, &unknown) || unknown.ID != "no-such" {
		t.Errorf("got %v, want that the finding is unknown", err)
	}
}
