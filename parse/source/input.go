package source

import (
	"io"
	"os"
	"strings"
	"time"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress"
)

// member is where an input lies in an archive.
type member struct {
	archive.Member
	file        string // path of the archive
	stored      string // how the archive is stored, as Result.Compression tells it
	compression compress.Format
	number      int         // among the files of a compressed tar, in its order
	print       fingerprint // of the content, where listing the archive showed it
}

// pipe tells whether an input is a file that can be read but once.
func (in *Input) pipe() bool {
	if in.member != nil || in.told != nil {
		return false
	}
	info, err := os.Stat(in.Path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// sequential tells whether all that is before an input must be decoded first.
func (in *Input) sequential() bool { return in.member != nil && in.member.compression != compress.None }

// layered tells whether an input is decoded from what is itself decoded.
func (in *Input) layered() bool { return in.sequential() || in.member != nil && in.member.Deflated }

// open opens the file of an input, or the part of one that is stored of it; of
// what is in a compressed tar all of that.
func (in *Input) open(input int) (*plainFile, error) {
	m := in.member
	if m == nil {
		return openPlain(input, in.Path)
	}
	f, err := openPlain(input, m.file)
	if err != nil || m.compression != compress.None {
		return f, err
	}
	// One byte more than there is shows that there are too few: an archive may
	// say anything of its files.
	size := min(m.Stored, max(f.size-m.Offset, 0)+1)
	f.data, f.base, f.size, f.short = io.NewSectionReader(f.file, m.Offset, size), m.Offset, size, archive.ErrTruncated
	err = f.sniff()
	f.stored = m.stored
	return f, err
}

// Stdin is the argument that stands for standard input, and the Path of the
// Input that reads it.
const Stdin = "-"

// Input is something to read. Expand makes them, and Members of archives.
type Input struct {
	Path string // as it is shown, cleaned; "-" is standard input

	size    int64       // bytes as Expand saw them, to balance the work; -1 not known
	ceiling ceiling     // of what it decompresses to
	reader  io.Reader   // standard input; nil for what is opened by its path
	member  *member     // where it is in an archive; nil for a file
	told    *Result     // what became of it, where there is nothing to read
	resume  *resumption // where it goes on; nil from the beginning
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

// Modified tells when the input was last changed; the zero time where that is
// not known, as of a pipe.
func (in Input) Modified() time.Time {
	if in.member != nil {
		return in.member.Modified
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

// StoredSize is how many bytes the inputs have as they are stored, and whether
// that is known of all of them.
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
