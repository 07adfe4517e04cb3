package report

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
)

// State is the file in which runs leave for the next one what they have counted,
// claimed for one run.
//
// It holds what the last run left, whose output it names, and what the one
// before had left: when the output that it names is written again, the run begins
// where that one did and takes its place. Output and state are one step: a
// state is first written beside its place under a name of its own, then the
// output, which holds the state's sum in its manifest, is moved into place, and
// then the state. When a run is killed in between, the next one sees by the
// manifest whether the output is there, and takes or drops the state.
type State struct {
	name     string // as it was given
	path     string // behind symbolic links
	out      string // the output of this run, absolute
	settings map[string]string
	lock     *os.File

	there bool // there is a state
	old   stateHeader
	start int64 // offset in bytes of what old counts
	sum   [sha256.Size]byte
	size  int64 // bytes of the file
}

// stateHeader is what stands at the beginning of a state.
type stateHeader struct {
	Settings map[string]string `json:"settings"` // what decides what lines mean, by flag
	Output   string            `json:"output"`   // directory of the run that left it, absolute
	Before   int64             `json:"before"`   // bytes of what the run found
	After    int64             `json:"after"`    // bytes of what it left, behind that
}

const (
	// stateMagic begins a state: the version of the format stands in it.
	stateMagic = "logscan state 1\n"
	// statePending ends the name of a state that is not in place yet.
	statePending = ".next"
	// stateLeft ends the name of what is to be put into it.
	stateLeft = ".left"
	// maxStateHeader bounds a header: a path, a format string, some flags.
	maxStateHeader = 1 << 20
)

// StateError says why a state cannot be used. Nothing was done.
type StateError struct {
	Path   string
	Reason string
	Hint   string // what to do about it
}

func (e *StateError) Error() string { return fmt.Sprintf("state %s %s", e.Path, e.Reason) }

const stateHint = "delete it: then everything that is given is counted"

// ClaimState claims the state at path, of which nothing need be there, for a run
// that writes the output dir with settings. The error is a *LockedError, a
// *StateError, or says why it cannot be read.
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
	if s.out, err = located(dir); err != nil {
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

// located gives the path of what need not be there, in a directory that is made
// where it is missing, behind symbolic links: the same before it is there and
// after.
func located(name string) (string, error) {
	path, err := resolve(name)
	if err != nil {
		return "", err
	}
	if _, err := makeParents(filepath.Dir(path), directoryMode); err != nil {
		return "", err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(parent, filepath.Base(path)), err
}

// beside gives the path of a hidden file beside the state.
func (s *State) beside(suffix string) string {
	return filepath.Join(filepath.Dir(s.path), "."+filepath.Base(s.path)+suffix)
}

// settle takes the state of a run whose output is in place, and drops that of a
// run that did not come to its end.
func (s *State) settle() error {
	_ = os.Remove(s.beside(stateLeft)) // mostly there is none
	p := State{name: s.name, path: s.beside(statePending)}
	err := p.read()
	var damaged *StateError
	switch {
	case errors.As(err, &damaged): // it was being written
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

// read reads the header of a state, if there is one, and checks all of it.
func (s *State) read() error {
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() // it is only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &StateError{s.name, "is no file", "choose another --state"}
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
	sum.Write(header) // the same
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

// Again tells whether the output of the run is the one that the last run wrote:
// what was counted for it is then counted again.
func (s *State) Again() bool { return s.there && s.old.Output == s.out }

// found gives where what this run begins with lies in the file.
func (s *State) found() (offset, size int64) {
	if s.Again() {
		return s.start, s.old.Before
	}
	return s.start + s.old.Before, s.old.After
}

// Carryover returns what this run begins with.
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
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	offset, size := s.found()
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, offset, size), f}, nil
}

// Prepare writes the state that this run leaves, which keep writes, beside its
// place. What it gives belongs into the manifest: from when that is in place the
// state counts.
func (s *State) Prepare(keep func(io.Writer) error) (*StateID, error) {
	err := s.prepare(keep)
	if err != nil {
		return nil, fmt.Errorf("write state %s: %w", s.name, err)
	}
	return &StateID{File: s.name, ID: s.id(), Repeated: s.Again()}, nil
}

func (s *State) prepare(keep func(io.Writer) error) (err error) {
	// What is left is written first, into a file of its own: the header tells
	// its size.
	left, err := os.OpenFile(s.beside(stateLeft), os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, left.Close(), os.Remove(left.Name())) }()
	if err := keep(left); err != nil {
		return err
	}
	h := stateHeader{Settings: s.settings, Output: s.out}
	if h.After, err = left.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	before := io.Reader(strings.NewReader(""))
	if s.there {
		_, h.Before = s.found()
		f, err := s.open()
		if err != nil {
			return err
		}
		defer f.Close() // it is only read
		before = f
	}
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if _, err := left.Seek(0, io.SeekStart); err != nil {
		return err
	}
	f, err := os.OpenFile(s.beside(statePending), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := &summing{f, sha256.New()}
	begin := append(binary.LittleEndian.AppendUint32([]byte(stateMagic), uint32(len(header))), header...)
	for _, part := range []io.Reader{bytes.NewReader(begin), before, left} {
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

// summing sums up what is written.
type summing struct {
	io.Writer
	sum hash.Hash
}

func (w *summing) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.sum.Write(p[:n]) // never fails
	return n, err
}

// Commit moves the state into place, once the output is.
func (s *State) Commit() error {
	if err := s.settle(); err != nil {
		return fmt.Errorf("write state %s: %w", s.name, err)
	}
	return nil
}

// Size is how many bytes the state has.
func (s *State) Size() int64 { return s.size }

// Holds tells whether path is the state's.
func (s *State) Holds(path string) bool {
	a, errA := os.Stat(path)
	b, errB := os.Stat(s.path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// Release ends the claim. It may be called twice.
func (s *State) Release() {
	if s.lock != nil {
		_ = s.settle() // or else the next run does
	}
	s.unlock()
}

func (s *State) unlock() {
	if s.lock != nil {
		release(s.lock)
		s.lock = nil
	}
}

// StateID names the state that a run left.
type StateID struct {
	File     string `json:"file"` // as it was given
	ID       string `json:"id"`   // its sum
	Repeated bool   `json:"repeated"`
}
