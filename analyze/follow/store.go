package follow

import (
	"bytes"
	"io"
	"sort"
	"sync"

	"logscan/analyze/spill"
)

const (
	// pieceSize is how many bytes of a log are compressed together. At most one piece of
	// each file is in memory.
	pieceSize = 512 << 10
	// segmentSize is how many compressed bytes a temporary file holds. One is removed when
	// all that it holds has left the window.
	segmentSize = 16 << 20
	// maxHeader bounds the comment lines at the beginning of a file that are kept as long
	// as the file is, in bytes: #Fields says what the columns of later lines are.
	maxHeader = 64 << 10
	// cachedPieces is how many decompressed pieces are kept for the workers of an analysis.
	cachedPieces = 8
)

// store keeps what was read of one file, compressed on disk, from the oldest line in the
// window on.
type store struct {
	space    *spill.Space
	cache    *pieceCache
	segments []*segment

	header      []byte
	headerLines int64
	headerEnds  bool // header is complete

	pieces  []piece
	stored  int64  // bytes of the pieces in temporary files
	open    []byte // the piece that is being filled
	openAt  int64  // its offset in the file
	started bool   // from is set
	dropped int64  // bytes of the file before what is kept
	lines   int64  // in them
}

// segment is a temporary file of a store.
type segment struct {
	file   *spill.File
	pieces int // that are kept
}

// piece is a part of a file, as stored.
type piece struct {
	offset  int64 // in the file
	size    int
	lines   int64
	place   spill.Place
	segment *segment
	latest  *int64 // time of its last lines; nil until it is asked for
}

// begin sets where in the file the store begins. header are comment lines of its beginning.
func (s *store) begin(offset, lines int64, header []byte) {
	s.dropped, s.lines, s.openAt, s.started = offset, lines, offset, true
	s.header, s.headerLines, s.headerEnds = header, int64(bytes.Count(header, newline)), offset > 0
}

var newline = []byte("\n")

// add adds bytes that follow the last ones.
func (s *store) add(b []byte) error {
	if !s.headerEnds {
		s.addHeader(b)
	}
	for len(b) > 0 {
		if s.open == nil {
			s.open = make([]byte, 0, pieceSize)
		}
		n := min(len(b), pieceSize-len(s.open))
		s.open = append(s.open, b[:n]...)
		b = b[n:]
		if len(s.open) == pieceSize {
			if err := s.close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// addHeader adds the comment lines that b begins with. b holds whole lines.
func (s *store) addHeader(b []byte) {
	for line := range bytes.Lines(b) {
		if line[0] != '#' || len(s.header)+len(line) > maxHeader {
			s.headerEnds = true
			return
		}
		s.header = append(s.header, line...)
		s.headerLines++
	}
}

// close writes the open piece. Views may hold its memory, which is not used again.
func (s *store) close() error {
	last := len(s.segments) - 1
	if last < 0 || s.segments[last].file.Size() >= segmentSize {
		file, err := s.space.Create()
		if err != nil {
			return err
		}
		s.segments = append(s.segments, &segment{file: file})
		last++
	}
	seg := s.segments[last]
	place, err := seg.file.Append(s.open)
	if err != nil {
		return err
	}
	seg.pieces++
	s.stored += place.Stored()
	s.pieces = append(s.pieces, piece{offset: s.openAt, size: len(s.open), lines: int64(bytes.Count(s.open, newline)), place: place, segment: seg})
	s.openAt += int64(len(s.open))
	s.open = nil
	return nil
}

// drop removes the first piece.
func (s *store) drop() error {
	p := s.pieces[0]
	s.pieces = s.pieces[1:]
	s.dropped += int64(p.size)
	s.lines += p.lines
	s.stored -= p.place.Stored()
	p.segment.pieces--
	if p.segment.pieces > 0 || p.segment == s.segments[len(s.segments)-1] {
		return nil
	}
	s.segments = s.segments[1:]
	return p.segment.file.Remove()
}

// dropAll removes all that is kept.
func (s *store) dropAll() error {
	for len(s.pieces) > 0 {
		if err := s.drop(); err != nil {
			return err
		}
	}
	s.dropped += int64(len(s.open))
	s.lines += int64(bytes.Count(s.open, newline))
	s.openAt, s.open = s.dropped, nil
	return nil
}

// end returns the offset in the file of the first byte that is not kept yet.
func (s *store) end() int64 { return s.openAt + int64(len(s.open)) }

// kept returns the number of bytes of the file that are kept.
func (s *store) kept() int64 { return s.end() - s.dropped }

// left reports whether all of the file has left the window.
func (s *store) left() bool { return s.kept() == 0 && s.dropped > 0 }

// view returns what is kept now. It stays valid until drop or dropAll is called.
func (s *store) view() *view {
	v := &view{cache: s.cache, pieces: s.pieces, open: s.open, base: s.dropped}
	if s.dropped > 0 {
		v.header = s.header
	}
	v.size = int64(len(v.header)) + s.kept()
	return v
}

// view reads what a store keeps. It is safe for concurrent use.
type view struct {
	cache  *pieceCache
	header []byte
	base   int64 // offset in the file of the first byte behind the header
	pieces []piece
	open   []byte
	size   int64
}

// ReadAt implements io.ReaderAt.
func (v *view) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		from, err := v.from(off + int64(n))
		if err != nil {
			return n, err
		}
		n += copy(b[n:], from)
	}
	return n, nil
}

// from returns bytes from an offset on, at least one.
func (v *view) from(off int64) ([]byte, error) {
	switch {
	case off >= v.size:
		return nil, io.EOF
	case off < int64(len(v.header)):
		return v.header[off:], nil
	}
	at := v.base + off - int64(len(v.header))
	i := sort.Search(len(v.pieces), func(i int) bool { return v.pieces[i].offset+int64(v.pieces[i].size) > at })
	if i == len(v.pieces) {
		return v.open[off-(v.size-int64(len(v.open))):], nil
	}
	data, err := v.cache.read(&v.pieces[i])
	if err != nil {
		return nil, err
	}
	return data[at-v.pieces[i].offset:], nil
}

// pieceCache keeps the pieces that were read last: workers read a piece in several steps.
type pieceCache struct {
	mu   sync.Mutex
	held [cachedPieces]cachedPiece
	next int
}

type cachedPiece struct {
	file  *spill.File
	place spill.Place
	data  []byte
}

func (c *pieceCache) read(p *piece) ([]byte, error) {
	c.mu.Lock()
	for i := range c.held {
		if h := &c.held[i]; h.file == p.segment.file && h.place == p.place {
			data := h.data
			c.mu.Unlock()
			return data, nil
		}
	}
	c.mu.Unlock()
	data, err := p.segment.file.Read(p.place, nil)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[c.next] = cachedPiece{p.segment.file, p.place, data}
	c.next = (c.next + 1) % cachedPieces
	return data, nil
}
