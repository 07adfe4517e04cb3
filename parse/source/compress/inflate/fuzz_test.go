package inflate

import (
	"bytes"
	"testing"
)

// FuzzDeflate checks that DEFLATE data is decoded or rejected as by compress/flate, in
// whatever pieces it is read.
func FuzzDeflate(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.stream))
	}
	for _, content := range [][]byte{logText(300), logText(3000), bytes.Repeat([]byte("abcde"), 300)} {
		for _, level := range levels {
			f.Add(deflated(f, content, level))
		}
	}
	f.Fuzz(sameAsFlate)
}

// FuzzGzip compares gzip members with compress/gzip.
func FuzzGzip(f *testing.F) {
	for _, stored := range small(f) {
		f.Add(stored)
	}
	f.Fuzz(sameAsGzip)
}

// FuzzCodes compares data with codes of every shape with compress/flate.
func FuzzCodes(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint32(seed*seed*seed), byte(seed))
	}
	f.Fuzz(checkCodes)
}

// FuzzContent checks that compressed content is restored. The content is repeated so that
// the fast path is used.
func FuzzContent(f *testing.F) {
	for _, content := range [][]byte{nil, logText(1000), make([]byte, 1000), []byte("abcabcabcd")} {
		for i := range levels {
			f.Add(content, uint8(i), uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, level, times uint8) {
		for range times % 8 {
			content = append(content, content[len(content)/3:]...)
		}
		stored := deflated(t, content, levels[int(level)%len(levels)])
		for i := range readings {
			got, used, err := readings[i].inflate(stored)
			if err != nil || used != len(stored) || !bytes.Equal(got, content) {
				t.Fatalf("%s: %d bytes of %d, %v, %d bytes were used of %d", readings[i].name, len(got), len(content), err, used, len(stored))
			}
		}
	})
}
