package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"logscan/analyze/result"
)

// Place is where an output is to be written, claimed for one run: no other one
// writes it before Release. Everything a run makes on the way has a name that
// tells whose it is, so that what a killed run left behind is found by the next
// one.
type Place struct {
	dir  string // as it was named
	path string // behind symbolic links
	made []string
	lock *os.File
}

// LockedError says that another run writes the same output or state.
type LockedError struct {
	Dir     string
	Process int // that of the other run; 0 when it is not known
}

func (e *LockedError) Error() string {
	if e.Process == 0 {
		return "another run of logscan is writing " + e.Dir
	}
	return fmt.Sprintf("another run of logscan (process %d) is writing %s", e.Process, e.Dir)
}

// Claim claims dir, which Check must let through, and removes what killed runs
// left behind beside it. The error is a *NotOutputError, a *LockedError, or says
// why nothing can be written there.
func Claim(dir string) (*Place, error) {
	if err := Check(dir); err != nil {
		return nil, err
	}
	p := &Place{dir: dir}
	var err error
	if p.path, err = resolve(dir); err != nil {
		return nil, p.failed(err)
	}
	if p.made, err = makeParents(filepath.Dir(p.path), parentMode); err != nil {
		return nil, p.failed(err)
	}
	if p.lock, err = acquire(p.lockPath(), p.dir); err != nil {
		p.removeParents()
		if locked := (*LockedError)(nil); errors.As(err, &locked) {
			return nil, err
		}
		return nil, p.failed(err)
	}
	if err := p.recover(); err != nil {
		p.Release()
		return nil, p.failed(err)
	}
	return p, nil
}

func (p *Place) failed(err error) error { return fmt.Errorf("write %s: %w", p.dir, err) }

// Release ends the claim. It may be called twice.
func (p *Place) Release() {
	if p.lock != nil {
		release(p.lock)
		p.lock = nil
	}
	p.removeParents()
}

func (p *Place) removeParents() {
	// Ours and empty, or not ours any more; or something is there until the run
	// has ended, and Release is called again.
	p.made = slices.DeleteFunc(p.made, func(d string) bool { return os.Remove(d) == nil })
}

// Write makes the output directory of a run. It is written beside its place
// under a temporary name, synced, and renamed: the place holds the last output
// or this one, never a part. A failed Write leaves nothing behind.
//
// run is called twice: for the version, and last of all for the manifest, so
// that its figures include the writing. Write reads res.Unauthorized once.
func (p *Place) Write(ctx context.Context, res *result.Result, run func() Run) error {
	if err := writeBeside(ctx, p, &job{res: res, run: run, sizes: map[string]tableSize{}}); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return p.failed(err)
	}
	return nil
}

// Temporary gives a name for a directory of temporary files of the run, in dir
// or, where that is empty, beside the output. It removes what killed runs for the
// same output left there.
func (p *Place) Temporary(dir string) (string, error) {
	prefix := "." + p.name() + ".spill-"
	if dir == "" {
		dir = filepath.Dir(p.path)
	} else {
		made, err := makeParents(dir, directoryMode)
		if err != nil {
			return "", err
		}
		p.made = append(p.made, made...)
		// There, outputs of the same name from elsewhere may meet.
		prefix = "logscan-" + digest(p.path) + ".spill-"
	}
	if err := removeLeft(dir, prefix); err != nil {
		return "", err
	}
	return filepath.Join(dir, prefix+strconv.Itoa(os.Getpid())), nil
}

// name is how names beside the output begin, after a dot. File systems allow 255
// bytes in all.
func (p *Place) name() string {
	name := filepath.Base(p.path)
	if len(name) > maxNamed {
		name = name[:maxNamed] + "-" + digest(name)
	}
	return name
}

func digest(s string) string {
	h := fnv.New64a()
	h.Write([]byte(s)) // never fails
	return strconv.FormatUint(h.Sum64(), 36)
}

func (p *Place) lockPath() string { return filepath.Join(filepath.Dir(p.path), "."+p.name()+".lock") }

// acquire takes a lock of what is called name: a file that is locked by the
// operating system, which forgets about it when the process ends, however it
// does. The file is removed when the lock is released, so it may be gone once it
// is locked.
func acquire(path, name string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
		if err != nil {
			return nil, err
		}
		err = lock(f)
		switch {
		case errors.Is(err, errLocked):
			var text [20]byte
			n, _ := f.ReadAt(text[:], 0)
			process, _ := strconv.Atoi(strings.TrimSpace(string(text[:n])))
			return nil, cmp.Or(f.Close(), error(&LockedError{name, process}))
		case errors.Is(err, errors.ErrUnsupported):
			// A file system without locks: better unlocked than not at all.
		case err != nil:
			return nil, errors.Join(err, f.Close())
		}
		if !same(f, path) {
			f.Close() // it was only looked at
			continue
		}
		_ = f.Truncate(0)
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // only to tell others
		return f, nil
	}
}

// same tells whether f is the file at a path.
func same(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// recover removes what killed runs left beside the output. Where one was killed
// between the two renames of swapByRename, the last output is put back first.
func (p *Place) recover() error {
	parent, prefix := filepath.Dir(p.path), "."+p.name()+".tmp-"
	if _, err := os.Lstat(p.path); errors.Is(err, fs.ErrNotExist) {
		left, err := leftovers(parent, prefix)
		if err != nil {
			return err
		}
		for _, path := range left {
			if strings.HasSuffix(path, asideSuffix) {
				if err := os.Rename(path, p.path); err != nil {
					return err
				}
				break
			}
		}
	}
	return removeLeft(parent, prefix)
}

// asideSuffix ends the name of an output that is being replaced.
const asideSuffix = "-old"

// ofProcess is how the names of temporary directories end.
var ofProcess = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9]+(-[0-9]+)?(` + asideSuffix + `)?$`)
})

// leftovers lists the directories of killed runs.
func leftovers(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), prefix); ok && e.IsDir() && ofProcess().MatchString(rest) {
			left = append(left, filepath.Join(dir, e.Name()))
		}
	}
	return left, nil
}

func removeLeft(dir, prefix string) error {
	left, err := leftovers(dir, prefix)
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}
