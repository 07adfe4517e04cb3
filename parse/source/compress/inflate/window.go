package inflate

// window is the content before what is being read, as far back as a distance
// may reach. Pieces of what is read go behind each other until it is full, so
// that short ones do not each move all of it.
type window struct {
	buf [2 * windowSize]byte
	n   int // bytes in buf
}

// add takes p as the content that came last.
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

// repeat copies to n in p size bytes from distance bytes before. They are there:
// distance is at most n more than the window holds.
//
// It is not inlined, so that it takes no registers from fast.
//
//go:noinline
func (w *window) repeat(p []byte, n, size, distance int) {
	end := n + size
	if back := distance - n; back > 0 {
		n += copy(p[n:end], w.buf[w.n-back:w.n])
	}
	// What was copied may be copied again.
	for from := n - distance; n < end; {
		n += copy(p[n:end], p[from:n])
	}
}
