package source

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"logscan/parse/source/compress/compresstest"

	"github.com/klauspost/compress/zstd"
)

// newlines is a Handler that does as little as possible with a block.
type newlines struct{ n atomic.Int64 }

func (h *newlines) Open(int, []byte) Plan { return Plan{} }

func (h *newlines) Block(_ int, b *Block) {
	h.n.Add(int64(bytes.Count(b.Data, []byte{'\n'})))
}

// benchText returns n bytes of lines as long as those of an access log.
func benchText(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `10.%d.%d.%d - - [23/Nov/2026:12:%02d:%02d +0000] "GET /api/orders/%d HTTP/1.1" %d %d "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/%d"`+"\n",
			i>>16&255, i>>8&255, i&255, i/60%60, i%60, i*7919%100003, 200+i%7*30, i*31%90001, i%140)
	}
	return b.String()
}

// BenchmarkRead reads a file from the page cache and counts its lines:
//
//	go test -run - -bench Read -benchtime 1s -count 3 ./parse/source
func BenchmarkRead(b *testing.B) {
	plain := benchText(256 << 20) // more than a third-level cache holds
	b.Run("none", func(b *testing.B) {
		benchRead(b, []byte(plain), len(plain), int64(strings.Count(plain, "\n")))
	})
	text := benchText(64 << 20)
	lines := int64(strings.Count(text, "\n"))
	for _, comp := range []string{"gzip", "zstd", "lz4"} { // writing xz takes longer than all else
		writer := compresstest.Writers()[comp]
		if comp == "zstd" { // that of the tests has a tiny window
			writer = func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }
		}
		stored := compresstest.StoreBy(b, writer, text)
		b.Run(comp, func(b *testing.B) { benchRead(b, stored, len(text), lines) })
	}
}

func benchRead(b *testing.B, stored []byte, size int, lines int64) {
	path := write(b, "log", stored)
	inputs := expand(b, nil, path)
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				var h newlines
				results, err := Read(b.Context(), inputs, workers, &h)
				if err != nil || results[0].Err != nil || h.n.Load() != lines {
					b.Fatalf("%d lines, want %d; %v, %+v", h.n.Load(), lines, err, results)
				}
			}
		})
	}
}
