package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"logscan/parse/source/compress/compresstest"
)

// manyLines is the number of lines of manyText.
const manyLines = 3000

// manyText returns the log in the faulty inputs. It is made when it is first used, not
// whenever a script runs this program as logscan.
var manyText = sync.OnceValue(func() string {
	var b strings.Builder
	for i := range manyLines {
		fmt.Fprintf(&b, `192.0.2.%d - - [09/Mar/2026:10:%02d:%02d +0000] "GET /a/%d HTTP/1.1" 200 512 "-" "curl/8.5.0"`+"\n", i%7, i/60%60, i%60, i)
	}
	return b.String()
})

// goodLines is the number of lines of goodText, all of them 401s.
const goodLines = 50

// goodText is the good input that is scanned beside every fault.
var goodText = strings.Repeat(`198.51.100.7 - - [09/Mar/2026:11:00:00 +0000] "GET /b HTTP/1.1" 401 90 "-" "curl/8.5.0"`+"\n", goodLines)

// container is a way to store text, with the offsets of its parts.
type container struct {
	name   string
	pack   func(t *testing.T, text string) []byte
	header int  // length of a prefix that identifies the container but holds no data
	flag   int  // offset of a significant byte in the header
	bit    byte // significant bit of that byte
	sum    int  // distance of a checksum from the end in bytes, 0 for none
}

var containers = []container{
	{"gzip", packer(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }), 8, 3, 0x02, 7},
	{"zstd", packer(func(w io.Writer) (io.WriteCloser, error) {
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(64<<10))
	}), 5, 4, 0x08, 2},
	{"bzip2", func(t *testing.T, text string) []byte {
		if text != manyText() {
			t.Fatal("there is no bzip2 encoder")
		}
		return contentOf(t, "testdata/faults/many.log.bz2")
	}, 12, 11, 0x40, 3},
	{"xz", packer(func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 1 << 16}.NewWriter(w) }), 8, 7, 0x01, 9},
	{"lz4", packer(func(w io.Writer) (io.WriteCloser, error) {
		z := lz4.NewWriter(w)
		return z, z.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ConcurrencyOption(1))
	}), 6, 5, 0x10, 2},
	{"tar", func(t *testing.T, text string) []byte { return tarOf(t, tar.Header{Name: "many.log"}, text) }, 512 + 100, 0, 0x01, 0},
	{"tar.gz", func(t *testing.T, text string) []byte {
		return packer(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })(t, string(tarOf(t, tar.Header{Name: "many.log"}, text)))
	}, 8, 3, 0x02, 7},
	{"zip", func(t *testing.T, text string) []byte {
		return zipOf(t, zip.FileHeader{Name: "many.log", Method: zip.Deflate}, text)
	}, 20, 8, 0x40, 0},
}

func packer(writer func(io.Writer) (io.WriteCloser, error)) func(*testing.T, string) []byte {
	return func(t *testing.T, text string) []byte {
		t.Helper()
		return compresstest.StoreBy(t, writer, text)
	}
}

// tarOf returns a tar archive of one file.
func tarOf(t *testing.T, h tar.Header, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	h.Mode, h.ModTime = 0o600, time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	if h.Linkname == "" {
		h.Size = int64(len(content))
	}
	if err := w.WriteHeader(&h); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)[:h.Size]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipOf returns a zip archive of one file.
func zipOf(t *testing.T, h zip.FileHeader, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func contentOf(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// damages holds the ways to damage a container.
var damages = []struct {
	name string
	make func(c *container, data []byte) []byte
}{
	{"whole", func(_ *container, data []byte) []byte { return data }},
	{"cut in the header", func(c *container, data []byte) []byte { return data[:c.header] }},
	{"cut in the middle", func(_ *container, data []byte) []byte { return data[:len(data)/2] }},
	{"cut in the trailer", func(_ *container, data []byte) []byte { return data[:len(data)-3] }},
	{"flipped in the header", func(c *container, data []byte) []byte { return flipped(data, c.flag, c.bit) }},
	{"flipped in the data", func(_ *container, data []byte) []byte { return flipped(data, len(data)/2, 0x10) }},
	{"flipped in the checksum", func(c *container, data []byte) []byte { return flipped(data, len(data)-c.sum, 0x10) }},
	{"twice", func(_ *container, data []byte) []byte { return append(slices.Clone(data), data...) }},
	{"and garbage", func(_ *container, data []byte) []byte { return append(slices.Clone(data), "garbage behind it\n"...) }},
	{"and a cut one", func(_ *container, data []byte) []byte { return append(slices.Clone(data), data[:len(data)/2]...) }},
}

// damage returns manyText in a damaged container.
func damage(t *testing.T, container, what string) []byte {
	t.Helper()
	for _, c := range containers {
		for _, d := range damages {
			if c.name == container && d.name == what {
				return d.make(&c, c.pack(t, manyText()))
			}
		}
	}
	t.Fatalf("no damage %s to %s", what, container)
	return nil
}

func flipped(data []byte, at int, bit byte) []byte {
	data = slices.Clone(data)
	data[at] ^= bit
	return data
}

// faulty is the directory and the arguments of one fault.
type faulty struct {
	t     *testing.T
	dir   string
	args  []string // inputs beside good.log, and flags
	stdin io.Reader
}

func (f *faulty) path(name string) string { return filepath.Join(f.dir, name) }

func (f *faulty) write(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// put writes a file and adds it to the inputs.
func (f *faulty) put(name, content string) {
	f.t.Helper()
	f.write(name, content)
	f.args = append(f.args, f.path(name))
}

// link creates a symbolic link and adds it to the inputs.
func (f *faulty) link(target, name string) {
	f.t.Helper()
	if err := os.Symlink(target, f.path(name)); err != nil {
		f.t.Skip("no symbolic links: ", err)
	}
	f.args = append(f.args, f.path(name))
}

func (f *faulty) mkdir(name string) {
	f.t.Helper()
	if err := os.Mkdir(f.path(name), 0o700); err != nil {
		f.t.Fatal(err)
	}
}

// failing returns err at the end of its reader.
type failing struct {
	io.Reader
	err error
}

func (r *failing) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		err = r.err
	}
	return n, err
}

// zstdBomb returns a line of 275 MB in 8 KB, made of RLE blocks that repeat a byte
// 131,072 times.
var zstdBomb = sync.OnceValue(func() string {
	const blocks, block = 2100, 128 << 10
	b := []byte("\x28\xb5\x2f\xfd\x00\x38") // a window of 128 KiB
	for i := range blocks {
		header := block<<3 | 1<<1
		if i == blocks-1 {
			header |= 1
		}
		b = append(b, byte(header), byte(header>>8), byte(header>>16), 'x')
	}
	return string(b)
})
