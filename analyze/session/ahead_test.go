package session

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRecency compares a recency with a list in which the endpoint used is moved to the
// front.
func TestRecency(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const endpoints = 24

	for _, n := range []uint8{maxRecent, 8, maxRecent, 8} {
		x := newRecency(endpoints)
		for range 3 { // actors
			x.reset(n)
			var list []uint32
			for range 500 {
				endpoint := uint32(r.IntN(1 + r.IntN(endpoints)))
				at := slices.Index(list, endpoint)
				if at >= 0 {
					list = slices.Delete(list, at, at+1)
				}
				list = slices.Insert(list, 0, endpoint)
				list = list[:min(len(list), int(n))]
				if slot, known := x.use(endpoint); known != (at >= 0) || x.endpoints[slot] != endpoint {
					t.Fatalf("use(%d) = %d, %t; the endpoint is at %d", endpoint, slot, known, at)
				}
				var got []uint32
				for slot := range x.each {
					got = append(got, x.endpoints[slot])
				}
				if len(got) != int(n) || !slices.Equal(got[:len(list)], list) {
					t.Fatalf("endpoints = %v, want %v", got, list)
				}
			}
		}
	}
}
