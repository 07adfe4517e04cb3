// Package archive lists and reads the files that are in tar and zip archives.
//
// In: the bytes of an archive, which may be anything. Out: its regular files
// one by one, and why it ends where it does. A name is a label: nothing is
// opened by it, and nothing is written. Compression around a tar is not known
// here: that is package source's work.
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
)

// Kind is what archive some bytes are.
type Kind uint8

// The kinds. Of the last two only the names are known.
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

// HeadSize is how many bytes from the beginning tell the kind of an archive.
const HeadSize = blockSize

// Detect tells what archive begins with head. A log cannot be written so that
// it is taken for one: its lines hold no NUL and no control character first.
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
	// MaxMembers is how many files of one archive are listed. Each of them is
	// an input with a state of its own.
	MaxMembers = 100_000
	// maxName is how many bytes of a name are kept. An archive can hold names
	// of a mebibyte that take next to nothing in it.
	maxName = 1 << 10
)

// The reasons why an archive or a file in it cannot be read.
var (
	ErrTruncated = errors.New("archive is truncated")
	errMembers   = fmt.Errorf("archive holds more than %d files: unpack it and give the files", MaxMembers)
	errHeader    = errors.New("damaged archive header")
	errDirectory = errors.New("damaged zip directory")
	errOverlap   = errors.New("overlaps another file of the archive, which no archiver writes")
	errEncrypted = errors.New("is encrypted: unpack the archive and give the file")
	errMultiple  = errors.New("is one of several parts of a zip archive: unpack it and give the files")
	errBefore    = errors.New("another archive stands before this one, and is not read: give each as a file")
	errBehind    = errors.New("other bytes follow the archive")
	errChecksum  = errors.New("wrong zip checksum")
)

// Error says where in an archive the trouble is.
type Error struct {
	Offset int64 // in bytes
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("%v, at byte %d", e.Err, e.Offset) }

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// Member is a regular file in an archive.
type Member struct {
	Name     string    // as it stands there, but at most maxName bytes; see Label
	Modified time.Time // zero when it is not known
	Offset   int64     // in bytes, of what is stored of it in the archive
	Stored   int64     // bytes of that; of what is not deflated also the bytes of content
	Deflated bool      // see Inflate
	Err      error     // why it cannot be read at all

	size int64  // bytes of content; of zip archives
	crc  uint32 // of the content; of zip archives
}

// Skipped counts what is in an archive and is no regular file. Directories do
// not count.
type Skipped struct {
	Links   int // symbolic and hard ones
	Devices int // and FIFOs
	Sparse  int // files with holes
	Others  int
}

// String lists what there is of it, empty when there is nothing.
func (s Skipped) String() string {
	var all []string
	for _, kind := range []struct {
		n         int
		one, many string
	}{
		{s.Links, "link", "links"}, {s.Devices, "device", "devices"},
		{s.Sparse, "sparse file", "sparse files"}, {s.Others, "entry of an unknown kind", "entries of unknown kinds"},
	} {
		switch kind.n {
		case 0:
		case 1:
			all = append(all, "1 "+kind.one)
		default:
			all = append(all, fmt.Sprintf("%d %s", kind.n, kind.many))
		}
	}
	return strings.Join(all, ", ")
}

// Label makes a name of an archive fit to be shown: a relative path without
// dots that lead elsewhere, whose characters can all be seen.
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

// Hidden tells whether a label is of a file that begins with a dot, lies in a
// directory that does, or is what macOS adds to an archive: none is a log.
func Hidden(label string) bool {
	return strings.HasPrefix(label, ".") || strings.Contains(label, "/.") || strings.HasPrefix(label, "__MACOSX/")
}

// short cuts a name.
func short(name string) string {
	if len(name) > maxName {
		return strings.Clone(name[:maxName])
	}
	return name
}

// unixTime gives the zero time for what no archiver means as a time.
func unixTime(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
