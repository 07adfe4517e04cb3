package serverconf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// files reads the files of one configuration and stops where it is too large.
type files struct {
	read  int   // files so far
	bytes int64 // of them
	stack []frame
}

// frame is a file that is being read.
type frame struct {
	path string
	at   Position // where it is included
}

var errTooLarge = errors.New("the configuration is too large")

// open reads a file that is a file: a FIFO may never end.
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
	return text, nil
}

// enter begins a file that is included at a place. An include that leads back
// to itself is an error.
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

func hasMagic(path string) bool { return strings.ContainsAny(path, "*?[") }

// glob gives the paths that match, sorted. As for the servers, a star does not
// match a hidden name.
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

// absolute makes a path absolute below a directory, and leaves one alone that
// is absolute on any system.
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
