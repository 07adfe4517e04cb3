package timeline

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"logscan/analyze/spill"
)

// The lines of a flood of 401s from one client are spilled, although the part of
// the worker stays small, and read back.
func TestSpillLines(t *testing.T) {
	space := spill.NewSpace(filepath.Join(t.TempDir(), "spill"))
	defer space.Close()
	w := NewWorker(1, 1)
	const limit = 2 << 20
	w.Limit(limit, space)
	line := func(i int) string {
		return fmt.Sprintf("%d %x", i, uint64(i+1)*0x9e3779b97f4a7c15) // hardly compressible
	}
	const n = 200_000
	var held int64
	for i := range n {
		e := request{at: int64(i) * 1000, client: "192.0.2.1", path: "/a", status: 401}.entry()
		w.Entry(0, int64(i), &e, []byte(line(i)))
		held = max(held, w.refusals.held)
	}
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	if space.Written() == 0 || held > limit/4 {
		t.Errorf("up to %d bytes of lines in memory, %d spilled", held, space.Written())
	}
	if len(w.spilled) > 2 {
		t.Errorf("%d parts of one client were spilled", len(w.spilled))
	}
	s, err := Merge([]*Worker{w})
	if err != nil {
		t.Fatal(err)
	}
	read := s.Lines(nil)
	for i := range s.Refusals.Len() {
		if got, err := read(s.Refusals.At(i)); err != nil || string(got) != line(i) {
			t.Fatalf("line %d: %q (%v), want %q", i, got, err, line(i))
		}
	}
	if s.Refusals.Len() != n {
		t.Errorf("%d 401s, want %d", s.Refusals.Len(), n)
	}
}

// When lines of several logs are requested in turn, each batch is decompressed once.
func TestLineCache(t *testing.T) {
	const logs, each = 10, 4 * lineBatch / 100
	w := NewWorker(1, 1)
	line := func(log, i int) []byte { return fmt.Appendf(nil, "%100d", log*each+i) }
	for log := range logs {
		for i := range each {
			w.refusals.add(refusal{time: int64(i)}, line(log, i))
		}
	}
	c := newLineCache([]*Worker{w}, func(w *Worker) *lineLog { return &w.refusals.lineLog })
	for i := range each {
		for log := range logs {
			got, err := c.line(0, uint32(log*each+i))
			if err != nil {
				t.Fatal(err)
			}
			if want := line(log, i); !bytes.Equal(got, want) {
				t.Fatalf("line %d of log %d: %q, want %q", i, log, got, want)
			}
		}
	}
	if len(c.batches) > maxCached/lineBatch || c.held > maxCached {
		t.Errorf("%d logs: the cache has %d batches of %d bytes", logs, len(c.batches), c.held)
	}
}

// The cache is bounded by bytes, however long lines are.
func TestLineCacheOfLongLines(t *testing.T) {
	w := NewWorker(1, 1)
	line := func(i int) []byte {
		return append(fmt.Appendf(nil, "%d ", i), bytes.Repeat([]byte{'x'}, 4*lineBatch)...)
	}
	const n = 40
	for i := range n {
		w.refusals.add(refusal{time: int64(i)}, line(i))
	}
	c := newLineCache([]*Worker{w}, func(w *Worker) *lineLog { return &w.refusals.lineLog })
	for i := range n {
		got, err := c.line(0, uint32(i))
		if err != nil || !bytes.Equal(got, line(i)) {
			t.Fatalf("line %d: %d bytes, %v", i, len(got), err)
		}
		if c.held > maxCached {
			t.Fatalf("%d bytes are held", c.held)
		}
	}
}
