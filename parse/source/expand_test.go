package source

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree makes files, and directories for names that end in a slash.
func tree(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

func paths(inputs []Input) []string {
	all := []string{}
	for _, in := range inputs {
		all = append(all, in.Path)
	}
	return all
}

func texted(notes []Note) []string {
	all := []string{}
	for _, n := range notes {
		all = append(all, n.Path+": "+n.Text)
	}
	return all
}

func TestExpand(t *testing.T) {
	tests := []struct {
		name  string
		args  string
		want  string
		notes string // separated by "; "
	}{
		{"file", "b.log", "b.log", ""},
		{"cleaned", "./d//sub/../e.log", "d/e.log", ""},
		{"sorted", "b.log a.log", "a.log b.log", ""},
		{"directory", "d", "d/e.log d/f.gz d/sub/g.log", ""},
		{"hidden file by name", ".hidden", ".hidden", ""},
		{"hidden directory by name", "d/.git", "d/.git/config", ""},
		{"current directory", ".", "[x] a.log b.log d/e.log d/f.gz d/sub/g.log", ""},
		{"parent directory", "d/sub/..", "d/e.log d/f.gz d/sub/g.log", ""},
		{"pattern", "*.log", "a.log b.log", ""},
		{"pattern of hidden names", ".h*", ".hidden", ""},
		{"pattern matches a directory", "d/s*", "d/sub/g.log", ""},
		{"pattern in a directory", "*/*.log", "d/e.log", ""},
		{"name like a pattern", "[x]", "[x]", ""},
		{"standard input last", "- b.log a.log", "a.log b.log -", ""},
		{"standard input twice", "- -", "-", "-: given more than once; read once"},
		{"file twice", "a.log ./a.log", "a.log", "a.log: given more than once; read once"},
		{"file and directory", "d/e.log d", "d/e.log d/f.gz d/sub/g.log", "d/e.log: given more than once; read once"},
		{"empty directory beside a file", "d/sub d/sub/g.log", "d/sub/g.log", "d/sub/g.log: given more than once; read once"},
	}
	tree(t, "a.log", "b.log", "[x]", ".hidden", "d/e.log", "d/f.gz", "d/sub/g.log", "d/.git/config", "d/sub/.h", "empty/")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inputs, notes, err := Expand(strings.Fields(test.args), strings.NewReader(""))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(paths(inputs), " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := strings.Join(texted(notes), "; "); got != test.notes {
				t.Errorf("notes %q, want %q", got, test.notes)
			}
		})
	}
}

func TestExpandNothing(t *testing.T) {
	tree(t, "a.log", "empty/", "hidden/.a")
	for _, pattern := range []string{"gone", "*.gz", "empty", "hidden", "a.log/b", "", "[", "hidden/*"} {
		_, _, err := Expand([]string{"a.log", pattern}, nil)
		var none *NoMatchError
		if !errors.As(err, &none) || none.Pattern != pattern || !strings.Contains(err.Error(), `"`+pattern+`"`) {
			t.Errorf("%q: error %v", pattern, err)
		}
		if bad := pattern == "["; bad != errors.Is(err, filepath.ErrBadPattern) {
			t.Errorf("%q: error %v", pattern, err)
		}
	}
}

func TestExpandLinks(t *testing.T) {
	tree(t, "d/a.log", "d/sub/c.log", "other/o.log")
	link(t, "a.log", "d/link.log")
	link(t, "../../other/o.log", "d/sub/outside.log")
	link(t, "..", "d/sub/loop")
	link(t, "itself", "d/itself")
	link(t, "gone", "d/dangling")
	link(t, "d", "linked")
	if err := os.Link("d/a.log", "d/z-hard.log"); err != nil {
		t.Fatal(err)
	}
	want := []string{"d/a.log", "d/sub/c.log", "d/sub/outside.log"}
	wantNotes := []string{
		"d/dangling: skipped: broken link",
		"d/itself: skipped: the link cannot be followed",
		"d/link.log: same file as d/a.log; read once",
		"d/sub/loop: skipped: it is a link to a directory",
		"d/z-hard.log: same file as d/a.log; read once",
	}
	for _, args := range [][]string{{"d"}, {"d", "d/sub", "d"}} {
		inputs, notes, err := Expand(args, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := paths(inputs); !slices.Equal(got, want) {
			t.Errorf("%v: got %q, want %q", args, got, want)
		}
		got := slices.DeleteFunc(texted(notes), func(n string) bool { return strings.HasSuffix(n, "given more than once; read once") })
		if !slices.Equal(got, wantNotes) {
			t.Errorf("%v: notes %q, want %q", args, got, wantNotes)
		}
	}

	// A link that is an argument is followed, even to a directory.
	inputs, _, err := Expand([]string{"linked", "d/dangling"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(inputs); !slices.Equal(got, []string{"d/dangling", "linked/a.log", "linked/sub/c.log", "linked/sub/outside.log"}) {
		t.Errorf("got %q", got)
	}
	_, results := readAll(t, inputs, 1, small)
	if !errors.Is(results[0].Err, os.ErrNotExist) {
		t.Errorf("dangling link: %v", results[0].Err)
	}
}

// TestExpandOrder checks that the order of the arguments does not matter.
func TestExpandOrder(t *testing.T) {
	tree(t, "a.log", "d/b.log")
	link(t, "../a.log", "d/linked.log")
	link(t, "a.log", "0.log")
	args := []string{"a.log", "d", "0.log", "d/linked.log", "-"}
	want, wantNotes, err := Expand(args, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(want); !slices.Equal(got, []string{"0.log", "d/b.log", "-"}) {
		t.Errorf("got %q", got)
	}
	slices.Reverse(args)
	got, notes, err := Expand(args, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(paths(got), paths(want)) || !slices.Equal(notes, wantNotes) {
		t.Errorf("reversed: %q, %q; want %q, %q", paths(got), notes, paths(want), wantNotes)
	}
}

// TestExpandStdinFile checks standard input that is a file among the arguments.
func TestExpandStdinFile(t *testing.T) {
	tree(t, "a.log")
	f, err := os.Open("a.log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inputs, notes, err := Expand([]string{"-", "a.log"}, f)
	if err != nil || len(inputs) != 1 || inputs[0].Path != "a.log" {
		t.Errorf("%v, %v", paths(inputs), err)
	}
	if got := texted(notes); !slices.Equal(got, []string{"-: same file as a.log; read once"}) {
		t.Errorf("notes %q", got)
	}
}
