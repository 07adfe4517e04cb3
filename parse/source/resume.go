package source

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"

	"logscan/parse/source/compress"
)

// resumption is where an input continues after what earlier runs counted of it. It
// belongs to the goroutine that reads the input.
type resumption struct {
	ledger *Ledger
	info   fs.FileInfo // of a plain file that was compared; nil for a stream

	match int   // index in the ledger of the content it continues; -1 for none
	from  int64 // offset in the content of the first byte not yet counted
	until int64 // of a plain file, the offset at which its last whole line ends

	stored [sha256.Size]byte // sum of a compressed file, as Counted.Stored

	now   Counted // its entry for the next ledger, without the lines
	known bool    // now is set
}

// Resumed is an input of which nothing is left to count.
type Resumed struct {
	Input
	match int // as in resumption
	now   Counted
}

// Resume compares inputs with the ledger of earlier runs, so that Read continues
// where they stopped. Inputs without anything new are returned as done. Of a plain
// file it reads the beginning and the bytes before the offset; any other input is
// compared while it is read.
//
// A last line without its end may still be being written. In a plain file it is
// left for the next run, which counts it if it has not changed. In compressed
// files, archives and streams nothing will follow, so it is counted at once.
func Resume(ctx context.Context, inputs []Input, ledger *Ledger, workers int) (fresh []Input, done []Resumed, err error) {
	compared := make([]Input, len(inputs))
	err = forEach(ctx, AtOnce(inputs, workers), len(inputs), func(ctx context.Context, c *contents, i int) error {
		compared[i] = inputs[i]
		compared[i].resume = &resumption{ledger: ledger, match: -1}
		compared[i].compare(c)
		return ctx.Err()
	})
	if err != nil {
		return nil, nil, fmt.Errorf("compare inputs with what was counted: %w", err)
	}
	for _, in := range compared {
		r := in.resume
		stream := r.info == nil && r.match < 0 // compared while it is read
		if stream || in.settled != nil || r.from < r.until {
			fresh = append(fresh, in)
			continue
		}
		d := Resumed{in, r.match, r.now}
		_, d.now.Lines, _ = in.Before()
		done = append(done, d)
	}
	return fresh, done, nil
}

// compare finds where a file continues. A file that cannot be read is left alone:
// reading it reports the error.
func (in *Input) compare(c *contents) {
	if in.reader != nil || in.settled != nil || in.pipe() || in.layered() {
		return
	}
	if in.object != nil {
		// Objects are never appended to, so their size and ETag tell which are known. Others
		// are compared while they are read.
		if sum, ok := in.object.Sum(); ok && in.member == nil {
			in.resume.lookUp(sum)
		}
		return
	}
	f, err := in.open(0)
	if err != nil {
		return
	}
	defer f.close()
	switch {
	case f.size == 0:
	case f.compression != compress.None:
		in.resume.lookUp(f.storedSum())
	default:
		if err := in.resume.comparePlain(f, c.scratch()); err != nil {
			in.settled = &Result{Compression: f.stored, Err: err}
			in.resume.match = -1
		} else if in.resume.info != nil && in.resume.known {
			in.size = in.resume.until - in.resume.from
		}
	}
}

// lookUp finds a compressed file or an object by the sum that stands for its content, without
// decoding it.
func (r *resumption) lookUp(sum [sha256.Size]byte) {
	r.stored = sum
	if i, ok := r.ledger.byStored[r.stored]; ok {
		r.now = r.ledger.contents[i]
		r.now.Missed = 0
		r.match, r.from = i, r.now.Size
	}
}

// comparePlain finds where a plain file continues. It returns an error if the file
// must not be read. info stays nil if the file could not be compared.
func (r *resumption) comparePlain(f *plainFile, scratch []byte) error {
	info, err := f.local.Stat()
	if err != nil {
		return nil
	}
	head := f.bytes(0, min(f.size, headSize), scratch)
	left, err := f.partialLine()
	if err != nil || head == nil {
		return nil
	}
	r.info, r.until = info, f.size-int64(len(left))
	if err := r.matchPlain(f, head); err != nil {
		return err
	}
	if r.match < 0 && r.until == 0 {
		r.match = r.ledger.partial(left)
	}
	if r.from > r.until { // a line without its end was counted
		r.until, left = r.from, left[r.from-r.until:]
	}
	sum := sha256.Sum256(left)
	if r.match >= 0 && len(left) > 0 {
		if e := &r.ledger.contents[r.match]; e.Left == int64(len(left)) && e.LeftSum == sum {
			r.until, left = f.size, nil
		}
	}
	r.now, r.known = Counted{Size: r.until, Tail: f.tail(r.until)}, true
	r.now.Head = sha256.Sum256(head[:r.now.headSize()])
	if len(left) > 0 {
		r.now.Left, r.now.LeftSum = int64(len(left)), sum
	}
	return nil
}

// matchPlain finds the longest content in the ledger that a plain file continues.
// It returns an error if the file may be a cut or edited copy of content that was
// counted.
func (r *resumption) matchPlain(f *plainFile, head []byte) error {
	diverged, longer := false, false
	for _, i := range r.ledger.candidates(head) {
		e := &r.ledger.contents[i]
		switch {
		case e.Size > f.size:
			longer = true
		case e.Tail == f.tail(e.Size):
			r.match, r.from = i, e.Size
		case e.Size >= headSize:
			diverged = true
		}
	}
	switch {
	case longer && r.from < f.size:
		return errShorter
	case diverged && r.match < 0:
		return errDiverged
	}
	return nil
}

// verify makes f end where the input was compared to. It returns an error if
// another file has taken its place.
func (r *resumption) verify(f *plainFile) error {
	if r == nil || r.info == nil {
		return nil
	}
	info, err := f.local.Stat()
	if err != nil || !os.SameFile(info, r.info) || f.size < r.until {
		r.known = false
		return errAnotherFile
	}
	f.size = r.until
	return nil
}

// UpdateLedger returns the ledger for the next run, after Read: inputs are those
// that were read, done those that Resume returned as done. lines returns how many
// lines of an input this run has counted.
func UpdateLedger(ledger *Ledger, inputs []Input, done []Resumed, lines func(input int) int64) *Ledger {
	var now []Counted
	matched := map[int]bool{}
	for i := range inputs {
		r := inputs[i].resume
		if !r.known {
			continue // it could not be read: its entry stays
		}
		c := r.now
		c.Lines = lines(i)
		if r.match >= 0 {
			matched[r.match] = true
			c.Lines += ledger.contents[r.match].Lines
		}
		now = append(now, c)
	}
	for _, d := range done {
		if d.match >= 0 {
			matched[d.match] = true
		}
		now = append(now, d.now)
	}
	return ledger.Next(now, matched)
}

// Before returns how many bytes and lines of the input were counted by earlier
// runs, and how many bytes of a line without its end are left for the next run. It
// may be called once Read has returned.
func (in *Input) Before() (bytes, lines, left int64) {
	if k := in.kept; k != nil {
		return k.Bytes, k.Lines, 0
	}
	r := in.resume
	if r == nil {
		return 0, 0, 0
	}
	if r.match >= 0 {
		c := &r.ledger.contents[r.match]
		bytes, lines = c.Size, c.Lines
	}
	return bytes, lines, r.now.Left
}
