package source

import (
	"io"
)

const (
	// DefaultMaxRatio is how many times its stored size an input may decompress to unless
	// Limit says otherwise. gzip cannot reach it: its maximum is 1032. zstd and xz store a
	// log of ten equal lines a second in a five-hundredth. Only thousands of equal lines a
	// second, or a decompression bomb, exceed it.
	DefaultMaxRatio = 2000
	// freeContent is how many bytes an input may decompress to whatever the ratio: they
	// take a second. The files of an archive share them.
	freeContent = 256 << 20
)

// Limit sets how many times its stored size each input may decompress to, once that is more
// than 256 MiB. An input that exceeds it ends there with a *RatioError. Files in archives
// have the limit of their archive. If a file is compressed within a compressed archive, the
// output of both counts.
func Limit(inputs []Input, ratio int64) {
	for i := range inputs {
		inputs[i].ceiling.ratio = ratio
	}
}

// ceiling limits how much may be decompressed. The zero value is the default.
type ceiling struct {
	ratio int64
	free  int64 // bytes allowed whatever the ratio
}

// shared returns the ceiling of each of n files in an archive whose ceiling is c: together
// they have no more free bytes than one file. The ceiling of one does not depend on the
// others, because they may be read in any order.
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

// spent is how much was decompressed so far: of one input, or of all files read in one go
// from a compressed tar.
type spent struct {
	content int64 // bytes
	over    error // set once it was too much
}

// limited reads decoded content up to a ceiling.
type limited struct {
	decoded io.Reader
	ceiling ceiling
	stored  func() int64 // stored bytes that were decoded so far
	spent   *spent
}

// limit returns a reader of decoded up to the ceiling.
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

// layer is decoded content that may itself be compressed. The output of both decoders
// counts against the stored size of the lower one.
type layer interface {
	io.Reader
	at() int64 // stored bytes of what was read so far
	// upper is what was decompressed from what is read here.
	upper() *spent
}

// limitDecoded returns decoded, which a decoder makes of src, up to the ceiling. own
// returns how much of src was used.
func (c ceiling) limitDecoded(decoded, src io.Reader, own func() int64) io.Reader {
	if l, ok := src.(layer); ok {
		return c.limit(decoded, l.at, l.upper())
	}
	return c.limit(decoded, own, &spent{})
}
