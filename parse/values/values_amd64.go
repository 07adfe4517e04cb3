package values

import "golang.org/x/sys/cpu"

// Fast tells whether the processor has what Find needs.
var Fast = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

// find walks over steps from src on, of which up to last+width bytes can be read,
// writes where the values are, and gives how many bytes that were; 0 where a step
// is not as it should be.
//
//go:noescape
func find(dst *Span, src *byte, last int, steps *step, count int) (n int)
