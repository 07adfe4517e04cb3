package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Note is something a user should know of what was given, though no error.
type Note struct {
	Path string
	Text string // begins in lower case, without a full stop
}

// NoMatchError is returned by Expand for an argument that matches nothing.
type NoMatchError struct {
	Pattern string // the argument as it was given
	Err     error  // why the pattern cannot be used; nil when it is well-formed
}

func (e *NoMatchError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("cannot use pattern %q: %v", e.Pattern, e.Err)
	}
	return fmt.Sprintf("no file matches %q", e.Pattern)
}

// Unwrap gives the reason of a pattern that cannot be used.
func (e *NoMatchError) Unwrap() error { return e.Err }

// Expand turns arguments into inputs, ordered by path with standard input
// last, whatever the order of the arguments.
//
// An argument is a file, a directory, a pattern as filepath.Match knows them,
// or "-" for stdin. A file whose name looks like a pattern is that file. A
// directory is walked: names that begin with a dot are left out, links to
// files are followed, links to directories are not (so that no loop is
// possible), and neither are sockets, FIFOs and devices read, for reading one
// may never end; each of these gives a note. What is named itself is read
// whatever it is. A file that is given twice, by name or by link, is read once
// with a note.
//
// What exists and cannot be read is an input all the same: Read tells it. The
// error is a *NoMatchError, for the first argument that matches nothing.
func Expand(args []string, stdin io.Reader) ([]Input, []Note, error) {
	var e expansion
	for _, arg := range args {
		before := len(e.found)
		if err := e.argument(arg, stdin); err != nil {
			return nil, e.notes, err
		}
		if len(e.found) == before {
			return nil, e.notes, &NoMatchError{Pattern: arg}
		}
	}
	return e.inputs(), e.sortedNotes(), nil
}

// expansion collects what the arguments match.
type expansion struct {
	found []candidate
	notes []Note
}

// candidate is an input that may be there twice.
type candidate struct {
	Input
	info fs.FileInfo // nil when it could not be had
}

func (e *expansion) argument(arg string, stdin io.Reader) error {
	if arg == Stdin {
		e.stdin(stdin)
		return nil
	}
	if _, err := os.Lstat(arg); err == nil || errors.Is(err, fs.ErrPermission) {
		e.named(filepath.Clean(arg))
		return nil
	}
	paths, err := filepath.Glob(arg)
	if err != nil {
		return &NoMatchError{Pattern: arg, Err: err}
	}
	for _, path := range paths {
		// As in a shell, a star does not match a hidden name.
		if hidden(filepath.Base(path)) && !hidden(filepath.Base(arg)) {
			continue
		}
		e.matched(filepath.Clean(path))
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

// named takes a path that the user named.
func (e *expansion) named(path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		e.add(path, nil)
	case info.IsDir():
		e.walk(path)
	default:
		e.add(path, info)
	}
}

// matched takes a path that a pattern matched.
func (e *expansion) matched(path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		e.add(path, nil)
	case info.IsDir():
		e.walk(path)
	case !info.Mode().IsRegular():
		e.note(path, "skipped, it is a "+kind(info.Mode()))
	default:
		e.add(path, info)
	}
}

// walk takes what is in a directory. Links are not followed into directories,
// so that the depth is that of a tree.
func (e *expansion) walk(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		// Files are missing now: the run has to say so as it does for a file.
		e.add(dir, nil)
		return
	}
	for _, entry := range entries {
		if hidden(entry.Name()) {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		switch mode := entry.Type(); {
		case mode.IsDir():
			e.walk(path)
		case mode.IsRegular():
			info, err := entry.Info()
			if err != nil {
				info = nil // vanished meanwhile; opening it will say so
			}
			e.add(path, info)
		case mode&fs.ModeSymlink != 0:
			e.link(path)
		default:
			e.note(path, "skipped, it is a "+kind(mode))
		}
	}
}

// link takes a symbolic link that was found in a directory.
func (e *expansion) link(path string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.note(path, "skipped, it links to nothing")
	case err != nil && !errors.Is(err, fs.ErrPermission):
		e.note(path, "skipped, the link cannot be followed")
	case err != nil:
		e.add(path, nil)
	case info.IsDir():
		e.note(path, "skipped, it links to a directory")
	case !info.Mode().IsRegular():
		e.note(path, "skipped, it links to a "+kind(info.Mode()))
	default:
		e.add(path, info)
	}
}

func (e *expansion) add(path string, info fs.FileInfo) {
	c := candidate{Input: Input{Path: path, size: -1}, info: info}
	if info != nil && info.Mode().IsRegular() {
		c.size = info.Size()
	}
	e.found = append(e.found, c)
}

func (e *expansion) note(path, text string) {
	e.notes = append(e.notes, Note{Path: path, Text: text})
}

// inputs orders what was found and keeps the first of what is there twice, so
// that the order of the arguments does not tell.
func (e *expansion) inputs() []Input {
	slices.SortStableFunc(e.found, func(a, b candidate) int { return byPath(a.Input, b.Input) })
	var inputs []Input
	seen := identities{}
	for i, c := range e.found {
		if i > 0 && c.Path == e.found[i-1].Path {
			e.note(c.Path, "given more than once, read once")
			continue
		}
		if c.info != nil {
			if first, ok := seen.add(c.info, c.Path); ok {
				e.note(c.Path, "the same file as "+first+", read once")
				continue
			}
		}
		inputs = append(inputs, c.Input)
	}
	return inputs
}

func (e *expansion) sortedNotes() []Note {
	slices.SortFunc(e.notes, func(a, b Note) int {
		if d := strings.Compare(a.Path, b.Path); d != 0 {
			return d
		}
		return strings.Compare(a.Text, b.Text)
	})
	return slices.Compact(e.notes) // overlapping arguments skip the same thing twice
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
