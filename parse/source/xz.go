package source

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

	"github.com/ulikunitz/xz/lzma"
)

// The reasons why an xz input cannot be decoded.
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
	// xzLZMA2 is the id of the one filter that files of text are written with.
	xzLZMA2 = 0x21
	// xzMaxVarint is how many bytes a number of the format has at most.
	xzMaxVarint = 9
)

// xzReader decodes the streams of an .xz file, version 1.2.1 of its format
// (https://tukaani.org/xz/xz-file-format.txt). It knows the container only;
// package lzma knows LZMA2. The library's own reader of the container takes
// the memory that a header asks for, up to 4 GiB.
type xzReader struct {
	in     *bufio.Reader
	opened bool  // a stream was, ever
	stream bool  // in one
	size   int64 // bytes read of this stream
	flags  [2]byte
	blocks uint64 // of this stream
	sizes  hash.Hash32

	// Of the block; lzma is nil between blocks.
	lzma   io.Reader
	check  hash.Hash // nil when there is none or it is not known
	header int64     // bytes
	start  int64     // size before the compressed data
	output int64     // bytes of content
	stated [2]int64  // compressed and uncompressed bytes by the header; -1 not stated
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

// compressed is the input as package lzma reads it: not a byte too many.
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
			continue // with the block or, at the end of the stream, the next one
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

// openStream reads the header of the next stream; io.EOF when there is none.
// Padding between streams is four zero bytes or a multiple of that.
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
		return errTrailing
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
	x.blocks, x.sizes = 0, crc32.NewIEEE()
	return nil
}

// checkSize is how many bytes follow a block to check it.
func (x *xzReader) checkSize() int {
	return [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[x.flags[1]]
}

// newCheck gives the check of the stream, nil for one that is not known.
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

// openBlock reads the header of the next block or, when there is none, the end
// of the stream.
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
	// No more of it is used than there is content.
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

// closeBlock reads and compares what follows the data of a block.
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
	x.sizes.Write(binary.AppendUvarint(record, uint64(x.output))) // never fails
	return nil
}

// sum is the check of the block as it is stored: the CRCs little-endian.
func (x *xzReader) sum() []byte {
	sum := x.check.Sum(nil)
	if x.flags[1] == 10 {
		return sum
	}
	for i, j := 0, len(sum)-1; i < j; i, j = i+1, j-1 {
		sum[i], sum[j] = sum[j], sum[i]
	}
	return sum
}

// closeStream reads the index, whose first byte was read at begin, and the
// footer. The index says again what blocks there are.
func (x *xzReader) closeStream(begin int64) error {
	x.stream = false
	index := crc32.NewIEEE()
	index.Write([]byte{0}) // never fails
	body := &hashedBytes{x: x, sum: index}
	n, err := body.number()
	if err != nil {
		return err
	}
	if n != x.blocks {
		return errXZIndex
	}
	records := crc32.NewIEEE()
	body.also = records
	for range 2 * n {
		if _, err := body.number(); err != nil {
			return err
		}
	}
	body.also = nil
	if records.Sum32() != x.sizes.Sum32() {
		return errXZIndex
	}
	for (x.size-begin)%4 != 0 {
		b, err := body.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			return errXZIndex
		}
	}
	end := make([]byte, 4+12)
	if err := x.next(end); err != nil {
		return err
	}
	size := x.size - begin - 12
	footer := end[4:]
	switch {
	case binary.LittleEndian.Uint32(end) != index.Sum32(),
		binary.LittleEndian.Uint32(footer) != crc32.ChecksumIEEE(footer[4:10]),
		(int64(binary.LittleEndian.Uint32(footer[4:]))+1)*4 != size,
		[2]byte(footer[8:10]) != x.flags,
		string(footer[10:]) != xzFooterMagic:
		return errXZIndex
	}
	return nil
}

// hashedBytes reads an index and sums it up.
type hashedBytes struct {
	x    *xzReader
	sum  hash.Hash32
	also hash.Hash32 // nil when the bytes are of no record
	one  [1]byte
}

func (h *hashedBytes) ReadByte() (byte, error) {
	if err := h.x.next(h.one[:]); err != nil {
		return 0, err
	}
	h.sum.Write(h.one[:]) // never fails
	if h.also != nil {
		h.also.Write(h.one[:])
	}
	return h.one[0], nil
}

// number reads a number as the format stores it.
func (h *hashedBytes) number() (uint64, error) {
	var v uint64
	for i := range xzMaxVarint {
		b, err := h.ReadByte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v, nil
		}
	}
	return 0, errXZIndex
}
