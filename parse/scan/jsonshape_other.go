//go:build !amd64

package scan

// ShapesSupported reports whether the processor has the instructions that
// Shape.Find needs.
const ShapesSupported = false

func findShape(*Span, *byte, int, *step, int) int { return 0 }
