package spill

// Codec encodes and orders records. A decoded record may alias the bytes it was
// decoded from, and is then valid until the next one is decoded.
type Codec[T any] struct {
	Append  func(dst []byte, x *T) []byte
	Read    func(x *T, src []byte) (rest []byte)
	Compare func(a, b *T) int
	// Key returns a number that orders records as Compare does, except that
	// different records may have the same key. Only a Sorter needs it.
	Key func(x *T) uint64
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

// WriteRun writes all records of a source. Nothing else may be appended to the
// file meanwhile.
func WriteRun[T any](f *File, c Codec[T], records Source[T]) (*Run, error) {
	run := &Run{file: f}
	var buf []byte
	for {
		x, err := records()
		if err != nil {
			return nil, err
		}
		if x != nil {
			buf = c.Append(buf, x)
		}
		if len(buf) >= runPiece || x == nil && len(buf) > 0 {
			p, err := f.Append(buf)
			if err != nil {
				return nil, err
			}
			run.places = append(run.places, p)
			buf = buf[:0]
		}
		if x == nil {
			return run, nil
		}
	}
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
