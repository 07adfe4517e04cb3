package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"slices"
)

// The records of a zip archive (APPNOTE.TXT 6.3.10): their signatures, and the sizes in
// bytes of their fixed parts.
const (
	zipLocal      = "PK\x03\x04"
	zipCentral    = "PK\x01\x02"
	zipEnd        = "PK\x05\x06"
	zip64End      = "PK\x06\x06"
	zip64Locator  = "PK\x06\x07"
	zipDescriptor = "PK\x07\x08"

	localSize     = 30
	centralSize   = 46
	endSize       = 22
	zip64EndSize  = 56
	locatorSize   = 20
	maxComment    = 1<<16 - 1
	zip64Is       = 1<<32 - 1 // in a four-byte field: the value is in the zip64 extra field
	zip64Extra    = 0x0001
	timeExtra     = 0x5455
	flagEncrypted = 1 << 0
	flagTrailing  = 1 << 3 // sizes and checksum follow the data
	methodStored  = 0
	methodDeflate = 8
	creatorUnix   = 3
	creatorMacOS  = 19
)

// ListZip lists the files of a zip archive of size bytes, in the order of their data. It
// reads the directory or, if the archive is cut off before that, the local headers. For
// check and the error see ListTar.
func ListZip(r io.ReaderAt, size int64, check func() error) ([]Member, Skipped, error) {
	l := zipList{r: r, size: size, check: check}
	dir, found, err := l.findDirectory()
	switch {
	case err != nil:
	case found:
		if err = l.directory(dir); err == nil {
			err = l.around(dir)
		}
	default:
		err = l.walk()
	}
	slices.SortStableFunc(l.members, func(a, b Member) int { return cmp.Compare(a.Offset, b.Offset) })
	// Files that share the same bytes are a decompression bomb.
	for i, end := 0, int64(0); i < len(l.members); i++ {
		m := &l.members[i]
		if m.Err == nil && m.Stored > 0 && m.Offset < end {
			m.Err = errOverlap
		}
		if m.Err == nil {
			end = max(end, m.Offset+m.Stored)
		}
	}
	return l.members, l.skipped, err
}

// zipList collects the content of a zip archive.
type zipList struct {
	r       io.ReaderAt
	size    int64
	check   func() error
	members []Member
	skipped Skipped
}

// zipDirectory is the place of the directory.
type zipDirectory struct {
	base, start, end int64 // offsets; those stored in the directory are relative to base
	behind           int64 // offset of the end of the archive
	records          uint64
	zip64            bool
}

func (l *zipList) read(p []byte, at int64) error {
	if at < 0 || at > l.size-int64(len(p)) {
		return &Error{max(min(at, l.size), 0), ErrTruncated}
	}
	_, err := l.r.ReadAt(p, at)
	if err == io.EOF {
		err = nil // all bytes were read, or size was wrong
	}
	return err
}

// findDirectory finds the directory by the record at the end of the archive. found is false
// if there is no such record.
func (l *zipList) findDirectory() (d zipDirectory, found bool, err error) {
	tail := make([]byte, min(l.size, endSize+maxComment))
	start := l.size - int64(len(tail))
	if err := l.read(tail, start); err != nil {
		return d, false, err
	}
	at := int64(-1)
	for i := len(tail) - endSize; i >= 0; i-- {
		if string(tail[i:i+4]) == zipEnd && i+endSize+int(u16(tail[i+20:])) <= len(tail) {
			at = start + int64(i)
			break
		}
	}
	if at < 0 {
		return d, false, nil
	}
	end := tail[at-start:]
	d = zipDirectory{end: at, behind: at + endSize + int64(u16(end[20:])), records: uint64(u16(end[10:]))}
	length, offset := uint64(u32(end[12:])), uint64(u32(end[16:]))
	if parts := u16(end[4:]); parts != 0 && parts != 1<<16-1 {
		return d, true, &Error{at, errMultiple}
	}
	// Archivers that write to a pipe add the records of large archives to small ones, too.
	large := d.records == 1<<16-1 || length == zip64Is || offset == zip64Is
	locator, end64 := make([]byte, locatorSize), make([]byte, zip64EndSize)
	if at >= locatorSize && l.read(locator, at-locatorSize) == nil && string(locator[:4]) == zip64Locator {
		at64 := int64(u64(locator[8:]))
		switch {
		case l.read(end64, at64) == nil && string(end64[:4]) == zip64End:
			d.end, d.zip64, d.records, length, offset = at64, true, u64(end64[32:]), u64(end64[40:]), u64(end64[48:])
		case large:
			return d, true, &Error{at - locatorSize, errDirectory}
		}
	}
	if length > uint64(d.end) || offset > uint64(d.end)-length {
		return d, true, &Error{at, errDirectory}
	}
	d.start = d.end - int64(length)
	d.base = d.start - int64(offset)
	return d, true, nil
}

// around returns an error if another archive precedes or follows this one, since the
// directory covers only its own. Anything else before it is a self-extracting program, and
// zero bytes at the end are padding.
func (l *zipList) around(d zipDirectory) error {
	if head := make([]byte, len(zipLocal)); d.base >= endSize && l.read(head, 0) == nil && string(head) == zipLocal {
		return &Error{d.base, errBefore}
	}
	rest := make([]byte, l.size-d.behind) // less than findDirectory has read
	if err := l.read(rest, d.behind); err != nil {
		return err
	}
	if !zero(rest) {
		return &Error{d.behind, errBehind}
	}
	return nil
}

// directory reads the directory of the archive.
func (l *zipList) directory(d zipDirectory) error {
	in := bufio.NewReaderSize(io.NewSectionReader(l.r, d.start, d.end-d.start), 64<<10)
	at, records := d.start, uint64(0)
	head := make([]byte, centralSize)
	var names []byte
	for at < d.end {
		if err := l.check(); err != nil {
			return err
		}
		if _, err := io.ReadFull(in, head); err != nil || string(head[:4]) != zipCentral {
			return &Error{at, errDirectory}
		}
		name, extra, comment := int(u16(head[28:])), int(u16(head[30:])), int(u16(head[32:]))
		names = slices.Grow(names[:0], name+extra)[:name+extra]
		if _, err := io.ReadFull(in, names); err != nil {
			return &Error{at, errDirectory}
		}
		if _, err := in.Discard(comment); err != nil {
			return &Error{at, errDirectory}
		}
		e := zipEntry{name: names[:name], creator: head[5], mode: u32(head[38:]) >> 16, local: uint64(u32(head[42:]))}
		e.parse(head[8:], names[name:])
		if err := l.add(&e, d, at); err != nil {
			return err
		}
		at += int64(centralSize + name + extra + comment)
		records++
	}
	if records != d.records && (d.zip64 || records&(1<<16-1) != d.records) {
		return &Error{d.end, errDirectory}
	}
	return nil
}

// add adds an entry of the directory, which is at the offset at.
func (l *zipList) add(e *zipEntry, d zipDirectory, at int64) error {
	if e.skip(&l.skipped) {
		return nil
	}
	if len(l.members) == MaxMembers {
		return &Error{at, errMembers}
	}
	m := e.member()
	local := make([]byte, localSize)
	switch {
	case e.local > uint64(d.start-d.base):
		m.Err = &Error{at, errDirectory}
	case l.read(local, d.base+int64(e.local)) != nil || string(local[:4]) != zipLocal:
		m.Err = &Error{d.base + int64(e.local), errHeader}
	default:
		m.Offset = d.base + int64(e.local) + localSize + int64(u16(local[26:])) + int64(u16(local[28:]))
		if m.Offset > d.start || e.stored > uint64(d.start-m.Offset) {
			m.Err = &Error{d.base + int64(e.local), errHeader}
		}
	}
	l.members = append(l.members, m)
	return nil
}

// walk reads the local headers if there is no directory. If the size of a file follows its
// data, inflating it finds the end.
func (l *zipList) walk() error {
	head := make([]byte, localSize)
	for at := int64(0); ; {
		if err := l.check(); err != nil {
			return err
		}
		if err := l.read(head, at); err != nil {
			return err
		}
		if string(head[:4]) != zipLocal {
			if string(head[:4]) == zipCentral { // all files are there, but not the end
				at = l.size
			}
			return &Error{at, ErrTruncated}
		}
		names := make([]byte, int(u16(head[26:]))+int(u16(head[28:])))
		if err := l.read(names, at+localSize); err != nil {
			return err
		}
		name := int(u16(head[26:]))
		e := zipEntry{name: names[:name]}
		e.parse(head[6:], names[name:])
		m := e.member()
		m.Offset = at + localSize + int64(len(names))
		left := l.size - m.Offset
		next := int64(0)
		switch {
		case e.flags&flagTrailing != 0 && m.Deflated && m.Err == nil:
			var err error
			if next, err = l.trailing(&m); err != nil {
				return err
			}
		case e.flags&flagTrailing != 0:
			return &Error{at, ErrTruncated} // its size is not known
		case e.stored > uint64(left):
			m.Stored, next = left, l.size
		default:
			next = m.Offset + m.Stored
		}
		if !e.skip(&l.skipped) {
			if len(l.members) == MaxMembers {
				return &Error{at, errMembers}
			}
			l.members = append(l.members, m)
		}
		at = next
	}
}

// trailing finds the end of a file whose sizes follow it, and returns the offset of the
// next one.
func (l *zipList) trailing(m *Member) (next int64, err error) {
	all := *m
	all.Stored = l.size - m.Offset
	z := Inflate(l.r, &all)
	buf := make([]byte, 32<<10)
	for err == nil {
		if err = l.check(); err == nil {
			_, err = z.inflated(buf)
		}
	}
	if stopped := l.check(); stopped != nil {
		return 0, stopped
	}
	m.Stored = z.Used()
	next = m.Offset + m.Stored
	if err != io.EOF { // reading the file reports the error
		m.Stored = all.Stored
		m.Size, m.CRC = -1, 0
		return l.size, nil
	}
	m.Size, m.CRC = z.size, z.sum.Sum32()
	tail := make([]byte, 4+4+8+8)
	tail = tail[:min(int64(len(tail)), l.size-next)]
	if err := l.read(tail, next); err != nil {
		return 0, err
	}
	if bytes.HasPrefix(tail, []byte(zipDescriptor)) {
		tail, next = tail[4:], next+4
	}
	if len(tail) >= 20 && u64(tail[4:]) == uint64(m.Stored) && u64(tail[12:]) == uint64(m.Size) {
		return next + 20, nil
	}
	return next + 12, nil
}
