package scan

import "golang.org/x/sys/cpu"

// vectorShapes reports whether the processor has the instructions of findShape.
var vectorShapes = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

// findShape matches steps against the text at src, of which last+width bytes can
// be read. It writes the positions of the values and returns the length of the
// match, 0 if there is none.
//
//go:noescape
func findShape(dst *Span, src *byte, last int, steps *step, count int) (n int)
