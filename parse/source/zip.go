package source

import (
	"context"
	"io"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress"
)

// readDeflated reads a compressed file of a zip archive.
func (w *worker) readDeflated(ctx context.Context, input int, m *member) Result {
	f, err := openUnsniffed(input, m.archive)
	if err != nil {
		w.handler.Open(input, nil)
		return Result{Compression: m.stored, Err: err}
	}
	defer f.close()
	z := openInflated(f.file, m, w.inputs[input].ceiling)
	r := w.readStream(ctx, input, z, nil)
	return relocated(r, m.stored, m.Offset, m.Offset+z.at())
}

// inflated is the content of a compressed file of a zip archive. Its errors are explained.
type inflated struct {
	limited
	inner spent
}

var _ layer = (*inflated)(nil)

// openInflated decodes a compressed file of a zip archive up to a ceiling.
func openInflated(file io.ReaderAt, m *member, top ceiling) *inflated {
	z := archive.Inflate(file, &m.Member)
	return &inflated{limited: *top.limit(compress.Guard(z), z.Used, &spent{})}
}

func (i *inflated) at() int64 { return i.stored() }

func (i *inflated) upper() *spent { return &i.inner }

func (i *inflated) Read(p []byte) (int, error) {
	n, err := i.limited.Read(p)
	if err != nil && err != io.EOF {
		err = explain("deflate", err)
	}
	return n, err
}
