package detect

import (
	"math"
	"slices"
	"testing"
)

// Each size is in one range, and ranges are as long as they may be.
func TestRangesOf(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		most  int
		want  [][2]uint32
	}{
		{nil, 5, nil},
		{[]int{0, 0}, 5, nil},
		{[]int{0, 2, 3, 0, 1, 0}, 5, [][2]uint32{{0, 4}, {4, 6}}},
		{[]int{9, 1, 9, 0, 9}, 5, [][2]uint32{{0, 1}, {1, 2}, {2, 4}, {4, 5}}},
		{[]int{4, 4, 4}, math.MaxInt, [][2]uint32{{0, 3}}},
		{[]int{4, 4}, 0, [][2]uint32{{0, 1}, {1, 2}}},
	} {
		var got [][2]uint32
		for from, to := range rangesOf(c.sizes, c.most) {
			got = append(got, [2]uint32{from, to})
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v, at most %d: %v, want %v", c.sizes, c.most, got, c.want)
		}
	}
}
