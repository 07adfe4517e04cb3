package timeline

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// timed returns events at the given times, with distinct endpoints.
func timed(times ...int64) []Event {
	list := make([]Event, len(times))
	for i, t := range times {
		list[i] = Event{Time: t, Endpoint: uint32(i)}
	}
	return list
}

// span returns the times from, from+step, … below to.
func span(from, to, step int64) []int64 {
	var list []int64
	for t := from; t < to; t += step {
		list = append(list, t)
	}
	return list
}

func TestRunSorter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := span(0, 5000, 1)
	rng.Shuffle(len(random), func(i, j int) { random[i], random[j] = random[j], random[i] })
	backwards := span(0, 1000, 1)
	slices.Reverse(backwards)
	late := span(0, 2000, 2)
	for i := 40; i < len(late); i += 50 {
		late[i] -= 70 // a slow response
	}
	near := span(0, 2000, 2)
	for i := 2; i < len(near); i += 3 {
		near[i] -= 5
	}
	for _, c := range []struct {
		name  string
		times []int64
	}{
		{"none", nil},
		{"one", []int64{7}},
		{"in order", span(0, 100, 1)},
		{"all at one time", make([]int64, 100)},
		{"backwards", backwards},
		{"random", random},
		{"nearly in order", near},
		{"some late", late},
		{"two interleaved", slices.Concat(span(0, 1000, 2), span(1, 1000, 2))},
		{"the later half first", slices.Concat(span(500, 1000, 1), span(0, 500, 1))},
		{"files by name", slices.Concat(span(900, 1000, 1), span(0, 100, 1), span(100, 200, 1), span(800, 900, 1), span(300, 800, 1), span(200, 300, 1))},
		{"files of several servers", slices.Concat(span(300, 600, 3), span(0, 300, 3), span(301, 601, 2), span(1, 301, 2), span(0, 600, 5))},
		{"a run within another", slices.Concat(span(0, 1000, 1), span(400, 500, 1), span(450, 460, 1))},
		{"a run shorter than the reach at the end", slices.Concat(span(0, 1000, 1), []int64{3, 2, 1})},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkSorted(t, timed(c.times...))
		})
	}
}

// checkSorted compares runSorter with slices.SortFunc, for distinct events.
func checkSorted(t *testing.T, events []Event) {
	t.Helper()
	want := slices.Clone(events)
	slices.SortFunc(want, func(a, b Event) int { return compareEvents(&a, &b) })
	o := runSorter[Event]{compare: compareEvents}
	for range 2 { // scratch of the first call must not affect the second
		got := slices.Clone(events)
		if o.sort(got); !slices.Equal(got, want) {
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("event %d of %d: got %+v, want %+v", i, len(want), got[i], want[i])
				}
			}
		}
	}
}

// FuzzOrder sorts events whose distances in time are the bytes of the input.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{0, 1, 2, 250, 3, 3, 3, 200, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 128, 1, 1})
	f.Add([]byte("\x00\x00\x00\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		times := make([]int64, len(steps))
		now := int64(0)
		for i, s := range steps {
			if now += int64(int8(s)); s == 0x80 {
				now = -now // a jump
			}
			times[i] = now
		}
		checkSorted(t, timed(times...))
	})
}
