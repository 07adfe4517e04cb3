//go:build !amd64

package scan

func delimiters(dst []uint32, b []byte) int { return delimitersPortable(dst, b, 0) }
