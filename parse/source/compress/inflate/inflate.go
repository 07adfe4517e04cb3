// Package inflate decodes DEFLATE data (RFC 1951) and gzip members (RFC 1952).
//
// It is written for throughput on 64-bit machines, in plain Go: no assembly, no
// unsafe code, and no dependency outside the standard library. It decodes straight
// into the buffer of the caller, so reads should be large: 64 KiB or more.
//
// Gzip reads one member at a time, so that the caller decides what may stand
// between members. Reader reads bare DEFLATE data, as in zip archives. Both consume
// no byte of the input behind the data, do not allocate once they exist, and are
// reused by Reset. Neither is safe for concurrent use.
//
// Input may be hostile: every table and copy is bounded, and data is rejected if
// and only if zlib rejects it. Limits on the output are up to the caller.
package inflate

import (
	"bufio"
	"errors"
	"io"
)

// The errors of invalid DEFLATE data. They cover what zlib rejects.
var (
	ErrBlockType    = errors.New("invalid block type")
	ErrStoredLength = errors.New("invalid stored block length")
	ErrSymbols      = errors.New("too many length or distance symbols")
	ErrPrecodeSet   = errors.New("invalid code lengths set")
	ErrRepeat       = errors.New("invalid repeat of a code length")
	ErrNoEnd        = errors.New("missing end-of-block code")
	ErrLitlenSet    = errors.New("invalid literal/length code")
	ErrDistanceSet  = errors.New("invalid distance code")
	ErrLitlenCode   = errors.New("invalid literal/length codeword")
	ErrDistanceCode = errors.New("invalid distance codeword")
	ErrDistance     = errors.New("distance too far back")
)

const (
	// windowSize is the maximum distance of a match in bytes.
	windowSize = 32 << 10
	// maxMatch is the maximum length of a match in bytes.
	maxMatch = 258
)

// state is what comes next in the data.
type state uint8

const (
	atHeader  state = iota // the header of a block
	inStored               // data of a stored block
	inSymbols              // symbols of a compressed block
	atEnd                  // nothing
)

// Reader decodes DEFLATE data. Reset must be called before the first Read.
type Reader struct {
	in    *bufio.Reader
	bits  uint64 // read from in but not used yet, the first bit lowest
	nbits uint   // number of bits; fewer than 8 between two calls
	err   error

	state  state
	last   bool // the current block is the last one
	stored int  // bytes left of a stored block

	match struct{ length, distance int } // the rest of a match that did not fit into p

	fixed  bool // the tables are those of the fixed code
	window window

	litlen   [litlenTableSize]entry
	distance [distanceTableSize]entry
	lengths  [maxLitlen + maxDistances]uint8 // codeword lengths of a dynamic block
}

// Reset starts with the data that in holds next. No byte of in behind the end of the data
// is consumed.
func (r *Reader) Reset(in *bufio.Reader) {
	r.in, r.bits, r.nbits, r.err = in, 0, 0, nil
	r.state, r.last, r.match.length = atHeader, false, 0
	r.window.n = 0
}

// Read fills p unless the data ends, and may use all of p as scratch space. Bytes decoded
// before an error are returned together with it.
func (r *Reader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.err == nil {
		switch r.state {
		case atHeader:
			r.err = r.header()
		case inStored:
			n = r.copyStored(p, n)
		case inSymbols:
			n = r.symbols(p, n)
		case atEnd:
			r.err = io.EOF
		}
	}
	r.window.add(p[:n])
	return n, r.err
}

// need reads bytes until there are n bits.
func (r *Reader) need(n uint) error {
	for r.nbits < n {
		b, err := r.in.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		r.bits |= uint64(b) << r.nbits
		r.nbits += 8
	}
	return nil
}

// unexpected returns the error for an input that ends within the data.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// take returns the next n bits.
func (r *Reader) take(n uint) (int, error) {
	if err := r.need(n); err != nil {
		return 0, err
	}
	v := r.bits & (1<<n - 1)
	r.bits >>= n
	r.nbits -= n
	return int(v), nil
}

// lookup decodes the next codeword. It reads no byte that the codeword does not reach into.
func (r *Reader) lookup(table []entry, mainBits uint) (entry, error) {
	for {
		e := table[r.bits&(1<<mainBits-1)]
		n := uint(e >> codeShift & codeMask)
		if e&subtableFlag != 0 {
			e = table[inSubtable(e, r.bits>>mainBits)]
			n = mainBits + uint(e>>codeShift&codeMask)
		}
		if n <= r.nbits {
			r.bits >>= n
			r.nbits -= n
			return e, nil
		}
		if err := r.need(r.nbits + 1); err != nil {
			return 0, err
		}
	}
}

// value returns a length or distance with its extra bits.
func (r *Reader) value(e entry) (int, error) {
	extra, err := r.take(uint(e&0xff - e>>codeShift&codeMask))
	return int(e>>valueShift) + extra, err
}

// symbols decodes into p from n on until p is full or the block ends, and returns how much
// of p is filled.
func (r *Reader) symbols(p []byte, n int) int {
	for n < len(p) && r.err == nil && r.state == inSymbols {
		if r.match.length > 0 {
			m := min(r.match.length, len(p)-n)
			r.window.repeat(p, n, m, r.match.distance)
			r.match.length -= m
			n += m
			continue
		}
		if in := r.in.Buffered(); in >= inputSlack && len(p)-n >= outputSlack {
			data, _ := r.in.Peek(in) // they are buffered
			var used int
			used, n, r.err = r.fast(data, p, n)
			r.in.Discard(used) //nolint:errcheck // they are buffered
			continue
		}
		n = r.symbol(p, n)
	}
	return n
}

// symbol decodes one symbol, with all checks.
func (r *Reader) symbol(p []byte, n int) int {
	e, err := r.lookup(r.litlen[:], litlenBits)
	switch {
	case err != nil:
		r.err = err
	case e&literalFlag != 0:
		p[n] = byte(e >> valueShift)
		n++
	case e&endFlag != 0:
		r.endBlock()
	case e&exceptional != 0:
		r.err = ErrLitlenCode
	default:
		r.match.length, r.match.distance, r.err = r.pair(e)
		if r.err == nil && r.match.distance > n+r.window.n {
			r.err = ErrDistance
		}
	}
	return n
}

// pair decodes a match, of which e is the length symbol.
func (r *Reader) pair(e entry) (length, distance int, err error) {
	if length, err = r.value(e); err != nil {
		return 0, 0, err
	}
	if e, err = r.lookup(r.distance[:], distanceBits); err != nil {
		return 0, 0, err
	}
	if e&exceptional != 0 {
		return 0, 0, ErrDistanceCode
	}
	distance, err = r.value(e)
	return length, distance, err
}

func (r *Reader) endBlock() {
	r.state = atHeader
	if r.last {
		r.state = atEnd
	}
}
