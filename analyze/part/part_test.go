package part

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logscan/analyze/spill"
)

// secret is that of a plan.
var secret = []byte("0123456789abcdefghijklmnopqrstuv")

func newKey(tb testing.TB, id ID) *Key {
	tb.Helper()
	k, err := NewKey(secret, id)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// create writes a part of some pieces and returns their places.
func create(tb testing.TB, path string, k *Key, tasks []int) []spill.Place {
	tb.Helper()
	w, err := Create(path, k, tasks)
	if err != nil {
		tb.Fatal(err)
	}
	defer w.Abort()
	var places []spill.Place
	for _, piece := range []string{"users", strings.Repeat("events ", 500), ""} {
		p, err := w.Append([]byte(piece))
		if err != nil {
			tb.Fatal(err)
		}
		places = append(places, p)
	}
	if err := w.Finish([]byte("the index")); err != nil {
		tb.Fatal(err)
	}
	return places
}

func TestPart(t *testing.T) {
	dir := t.TempDir()
	k := newKey(t, ID{1})
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	places := create(t, a, k, []int{3, 4, 5, 9})
	create(t, b, k, []int{3, 4, 5, 9})
	first, errA := os.ReadFile(a)
	second, errB := os.ReadFile(b)
	if errA != nil || errB != nil || !bytes.Equal(first, second) {
		t.Error("two parts with the same content differ", errA, errB)
	}
	if bytes.Contains(first, []byte("events")) || bytes.Contains(first, []byte("index")) {
		t.Error("the content is not encrypted")
	}
	if info, err := os.Stat(a); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	for _, open := range []func(string, *Key) (*Reader, error){Open, OpenAgain} {
		r, err := open(a, k)
		if err != nil {
			t.Fatal(err)
		}
		if TasksText(r.Tasks) != "tasks 3-5,9" || string(r.Index) != "the index" {
			t.Errorf("tasks %v, index %q", r.Tasks, r.Index)
		}
		if piece, err := r.Read(places[1], nil); err != nil || string(piece) != strings.Repeat("events ", 500) {
			t.Errorf("piece of %d bytes, %v", len(piece), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Error("temporary files are left:", left, err)
	}
}

func TestForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part")
	create(t, path, newKey(t, ID{1}), []int{0})
	if _, err := Open(path, newKey(t, ID{2})); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("10.0.0.1 - - [09/Mar/2026:14:05:00 +0000]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, newKey(t, ID{1})); !errors.Is(err, ErrNoPart) {
		t.Error(err)
	}
}

// Every byte that is changed, missing or added is noticed, and the task is named while its
// number can be read.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part")
	k := newKey(t, ID{1})
	create(t, path, k, []int{7})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := bytes.IndexByte(whole, '\n') + 1
	named := 0
	check := func(what string, at int, b []byte) {
		r, err := read(bytes.NewReader(b), int64(len(b)), k, true)
		if err == nil {
			t.Errorf("%s at byte %d is not noticed: %v", what, at, r.Tasks)
			return
		}
		var task *TaskError
		if errors.As(err, &task) && task.Tasks[0] == 7 {
			named++
		} else if at >= header {
			t.Errorf("%s at byte %d: %v does not name the task", what, at, err)
		}
	}
	for at := range whole {
		for _, mask := range []byte{1, 0x80} {
			b := bytes.Clone(whole)
			b[at] ^= mask
			check("a change", at, b)
		}
		check("the end", at, whole[:at])
	}
	check("a byte more", len(whole), append(bytes.Clone(whole), 0))
	if named < len(whole) {
		t.Error("the task was named", named, "times")
	}
}

// A piece whose place is changed is not taken for another.
func TestMovedPiece(t *testing.T) {
	k := newKey(t, ID{1})
	s := newSealer(k, []byte("header"))
	sealed := s.Seal(nil, []byte("piece"), 100)
	if _, err := s.Unseal(bytes.Clone(sealed), 101); err == nil {
		t.Error("a piece is read at another place")
	}
	if _, err := newSealer(k, []byte("other")).Unseal(bytes.Clone(sealed), 100); err == nil {
		t.Error("a piece is read in another part")
	}
	if b, err := s.Unseal(sealed, 100); err != nil || string(b) != "piece" {
		t.Error(string(b), err)
	}
}

// FuzzOpen opens what anybody may have written.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "part")
	k := newKey(f, ID{1})
	create(f, path, k, []int{7})
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(magic + `{"version":1,"plan":"01000000000000000000000000000000","tasks":[[0,131071],[5,2]]}` + "\n"))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, all := range []bool{true, false} {
			r, err := read(bytes.NewReader(b), int64(len(b)), k, all)
			if err == nil && all && !bytes.Equal(b, whole) {
				t.Errorf("a forged part of %v was read", r.Tasks)
			}
		}
	})
}
