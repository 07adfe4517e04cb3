package report

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestClaimKeepsOthersAway(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "made", "out")
	p, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := Claim(dir); !errors.As(err, &locked) || locked.Process != os.Getpid() {
		t.Errorf("a second claim: %v", err)
	} else if want := "another run of logscan (process " + strconv.Itoa(os.Getpid()) + ") is writing " + dir; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	// Another name of the same place is no way around.
	if link := filepath.Join(parent, "link"); os.Symlink(filepath.Join(parent, "made"), link) == nil {
		if _, err := Claim(filepath.Join(link, "out")); !errors.As(err, &locked) {
			t.Errorf("by a symbolic link: %v", err)
		}
	}
	beside, err := Claim(filepath.Join(parent, "made", "out2"))
	if err != nil {
		t.Errorf("its neighbour: %v", err)
	} else {
		beside.Release()
	}
	p.Release()
	p.Release() // nothing happens
	if left := names(t, parent); !slices.Equal(left, []string{"link"}) && len(left) != 0 {
		t.Errorf("there is %q", left)
	}
	again, err := Claim(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	again.Release()
}

// TestClaimRemovesWhatWasLeft makes what killed runs leave behind, and what only
// looks like it.
func TestClaimRemovesWhatWasLeft(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	temporary := t.TempDir()
	p, err := Claim(dir)
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
	if p, err = Claim(dir); err != nil {
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
			t.Errorf("%s is still there", d)
		}
	}
	for _, d := range stays {
		if _, err := os.Stat(d); err != nil {
			t.Errorf("%s is not of this output: %v", d, err)
		}
	}
}

// TestClaimPutsBack has a run killed between its two renames, where names cannot
// be exchanged.
func TestClaimPutsBack(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	if err := Write(context.Background(), dir, fixture(), testRun); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	if err := os.Rename(dir, filepath.Join(parent, ".out.tmp-4711-99"+asideSuffix)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(parent, ".out.tmp-4711-99"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	p.Release()
	if got := names(t, dir); !slices.Equal(got, before) {
		t.Errorf("the last output is %q, want %q", got, before)
	}
	if left := names(t, parent); !slices.Equal(left, []string{"out"}) {
		t.Errorf("there is %q", left)
	}
}

func TestClaimedNamesFit(t *testing.T) {
	long := strings.Repeat("n", 250)
	for _, name := range []string{long + "1", long + "2"} {
		p, err := Claim(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Write(context.Background(), fixture(), testRun); err != nil {
			t.Error(err)
		}
		p.Release()
	}
	a, b := Place{path: long + "1"}, Place{path: long + "2"}
	if a.name() == b.name() || len(a.name()) > 200 {
		t.Errorf("%d bytes: %q and %q", len(a.name()), a.name(), b.name())
	}
}
