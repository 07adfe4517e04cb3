package source

import (
	"crypto/sha256"
	"io"
)

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
