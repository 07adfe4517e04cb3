package source

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"logscan/parse/source/compress"
	"logscan/parse/source/compress/compresstest"
)

// endless repeats a text, n bytes in all.
type endless struct {
	text []byte
	n    int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), e.n)]
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.text)
	}
	e.n -= int64(n)
	return n, nil
}

// counting counts blocks and drops them.
type counting struct {
	bytes, lines, tooLong int64
}

func (*counting) Open(int, []byte) Plan { return Plan{} }

func (c *counting) Block(_ int, b *Block) {
	if b.TooLong {
		c.tooLong++
		c.bytes += b.LineSize
		return
	}
	c.bytes += int64(len(b.Data))
	c.lines += int64(strings.Count(string(b.Data[:min(len(b.Data), 100)]), "\n"))
}

// TestGigabyteLine checks that a line of a gigabyte is one line that is too long, and needs
// no more memory than any other.
func TestGigabyteLine(t *testing.T) {
	size := int64(1 << 30)
	if testing.Short() {
		size = 64 << 20
	}
	line := &endless{[]byte(strings.Repeat("x", 64<<10)), size}
	input := io.MultiReader(strings.NewReader("first\n"), line, strings.NewReader("\nlast\n"))
	inputs := expand(t, input, Stdin)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var c counting
	results, err := Read(t.Context(), inputs, 1, &c)
	runtime.ReadMemStats(&after)
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results[0].Err)
	}
	if c.tooLong != 1 || c.lines != 2 || c.bytes != size+int64(len("first\n\nlast\n")) || results[0].Bytes != c.bytes {
		t.Errorf("%+v, %d bytes by the result", c, results[0].Bytes)
	}
	// The buffer of the cutter, that of the decoder, the sample.
	const most = 2*MaxLine + 4*compress.BufferSize + 2*SampleSize
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("it took %d bytes of memory, at most %d are needed", got, most)
	}
}

// TestChangedBeforeRead changes files between Expand and Read.
func TestChangedBeforeRead(t *testing.T) {
	text := strings.Repeat("a line of it\n", 100)
	for _, c := range []struct {
		name   string
		change func(path string) error
		err    error // nil if it is read
		want   string
	}{
		{"vanished", os.Remove, fs.ErrNotExist, ""},
		{"replaced", func(path string) error {
			return errors.Join(os.Rename(path, path+".1"), os.WriteFile(path, []byte("new\n"), 0o600))
		}, nil, "new\n"},
		{"emptied", func(path string) error { return os.Truncate(path, 0) }, nil, ""},
		{"shortened", func(path string) error { return os.Truncate(path, 130) }, nil, text[:130]},
		{"grown", func(path string) error { return os.WriteFile(path, []byte(text+text), 0o600) }, nil, text + text},
		{"compressed", func(path string) error { return os.WriteFile(path, compresstest.Store(t, "gzip", text), 0o600) }, nil, text},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, good := write(t, "a.log", []byte(text)), write(t, "good.log", []byte(text[:len(text)/2]))
			inputs := expand(t, nil, path, good)
			inputs, _ = unfold(t, inputs, 1)
			if err := c.change(path); err != nil {
				t.Fatal(err)
			}
			got, results := readAll(t, inputs, 2, small)
			for i, in := range inputs {
				want, err := c.want, c.err
				if in.Path == good {
					want, err = text[:len(text)/2], nil
				}
				if content, _ := got.content(i, small); content != want || !errors.Is(results[i].Err, err) {
					t.Errorf("%s: read %q, %v; want %q, %v", in.Path, content, results[i].Err, want, err)
				}
			}
		})
	}
}

// TestReaderFails checks that a disk error in the middle of an input ends it with the
// offset, in every format.
func TestReaderFails(t *testing.T) {
	broken := errors.New("input/output error")
	for comp, stored := range compresstest.StoreAll(t, strings.Repeat("a line of it\n", 20_000)) {
		half := len(stored) / 2
		for name, r := range map[string]io.Reader{
			"at once":    iotest.ErrReader(broken),
			"half-way":   io.MultiReader(strings.NewReader(string(stored[:half])), iotest.ErrReader(broken)),
			"in pieces":  iotest.HalfReader(io.MultiReader(strings.NewReader(string(stored[:half])), iotest.ErrReader(broken))),
			"with bytes": iotest.DataErrReader(io.MultiReader(strings.NewReader(string(stored[:half])), iotest.ErrReader(broken))),
		} {
			got, results := readAll(t, expand(t, r, Stdin), 1, defaultSizes())
			_, n := got.content(0, defaultSizes())
			var at *ReadError
			if !errors.Is(results[0].Err, broken) || !errors.As(results[0].Err, &at) || at.Decompressed != n {
				t.Errorf("%s %s: %d bytes were read, the error is %v", comp, name, n, results[0].Err)
			}
			if strings.Contains(results[0].Err.Error(), "truncated") {
				t.Errorf("%s %s: the disk is broken, not the data: %v", comp, name, results[0].Err)
			}
		}
	}
}
