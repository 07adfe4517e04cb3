// Package outdir manages the files that a run leaves: the output directory, which appears
// whole or not at all, also in an object store; the state file; and reading both back.
//
// On disk, an output is written to a temporary sibling and swapped into place. Everything a
// run creates on the way has a name that identifies its owner, so that the next run
// finds what a killed one left behind.
package outdir

import (
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

	"golang.org/x/sync/errgroup"

	"logscan/parse/source/object"
	"logscan/report/document"
)

const (
	// directoryMode keeps others out: the output shows what people requested.
	directoryMode = 0o700
	// FileMode is the mode of files of the output, and of the state file.
	FileMode = 0o600
	// parentMode is the mode of directories created above the output.
	parentMode = 0o755
	// maxNamed is how many bytes of the output's name the names of temporary files
	// begin with: file systems allow 255 bytes in all.
	maxNamed = 150
	// asideSuffix ends the name of an output that is being replaced.
	asideSuffix = "-old"
	// finderName is a file that desktops leave in directories they have shown.
	finderName = ".DS_Store"
)

// NotOutputError says that a path is not an output of logscan and is not replaced.
type NotOutputError struct {
	Dir    string
	Reason string
}

func (e *NotOutputError) Error() string {
	return fmt.Sprintf("%s is no output of logscan and is not replaced: %s", e.Dir, e.Reason)
}

// Place is where the output of a run goes: a Dir, or a Prefix of an object store. It is
// claimed for one run.
type Place interface {
	// Replace replaces the output by the files that fill writes to a directory.
	Replace(fill func(temporary string) error) error
	// Temporary returns a name for a directory of temporary files of the run, in dir
	// unless that is empty.
	Temporary(dir string) (string, error)
	// Release ends the claim. It may be called twice.
	Release()
}

// Join returns the name of a file in an output: a path or a URL.
func Join(output, name string) string {
	if object.Scheme(output) != "" {
		return strings.TrimSuffix(output, "/") + "/" + name
	}
	return filepath.Join(output, name)
}

// check returns a *NotOutputError unless dir may be replaced: it does not exist, is
// an empty directory, or is an earlier output that holds only the named files. It
// returns nil if dir cannot be read: writing will fail then.
func check(dir string, files []string) error {
	info, err := os.Stat(dir)
	if err != nil {
		if link, e := os.Readlink(dir); e == nil && errors.Is(err, fs.ErrNotExist) {
			return &NotOutputError{dir, fmt.Sprintf("it is a symbolic link to %q, which does not exist", link)}
		}
		return nil
	}
	if !info.IsDir() {
		return &NotOutputError{dir, "it is no directory"}
	}
	if isMountPoint(dir, info) {
		return &NotOutputError{dir, "it is a mount point, which cannot be renamed: name a directory in it"}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return nil
	}
	m, err := readManifest(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return &NotOutputError{dir, errNoManifest}
		}
		return &NotOutputError{dir, err.Error()}
	}
	known := knownFiles(m, files)
	for _, e := range entries {
		if !known[e.Name()] || e.IsDir() {
			return notOurs(dir, e.Name())
		}
	}
	return nil
}

// errNoManifest is the reason why something is no output of logscan.
const errNoManifest = "it is not empty and has no " + document.ManifestName

// notOurs returns the error for an output with a file that logscan has not written.
func notOurs(output, name string) *NotOutputError {
	return &NotOutputError{output, fmt.Sprintf("%q in it is not logscan's", name)}
}

// knownFiles returns the names of files that an output with a manifest may hold: the named
// ones and its tables, as another version may have written others.
func knownFiles(m *document.Manifest, files []string) map[string]bool {
	known := map[string]bool{finderName: true}
	for _, name := range files {
		known[name] = true
	}
	for name := range m.Tables {
		known[name+tableSuffix] = true
	}
	return known
}

// Dir is an output directory claimed for one run: no other run writes it until
// Release.
type Dir struct {
	name string // as given
	path string // symbolic links resolved
	made []string
	lock *os.File
}

// Claim claims dir, which may hold only the named files, and removes what killed
// runs left beside it. The error is a *NotOutputError, a *LockedError, or says why
// nothing can be written there.
func Claim(dir string, files []string) (*Dir, error) {
	if err := check(dir, files); err != nil {
		return nil, err
	}
	d := &Dir{name: dir}
	var err error
	if d.path, err = resolve(dir); err != nil {
		return nil, d.failed(err)
	}
	if d.made, err = makeParents(filepath.Dir(d.path), parentMode); err != nil {
		return nil, d.failed(err)
	}
	if d.lock, err = acquire(d.lockPath(), d.name); err != nil {
		d.removeParents()
		if locked := (*LockedError)(nil); errors.As(err, &locked) {
			return nil, err
		}
		return nil, d.failed(err)
	}
	if err := d.recover(); err != nil {
		d.Release()
		return nil, d.failed(err)
	}
	return d, nil
}

func (d *Dir) failed(err error) error { return fmt.Errorf("write %s: %w", d.name, err) }

// Release ends the claim. It may be called twice.
func (d *Dir) Release() {
	if d.lock != nil {
		release(d.lock)
		d.lock = nil
	}
	d.removeParents()
}

// removeParents removes the directories that the claim created, if they are empty.
// Others stay in the list: they may be empty when Release is called again.
func (d *Dir) removeParents() {
	d.made = slices.DeleteFunc(d.made, func(path string) bool { return os.Remove(path) == nil })
}

// Replace replaces the directory by one that fill writes under a temporary name. At
// any time the path holds the last output or the new one, never a part. If fill or
// the swap fails, nothing is left behind.
func (d *Dir) Replace(fill func(temporary string) error) error {
	if err := d.replace(fill); err != nil {
		return d.failed(err)
	}
	return nil
}

func (d *Dir) replace(fill func(string) error) (err error) {
	parent := filepath.Dir(d.path)
	temporary, err := os.MkdirTemp(parent, "."+d.prefix()+".tmp-"+strconv.Itoa(os.Getpid())+"-*")
	if err != nil {
		return err
	}
	defer func() {
		// After the swap this is the previous output.
		if e := removeAll(temporary); err == nil && e != nil {
			err = fmt.Errorf("it is complete, but the one before cannot be removed: %w", e)
		}
	}()
	if err := os.Chmod(temporary, directoryMode); err != nil {
		return err
	}
	if err := fill(temporary); err != nil {
		return err
	}
	if err := syncDirectory(temporary); err != nil {
		return err
	}
	if err := swap(temporary, d.path); err != nil {
		return fmt.Errorf("move into place: %w", err)
	}
	return syncDirectory(parent)
}

// Temporary returns a name for a directory of temporary files of the run, in dir or,
// if that is empty, beside the output. It removes what killed runs with the same
// output left there.
func (d *Dir) Temporary(dir string) (string, error) {
	prefix := "." + d.prefix() + ".spill-"
	if dir == "" {
		dir = filepath.Dir(d.path)
	} else {
		made, err := makeParents(dir, directoryMode)
		if err != nil {
			return "", err
		}
		d.made = append(d.made, made...)
		// Outputs of the same name from different places may share dir.
		prefix = "logscan-" + digest(d.path) + ".spill-"
	}
	if err := removeLeftovers(dir, prefix); err != nil {
		return "", err
	}
	return filepath.Join(dir, prefix+strconv.Itoa(os.Getpid())), nil
}

// prefix returns how names beside the output begin, after a dot.
func (d *Dir) prefix() string {
	name := filepath.Base(d.path)
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

func (d *Dir) lockPath() string {
	return filepath.Join(filepath.Dir(d.path), "."+d.prefix()+".lock")
}

// recover removes what killed runs left beside the output. If one was killed between
// the two renames of swapByRename, it first restores the last output.
func (d *Dir) recover() error {
	parent, prefix := filepath.Dir(d.path), "."+d.prefix()+".tmp-"
	if _, err := os.Lstat(d.path); errors.Is(err, fs.ErrNotExist) {
		left, err := leftovers(parent, prefix)
		if err != nil {
			return err
		}
		for _, path := range left {
			if strings.HasSuffix(path, asideSuffix) {
				if err := os.Rename(path, d.path); err != nil {
					return err
				}
				break
			}
		}
	}
	return removeLeftovers(parent, prefix)
}

// ofProcess matches the ends of the names of temporary directories.
var ofProcess = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9]+(-[0-9]+)?(` + asideSuffix + `)?$`)
})

// leftovers lists the temporary directories of killed runs.
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

func removeLeftovers(dir, prefix string) error {
	left, err := leftovers(dir, prefix)
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// resolve returns the absolute path of dir with symbolic links resolved, so that a
// link to the output stays a link.
func resolve(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	return path, nil
}

// makeParents creates path and returns the directories it created, deepest first.
func makeParents(path string, mode fs.FileMode) (made []string, err error) {
	var missing []string
	for p := path; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); err == nil || !errors.Is(err, fs.ErrNotExist) || p == filepath.Dir(p) {
			break
		}
		missing = append(missing, p)
	}
	if err := os.MkdirAll(path, mode); err != nil {
		for _, p := range missing {
			_ = os.Remove(p) // created before the failure
		}
		return nil, err
	}
	return missing, nil
}

// removeAll removes a directory. Its files are freed in parallel: this is the last
// thing that a run waits for.
func removeAll(dir string) error {
	entries, _ := os.ReadDir(dir) // RemoveAll below reports the error
	var g errgroup.Group
	for _, e := range entries {
		g.Go(func() error { return os.RemoveAll(filepath.Join(dir, e.Name())) })
	}
	return errors.Join(g.Wait(), os.RemoveAll(dir))
}

// syncDirectory makes the names in dir survive a crash, on file systems that can
// sync directories.
func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	_ = f.Sync() // some file systems refuse it
	return nil
}

// swap moves the directory made to path. What was at path is at made afterwards, or
// gone if it was empty.
func swap(made, path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(made, path)
	}
	if err := exchange(made, path); err == nil {
		return nil
	}
	return swapByRename(made, path)
}

// swapByRename is swap for systems that cannot exchange two names at once: for a
// moment path does not exist.
func swapByRename(made, path string) error {
	aside := made + asideSuffix
	if err := os.Rename(path, aside); err != nil {
		return err
	}
	if err := os.Rename(made, path); err != nil {
		return errors.Join(err, os.Rename(aside, path))
	}
	return os.Rename(aside, made)
}
