package serverconf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// files reads the files of one configuration, up to the limits of its size.
type files struct {
	read  int   // number of files so far
	bytes int64 // their total size
	stack []frame
	known []File // the files that were read, in their order
}

// File is a file of a configuration.
type File struct {
	Path     string
	Modified time.Time
}

// frame is a file that is being read.
type frame struct {
	path string
	at   Position // of the include
}

var errTooLarge = errors.New("the configuration is too large")

// open reads a regular file. A FIFO might never end.
func (f *files) open(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	if f.read++; f.read > maxFiles {
		return nil, fmt.Errorf("%w: it has more than %d files", errTooLarge, maxFiles)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	left := maxBytes - f.bytes
	text, err := io.ReadAll(io.LimitReader(file, left+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(text)) > left {
		return nil, fmt.Errorf("%w: it has more than %d MiB", errTooLarge, maxBytes>>20)
	}
	f.bytes += int64(len(text))
	f.known = append(f.known, File{path, info.ModTime()})
	return text, nil
}

// enter begins a file that is included at a position. It returns an error if the file is
// already being read.
func (f *files) enter(path string, at Position) error {
	for i, open := range f.stack {
		if open.path != path {
			continue
		}
		var way []string
		for _, frame := range f.stack[i+1:] {
			way = append(way, frame.at.String())
		}
		return errorAt(at, "%s includes itself: by way of %s", path, strings.Join(append(way, at.String()), ", "))
	}
	if len(f.stack) > maxDepth {
		return errorAt(at, "includes go deeper than %d files", maxDepth)
	}
	f.stack = append(f.stack, frame{path, at})
	return nil
}

func (f *files) leave() { f.stack = f.stack[:len(f.stack)-1] }

// start opens the file that the user named and returns its absolute path and text.
func (r *reader) start(path string) (full string, text []byte, err error) {
	if full, err = filepath.Abs(path); err != nil {
		return "", nil, err
	}
	if text, err = r.open(path); err != nil {
		return "", nil, err
	}
	return full, text, r.enter(full, Position{path, 1})
}

// included is an include directive.
type included struct {
	directive string // as the server spells it
	given     string // the path as configured
	at        Position
}

// paths returns the files that an absolute path or pattern matches. An invalid
// pattern becomes a note, and ok is false.
func (r *reader) paths(d included, path string) (paths []string, ok bool) {
	if !hasMagic(path) {
		return []string{filepath.Clean(path)}, true
	}
	paths, err := glob(path)
	if err != nil {
		r.note(d.at, "%s %q cannot be followed: %v", d.directive, d.given, err)
	}
	return paths, err == nil
}

// openIncluded opens and enters an included file; the caller must leave it. A file
// that cannot be read becomes a note, and ok is false.
func (r *reader) openIncluded(d included, path string) (text []byte, ok bool, err error) {
	text, err = r.open(path)
	if errors.Is(err, errTooLarge) {
		return nil, false, errorAt(d.at, "%s %q: %v", d.directive, d.given, err)
	}
	if err != nil {
		r.note(d.at, "%s %q is left out: %v", d.directive, d.given, err)
		return nil, false, nil
	}
	return text, true, r.enter(path, d.at)
}

// above returns the nearest of dir and the two directories above it that holds a file with
// one of these names.
func above(dir string, names ...string) (up string, ok bool) {
	for range 3 {
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				return dir, true
			}
		}
		dir = filepath.Dir(dir)
	}
	return "", false
}

func hasMagic(path string) bool { return strings.ContainsAny(path, "*?[") }

// glob returns the paths that match, sorted. As in both servers, a star does not match a
// hidden name.
func glob(pattern string) ([]string, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(filepath.ToSlash(pattern), "/")
	paths = slices.DeleteFunc(paths, func(path string) bool {
		got := strings.Split(filepath.ToSlash(path), "/")
		for i := 1; i <= min(len(parts), len(got)); i++ {
			name, part := got[len(got)-i], parts[len(parts)-i]
			if strings.HasPrefix(name, ".") && !strings.HasPrefix(part, ".") {
				return true
			}
		}
		return false
	})
	slices.Sort(paths)
	return paths, nil
}

// absolute returns path as an absolute path below dir, unless it is absolute on any system.
func absolute(dir, path string) string {
	if isAbsolute(path) {
		return cleanSlash(path)
	}
	return cleanSlash(filepath.ToSlash(dir) + "/" + path)
}

func isAbsolute(path string) bool {
	if strings.HasPrefix(path, "/") || filepath.IsAbs(path) {
		return true
	}
	return len(path) > 2 && path[1] == ':' && (path[2] == '/' || path[2] == '\\') // Windows
}
