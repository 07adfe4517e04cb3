package session

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxListed bounds the length that a list may claim.
	maxListed = 1 << 26
	// maxNumbered bounds the numbers of names: a run has fewer.
	maxNumbered = 1 << 20
)

// stateReader reads numbers and texts. After an error it returns zeros. Numbers
// that count or refer to something are always within bounds.
type stateReader struct {
	r   *bufio.Reader
	src io.Closer
	z   *zstd.Decoder
	err error
}

func newStateReader(open func() (io.ReadCloser, error)) (*stateReader, error) {
	src, err := open()
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	return &stateReader{r: bufio.NewReaderSize(z, 64<<10), src: src, z: z}, nil
}

func (r *stateReader) close() {
	r.z.Close()
	r.src.Close() // nothing was written
}

func (r *stateReader) fail() {
	if r.err == nil {
		r.err = ErrCarryover
	}
}

func (r *stateReader) keep(err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%w: %w", ErrCarryover, err)
	}
}

func (r *stateReader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r.r)
	r.keep(err)
	return n
}

func (r *stateReader) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// count reads a number that must be at most most.
func (r *stateReader) count(most int) int {
	n := r.uvarint()
	if n > uint64(most) {
		r.fail()
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// index reads a number below n.
func (r *stateReader) index(n int) uint32 {
	i := r.uvarint()
	if i >= uint64(n) {
		r.fail()
		return 0
	}
	return uint32(i)
}

func (r *stateReader) bytes(dst []byte) {
	if r.err == nil {
		_, err := io.ReadFull(r.r, dst)
		r.keep(err)
	}
}

// piece reads a length and as many bytes, and appends them to dst.
func (r *stateReader) piece(dst []byte) []byte {
	for left := r.count(maxPiece); left > 0 && r.err == nil; {
		n := min(left, 64<<10) // the claimed length may be a lie
		at := len(dst)
		dst = slices.Grow(dst, n)[:at+n]
		r.bytes(dst[at:])
		left -= n
	}
	return dst
}

// maxPiece is the maximum length of a name or of a saved actor, in bytes.
const maxPiece = 16 << 20

func (r *stateReader) text() string { return string(r.piece(nil)) }

// times reads the length of a list and yields its indexes, until an error.
func (r *stateReader) times() func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range r.count(maxListed) {
			if r.err != nil || !yield(i) {
				return
			}
		}
	}
}

// sparse yields the indexes of a list of which only some entries were written.
func (r *stateReader) sparse() func(yield func(int) bool) {
	return func(yield func(int) bool) {
		at := -1
		for range r.times() {
			if at += 1 + r.count(maxNumbered); at > maxNumbered {
				r.fail()
			}
			if r.err != nil || !yield(at) {
				return
			}
		}
	}
}

// stateWriter writes what stateReader reads.
type stateWriter struct {
	w       *bufio.Writer
	scratch []byte
}

// bytes writes b. Errors are returned by Flush.
func (w *stateWriter) bytes(b []byte) { _, _ = w.w.Write(b) }

func (w *stateWriter) varints(all ...int64) {
	w.scratch = w.scratch[:0]
	for _, n := range all {
		w.scratch = binary.AppendVarint(w.scratch, n)
	}
	w.bytes(w.scratch)
}

func (w *stateWriter) count(n int) {
	w.scratch = binary.AppendUvarint(w.scratch[:0], uint64(n))
	w.bytes(w.scratch)
}

func (w *stateWriter) texts(all ...string) {
	for _, s := range all {
		w.count(len(s))
		w.bytes([]byte(s))
	}
}

// sparse writes the used indexes below n, and calls one to write each entry.
func (w *stateWriter) sparse(n int, used func(int) bool, one func(int)) {
	count := 0
	for i := range n {
		if used(i) {
			count++
		}
	}
	w.count(count)
	last := -1
	for i := range n {
		if used(i) {
			w.count(i - last - 1)
			last = i
			one(i)
		}
	}
}
