// Package compresstest makes compressed data for tests: of package compress, and of
// what reads compressed files.
package compresstest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// Writer returns a writer that compresses to w.
type Writer func(w io.Writer) (io.WriteCloser, error)

// Writers returns the formats that a library can write, by name. Their windows are
// as small as possible, because tests make many of them.
func Writers() map[string]Writer {
	return map[string]Writer{
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) },
		"zstd": func(w io.Writer) (io.WriteCloser, error) {
			// Empty content makes an empty frame, not an empty file.
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<10), zstd.WithZeroFrames(true))
		},
		"xz": func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 1 << 16}.NewWriter(w) },
		"lz4": func(w io.Writer) (io.WriteCloser, error) {
			z := lz4.NewWriter(w)
			return z, z.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ConcurrencyOption(1))
		},
	}
}

// Store compresses text in a format of Writers.
func Store(t testing.TB, format, text string) []byte {
	t.Helper()
	return StoreBy(t, Writers()[format], text)
}

// StoreBy compresses text by a writer.
func StoreBy(t testing.TB, writer Writer, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := writer(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// StoreAll returns text in each format of Writers and, as "none", uncompressed.
func StoreAll(t testing.TB, text string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"none": []byte(text)}
	for format, writer := range Writers() {
		all[format] = StoreBy(t, writer, text)
	}
	return all
}

// Unhex decodes hexadecimal.
func Unhex(t testing.TB, s string) []byte {
	t.Helper()
	data, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// XZBlocks is an xz file with three blocks and CRC32, in hexadecimal.
const XZBlocks = "fd377a585a0000016922de3602c00f0b21011600e0d3486801000a303132333435363738390a0000d1e5764002c00f0b21011600e0d3486801000a30313233343536" +
	"3738390a0000d1e5764002c00f0b21011600e0d3486801000a303132333435363738390a0000d1e5764000031f0b1f0b1f0b953b3d8f3e300d8b020000000001595a"

// Other files written by tools that have no library here.
const (
	bzip2Empty  = "425a683917724538509000000000"
	bzip2Three  = "425a6839314159265359cdfa41fd00000441800010024194802000220d3d26843020435c4d929f8bb9229c284866fd20fe80" // one, two, three; no final newline
	bzip2Thirty = "425a6831314159265359554cbc8500004ad1800010400023258400200050801809aaa191b5321b86a1b86a1c864321ca190ea1d43f177245385090554cbc85"
	lz4Legacy   = "02214c180c000000b06c65676163790a6c7a340a"
	xzSHA256    = "fd377a585a00000ae1fb0ca10200210116000000742fe5a3010001610a00000087428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7000132027680f823189b4b9a01000000000a595a"
)

// Form is a compressed file and its content.
type Form struct {
	Name, Format string
	Stored       []byte
	Text         string
}

// Forms returns the variants in which each format may come, and data that only
// looks compressed.
func Forms(t testing.TB) []Form {
	t.Helper()
	a, b := StoreAll(t, "one\ntwo\nthr"), StoreAll(t, "ee\nfour")
	text := "one\ntwo\nthree\nfour"
	thirty := strings.Repeat("a line of it\n", 30)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	zeros := func(n int) []byte { return make([]byte, n) }
	skip := join([]byte("\x5a\x2a\x4d\x18\x05\x00\x00\x00"), []byte("12345"))
	longSkip := join([]byte("\x50\x2a\x4d\x18\x00\x00\x02\x00"), zeros(2<<16))
	return []Form{
		{"gzip members", "gzip", join(a["gzip"], b["gzip"]), text},
		{"gzip with padding", "gzip", join(a["gzip"], b["gzip"], zeros(3)), text},
		{"gzip with much padding", "gzip", join(a["gzip"], zeros(10<<20), b["gzip"], zeros(10<<20)), text},
		{"gzip empty members", "gzip", join(a["gzip"], bytes.Repeat(Store(t, "gzip", ""), 1000), b["gzip"]), text},
		{"zstd frames", "zstd", join(a["zstd"], b["zstd"]), text},
		{"zstd skippable frames", "zstd", join(skip, a["zstd"], skip, skip, b["zstd"], skip), text},
		{"zstd after a long skippable frame", "zstd", join(longSkip, a["zstd"], longSkip, b["zstd"]), text},
		{"only skippable frames", "zstd", join(skip, skip), ""},
		{"lz4 frames", "lz4", join(a["lz4"], b["lz4"]), text},
		{"lz4 skippable frames", "lz4", join(skip, a["lz4"], skip, b["lz4"], skip), text},
		{"lz4 legacy", "lz4", Unhex(t, lz4Legacy), "legacy\nlz4\n"},
		{"bzip2", "bzip2", Unhex(t, bzip2Thirty), thirty},
		{"bzip2 without final newline", "bzip2", Unhex(t, bzip2Three), "one\ntwo\nthree"},
		{"bzip2 empty", "bzip2", Unhex(t, bzip2Empty), ""},
		{"bzip2 streams", "bzip2", Unhex(t, bzip2Three+bzip2Empty+bzip2Thirty), "one\ntwo\nthree" + thirty},
		{"xz streams", "xz", join(a["xz"], b["xz"]), text},
		{"xz with padding", "xz", join(a["xz"], zeros(8), b["xz"], zeros(4)), text},
		{"xz blocks, CRC32", "xz", Unhex(t, XZBlocks), strings.Repeat("0123456789\n", 3)},
		{"xz SHA-256", "xz", Unhex(t, xzSHA256), "a\n"},
		{"text like bzip2", "none", []byte("BZh9 is how it begins\n"), "BZh9 is how it begins\n"},
		{"beginning of a magic", "none", []byte("\x1f\x8b"), "\x1f\x8b"},
	}
}

// Intact returns a file of one stream in each format but "none", by format. Most
// hold enough text for several blocks.
func Intact(t testing.TB) map[string]Form {
	t.Helper()
	all := map[string]Form{
		"bzip2": {"bzip2", "bzip2", Unhex(t, bzip2Thirty), strings.Repeat("a line of it\n", 30)},
	}
	text := LongText()
	for format := range Writers() {
		all[format] = Form{format, format, Store(t, format, text), text}
	}
	return all
}

// LongText returns text that makes several small blocks in each format.
func LongText() string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < 6000 {
		fmt.Fprintf(&b, "line %d %x\n", b.Len(), r.Uint64())
	}
	return b.String()
}
