package inflate

import (
	"bufio"
	"bytes"
	"compress/flate"
	stdgzip "compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"

	"logscan/fixtures/trials"
)

// reading is a way to pass data to a decoder and read from it.
type reading struct {
	name   string
	chunk  int // maximum bytes of one read of the stored data, 0 for all
	buffer int // size of the input buffer in bytes
	size   func(r *rand.Rand) int
}

// maxRead is the maximum size of a read in bytes.
const maxRead = 1 << 20

// readings exercise all paths of the decoder: with large buffers the fast and the careful
// path, with small ones single symbols.
var readings = []reading{
	{"at once", 0, 64 << 10, func(*rand.Rand) int { return maxRead }},
	{"in blocks", 4 << 10, 4 << 10, func(*rand.Rand) int { return 40 << 10 }},
	{"by bytes", 1, 16, func(*rand.Rand) int { return 1 }},
	{"at random", 1000, 512, func(r *rand.Rand) int { return 1 + min(int(r.ExpFloat64()*600), maxRead-1) }},
}

// chunked returns at most size bytes from one read.
type chunked struct {
	io.Reader
	size int
}

func (c *chunked) Read(p []byte) (int, error) { return c.Reader.Read(p[:min(len(p), c.size)]) }

func (how *reading) input(stored []byte) *bufio.Reader {
	src := io.Reader(bytes.NewReader(stored))
	if how.chunk > 0 {
		src = &chunked{src, how.chunk}
	}
	return bufio.NewReaderSize(src, how.buffer)
}

// most is how much content a test reads at most: fuzzed data may be a decompression bomb.
const most = 8 << 20

// scratch is the buffer that all tests read into.
var scratch = make([]byte, maxRead+1)

// drain reads r to its end, or most bytes. It returns nil for io.EOF.
func (how *reading) drain(r io.Reader) (content []byte, err error) {
	const behind = 0xa5
	rng := rand.New(rand.NewPCG(1, 2))
	for len(content) < most {
		size := how.size(rng)
		scratch[size] = behind
		n, err := r.Read(scratch[:size])
		if scratch[size] != behind {
			panic("bytes behind the buffer were written")
		}
		content = append(content, scratch[:n]...)
		if err == io.EOF {
			return content, nil
		}
		if err != nil {
			return content, err
		}
		if n == 0 {
			return content, io.ErrNoProgress
		}
	}
	return content, nil
}

// decoder is used by all tests in turn, to check that nothing is left of the data before.
var decoder Gzip

// inflate returns the content of DEFLATE data, how many bytes of it were used, and the
// error.
func (how *reading) inflate(stored []byte) ([]byte, int, error) {
	in := how.input(stored)
	r := &decoder.data
	r.Reset(in)
	content, err := how.drain(r)
	return content, len(stored) - unread(in), err
}

// gunzip is inflate for a gzip member.
func (how *reading) gunzip(stored []byte) ([]byte, int, error) {
	in := how.input(stored)
	if err := decoder.Reset(in); err != nil {
		return nil, len(stored) - unread(in), err
	}
	content, err := how.drain(&decoder)
	return content, len(stored) - unread(in), err
}

// unread returns how many bytes are left.
func unread(in *bufio.Reader) int {
	n, _ := io.Copy(io.Discard, in)
	return int(n)
}

// sameAsFlate compares with compress/flate: whether data is valid, its content, including
// what precedes an error, and where it ends.
func sameAsFlate(t *testing.T, stored []byte) {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(stored))
	want, err := readings[0].drain(flate.NewReader(in))
	used := len(stored) - unread(in)
	if len(want) >= most {
		return
	}
	for i := range readings {
		how := &readings[i]
		got, gotUsed, gotErr := how.inflate(stored)
		same(t, how.name, stored, got, want, gotUsed, used, gotErr, err)
	}
}

// sameAsGzip compares with compress/gzip.
func sameAsGzip(t *testing.T, stored []byte) {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(stored))
	var want []byte
	z, err := stdgzip.NewReader(in)
	if err == nil {
		z.Multistream(false)
		want, err = readings[0].drain(z)
	}
	used := len(stored) - unread(in)
	if len(want) >= most {
		return
	}
	for i := range readings {
		how := &readings[i]
		got, gotUsed, gotErr := how.gunzip(stored)
		if errors.Is(err, stdgzip.ErrHeader) && !errors.Is(gotErr, ErrHeader) && len(stored) > 10+512 {
			continue // compress/gzip rejects names of more than 511 bytes
		}
		same(t, how.name, stored, got, want, gotUsed, used, gotErr, err)
	}
}

func same(t *testing.T, how string, stored, got, want []byte, gotUsed, used int, gotErr, err error) {
	t.Helper()
	switch {
	case (gotErr == nil) != (err == nil):
		t.Fatalf("%s: error %v, want %v, of %x", how, gotErr, err, stored)
	case errors.Is(gotErr, ErrNoEnd) && bytes.HasPrefix(want, got):
		// As in zlib, and unlike compress/flate, this is checked before decoding.
	case errors.Is(err, io.ErrUnexpectedEOF) && bytes.HasPrefix(got, want):
		// compress/flate decodes a symbol only once it has as many bits as the
		// shortest symbol and the end of the block.
	case !bytes.Equal(got, want):
		t.Fatalf("%s: %d bytes, want %d (%v), of %x", how, len(got), len(want), err, stored)
	case err == nil && gotUsed != used:
		t.Fatalf("%s: %d bytes were used, want %d, of %x", how, gotUsed, used, stored)
	}
}

// logText returns n bytes of lines like those of an access log.
func logText(n int) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	paths := []string{"/", "/login", "/api/orders/%d", "/api/users/%d/sessions", "/static/app.%x.js"}
	agents := []string{"curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"}
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		path := paths[r.IntN(len(paths))]
		if strings.Contains(path, "%") {
			path = fmt.Sprintf(path, r.IntN(100000))
		}
		fmt.Fprintf(&b, "10.%d.%d.%d - - [09/Mar/2026:%02d:%02d:%02d +0000] \"GET %s HTTP/1.1\" %d %d \"-\" \"%s\"\n",
			r.IntN(4), r.IntN(256), r.IntN(256), i/360000%24, i/6000%60, i/100%60, path, 200+r.IntN(3)*100, r.IntN(90000), agents[r.IntN(len(agents))])
	}
	return b.Bytes()[:n]
}

// contents returns content of many kinds, by name.
func contents() map[string][]byte {
	r := rand.New(rand.NewPCG(5, 6))
	random := func(n, values int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.IntN(values))
		}
		return b
	}
	skewed := make([]byte, 100<<10) // leads to codewords of all lengths
	for i := range skewed {
		skewed[i] = byte(min(r.ExpFloat64()*12, 255))
	}
	period := func(n, distance int) []byte {
		return bytes.Repeat(random(distance, 256), n/distance+1)
	}
	all := map[string][]byte{
		"empty":   nil,
		"byte":    {'a'},
		"log":     logText(150 << 10),
		"random":  random(100<<10, 256),
		"few":     random(100<<10, 3),
		"skewed":  skewed,
		"zeros":   make([]byte, 100<<10),
		"far":     period(80<<10, windowSize),
		"farther": period(80<<10, windowSize+1),
	}
	for distance := 1; distance <= 70; distance += 1 + distance/8 {
		all[fmt.Sprintf("period %d", distance)] = period(40<<10, distance)
	}
	return all
}

// levels of compress/flate: stored and fixed blocks, codes without matches, and the fastest
// to the best.
var levels = []int{flate.NoCompression, flate.HuffmanOnly, flate.BestSpeed, 6, flate.BestCompression}

func deflated(t testing.TB, content []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// gzipped compresses by another library than the one that is compared with.
func gzipped(t testing.TB, content []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContents(t *testing.T) {
	levels := levels
	if testing.Short() {
		levels = []int{6}
	}
	for name, content := range contents() {
		t.Run(name, func(t *testing.T) {
			for _, level := range levels {
				bare, file := deflated(t, content, level), gzipped(t, content, level)
				for i := range readings {
					how := &readings[i]
					got, _, err := how.inflate(bare)
					if err != nil || !bytes.Equal(got, content) {
						t.Errorf("level %d, %s: %d bytes, %v, want %d", level, how.name, len(got), err, len(content))
					}
					got, _, err = how.gunzip(file)
					if err != nil || !bytes.Equal(got, content) {
						t.Errorf("gzip level %d, %s: %d bytes, %v, want %d", level, how.name, len(got), err, len(content))
					}
				}
			}
		})
	}
}

// small returns gzip files that are short enough to change every bit.
func small(t testing.TB) map[string][]byte {
	text := logText(400)
	all := map[string][]byte{
		"fixed": gzipped(t, []byte("abcabcabcabcabc"), 6),
		"empty": gzipped(t, nil, 6),
	}
	for _, level := range levels {
		all[fmt.Sprintf("level %d", level)] = gzipped(t, text, level)
	}
	var b bytes.Buffer
	w := stdgzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = "access.log", "a comment", []byte("an extra field")
	w.Write(text[:100])
	w.Flush()
	w.Write(text[100:])
	w.Close()
	named := b.Bytes()
	all["name"] = named
	// The same with a header checksum.
	h := header{in: bufio.NewReader(bytes.NewReader(named))}
	for range 10 + 2 + len(w.Extra) + len(w.Name) + 1 + len(w.Comment) + 1 {
		h.next()
	}
	end := len(named) - unread(h.in)
	checked := bytes.Clone(named[:end])
	checked[3] |= flagChecksum
	h = header{in: bufio.NewReader(bytes.NewReader(checked))}
	for range checked {
		h.next()
	}
	checked = append(checked, byte(h.crc), byte(h.crc>>8))
	all["header checksum"] = append(checked, named[end:]...)
	return all
}

func TestTruncated(t *testing.T) {
	for name, stored := range small(t) {
		t.Run(name, func(t *testing.T) {
			sameAsGzip(t, stored)
			for n := range stored {
				sameAsGzip(t, stored[:n])
				want := io.ErrUnexpectedEOF
				if n == 0 {
					want = io.EOF
				}
				for i := range readings {
					if _, used, err := readings[i].gunzip(stored[:n]); err != want || used != n {
						t.Errorf("%s, cut at %d: %d bytes were used, error %v, want %v", readings[i].name, n, used, err, want)
					}
				}
			}
		})
	}
}

func TestBitFlips(t *testing.T) {
	step := 3 // each bit of a byte in turn
	switch {
	case trials.All():
		step = 1
	case testing.Short():
		step = 9
	}
	for name, stored := range small(t) {
		t.Run(name, func(t *testing.T) {
			for i := 0; i < 8*len(stored); i += step {
				flipped := bytes.Clone(stored)
				flipped[i/8] ^= 1 << (i % 8)
				sameAsGzip(t, flipped)
				sameAsFlate(t, flipped[min(10, len(flipped)):])
			}
		})
	}
}

// TestReadError checks that an input error is returned after everything that came before
// it.
func TestReadError(t *testing.T) {
	text := logText(100 << 10)
	stored := gzipped(t, text, 6)
	broken := errors.New("broken")
	for _, n := range []int{0, 5, 10, 12, 100, len(stored) / 2, len(stored) - 8, len(stored) - 1} {
		in := bufio.NewReader(io.MultiReader(bytes.NewReader(stored[:n]), iotest.ErrReader(broken)))
		var g Gzip
		err := g.Reset(in)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(&g)
		}
		if !errors.Is(err, broken) {
			t.Errorf("broken at %d: error %v", n, err)
		}
		want, _, _ := readings[0].gunzip(stored[:n])
		if !bytes.Equal(got, want) {
			t.Errorf("broken at %d: %d bytes, want %d", n, len(got), len(want))
		}
		if _, again := g.Read(make([]byte, 10)); again != err {
			t.Errorf("broken at %d: error %v, then %v", n, err, again)
		}
	}
}

// TestReset checks that a member cannot refer to the content of the one before.
func TestReset(t *testing.T) {
	far := unhex(t, "1f8b0800000000000000"+"631805400c00"+"00000000"+"00000000") // begins with a literal
	farther := unhex(t, "1f8b0800000000000000"+"0202"+"00000000"+"00000000")     // with a match
	var g Gzip
	buf := make([]byte, 1<<20)
	for i, stored := range [][]byte{gzipped(t, logText(100<<10), 6), far, farther, far[:12], farther} {
		in := bufio.NewReader(bytes.NewReader(stored))
		if err := g.Reset(in); err != nil {
			t.Fatal(err)
		}
		var err error
		n := 0
		for err == nil {
			n, err = g.Read(buf)
		}
		want := []error{io.EOF, ErrChecksum, ErrDistance, io.ErrUnexpectedEOF, ErrDistance}[i]
		if !errors.Is(err, want) || want == ErrDistance && n > 0 {
			t.Errorf("member %d: %d bytes, error %v, want %v", i, n, err, want)
		}
	}
}

func TestAllocations(t *testing.T) {
	files := small(t)
	files["large"] = gzipped(t, logText(1<<20), 6)
	var g Gzip
	src := bytes.NewReader(nil)
	in := bufio.NewReader(src)
	buf := make([]byte, 64<<10)
	for name, stored := range files {
		n := testing.AllocsPerRun(10, func() {
			src.Reset(stored)
			in.Reset(src)
			if err := g.Reset(in); err != nil {
				t.Fatal(err)
			}
			var err error
			for err == nil {
				_, err = g.Read(buf)
			}
			if err != io.EOF {
				t.Fatal(err)
			}
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
