package scan

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// delimitersPlain finds delimiters one byte at a time.
func delimitersPlain(b []byte) (offsets []uint32) {
	for i, c := range b {
		if c == Quote || c == Backslash || c == Newline {
			offsets = append(offsets, uint32(i))
		}
	}
	return offsets
}

func checkDelimiters(t *testing.T, b []byte) {
	t.Helper()
	want := delimitersPlain(b)
	if got := Delimiters(nil, b); !slices.Equal(got, want) {
		t.Fatalf("Delimiters(%q) = %v, want %v", b, got, want)
	}
	dst := make([]uint32, len(b)+slack)
	if got := dst[:delimitersPortable(dst, b)]; !slices.Equal(got, want) {
		t.Fatalf("delimitersPortable(%q) = %v, want %v", b, got, want)
	}
}

// TestDelimitersEveryByte tests every byte at every position of two chunks, alone and
// among delimiters.
func TestDelimitersEveryByte(t *testing.T) {
	for _, around := range []byte{'a', Quote, 0x80, 0xff} {
		for c := range 256 {
			for at := range 2*chunk + 9 {
				b := bytes.Repeat([]byte{around}, 2*chunk+9)
				b[at] = byte(c)
				checkDelimiters(t, b)
			}
		}
	}
}

func TestDelimitersLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		for _, share := range []int{2, 5, 40} {
			b := make([]byte, n)
			for i := range b {
				b[i] = "\"\\\nabcdefghij\x00\x02\x0a\x1c\xa2\xdc\x8a"[r.IntN(20)]
				if r.IntN(share) > 0 {
					b[i] = byte(r.Uint32())
				}
			}
			checkDelimiters(t, b)
		}
	}
}

func FuzzDelimiters(f *testing.F) {
	f.Add([]byte(`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "a \"quoted\" agent"` + "\n"))
	f.Add(bytes.Repeat([]byte{Quote}, 3*chunk))
	f.Fuzz(func(t *testing.T, b []byte) { checkDelimiters(t, b) })
}

// checkPathEnd compares PathEnd with a loop over bytes, with and without text after
// the path.
func checkPathEnd(t *testing.T, b []byte) {
	t.Helper()
	want := bytes.IndexAny(b, "?;(")
	if want < 0 {
		want = len(b)
	}
	if got := pathEndPortable(b); got != want {
		t.Fatalf("pathEndPortable(%q) = %d, want %d", b, got, want)
	}
	for _, after := range []string{"", "?", strings.Repeat("?;(", 30)} {
		if got := PathEnd(append(slices.Clip(b), after...), len(b)); got != want {
			t.Fatalf("PathEnd(%q, %d) with %q after = %d, want %d", b, len(b), after, got, want)
		}
	}
}

func TestPathEnd(t *testing.T) {
	for n := range 100 {
		for _, fill := range []byte{'a', '/', 0x7f, 0xbf, 0xff, 0} {
			b := bytes.Repeat([]byte{fill}, n)
			checkPathEnd(t, b)
			for at := range n {
				for _, c := range []byte{'?', ';', '(', '8', '+', '/', 0xbf, 0xa8} {
					was := b[at]
					b[at] = c
					checkPathEnd(t, b)
					b[at] = was
				}
			}
		}
	}
}

func FuzzPathEnd(f *testing.F) {
	f.Add([]byte("/api/v1/orders/12345/items?page=2"))
	f.Add([]byte("/cart;jsessionid=1A2B/items"))
	f.Fuzz(func(t *testing.T, b []byte) { checkPathEnd(t, b) })
}

func TestDelimitersAllocs(t *testing.T) {
	b := bytes.Repeat([]byte("a \"b\" \\ c\n"), 100)
	dst := Delimiters(nil, b)
	if n := testing.AllocsPerRun(100, func() { dst = Delimiters(dst, b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Run with: go test ./parse/scan -run XX -bench .
func BenchmarkDelimiters(b *testing.B) {
	line := `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /api/v1/orders/12345/items?page=2 HTTP/1.1" 200 4179 "https://www.example.org/app/home" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"` + "\n"
	text := bytes.Repeat([]byte(line), 64)
	dst := make([]uint32, len(text)+slack)
	for name, find := range map[string]func([]byte) int{
		"best":     func(text []byte) int { return delimiters(dst, text) },
		"portable": func(text []byte) int { return delimitersPortable(dst, text) },
		"separate": func(text []byte) (n int) { // one search for each delimiter
			for len(text) > 0 {
				i := bytes.IndexByte(text, Newline)
				l := text[:i]
				text = text[i+1:]
				if bytes.IndexByte(l, Backslash) >= 0 {
					n++
				}
				for {
					j := bytes.IndexByte(l, Quote)
					if j < 0 {
						break
					}
					n++
					l = l[j+1:]
				}
			}
			return n
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				find(text)
			}
		})
	}
}
