package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestNearest(t *testing.T) {
	candidates := []string{"combined", "common", "json"}
	for _, c := range []struct {
		name  string
		limit int
		want  string
	}{
		{"combined", 0, "combined"}, {"combned", 1, "combined"}, {"comibned", 1, ""}, {"comibned", 2, "combined"},
		{"comon", 3, "common"}, {"", 3, ""}, {"jason", 2, "json"}, {"kitten", 3, ""},
	} {
		if got := nearest(c.name, candidates, c.limit); got != c.want {
			t.Errorf("nearest(%q, %d) = %q, want %q", c.name, c.limit, got, c.want)
		}
	}
}

func TestPercent(t *testing.T) {
	for in, want := range map[string]percent{"5": 5, "0": 0, "100": 100, "0.5%": 0.5, "1e1": 10} {
		var got percent
		if err := got.UnmarshalText([]byte(in)); err != nil || got != want {
			t.Errorf("%q is %v (%v), want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "%", "-1", "101", "NaN", "five", "5 %"} {
		if err := new(percent).UnmarshalText([]byte(in)); err == nil {
			t.Errorf("%q is accepted as a percentage", in)
		}
	}
}

func TestTooManyRejects(t *testing.T) {
	for _, c := range []struct {
		rejected, lines int64
		limit           percent
		want            bool
	}{
		{0, 0, 0, false}, {0, 10, 0, false}, {1, 10, 0, true}, {5, 100, 5, false}, {6, 100, 5, true}, {10, 10, 100, false},
	} {
		if _, got := tooManyRejects(c.rejected, c.lines, c.limit); got != c.want {
			t.Errorf("%d of %d rejected, limit %v: too many is %v, want %v", c.rejected, c.lines, c.limit, got, c.want)
		}
	}
}

func TestFieldMap(t *testing.T) {
	got, err := fieldMap{"session=cookie_sid", "user=a=b"}.fields()
	if err != nil || got["session"] != "cookie_sid" || got["user"] != "a=b" || len(got) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []fieldMap{{"session"}, {"=x"}, {"user="}, {"user=a", "user=b"}} {
		_, err := bad.fields()
		var usage *usageError
		if !errors.As(err, &usage) {
			t.Errorf("%v: got error %v, want a usage error", bad, err)
		}
	}
}

func TestWithin(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := os.MkdirAll(filepath.Join(out, "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(out, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		out:                                   true,
		filepath.Join(out, "report.html"):     true,
		filepath.Join(out, "deep", "x"):       true,
		filepath.Join(dir, "link", "x"):       true,
		dir:                                   false,
		filepath.Join(dir, "output"):          false,
		filepath.Join(dir, "out.log"):         false,
		filepath.Join(dir, "out", "..", "up"): false,
	} {
		if got := within(realPath(out), realPath(path)); got != want {
			t.Errorf("%s within the output directory: %v, want %v", path, got, want)
		}
	}
}

func TestIncompleteLimitsProblems(t *testing.T) {
	if err := incomplete(nil); err != nil {
		t.Errorf("no problems: error %v", err)
	}
	var many []problem
	for range maxProblems + 5 {
		many = append(many, problem{text: "x"})
	}
	var got *incompleteError
	if !errors.As(incomplete(many), &got) || len(got.problems) != maxProblems+1 || got.problems[maxProblems].text != "and 5 more problems" {
		t.Errorf("of %d problems: %v", len(many), got)
	}
}
