package inflate

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// bitWriter writes bits in the order of DEFLATE: the first bit is the lowest.
type bitWriter struct {
	data []byte
	n    int // bits
}

func (w *bitWriter) put(v, n int) {
	for i := range n {
		if w.n%8 == 0 {
			w.data = append(w.data, 0)
		}
		w.data[w.n/8] |= byte(v>>i&1) << (w.n % 8)
		w.n++
	}
}

// codeword writes the codeword of a symbol, whose first bit is the highest.
func (w *bitWriter) codeword(c code, symbol int) {
	for i := c.lengths[symbol] - 1; i >= 0; i-- {
		w.put(c.words[symbol]>>i&1, 1)
	}
}

// code is a Huffman code by symbol.
type code struct{ lengths, words []int }

// newCode returns the canonical code (RFC 1951, section 3.2.2).
func newCode(lengths []int) code {
	c := code{lengths, make([]int, len(lengths))}
	word := 0
	for n := 1; n <= maxCodeLength; n++ {
		word <<= 1
		for symbol, length := range lengths {
			if length == n {
				c.words[symbol] = word
				word++
			}
		}
	}
	return c
}

// randomCode returns a complete code for some of the symbols, including must. deep makes
// long codewords likely.
func randomCode(r *rand.Rand, symbols, used, must int, deep bool) code {
	leaves := []int{1, 1}
	if used == 1 {
		leaves = leaves[:1] // the one code that need not be complete
	}
	for len(leaves) < used {
		i := r.IntN(len(leaves))
		if deep && r.IntN(8) > 0 {
			i = len(leaves) - 1
		}
		if leaves[i] < maxCodeLength {
			leaves[i]++
			leaves = append(leaves, leaves[i])
		}
	}
	lengths := make([]int, symbols)
	order := r.Perm(symbols)
	for i, symbol := range order {
		if symbol == must {
			order[0], order[i] = order[i], order[0]
		}
	}
	r.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
	for i, length := range leaves {
		lengths[order[i]] = length
	}
	return newCode(lengths)
}

// symbolIn returns a random symbol in [first, end) that has a codeword. ok is false if none
// has.
func (c code) symbolIn(r *rand.Rand, first, end int) (int, bool) {
	n := end - first
	for i, at := 0, r.IntN(n); i < n; i++ {
		if symbol := first + (at+i)%n; c.lengths[symbol] > 0 {
			return symbol, true
		}
	}
	return 0, false
}

// block writes a block with random codes and symbols, and returns content with what the
// block adds.
func (w *bitWriter) block(r *rand.Rand, content []byte, last bool) []byte {
	litlen := randomCode(r, maxLitlen, 1+r.IntN(maxLitlen), endOfBlock, r.IntN(2) == 0)
	distance := randomCode(r, maxDistances, 1+r.IntN(maxDistances), 0, r.IntN(2) == 0)
	final := 0
	if last {
		final = 1
	}
	w.put(final, 1)
	w.put(2, 2)
	w.put(maxLitlen-257, 5)
	w.put(maxDistances-1, 5)
	w.put(precodeSymbols-4, 4)
	lengths := make([]int, precodeSymbols)
	for i := range 16 {
		lengths[i] = 4 // no repetitions, and each length is equal
	}
	precode := newCode(lengths)
	for _, symbol := range precodeOrder {
		w.put(lengths[symbol], 3)
	}
	for _, c := range []code{litlen, distance} {
		for _, length := range c.lengths {
			w.codeword(precode, length)
		}
	}
	for range r.IntN(600) {
		symbol, ok := litlen.symbolIn(r, 0, endOfBlock)
		if r.IntN(3) == 0 || !ok {
			symbol, ok = litlen.symbolIn(r, endOfBlock+1, maxLitlen)
			back, _ := distance.symbolIn(r, 0, maxDistances)
			base, extra := int(distances[back]>>valueShift), int(distances[back]&0xff)
			if !ok || base+1<<extra-1 > len(content) {
				continue
			}
			w.codeword(litlen, symbol)
			more, bits := 0, int(litlens[symbol]&0xff)
			if bits > 0 {
				more = r.IntN(1 << bits)
			}
			w.put(more, bits)
			length := int(litlens[symbol]>>valueShift) + more
			w.codeword(distance, back)
			more = r.IntN(1 << extra)
			w.put(more, extra)
			for from := len(content) - base - more; length > 0; length-- {
				content = append(content, content[from])
				from++
			}
			continue
		}
		w.codeword(litlen, symbol)
		content = append(content, byte(symbol))
	}
	w.codeword(litlen, endOfBlock)
	return content
}

// checkCodes writes blocks with codes of every shape, which no compressor makes, and reads
// them: whole, truncated, and with a changed byte.
func checkCodes(t *testing.T, seed uint64, cut uint32, change byte) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	var w bitWriter
	var content []byte
	for blocks := 1 + r.IntN(4); blocks > 0; blocks-- {
		content = w.block(r, content, blocks == 1)
	}
	for i := range readings {
		got, used, err := readings[i].inflate(w.data)
		if err != nil || used != len(w.data) || !bytes.Equal(got, content) {
			t.Fatalf("seed %d, %s: %d bytes of %d, %v; %d bytes were used of %d", seed, readings[i].name, len(got), len(content), err, used, len(w.data))
		}
	}
	at := int(cut) % len(w.data)
	sameAsFlate(t, w.data[:at])
	w.data[at] ^= change
	sameAsFlate(t, w.data)
}

func TestCodes(t *testing.T) {
	n := uint64(100)
	if testing.Short() {
		n = 10
	}
	for seed := range n {
		checkCodes(t, seed, uint32(seed*seed*seed), byte(seed))
	}
}

// TestEntries compares bases and extra bits with the tables of RFC 1951, section 3.2.5.
func TestEntries(t *testing.T) {
	tests := []struct {
		name        string
		entries     []entry
		symbol      int
		base, extra entry
	}{
		{"length", litlens[:], 257, 3, 0}, {"length", litlens[:], 264, 10, 0}, {"length", litlens[:], 265, 11, 1},
		{"length", litlens[:], 268, 17, 1}, {"length", litlens[:], 269, 19, 2}, {"length", litlens[:], 273, 35, 3},
		{"length", litlens[:], 277, 67, 4}, {"length", litlens[:], 280, 115, 4}, {"length", litlens[:], 281, 131, 5},
		{"length", litlens[:], 284, 227, 5}, {"length", litlens[:], 285, 258, 0},
		{"distance", distances[:], 0, 1, 0}, {"distance", distances[:], 3, 4, 0}, {"distance", distances[:], 4, 5, 1},
		{"distance", distances[:], 7, 13, 2}, {"distance", distances[:], 16, 257, 7}, {"distance", distances[:], 28, 16385, 13},
		{"distance", distances[:], 29, 24577, 13},
	}
	for _, test := range tests {
		if got, want := test.entries[test.symbol], test.base<<valueShift|test.extra; got != want {
			t.Errorf("%s %d: %#x, want %#x", test.name, test.symbol, got, want)
		}
	}
	for _, e := range []entry{litlens[286], litlens[287], distances[30], distances[31]} {
		if e != exceptional {
			t.Errorf("reserved symbol: %#x", e)
		}
	}
}
