package spill

import "encoding/binary"

// Codec encodes and orders records. A decoded record may alias the bytes it was
// decoded from, and is then valid until the next one is decoded.
type Codec[T any] struct {
	Append  func(dst []byte, x *T) []byte
	Read    func(x *T, src []byte) (rest []byte)
	Compare func(a, b *T) int
}

// Flag returns a boolean as codecs append it: 1 for true.
func Flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// FixedCodec returns a codec for records of a fixed size, with exported fields, as
// package encoding/binary encodes them.
func FixedCodec[T any](compare func(a, b *T) int) Codec[T] {
	return Codec[T]{
		Append: func(dst []byte, x *T) []byte {
			dst, err := binary.Append(dst, binary.LittleEndian, x)
			if err != nil {
				panic("BUG: " + err.Error())
			}
			return dst
		},
		Read: func(x *T, src []byte) []byte {
			n, err := binary.Decode(src, binary.LittleEndian, x)
			if err != nil {
				panic("BUG: " + err.Error())
			}
			return src[n:]
		},
		Compare: compare,
	}
}

// Source returns one record after the other, and nil at the end. A record is valid
// until the next call.
type Source[T any] func() (*T, error)

// FromSlice returns a source of the records of a slice.
func FromSlice[T any](items []T) Source[T] {
	return func() (*T, error) {
		if len(items) == 0 {
			return nil, nil
		}
		x := &items[0]
		items = items[1:]
		return x, nil
	}
}

// Run is a list of records in a file, in the order in which they were written.
type Run struct {
	file   *File
	places []Place
}

// runPiece is the number of bytes of records that are compressed together. A merge
// holds one such piece of each run in memory.
const runPiece = 64 << 10

// WriteRun merges sorted sources and writes all their records. Nothing else may be
// appended to the file meanwhile.
func WriteRun[T any](f *File, c Codec[T], sources ...Source[T]) (*Run, error) {
	run := &Run{file: f}
	var buf []byte
	flush := func() error {
		p, err := f.Append(buf)
		run.places = append(run.places, p)
		buf = buf[:0]
		return err
	}
	for x, err := range Merge(sources, c.Compare) {
		if err != nil {
			return nil, err
		}
		if buf = c.Append(buf, x); len(buf) >= runPiece {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if len(buf) == 0 {
		return run, nil
	}
	return run, flush()
}

// FromRun returns a source of the records of a run.
func FromRun[T any](r *Run, c Codec[T]) Source[T] {
	var x T
	var buf, rest []byte
	places := r.places
	return func() (*T, error) {
		for len(rest) == 0 {
			if len(places) == 0 {
				return nil, nil
			}
			var err error
			if buf, err = r.file.Read(places[0], buf); err != nil {
				return nil, err
			}
			rest, places = buf, places[1:]
		}
		rest = c.Read(&x, rest)
		return &x, nil
	}
}

// Places returns where the pieces of a run are.
func (r *Run) Places() []Place { return r.places }

// NewRun returns a run whose pieces are at places of a file.
func NewRun(f *File, places []Place) *Run { return &Run{f, places} }
