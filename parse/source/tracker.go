package source

import (
	"crypto/sha256"
	"io"
)

// tracker reads a stream, compares it with the content that earlier runs counted, and
// records what is needed to recognise it again.
type tracker struct {
	src     io.Reader
	ledger  *Ledger
	n       int64  // bytes read
	head    []byte // the first headSize of them
	tail    []byte // the last tailSize of them, or up to twice as many
	begun   bool   // the head has been compared
	pending []int  // contents in the ledger with the same beginning that end further on, by size
	match   int    // the longest content that the stream continues; -1 for none
	failed  bool   // it begins like content in the ledger, but does not continue it
	whole   bool   // it was read to its end
}

// Read never returns bytes from both sides of the end of a content in the ledger.
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
	if reason == nil && err == io.EOF && len(t.pending) > 0 && (t.match < 0 || t.ledger.contents[t.match].Size < t.n) {
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

// begin compares the head, and all contents that end within it.
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
			t.match = i
		}
	}
}

// compare compares the contents that end at the current offset.
func (t *tracker) compare() error {
	for t.begun && len(t.pending) > 0 && t.ledger.contents[t.pending[0]].Size == t.n {
		if t.ledger.contents[t.pending[0]].Tail == t.sum() {
			t.match = t.pending[0]
		} else if len(t.pending) == 1 && (t.match < 0 || t.ledger.contents[t.match].Size < t.n) {
			return errDiverged
		}
		t.pending = t.pending[1:]
	}
	return nil
}

func (t *tracker) sum() [sha256.Size]byte {
	return sha256.Sum256(t.tail[max(0, len(t.tail)-tailSize):])
}

// from returns the offset before which everything was counted, as far as the head shows.
func (t *tracker) from() int64 {
	switch {
	case len(t.pending) > 0:
		return t.ledger.contents[t.pending[len(t.pending)-1]].Size
	case t.match >= 0:
		return t.ledger.contents[t.match].Size
	}
	return 0
}

// attach makes a cutter, whose source is set, skip what was counted. It returns the tracker
// of a stream, or nil if there is nothing to track.
func (r *resumption) attach(c *cutter) *tracker {
	switch {
	case r == nil:
		return nil
	case r.info != nil:
		c.from = r.from
		return nil
	}
	t := &tracker{src: c.src, ledger: r.ledger, match: -1}
	c.src, c.skipped = t, t.from
	return t
}

// record notes how to recognise the content of a stream again, of which size bytes were
// counted.
func (r *resumption) record(t *tracker, size int64) {
	if t == nil || !t.begun || t.failed {
		return
	}
	if r.match = t.match; r.match >= 0 {
		r.from = r.ledger.contents[r.match].Size
	}
	if size != t.n || size == 0 {
		return // it was not read, as an archive is not
	}
	r.now, r.known = Counted{Size: size, Tail: t.sum()}, true
	r.now.Head = sha256.Sum256(t.head[:r.now.headSize()])
	if t.whole {
		r.now.Stored = r.stored
	}
}
