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
	// recordSize is what its length is filled up to, in bytes.
	recordSize = 20 * blockSize
)

// isTar tells whether data begins with a header of a tar archive: its checksum
// is right, and where no format has a field there are NUL bytes.
func isTar(data []byte) bool {
	if len(data) < blockSize || data[0] == 0 || !zero(data[500:508]) {
		return false
	}
	const sumAt, sumEnd = 148, 156
	want, err := strconv.ParseInt(strings.Trim(string(data[sumAt:sumEnd]), " \x00"), 8, 64)
	if err != nil {
		return false
	}
	var sum, signed int64 // old archivers took bytes for signed
	for i, b := range data[:blockSize] {
		if i >= sumAt && i < sumEnd {
			b = ' '
		}
		sum += int64(b)
		signed += int64(int8(b))
	}
	return want == sum || want == signed
}

// EmptyTar tells whether all that r gives is a tar archive without a file: as
// many NUL bytes as archivers write then. A page of them is what a crash leaves
// of a log.
func EmptyTar(r io.Reader) bool {
	data := make([]byte, recordSize+1)
	n, err := io.ReadFull(r, data)
	return err == io.ErrUnexpectedEOF && (n == 2*blockSize || n == recordSize) && zero(data[:n])
}

// TarReader reads a tar archive from its beginning to its end.
type TarReader struct {
	Skipped Skipped // before the file at hand

	src   tracked
	tar   *tar.Reader
	count int
}

// NewTar reads src, which is sought where it can be.
func NewTar(src io.Reader) *TarReader {
	t := &TarReader{src: tracked{src: src}}
	t.src.seeker, _ = src.(io.Seeker)
	t.tar = tar.NewReader(&t.src)
	return t
}

// Next goes to the next regular file. The error is io.EOF at the proper end of
// the archive, that of src when there is one, or an *Error.
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

// skip counts what is no regular file.
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

// Offset tells how many bytes of the archive are before what is read next.
func (t *TarReader) Offset() int64 { return t.src.n }

// Read reads the content of the file at hand.
func (t *TarReader) Read(p []byte) (int, error) {
	n, err := t.tar.Read(p)
	if err != nil && err != io.EOF {
		err = t.explain(err)
	}
	return n, err
}

// end goes over the end of an archive: NUL bytes, and perhaps another archive
// behind them, as tar --concatenate leaves it. It gives io.EOF when there is
// none.
func (t *TarReader) end() error {
	if t.src.zeros < blockSize {
		return &Error{t.src.n, ErrTruncated}
	}
	buf := make([]byte, 128*blockSize)
	for {
		n, err := io.ReadFull(&t.src, buf)
		data := buf[:n]
		if i := len(data) - len(bytes.TrimLeft(data, "\x00")); i < n {
			// A header begins with a name, and a name with another byte.
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

// explain tells an error of the source from one of the archive.
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

// tracked is a source whose offset is known.
type tracked struct {
	src    io.Reader
	seeker io.Seeker // nil when src cannot be sought
	back   []byte    // to be read again before src
	n      int64     // bytes read or sought over, but those in back
	zeros  int64     // how many of the last of them were read as NUL
	err    error     // of src, but io.EOF
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

// unread makes data, the last that was read, be read again.
func (t *tracked) unread(data []byte) {
	t.back = data
	t.n -= int64(len(data))
}

var errNoSeek = errors.New("cannot be sought")

// Seek is for package tar, which goes forward by it.
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

// ListTar lists the files of a tar archive that can be sought. The error, nil
// at its proper end, is that of r or an *Error: what is listed can be used all
// the same. check is called for every file, and ends the list by an error.
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
