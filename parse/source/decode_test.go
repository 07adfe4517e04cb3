package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"logscan/parse/source/compress"
	"logscan/parse/source/compress/compresstest"
)

func TestForms(t *testing.T) {
	for _, f := range compresstest.Forms(t) {
		t.Run(f.Name, func(t *testing.T) {
			path := write(t, "misleading.gz", f.Stored)
			for from, inputs := range map[string][]Input{
				"file":  expand(t, nil, path),
				"stdin": expand(t, bytes.NewReader(f.Stored), Stdin),
			} {
				c, results := readAll(t, inputs, 2, small)
				if got, _ := c.content(0, small); got != f.Text {
					t.Errorf("%s: read %q, want %q", from, got, f.Text)
				}
				want := Result{Compression: f.Format, Bytes: int64(len(f.Text)), StoredBytes: int64(len(f.Stored))}
				if results[0] != want {
					t.Errorf("%s: result %+v, want %+v", from, results[0], want)
				}
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	for comp, f := range compresstest.Intact(t) {
		t.Run(comp, func(t *testing.T) {
			most := int64(0)
			for n := compress.MagicSize; n < len(f.Stored); n += 1 + n/50 {
				c, results := readAll(t, expand(t, bytes.NewReader(f.Stored[:n]), Stdin), 1, small)
				got, total := c.content(0, small)
				r := results[0]
				if want := shown(f.Text[:total], small); got != want {
					t.Fatalf("cut at %d: read %q, want %q", n, got, want)
				}
				var failed *ReadError
				if !errors.As(r.Err, &failed) || !errors.Is(r.Err, io.ErrUnexpectedEOF) {
					t.Fatalf("cut at %d: error %v", n, r.Err)
				}
				if failed.Stored != int64(n) || failed.Decompressed != total || r.Bytes != total || r.StoredBytes != int64(n) {
					t.Fatalf("cut at %d: %+v, %+v; %d bytes read", n, failed, r, total)
				}
				if total < most {
					t.Fatalf("cut at %d: %d bytes read, %d of less", n, total, most)
				}
				most = total
			}
			if comp == "gzip" && most < int64(len(f.Text))*9/10 {
				t.Errorf("at most %d bytes were read of %d", most, len(f.Text))
			}
		})
	}
}

func TestTruncatedSays(t *testing.T) {
	stored := compresstest.Store(t, "gzip", compresstest.LongText())
	_, results := readAll(t, expand(t, nil, write(t, "log", stored[:len(stored)-3])), 1, small)
	want := fmt.Sprintf("gzip data is truncated: unexpected EOF, at byte %d (byte %d of the decompressed content)",
		len(stored)-3, len(compresstest.LongText()))
	if got := fmt.Sprint(results[0].Err); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCorrupt changes single bytes. Every format has checksums, so a changed byte either
// causes an error or does not matter.
func TestCorrupt(t *testing.T) {
	for comp, f := range compresstest.Intact(t) {
		t.Run(comp, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			for range 300 {
				stored := bytes.Clone(f.Stored)
				at := compress.MagicSize + r.IntN(len(stored)-compress.MagicSize)
				stored[at] ^= byte(1 + r.IntN(255))
				c, results := readAll(t, expand(t, bytes.NewReader(stored), Stdin), 2, small)
				got, total := c.content(0, small)
				if results[0].Bytes != total {
					t.Fatalf("byte %d changed: %d bytes, want %d", at, results[0].Bytes, total)
				}
				if results[0].Err == nil && got != shown(f.Text, small) {
					t.Fatalf("byte %d changed: no error, but %d other bytes", at, total)
				}
			}
		})
	}
}

func TestTrailing(t *testing.T) {
	for comp, f := range compresstest.Intact(t) {
		stored := append(bytes.Clone(f.Stored), strings.Repeat("something else\n", 1000)...)
		c, results := readAll(t, expand(t, nil, write(t, "log", stored)), 1, small)
		if got, _ := c.content(0, small); got != shown(f.Text, small) {
			t.Errorf("%s: read %d bytes, want %d", comp, len(got), len(f.Text))
		}
		var failed *ReadError
		if !errors.As(results[0].Err, &failed) {
			t.Errorf("%s: error %v", comp, results[0].Err)
			continue
		}
		if want := int64(len(f.Text)); failed.Decompressed != want {
			t.Errorf("%s: failed at byte %d of the content, want %d", comp, failed.Decompressed, want)
		}
		// What was read ahead does not count, except for a few bytes that the decoder examined.
		if ahead := failed.Stored - int64(len(f.Stored)); ahead < 0 || ahead > 12 {
			t.Errorf("%s: failed at byte %d, the data ends at %d", comp, failed.Stored, len(f.Stored))
		}
		if own := comp == "gzip" || comp == "xz"; own != errors.Is(failed, compress.ErrTrailing) {
			t.Errorf("%s: error %v", comp, failed)
		}
	}
}
