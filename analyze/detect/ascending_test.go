package detect

import (
	"slices"
	"testing"
)

func TestAscending(t *testing.T) {
	var l ascending
	var want []uint32
	for i := uint32(0); i < 1<<20; i += 1 + i%7*i%300 {
		l.add(i)
		want = append(want, i)
	}
	var got []uint32
	for i := range l.each {
		got = append(got, i)
	}
	if !slices.Equal(got, want) || l.n != len(want) || l.n < 3*chunkLength {
		t.Errorf("%d refusals, want %d", len(got), len(want))
	}
	for _, x := range [][2]uint32{{0, 0}, {0, 5}, {1000, 500_000}, {500_000, 500_001}, {0, 1 << 21}, {1 << 20, 1 << 21}} {
		got := slices.Collect(l.between(func(i uint32) bool { return i >= x[0] }, func(i uint32) bool { return i >= x[1] }))
		from, _ := slices.BinarySearch(want, x[0])
		to, _ := slices.BinarySearch(want, x[1])
		if !slices.Equal(got, want[from:to]) {
			t.Errorf("%d to %d: %d refusals, want %d", x[0], x[1], len(got), to-from)
		}
	}
	for i := range new(ascending).between(func(uint32) bool { return true }, func(uint32) bool { return false }) {
		t.Errorf("the empty list has %d", i)
	}
	for _, x := range [][2]int{{0, 0}, {0, 1}, {3, chunkLength}, {chunkLength, chunkLength + 1}, {chunkLength - 1, 2*chunkLength + 5}, {0, l.n}, {l.n - 1, l.n}} {
		part := l.slice(x[0], x[1])
		if got := slices.Collect(part.each); !slices.Equal(got, want[x[0]:x[1]]) || part.n != len(got) || len(got) > 0 && (part.first() != got[0] || part.last != got[len(got)-1]) {
			t.Errorf("places %d to %d: %d refusals of %d", x[0], x[1], len(got), part.n)
		}
	}
	for _, n := range []int{1, 7, 2000, l.n, 2 * l.n} {
		if got := l.spread(n); !slices.Equal(got, spread(want, n)) {
			t.Errorf("%d spread: %d", n, len(got))
		}
	}
}
