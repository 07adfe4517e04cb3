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

// ExpandURLs is Expand for arguments that may also be URLs of objects, as object.Stores.List takes
// them. An argument that names an existing file is that file. All requests for objects, also
// those of Read, end with ctx.
func ExpandURLs(ctx context.Context, args []string, stdin io.Reader) ([]Input, []Note, error) {
	e, stores := new(expansion), object.NewStores(ctx)
	return e.all(args, stdin, func(arg string) (bool, error) {
		if !object.Supported(object.Scheme(arg)) {
			return false, nil
		}
		if _, err := os.Lstat(arg); err == nil {
			return false, nil
		}
		list, err := stores.List(arg)
		if err != nil {
			return true, &ListError{object.Label(arg), err}
		}
		for _, o := range list {
			e.found = append(e.found, candidate{Input: Input{Path: o.Path, size: o.Size, written: o.Modified, object: o}})
		}
		return true, nil
	})
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
		if len(e.found) == before {
			return nil, e.notes, &NoMatchError{Pattern: object.Label(arg)}
		}
	}
	return e.inputs(), e.sortedNotes(), nil
}

// expansion collects what the arguments match.
type expansion struct {
	found []candidate
	notes []Note
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
		e.path(filepath.Clean(arg), true)
		return nil
	}
	paths, err := filepath.Glob(arg)
	if err != nil {
		return &NoMatchError{Pattern: arg, Err: err}
	}
	for _, path := range paths {
		// As in a shell, a star does not match a hidden name.
		if !hidden(filepath.Base(path)) || hidden(filepath.Base(arg)) {
			e.path(filepath.Clean(path), false)
		}
	}
	return nil
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
		e.path(path, false)
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
	var inputs []Input
	seen := map[fileID][]candidate{}
	for i, c := range e.found {
		if i > 0 && c.Path == e.found[i-1].Path {
			e.note(c.Path, "given more than once; read once")
			continue
		}
		if c.info != nil {
			id := idOf(c.info)
			if n := slices.IndexFunc(seen[id], func(other candidate) bool { return os.SameFile(other.info, c.info) }); n >= 0 {
				e.note(c.Path, "same file as "+seen[id][n].Path+"; read once")
				continue
			}
			seen[id] = append(seen[id], c)
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
