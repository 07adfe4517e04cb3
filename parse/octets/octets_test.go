package octets

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// words are those in which every byte stands beside any other.
func words(yield func(b [8]byte) bool) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], r.Uint64())
		for i := range b {
			switch r.IntN(4) {
			case 0:
				b[i] = "/0189:\x00\x01\x7f\x80\xb0\xb9\xff"[r.IntN(13)]
			case 1:
				b[i] = byte('0' + r.IntN(10))
			}
		}
		if !yield(b) {
			return
		}
	}
}

func TestDigits(t *testing.T) {
	for b := range words {
		want := uint64(0)
		for i, c := range b {
			if c >= '0' && c <= '9' {
				want |= 0x80 << (8 * i)
			}
		}
		if got := Digits(binary.LittleEndian.Uint64(b[:])); got != want {
			t.Fatalf("%q has digits at %x, want %x", b, got, want)
		}
	}
}

func TestZeros(t *testing.T) {
	for b := range words {
		want := 8
		for i, c := range b {
			if c == 0 {
				want = i
				break
			}
		}
		if got := bits.TrailingZeros64(Zeros(binary.LittleEndian.Uint64(b[:]))) / 8; got != want {
			t.Fatalf("%q has its first zero at %d, want %d", b, got, want)
		}
	}
}

func TestFirst(t *testing.T) {
	text := []byte("abcdefghij")
	for from := range text {
		for to := from; to <= len(text); to++ {
			for _, most := range []int{to, len(text)} {
				var want [8]byte
				copy(want[:], text[from:to])
				if got := First(text[from:to:most]); got != binary.LittleEndian.Uint64(want[:]) {
					t.Errorf("First(%q) of a text that ends at %d is %x", text[from:to], most, got)
				}
			}
		}
	}
}
