package outdir

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"logscan/fixtures/bucket"
	"logscan/report/document"
)

// files of the outputs of these tests.
var outputFiles = []string{"big.parquet", "report.html", "requests.parquet", document.FindingsName, document.ManifestName}

// writeRun writes an output of a run, whose files hold a text.
func writeRun(ctx context.Context, t *testing.T, url, text string, more ...string) error {
	t.Helper()
	p, err := ClaimPrefix(ctx, url, outputFiles)
	if err != nil {
		return err
	}
	defer p.Release()
	if _, err := p.Temporary(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return p.Replace(fillRun(text, more...))
}

// fillRun returns a function that writes the files of a run.
func fillRun(text string, more ...string) func(string) error {
	return func(dir string) error {
		files := map[string]string{
			"big.parquet": strings.Repeat(text, (1<<20+999)/len(text)), "report.html": text,
			document.FindingsName: `{"schema_version": 1, "findings": []}`,
			document.ManifestName: `{"schema_version": 1, "tool": {"name": "logscan"}, "arguments": ["` + text + `"]}`,
		}
		for _, name := range more {
			files[name] = text
		}
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				return err
			}
		}
		return nil
	}
}

// stateOf returns the text of the complete output, "" if there is none.
func stateOf(t *testing.T, b *bucket.Bucket) string {
	t.Helper()
	r, err := OpenURL(t.Context(), "s3://logs/out/")
	if err != nil {
		if !strings.Contains(err.Error(), "no such object") {
			t.Error(err)
		}
		return ""
	}
	text := r.Manifest.Arguments[0]
	for _, name := range []string{"big.parquet", "report.html"} {
		if data, err := b.Get("out/" + name); err != nil || !bytes.HasPrefix(data, []byte(text)) {
			t.Errorf("%s of the output %s: %.20s, %v", name, text, data, err)
		}
	}
	return text
}

func keys(t *testing.T, b *bucket.Bucket) string {
	t.Helper()
	all, err := b.Keys("")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestPrefix(t *testing.T) {
	b := bucket.StartFor(t)
	if err := writeRun(t.Context(), t, "s3://logs/out/", "first", "requests.parquet"); err != nil {
		t.Fatal(err)
	}
	if got := stateOf(t, b); got != "first" {
		t.Error(got)
	}
	if err := writeRun(t.Context(), t, "s3://logs/out/", "second"); err != nil {
		t.Fatal(err)
	}
	if got, want := keys(t, b), "out/big.parquet out/findings.json out/manifest.json out/report.html"; stateOf(t, b) != "second" || got != want {
		t.Error(got)
	}
	failed := errors.New("cannot be filled")
	p, err := ClaimPrefix(t.Context(), "s3://logs/out/", outputFiles)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Replace(func(string) error { return failed }); !errors.Is(err, failed) || stateOf(t, b) != "second" {
		t.Error(err)
	}
	dir := p.temporary
	p.Release()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("temporary files are left:", err)
	}
}

// TestForeignPrefix checks that nothing is replaced that logscan has not written.
func TestForeignPrefix(t *testing.T) {
	b := bucket.StartFor(t)
	for _, test := range []struct{ key, content, want string }{
		{"a/sessions.parquet", "x", "has no manifest.json"},
		{"b/manifest.json", `{"tool": {"name": "other"}}`, "does not name logscan"},
		{"c/manifest.json", `no JSON`, "manifest.json"},
		{"d/_incomplete", "", "is not logscan's"},
	} {
		if err := b.Put(test.key, []byte(test.content)); err != nil {
			t.Fatal(err)
		}
		if test.key[0] == 'd' {
			if err := b.Put("d/x/report.html", nil); err != nil {
				t.Fatal(err)
			}
		}
		var foreign *NotOutputError
		if err := writeRun(t.Context(), t, "s3://logs/"+test.key[:2], "x"); !errors.As(err, &foreign) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.key, err, test.want)
		}
	}
	if got := keys(t, b); got != "a/sessions.parquet b/manifest.json c/manifest.json d/_incomplete d/x/report.html" {
		t.Error(got)
	}
}

// TestPublish breaks off the writing of an output at each request: there is the last output,
// the new one, or none, and the next run completes it.
func TestPublish(t *testing.T) {
	for _, before := range []string{"", "first"} {
		for n := int64(1); ; n++ {
			b := bucket.StartFor(t)
			if before != "" {
				if err := writeRun(t.Context(), t, "s3://logs/out/", before, "requests.parquet"); err != nil {
					t.Fatal(err)
				}
			}
			var requests atomic.Int64
			var failed atomic.Bool
			b.Trouble = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet || r.Method == http.MethodHead {
					return false
				}
				if requests.Add(1) != n {
					return false
				}
				w.WriteHeader(http.StatusForbidden)
				failed.Store(true)
				return true
			}
			err := writeRun(t.Context(), t, "s3://logs/out/", "second")
			b.Trouble = nil
			if !failed.Load() {
				if err != nil || stateOf(t, b) != "second" || n < 6 {
					t.Error(n, err)
				}
				break
			}
			got := stateOf(t, b)
			switch {
			case err == nil:
				t.Errorf("request %d: no error", n)
			case got == "" && before != "" && !strings.Contains(err.Error(), "run it again"):
				t.Errorf("request %d: %v", n, err)
			case before == "" && keys(t, b) != "":
				t.Errorf("request %d: left: %s", n, keys(t, b))
			}
			if err := writeRun(t.Context(), t, "s3://logs/out/", "third"); err != nil || stateOf(t, b) != "third" || strings.Contains(keys(t, b), "requests.parquet") {
				t.Errorf("request %d, again: %v: %s", n, err, keys(t, b))
			}
		}
	}
}

// TestTwoRuns has a second run write the same output at each request of the first.
func TestTwoRuns(t *testing.T) {
	for n := int64(1); ; n++ {
		b := bucket.StartFor(t)
		if err := writeRun(t.Context(), t, "s3://logs/out/", "before"); err != nil {
			t.Fatal(err)
		}
		var requests atomic.Int64
		var second error
		between := false
		b.Trouble = func(http.ResponseWriter, *http.Request) bool {
			if requests.Add(1) == n {
				between = true
				second = writeRun(context.Background(), t, "s3://logs/out/", "second")
			}
			return false
		}
		first := writeRun(t.Context(), t, "s3://logs/out/", "first")
		if !between {
			break
		}
		got := stateOf(t, b) // which checks that it is no mixture
		if got == "" && first == nil && second == nil {
			t.Errorf("request %d: no output, and no error", n)
		}
		if got != "" && !slices.Contains([]string{"first", "second"}, got) {
			t.Errorf("request %d: %s is the output: %v, %v", n, got, first, second)
		}
	}
}

func TestOpenURL(t *testing.T) {
	b := bucket.StartFor(t)
	if err := writeRun(t.Context(), t, "s3://logs/out/", "first"); err != nil {
		t.Fatal(err)
	}
	b.Trouble = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, document.FindingsName) {
			b.Trouble = nil
			if err := writeRun(t.Context(), t, "s3://logs/out/", "second"); err != nil {
				t.Error(err)
			}
		}
		return false
	}
	if _, err := OpenURL(t.Context(), "s3://logs/out"); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Error("an output that is replaced while it is read:", err)
	}
	if r, err := OpenURL(t.Context(), "s3://logs/out"); err != nil || r.Manifest.Arguments[0] != "second" {
		t.Error(err)
	}
}
