// Package archive lists and reads the files in tar and zip archives.
//
// Input are the bytes of an archive, which may be anything; output are its regular
// files one by one, and the error that ended it early. A name is only a label:
// nothing is opened by it, and nothing is written to disk. The package does not
// decode a compressed tar: package source does.
package archive

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"
)

// Kind is a kind of archive.
type Kind uint8

// The kinds. SevenZip and Rar are detected but cannot be read.
const (
	None Kind = iota
	Tar
	Zip
	SevenZip
	Rar
)

func (k Kind) String() string {
	return [...]string{"none", "tar", "zip", "7-Zip", "RAR"}[k]
}

// HeadSize is how many bytes Detect needs from the beginning of an archive.
const HeadSize = blockSize

// Detect returns the kind of archive that begins with head. A log is never taken for one:
// its lines hold no NUL and do not begin with a control character.
func Detect(head []byte) Kind {
	switch {
	case bytes.HasPrefix(head, []byte(zipLocal)), bytes.HasPrefix(head, []byte(zipEnd)):
		return Zip
	case bytes.HasPrefix(head, []byte("7z\xbc\xaf\x27\x1c")):
		return SevenZip
	case bytes.HasPrefix(head, []byte("Rar!\x1a\x07")):
		return Rar
	case isTar(head):
		return Tar
	}
	return None
}

const (
	// MaxMembers is how many files of one archive are listed. Each is an input with a state
	// of its own.
	MaxMembers = 100_000
	// maxName is how many bytes of a name are kept. Names of a mebibyte take next to
	// nothing in a compressed archive.
	maxName = 1 << 10
)

// Errors of archives and of the files in them.
var (
	ErrTruncated = errors.New("archive is truncated")
	errMembers   = fmt.Errorf("archive holds more than %d files: unpack it", MaxMembers)
	errHeader    = errors.New("damaged archive header")
	errDirectory = errors.New("damaged zip directory")
	errOverlap   = errors.New("overlaps another file of the archive")
	errEncrypted = errors.New("is encrypted: unpack the archive")
	errMultiple  = errors.New("is one part of a multi-part zip archive: unpack it")
	errBefore    = errors.New("another archive precedes this one: split them into two files")
	errBehind    = errors.New("other bytes follow the archive")
	errChecksum  = errors.New("wrong zip checksum")
)

// Error is an error at an offset of an archive.
type Error struct {
	Offset int64 // in bytes
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("%v, at byte %d", e.Err, e.Offset) }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Member is a regular file in an archive.
type Member struct {
	Name     string    // as in the archive, but at most maxName bytes; see Label
	Modified time.Time // zero if not known
	Offset   int64     // offset in bytes of its stored data in the archive
	Stored   int64     // size in bytes of the stored data, and of the content unless Deflated
	Deflated bool      // see Inflate
	Err      error     // why it cannot be read at all, or nil

	Size int64  // of the content in bytes; zip archives only
	CRC  uint32 // of the content; zip archives only
}

// Skipped counts the entries of an archive that are not regular files, except for
// directories.
type Skipped struct {
	Links   int // symbolic and hard ones
	Devices int // and FIFOs
	Sparse  int // files with holes
	Others  int
}

// String lists the counts that are not zero.
func (s Skipped) String() string {
	var all []string
	for _, kind := range []struct {
		n         int
		one, many string
	}{
		{s.Links, "link", "links"}, {s.Devices, "device", "devices"},
		{s.Sparse, "sparse file", "sparse files"}, {s.Others, "entry of an unknown kind", "entries of unknown kinds"},
	} {
		if kind.n > 0 {
			all = append(all, english.Plural(kind.n, kind.one, kind.many))
		}
	}
	return strings.Join(all, ", ")
}

// Label turns a name into a relative path for display: without dots that lead elsewhere,
// and without characters that are invisible.
func Label(name string) string {
	label := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, name)
	if label = path.Clean("/" + label)[1:]; label == "" {
		return "unnamed"
	}
	return label
}

// Hidden reports whether a label is that of a hidden file, of a file in a hidden directory,
// or of what macOS adds to an archive. None of these is a log.
func Hidden(label string) bool {
	return strings.HasPrefix(label, ".") || strings.Contains(label, "/.") || strings.HasPrefix(label, "__MACOSX/")
}

// short cuts a name to maxName bytes.
func short(name string) string {
	if len(name) > maxName {
		return strings.Clone(name[:maxName])
	}
	return name
}

// unixTime returns the zero time for values that no archiver means as a time.
func unixTime(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
