package source

import (
	"io"
	"time"

	"logscan/parse/source/compress"
)

// Kept is content that the program holds itself, such as the last lines of a file that
// grows.
type Kept struct {
	Data io.ReaderAt
	Size int64 // of Data, in bytes
	// Bytes and Lines are how much of the file is left out before Data.
	Bytes, Lines int64
	Modified     time.Time
}

// NewKept returns an input that reads kept content in the place of a file.
func NewKept(path string, k Kept) Input {
	return Input{Path: path, size: k.Size, written: k.Modified, kept: &k}
}

// openKept is openPlain for kept content.
func openKept(input int, k *Kept) *plainFile {
	f := &plainFile{input: input, data: k.Data, size: k.Size, short: io.ErrUnexpectedEOF}
	f.compression = compress.None
	f.stored = f.compression.String()
	return f
}
