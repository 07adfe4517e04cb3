package source

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"logscan/parse/source/compress/compresstest"
)

// FuzzCutter checks that the blocks make up the same text whether it is cut as a stream or
// as ranges, with long reads or short ones.
func FuzzCutter(f *testing.F) {
	for _, text := range texts() {
		f.Add([]byte(text), uint8(small.block), uint8(small.maxLine), uint8(small.rng))
	}
	f.Add([]byte("a\nbb\nccc"), uint8(1), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, block, maxLine, rng uint8) {
		s := sizes{block: max(int(block), 1), rng: max(int(rng), 1), sample: 20}
		s.maxLine = max(int(maxLine), s.block)
		want := shown(string(text), s)
		size := int64(len(text))

		cut := func(c *collector, src io.Reader, start, limit int64) int64 {
			buf := make([]byte, s.buffer())
			cutter := cutter{sizes: s, src: src, limit: limit, off: start, buf: buf}
			cutter.emit = func(b Block, rest []byte) []byte {
				c.Block(0, &b)
				copy(buf, rest)
				return buf
			}
			if start > 0 {
				cutter.off--
				if err := cutter.skipLine(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := cutter.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			return cutter.bytes
		}
		check := func(how string, c *collector, n int64) {
			t.Helper()
			if got, total := c.content(0, s); got != want || total != n || n != size {
				t.Errorf("%s: %q in %d bytes, want %q in %d", how, got, n, want, size)
			}
		}

		for how, src := range map[string]io.Reader{
			"stream":             bytes.NewReader(text),
			"stream of bytes":    iotest.OneByteReader(bytes.NewReader(text)),
			"stream with an end": iotest.DataErrReader(bytes.NewReader(text)),
		} {
			c := newCollector(t, 1)
			c.Open(0, nil)
			check(how, c, cut(c, src, 0, toEnd))
		}
		c := newCollector(t, 1)
		c.Open(0, nil)
		total := int64(0)
		for start := int64(0); start < size; start += int64(s.rng) {
			src := &rangeReader{file: bytes.NewReader(text), next: max(start-1, 0), size: size}
			total += cut(c, src, start, min(start+int64(s.rng), size))
		}
		check("ranges", c, total)
	})
}

// FuzzDecode checks for arbitrary bytes that reading ends, that every byte handed over is
// counted, and that the content does not depend on the number of workers.
func FuzzDecode(f *testing.F) {
	for _, form := range compresstest.Forms(f) {
		if len(form.Stored) < 1<<12 {
			f.Add(form.Stored)
			f.Add(form.Stored[:len(form.Stored)*2/3])
		}
	}
	for _, form := range compresstest.Intact(f) {
		f.Add(form.Stored)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		s := sizes{block: 1 << 10, maxLine: 2 << 10, rng: 4 << 10, sample: 512}
		var text, failed string
		for _, workers := range []int{1, 2} {
			// Much more than a seed holds may be a decompression bomb, which takes long.
			h := &bounded{collector: newCollector(t, workers), limit: 4 << 20}
			results, err := read(t.Context(), expand(t, bytes.NewReader(stored), Stdin), workers, h, s)
			if err != nil {
				t.Fatal(err)
			}
			if h.over() {
				t.Skip("decompresses to very much")
			}
			got, total := h.content(0, s)
			r := results[0]
			if total != r.Bytes || r.StoredBytes > int64(len(stored)) {
				t.Fatalf("%d bytes handed over; %+v", total, r)
			}
			var where *ReadError
			message := ""
			if whole := (*archiveError)(nil); errors.As(r.Err, &whole) {
				message = r.Err.Error()
				if total != 0 {
					t.Fatalf("%d bytes of an archive were handed over; %+v", total, r)
				}
			} else if r.Err != nil {
				message = r.Err.Error()
				if !errors.As(r.Err, &where) || where.Stored != r.StoredBytes || where.Decompressed != total {
					t.Fatalf("error %v; %+v", r.Err, r)
				}
			} else if r.StoredBytes != int64(len(stored)) {
				t.Fatalf("no error, but %d bytes were read of %d", r.StoredBytes, len(stored))
			}
			if workers == 1 {
				text, failed = got, message
			} else if got != text || message != failed {
				t.Fatalf("%d workers: %q, %q; one worker: %q, %q", workers, got, message, text, failed)
			}
		}
	})
}

// bounded keeps at most limit bytes.
type bounded struct {
	*collector
	limit int64
	n     int64
}

func (h *bounded) Block(worker int, b *Block) {
	h.mu.Lock()
	h.n += int64(len(b.Data))
	if b.TooLong {
		h.n += b.LineSize
	}
	over := h.n > h.limit
	h.mu.Unlock()
	if !over {
		h.collector.Block(worker, b)
	}
}

func (h *bounded) over() bool { return h.n > h.limit }
