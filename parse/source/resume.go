package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"logscan/parse/source/compress"
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
	if f.size > 0 && f.compression != compress.None {
		r.stored = f.storedSum()
		if i, ok := r.ledger.byStored[r.stored]; ok {
			r.met, r.from = i, r.ledger.contents[i].Size
			r.now = r.ledger.contents[i]
			r.now.Missed = 0
		}
	}
	if f.size == 0 || f.compression != compress.None {
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
