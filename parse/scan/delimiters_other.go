//go:build !amd64

package scan

func delimiters(dst []uint32, b []byte) int { return delimitersPortable(dst, b) }

func pathEnd(b []byte, n int) int { return pathEndPortable(b[:n]) }
