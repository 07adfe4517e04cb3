package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxWindow is the most bytes of earlier content that a zstd or xz input may
// make its decoder keep: what their own tools accept or make without being
// told otherwise. Some bytes of a header could ask for gigabytes.
const maxWindow = 128 << 20

// magicSize is how many bytes tell the compression of most inputs.
const magicSize = 10

// compression is how an input is stored.
type compression uint8

const (
	none compression = iota
	gzipped
	zstandard
	bzipped
	xzipped
	lz4Frames
)

func (c compression) String() string {
	return [...]string{"none", "gzip", "zstd", "bzip2", "xz", "lz4"}[c]
}

// explain makes the error of a decoder one that a user understands.
func (c compression) explain(err error) error { return explain(c.String(), err) }

// explain is compression.explain by name.
func explain(compression string, err error) error {
	if over := (*RatioError)(nil); errors.As(err, &over) {
		return err // nothing is wrong with the data
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s data is truncated: %w", compression, err)
	}
	return fmt.Errorf("%s data cannot be decoded: %w", compression, err)
}

// detect tells the compression by the first bytes of an input. It is not sure
// when more bytes than these would tell more.
func detect(data []byte) (c compression, sure bool) {
	// Skippable frames may be before the first frame of zstd and of lz4.
	for len(data) >= 4 && data[0]&0xf0 == 0x50 && string(data[1:4]) == "\x2a\x4d\x18" {
		if len(data) < 8 {
			return zstandard, false
		}
		size := 8 + int64(binary.LittleEndian.Uint32(data[4:]))
		if size+4 > int64(len(data)) {
			return zstandard, false
		}
		data = data[size:]
		c = zstandard // when nothing follows
	}
	switch {
	case bytes.HasPrefix(data, []byte("\x1f\x8b\x08")):
		return gzipped, true
	case bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")):
		return zstandard, true
	case bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")):
		return xzipped, true
	case bytes.HasPrefix(data, []byte("\x04\x22\x4d\x18")), bytes.HasPrefix(data, []byte("\x02\x21\x4c\x18")):
		return lz4Frames, true
	case len(data) >= magicSize && string(data[:3]) == "BZh" && '1' <= data[3] && data[3] <= '9':
		// The magic of a block, or of the end of an empty file: text may begin
		// with the rest.
		if m := string(data[4:10]); m == "\x31\x41\x59\x26\x53\x59" || m == "\x17\x72\x45\x38\x50\x90" {
			return bzipped, true
		}
	}
	return c, true
}

// sniff tells the compression of what in gives, which it leaves there.
func sniff(in *bufio.Reader) compression {
	data, _ := in.Peek(magicSize) // an error comes again with the next read
	c, sure := detect(data)
	if !sure {
		data, _ = in.Peek(in.Size())
		c, _ = detect(data)
	}
	return c
}

// decoders are one worker's decoders, kept from input to input: their tables
// and windows are large.
type decoders struct {
	in   *bufio.Reader
	gzip *gzipMember
	zstd *zstd.Decoder
}

// input gives a buffered src. It is valid until the next call.
func (d *decoders) input(src io.Reader) *bufio.Reader {
	if d.in == nil {
		d.in = bufio.NewReaderSize(src, storedBuffer)
	}
	d.in.Reset(src)
	return d.in
}

// decoder gives what decodes in. It is valid until the next call.
func (d *decoders) decoder(c compression, in *bufio.Reader) io.Reader {
	switch c {
	case gzipped:
		if d.gzip == nil {
			d.gzip = new(gzipMember)
		}
		return &guard{&gzipReader{in: in, z: d.gzip}}
	case zstandard:
		return &guard{&zstdReader{in: in, z: &d.zstd}}
	case bzipped:
		return &guard{bzip2.NewReader(in)}
	case xzipped:
		return &guard{&xzReader{in: in}}
	case lz4Frames:
		// A new one each time: an old one would let corrupt data refer to the
		// content of the input before.
		r := lz4.NewReader(in)
		if err := r.Apply(lz4.ConcurrencyOption(1)); err != nil {
			panic("BUG: lz4 option: " + err.Error())
		}
		return &guard{r}
	}
	return in
}

// drop forgets a decoder that failed: after a panic its state may be anything.
func (d *decoders) drop(c compression) {
	switch c {
	case gzipped:
		d.gzip = nil
	case zstandard:
		d.zstd = nil // without Close, which may wait when the state is broken
	}
}

// close ends what the decoders hold.
func (d *decoders) close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}

// errPanic is the reason when a decoder panicked on its input.
var errPanic = errors.New("decoder panicked")

// guard turns a panic of a decoder into an error: the bytes that it decodes
// are not to be trusted, and other inputs are to be read.
type guard struct{ r io.Reader }

func (g *guard) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("%w: %v", errPanic, v)
		}
	}()
	return g.r.Read(p)
}

// errTrailing is the reason when something else follows compressed data.
var errTrailing = errors.New("other bytes follow the compressed data")

// gzipReader decodes all members of a gzip file. Zero bytes between and behind
// them are padding, as tapes and some writers leave it.
type gzipReader struct {
	in     *bufio.Reader
	z      *gzipMember
	opened bool // a member was, ever
	member bool // z is in one
}

func (g *gzipReader) Read(p []byte) (int, error) {
	for {
		if !g.member {
			if err := g.next(); err != nil {
				return 0, err
			}
		}
		n, err := g.z.Read(p)
		if err == io.EOF {
			g.member, err = false, nil
			if n == 0 {
				continue
			}
		}
		return n, err
	}
}

// next opens the next member; io.EOF when there is none.
func (g *gzipReader) next() error {
	if g.opened {
		for {
			b, err := g.in.ReadByte()
			if err != nil {
				return err
			}
			if b != 0 {
				break
			}
		}
		if err := g.in.UnreadByte(); err != nil {
			return err
		}
		if magic, _ := g.in.Peek(2); len(magic) == 2 && string(magic) != "\x1f\x8b" || magic[0] != 0x1f {
			return errTrailing
		}
	}
	if err := g.z.Reset(g.in); err != nil {
		return err
	}
	g.opened, g.member = true, true
	return nil
}

// zstdReader opens its decoder with the first read, so that guard sees it.
type zstdReader struct {
	in     *bufio.Reader
	z      **zstd.Decoder // kept by the worker; nil until it is needed
	opened bool
}

func (r *zstdReader) Read(p []byte) (int, error) {
	if !r.opened {
		if err := r.open(); err != nil {
			return 0, err
		}
		r.opened = true
	}
	return (*r.z).Read(p)
}

func (r *zstdReader) open() error {
	if *r.z != nil {
		return (*r.z).Reset(r.in)
	}
	z, err := zstd.NewReader(r.in,
		zstd.WithDecoderConcurrency(1),       // the workers are the concurrency
		zstd.WithDecoderMaxMemory(maxWindow)) // the window too, of streams
	if err != nil {
		return err
	}
	*r.z = z
	return nil
}
