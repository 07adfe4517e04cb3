package outdir

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"logscan/analyze/session"
	"logscan/report/document"
)

// State is the state file, claimed for one run: what earlier runs counted, for the
// next one to continue from.
//
// It holds the carry-over that the last run saved, the path of that run's output, and
// the carry-over that the last run itself started from. If a run writes the same output
// again, it starts from the latter and replaces the last run.
//
// Output and state change in one step. The new state is written under a temporary
// name, then the output, whose manifest holds the checksum of the state, is moved into
// place, and then the state. If a run is killed in between, the next one sees from the
// manifest whether the output is in place, and takes or drops the new state.
type State struct {
	name     string // as given
	path     string // symbolic links in its parents resolved
	out      string // the output of this run, absolute
	settings map[string]string
	lock     *os.File

	there bool // the file exists
	old   stateHeader
	start int64 // offset in bytes of the data after the header
	sum   [sha256.Size]byte
	size  int64 // of the file in bytes
}

// stateHeader is the header of a state file.
type stateHeader struct {
	Settings map[string]string `json:"settings"` // flags that change what lines mean
	Output   string            `json:"output"`   // directory of the run that wrote the state, absolute
	Before   int64             `json:"before"`   // size in bytes of the carry-over that run started from
	After    int64             `json:"after"`    // size in bytes of the carry-over it saved, which follows
}

const (
	// stateMagic begins a state file and includes the version of its format.
	stateMagic = "logscan state 3\n"
	// statePending ends the name of a state that is not yet in place.
	statePending = ".next"
	// stateData ends the name of the file with the data of a new state.
	stateData = ".left"
	// maxStateHeader bounds the header in bytes: a path, a format string, some flags.
	maxStateHeader = 1 << 20
)

// StateError says why a state file cannot be used. Nothing was changed.
type StateError struct {
	Path   string
	Reason string
	Hint   string // what to do about it
}

func (e *StateError) Error() string { return fmt.Sprintf("state %s %s", e.Path, e.Reason) }

const stateHint = "delete it: then everything that is given is counted"

// ClaimState claims the state file at path, which need not exist, for a run that
// writes the output dir with settings. The error is a *LockedError, a *StateError, or
// says why the file cannot be read.
func ClaimState(path, dir string, settings map[string]string) (*State, error) {
	s := &State{name: path, settings: settings}
	err := s.claim(dir)
	if err != nil {
		s.unlock()
		var state *StateError
		var locked *LockedError
		if !errors.As(err, &state) && !errors.As(err, &locked) {
			err = fmt.Errorf("state %s: %w", path, err)
		}
		return nil, err
	}
	return s, nil
}

func (s *State) claim(dir string) (err error) {
	if s.path, err = located(s.name); err != nil {
		return err
	}
	if s.out, err = resolve(dir); err != nil {
		return err
	}
	if s.out, err = located(s.out); err != nil {
		return err
	}
	if rel, err := filepath.Rel(s.out, s.path); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return &StateError{s.name, "lies in the output directory, which is replaced", "choose another --state"}
	}
	if s.lock, err = acquire(s.beside(".lock"), s.name); err != nil {
		return err
	}
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.read(); err != nil || !s.there {
		return err
	}
	var other []string
	for _, flag := range slices.Sorted(maps.Keys(s.settings)) {
		if s.old.Settings[flag] != s.settings[flag] {
			other = append(other, flag)
		}
	}
	if len(other) > 0 {
		return &StateError{s.name, "was made with another " + strings.Join(other, ", "), "give the same again, or " + stateHint}
	}
	if s.old.Output != s.out {
		if m, err := readManifest(s.out); err == nil && m.State != nil {
			return &StateError{s.name, "has gone on since " + dir + " was written, whose lines would be lost", "choose another --out, or remove that one"}
		}
	}
	return nil
}

// located returns the absolute path of a file or directory that need not exist, with
// symbolic links in its parents resolved, and creates its parent. The path is the same
// before and after the file is created.
func located(name string) (string, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if _, err := makeParents(filepath.Dir(path), directoryMode); err != nil {
		return "", err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(parent, filepath.Base(path)), err
}

// beside returns the path of a hidden file beside the state.
func (s *State) beside(suffix string) string {
	return filepath.Join(filepath.Dir(s.path), "."+filepath.Base(s.path)+suffix)
}

// settle moves a pending state into place if the output of its run is in place, and
// removes it otherwise.
func (s *State) settle() error {
	_ = os.Remove(s.beside(stateData)) // usually there is none
	p := State{name: s.name, path: s.beside(statePending)}
	err := p.read()
	var damaged *StateError
	switch {
	case errors.As(err, &damaged): // the run was killed while writing it
		return os.Remove(p.path)
	case err != nil || !p.there:
		return err
	}
	m, err := readManifest(p.old.Output)
	if err == nil && m.State != nil && m.State.ID == p.id() {
		if err := os.Rename(p.path, s.path); err != nil {
			return err
		}
		return syncDirectory(filepath.Dir(s.path))
	}
	return os.Remove(p.path)
}

// read reads the header of the state file, if it exists, and verifies the whole file.
func (s *State) read() error {
	f, err := openOwn(s.path, os.O_RDONLY)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, ErrNotOwnFile):
		return &StateError{s.name, "cannot be used: " + err.Error(), "name a file of its own as --state"}
	case err != nil:
		return err
	}
	defer f.Close() // opened for reading only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	s.size = info.Size()
	damaged := &StateError{s.name, "is damaged", stateHint}
	begin := make([]byte, len(stateMagic)+4)
	if _, err := io.ReadFull(f, begin); err != nil || string(begin[:len(stateMagic)]) != stateMagic {
		if version, ok := bytes.CutPrefix(begin, []byte("logscan state ")); ok && err == nil {
			number, _, _ := bytes.Cut(version, []byte("\n"))
			return &StateError{s.name, fmt.Sprintf("is of version %q and was written by another version of logscan", number), stateHint}
		}
		return &StateError{s.name, "is no state of logscan", "choose another --state"}
	}
	size := binary.LittleEndian.Uint32(begin[len(stateMagic):])
	if size > maxStateHeader {
		return damaged
	}
	header := make([]byte, size)
	if _, err := io.ReadFull(f, header); err != nil || json.Unmarshal(header, &s.old) != nil {
		return damaged
	}
	s.start = int64(len(begin)) + int64(size)
	h := &s.old
	if h.Before < 0 || h.After < 0 || h.Before > s.size || h.After > s.size || s.start+h.Before+h.After+sha256.Size != s.size {
		return damaged
	}
	sum := sha256.New()
	sum.Write(begin)  // never fails
	sum.Write(header) // never fails
	if _, err := io.CopyN(sum, f, h.Before+h.After); err != nil {
		return err
	}
	if _, err := io.ReadFull(f, s.sum[:]); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), s.sum[:]) {
		return damaged
	}
	s.there = true
	return nil
}

func (s *State) id() string { return hex.EncodeToString(s.sum[:]) }

// Again reports whether the run writes the same output as the last run. What that run
// counted is then counted again.
func (s *State) Again() bool { return s.there && s.old.Output == s.out }

// found returns where in the file the carry-over for this run is.
func (s *State) found() (offset, size int64) {
	if s.Again() {
		return s.start, s.old.Before
	}
	return s.start + s.old.Before, s.old.After
}

// Carryover returns what this run starts from.
func (s *State) Carryover() (*session.Carryover, error) {
	if _, size := s.found(); size == 0 {
		return session.NewCarryover(), nil
	}
	p, err := session.LoadCarryover(s.open)
	if errors.Is(err, session.ErrCarryover) {
		return nil, &StateError{s.name, "is damaged", stateHint}
	}
	return p, err
}

func (s *State) open() (io.ReadCloser, error) {
	f, err := openOwn(s.path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	offset, size := s.found()
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, offset, size), f}, nil
}

// Prepare writes the new state, whose data save writes, under a temporary name. The
// returned id belongs in the manifest: the state is valid once the manifest is in
// place.
func (s *State) Prepare(save func(io.Writer) error) (*document.StateID, error) {
	err := s.prepare(save)
	if err != nil {
		return nil, fmt.Errorf("write state %s: %w", s.name, err)
	}
	return &document.StateID{File: s.name, ID: s.id(), Repeated: s.Again()}, nil
}

func (s *State) prepare(save func(io.Writer) error) (err error) {
	// The data are written first, to a file of their own, because the header holds
	// their size.
	data, err := createOwn(s.beside(stateData))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close(), os.Remove(data.Name())) }()
	if err := save(data); err != nil {
		return err
	}
	h := stateHeader{Settings: s.settings, Output: s.out}
	if h.After, err = data.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	before := io.Reader(strings.NewReader(""))
	if s.there {
		_, h.Before = s.found()
		f, err := s.open()
		if err != nil {
			return err
		}
		defer f.Close() // opened for reading only
		before = f
	}
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if _, err := data.Seek(0, io.SeekStart); err != nil {
		return err
	}
	f, err := createOwn(s.beside(statePending))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := &summing{f, sha256.New()}
	begin := append(binary.LittleEndian.AppendUint32([]byte(stateMagic), uint32(len(header))), header...)
	for _, part := range []io.Reader{bytes.NewReader(begin), before, data} {
		if _, err := io.Copy(w, part); err != nil {
			return err
		}
	}
	w.sum.Sum(s.sum[:0])
	if _, err := f.Write(s.sum[:]); err != nil {
		return err
	}
	s.size = int64(len(begin)) + h.Before + h.After + sha256.Size
	return errors.Join(f.Sync(), syncDirectory(filepath.Dir(s.path)))
}

// summing hashes what is written.
type summing struct {
	io.Writer
	sum hash.Hash
}

func (w *summing) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.sum.Write(p[:n]) // never fails
	return n, err
}

// Commit moves the state into place. The output must be in place.
func (s *State) Commit() error {
	if err := s.settle(); err != nil {
		return fmt.Errorf("write state %s: %w", s.name, err)
	}
	return nil
}

// Size returns the size of the state in bytes.
func (s *State) Size() int64 { return s.size }

// Holds reports whether path is the state file.
func (s *State) Holds(path string) bool {
	a, errA := os.Stat(path)
	b, errB := os.Stat(s.path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// Release ends the claim. It may be called twice.
func (s *State) Release() {
	if s.lock != nil {
		_ = s.settle() // on failure the next run does it
	}
	s.unlock()
}

func (s *State) unlock() {
	if s.lock != nil {
		release(s.lock)
		s.lock = nil
	}
}
