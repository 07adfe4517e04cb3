//go:build !amd64

package scan

const vectorShapes = false

func findShape(*Span, *byte, int, *step, int) int { panic("BUG: no vector instructions") }
