package scan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// piece is a literal and the kind of value after it.
type piece struct {
	literal string
	kind    Kind
}

func shapeOf(pieces []piece) *Shape {
	var o Shape
	for _, p := range pieces {
		o.Add([]byte(p.literal), p.kind)
	}
	return &o
}

// findPlain finds values one byte at a time. ok is false for another shape.
func findPlain(pieces []piece, b []byte) (spans []Span, n int, ok bool) {
	until := func(ends string) bool {
		i := bytes.IndexAny(b[n:], ends)
		if i < 0 {
			return false
		}
		spans = append(spans, Span{uint32(n), uint32(n + i)})
		n += i
		return true
	}
	for _, p := range pieces {
		if !bytes.HasPrefix(b[n:], []byte(p.literal)) {
			return nil, 0, false
		}
		n += len(p.literal)
		switch p.kind {
		case String:
			if !until("\"\\\n") || b[n] != '"' {
				return nil, 0, false
			}
		case Bare:
			if !until(",} \n") {
				return nil, 0, false
			}
		}
	}
	return spans, n, true
}

// checkShape compares Find with findPlain, with and without enough text after the
// line.
func checkShape(t *testing.T, o *Shape, pieces []piece, b []byte) {
	t.Helper()
	if !ShapesSupported {
		t.Skip("this processor does not support shapes")
	}
	for _, text := range [][]byte{slices.Concat(b, bytes.Repeat([]byte{'"'}, ShapeSlack)), slices.Clip(bytes.Clone(b))} {
		want, size, ok := findPlain(pieces, text)
		got, n := o.Find(nil, text)
		switch {
		case n == 0 && (!ok || len(text)-size < ShapeSlack || size == 0): // too near to the end, it may be missed
		case !ok || n != size || !slices.Equal(got, want):
			t.Fatalf("%v: %q is %v, %d, want %v, %d, %v", pieces, text, got, n, want, size, ok)
		}
	}
}

func TestShapeFind(t *testing.T) {
	long := strings.Repeat("key", 30)
	pieces := []piece{{`{"a":"`, String}, {`","b":`, Bare}, {`,"` + long + `":"`, String}, {`","d":`, Bare}, {"}\n", None}}
	o := shapeOf(pieces)
	values := []string{"", "x", "200", strings.Repeat("y", 31), strings.Repeat("y", 32), strings.Repeat("y", 33), strings.Repeat("z", 100), "ä\x80\xff\x00"}
	for _, a := range values {
		for _, b := range values {
			line := `{"a":"` + a + `","b":` + b + `,"` + long + `":"` + b + `","d":` + a + "}\n"
			checkShape(t, o, pieces, []byte(line))
			checkShape(t, o, pieces, []byte(line+line))
			for i := range line {
				for _, c := range []byte{'"', '\\', '\n', ',', '}', ' ', 'x'} {
					broken := []byte(line)
					broken[i] = c
					checkShape(t, o, pieces, broken)
				}
			}
		}
	}
	if _, n := new(Shape).Find(nil, make([]byte, 100)); n != 0 {
		t.Errorf("an empty shape matches %d bytes", n)
	}
}

// TestShapeEveryByte tests every byte at every position of a value of each kind.
func TestShapeEveryByte(t *testing.T) {
	for _, k := range []Kind{String, Bare} {
		pieces := []piece{{"<", k}, {map[Kind]string{String: "\"\n", Bare: "\n"}[k], None}}
		o := shapeOf(pieces)
		for c := range 256 {
			for at := range 2*width + 3 {
				line := []byte("<" + strings.Repeat("a", 2*width+3) + pieces[1].literal)
				line[1+at] = byte(c)
				checkShape(t, o, pieces, line)
			}
		}
	}
}

func FuzzShape(f *testing.F) {
	f.Add([]byte{0, 6, 1, 8, 2, 2}, []byte(`{"a":"some","b":200}`+"\n"), []byte(`{"a":"other","b":4}`+"\n"))
	f.Add([]byte{1, 60, 1, 33, 0, 0, 2, 1}, []byte(fmt.Sprintf("%060d\"%033d1,", 1, 2)), []byte(`{"a":"some","b":200}`))
	f.Fuzz(func(t *testing.T, spec, text, other []byte) {
		// The literals are cut out of the text, so that it has the shape.
		var pieces []piece
		for at := 0; len(spec) >= 2 && len(pieces) < 40; spec = spec[2:] {
			p := piece{string(text[at:min(at+int(spec[1])%80, len(text))]), Kind(spec[0] % 3)}
			pieces = append(pieces, p)
			_, n, ok := findPlain(pieces, text)
			if at = n; !ok {
				break
			}
		}
		o := shapeOf(pieces)
		for _, b := range [][]byte{text, other, text, slices.Concat(text, other), text} {
			checkShape(t, o, pieces, b)
		}
	})
}

func TestShapeAllocs(t *testing.T) {
	if !ShapesSupported {
		t.Skip("this processor does not support shapes")
	}
	o := shapeOf([]piece{{`{"a":"`, String}, {`","b":`, Bare}, {"}\n", None}})
	text := []byte(`{"a":"some","b":200}` + "\n" + strings.Repeat(" ", ShapeSlack))
	spans, _ := o.Find(nil, text)
	if n := testing.AllocsPerRun(100, func() { spans, _ = o.Find(spans, text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
