package detect

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTimes checks that pop removes the earliest time after any sequence of pushes and
// pops.
func TestTimes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var h times
	var want []int64 // in order
	for range 5000 {
		if len(want) > 0 && r.IntN(5) < 2 {
			h.pop()
			want = want[1:]
		} else {
			at := r.Int64N(300)
			h.push(at)
			i, _ := slices.BinarySearch(want, at)
			want = slices.Insert(want, i, at)
		}
		if len(h) != len(want) || len(h) > 0 && h[0] != want[0] {
			t.Fatalf("%d times, want %d", len(h), len(want))
		}
	}
	for ; len(want) > 0; want = want[1:] {
		if h[0] != want[0] {
			t.Fatalf("earliest time %d, want %d", h[0], want[0])
		}
		h.pop()
	}
}
