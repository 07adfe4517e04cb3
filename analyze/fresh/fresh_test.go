package fresh

import (
	"slices"
	"testing"
)

func TestLists(t *testing.T) {
	type thing struct {
		name string
		n    int64
	}
	for _, n := range []int{0, 1, 511, 512, 4096, 100_003} {
		things, bytes := List[thing](n), List[byte](n)
		if len(things) != n || slices.ContainsFunc(things, func(x thing) bool { return x != thing{} }) {
			t.Errorf("List of %d things: %d, or not all empty", n, len(things))
		}
		if len(bytes) != n || slices.ContainsFunc(bytes, func(x byte) bool { return x != 0 }) {
			t.Errorf("List of %d bytes: %d, or not all empty", n, len(bytes))
		}
		if s := Slots[uint32](n); len(s) != n || slices.ContainsFunc(s, func(x uint32) bool { return x != 0 }) {
			t.Errorf("%d Slots: %d, or not all empty", n, len(s))
		}
		for i := range things {
			things[i] = thing{"x", int64(i)}
		}
		if n > 0 && things[n-1] != (thing{"x", int64(n - 1)}) {
			t.Errorf("%v", things[n-1])
		}
	}
}

func TestSized(t *testing.T) {
	list := Sized[int64](nil, 100)
	if len(list) != 100 || cap(list) < 101 {
		t.Errorf("%d of %d", len(list), cap(list))
	}
	if again := Sized(list, 110); len(again) != 110 || &again[0] != &list[0] {
		t.Error("what fits is not in the same memory")
	}
	if more := Sized(list, 1000); len(more) != 1000 {
		t.Errorf("%d", len(more))
	}
}

func TestRoomy(t *testing.T) {
	var list []int
	copies := 0
	for i := range 1 << 15 {
		before := cap(list)
		list = append(Roomy(list), i)
		if cap(list) != before {
			copies++
		}
	}
	if copies > 12 {
		t.Errorf("%d copies", copies)
	}
	for i, n := range list {
		if i != n {
			t.Fatalf("%d is at %d", n, i)
		}
	}
}
