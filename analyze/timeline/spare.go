package timeline

// spare is memory for the pages of the logs of a part's shards, which are many and
// small.
type spare struct {
	left []byte
	next int // how many bytes are made next
}

// The first memory is little, for a small log, and what comes next twice as much,
// to a bound.
const (
	leastSpare = 32 << 10
	mostSpare  = 256 << 10
)

// page gives the memory of a page.
func (s *spare) page(size int) []byte {
	if len(s.left) < size {
		s.next = min(max(2*s.next, leastSpare), mostSpare)
		s.left = make([]byte, s.next)
	}
	p := s.left[:size:size]
	s.left = s.left[size:]
	return p
}
