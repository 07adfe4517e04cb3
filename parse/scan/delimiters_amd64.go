package scan

import "golang.org/x/sys/cpu"

// hasVectors reports whether the processor has the instructions of the assembly.
var hasVectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasPOPCNT

// delimiters writes the offsets of the delimiters in b to dst, which has room for
// len(b)+slack offsets, and returns their number.
func delimiters(dst []uint32, b []byte) (n int) {
	if !hasVectors || len(dst) < len(b)+slack {
		return delimitersPortable(dst, b)
	}
	whole := len(b) / chunk
	if whole > 0 {
		n = delimitersAVX2(&dst[0], &b[0], whole)
	}
	if rest := b[whole*chunk:]; len(rest) > 0 {
		var last [chunk]byte // zeros, which are no delimiters, follow the rest
		copy(last[:], rest)
		from := n
		n += delimitersAVX2(&dst[n], &last[0], 1)
		for i := from; i < n; i++ {
			dst[i] += uint32(whole * chunk)
		}
	}
	return n
}

// delimitersAVX2 writes the offsets of the delimiters in the given number of
// chunks at src to dst and returns their number. It may write up to slack more
// offsets.
//
//go:noescape
func delimitersAVX2(dst *uint32, src *byte, chunks int) int

func pathEnd(b []byte, n int) int {
	if hasVectors && len(b) >= (n+chunk-1)&^(chunk-1) && n > 0 {
		return pathEndAVX2(&b[0], n)
	}
	return pathEndPortable(b[:n])
}

// pathEndAVX2 implements PathEnd for n > 0 bytes at src. It reads up to the next
// multiple of 64 bytes.
//
//go:noescape
func pathEndAVX2(src *byte, n int) int
