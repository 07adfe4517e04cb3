package source

import (
	"io"
)

const (
	// DefaultMaxRatio is how many times as much as is stored an input may
	// decompress to, unless Limit says otherwise. gzip cannot reach it, whose
	// most is 1032. zstd and xz make a five-hundredth of a log of ten equal lines
	// a second. What gets there is a log with next to nothing but thousands of
	// equal lines a second, a bomb of another method, or one in another.
	DefaultMaxRatio = 2000
	// freeContent is how many bytes of content an input may have whatever the
	// ratio: they take a second. The files of an archive share them.
	freeContent = 256 << 20
)

// Limit sets how many times as much as is stored each of the inputs may
// decompress to, once that is more than some hundred megabytes. Behind that an
// input ends with a *RatioError. Members of archives have the limit of their
// archive; where one is compressed in another, as in a zip archive, what comes
// of both counts.
func Limit(inputs []Input, ratio int64) {
	for i := range inputs {
		inputs[i].ceiling.ratio = ratio
	}
}

// ceiling is how much may come of what is stored. The zero value is the default.
type ceiling struct {
	ratio int64
	free  int64 // bytes of content that may come of anything
}

// shared gives the ceiling of one of n files whose archive has c: all of them
// together have no more for free than one file. What each has does not depend
// on the others, which may be read before or after it.
func (c ceiling) shared(n int) ceiling {
	c.free = max(c.withDefaults().free/int64(n), 1)
	return c
}

func (c ceiling) withDefaults() ceiling {
	if c.ratio == 0 {
		c.ratio = DefaultMaxRatio
	}
	if c.free == 0 {
		c.free = freeContent
	}
	return c
}

// spent is what came of what is stored so far: of an input, or of all that are
// read in one go from a compressed tar.
type spent struct {
	content int64 // bytes
	over    error // when it was too much
}

// limited is decoded content up to a ceiling.
type limited struct {
	decoded io.Reader
	ceiling ceiling
	stored  func() int64 // bytes that are stored of what was decoded
	spent   *spent
}

// limit gives decoded up to the ceiling.
func (c ceiling) limit(decoded io.Reader, stored func() int64, s *spent) *limited {
	return &limited{decoded: decoded, ceiling: c.withDefaults(), stored: stored, spent: s}
}

func (l *limited) Read(p []byte) (int, error) {
	if l.spent.over != nil {
		return 0, l.spent.over
	}
	n, err := l.decoded.Read(p)
	l.spent.content += int64(n)
	if err == nil && l.spent.content > l.ceiling.free && l.spent.content/l.ceiling.ratio > l.stored() {
		err = &RatioError{l.ceiling.ratio}
		l.spent.over = err
	}
	return n, err
}

// layer is decoded content that may be decoded once more. What comes of both
// counts against what is stored of the lower one.
type layer interface {
	io.Reader
	at() int64 // bytes that are stored of what was read
	// upper is what came of decoding what is read here.
	upper() *spent
}

// limitDecoded gives decoded, which a decoder makes of src, up to the ceiling.
// own tells how much of src was used.
func (c ceiling) limitDecoded(decoded, src io.Reader, own func() int64) io.Reader {
	if l, ok := src.(layer); ok {
		return c.limit(decoded, l.at, l.upper())
	}
	return c.limit(decoded, own, &spent{})
}
