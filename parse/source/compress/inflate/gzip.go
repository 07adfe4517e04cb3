package inflate

import (
	"bufio"
	"errors"
	"hash/crc32"
	"io"
)

// The errors of an invalid gzip member.
var (
	ErrHeader   = errors.New("invalid header")
	ErrChecksum = errors.New("wrong checksum")
	ErrLength   = errors.New("wrong length")
)

// The header of a member (RFC 1952, section 2.3.1). Other flags are ignored.
const (
	methodDeflate = 8

	flagChecksum = 1 << 1
	flagExtra    = 1 << 2
	flagName     = 1 << 3
	flagComment  = 1 << 4
)

// Gzip decodes one member of a gzip file at a time. Reset must be called before the first
// Read.
type Gzip struct {
	header header
	data   Reader
	crc    uint32 // of the content
	size   uint32 // of the content in bytes, modulo 2^32
	err    error
}

// Reset reads the header of the member that in holds next. It returns io.EOF if in is at
// its end.
func (g *Gzip) Reset(in *bufio.Reader) error {
	g.crc, g.size = 0, 0
	g.data.Reset(in)
	g.err = g.header.read(in)
	return g.err
}

// Read fills p unless the member ends, and may use all of p as scratch space. Bytes decoded
// before an error are returned together with it. At the end of the member Read returns
// io.EOF, or an error if the checksum or the length is wrong.
func (g *Gzip) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.data.Read(p)
	g.crc = crc32.Update(g.crc, crc32.IEEETable, p[:n]) // as fast as memory
	g.size += uint32(n)
	if err == io.EOF {
		err = g.trailer()
	}
	g.err = err
	return n, err
}

// trailer verifies the checksum and the length behind the data.
func (g *Gzip) trailer() error {
	r := &g.data
	r.bits, r.nbits = 0, 0
	crc, err := r.take(32)
	if err != nil {
		return err
	}
	size, err := r.take(32)
	switch {
	case err != nil:
		return err
	case uint32(crc) != g.crc:
		return ErrChecksum
	case uint32(size) != g.size:
		return ErrLength
	}
	return io.EOF
}

// header reads the header of a member and its checksum.
type header struct {
	in  *bufio.Reader
	crc uint32
	one [1]byte // a field, so that it is not allocated for each byte
	err error
}

// read reads the header. It returns io.EOF if in is at its end.
func (h *header) read(in *bufio.Reader) error {
	*h = header{in: in}
	if _, err := in.Peek(1); err != nil {
		return err
	}
	fixed := h.bytes(10)
	if h.err == nil && (fixed[0] != 0x1f || fixed[1] != 0x8b || fixed[2] != methodDeflate) {
		return ErrHeader
	}
	flags := fixed[3]
	if flags&flagExtra != 0 {
		size := h.bytes(2)
		for range int(size[0]) | int(size[1])<<8 {
			h.next()
		}
	}
	for _, text := range [...]byte{flagName, flagComment} {
		if flags&text == 0 {
			continue
		}
		for c := h.next(); c != 0; { // zero-terminated, of any length
			c = h.next()
		}
	}
	if flags&flagChecksum != 0 {
		want := uint16(h.crc)
		sum := h.bytes(2)
		if h.err == nil && uint16(sum[0])|uint16(sum[1])<<8 != want {
			return ErrHeader
		}
	}
	return h.err
}

// next returns the next byte, or zero after an error.
func (h *header) next() byte {
	if h.err != nil {
		return 0
	}
	if h.one[0], h.err = h.in.ReadByte(); h.err != nil {
		h.err = unexpected(h.err)
		return 0
	}
	h.crc = crc32.Update(h.crc, crc32.IEEETable, h.one[:])
	return h.one[0]
}

// bytes returns the next n bytes, at most ten.
func (h *header) bytes(n int) (b [10]byte) {
	for i := range b[:n] {
		b[i] = h.next()
	}
	return b
}
