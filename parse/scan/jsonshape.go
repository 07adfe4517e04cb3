package scan

// width is how many bytes of a line are compared at once.
const width = 32

// ShapeSlack is how many bytes must follow a line, or its beginning, for Find to
// match it.
const ShapeSlack = width

// Kind is the kind of value that follows a literal.
type Kind uint32

// The kinds of values.
const (
	None   Kind = iota // no value: the next literal follows
	String             // the inside of a string without escapes, up to its closing quote
	Bare               // a number or a word, up to a comma, a brace, a blank or a newline
)

// step is a literal of up to width bytes and the value that follows it. The
// assembly depends on its layout.
type step struct {
	text [width]byte
	mask uint32 // a bit for each byte of the literal
	size uint32
	kind Kind
	_    uint32 // length of the value in the previous line; used by findShape only
}

// Shape is the sequence of literals and values in a JSON line, such as all lines
// with the same keys in the same order have. The zero value matches nothing.
type Shape struct {
	steps  []step
	values int
}

// Add appends a literal and the value that follows it.
func (s *Shape) Add(literal []byte, k Kind) {
	for len(literal) > width {
		s.add(literal[:width], None)
		literal = literal[width:]
	}
	s.add(literal, k)
	if k != None {
		s.values++
	}
}

func (s *Shape) add(literal []byte, k Kind) {
	t := step{mask: uint32(1<<len(literal) - 1), size: uint32(len(literal)), kind: k}
	copy(t.text[:], literal)
	s.steps = append(s.steps, t)
}

// Span is the position of a value: bytes Start up to End.
type Span struct{ Start, End uint32 }

// Find matches the line at the start of b, comparing literals and skipping values
// in one pass of vector instructions. It returns the positions of the values,
// using the memory of dst if it suffices, and the length of the line including
// its last literal, which should be the newline. n is 0 if the line has another
// shape, an escape or a newline in a string, or ends less than ShapeSlack bytes
// before b does, and always on processors without ShapesSupported.
func (s *Shape) Find(dst []Span, b []byte) (spans []Span, n int) {
	if !ShapesSupported || len(b) < width || len(s.steps) == 0 {
		return dst[:0], 0
	}
	if cap(dst) < s.values+1 {
		dst = make([]Span, 0, s.values+1)
	}
	dst = dst[:s.values+1] // one more is written even after the last value
	n = findShape(&dst[0], &b[0], len(b)-width, &s.steps[0], len(s.steps))
	return dst[:s.values], n
}
