package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

const (
	// blockSize is the unit of a tar archive in bytes.
	blockSize = 512
	// recordSize is the size in bytes to a multiple of which archives are padded.
	recordSize = 20 * blockSize
)

// isTar reports whether data begins with the header of a tar archive: its checksum is
// right, and bytes that no format uses are NUL.
func isTar(data []byte) bool {
	if len(data) < blockSize || data[0] == 0 || !zero(data[500:508]) {
		return false
	}
	const sumAt, sumEnd = 148, 156
	want, err := strconv.ParseInt(strings.Trim(string(data[sumAt:sumEnd]), " \x00"), 8, 64)
	if err != nil {
		return false
	}
	var sum, signed int64 // old archivers summed signed bytes
	for i, b := range data[:blockSize] {
		if i >= sumAt && i < sumEnd {
			b = ' '
		}
		sum += int64(b)
		signed += int64(int8(b))
	}
	return want == sum || want == signed
}

// EmptyTar reports whether r holds nothing but a tar archive without files, in one of the
// sizes that archivers write. NUL bytes of any other size are what a crash may leave of a
// log.
func EmptyTar(r io.Reader) bool {
	data := make([]byte, recordSize+1)
	n, err := io.ReadFull(r, data)
	return err == io.ErrUnexpectedEOF && (n == 2*blockSize || n == recordSize) && zero(data[:n])
}

// TarReader reads a tar archive sequentially.
type TarReader struct {
	Skipped Skipped // entries before the current file

	src   tracked
	tar   *tar.Reader
	count int
}

// NewTar returns a reader of src. It seeks if src is an io.Seeker.
func NewTar(src io.Reader) *TarReader {
	t := &TarReader{src: tracked{src: src}}
	t.src.seeker, _ = src.(io.Seeker)
	t.tar = tar.NewReader(&t.src)
	return t
}

// Next advances to the next regular file. It returns io.EOF at the regular end of the
// archive, an error of src as it is, or an *Error.
func (t *TarReader) Next() (Member, error) {
	for {
		h, err := t.tar.Next()
		switch {
		case err == io.EOF:
			if err := t.end(); err != nil {
				return Member{}, err
			}
			continue
		case err != nil:
			return Member{}, t.explain(err)
		case t.skip(h):
			continue
		}
		if t.count++; t.count > MaxMembers {
			return Member{}, &Error{t.src.n, errMembers}
		}
		return Member{Name: short(h.Name), Offset: t.src.n, Stored: h.Size, Modified: unixTime(h.ModTime.Unix())}, nil
	}
}

// skip reports whether the entry is not a regular file, and counts it.
func (t *TarReader) skip(h *tar.Header) bool {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont:
		for key := range h.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				t.Skipped.Sparse++
				return true
			}
		}
		return false
	case tar.TypeDir, tar.TypeXGlobalHeader:
	case tar.TypeLink, tar.TypeSymlink:
		t.Skipped.Links++
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		t.Skipped.Devices++
	case tar.TypeGNUSparse:
		t.Skipped.Sparse++
	default:
		t.Skipped.Others++
	}
	return true
}

// Offset returns the offset in the archive of what is read next.
func (t *TarReader) Offset() int64 { return t.src.n }

// Read reads the content of the current file.
func (t *TarReader) Read(p []byte) (int, error) {
	n, err := t.tar.Read(p)
	if err != nil && err != io.EOF {
		err = t.explain(err)
	}
	return n, err
}

// end reads the end of an archive: NUL bytes, perhaps followed by another archive, as tar
// --concatenate leaves it. It returns io.EOF if there is none.
func (t *TarReader) end() error {
	if t.src.zeros < blockSize {
		return &Error{t.src.n, ErrTruncated}
	}
	buf := make([]byte, 128*blockSize)
	for {
		n, err := io.ReadFull(&t.src, buf)
		data := buf[:n]
		if i := len(data) - len(bytes.TrimLeft(data, "\x00")); i < n {
			// A header begins with a name, which does not begin with NUL.
			i -= i % blockSize
			if !isTar(data[i:]) {
				return &Error{t.src.n - int64(n-i), errBehind}
			}
			t.src.unread(data[i:])
			t.tar = tar.NewReader(&t.src)
			return nil
		}
		switch {
		case t.src.err != nil:
			return t.src.err
		case err != nil:
			return io.EOF
		}
	}
}

// explain distinguishes an error of the source from one of the archive.
func (t *TarReader) explain(err error) error {
	switch {
	case t.src.err != nil:
		return t.src.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = ErrTruncated
	default:
		err = errHeader
	}
	return &Error{t.src.n, err}
}

// tracked is a source that counts its offset.
type tracked struct {
	src    io.Reader
	seeker io.Seeker // nil if src cannot be sought
	back   []byte    // bytes to read again before src
	n      int64     // bytes read or sought over, without those in back
	zeros  int64     // length of the run of NUL bytes read last
	err    error     // of src, except io.EOF
}

func (t *tracked) Read(p []byte) (n int, err error) {
	if len(t.back) > 0 {
		n = copy(p, t.back)
		t.back = t.back[n:]
	} else {
		n, err = t.src.Read(p)
		if err != nil && err != io.EOF {
			t.err = err
		}
	}
	t.n += int64(n)
	if last := len(bytes.TrimRight(p[:n], "\x00")); last > 0 {
		t.zeros = int64(n - last)
	} else {
		t.zeros += int64(n)
	}
	return n, err
}

// unread makes the next Read return data, the last bytes read.
func (t *tracked) unread(data []byte) {
	t.back = data
	t.n -= int64(len(data))
}

var errNoSeek = errors.New("cannot seek")

// Seek lets package tar skip files.
func (t *tracked) Seek(offset int64, whence int) (int64, error) {
	if t.seeker == nil || whence != io.SeekCurrent || offset < 0 {
		return 0, errNoSeek
	}
	if known := min(offset, int64(len(t.back))); known > 0 {
		t.back = t.back[known:]
		t.n += known
		offset -= known
	}
	if offset > 0 {
		if _, err := t.seeker.Seek(offset, io.SeekCurrent); err != nil {
			return 0, err
		}
		t.n += offset
	}
	t.zeros = 0
	return t.n, nil
}

func zero(data []byte) bool { return len(bytes.TrimLeft(data, "\x00")) == 0 }

// ListTar lists the files of a tar archive that can be sought. The error is nil at the
// regular end of the archive, else that of r or an *Error; the files listed before it are
// valid. check is called for every file and ends the list by an error.
func ListTar(r io.ReadSeeker, check func() error) (members []Member, skipped Skipped, err error) {
	t := NewTar(r)
	for {
		if err := check(); err != nil {
			return members, t.Skipped, err
		}
		m, err := t.Next()
		if err == io.EOF {
			return members, t.Skipped, nil
		}
		if err != nil {
			return members, t.Skipped, err
		}
		members = append(members, m)
	}
}
