package scan

import "golang.org/x/sys/cpu"

// ShapesSupported reports whether the processor has the instructions that
// Shape.Find needs.
var ShapesSupported = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

// findShape matches steps against the text at src, of which last+width bytes can
// be read. It writes the positions of the values and returns the length of the
// match, 0 if there is none.
//
//go:noescape
func findShape(dst *Span, src *byte, last int, steps *step, count int) (n int)
