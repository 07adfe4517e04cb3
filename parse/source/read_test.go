package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"logscan/parse/source/compress/compresstest"
)

// collector is a Handler that keeps everything and checks the contract.
type collector struct {
	t       testing.TB
	mu      sync.Mutex
	busy    []bool // by worker
	opened  map[int]string
	plan    Plan
	blocks  []kept
	onBlock func()
}

type kept struct {
	Block
	data string
}

func newCollector(t testing.TB, workers int) *collector {
	return &collector{t: t, busy: make([]bool, workers), opened: map[int]string{}}
}

func (c *collector) Open(input int, sample []byte) Plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.opened[input]; ok {
		c.t.Errorf("input %d opened twice", input)
	}
	c.opened[input] = string(sample)
	return c.plan
}

func (c *collector) Block(worker int, b *Block) {
	c.mu.Lock()
	if c.busy[worker] {
		c.t.Errorf("two blocks at once for worker %d", worker)
	}
	c.busy[worker] = true
	if _, ok := c.opened[b.Input]; !ok {
		c.t.Errorf("block of input %d before it was opened", b.Input)
	}
	c.mu.Unlock()
	runtime.Gosched()
	data := string(b.Data)
	if c.onBlock != nil {
		c.onBlock()
	}
	if data != string(b.Data) {
		c.t.Error("data changed while a block was handled")
	}
	clear(b.Data) // a handler may change it
	c.mu.Lock()
	defer c.mu.Unlock()
	k := kept{*b, data}
	k.Data = nil
	c.blocks = append(c.blocks, k)
	c.busy[worker] = false
}

// content joins the blocks of an input and checks each. A line that was too long is
// represented by its beginning and filler for the rest.
func (c *collector) content(input int, s sizes) (content string, total int64) {
	c.t.Helper()
	blocks := slices.DeleteFunc(slices.Clone(c.blocks), func(k kept) bool { return k.Input != input })
	slices.SortFunc(blocks, func(a, b kept) int { return cmp.Compare(a.Seq, b.Seq) })
	var all strings.Builder
	for i, b := range blocks {
		if b.Seq != total {
			c.t.Errorf("input %d: block at %d, want %d", input, b.Seq, total)
		}
		all.WriteString(b.data)
		if len(b.data) == 0 {
			c.t.Errorf("input %d: empty block at %d", input, b.Seq)
		}
		if b.TooLong {
			if b.LineSize <= int64(s.maxLine) || len(b.data) > s.maxLine || strings.Contains(b.data, "\n") {
				c.t.Errorf("input %d: too long line of %d bytes, %d given", input, b.LineSize, len(b.data))
			}
			all.WriteString(strings.Repeat(filler, int(b.LineSize)-len(b.data)))
			total += b.LineSize
			continue
		}
		if !strings.HasSuffix(b.data, "\n") && i < len(blocks)-1 {
			c.t.Errorf("input %d: block at %d does not end at a line's end", input, b.Seq)
		}
		for line := range strings.Lines(b.data) {
			if len(line) > s.maxLine {
				c.t.Errorf("input %d: line of %d bytes in a block, at most %d are allowed", input, len(line), s.maxLine)
			}
		}
		total += int64(len(b.data))
	}
	return all.String(), total
}

// filler stands for each byte of a line that is not handed over.
const filler = "\x00"

// shown returns a text as content returns it: lines that are too long are cut to half of
// the limit, as the cutter does.
func shown(text string, s sizes) string {
	var all strings.Builder
	for line := range strings.Lines(text) {
		if len(line) > s.maxLine {
			half := s.buffer() / 2
			line = line[:half] + strings.Repeat(filler, len(line)-half)
		}
		all.WriteString(line)
	}
	return all.String()
}

// write makes a file and returns its path.
func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func expand(t testing.TB, stdin io.Reader, args ...string) []Input {
	t.Helper()
	inputs, _, err := Expand(args, stdin)
	if err != nil {
		t.Fatal(err)
	}
	return inputs
}

// readAll reads inputs into a collector.
func readAll(t testing.TB, inputs []Input, workers int, s sizes) (*collector, []Result) {
	t.Helper()
	c := newCollector(t, workers)
	results, err := read(t.Context(), inputs, workers, c, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(inputs) || len(c.opened) != len(inputs) {
		t.Fatalf("%d results, %d opened, want %d of both", len(results), len(c.opened), len(inputs))
	}
	return c, results
}

// small sizes hit every boundary.
var small = sizes{block: 16, maxLine: 24, rng: 40, sample: 30}

// texts returns contents that hit the boundaries of small, by name.
func texts() map[string]string {
	line := func(n int) string { return strings.Repeat("x", n-1) + "\n" }
	texts := map[string]string{
		"empty":            "",
		"one newline":      "\n",
		"newlines":         strings.Repeat("\n", 100),
		"no final newline": "one\ntwo",
		"no newline":       "one",
		"CRLF":             strings.Repeat("a line\r\n", 30),
		"NUL bytes":        "a\x00b\n\x00\n" + strings.Repeat("\x00", 30),
		"all too long":     strings.Repeat(line(200), 5),
		"too long, end":    "a\n" + strings.Repeat("y", 300),
		"long between":     strings.Repeat("short\n"+line(20)+line(24)+line(25)+line(26)+line(90), 4),
		"ends at longest":  "a\n" + strings.Repeat("z", 24),
		"one over":         "a\n" + strings.Repeat("z", 25),
	}
	for n := 1; n <= 64; n++ {
		texts[fmt.Sprintf("lines of %d", n)] = strings.Repeat(line(n), 6) + strings.Repeat("e", n)
	}
	return texts
}

func TestReadBoundaries(t *testing.T) {
	for name, text := range texts() {
		for comp, stored := range compresstest.StoreAll(t, text) {
			t.Run(comp+"/"+name, func(t *testing.T) {
				path := write(t, "log", stored)
				for _, workers := range []int{1, 3} {
					c, results := readAll(t, expand(t, nil, path), workers, small)
					if got, _ := c.content(0, small); got != shown(text, small) {
						t.Errorf("%d workers: read %q, want %q", workers, got, shown(text, small))
					}
					want := Result{Compression: comp, Bytes: int64(len(text)), StoredBytes: int64(len(stored))}
					if results[0] != want {
						t.Errorf("%d workers: result %+v, want %+v", workers, results[0], want)
					}
				}
			})
		}
	}
}

// randomText returns lines of all lengths around the sizes.
func randomText(r *rand.Rand, s sizes) string {
	var b strings.Builder
	for range r.IntN(60) {
		n := r.IntN(s.block)
		switch r.IntN(12) {
		case 0:
			n = s.maxLine - 2 + r.IntN(4)
		case 1:
			n = r.IntN(3*s.rng + 3*s.maxLine)
		case 2:
			n = s.block - 2 + r.IntN(4)
		}
		for range n {
			b.WriteByte("abc \r\x00"[r.IntN(6)])
		}
		b.WriteByte('\n')
	}
	text := b.String()
	return text[:len(text)-min(len(text), r.IntN(3))]
}

func TestReadRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	runs := 300
	if testing.Short() {
		runs = 50
	}
	for range runs {
		s := sizes{block: 1 + r.IntN(40), rng: 1 + r.IntN(200), sample: 1 + r.IntN(100)}
		s.maxLine = s.block + r.IntN(40)
		dir := t.TempDir()
		var all []string
		for i := range 1 + r.IntN(4) {
			text := randomText(r, s)
			stored := compresstest.StoreAll(t, text)
			names := make([]string, 0, len(stored))
			for name := range stored {
				names = append(names, name)
			}
			slices.Sort(names)
			name := names[r.IntN(len(names))]
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), stored[name], 0o600); err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
		args, stdin := []string{dir}, ""
		if r.IntN(3) == 0 {
			stdin = randomText(r, s)
			args, all = append(args, Stdin), append(all, stdin)
		}
		c, results := readAll(t, expand(t, strings.NewReader(stdin), args...), 1+r.IntN(4), s)
		for i, text := range all {
			got, n := c.content(i, s)
			if got != shown(text, s) || n != int64(len(text)) || results[i].Bytes != n || results[i].Err != nil {
				t.Fatalf("sizes %+v: read %q, want %q; %+v", s, got, shown(text, s), results[i])
			}
			checkSample(t, c.opened[i], text, s.sample)
		}
		if t.Failed() {
			t.Fatalf("sizes %+v", s)
		}
	}
}

// checkSample fails if a sample holds anything but whole lines of text, or more than
// one if it is larger than size.
func checkSample(t *testing.T, sample, text string, size int) {
	t.Helper()
	if len(sample) > size && strings.Count(strings.TrimSuffix(sample, "\n"), "\n") > 0 {
		t.Errorf("sample of %d bytes, want at most %d", len(sample), size)
	}
	for line := range strings.Lines(sample) {
		if !strings.HasPrefix(text, line) && !strings.Contains(text, "\n"+line) {
			t.Errorf("sample holds %q, which is no line of %q", line, text)
		}
		if !strings.HasSuffix(line, "\n") && !strings.HasSuffix(text, line) {
			t.Errorf("sample holds %q, the beginning of a line", line)
		}
	}
}

func TestSample(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	text := b.String()
	s := small
	s.sample = 300
	for comp, stored := range compresstest.StoreAll(t, text) {
		c, _ := readAll(t, expand(t, nil, write(t, "log", stored)), 2, s)
		sample := c.opened[0]
		checkSample(t, sample, text, s.sample)
		want := []string{"line 0\n"}
		if comp == "none" {
			want = append(want, "line 505\n", "line 999\n")
		}
		for _, line := range want {
			if !strings.Contains(sample, line) {
				t.Errorf("%s: sample %q lacks %q", comp, sample, line)
			}
		}
	}
}

// TestSampleOfLongLines checks that there is a sample even if no line fits into one.
func TestSampleOfLongLines(t *testing.T) {
	s := sizes{block: 64, maxLine: 400, rng: 1000, sample: 100}
	for name, line := range map[string]string{
		"longer than a part": strings.Repeat("p", 40), "than a sample": strings.Repeat("s", 150), "as long as may be": strings.Repeat("m", s.maxLine-1),
	} {
		text := strings.Repeat(line+"\n", 20)
		for comp, stored := range compresstest.StoreAll(t, text) {
			c, _ := readAll(t, expand(t, nil, write(t, "log", stored)), 2, s)
			if !strings.HasPrefix(c.opened[0], line+"\n") {
				t.Errorf("%s, %s: the sample is %q", name, comp, c.opened[0])
			}
		}
	}
}

func TestSampleLines(t *testing.T) {
	tests := []struct {
		name       string
		data       string
		size       int
		start, end bool
		want       string
	}{
		{"empty", "", 10, true, true, ""},
		{"whole", "a\nb\n", 10, true, true, "a\nb\n"},
		{"whole without final newline", "a\nb", 10, true, true, "a\nb"},
		{"cut", "a\nb\ncc", 10, true, false, "a\nb\n"},
		{"larger", "aaa\nbbb\nccc\n", 9, true, true, "aaa\nbbb\n"},
		{"from within a line", "a\nb\ncc", 10, false, false, "b\n"},
		{"first line too long", "aaaaaaaaaaaa\nb\nc\n", 5, true, true, "b\nc\n"},
		{"two lines too long", "aaaaaaaaaa\naaaaaaaaaa\nb\nc\nd\n", 5, true, true, "b\nc\n"},
		{"nothing but a long line", "aaaaaaaaaaaa", 5, true, true, ""},
		{"no newline", "aaaa", 5, true, false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := sampleLines([]byte(test.data), test.size, test.start, test.end); string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestSharing decodes one stream with a slow handler: other workers have to help.
func TestSharing(t *testing.T) {
	text := strings.Repeat("a line of it\n", 400)
	for comp, stored := range compresstest.StoreAll(t, text) {
		if comp == "none" {
			continue
		}
		t.Run(comp, func(t *testing.T) {
			c := newCollector(t, 3)
			var mu sync.Mutex
			now, most := 0, 0
			c.onBlock = func() {
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(200 * time.Microsecond)
				mu.Lock()
				now--
				mu.Unlock()
			}
			if _, err := read(t.Context(), expand(t, nil, write(t, "log", stored)), 3, c, small); err != nil {
				t.Fatal(err)
			}
			if got, _ := c.content(0, small); got != text {
				t.Errorf("read %d bytes that differ", len(got))
			}
			if most != 3 {
				t.Errorf("%d workers at once, want 3", most)
			}
		})
	}
}

// TestStreamsSideBySide decodes several streams whose blocks other workers handle, so that
// their buffers are exchanged.
func TestStreamsSideBySide(t *testing.T) {
	dir := t.TempDir()
	var all []string
	for i := range 3 {
		text := strings.Repeat(fmt.Sprintf("line of input %d\nshort\n%s\n", i, strings.Repeat(fmt.Sprint(i), 30)), 500)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), compresstest.Store(t, "gzip", text), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	for range 5 {
		c, _ := readAll(t, expand(t, nil, dir), 5, small)
		for i, text := range all {
			if got, _ := c.content(i, small); got != shown(text, small) {
				t.Fatalf("input %d: other content", i)
			}
		}
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(dir, "gone")
	good := filepath.Join(dir, "good")
	for _, path := range []string{gone, good} {
		if err := os.WriteFile(path, []byte("a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inputs := expand(t, nil, dir)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	c, results := readAll(t, inputs, 2, small)
	if !errors.Is(results[0].Err, os.ErrNotExist) || results[0].Bytes != 0 {
		t.Errorf("removed file: %+v", results[0])
	}
	if got, _ := c.content(1, small); got != "a\n" || results[1].Err != nil {
		t.Errorf("the other file: %q, %+v", got, results[1])
	}
}

func TestShrunk(t *testing.T) {
	text := strings.Repeat("0123456\n", 50)
	for _, size := range []int64{0, 1, 39, 40, 41, 100, 399} {
		path := write(t, "log", []byte(text))
		f, err := openPlain(0, place{path: path})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		c := newCollector(t, 1)
		c.Open(0, nil)
		q := newQueue(make([]Input, 1), 1, small)
		w := &worker{sizes: small, handler: c, queue: q, buf: make([]byte, small.buffer())}
		q.share(f, w.id)
		for len(q.shared) > 0 {
			j, _ := q.take(w.id)
			w.readRange(t.Context(), j.file, j.start, j.end)
		}
		if got, _ := c.content(0, small); got != text[:size] {
			t.Errorf("size %d: read %q", size, got)
		}
		var failed *ReadError
		if err := q.results[0].Err; !errors.Is(err, errShrunk) || !errors.As(err, &failed) || failed.Stored != size {
			t.Errorf("size %d: error %v", size, err)
		}
		if len(q.open) != 0 {
			t.Error("file is still open")
		}
	}
}

// TestRanges checks that the ranges cover a file, and that each worker reads one stretch
// except for what it takes over from others.
func TestRanges(t *testing.T) {
	for _, size := range []int64{0, 1, 100, 1600, 1601, 100_000} {
		for _, workers := range []int{1, 2, 8} {
			q := newQueue(make([]Input, 1), workers, sizes{rng: 1600})
			q.take(0)
			q.share(&plainFile{size: size}, 0)
			var ranges []job
			jumps := 0
			ends := make([]int64, workers)
			for i := 0; len(q.shared) > 0; i++ {
				j, _ := q.take(i % workers)
				if end := &ends[i%workers]; *end != j.start {
					jumps++
				}
				ends[i%workers] = j.end
				ranges = append(ranges, j)
			}
			if size == 100_000 {
				if n := ranges[0].end; n != 1600 {
					t.Errorf("%d workers: the first range is %d bytes, want 1600", workers, n)
				}
				if most := 4 * (workers - 1); jumps > most {
					t.Errorf("%d workers: %d ranges do not begin where the worker's last one ended, want at most %d", workers, jumps, most)
				}
			}
			slices.SortFunc(ranges, func(a, b job) int { return cmp.Compare(a.start, b.start) })
			at := int64(0)
			for _, r := range ranges {
				if r.start != at || r.end <= r.start && size > 0 {
					t.Fatalf("%d bytes, %d workers: a range from %d to %d, want one from %d", size, workers, r.start, r.end, at)
				}
				at = r.end
			}
			if at != size {
				t.Errorf("%d bytes, %d workers: the ranges end at %d", size, workers, at)
			}
		}
	}
}

// TestGrown checks that bytes appended after a plain file was opened are not read.
func TestGrown(t *testing.T) {
	text := strings.Repeat("0123456\n", 50) + "cut"
	path := write(t, "log", []byte(text))
	c := newCollector(t, 2)
	var once sync.Once
	c.onBlock = func() {
		once.Do(func() {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if _, err := f.WriteString(" here\nmore\n"); err != nil {
				t.Error(err)
			}
		})
	}
	results, err := read(t.Context(), expand(t, nil, path), 2, c, small)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := c.content(0, small); got != text || results[0].Err != nil {
		t.Errorf("read %q, %v", got, results[0].Err)
	}
}

type errorReader struct {
	text string
	err  error
}

func (r *errorReader) Read(p []byte) (int, error) {
	n := copy(p, r.text)
	r.text = r.text[n:]
	if r.text == "" {
		return n, r.err
	}
	return n, nil
}

func TestStdinFails(t *testing.T) {
	broken := errors.New("broken")
	c, results := readAll(t, expand(t, &errorReader{"one\ntwo", broken}, Stdin), 2, small)
	if got, _ := c.content(0, small); got != "one\ntwo" {
		t.Errorf("read %q", got)
	}
	if err := results[0].Err; !errors.Is(err, broken) || err.Error() != "broken, at byte 7" {
		t.Errorf("error %v", err)
	}
	_, results = readAll(t, expand(t, &errorReader{"", nil}, Stdin), 2, small)
	if !errors.Is(results[0].Err, io.ErrNoProgress) {
		t.Errorf("a reader without progress: %v", results[0].Err)
	}
}

func TestCancel(t *testing.T) {
	before := runtime.NumGoroutine()
	text := strings.Repeat("a line\n", 5000)
	dir := t.TempDir()
	for comp, stored := range compresstest.StoreAll(t, text) {
		if err := os.WriteFile(filepath.Join(dir, comp), stored, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, after := range []int{1, 2, 100, 2000} {
		ctx, cancel := context.WithCancel(t.Context())
		c := newCollector(t, 3)
		n := 0
		var mu sync.Mutex
		c.onBlock = func() {
			mu.Lock()
			defer mu.Unlock()
			if n++; n == after {
				cancel()
			}
		}
		results, err := read(ctx, expand(t, nil, dir), 3, c, small)
		if !errors.Is(err, context.Canceled) || results != nil {
			t.Errorf("cancelled at block %d: %v", after, err)
		}
		// Each worker may be handling one block and have another one ready.
		if n > after+2*3 {
			t.Errorf("cancelled at block %d, but %d were handled", after, n)
		}
	}
	checkGoroutines(t, before)
}

// checkGoroutines fails if there are more goroutines than before.
func checkGoroutines(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(time.Millisecond)
	}
}

// TestCancelPadding cancels while a decoder reads much and returns nothing.
func TestCancelPadding(t *testing.T) {
	path := write(t, "log", compresstest.Store(t, "gzip", "a\n"))
	if err := os.Truncate(path, 1<<38); err != nil {
		t.Skip("no sparse files here: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := read(ctx, expand(t, nil, path), 1, newCollector(t, 1), small); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v to end", took)
	}
}

// Large inputs come first, and small ones as they are sorted.
func TestOrderOfWork(t *testing.T) {
	n := int64(small.sample)
	q := newQueue([]Input{{size: n + 5}, {size: -1}, {size: n + 7}, {size: 0}, {size: -1}, {size: n + 7}, {size: n}, {size: 1}, {size: 2}}, 1, small)
	if want := []int{1, 4, 2, 5, 0, 3, 6, 7, 8}; !slices.Equal(q.inputs, want) {
		t.Errorf("got %v, want %v", q.inputs, want)
	}
}

// TestCancelWaiting cancels while standard input has nothing to read.
func TestCancelWaiting(t *testing.T) {
	before := runtime.NumGoroutine()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	c := newCollector(t, 2)
	if _, err := read(ctx, expand(t, r, Stdin), 2, c, small); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	w.Close() // ends the read that was abandoned
	checkGoroutines(t, before)
	r.Close()
}

func TestNoInputs(t *testing.T) {
	results, err := Read(t.Context(), nil, 0, newCollector(t, 1))
	if err != nil || len(results) != 0 {
		t.Errorf("%v, %v", results, err)
	}
}

func TestGoroutinesEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	text := strings.Repeat("a line\n", 200)
	dir := t.TempDir()
	for comp, stored := range compresstest.StoreAll(t, text) {
		for i, data := range [][]byte{stored, stored[:len(stored)/2]} {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(comp, i)), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	readAll(t, expand(t, bytes.NewReader([]byte(text)), dir, Stdin), 4, small)
	checkGoroutines(t, before)
}

// TestLineAt checks that the lines of blocks that can be read again are.
func TestLineAt(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "%d %s\r\n", i, strings.Repeat("x", i%97*i%31))
	}
	text.WriteString("the end")
	inputs := append(expand(t, nil, write(t, "a.log", []byte(text.String()))),
		expand(t, nil, write(t, "b.log.gz", compresstest.Store(t, "gzip", text.String())))...)
	c, _ := readAll(t, inputs, 3, sizes{block: 512, maxLine: 64 << 10, rng: 4 << 10, sample: 1 << 10})
	again := 0
	for _, b := range c.blocks {
		if b.Again != (b.Input == 0) {
			t.Fatalf("input %d can be read again: %v", b.Input, b.Again)
		}
		at := b.Seq
		for line := range strings.Lines(b.data) {
			if b.Again {
				got, err := inputs[b.Input].LineAt(at)
				if want := strings.TrimSuffix(line, "\n"); err != nil || string(got) != want {
					t.Fatalf("at %d: %q, %v; want %q", at, got, err, want)
				}
				again++
			}
			at += int64(len(line))
		}
	}
	if again != 3001 {
		t.Errorf("%d lines were read again", again)
	}
	if line, err := inputs[0].LineAt(int64(text.Len())); err == nil {
		t.Errorf("behind the end there is %q", line)
	}
}
