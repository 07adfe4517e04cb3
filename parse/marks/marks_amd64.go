package marks

import "golang.org/x/sys/cpu"

// find writes the offsets of the marks in b to dst, which has room for one of
// each byte and for slack more, and tells how many there are.
func find(dst []uint32, b []byte) (n int) {
	whole := 0
	if cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasPOPCNT && len(b) >= chunk && len(dst) >= len(b)+slack {
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
