// Package inflate decodes gzip (RFC 1952) and the DEFLATE data that is in it and
// in zip archives (RFC 1951).
//
// In: a buffered stream. Out: its content, decoded straight into the memory of
// who reads, in as large pieces as are asked for. It takes no byte of the
// stream behind the data, and does not know files.
//
// It is shaped for 64-bit machines: see fast. Every table and copy is bounded
// whatever the data says, and what is refused is what zlib refuses.
package inflate

import (
	"bufio"
	"errors"
	"io"
)

// Why data is refused: for what zlib refuses it.
var (
	ErrBlockType    = errors.New("invalid type of a block")
	ErrStoredLength = errors.New("invalid length of a stored block")
	ErrSymbols      = errors.New("too many symbols of lengths or distances")
	ErrPrecodeSet   = errors.New("invalid set of codewords for code lengths")
	ErrRepeat       = errors.New("invalid repetition of a code length")
	ErrNoEnd        = errors.New("no codeword for the end of a block")
	ErrLitlenSet    = errors.New("invalid set of codewords for literals and lengths")
	ErrDistanceSet  = errors.New("invalid set of codewords for distances")
	ErrLitlenCode   = errors.New("invalid codeword of a literal or length")
	ErrDistanceCode = errors.New("invalid codeword of a distance")
	ErrDistance     = errors.New("distance that reaches before the beginning")
)

const (
	// windowSize is how far back a distance may reach, in bytes.
	windowSize = 32 << 10
	// maxMatch is the longest match in bytes.
	maxMatch = 258
)

// state is what comes next in the data.
type state uint8

const (
	atHeader  state = iota // of a block
	inStored               // a block that is not compressed
	inSymbols              // a block that is
	atEnd
)

// Reader decodes DEFLATE data. The zero value is to be Reset.
type Reader struct {
	in    *bufio.Reader
	bits  uint64 // taken from in and not yet used, the first one lowest
	nbits uint   // how many; fewer than 8 between two calls
	err   error

	state  state
	last   bool // this block is the last
	stored int  // bytes left of a stored block

	match struct{ length, distance int } // what is left of one that did not fit

	fixed  bool // the tables are those of the fixed code
	window window

	litlen   [litlenTableSize]entry
	distance [distanceTableSize]entry
	lengths  [maxLitlen + maxDistances]uint8 // of the codewords of a dynamic block
}

// Reset begins with the data that in has next. Of in it uses no byte behind the
// end of the data.
func (r *Reader) Reset(in *bufio.Reader) {
	r.in, r.bits, r.nbits, r.err = in, 0, 0, nil
	r.state, r.last, r.match.length = atHeader, false, 0
	r.window.n = 0
}

// Read fills p but at the end of the data, and may use all of p. What comes
// before an error is given, with it.
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

// need takes bytes until there are n bits.
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

// unexpected is the error when in ends within the data.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// take uses n bits.
func (r *Reader) take(n uint) (int, error) {
	if err := r.need(n); err != nil {
		return 0, err
	}
	v := r.bits & (1<<n - 1)
	r.bits >>= n
	r.nbits -= n
	return int(v), nil
}

// lookup uses the bits of the next codeword. It takes no byte that the codeword
// does not reach into.
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

// value uses the extra bits of a length or distance.
func (r *Reader) value(e entry) (int, error) {
	extra, err := r.take(uint(e&0xff - e>>codeShift&codeMask))
	return int(e>>valueShift) + extra, err
}

// symbols decodes into p from n on, until it is full or the block ends, and
// gives how much is in p.
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
			data, _ := r.in.Peek(in) // which are there
			var used int
			used, n, r.err = r.fast(data, p, n)
			r.in.Discard(used) //nolint:errcheck // they are there
			continue
		}
		n = r.symbol(p, n)
	}
	return n
}

// symbol decodes one symbol with all care.
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

// pair decodes a match whose symbol of length is e.
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
