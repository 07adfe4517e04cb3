package outdir

import (
	"errors"
	"io/fs"
	"logscan/report/document"
	"logscan/report/reporttest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// claim claims an output that may hold only a manifest.
func claim(dir string) (*Dir, error) { return Claim(dir, []string{document.ManifestName}) }

// fill returns a function that writes an output which holds only a manifest.
func fill(t *testing.T) func(string) error {
	return func(dir string) error {
		var b strings.Builder
		if err := document.Write(&b, document.NewManifest(reporttest.Run(), reporttest.Empty(), nil, nil)); err != nil {
			return err
		}
		reporttest.Put(t, filepath.Join(dir, document.ManifestName), b.String())
		return nil
	}
}

// contents returns the files below a directory by their relative path.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		all[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestClaimLocks(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "made", "out")
	p, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := claim(dir); !errors.As(err, &locked) || locked.Process != os.Getpid() {
		t.Errorf("a second claim: %v", err)
	} else if want := "another run of logscan (process " + strconv.Itoa(os.Getpid()) + ") is writing " + dir; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	// Another path to the same directory is locked too.
	if link := filepath.Join(parent, "link"); os.Symlink(filepath.Join(parent, "made"), link) == nil {
		if _, err := claim(filepath.Join(link, "out")); !errors.As(err, &locked) {
			t.Errorf("by a symbolic link: %v", err)
		}
	}
	beside, err := claim(filepath.Join(parent, "made", "out2"))
	if err != nil {
		t.Errorf("its neighbour: %v", err)
	} else {
		beside.Release()
	}
	p.Release()
	p.Release() // a second call has no effect
	if left := reporttest.Names(t, parent); !slices.Equal(left, []string{"link"}) && len(left) != 0 {
		t.Errorf("left over: %q", left)
	}
	again, err := claim(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	again.Release()
}

// TestClaimRemovesLeftovers creates what killed runs leave behind, and names that only
// look similar.
func TestClaimRemovesLeftovers(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	temporary := t.TempDir()
	p, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	spill, err := p.Temporary(temporary)
	if err != nil {
		t.Fatal(err)
	}
	p.Release()
	gone := []string{
		filepath.Join(parent, ".out.tmp-4711-123456"), filepath.Join(parent, ".out.spill-4711"), spill,
	}
	stays := []string{
		filepath.Join(parent, ".out2.tmp-4711-123456"), filepath.Join(parent, ".out.tmp-of-mine"), filepath.Join(parent, "out.tmp-4711-1"),
		filepath.Join(temporary, "logscan-another.spill-4711"),
	}
	for _, d := range append(slices.Clone(gone), stays...) {
		if err := os.MkdirAll(filepath.Join(d, "deep"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "deep", "file"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p, err = claim(dir); err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	for _, place := range []string{"", temporary} {
		if _, err := p.Temporary(place); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range gone {
		if _, err := os.Stat(d); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was not removed", d)
		}
	}
	for _, d := range stays {
		if _, err := os.Stat(d); err != nil {
			t.Errorf("%s, which belongs to another output: %v", d, err)
		}
	}
}

// TestClaimRestores simulates a run that was killed between the two renames of
// swapByRename.
func TestClaimRestores(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	p, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Replace(fill(t)); err != nil {
		t.Fatal(err)
	}
	p.Release()
	before := reporttest.Names(t, dir)
	if err := os.Rename(dir, filepath.Join(parent, ".out.tmp-4711-99"+asideSuffix)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(parent, ".out.tmp-4711-99"), 0o700); err != nil {
		t.Fatal(err)
	}
	if p, err = claim(dir); err != nil {
		t.Fatal(err)
	}
	p.Release()
	if got := reporttest.Names(t, dir); !slices.Equal(got, before) {
		t.Errorf("the last output is %q, want %q", got, before)
	}
	if left := reporttest.Names(t, parent); !slices.Equal(left, []string{"out"}) {
		t.Errorf("left over: %q", left)
	}
}

func TestClaimedNamesFit(t *testing.T) {
	long := strings.Repeat("n", 250)
	for _, name := range []string{long + "1", long + "2"} {
		p, err := claim(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Replace(fill(t)); err != nil {
			t.Error(err)
		}
		p.Release()
	}
	a, b := Dir{path: long + "1"}, Dir{path: long + "2"}
	if a.prefix() == b.prefix() || len(a.prefix()) > 200 {
		t.Errorf("%d bytes: %q and %q", len(a.prefix()), a.prefix(), b.prefix())
	}
}

func TestSwapByRename(t *testing.T) {
	parent := t.TempDir()
	made, place := filepath.Join(parent, "made"), filepath.Join(parent, "place")
	reporttest.Put(t, filepath.Join(made, "new"), "new")
	reporttest.Put(t, filepath.Join(place, "old"), "old")
	if err := swapByRename(made, place); err != nil {
		t.Fatal(err)
	}
	got := contents(t, parent)
	if got["place/new"] != "new" || got["made/old"] != "old" || len(got) != 2 {
		t.Errorf("got %v", got)
	}
	// A failed swap leaves the old directory in place.
	if err := swapByRename(filepath.Join(parent, "missing"), place); err == nil {
		t.Error("a missing directory was moved into place")
	}
	if got := contents(t, parent); got["place/new"] != "new" {
		t.Errorf("got %v", got)
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
				reporttest.Put(t, filepath.Join(dir, "manifest.json"), c.manifest)
			}
			if c.findings != "" {
				reporttest.Put(t, filepath.Join(dir, "findings.json"), c.findings)
			}
			if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}
