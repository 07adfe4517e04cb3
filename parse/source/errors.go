package source

import (
	"errors"
	"fmt"
	"io"

	"logscan/parse/source/archive"
)

// ReadError reports where reading an input failed.
type ReadError struct {
	Stored       int64 // offset in bytes in the file or stream as it is stored
	Decompressed int64 // offset in bytes in its content; everything before it was handed over
	Err          error
}

func (e *ReadError) Error() string {
	if e.Stored == e.Decompressed {
		return fmt.Sprintf("%v, at byte %d", e.Err, e.Stored)
	}
	return fmt.Sprintf("%v, at byte %d (byte %d of the decompressed content)", e.Err, e.Stored, e.Decompressed)
}

// Unwrap returns the reason.
func (e *ReadError) Unwrap() error { return e.Err }

// RatioError reports that an input decompresses to more than Max times its size.
type RatioError struct{ Max int64 }

func (e *RatioError) Error() string {
	return fmt.Sprintf("decompresses to more than %d times its size (limit set by --max-ratio)", e.Max)
}

// archiveError reports an archive in a place where only its files can be read.
type archiveError struct{ kind archive.Kind }

func (e *archiveError) Error() string {
	switch e.kind {
	case archive.Tar, archive.Zip:
		return fmt.Sprintf("is a %v archive in a stream or another archive: unpack it, or save it as a file", e.kind)
	}
	return fmt.Sprintf("%v archives are not supported: unpack it", e.kind)
}

// ErrOnce is returned for an input that can be read only once: standard input or a
// FIFO.
var ErrOnce = errors.New("can be read only once")

var (
	errShrunk  = errors.New("file shrank while it was read")
	errChanged = errors.New("archive changed while it was read")
	// errReplaced means that a file has been replaced by something else, perhaps a
	// FIFO, whose writer may never come.
	errReplaced = errors.New("is no longer a regular file")

	// An input that begins like content counted by an earlier run but does not
	// continue it is rejected: it must be counted neither twice nor in part.
	errShorter     = errors.New("is shorter than the content already counted: skipped")
	errDiverged    = errors.New("differs from the content already counted after an identical beginning: skipped")
	errAnotherFile = errors.New("was replaced by another file while it was read")
)

// explain adds to the error of a decoder what it means for the user.
func explain(format string, err error) error {
	if over := (*RatioError)(nil); errors.As(err, &over) {
		return err // nothing is wrong with the data
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s data is truncated: %w", format, err)
	}
	return fmt.Errorf("%s data is corrupt: %w", format, err)
}
