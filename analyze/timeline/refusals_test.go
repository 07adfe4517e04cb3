package timeline

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"logscan/analyze/spill"
)

// A flood of 401s from one client: their lines go to disk, though the part of
// the worker stays small, and are read back as they were.
func TestLinesOfRefusalsGoToDisk(t *testing.T) {
	space := spill.NewSpace(filepath.Join(t.TempDir(), "spill"))
	defer space.Close()
	w := NewWorker(1, 1)
	const limit = 2 << 20
	w.Limit(limit, space)
	line := func(i int) string {
		return fmt.Sprintf("%d %x", i, uint64(i+1)*0x9e3779b97f4a7c15) // which compresses to little less
	}
	const n = 200_000
	var most int64
	for i := range n {
		e := request{at: int64(i) * 1000, client: "192.0.2.1", path: "/a", status: 401}.entry()
		w.Entry(0, int64(i), &e, []byte(line(i)))
		most = max(most, w.refusals.held)
	}
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	if space.Written() == 0 || most > limit/4 {
		t.Errorf("%d bytes of lines were in memory, %d went to disk", most, space.Written())
	}
	if len(w.spilled) > 2 {
		t.Errorf("%d parts of one client went to disk", len(w.spilled))
	}
	s, err := Merge([]*Worker{w})
	if err != nil {
		t.Fatal(err)
	}
	read := s.Lines()
	for i := range s.Refusals {
		if got, err := read(&s.Refusals[i]); err != nil || string(got) != line(i) {
			t.Fatalf("line %d: %q (%v), want %q", i, got, err, line(i))
		}
	}
	if len(s.Refusals) != n {
		t.Errorf("%d 401s, want %d", len(s.Refusals), n)
	}
}

// Logs of several servers are asked for in turn: the cache grows until it holds
// a batch of each.
func TestLinesOfSeveralLogs(t *testing.T) {
	const logs, each = 10, 4 * refusalBatch / 100
	w := NewWorker(1, 1)
	line := func(log, i int) []byte { return fmt.Appendf(nil, "%100d", log*each+i) }
	for log := range logs {
		for i := range each {
			w.refusals.add(int64(i), 0, 0, line(log, i), false)
		}
	}
	c := newLineCache([]*Worker{w})
	for i := range each {
		for log := range logs {
			got, err := c.line(0, w.refusals.at(uint32(log*each+i)))
			if err != nil {
				t.Fatal(err)
			}
			if want := line(log, i); !bytes.Equal(got, want) {
				t.Fatalf("line %d of log %d: %q, want %q", i, log, got, want)
			}
		}
		if i == each/8 && c.most < logs {
			t.Errorf("%d logs: the cache holds %d batches", logs, c.most)
		}
	}
	if len(c.batch) > min(c.most, mostBatches) {
		t.Errorf("%d logs: the cache holds %d batches, and has %d", logs, c.most, len(c.batch))
	}
}
