package marks

import "golang.org/x/sys/cpu"

// vectors tells whether the processor has what the fast ways need.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasPOPCNT

// find writes the offsets of the marks in b to dst, which has room for one of
// each byte and for slack more, and tells how many there are.
func find(dst []uint32, b []byte) (n int) {
	whole := 0
	if vectors && len(b) >= chunk && len(dst) >= len(b)+slack {
		whole = len(b) / chunk
		n = findAVX2(&dst[0], &b[0], whole)
	}
	return n + findPortable(dst[n:], b, whole*chunk)
}

// findAVX2 writes the offsets of the marks in so many chunks at src to dst, and
// tells how many there are. Up to slack more may be written behind them.
//
//go:noescape
func findAVX2(dst *uint32, src *byte, chunks int) int

func pathEnd(b []byte, n int) int {
	const width = 32
	if vectors && len(b) >= (n+width-1)&^(width-1) && n > 0 {
		return pathEndAVX2(&b[0], n)
	}
	return pathEndPortable(b[:n])
}

// pathEndAVX2 is PathEnd for n > 0 bytes at src, which may be read up to the next
// multiple of 32 behind them.
//
//go:noescape
func pathEndAVX2(src *byte, n int) int
