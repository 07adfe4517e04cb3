package compress

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"logscan/parse/source/compress/inflate"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	// BufferSize is the size in bytes of the buffer that decoders read from.
	BufferSize = 64 << 10
	// maxWindow is how many bytes of earlier content a zstd or xz input may make its
	// decoder keep: what the formats' own tools accept or write by default. A header
	// of a few bytes could ask for gigabytes.
	maxWindow = 128 << 20
)

// ErrTrailing means that something else follows the compressed data.
var ErrTrailing = errors.New("other bytes follow the compressed data")

// Decoders holds the decoders of one goroutine. They are reused from input to
// input, because their tables and windows are large. The zero value is ready.
type Decoders struct {
	in   *bufio.Reader
	gzip *inflate.Gzip
	zstd *zstd.Decoder
}

// Buffer returns a buffered src. It is valid until the next call.
func (d *Decoders) Buffer(src io.Reader) *bufio.Reader {
	if d.in == nil {
		d.in = bufio.NewReaderSize(src, BufferSize)
	}
	d.in.Reset(src)
	return d.in
}

// Reader returns a reader of the content of in, which is in itself if f is None.
// It is valid until the next call.
func (d *Decoders) Reader(f Format, in *bufio.Reader) io.Reader {
	switch f {
	case Gzip:
		if d.gzip == nil {
			d.gzip = new(inflate.Gzip)
		}
		return Guard(&gzipReader{in: in, z: d.gzip})
	case Zstd:
		if d.zstd == nil {
			var err error
			d.zstd, err = zstd.NewReader(nil,
				zstd.WithDecoderConcurrency(1),       // callers decode in parallel themselves
				zstd.WithDecoderMaxMemory(maxWindow)) // also limits the window of streams
			if err != nil {
				panic("BUG: zstd option: " + err.Error())
			}
		}
		if err := d.zstd.Reset(in); err != nil {
			panic("BUG: zstd decoder: " + err.Error()) // it is not closed
		}
		return Guard(d.zstd)
	case Bzip2:
		return Guard(bzip2.NewReader(in))
	case XZ:
		return Guard(&xzReader{in: in})
	case LZ4:
		// Not reused: a used reader would let corrupt data refer to the content of
		// the input before.
		r := lz4.NewReader(in)
		if err := r.Apply(lz4.ConcurrencyOption(1)); err != nil {
			panic("BUG: lz4 option: " + err.Error())
		}
		return Guard(r)
	}
	return in
}

// Drop discards the decoder of a format after an error: after a panic its state
// may be anything.
func (d *Decoders) Drop(f Format) {
	switch f {
	case Gzip:
		d.gzip = nil
	case Zstd:
		d.zstd = nil // without Close, which could wait if the state is broken
	}
}

// Close releases the decoders.
func (d *Decoders) Close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}

// errPanic means that a decoder panicked on its input.
var errPanic = errors.New("decoder panicked")

// Guard returns a reader that turns a panic of r into an error: one bad input must
// not keep others from being read.
func Guard(r io.Reader) io.Reader { return &guard{r} }

type guard struct{ r io.Reader }

func (g *guard) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("%w: %v", errPanic, v)
		}
	}()
	return g.r.Read(p)
}
