package archive

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"logscan/parse/source/compress/inflate"
)

// zipEntry is the description of a file in a zip archive.
type zipEntry struct {
	name          []byte
	creator       byte
	flags, method uint16
	date, time    uint16
	crc           uint32
	mode          uint32 // Unix mode, if creator is a Unix
	stored, size  uint64 // in bytes
	local         uint64 // offset of the local header
	unix          int64  // modification time in Unix seconds; 0 if not stored
}

// parse parses the fields that both headers have, from the flags on, and the extra fields:
// sizes that need 64 bits, and the modification time with its zone.
func (e *zipEntry) parse(b, data []byte) {
	e.flags, e.method, e.time, e.date, e.crc = u16(b), u16(b[2:]), u16(b[4:]), u16(b[6:]), u32(b[8:])
	e.stored, e.size = uint64(u32(b[12:])), uint64(u32(b[16:]))
	for len(data) >= 4 {
		id, size := u16(data), int(u16(data[2:]))
		if data = data[4:]; size > len(data) {
			return
		}
		field := data[:size]
		data = data[size:]
		switch {
		case id == zip64Extra:
			for _, v := range []*uint64{&e.size, &e.stored, &e.local} {
				if *v == zip64Is && len(field) >= 8 {
					*v, field = u64(field), field[8:]
				}
			}
		case id == timeExtra && len(field) >= 5 && field[0]&1 != 0:
			e.unix = int64(u32(field[1:]))
		}
	}
}

// skip reports whether the entry is not a regular file, and counts it.
func (e *zipEntry) skip(s *Skipped) bool {
	const kinds, regular, link, dir, fifo = 0xf000, 0x8000, 0xa000, 0x4000, 0x1000
	if strings.HasSuffix(string(e.name), "/") {
		return true
	}
	if e.creator != creatorUnix && e.creator != creatorMacOS {
		return false
	}
	switch e.mode & kinds {
	case 0, regular:
		return false
	case fifo:
		// An archiver stores what it read from a pipe as a FIFO, with its content.
		if e.size > 0 || e.flags&flagTrailing != 0 {
			return false
		}
		s.Devices++
	case dir:
	case link:
		s.Links++
	default:
		s.Devices++
	}
	return true
}

func (e *zipEntry) member() Member {
	m := Member{
		Name:     strings.ToValidUTF8(short(string(e.name)), "\uFFFD"),
		Modified: unixTime(e.unix),
		Stored:   int64(e.stored),
		Deflated: e.method == methodDeflate,
		Size:     int64(e.size),
		CRC:      e.crc,
	}
	if m.Modified.IsZero() && e.date != 0 {
		// The local time of the machine that wrote it; the zone is not stored.
		m.Modified = time.Date(1980+int(e.date>>9), time.Month(e.date>>5&15), int(e.date&31),
			int(e.time>>11), int(e.time>>5&63), int(e.time&31)*2, 0, time.UTC)
	}
	switch {
	case e.flags&flagEncrypted != 0:
		m.Err = errEncrypted
	case e.method != methodStored && e.method != methodDeflate:
		m.Err = fmt.Errorf("zip method %d is not supported: unpack the archive", e.method)
	case m.Stored < 0 || m.Size < 0 && e.flags&flagTrailing == 0,
		e.method == methodStored && m.Stored != m.Size && e.flags&flagTrailing == 0:
		m.Err = errHeader
	}
	return m
}

// Inflater reads the content of a deflated file.
type Inflater struct {
	section *io.SectionReader
	in      *bufio.Reader
	z       inflate.Reader
	sum     hash.Hash32
	size    int64 // bytes of content so far
	want    *Member
}

// Inflate returns a reader of the content of m, which is deflated, from the archive in r.
// The reader returns an error instead of io.EOF if size or checksum differ from those in
// the archive.
func Inflate(r io.ReaderAt, m *Member) *Inflater {
	section := io.NewSectionReader(r, m.Offset, m.Stored)
	z := &Inflater{section: section, sum: crc32.NewIEEE(), want: m}
	z.in = bufio.NewReaderSize(section, int(min(m.Stored, 64<<10)))
	z.z.Reset(z.in)
	return z
}

func (z *Inflater) Read(p []byte) (int, error) {
	n, err := z.inflated(p)
	if want := z.want; want.Size >= 0 {
		if z.size > want.Size || err == io.EOF && (z.size < want.Size || z.sum.Sum32() != want.CRC) {
			err = errChecksum
		}
	}
	return n, err
}

// inflated reads without verifying.
func (z *Inflater) inflated(p []byte) (int, error) {
	n, err := z.z.Read(p)
	z.size += int64(n)
	z.sum.Write(p[:n]) // never fails
	return n, err
}

// Used returns how many of the stored bytes were read.
func (z *Inflater) Used() int64 {
	at, err := z.section.Seek(0, io.SeekCurrent)
	if err != nil {
		panic("BUG: section reader without an offset")
	}
	return at - int64(z.in.Buffered())
}

func u16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
