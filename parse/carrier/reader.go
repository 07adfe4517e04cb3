package carrier

// Reader extracts the texts from the lines of one carrier, joining those that
// were split over several lines. The zero value is ready to use; it must not be
// used by several goroutines at once.
type Reader struct {
	text    []byte // memory for decoded texts
	stamp   []byte
	joined  []byte // the last line with the earlier parts of its text inserted
	isWhole bool   // joined is valid
	partial [numStreams][]byte
	tooLong [numStreams]bool
	objects objects
	rest    []byte
}

// Result is what Read found in a line.
type Result uint8

// The results.
const (
	Whole     Result = iota // a text
	Foreign                 // not a line of the carrier
	Damaged                 // not a line of the carrier once joined with its earlier parts
	Continues               // a part of a text that continues in a later line
	TooLong                 // the end of a text longer than MaxText
)

// MaxText is the longest text in bytes that is joined from several lines, the
// same as the longest line.
const MaxText = 1 << 20

// Read extracts the text of a line, without its line end. The text is valid until
// the next call.
func (r *Reader) Read(c *Carrier, line []byte) (decoded []byte, result Result) {
	r.isWhole, r.stamp, r.rest = false, nil, nil
	if c.Spread {
		return r.readObject(line)
	}
	t, ok := c.locate(line)
	if !ok {
		return nil, Foreign
	}
	s := t.stream
	if t.partial {
		if len(r.partial[s])+t.end-t.start > MaxText {
			r.tooLong[s] = true
		}
		if !r.tooLong[s] {
			r.partial[s] = append(r.partial[s], line[t.start:t.end]...)
		}
		return nil, Continues
	}
	if r.tooLong[s] {
		r.tooLong[s], r.partial[s] = false, nil
		return nil, TooLong
	}
	if len(r.partial[s]) > 0 {
		r.joined = append(append(append(r.joined[:0], line[:t.start]...), r.partial[s]...), line[t.start:]...)
		r.partial[s] = r.partial[s][:0]
		if t, ok = c.locate(r.joined); !ok {
			return nil, Damaged
		}
		line, r.isWhole = r.joined, true
	}
	decoded, r.text = t.decode(r.text, line)
	r.stamp = t.stamp
	return trimNewline(decoded), Whole
}

// readObject is Read for JSON objects over several lines.
func (r *Reader) readObject(line []byte) (decoded []byte, result Result) {
	n, result := r.objects.read(line)
	if n < len(line) {
		r.rest = line[n:]
	}
	if result == Whole {
		r.joined, r.isWhole = r.objects.text, true
		if t, ok := exported(r.joined); ok {
			decoded, r.text = t.decode(r.text, r.joined)
			r.stamp = t.stamp
			return trimNewline(decoded), Whole
		}
		return r.joined, Whole
	}
	return nil, result
}

// Rest returns what follows the text in the line, which must be read as another line; nil
// if nothing does.
func (r *Reader) Rest() []byte { return r.rest }

// Stamp returns the carrier's own time of the last line, nil if it has none. A
// time of RFC 3164 has no year and no offset.
func (r *Reader) Stamp() []byte { return r.stamp }

// Line returns the last line with the earlier parts of its text inserted, so that
// it can be read alone; it returns line if there are none. The result is valid
// until the next call of Read.
func (r *Reader) Line(line []byte) []byte {
	if r.isWhole {
		return r.joined
	}
	return line
}

// Reset discards parts of texts whose end has not been read.
func (r *Reader) Reset() {
	r.objects.reset()
	for i := range r.partial {
		r.partial[i], r.tooLong[i] = r.partial[i][:0], false
	}
}
