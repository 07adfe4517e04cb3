package outdir

import (
	"bytes"
	"errors"
	"io"
	"logscan/report/document"
	"logscan/report/reporttest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stateRun is a run with a state.
type stateRun struct {
	t    *testing.T
	dir  string // of the state and the outputs
	stop string // where the run is killed: "", prepared, written
}

// Where a run is killed: only its locks are released, as by the operating system.
const (
	killedPrepared = "prepared" // the state is pending, the output is not in place
	killedWritten  = "written"  // the output is in place, the state is pending
)

func (r *stateRun) claim(out string) (*State, error) {
	return ClaimState(filepath.Join(r.dir, "state"), filepath.Join(r.dir, out), map[string]string{"--format": "auto"})
}

// run runs and returns the carry-over that the run found.
func (r *stateRun) run(out, leaves string) (found string) {
	r.t.Helper()
	s, err := r.claim(out)
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.unlock()
	if s.there {
		f, err := s.open()
		if err != nil {
			r.t.Fatal(err)
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			r.t.Fatal(err)
		}
		found = string(b)
	}
	id, err := s.Prepare(func(w io.Writer) error {
		_, err := io.WriteString(w, leaves)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if r.stop == killedPrepared {
		return found
	}
	r.output(out, id)
	if r.stop == killedWritten {
		return found
	}
	if err := s.Commit(); err != nil {
		r.t.Fatal(err)
	}
	s.Release()
	return found
}

// output writes the manifest, which shows that the output is in place.
func (r *stateRun) output(out string, id *document.StateID) {
	r.t.Helper()
	run := reporttest.Run()
	run.State = id
	var b bytes.Buffer
	if err := document.Write(&b, document.NewManifest(run, reporttest.Empty(), nil, nil)); err != nil {
		r.t.Fatal(err)
	}
	reporttest.Put(r.t, filepath.Join(r.dir, out, document.ManifestName), b.String())
}

// TestState runs several nights, each with its output, what it saves, what it should
// find, and where it is killed: every night counts exactly once.
func TestState(t *testing.T) {
	type night struct{ out, leaves, found, stop string }
	for _, tt := range []struct {
		name   string
		nights []night
	}{
		{"one after the other", []night{{"n1", "one", "", ""}, {"n2", "two", "one", ""}, {"n3", "three", "two", ""}}},
		{"the last one again", []night{{"n1", "one", "", ""}, {"n2", "two", "one", ""}, {"n2", "two again", "one", ""}, {"n2", "two", "one", ""}, {"n3", "three", "two", ""}}},
		{"the first one again", []night{{"n1", "one", "", ""}, {"n1", "one again", "", ""}, {"n2", "two", "one again", ""}}},
		{"killed before the output", []night{{"n1", "one", "", ""}, {"n2", "two", "one", killedPrepared}, {"n2", "two", "one", ""}, {"n3", "three", "two", ""}}},
		{"killed before the output, and given up", []night{{"n1", "one", "", ""}, {"n2", "two", "one", killedPrepared}, {"n3", "three", "one", ""}}},
		{"killed after the output", []night{{"n1", "one", "", ""}, {"n2", "two", "one", killedWritten}, {"n3", "three", "two", ""}}},
		{"killed after the output, and again", []night{{"n1", "one", "", ""}, {"n2", "two", "one", killedWritten}, {"n2", "two", "one", ""}, {"n3", "three", "two", ""}}},
		{"killed in the first night", []night{{"n1", "one", "", killedWritten}, {"n2", "two", "one", ""}}},
		{"killed early in the first night", []night{{"n1", "one", "", killedPrepared}, {"n2", "two", "", ""}}},
		{"killed while it is done again", []night{{"n1", "one", "", ""}, {"n2", "two", "one", ""}, {"n2", "two again", "one", killedWritten}, {"n3", "three", "two again", ""}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for i, n := range tt.nights {
				r := stateRun{t, dir, n.stop}
				if found := r.run(n.out, n.leaves); found != n.found {
					t.Errorf("run %d finds %q, want %q", i+1, found, n.found)
				}
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if strings.HasPrefix(e.Name(), ".") {
					t.Errorf("%s is left behind", e.Name())
				}
			}
			info, err := os.Stat(filepath.Join(dir, "state"))
			if err != nil || info.Mode().Perm() != FileMode {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

// TestStateRefused checks that a state that cannot be used is refused with a hint and
// left unchanged.
func TestStateRefused(t *testing.T) {
	whole := func(t *testing.T) (r *stateRun, path string, data []byte) {
		r = &stateRun{t: t, dir: t.TempDir()}
		r.run("n1", "one")
		r.run("n2", "two")
		path = filepath.Join(r.dir, "state")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return r, path, data
	}
	refused := func(t *testing.T, err error, want string) {
		t.Helper()
		var state *StateError
		if !errors.As(err, &state) || !strings.Contains(err.Error(), want) || state.Hint == "" {
			t.Errorf("%v, want %q", err, want)
		}
	}
	t.Run("damaged", func(t *testing.T) {
		r, path, data := whole(t)
		for i := len(stateMagic); i < len(data); i += 5 {
			bad := bytes.Clone(data)
			bad[i] ^= 0x10
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := r.claim("n3")
			refused(t, err, "is damaged")
		}
		for cut := len(stateMagic) + 4; cut < len(data); cut += 5 {
			if err := os.WriteFile(path, data[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := r.claim("n3")
			refused(t, err, "is damaged")
		}
	})
	t.Run("another file", func(t *testing.T) {
		r, path, _ := whole(t)
		for _, text := range []string{"", "192.0.2.1 - - [", strings.Repeat("a log\n", 99)} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := r.claim("n3")
			refused(t, err, "is no state of logscan")
			if got, _ := os.ReadFile(path); string(got) != text {
				t.Errorf("it is changed to %q", got)
			}
		}
	})
	t.Run("another version", func(t *testing.T) {
		r, path, data := whole(t)
		if err := os.WriteFile(path, bytes.Replace(data, []byte("state 3"), []byte("state 4"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := r.claim("n3")
		refused(t, err, `is of version "4"`)
	})
	t.Run("other settings", func(t *testing.T) {
		r, path, _ := whole(t)
		_, err := ClaimState(path, filepath.Join(r.dir, "n3"), map[string]string{"--format": "combined"})
		refused(t, err, "was made with another --format")
	})
	t.Run("an output that is not the last", func(t *testing.T) {
		r, _, _ := whole(t)
		_, err := r.claim("n1")
		refused(t, err, "whose lines would be lost")
	})
	t.Run("in the output", func(t *testing.T) {
		dir := t.TempDir()
		_, err := ClaimState(filepath.Join(dir, "out", "state"), filepath.Join(dir, "out"), nil)
		refused(t, err, "lies in the output directory")
	})
	t.Run("in use", func(t *testing.T) {
		r, path, _ := whole(t)
		s, err := r.claim("n3")
		if err != nil {
			t.Fatal(err)
		}
		var locked *LockedError
		if _, err := r.claim("n4"); !errors.As(err, &locked) || locked.Dir != path {
			t.Errorf("%v", err)
		}
		s.Release()
		s, err = r.claim("n4")
		if err != nil {
			t.Fatal(err)
		}
		s.Release()
	})
	t.Run("deleted", func(t *testing.T) {
		r, path, _ := whole(t)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if found := r.run("n1", "one"); found != "" {
			t.Errorf("%q is found", found)
		}
	})
}

// TestStateFailing checks that a run that fails while writing leaves the state
// unchanged.
func TestStateFailing(t *testing.T) {
	r := stateRun{t: t, dir: t.TempDir()}
	r.run("n1", "one")
	s, err := r.claim("n2")
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	if _, err := s.Prepare(func(io.Writer) error { return full }); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	s.Release()
	if found := r.run("n2", "two"); found != "one" {
		t.Errorf("%q is found", found)
	}
}
