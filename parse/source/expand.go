package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"logscan/parse/source/object"
)

// Note is something the user should know about the arguments. It is not an error.
type Note struct {
	Path string
	Text string // begins in lower case and has no full stop
}

// NoMatchError is returned by Expand for an argument that matches nothing.
type NoMatchError struct {
	Pattern string // the argument as given
	Err     error  // why the pattern is invalid; nil if it is valid
}

func (e *NoMatchError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("pattern %q is invalid: %v", e.Pattern, e.Err)
	}
	return fmt.Sprintf("no file matches %q", e.Pattern)
}

// Unwrap returns why the pattern is invalid.
func (e *NoMatchError) Unwrap() error { return e.Err }

// Expand turns arguments into inputs, ordered by path with standard input last, whatever
// the order of the arguments.
//
// An argument is a file, a directory, a pattern in the syntax of filepath.Match, or "-" for
// stdin. A file whose name looks like a pattern is that file. A directory is walked: hidden
// names are skipped silently; links to files are followed; links to directories (which
// could form a loop), sockets, FIFOs and devices (which may never end) are skipped with a
// note. An argument that names such a thing itself is read. A file given twice, by name or
// by link, is read once, with a note.
//
// What exists but cannot be read is an input all the same, and Read reports the error.
// Expand returns a *NoMatchError for the first argument that matches nothing.
func Expand(args []string, stdin io.Reader) ([]Input, []Note, error) {
	return new(expansion).all(args, stdin, func(string) (bool, error) { return false, nil })
}

// Expansion is what arguments name.
type Expansion struct {
	Inputs  []Input
	Notes   []Note
	Skipped SkippedDates
	// DateNotes say what was left out by its date.
	DateNotes []Note
	// Newest is the time that the newest line must at least have for Skipped to hold no line
	// of the time range; zero if that does not matter.
	Newest time.Time
}

// ExpandURLs is Expand for arguments that may also be URLs of objects, as object.Stores.List takes
// them. An argument that names an existing file is that file. All requests for objects, also
// those of Read, end with ctx. Directories with dates outside of a time range are left out.
func ExpandURLs(ctx context.Context, args []string, stdin io.Reader, dates Dates) (*Expansion, error) {
	e, stores := new(expansion), object.NewStores(ctx)
	if dates != (Dates{}) {
		e.calendar = &calendar{Dates: dates}
	}
	inputs, notes, err := e.all(args, stdin, func(arg string) (bool, error) {
		if !object.Supported(object.Scheme(arg)) {
			return false, nil
		}
		if _, err := os.Lstat(arg); err == nil {
			return false, nil
		}
		return true, e.objects(stores, arg)
	})
	x := &Expansion{Inputs: inputs, Notes: notes, Newest: e.newest}
	if e.calendar != nil {
		x.Skipped, x.DateNotes = e.calendar.summary()
	}
	return x, err
}

// objects adds the objects that a URL names.
func (e *expansion) objects(stores *object.Stores, arg string) (err error) {
	var list []*object.Object
	if e.calendar == nil {
		list, err = stores.List(arg)
	} else {
		root, isPattern := object.Literal(arg)
		if isPattern {
			root = root[:strings.LastIndexByte(root, '/')+1]
		}
		list, err = stores.ListTree(arg, func(dir string) bool {
			return e.calendar.enter(root, dir, func(part *expansion) error {
				list, err := stores.ListBelow(arg, dir)
				return part.add(arg, list, err)
			})
		})
	}
	return e.add(arg, list, err)
}

// add adds the objects of a list.
func (e *expansion) add(arg string, list []*object.Object, err error) error {
	if err != nil {
		return &ListError{object.Label(arg), err}
	}
	for _, o := range list {
		e.found = append(e.found, candidate{Input: Input{Path: o.Path, size: o.Size, written: o.Modified, object: o}})
	}
	return nil
}

// ListError is returned by ExpandURLs for a URL whose objects cannot be listed.
type ListError struct {
	URL string // without credentials
	Err error
}

func (e *ListError) Error() string { return e.URL + ": " + e.Err.Error() }

// Unwrap returns why.
func (e *ListError) Unwrap() error { return e.Err }

// all expands arguments. remote adds those that are URLs and reports whether it did.
func (e *expansion) all(args []string, stdin io.Reader, remote func(arg string) (bool, error)) ([]Input, []Note, error) {
	for _, arg := range args {
		before := len(e.found)
		done, err := remote(arg)
		if !done && err == nil {
			err = e.argument(arg, stdin)
		}
		if err != nil {
			return nil, e.notes, err
		}
		if len(e.found) == before && !e.waits() {
			return nil, e.notes, &NoMatchError{Pattern: object.Label(arg)}
		}
	}
	if e.calendar != nil {
		var err error
		if e.newest, err = e.calendar.resolve(e); err != nil {
			return nil, e.notes, err
		}
	}
	return e.inputs(), e.sortedNotes(), nil
}

// expansion collects what the arguments match.
type expansion struct {
	found []candidate
	notes []Note

	calendar *calendar // nil without a time range
	root     string    // of the argument: directories below it may be left out by their dates
	newest   time.Time // see Expansion
}

// waits reports whether directories with dates were found.
func (e *expansion) waits() bool {
	return e.calendar != nil && len(e.calendar.waiting)+len(e.calendar.skipped) > 0
}

// candidate is an input that may be a duplicate.
type candidate struct {
	Input
	info fs.FileInfo // nil if it is not available
}

func (e *expansion) argument(arg string, stdin io.Reader) error {
	if arg == Stdin {
		e.stdin(stdin)
		return nil
	}
	if _, err := os.Lstat(arg); err == nil || errors.Is(err, fs.ErrPermission) {
		e.root = filepath.Clean(arg)
		e.path(e.root, true)
		return nil
	}
	paths, err := filepath.Glob(arg)
	if err != nil {
		return &NoMatchError{Pattern: arg, Err: err}
	}
	literal, _ := object.Literal(filepath.ToSlash(arg))
	e.root = filepath.Clean(literal[:strings.LastIndexByte(literal, '/')+1])
	for _, path := range paths {
		// As in a shell, a star does not match a hidden name.
		if !hidden(filepath.Base(path)) || hidden(filepath.Base(arg)) {
			e.matched(filepath.Clean(path))
		}
	}
	return nil
}

// matched adds a path that a pattern matches, unless a directory in it is left out by its
// date.
func (e *expansion) matched(path string) {
	for i := len(e.root); i < len(path); i++ {
		if os.IsPathSeparator(path[i]) && i > 0 && !e.enters(path[:i], path) {
			return
		}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() && !e.enters(path, path) {
		return
	}
	e.path(path, false)
}

// enters reports whether a directory is to be looked into now. If it waits for those with
// other dates, a path in it, or the directory itself, is added then.
func (e *expansion) enters(dir, path string) bool {
	return e.calendar == nil || e.calendar.enter(e.root, dir, func(part *expansion) error {
		part.path(path, false)
		return nil
	})
}

func (e *expansion) stdin(stdin io.Reader) {
	c := candidate{Input: Input{Path: Stdin, size: -1, reader: stdin}}
	if f, ok := stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			c.info = info
		}
	}
	e.found = append(e.found, c)
}

// path adds the file or directory at a path; special allows FIFOs and devices, too. What
// cannot be read is added so that reading reports the error.
func (e *expansion) path(path string, special bool) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		e.walk(path)
	case err == nil && !special && !info.Mode().IsRegular():
		e.note(path, "skipped: it is a "+kind(info.Mode()))
	default:
		c := candidate{Input: Input{Path: path, size: -1}, info: info}
		if err == nil && info.Mode().IsRegular() {
			c.size, c.written = info.Size(), info.ModTime()
		}
		e.found = append(e.found, c)
	}
}

// walk adds the files in a directory. Links to directories are not followed, so the depth
// is bounded.
func (e *expansion) walk(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		e.found = append(e.found, candidate{Input: Input{Path: dir, size: -1}})
		return
	}
	e.found = slices.Grow(e.found, len(entries))
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if hidden(entry.Name()) {
			continue
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			if reason := notFollowed(path); reason != "" {
				e.note(path, "skipped: "+reason)
				continue
			}
		}
		if !entry.IsDir() || e.enters(path, path) {
			before := len(e.found)
			e.path(path, false)
			if entry.Type().IsRegular() && len(e.found) > before {
				e.found[before].direct = true
			}
		}
	}
}

// notFollowed returns why a symbolic link found in a directory is not followed, or "".
func notFollowed(path string) string {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "broken link"
	case errors.Is(err, fs.ErrPermission):
		return "" // reading it reports the error
	case err != nil:
		return "the link cannot be followed"
	case info.IsDir():
		return "it is a link to a directory"
	case !info.Mode().IsRegular():
		return "it is a link to a " + kind(info.Mode())
	}
	return ""
}

func (e *expansion) note(path, text string) {
	e.notes = append(e.notes, Note{Path: path, Text: text})
}

// inputs orders what was found and keeps the first of duplicates, so that the order of the
// arguments does not matter.
func (e *expansion) inputs() []Input {
	slices.SortStableFunc(e.found, func(a, b candidate) int { return byPath(a.Input, b.Input) })
	inputs := make([]Input, 0, len(e.found))
	seen := make(map[fileID][]int, len(e.found)) // indexes of found
	for i, c := range e.found {
		if i > 0 && c.Path == e.found[i-1].Path {
			e.note(c.Path, "given more than once; read once")
			continue
		}
		if c.info != nil {
			id := idOf(c.info)
			if n := slices.IndexFunc(seen[id], func(other int) bool { return os.SameFile(e.found[other].info, c.info) }); n >= 0 {
				e.note(c.Path, "same file as "+e.found[seen[id][n]].Path+"; read once")
				continue
			}
			seen[id] = append(seen[id], i)
		}
		inputs = append(inputs, c.Input)
	}
	return inputs
}

func (e *expansion) sortedNotes() []Note {
	slices.SortFunc(e.notes, func(a, b Note) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Text, b.Text))
	})
	return slices.Compact(e.notes) // overlapping arguments skip the same file twice
}

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." && name != ".."
}

// kind names what is neither a file nor a directory.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "FIFO"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}
