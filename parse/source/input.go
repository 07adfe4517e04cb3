package source

import (
	"io"
	"os"
	"strings"
	"time"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress"
	"logscan/parse/source/object"
)

// Stdin is the argument that stands for standard input, and the Path of the Input
// that reads it.
const Stdin = "-"

// Input is something to read: a file, an object of a store, standard input, or a file in an
// archive. It is made by Expand, ExpandURLs and Members.
type Input struct {
	Path string // cleaned, for display; "-" is standard input

	size    int64          // bytes when Expand saw it, to balance the work; -1 if it was no regular file
	written time.Time      // when it was last changed before that; zero if not known
	direct  bool           // see Direct
	ceiling ceiling        // limits what it decompresses to
	reader  io.Reader      // standard input; nil for what is opened by its path
	object  *object.Object // in an object store or on a web server; nil for other inputs
	member  *member        // its place in an archive; nil for a file
	kept    *Kept          // what is read in the place of the file; nil for a file
	settled *Result        // its result, if there is nothing to read
	resume  *resumption    // where an earlier run stopped; nil to read all of it
	begins  fingerprint    // of the beginning, if Members has looked into it
	span    *Span          // the range that is read of a plain file; nil for all of it
}

// member is the place of an input in an archive.
type member struct {
	archive.Member
	archive     place
	stored      string // how the archive is stored, in the terms of Result.Compression
	compression compress.Format
	number      int         // index among the files of a compressed tar
	print       fingerprint // of the content, if listing the archive decoded it
}

// Direct reports whether the input is certainly a regular file of this name in a directory
// that was listed, and no symbolic link.
func (in *Input) Direct() bool { return in.direct }

// pipe reports whether the input is a file that can be read only once. For a file that
// was a regular one openFile notices if it has been replaced.
func (in *Input) pipe() bool {
	if in.member != nil || in.settled != nil || in.size >= 0 {
		return false
	}
	info, err := os.Stat(in.Path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// sequential reports whether everything before the input must be decoded first.
func (in *Input) sequential() bool {
	return in.member != nil && in.member.compression != compress.None
}

// layered reports whether the input is decoded from data that is itself decoded.
func (in *Input) layered() bool { return in.sequential() || in.member != nil && in.member.Deflated }

// open opens the file of the input, or the part of an archive that holds it. Of a
// compressed tar it opens the whole.
func (in *Input) open(input int) (*plainFile, error) {
	if in.kept != nil {
		return openKept(input, in.kept), nil
	}
	m := in.member
	if m == nil {
		return openPlain(input, place{in.Path, in.object})
	}
	f, err := openPlain(input, m.archive)
	if err != nil || m.compression != compress.None {
		return f, err
	}
	// One byte more than the file holds shows that it is cut off: an archive may
	// claim any size.
	size := min(m.Stored, max(f.size-m.Offset, 0)+1)
	f.data, f.base, f.size, f.short = io.NewSectionReader(f.file, m.Offset, size), m.Offset, size, archive.ErrTruncated
	err = f.sniff()
	f.stored = m.stored
	return f, err
}

// Modified returns when the input was last changed, as Expand saw it, or the zero time
// if that is not known, as for a pipe.
func (in Input) Modified() time.Time {
	if in.member != nil {
		return in.member.Modified
	}
	if !in.written.IsZero() {
		return in.written
	}
	var info os.FileInfo
	var err error
	if f, ok := in.reader.(*os.File); ok {
		info, err = f.Stat()
	} else if in.reader == nil {
		info, err = os.Stat(in.Path)
	}
	if err != nil || info == nil || !info.Mode().IsRegular() {
		return time.Time{}
	}
	return info.ModTime()
}

// StoredSize returns how many bytes the inputs have as they are stored. all is
// false if the size of some is not known; they are left out.
func StoredSize(inputs []Input) (bytes int64, all bool) {
	all = true
	for i := range inputs {
		if inputs[i].size < 0 {
			all = false
			continue
		}
		bytes += inputs[i].size
	}
	return bytes, all
}

// byPath orders inputs by path, standard input last.
func byPath(a, b Input) int {
	if stdin := a.Path == Stdin; stdin != (b.Path == Stdin) {
		if stdin {
			return 1
		}
		return -1
	}
	return strings.Compare(a.Path, b.Path)
}
