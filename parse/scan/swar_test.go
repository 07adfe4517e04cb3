package scan

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"testing"
)

// words yields random words with many bytes near the limits that matter.
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

func TestDigitBytes(t *testing.T) {
	for b := range words {
		want := uint64(0)
		for i, c := range b {
			if c >= '0' && c <= '9' {
				want |= 0x80 << (8 * i)
			}
		}
		if got := DigitBytes(binary.LittleEndian.Uint64(b[:])); got != want {
			t.Fatalf("%q digits at %x, want %x", b, got, want)
		}
	}
}

func TestZeroBytes(t *testing.T) {
	for b := range words {
		want := 8
		for i, c := range b {
			if c == 0 {
				want = i
				break
			}
		}
		if got := bits.TrailingZeros64(ZeroBytes(binary.LittleEndian.Uint64(b[:]))) / 8; got != want {
			t.Fatalf("%q has its first zero at %d, want %d", b, got, want)
		}
	}
}

func TestLoadWord(t *testing.T) {
	text := []byte("abcdefghij")
	for from := range text {
		for to := from; to <= len(text); to++ {
			for _, most := range []int{to, len(text)} {
				var want [8]byte
				copy(want[:], text[from:to])
				if got := LoadWord(text[from:to:most]); got != binary.LittleEndian.Uint64(want[:]) {
					t.Errorf("LoadWord(%q) of a text that ends at %d: %x", text[from:to], most, got)
				}
			}
		}
	}
}

func TestLeadingDigits(t *testing.T) {
	word := func(s string) uint64 { return binary.LittleEndian.Uint64([]byte(s + "\x00\xff /:.x/:")[:8]) }
	for _, s := range []string{"", "0", "7", "10", "042", "1234", "98765", "123456", "1234567", "12345678", "0000001"} {
		value, n := LeadingInteger(word(s))
		want, _ := strconv.ParseInt("0"+s, 10, 64)
		if value != want || n != len(s) {
			t.Errorf("LeadingInteger(%q) = %d, %d", s, value, n)
		}
	}
	for c := range 256 {
		for at := range 16 {
			b := []byte("1.2.3.4.5.6.7.8.")
			b[at] = byte(c)
			want := at
			if c >= '0' && c <= '9' || c == '.' {
				want = 16
			}
			if got := DottedLen((*[16]byte)(b)); got != want {
				t.Fatalf("DottedLen(%q) = %d, want %d", b, got, want)
			}
		}
	}
}

// FuzzWords compares functions on words with loops over bytes.
func FuzzWords(f *testing.F) {
	f.Add([]byte("192.168.100.200 "))
	f.Add([]byte("12345678/:901234"))
	f.Add([]byte("\xb1\xb2\x2f\x3a.0:9\x80\xff\x00\x01\x7f\xb0\xb9"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 16 {
			return
		}
		b = b[:16]
		digit := func(c byte) bool { return '0' <= c && c <= '9' }
		dotted := 0
		for dotted < 16 && (digit(b[dotted]) || b[dotted] == '.') {
			dotted++
		}
		if got := DottedLen((*[16]byte)(b)); got != dotted {
			t.Errorf("DottedLen(%q) = %d, want %d", b, got, dotted)
		}
		value, n := int64(0), 0
		for n < 8 && digit(b[n]) {
			value, n = 10*value+int64(b[n]-'0'), n+1
		}
		x := binary.LittleEndian.Uint64(b)
		if gotValue, gotN := LeadingInteger(x); gotValue != value || gotN != n {
			t.Errorf("LeadingInteger(%q) = %d, %d, want %d, %d", b[:8], gotValue, gotN, value, n)
		}
	})
}
