package stats

import (
	"math/rand/v2"
	"testing"
)

// TestGaps checks that counted gaps are as steady as those of a list.
func TestGaps(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for _, n := range []int{0, 1, 2, 7, maxRecent - 1, maxRecent, maxRecent + 1, 5 * maxRecent} {
		for _, most := range []int64{1, 3, 5000, 1 << 30} {
			var list []int64
			var gaps Gaps
			for range n {
				list = append(list, r.Int64N(most))
				gaps.Add(list[len(list)-1])
			}
			typical, near := Steady(list, 1000)
			if gotTypical, gotNear := gaps.Steady(1000); gotTypical != typical || gotNear != near || gaps.N() != n {
				t.Errorf("%d gaps below %d: %d and %d, want %d and %d", n, most, gotTypical, gotNear, typical, near)
			}
		}
	}
}
