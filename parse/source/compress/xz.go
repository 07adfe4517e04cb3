package compress

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"
)

// Errors of damaged or unsupported xz data.
var (
	errXZHeader   = errors.New("bad xz header")
	errXZFilter   = errors.New("xz filter other than LZMA2")
	errXZWindow   = errors.New("xz dictionary too large")
	errXZChecksum = errors.New("wrong xz checksum")
	errXZSize     = errors.New("wrong xz size")
	errXZIndex    = errors.New("bad xz index")
)

const (
	xzMagic       = "\xfd7zXZ\x00"
	xzFooterMagic = "YZ"
	// xzLZMA2 is the ID of the LZMA2 filter, the only one that text is compressed with.
	xzLZMA2 = 0x21
	// xzMaxVarint is the maximum size of an encoded number in bytes.
	xzMaxVarint = 9
)

// xzReader decodes the streams of an .xz file, version 1.2.1 of the format
// (https://tukaani.org/xz/xz-file-format.txt). It reads the container only; package lzma
// decodes LZMA2. That library's own reader of the container is not used because it
// allocates what a header asks for, up to 4 GiB.
type xzReader struct {
	in     *bufio.Reader
	opened bool  // a stream has been read
	stream bool  // within a stream
	size   int64 // bytes read of this stream
	flags  [2]byte
	blocks uint64      // in this stream
	sizes  hash.Hash32 // over the sizes of its blocks, as the index repeats them
	index  int64       // size of these in the index, in bytes

	// The current block.
	lzma   io.Reader // nil between blocks
	check  hash.Hash // nil if there is none or it is not supported
	header int64     // size of the block's header in bytes
	start  int64     // value of size before the compressed data
	output int64     // bytes of content so far
	stated [2]int64  // compressed and uncompressed size by the header; -1 if not stated
}

// next reads len(p) bytes. The end of the input is unexpected.
func (x *xzReader) next(p []byte) error {
	n, err := io.ReadFull(x.in, p)
	x.size += int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// compressed is the input as package lzma reads it, without reading ahead.
type compressed struct{ *xzReader }

func (c compressed) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.size += int64(n)
	return n, err
}

func (x *xzReader) Read(p []byte) (int, error) {
	for {
		if !x.stream {
			if err := x.openStream(); err != nil {
				return 0, err
			}
		}
		if x.lzma == nil {
			if err := x.openBlock(); err != nil {
				return 0, err
			}
			continue // with the block or, at the end of the stream, with the next stream
		}
		n, err := x.lzma.Read(p)
		x.output += int64(n)
		if x.check != nil {
			x.check.Write(p[:n]) // never fails
		}
		if err == io.EOF {
			err = x.closeBlock()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// openStream reads the header of the next stream, or returns io.EOF if there is none.
// Padding between streams is a multiple of four zero bytes.
func (x *xzReader) openStream() error {
	x.size = 0
	header := make([]byte, 12)
	for {
		n, err := io.ReadFull(x.in, header[:4])
		if err == io.EOF && !x.opened {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		x.size = int64(n)
		if !x.opened || !bytes.Equal(header[:4], make([]byte, 4)) {
			break
		}
	}
	if x.opened && string(header[:4]) != xzMagic[:4] {
		return ErrTrailing
	}
	if err := x.next(header[4:]); err != nil {
		return err
	}
	if string(header[:6]) != xzMagic || header[6] != 0 || header[7]&0xf0 != 0 {
		return errXZHeader
	}
	if crc32.ChecksumIEEE(header[6:8]) != binary.LittleEndian.Uint32(header[8:]) {
		return errXZHeader
	}
	x.flags = [2]byte(header[6:8])
	x.opened, x.stream = true, true
	x.blocks, x.sizes, x.index = 0, crc32.NewIEEE(), 0
	return nil
}

// checkSize returns the size in bytes of the check behind each block.
func (x *xzReader) checkSize() int {
	return [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[x.flags[1]]
}

// newCheck returns the hash that the stream is checked by, or nil if it is not supported.
func (x *xzReader) newCheck() hash.Hash {
	switch x.flags[1] {
	case 1:
		return crc32.NewIEEE()
	case 4:
		return crc64.New(crc64.MakeTable(crc64.ECMA))
	case 10:
		return sha256.New()
	}
	return nil
}

// openBlock reads the header of the next block or, if there is none, the end of the stream.
func (x *xzReader) openBlock() error {
	begin := x.size
	header := make([]byte, 1, 1024)
	if err := x.next(header); err != nil {
		return err
	}
	if header[0] == 0 {
		return x.closeStream(begin)
	}
	header = header[:(int(header[0])+1)*4]
	if err := x.next(header[1:]); err != nil {
		return err
	}
	fields, sum := header[2:len(header)-4], header[len(header)-4:]
	if crc32.ChecksumIEEE(header[:len(header)-4]) != binary.LittleEndian.Uint32(sum) {
		return errXZHeader
	}
	flags := header[1]
	if flags&0x3c != 0 {
		return errXZHeader
	}
	if flags&3 != 0 {
		return errXZFilter
	}
	for i, bit := range [2]byte{0x40, 0x80} {
		x.stated[i] = -1
		if flags&bit != 0 {
			v, n := binary.Uvarint(fields)
			if n <= 0 || n > xzMaxVarint {
				return errXZHeader
			}
			x.stated[i], fields = int64(v), fields[n:]
		}
	}
	if len(fields) < 3 {
		return errXZHeader
	}
	if fields[0] != xzLZMA2 || fields[1] != 1 {
		return errXZFilter
	}
	window, err := lzma.DecodeDictCap(fields[2])
	if err != nil {
		return errXZHeader
	}
	// A window larger than the content is of no use.
	if content := x.stated[1]; content >= 0 {
		window = min(window, max(content, lzma.MinDictCap))
	}
	if window > maxWindow {
		return fmt.Errorf("%w: %d MiB", errXZWindow, window>>20)
	}
	x.header, x.start, x.output, x.check = x.size-begin, x.size, 0, x.newCheck()
	x.lzma, err = lzma.Reader2Config{DictCap: int(window)}.NewReader2(compressed{x})
	return err
}

// closeBlock verifies the sizes and the check of a block and reads its padding.
func (x *xzReader) closeBlock() error {
	x.lzma = nil
	size := x.size - x.start
	if x.stated[0] >= 0 && x.stated[0] != size || x.stated[1] >= 0 && x.stated[1] != x.output {
		return errXZSize
	}
	padding := make([]byte, -size&3)
	check := make([]byte, x.checkSize())
	if err := x.next(padding); err != nil {
		return err
	}
	if err := x.next(check); err != nil {
		return err
	}
	if !bytes.Equal(padding, make([]byte, len(padding))) {
		return errXZHeader
	}
	if x.check != nil && !bytes.Equal(check, x.sum()) {
		return errXZChecksum
	}
	x.blocks++
	record := binary.AppendUvarint(nil, uint64(x.header+size+int64(len(check))))
	record = binary.AppendUvarint(record, uint64(x.output))
	x.sizes.Write(record) // never fails
	x.index += int64(len(record))
	return nil
}

// sum returns the check of the block as it is stored: CRCs are little-endian.
func (x *xzReader) sum() []byte {
	sum := x.check.Sum(nil)
	if x.flags[1] == 10 {
		return sum
	}
	slices.Reverse(sum)
	return sum
}

// closeStream reads and verifies the index, whose first byte was at begin, and the footer.
// The index repeats the sizes of all blocks.
func (x *xzReader) closeStream(begin int64) error {
	x.stream = false
	count := binary.AppendUvarint([]byte{0}, x.blocks)
	start := make([]byte, len(count))
	if err := x.next(start[1:]); err != nil {
		return err
	}
	index, records := crc32.NewIEEE(), crc32.NewIEEE()
	index.Write(start) // never fails
	n, err := io.CopyN(io.MultiWriter(index, records), x.in, x.index)
	x.size += n
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	padding := make([]byte, (begin-x.size)&3)
	end := make([]byte, 4+12)
	if err := x.next(padding); err != nil {
		return err
	}
	index.Write(padding)
	if err := x.next(end); err != nil {
		return err
	}
	size := x.size - begin - 12
	footer := end[4:]
	switch {
	case !bytes.Equal(start, count), records.Sum32() != x.sizes.Sum32(), !bytes.Equal(padding, make([]byte, len(padding))),
		binary.LittleEndian.Uint32(end) != index.Sum32(),
		binary.LittleEndian.Uint32(footer) != crc32.ChecksumIEEE(footer[4:10]),
		(int64(binary.LittleEndian.Uint32(footer[4:]))+1)*4 != size,
		[2]byte(footer[8:10]) != x.flags,
		string(footer[10:]) != xzFooterMagic:
		return errXZIndex
	}
	return nil
}
