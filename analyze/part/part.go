// Package part stores what one task of a plan has found in a file: the part.
//
// Input: pieces of bytes and an index that says where they are; output: the same again. A
// part begins with a line that says which tasks of which plan it holds. All else is
// encrypted with a key that is derived from the secret of the plan, and every byte is
// authenticated: a part that was damaged, cut off or made for another plan is not read. The
// bytes of a part depend on its content alone. It appears whole or not at all.
package part

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"logscan/analyze/spill"
)

// Version is the version of the format.
const Version = 2

const (
	// magic begins a part.
	magic = "logscan part "
	// maxHeader is the maximum size of the first line in bytes: that of a part of all tasks
	// of a great plan, every other of which is missing.
	maxHeader = 4 << 20
	// MaxTasks is the maximum number of tasks of a plan. An AWS Batch array has 10,000, a
	// Kubernetes Job 100,000.
	MaxTasks = 1 << 17
)

// Errors of parts. A *TaskError says which tasks are concerned.
var (
	ErrNoPart  = errors.New("is no part of logscan")
	ErrForeign = errors.New("is a part of another plan")
	ErrVersion = errors.New("was written by another version of logscan")
	errDamaged = errors.New("is damaged")
)

// TaskError is an error of a part whose tasks are known.
type TaskError struct {
	Tasks []int // ascending
	Err   error
}

func (e *TaskError) Error() string { return fmt.Sprintf("%v (%s)", e.Err, TasksText(e.Tasks)) }

// Unwrap returns e.Err.
func (e *TaskError) Unwrap() error { return e.Err }

// TasksText names tasks, such as "task 3" and "tasks 0-7,9".
func TasksText(tasks []int) string {
	if len(tasks) == 1 {
		return fmt.Sprintf("task %d", tasks[0])
	}
	text := "tasks "
	for i, r := range ranges(tasks) {
		if i > 0 {
			text += ","
		}
		if i == mostNamed {
			return text + "..."
		}
		if text += fmt.Sprint(r[0]); r[1] > r[0] {
			text += fmt.Sprintf("-%d", r[1])
		}
	}
	return text
}

// mostNamed is how many ranges of tasks a message names.
const mostNamed = 20

// header is the first line of a part.
type header struct {
	Version int      `json:"version"`
	Plan    string   `json:"plan"`
	Tasks   [][2]int `json:"tasks"` // ranges: the first and the last task of each
}

// ranges returns ascending numbers as ranges.
func ranges(tasks []int) (all [][2]int) {
	for _, t := range tasks {
		if n := len(all); n > 0 && all[n-1][1]+1 == t {
			all[n-1][1] = t
		} else {
			all = append(all, [2]int{t, t})
		}
	}
	return all
}

// tasks returns the numbers in the ranges; nil if they are not ascending.
func (h *header) tasks() (tasks []int) {
	next := 0
	for _, r := range h.Tasks {
		if r[0] < next || r[1] < r[0] || r[1] >= MaxTasks {
			return nil
		}
		for t := r[0]; t <= r[1]; t++ {
			tasks = append(tasks, t)
		}
		next = r[1] + 1
	}
	return tasks
}

// Writer writes a part.
type Writer struct {
	*spill.File
	// Temporary says that the part is copied to another place when it is finished, and need
	// not survive a crash until then.
	Temporary bool

	key  *Key
	f    *os.File
	path string
}

// Create begins the part of some tasks, ascending, which Finish puts at a path.
func Create(path string, k *Key, tasks []int) (*Writer, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	w := &Writer{key: k, f: f, path: path}
	line, err := json.Marshal(header{Version, hex.EncodeToString(k.id[:]), ranges(tasks)})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	line = slices.Concat([]byte(magic), line, []byte("\n"))
	if _, err := f.Write(line); err != nil {
		w.Abort()
		return nil, err
	}
	w.File = spill.NewFile(f, int64(len(line)), newSealer(k, line))
	return w, nil
}

// Abort removes what was written, unless Finish has succeeded.
func (w *Writer) Abort() {
	if w.f != nil {
		w.f.Close()           // it is not used
		os.Remove(w.f.Name()) // the error of writing is reported
		w.f = nil
	}
}

// trailerSize is the size of what follows the index: its place, and the MAC of all before.
const trailerSize = 3*8 + sha256.Size

// Finish writes the index and puts the part at its path.
func (w *Writer) Finish(index []byte) error {
	at := uint64(w.Size())
	if _, err := w.Append(index); err != nil {
		return err
	}
	trailer := binary.LittleEndian.AppendUint64(nil, at)
	trailer = binary.LittleEndian.AppendUint64(trailer, uint64(w.Size())-at)
	trailer = binary.LittleEndian.AppendUint64(trailer, uint64(len(index)))
	if _, err := w.f.WriteAt(trailer, w.Size()); err != nil {
		return err
	}
	sum, err := w.key.sumOf(w.f, w.Size()+int64(len(trailer)))
	if err != nil {
		return err
	}
	if _, err := w.f.WriteAt(sum, w.Size()+int64(len(trailer))); err != nil {
		return err
	}
	if !w.Temporary {
		if err := w.f.Sync(); err != nil {
			return err
		}
	}
	if err := w.f.Close(); err != nil {
		return err
	}
	if err := os.Rename(w.f.Name(), w.path); err != nil {
		return err
	}
	w.f = nil
	return nil
}

// sumOf returns the MAC of the first size bytes of a part.
func (k *Key) sumOf(r io.ReaderAt, size int64) ([]byte, error) {
	mac := hmac.New(sha256.New, k.sum)
	n, err := io.CopyBuffer(struct{ io.Writer }{mac}, struct{ io.Reader }{io.NewSectionReader(r, 0, size)}, make([]byte, 1<<20))
	if err == nil && n < size {
		err = errDamaged
	}
	return mac.Sum(nil), err
}

// Reader is an open part.
type Reader struct {
	*spill.File
	Tasks []int // ascending
	Index []byte
	Sum   [sha256.Size]byte // of all of it
	f     io.Closer
}

// Close closes the file.
func (r *Reader) Close() error { return r.f.Close() }

// Open opens a part of a plan and checks every byte of it.
func Open(path string, k *Key) (*Reader, error) { return open(path, k, true) }

// OpenAgain opens a part that Open has checked. What is read of it is checked once more, but
// not all of it is read.
func OpenAgain(path string, k *Key) (*Reader, error) { return open(path, k, false) }

func open(path string, k *Key, whole bool) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var r *Reader
	if err == nil {
		r, err = read(f, info.Size(), k, whole)
	}
	if err != nil {
		f.Close() // it was only read
		return nil, err
	}
	r.f = f
	return r, nil
}

// storage is a file that is only read.
type storage struct{ io.ReaderAt }

// WriteAt implements spill.Storage.
func (storage) WriteAt([]byte, int64) (int, error) { return 0, errors.New("BUG: a part is only read") }

// read reads a part of size bytes. It checks all of them if whole is set.
func read(f io.ReaderAt, size int64, k *Key, whole bool) (*Reader, error) {
	line, h, err := readHeader(f, size)
	if err != nil {
		return nil, err
	}
	tasks := h.tasks()
	failed := func(err error) error {
		if len(tasks) == 0 {
			return err
		}
		return &TaskError{tasks, err}
	}
	switch {
	case h.Version != Version:
		return nil, failed(ErrVersion)
	case h.Plan != hex.EncodeToString(k.id[:]):
		return nil, ErrForeign
	case len(tasks) == 0, size < int64(len(line))+trailerSize:
		return nil, failed(errDamaged)
	}
	var trailer [trailerSize]byte
	if _, err := f.ReadAt(trailer[:], size-trailerSize); err != nil && err != io.EOF {
		return nil, failed(err)
	}
	sum := trailer[trailerSize-sha256.Size:]
	if whole {
		actual, err := k.sumOf(f, size-sha256.Size)
		if err != nil {
			return nil, failed(err)
		}
		if !hmac.Equal(sum, actual) {
			return nil, failed(errDamaged)
		}
	}
	r := &Reader{File: spill.NewFile(storage{f}, size-trailerSize, newSealer(k, line)), Tasks: tasks, Sum: [sha256.Size]byte(sum)}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(trailer[8*i:]) }
	place, ok := r.NewPlace(at(0), at(1), at(2))
	if !ok {
		return nil, failed(errDamaged)
	}
	if r.Index, err = r.Read(place, nil); err != nil {
		return nil, failed(err)
	}
	return r, nil
}

// readHeader reads the first line.
func readHeader(f io.ReaderAt, size int64) (line []byte, h header, err error) {
	begin := make([]byte, len(magic))
	if n, err := f.ReadAt(begin, 0); err != nil && err != io.EOF || string(begin[:n]) != magic {
		if err == io.EOF {
			err = nil
		}
		if err == nil {
			err = ErrNoPart
		}
		return nil, h, err
	}
	for limit := int64(4 << 10); ; limit *= 8 {
		line = make([]byte, min(size, limit, maxHeader))
		if _, err := f.ReadAt(line, 0); err != nil && err != io.EOF {
			return nil, h, err
		}
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
			break
		}
		if int64(len(line)) == size || len(line) == maxHeader {
			return nil, h, errDamaged
		}
	}
	if err := json.Unmarshal(line[len(magic):], &h); err != nil {
		return nil, h, errDamaged
	}
	return line, h, nil
}
