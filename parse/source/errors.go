package source

import (
	"errors"
	"fmt"
	"io"

	"logscan/parse/source/archive"
)

// archiveError is the reason when an archive is where only its files can be
// read.
type archiveError struct{ kind archive.Kind }

func (e *archiveError) Error() string {
	switch e.kind {
	case archive.Tar, archive.Zip:
		return fmt.Sprintf("is a %v archive where none can be read: save it as a file and give that, or unpack it", e.kind)
	}
	return fmt.Sprintf("%v archives are not read: unpack it and give the files", e.kind)
}

// errChanged is the reason when a compressed tar is not as it was listed.
var errChanged = errors.New("archive changed while it was read")

// ErrOnce says that an input can be read only once: standard input, a FIFO.
var ErrOnce = errors.New("can be read only once")

// ReadError says where an input could not be read any further.
type ReadError struct {
	Stored       int64 // offset in bytes in the file or stream as it is stored
	Decompressed int64 // offset in bytes in its content, all before it was handed over
	Err          error
}

func (e *ReadError) Error() string {
	if e.Stored == e.Decompressed {
		return fmt.Sprintf("%v, at byte %d", e.Err, e.Stored)
	}
	return fmt.Sprintf("%v, at byte %d (byte %d of the decompressed content)", e.Err, e.Stored, e.Decompressed)
}

// Unwrap gives the reason.
func (e *ReadError) Unwrap() error { return e.Err }

// errShrunk is the reason when a file ends before the size it had when it was
// opened.
var errShrunk = errors.New("file became shorter while it was read")

// errReplaced is the reason when something else has taken the place of a file.
// It may be a FIFO, and waiting for its writer may never end.
var errReplaced = errors.New("was a file, and is none any more")

// RatioError is the reason when an input decompresses to too much.
type RatioError struct{ Max int64 }

func (e *RatioError) Error() string {
	return fmt.Sprintf("decompresses to more than %d times its size, which --max-ratio forbids", e.Max)
}

// explain wraps the error of a decoder of a format for the user.
func explain(format string, err error) error {
	if over := (*RatioError)(nil); errors.As(err, &over) {
		return err // nothing is wrong with the data
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s data is truncated: %w", format, err)
	}
	return fmt.Errorf("%s data cannot be decoded: %w", format, err)
}
