package inflate

import (
	"bufio"
	"bytes"
	stdgzip "compress/gzip"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// BenchmarkGzip decodes an access log and compares with other libraries:
//
//	go test -run - -bench Gzip -count 5 ./parse/source/compress/inflate
//
// LOG=access.log selects a file, of which up to 64 MiB are used. The default is generated.
func BenchmarkGzip(b *testing.B) {
	text := benchText(b)
	src := bytes.NewReader(nil)
	in := bufio.NewReaderSize(src, 64<<10)
	libraries := []struct {
		name string
		open func() (io.Reader, error)
	}{
		{"inflate", func() (io.Reader, error) { return &decoder, decoder.Reset(in) }},
		{"klauspost", opener(new(gzip.Reader), in)},
		{"std", opener(new(stdgzip.Reader), in)},
	}
	for _, level := range []int{1, 6, 9} {
		stored := gzippedByStd(b, text, level)
		for _, library := range libraries {
			b.Run(fmt.Sprintf("level=%d/library=%s", level, library.name), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				buf := make([]byte, 512<<10)
				for b.Loop() {
					src.Reset(stored)
					in.Reset(src)
					r, err := library.open()
					n, size := 0, 0
					for err == nil {
						n, err = r.Read(buf)
						size += n
					}
					if err != io.EOF || size != len(text) {
						b.Fatalf("%d bytes, %v, want %d", size, err, len(text))
					}
				}
			})
		}
	}
}

func opener[R interface {
	io.Reader
	Reset(io.Reader) error
}](r R, in io.Reader) func() (io.Reader, error) {
	return func() (io.Reader, error) { return r, r.Reset(in) }
}

func benchText(b *testing.B) []byte {
	const size = 64 << 20
	path := os.Getenv("LOG")
	if path == "" {
		return logText(size)
	}
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, size))
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// gzippedByStd compresses text by compress/gzip, which finds the same kind of matches as
// gzip.
func gzippedByStd(b *testing.B, text []byte, level int) []byte {
	var stored bytes.Buffer
	w, err := stdgzip.NewWriterLevel(&stored, level)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	return stored.Bytes()
}
