package compress

import (
	"bufio"

	"github.com/klauspost/compress/zstd"
)

// zstdReader opens its decoder with the first read, so that Guard catches a panic.
type zstdReader struct {
	in     *bufio.Reader
	z      **zstd.Decoder // belongs to Decoders; nil until it is needed
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
		zstd.WithDecoderConcurrency(1),       // callers decode in parallel themselves
		zstd.WithDecoderMaxMemory(maxWindow)) // also limits the window of streams
	if err != nil {
		return err
	}
	*r.z = z
	return nil
}
