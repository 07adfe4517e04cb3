package scan

import "slices"

// Scratch is memory for the decoded values of one line. Values stay valid until
// Reset. The zero value is ready to use.
type Scratch struct{ buf []byte }

// Reset discards all values, keeping the memory.
func (s *Scratch) Reset() { s.buf = s.buf[:0] }

// Grow returns an empty slice with room for at least n bytes. The caller appends
// up to n bytes to it and passes the result to Keep.
func (s *Scratch) Grow(n int) []byte {
	if cap(s.buf)-len(s.buf) < n {
		s.buf = make([]byte, 0, 2*cap(s.buf)+n+1024) // kept values stay in the old memory
	}
	return s.buf[len(s.buf):]
}

// Keep retains b, which was made by appending to the result of the last Grow, and
// returns it.
func (s *Scratch) Keep(b []byte) []byte {
	s.buf = s.buf[:len(s.buf)+len(b)]
	return slices.Clip(b)
}

// String copies text.
func (s *Scratch) String(text string) []byte { return s.Keep(append(s.Grow(len(text)), text...)) }

// Size returns how many bytes of memory s holds.
func (s *Scratch) Size() int { return cap(s.buf) }
