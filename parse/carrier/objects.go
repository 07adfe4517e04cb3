package carrier

import (
	"bytes"

	"logscan/parse/scan"
)

// objects finds the JSON objects of a text that a program has laid out over several
// lines, alone or in an array. Where the text is damaged it goes on with the next object.
type objects struct {
	text    []byte // of the object so far, its lines joined by blanks
	depth   int    // of the open objects and arrays; 0 between objects
	arrays  uint64 // bit i is set if the container at depth i is an array
	last    byte   // the last byte that is not blank
	tooLong bool   // the object is longer than MaxText: its text is not kept
}

// maxDepth limits the nesting of objects and arrays to the bits of a number.
const maxDepth = 64

// reset discards an object whose end has not been read.
func (o *objects) reset() {
	o.text, o.depth, o.arrays, o.last, o.tooLong = o.text[:0], 0, 0, 0, false
}

// read reads a line, or the rest of one, up to the end of an object. It returns how many
// bytes it has read: less than all if another object begins after them. If the result is
// Whole, o.text is the object. A line between objects that has only brackets and commas
// continues.
func (o *objects) read(line []byte) (n int, result Result) {
	i := 0
	if o.depth == 0 {
		i = nextObject(line, 0)
		switch o.reset(); {
		case i == len(line):
			return i, Continues
		case line[i] != '{':
			return len(line), Foreign
		}
	}
	start := i
	for i < len(line) {
		c := line[i]
		switch c {
		case '"':
			end := scan.StringEnd(line, i+1)
			if end < 0 { // no string contains a line end
				o.reset()
				return len(line), Damaged
			}
			i = end
		case '{', '[':
			if c == '{' && o.depth > 0 && !o.inArray() && o.last != ':' { // the object before is cut off
				o.reset()
				return i, Damaged
			}
			if c == '{' && o.depth == 2 && o.inArray() && len(o.text)+i-start <= scan.LongestWrapper && scan.IsWrapper(append(o.text, line[start:i]...)) {
				o.reset()
				start = i
			}
			if o.depth == maxDepth {
				o.reset()
				return len(line), Damaged
			}
			o.arrays &^= 1 << o.depth
			if c == '[' {
				o.arrays |= 1 << o.depth
			}
			o.depth++
		case '}', ']':
			if o.inArray() != (c == ']') {
				o.reset()
				return len(line), Damaged
			}
			if o.depth--; o.depth == 0 {
				if o.add(line[start : i+1]); o.tooLong {
					result = TooLong
				}
				return nextObject(line, i+1), result
			}
		case ' ', '\t', '\r':
			c = o.last
		}
		o.last = c
		i++
	}
	o.add(line[start:])
	o.add(space)
	return len(line), Continues
}

// inArray reports whether the innermost container is an array.
func (o *objects) inArray() bool { return o.depth > 0 && o.arrays>>(o.depth-1)&1 != 0 }

// nextObject returns where the next object of a line begins, from an offset outside of
// objects on: its length if there is none. A brace ends the object around an array.
func nextObject(line []byte, i int) int {
	for i = scan.SkipFraming(line, i); i < len(line) && line[i] == '}'; {
		i = scan.SkipFraming(line, i+1)
	}
	return i
}

// add appends a part of the object.
func (o *objects) add(part []byte) {
	if o.tooLong = o.tooLong || len(o.text)+len(part) > MaxText; !o.tooLong {
		o.text = append(o.text, part...)
	}
}

// wholeObjects returns where the last line ends that ends outside of an object. data
// begins outside of one.
func wholeObjects(data []byte) (end int) {
	var o objects
	for at := 0; ; {
		n := bytes.IndexByte(data[at:], '\n')
		if n < 0 {
			return end
		}
		for line := data[at : at+n]; ; {
			m, _ := o.read(line)
			if line = line[m:]; len(line) == 0 {
				break
			}
		}
		if at += n + 1; o.depth == 0 {
			end = at
		}
	}
}

// spreadObject locates what may be a line of a JSON object over several lines. An object
// in one line is whole.
func spreadObject(line []byte) (t text, ok bool) {
	rest := bytes.TrimLeft(line, " \t,[]{}")
	t.end = len(bytes.TrimRight(line, " \t,"))
	begin := bytes.TrimLeft(line, " \t,[")
	t.partial = t.end == 0 || len(begin) == 0 || begin[0] != '{' || line[t.end-1] != '}'
	switch {
	case len(rest) == 0:
		return t, len(begin) < len(line) || len(line) > 0
	case rest[0] == '"':
		end := scan.StringEnd(rest, 1)
		if end < 0 {
			return t, false
		}
		rest = bytes.TrimLeft(rest[end+1:], " \t")
		return t, len(rest) == 0 || rest[0] == ':' || len(bytes.TrimLeft(rest, " \t,]}")) == 0
	}
	return t, isScalar(bytes.TrimRight(rest, " \t,]}"))
}

// isScalar reports whether b is a number, true, false or null.
func isScalar(b []byte) bool {
	n, _ := scan.Scalar(b)
	return n == len(b)
}
