package inflate

// window holds the content before what is being read, as far back as a distance may reach.
// Pieces are appended until it is full, so that short reads do not each move all of it.
type window struct {
	buf [2 * windowSize]byte
	n   int // bytes in buf
}

// add appends p, the content read last.
func (w *window) add(p []byte) {
	if len(p) >= windowSize {
		w.n = copy(w.buf[:], p[len(p)-windowSize:])
		return
	}
	if w.n+len(p) > len(w.buf) {
		w.n = copy(w.buf[:], w.buf[w.n-windowSize:w.n])
	}
	w.n += copy(w.buf[w.n:], p)
}

// repeat copies size bytes to p[n:] from distance bytes before. distance must be at most n
// plus what the window holds.
//
// It is not inlined, so that it takes no registers from fast.
//
//go:noinline
func (w *window) repeat(p []byte, n, size, distance int) {
	end := n + size
	if back := distance - n; back > 0 {
		n += copy(p[n:end], w.buf[w.n-back:w.n])
	}
	// The source may overlap what is being written.
	for from := n - distance; n < end; {
		n += copy(p[n:end], p[from:n])
	}
}
