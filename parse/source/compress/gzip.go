package compress

import (
	"bufio"
	"io"

	"logscan/parse/source/compress/inflate"
)

// gzipReader decodes all members of a gzip file. Zero bytes between and after them are
// padding, as tapes and some writers leave it.
type gzipReader struct {
	in     *bufio.Reader
	z      *inflate.Gzip
	opened bool // a member has been read
	member bool // z is within a member
}

func (g *gzipReader) Read(p []byte) (int, error) {
	for {
		if !g.member {
			if err := g.next(); err != nil {
				return 0, err
			}
		}
		n, err := g.z.Read(p)
		if err == io.EOF {
			g.member, err = false, nil
			if n == 0 {
				continue
			}
		}
		return n, err
	}
}

// next opens the next member. It returns io.EOF if there is none.
func (g *gzipReader) next() error {
	if g.opened {
		for b := byte(0); b == 0; {
			var err error
			if b, err = g.in.ReadByte(); err != nil {
				return err
			}
		}
		if err := g.in.UnreadByte(); err != nil {
			return err
		}
		if magic, _ := g.in.Peek(2); len(magic) == 2 && string(magic) != "\x1f\x8b" || magic[0] != 0x1f {
			return ErrTrailing
		}
	}
	if err := g.z.Reset(g.in); err != nil {
		return err
	}
	g.opened, g.member = true, true
	return nil
}
