//go:build unix

package outdir

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// traps put something else in the place of a lock or state file.
var traps = map[string]func(victim, path string) error{
	"symbolic link": os.Symlink,
	"dangling link": func(_, path string) error { return os.Symlink(path+"-nowhere", path) },
	"hard link":     os.Link,
	"FIFO":          func(_, path string) error { return unix.Mkfifo(path, 0o600) },
	"device":        func(_, path string) error { return os.Symlink("/dev/zero", path) },
	"directory":     func(_, path string) error { return os.Mkdir(path, 0o700) },
}

// TestTraps checks that nothing in the place of a file of ours is followed, waited for
// or changed.
func TestTraps(t *testing.T) {
	const precious = "precious\n"
	places := map[string]func(dir string) error{
		".run.lock": func(dir string) error {
			d, err := Claim(filepath.Join(dir, "run"), nil)
			if err == nil {
				d.Release()
			}
			return err
		},
		".st.lock": func(dir string) error { return claimOnce(dir) },
		"st":       func(dir string) error { return claimOnce(dir) },
	}
	for name, claim := range places {
		for what, lay := range traps {
			t.Run(name+"/"+what, func(t *testing.T) {
				dir := t.TempDir()
				victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, name)
				if err := errors.Join(os.WriteFile(victim, []byte(precious), 0o600), lay(victim, path)); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- claim(dir) }()
				select {
				case err := <-done:
					if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "another run") {
						t.Errorf("error %v, which should name %s", err, name)
					}
				case <-time.After(10 * time.Second):
					t.Fatal("waits")
				}
				if got, err := os.ReadFile(victim); string(got) != precious {
					t.Errorf("the other file holds %q (%v)", got, err)
				}
				if _, err := os.Lstat(path + "-nowhere"); err == nil {
					t.Error("the target of the link was created")
				}
			})
		}
	}
}

func claimOnce(dir string) error {
	s, err := ClaimState(filepath.Join(dir, "st"), filepath.Join(dir, "out"), nil)
	if err == nil {
		s.Release()
	}
	return err
}

// TestPendingTraps checks that the temporary files of a state replace what is in their
// place.
func TestPendingTraps(t *testing.T) {
	for _, suffix := range []string{statePending, stateData} {
		for _, what := range []string{"symbolic link", "dangling link", "hard link", "FIFO"} {
			dir := t.TempDir()
			victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, ".st"+suffix)
			s, err := ClaimState(filepath.Join(dir, "st"), filepath.Join(dir, "out"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.WriteFile(victim, []byte("precious\n"), 0o600), traps[what](victim, path)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Prepare(func(w io.Writer) error { _, err := w.Write([]byte("x")); return err }); err != nil {
				t.Errorf("%s, %s: %v", suffix, what, err)
			}
			s.Release()
			if got, _ := os.ReadFile(victim); string(got) != "precious\n" {
				t.Errorf("%s, %s: the other file holds %q", suffix, what, got)
			}
		}
	}
}
