// Package values finds the values of a JSON line that is written as others were:
// its keys in the same order, with the same bytes between the values.
//
// In: text that begins with such a line, and what stands between the values. Out:
// where each value is, and where the line ends. Literals are compared and values
// walked over in one pass of vector instructions, so that no byte is looked at
// twice; processors that have none get no answer. What the values mean, and
// whether numbers are numbers, is package parse's work.
package values

// width is how many bytes are looked at together.
const width = 32

// Slack is how many bytes there must be behind a line, or behind its beginning.
const Slack = width

// Kind says what stands behind a literal.
type Kind uint32

// The kinds.
const (
	None   Kind = iota // the next literal
	String             // the inside of a string without escapes, up to its closing quote
	Bare               // a number or a word, up to a comma, a brace, a blank or a line end
)

// step is a literal of up to width bytes, and what stands behind it. The
// assembler knows how it lies in memory.
type step struct {
	text [width]byte
	mask uint32 // a bit for each byte of the literal
	size uint32
	kind Kind
	_    uint32 // how long the value was in the line before; find alone asks for it
}

// Order is how the literals and values of a line follow one another. The zero
// value is of lines that hold nothing.
type Order struct {
	steps  []step
	values int
}

// Add adds a literal and the value behind it.
func (o *Order) Add(literal []byte, k Kind) {
	for len(literal) > width {
		o.add(literal[:width], None)
		literal = literal[width:]
	}
	o.add(literal, k)
	if k != None {
		o.values++
	}
}

func (o *Order) add(literal []byte, k Kind) {
	s := step{mask: uint32(1<<len(literal) - 1), size: uint32(len(literal)), kind: k}
	copy(s.text[:], literal)
	o.steps = append(o.steps, s)
}

// Span is where a value stands: from Start up to End, in bytes.
type Span struct{ Start, End uint32 }

// Find finds the values of the line that b begins with, in the order of the
// order, in dst's memory where they fit, and gives how many bytes the line has,
// whose last literal should be its end. n is 0 where the line has another order,
// an escape or a line end in a string, or ends less than 32 bytes before b does.
func (o *Order) Find(dst []Span, b []byte) (spans []Span, n int) {
	if !Fast || len(b) < width || len(o.steps) == 0 {
		return dst[:0], 0
	}
	if cap(dst) < o.values+1 {
		dst = make([]Span, 0, o.values+1)
	}
	dst = dst[:o.values+1] // where none is left to find, something is written still
	n = find(&dst[0], &b[0], len(b)-width, &o.steps[0], len(o.steps))
	return dst[:o.values], n
}
