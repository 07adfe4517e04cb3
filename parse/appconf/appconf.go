// Package appconf finds the session timeouts that applications and identity providers are
// configured with.
//
// Input are files and directories; output are settings with their lines. Files are
// searched as text for the settings in a table: nothing is executed, and a value that is
// computed is not found.
package appconf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"logscan/parse/serverconf"
)

// Limits of what is read. What is beyond them is left out with a note.
const (
	maxFiles    = 5_000
	maxSize     = 1 << 20  // bytes of a file
	maxTotal    = 64 << 20 // bytes of all files
	maxSettings = 1_000
	maxNotes    = 20
)

// Limits is what a setting limits.
type Limits uint8

// What settings limit.
const (
	Idle     Limits            = 1 << iota // the time without a request
	Absolute                               // the time since the sign-in
	Either   = Idle | Absolute             // one of them, which other settings decide
)

// Setting is a configured timeout.
type Setting struct {
	serverconf.Position
	Name    string // as in the file, such as session-timeout
	Text    string // the value as in the file
	Seconds float64
	Limits  Limits
}

// Settings are the timeouts that were found.
type Settings struct {
	List  []Setting // by file and line
	Notes []string
}

// reader reads the files.
type reader struct {
	Settings
	files int
	bytes int64
}

// Read searches files and, recursively, directories. The error is that of a path that
// cannot be read at all.
func Read(paths []string) (*Settings, error) {
	r := &reader{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			if err := r.file(path, info); err != nil {
				return nil, err
			}
			continue
		}
		if err := r.walk(path); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(r.List, func(a, b Setting) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	r.List = slices.Compact(r.List)
	return &r.Settings, nil
}

// skippedDirectories hold code and data of others.
var skippedDirectories = []string{".git", "node_modules", "vendor", "__pycache__", ".venv", "target", "dist"}

// extensions are the files that are searched in directories.
var extensions = []string{
	".xml", ".ini", ".conf", ".cfg", ".toml", ".properties", ".yml", ".yaml", ".json", ".py", ".rb", ".js", ".mjs", ".cjs", ".ts", ".config", ".cs", ".env", ".php",
}

func (r *reader) walk(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return err
		case err != nil:
			r.note("%v", err)
			return nil
		case d.IsDir() && path != dir && slices.Contains(skippedDirectories, d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular() || !slices.Contains(extensions, strings.ToLower(filepath.Ext(path))):
			return nil
		}
		info, err := d.Info()
		if err == nil {
			err = r.file(path, info)
		}
		if errors.Is(err, errTooMany) {
			r.note("%s: %v", path, err)
			return fs.SkipAll
		}
		if err != nil {
			r.note("%s: %v", path, err)
		}
		return nil
	})
}

var errTooMany = fmt.Errorf("more than %d files or %d MiB: name the files instead", maxFiles, maxTotal>>20)

// file searches a file.
func (r *reader) file(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", path)
	case info.Size() > maxSize:
		return fmt.Errorf("%s is larger than %d MiB", path, maxSize>>20)
	case r.files >= maxFiles || r.bytes+info.Size() > maxTotal:
		return errTooMany
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return err
	}
	r.files++
	r.bytes += int64(len(text))
	for _, s := range search(path, text) {
		if len(r.List) < maxSettings {
			r.List = append(r.List, s)
		}
	}
	return nil
}

func (r *reader) note(format string, args ...any) {
	if len(r.Notes) < maxNotes {
		r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
	}
}

// Fits returns the settings whose value lies between two durations in seconds and that
// limit what was measured. It returns none if settings with different values do: then the
// measurement does not decide between them.
func (s *Settings) Fits(low, high float64, limits Limits) (list []Setting) {
	if s == nil {
		return nil
	}
	for _, x := range s.List {
		if x.Seconds < low || x.Seconds > high || x.Limits&limits == 0 {
			continue
		}
		if len(list) > 0 && list[0].Seconds != x.Seconds {
			return nil
		}
		list = append(list, x)
	}
	return list
}

// search returns the settings in a text.
func search(path string, text []byte) (list []Setting) {
	if bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	ext := strings.ToLower(filepath.Ext(path))
	text = withoutComments(text, ext)
	for _, row := range known() {
		if len(row.extensions) > 0 && !slices.Contains(row.extensions, ext) || row.mark != "" && !bytes.Contains(text, []byte(row.mark)) {
			continue
		}
		for _, m := range row.pattern.FindAllSubmatchIndex(text, maxSettings) {
			list = appendSetting(list, row, path, text, m)
		}
	}
	if ext == ".yml" || ext == ".yaml" {
		list = append(list, searchYAML(path, string(text))...)
	}
	return list
}

// appendSetting adds what a pattern found: its first group is the name, the second the
// value, the third, if there is one, the unit.
func appendSetting(list []Setting, row setting, path string, text []byte, m []int) []Setting {
	name, value, unit := string(text[m[2]:m[3]]), string(text[m[4]:m[5]]), row.unit
	if len(m) > 6 && m[6] >= 0 {
		unit = unitOf(string(text[m[6]:m[7]]))
	}
	seconds, ok := duration(value, unit)
	if !ok || seconds <= 0 {
		return list
	}
	line := 1 + bytes.Count(text[:m[2]], []byte("\n"))
	shown := strings.TrimSpace(string(text[m[4]:max(m[5], lastGroup(m))]))
	return append(list, Setting{serverconf.Position{File: path, Line: line}, name, shown, seconds, row.limits})
}

// lastGroup returns the end of the third group, 0 if there is none.
func lastGroup(m []int) int {
	if len(m) > 6 {
		return m[7]
	}
	return 0
}
