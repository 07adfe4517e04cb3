package timeline

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"logscan/fixtures"
	"logscan/parse"
	"logscan/parse/source"
)

// simulated returns lines of a simulated day in the combined format.
func simulated(tb testing.TB, lines int64) []byte {
	tb.Helper()
	var b bytes.Buffer
	if _, err := fixtures.Simulate(tb.Context(), fixtures.Options{Scenario: "bench", Lines: lines}, []io.Writer{&b}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func combined(tb testing.TB) *parse.Parser {
	tb.Helper()
	f, ok := parse.Lookup("combined")
	if !ok {
		tb.Fatal("no such format")
	}
	return f.NewParser()
}

// Adding lines of known actors and routes allocates only pages for their events.
func TestBlockAllocs(t *testing.T) {
	lines := bytes.SplitAfter(simulated(t, 20_000), []byte("\n"))
	var b bytes.Buffer
	for _, l := range lines {
		if !bytes.Contains(l, []byte(" 401 ")) { // the lines of 401s are stored
			b.Write(l)
		}
	}
	w, p := NewWorker(1, 1), combined(t)
	block := &source.Block{Data: b.Bytes()}
	w.Block(block, p)
	n := testing.AllocsPerRun(10, func() { w.Block(block, p) })
	if perLine := n / float64(len(lines)); perLine > 0.01 {
		t.Errorf("%.3f allocations per line", perLine)
	}
}

// A line of any format costs no allocation once its actor, route and names are
// known, except for one page per 8 KiB of events.
func TestBlockAllocsByFormat(t *testing.T) {
	const lines = 500
	for _, f := range parse.Formats() {
		t.Run(f.Name, func(t *testing.T) {
			if len(f.Samples) == 0 {
				t.Fatal("no sample")
			}
			for _, sample := range f.Samples {
				sample = strings.ReplaceAll(sample, "401", "200") // the lines of 401s are stored
				var e parse.Entry
				want := f.NewParser().Parse([]byte(sample), &e)
				if want != parse.Parsed && want != parse.SkipErrorLog {
					t.Fatalf("%s: %v", sample, want)
				}
				w, p := NewWorker(1, 1), f.NewParser()
				block := &source.Block{Data: []byte(strings.Repeat(sample+"\n", lines))}
				w.Block(block, p)
				most := 1.0
				if want == parse.SkipErrorLog {
					most += 4 // events are stored, in pages and batches
				}
				if n := testing.AllocsPerRun(5, func() { w.Block(block, p) }); n > most {
					t.Errorf("%s: %v allocations in %d lines", sample, n, lines)
				}
				if got := w.ledgers[0].Verdicts[want]; got != 7*lines {
					t.Errorf("%s: %d of %d lines parsed", sample, got, 7*lines)
				}
			}
		})
	}
}

// Run with: go test ./analyze/timeline -run XX -bench .
func BenchmarkBlock(b *testing.B) {
	data, p := simulated(b, 400_000), combined(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		w := NewWorker(1, 1)
		for rest := data; len(rest) > 0; {
			n := min(len(rest), source.BlockSize)
			n = bytes.LastIndexByte(rest[:n], '\n') + 1
			w.Block(&source.Block{Data: rest[:n]}, p)
			rest = rest[n:]
		}
	}
}

func BenchmarkTemplate(b *testing.B) {
	for _, path := range []string{
		"/api/v1/orders/export", "/api/v1/orders/71232/history", "/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301/items",
		"/blog/how-to-read-an-access-log-2026",
	} {
		b.Run(path, func(b *testing.B) {
			p := []byte(path)
			var dst []byte
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				dst = appendTemplate(dst[:0], p)
			}
		})
	}
}

// BenchmarkActors appends events of actors drawn at random, as in a log of many
// clients.
func BenchmarkActors(b *testing.B) {
	for _, actors := range []int{100, 20_000, 1_000_000} {
		b.Run(fmt.Sprint(actors), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			keys := make([]actorKey, actors)
			for i := range keys {
				keys[i] = actorKey{r.Uint64(), r.Uint64()}
			}
			w := NewWorker(1, 1)
			ms := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				k := keys[r.IntN(actors)]
				s := &w.shards[k.shard()]
				ms++
				s.append(s.actor(k), &record{ms: ms, endpoint: uint32(ms & 127)})
			}
		})
	}
}
