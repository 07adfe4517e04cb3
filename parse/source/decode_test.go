package source

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// stores gives text as it is stored by each compression that can be written
// here.
func stores(t testing.TB, text string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"none": []byte(text)}
	for name, writer := range writers {
		all[name] = store(t, text, writer)
	}
	return all
}

// writers have windows as small as they can be: tests make many of them.
var writers = map[string]func(io.Writer) (io.WriteCloser, error){
	"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) },
	"zstd": func(w io.Writer) (io.WriteCloser, error) {
		// Empty content gives an empty frame, not an empty file.
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<10), zstd.WithZeroFrames(true))
	},
	"xz": func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 1 << 16}.NewWriter(w) },
	"lz4": func(w io.Writer) (io.WriteCloser, error) {
		z := lz4.NewWriter(w)
		return z, z.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ConcurrencyOption(1))
	},
}

func store(t testing.TB, text string, writer func(io.Writer) (io.WriteCloser, error)) []byte {
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

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	data, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Files of tools that have no writer here.
const (
	bzip2Empty  = "425a683917724538509000000000"
	bzip2Three  = "425a6839314159265359cdfa41fd00000441800010024194802000220d3d26843020435c4d929f8bb9229c284866fd20fe80" // one, two, three; no final newline
	bzip2Thirty = "425a6831314159265359554cbc8500004ad1800010400023258400200050801809aaa191b5321b86a1b86a1c864321ca190ea1d43f177245385090554cbc85"
	lz4Legacy   = "02214c180c000000b06c65676163790a6c7a340a"
	xzSHA256    = "fd377a585a00000ae1fb0ca10200210116000000742fe5a3010001610a00000087428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7000132027680f823189b4b9a01000000000a595a"
	xzBlocks    = "fd377a585a0000016922de3602c00f0b21011600e0d3486801000a303132333435363738390a0000d1e5764002c00f0b21011600e0d3486801000a30313233343536" +
		"3738390a0000d1e5764002c00f0b21011600e0d3486801000a303132333435363738390a0000d1e5764000031f0b1f0b1f0b953b3d8f3e300d8b020000000001595a"
)

var thirty = strings.Repeat("a line of it\n", 30)

type form struct {
	name, compression string
	stored            []byte
	text              string
}

// forms are the shapes in which each compression may come.
func forms(t testing.TB) []form {
	t.Helper()
	a, b := stores(t, "one\ntwo\nthr"), stores(t, "ee\nfour")
	text := "one\ntwo\nthree\nfour"
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	zeros := func(n int) []byte { return make([]byte, n) }
	skip := join([]byte("\x5a\x2a\x4d\x18\x05\x00\x00\x00"), []byte("12345"))
	longSkip := join([]byte("\x50\x2a\x4d\x18\x00\x00\x02\x00"), zeros(2<<16))
	return []form{
		{"gzip members", "gzip", join(a["gzip"], b["gzip"]), text},
		{"gzip with padding", "gzip", join(a["gzip"], b["gzip"], zeros(3)), text},
		{"gzip with much padding", "gzip", join(a["gzip"], zeros(10<<20), b["gzip"], zeros(10<<20)), text},
		{"gzip empty members", "gzip", join(a["gzip"], bytes.Repeat(store(t, "", writers["gzip"]), 1000), b["gzip"]), text},
		{"zstd frames", "zstd", join(a["zstd"], b["zstd"]), text},
		{"zstd skippable frames", "zstd", join(skip, a["zstd"], skip, skip, b["zstd"], skip), text},
		{"zstd after a long skippable frame", "zstd", join(longSkip, a["zstd"], longSkip, b["zstd"]), text},
		{"only skippable frames", "zstd", join(skip, skip), ""},
		{"lz4 frames", "lz4", join(a["lz4"], b["lz4"]), text},
		{"lz4 skippable frames", "lz4", join(skip, a["lz4"], skip, b["lz4"], skip), text},
		{"lz4 legacy", "lz4", unhex(t, lz4Legacy), "legacy\nlz4\n"},
		{"bzip2", "bzip2", unhex(t, bzip2Thirty), thirty},
		{"bzip2 without final newline", "bzip2", unhex(t, bzip2Three), "one\ntwo\nthree"},
		{"bzip2 empty", "bzip2", unhex(t, bzip2Empty), ""},
		{"bzip2 streams", "bzip2", unhex(t, bzip2Three+bzip2Empty+bzip2Thirty), "one\ntwo\nthree" + thirty},
		{"xz streams", "xz", join(a["xz"], b["xz"]), text},
		{"xz with padding", "xz", join(a["xz"], zeros(8), b["xz"], zeros(4)), text},
		{"xz blocks, CRC32", "xz", unhex(t, xzBlocks), strings.Repeat("0123456789\n", 3)},
		{"xz SHA-256", "xz", unhex(t, xzSHA256), "a\n"},
		{"text like bzip2", "none", []byte("BZh9 is how it begins\n"), "BZh9 is how it begins\n"},
		{"beginning of a magic", "none", []byte("\x1f\x8b"), "\x1f\x8b"},
	}
}

func TestForms(t *testing.T) {
	for _, f := range forms(t) {
		t.Run(f.name, func(t *testing.T) {
			path := write(t, "misleading.gz", f.stored)
			for from, inputs := range map[string][]Input{
				"file":  expand(t, nil, path),
				"stdin": expand(t, bytes.NewReader(f.stored), Stdin),
			} {
				c, results := readAll(t, inputs, 2, small)
				if got, _ := c.content(0, small); got != f.text {
					t.Errorf("%s: read %q, want %q", from, got, f.text)
				}
				want := Result{Compression: f.compression, Bytes: int64(len(f.text)), StoredBytes: int64(len(f.stored))}
				if results[0] != want {
					t.Errorf("%s: result %+v, want %+v", from, results[0], want)
				}
			}
		})
	}
}

// long is enough text for more than one block of each compression.
func long() string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < 6000 {
		fmt.Fprintf(&b, "line %d %x\n", b.Len(), r.Uint64())
	}
	return b.String()
}

// intact are files of one stream each, by compression.
func intact(t testing.TB) map[string]form {
	t.Helper()
	all := map[string]form{
		"bzip2": {"bzip2", "bzip2", unhex(t, bzip2Thirty), thirty},
	}
	for comp, stored := range stores(t, long()) {
		if comp != "none" {
			all[comp] = form{comp, comp, stored, long()}
		}
	}
	return all
}

func TestTruncated(t *testing.T) {
	for comp, f := range intact(t) {
		t.Run(comp, func(t *testing.T) {
			most := int64(0)
			for n := magicSize; n < len(f.stored); n += 1 + n/50 {
				c, results := readAll(t, expand(t, bytes.NewReader(f.stored[:n]), Stdin), 1, small)
				got, total := c.content(0, small)
				r := results[0]
				if want := shown(f.text[:total], small); got != want {
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
			if comp == "gzip" && most < int64(len(f.text))*9/10 {
				t.Errorf("at most %d bytes were read of %d", most, len(f.text))
			}
		})
	}
}

func TestTruncatedSays(t *testing.T) {
	stored := store(t, long(), writers["gzip"])
	_, results := readAll(t, expand(t, nil, write(t, "log", stored[:len(stored)-3])), 1, small)
	want := fmt.Sprintf("gzip data is truncated: unexpected EOF, at byte %d (byte %d of the decompressed content)",
		len(stored)-3, len(long()))
	if got := fmt.Sprint(results[0].Err); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCorrupt: every compression has checksums, so that a changed byte gives
// an error or does not matter, and what was handed over is accounted for.
func TestCorrupt(t *testing.T) {
	for comp, f := range intact(t) {
		t.Run(comp, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			for range 300 {
				stored := bytes.Clone(f.stored)
				at := magicSize + r.IntN(len(stored)-magicSize)
				stored[at] ^= byte(1 + r.IntN(255))
				c, results := readAll(t, expand(t, bytes.NewReader(stored), Stdin), 2, small)
				got, total := c.content(0, small)
				if results[0].Bytes != total {
					t.Fatalf("byte %d changed: %d bytes, want %d", at, results[0].Bytes, total)
				}
				if results[0].Err == nil && got != shown(f.text, small) {
					t.Fatalf("byte %d changed: no error, but %d other bytes", at, total)
				}
			}
		})
	}
}

func TestTrailing(t *testing.T) {
	for comp, f := range intact(t) {
		stored := append(bytes.Clone(f.stored), strings.Repeat("something else\n", 1000)...)
		c, results := readAll(t, expand(t, nil, write(t, "log", stored)), 1, small)
		if got, _ := c.content(0, small); got != shown(f.text, small) {
			t.Errorf("%s: read %d bytes, want %d", comp, len(got), len(f.text))
		}
		var failed *ReadError
		if !errors.As(results[0].Err, &failed) {
			t.Errorf("%s: error %v", comp, results[0].Err)
			continue
		}
		if want := int64(len(f.text)); failed.Decompressed != want {
			t.Errorf("%s: failed at byte %d of the content, want %d", comp, failed.Decompressed, want)
		}
		// What was read ahead does not count; a decoder looks at a few bytes.
		if ahead := failed.Stored - int64(len(f.stored)); ahead < 0 || ahead > 12 {
			t.Errorf("%s: failed at byte %d, the data ends at %d", comp, failed.Stored, len(f.stored))
		}
		if own := comp == "gzip" || comp == "xz"; own != errors.Is(failed, errTrailing) {
			t.Errorf("%s: error %v", comp, failed)
		}
	}
}

// TestWindow: a header that asks for much memory does not get it.
func TestWindow(t *testing.T) {
	// Frame header without content size; window 2^(10+exponent).
	zstdHeader := func(exponent byte) []byte {
		return []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3, 0x01, 0x00, 0x00}
	}
	// Single segment: the content size, 1 GiB, is the window.
	single := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0x00, 0x00, 0x00, 0x40, 0x01, 0x00, 0x00}
	xzHeader := func(window byte) []byte {
		stored := store(t, "a\n", writers["xz"])
		block := stored[12 : 12+int(stored[12]+1)*4]
		at := bytes.Index(block, []byte{xzLZMA2, 1})
		block[at+2] = window
		binary.LittleEndian.PutUint32(block[len(block)-4:], crc32.ChecksumIEEE(block[:len(block)-4]))
		return stored
	}
	tests := []struct {
		name   string
		stored []byte
		want   error
	}{
		{"zstd 128 MiB", zstdHeader(17), nil},
		{"zstd 256 MiB", zstdHeader(18), zstd.ErrWindowSizeExceeded},
		{"zstd 1 GiB in one segment", single, zstd.ErrDecoderSizeExceeded},
		{"xz 64 MiB", xzHeader(28), nil},
		{"xz 192 MiB", xzHeader(31), errXZWindow},
		{"xz 4 GiB", xzHeader(40), errXZWindow},
		{"xz more than there is", xzHeader(41), errXZHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, results := readAll(t, expand(t, bytes.NewReader(test.stored), Stdin), 1, small)
			if err := results[0].Err; !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

// TestXZRejects changes each field of the container and mends the checksums
// over it, so that the field itself has to be looked at.
func TestXZRejects(t *testing.T) {
	blocks := unhex(t, xzBlocks)
	const blockAt = 12
	mend := func(data []byte, from, to int) {
		binary.LittleEndian.PutUint32(data[to:], crc32.ChecksumIEEE(data[from:to]))
	}
	block := func(change func(header []byte)) []byte {
		data := bytes.Clone(blocks)
		header := data[blockAt : blockAt+12]
		change(header)
		mend(data, blockAt, blockAt+8)
		return data
	}
	index := func(change func(index []byte)) []byte {
		data := bytes.Clone(blocks)
		from := bytes.Index(data, []byte{0x00, 0x03, 0x1f, 0x0b})
		change(data[from:])
		mend(data, from, len(data)-16)
		return data
	}
	tests := []struct {
		name   string
		stored []byte
		want   error
	}{
		{"intact", block(func([]byte) {}), nil},
		{"intact index", index(func([]byte) {}), nil},
		{"reserved flag", block(func(h []byte) { h[1] |= 0x04 }), errXZHeader},
		{"two filters", block(func(h []byte) { h[1] |= 0x01 }), errXZFilter},
		{"another filter", block(func(h []byte) { h[4] = 0x03 }), errXZFilter},
		{"compressed size", block(func(h []byte) { h[2]++ }), errXZSize},
		{"uncompressed size", block(func(h []byte) { h[3]++ }), errXZSize},
		{"number of blocks", index(func(i []byte) { i[1] = 2 }), errXZIndex},
		{"size of a block", index(func(i []byte) { i[4]++ }), errXZIndex},
		{"content of a block", index(func(i []byte) { i[5]++ }), errXZIndex},
		{"block checksum", append(append(bytes.Clone(blocks[:40]), blocks[40]^1), blocks[41:]...), errXZChecksum},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, results := readAll(t, expand(t, bytes.NewReader(test.stored), Stdin), 1, small)
			if err := results[0].Err; !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

// TestDecodersAreReused: what one input leaves in a decoder does not show in
// the next, whatever happened to it.
func TestDecodersAreReused(t *testing.T) {
	var d decoders
	defer d.close()
	read := func(comp compression, stored []byte) (string, error) {
		data, err := io.ReadAll(d.decoder(comp, d.input(bytes.NewReader(stored))))
		if err != nil {
			d.drop(comp)
		}
		return string(data), err
	}
	for comp := gzipped; comp <= lz4Frames; comp++ {
		f := intact(t)[comp.String()]
		for i, stored := range [][]byte{f.stored, f.stored, f.stored[:len(f.stored)/2], f.stored, []byte("no such data"), f.stored} {
			got, err := read(comp, stored)
			if whole := len(stored) == len(f.stored); whole != (err == nil) || whole && got != f.text {
				t.Errorf("%v, read %d: %d bytes, %v", comp, i, len(got), err)
			}
		}
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("index out of range") }

func TestGuard(t *testing.T) {
	n, err := (&guard{panicking{}}).Read(make([]byte, 10))
	if n != 0 || !errors.Is(err, errPanic) || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %d, %v", n, err)
	}
}
