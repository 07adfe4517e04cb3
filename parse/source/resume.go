package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Reasons why an input that begins like content that was counted is not
// counted: it must be neither twice nor in part.
var (
	errShorter     = errors.New("is shorter than what was counted of it before, so nothing of it is counted")
	errDiverged    = errors.New("begins like content that was counted before and then differs, so nothing of it is counted")
	errAnotherFile = errors.New("was replaced by another file while it was read")
)

// resumption is how an input goes on from what was counted of it. It belongs to
// the goroutine that reads the input.
type resumption struct {
	ledger *Ledger
	info   fs.FileInfo // of the plain file that was looked at; nil for a stream

	met   int   // index in the ledger of what it goes on from; -1 nothing
	from  int64 // offset in bytes of the content that was not counted
	until int64 // of a plain file, the offset of its last line's end

	stored [sha256.Size]byte // sum of a compressed file, as Counted.Stored

	now   Counted // what is counted of it when it has been read, but for the lines
	known bool    // now is set
}

// Resumed is an input of which nothing is left to be counted.
type Resumed struct {
	Input
	met int // as in resumption
	now Counted
}

// Resume finds what the ledger knows of inputs, so that Read goes on where they
// were counted to, and leaves those out of which there is nothing new. Of plain
// files it looks at the beginning and at what is before the offset; any other
// input is compared while it is read.
//
// A last line without its end is being written: of a plain file it is left until
// the next run, which counts it when it is still the same. In what is
// compressed, in archives and streams it is the last one and counted at once.
func Resume(ctx context.Context, inputs []Input, ledger *Ledger, workers int) (fresh []Input, done []Resumed, err error) {
	looked := make([]Input, len(inputs))
	err = each(ctx, workers, len(inputs), func(ctx context.Context, c *contents, i int) error {
		looked[i] = inputs[i]
		looked[i].resume = &resumption{ledger: ledger, met: -1}
		looked[i].lookBack(c)
		return ctx.Err()
	})
	if err != nil {
		return nil, nil, fmt.Errorf("compare inputs with what was counted: %w", err)
	}
	for _, in := range looked {
		r := in.resume
		decoded := r.info == nil && r.met < 0 // or it will be
		if decoded || in.told != nil || r.from < r.until {
			fresh = append(fresh, in)
			continue
		}
		d := Resumed{in, r.met, r.now}
		_, d.now.Lines, _ = in.Before()
		done = append(done, d)
	}
	return fresh, done, nil
}

// lookBack finds where a plain file goes on. What cannot be read is left for
// reading to tell.
func (in *Input) lookBack(c *contents) {
	if in.reader != nil || in.told != nil || in.pipe() || in.layered() {
		return
	}
	f, err := in.open(0)
	if err != nil {
		return
	}
	defer f.file.Close() // it is only read
	r := in.resume
	if f.size > 0 && f.compression != none {
		r.stored = f.storedSum()
		if i, ok := r.ledger.byStored[r.stored]; ok {
			r.met, r.from = i, r.ledger.contents[i].Size
			r.now = r.ledger.contents[i]
			r.now.Missed = 0
		}
	}
	if f.size == 0 || f.compression != none {
		return
	}
	info, err := f.file.Stat()
	if err != nil {
		return
	}
	head := f.bytes(0, min(f.size, headSize), c.scratch())
	left, err := f.unended()
	if err != nil || head == nil {
		return
	}
	r.info, r.until = info, f.size-int64(len(left))
	diverged, longer := false, false // it may be cut, or edited
	for _, i := range r.ledger.candidates(head) {
		e := &r.ledger.contents[i]
		switch {
		case e.Size > f.size:
			longer = true
		case e.Tail == f.tail(e.Size):
			r.met, r.from = i, e.Size
		case e.Size >= headSize:
			diverged = true
		}
	}
	switch {
	case longer && r.from < f.size:
		in.told = &Result{Compression: f.stored, Err: errShorter}
	case diverged && r.met < 0:
		in.told = &Result{Compression: f.stored, Err: errDiverged}
	}
	if in.told != nil {
		r.met = -1
		return
	}
	if r.met < 0 && r.until == 0 {
		r.met = r.ledger.partial(left)
	}
	if r.from > r.until { // a line without its end was counted
		r.until, left = r.from, left[r.from-r.until:]
	}
	sum := sha256.Sum256(left)
	if r.met >= 0 && len(left) > 0 {
		if e := &r.ledger.contents[r.met]; e.Left == int64(len(left)) && e.LeftSum == sum {
			r.until, left = f.size, nil
		}
	}
	r.now, r.known = Counted{Size: r.until, Tail: f.tail(r.until)}, true
	r.now.Head = sha256.Sum256(head[:r.now.headSize()])
	if len(left) > 0 {
		r.now.Left, r.now.LeftSum = int64(len(left)), sum
	}
	in.size = r.until - r.from
}

// bytes gives the bytes of f from start to end, nil where they cannot be read.
func (f *plainFile) bytes(start, end int64, buf []byte) []byte {
	buf = slices.Grow(buf[:0], int(end-start))[:end-start]
	if n, _ := f.data.ReadAt(buf, start); n < len(buf) {
		return nil
	}
	return buf
}

// tail gives the sum of the bytes before an offset, as Counted.Tail.
func (f *plainFile) tail(end int64) [sha256.Size]byte {
	return sha256.Sum256(f.bytes(max(0, end-tailSize), end, make([]byte, 0, tailSize)))
}

// storedSum sums up a compressed file by its size, its beginning and its end,
// where most formats keep a checksum of the content: another one is not the same
// by chance.
func (f *plainFile) storedSum() [sha256.Size]byte {
	sum := sha256.New()
	fmt.Fprintln(sum, f.size)                                // never fails
	sum.Write(f.bytes(0, min(f.size, headSize), nil))        // the same
	sum.Write(f.bytes(max(0, f.size-headSize), f.size, nil)) // the same
	return [sha256.Size]byte(sum.Sum(nil))
}

// unended gives what is behind the last line end: of a line that is too long to
// be looked through, nothing.
func (f *plainFile) unended() ([]byte, error) {
	for size := int64(tailSize); ; size *= 4 {
		size = min(size, f.size, MaxLine)
		b := f.bytes(f.size-size, f.size, nil)
		if b == nil {
			return nil, io.ErrUnexpectedEOF
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return b[i+1:], nil
		}
		if size == f.size {
			return b, nil
		}
		if size == MaxLine {
			return nil, nil
		}
	}
}

// held makes f end where the input was found to, and tells when it is another
// file by now.
func (r *resumption) held(f *plainFile) error {
	if r == nil || r.info == nil {
		return nil
	}
	info, err := f.file.Stat()
	if err != nil || !os.SameFile(info, r.info) || f.size < r.until {
		r.known = false
		return errAnotherFile
	}
	f.size = r.until
	return nil
}

// tracker reads a stream, compares it with what was counted, and remembers how
// its content is known.
type tracker struct {
	src     io.Reader
	ledger  *Ledger
	n       int64  // bytes read
	head    []byte // the first headSize of all
	tail    []byte // the last tailSize of them, or up to twice as many
	begun   bool   // the head was compared
	pending []int  // contents that begin alike and end further on, by size
	met     int    // the longest content that was met, -1 none
	failed  bool   // it is like what was counted, and is not that
	whole   bool   // it was read to its end
}

// Read never gives bytes from both sides of where a content ends.
func (t *tracker) Read(p []byte) (int, error) {
	if !t.begun {
		t.begin()
	}
	if len(t.pending) > 0 {
		p = p[:min(int64(len(p)), t.ledger.contents[t.pending[0]].Size-t.n)]
	}
	n, err := t.src.Read(p)
	t.take(p[:n])
	reason := t.compare()
	if reason == nil && err == io.EOF && len(t.pending) > 0 && (t.met < 0 || t.ledger.contents[t.met].Size < t.n) {
		reason = errShorter
	}
	t.whole = err == io.EOF
	if reason != nil {
		t.failed = true
		return 0, reason
	}
	return n, err
}

func (t *tracker) take(b []byte) {
	t.n += int64(len(b))
	b = b[max(0, len(b)-tailSize):]
	if len(t.tail)+len(b) > 2*tailSize {
		t.tail = append(t.tail[:0], t.tail[len(t.tail)-tailSize:]...)
	}
	t.tail = append(t.tail, b...)
}

// begin compares the beginning, and all contents that end in it.
func (t *tracker) begin() {
	t.begun = true
	head, again := peek(t.src, make([]byte, headSize))
	t.head, t.src = head, again
	for _, i := range t.ledger.candidates(t.head) {
		c := &t.ledger.contents[i]
		switch {
		case c.Size > int64(len(t.head)):
			t.pending = append(t.pending, i)
		case c.Tail == sha256.Sum256(t.head[max(0, c.Size-tailSize):c.Size]):
			t.met = i
		}
	}
}

// compare compares the contents that end where the stream has come to.
func (t *tracker) compare() error {
	for t.begun && len(t.pending) > 0 && t.ledger.contents[t.pending[0]].Size == t.n {
		if t.ledger.contents[t.pending[0]].Tail == t.sum() {
			t.met = t.pending[0]
		} else if len(t.pending) == 1 && (t.met < 0 || t.ledger.contents[t.met].Size < t.n) {
			return errDiverged
		}
		t.pending = t.pending[1:]
	}
	return nil
}

func (t *tracker) sum() [sha256.Size]byte {
	return sha256.Sum256(t.tail[max(0, len(t.tail)-tailSize):])
}

// from is the offset that nothing is counted before, as far as is known.
func (t *tracker) from() int64 {
	switch {
	case len(t.pending) > 0:
		return t.ledger.contents[t.pending[len(t.pending)-1]].Size
	case t.met >= 0:
		return t.ledger.contents[t.met].Size
	}
	return 0
}

// follow has a cutter, whose source is set, leave out what was counted. It gives
// the tracker of a stream; nil where there is none to be made.
func (r *resumption) follow(c *cutter) *tracker {
	switch {
	case r == nil:
		return nil
	case r.info != nil:
		c.from = r.from
		return nil
	}
	t := &tracker{src: c.src, ledger: r.ledger, met: -1}
	c.src, c.skipped = t, t.from
	return t
}

// end notes how the content of a stream is known that was counted to its byte
// size.
func (r *resumption) end(t *tracker, size int64) {
	if t == nil || !t.begun || t.failed {
		return
	}
	if r.met = t.met; r.met >= 0 {
		r.from = r.ledger.contents[r.met].Size
	}
	if size != t.n || size == 0 {
		return // a stream that was not read, such as an archive
	}
	r.now, r.known = Counted{Size: size, Tail: t.sum()}, true
	r.now.Head = sha256.Sum256(t.head[:r.now.headSize()])
	if t.whole {
		r.now.Stored = r.stored
	}
}

// Counting gives what a later run is to know of the contents of inputs and of
// those of which nothing was left, after Read: lines tells how many lines of an
// input were counted now.
func Counting(ledger *Ledger, inputs []Input, done []Resumed, lines func(input int) int64) *Ledger {
	var now []Counted
	met := map[int]bool{}
	for i := range inputs {
		r := inputs[i].resume
		if !r.known {
			continue // it could not be read: what is known of it stays
		}
		c := r.now
		c.Lines = lines(i)
		if r.met >= 0 {
			met[r.met] = true
			c.Lines += ledger.contents[r.met].Lines
		}
		now = append(now, c)
	}
	for _, d := range done {
		if d.met >= 0 {
			met[d.met] = true
		}
		now = append(now, d.now)
	}
	return ledger.Next(now, met)
}

// Before gives how many bytes and lines of the input were counted by earlier
// runs, and how many bytes of a line without its end are left for the next one.
// It is known when Read has returned.
func (in *Input) Before() (bytes, lines, left int64) {
	r := in.resume
	if r == nil {
		return 0, 0, 0
	}
	if r.met >= 0 {
		c := &r.ledger.contents[r.met]
		bytes, lines = c.Size, c.Lines
	}
	return bytes, lines, r.now.Left
}
