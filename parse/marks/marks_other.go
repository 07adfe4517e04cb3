//go:build !amd64

package marks

func find(dst []uint32, b []byte) int { return findPortable(dst, b, 0) }

func pathEnd(b []byte, n int) int { return pathEndPortable(b[:n]) }
