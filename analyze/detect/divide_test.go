package detect

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"logscan/analyze/session"
	"logscan/analyze/stats"
)

// TestDivide checks that actors with and without permission are told apart from
// refusals by chance and from a change over time.
func TestDivide(t *testing.T) {
	const hour = 3_600_000
	r := rand.New(rand.NewPCG(1, 2))
	actors := func(n int, fate func(i int, at int64) bool) []actorCount {
		list := make([]actorCount, n)
		for i := range list {
			x := &list[i]
			x.who, x.first = uint64(i), 1<<62
			for range 4 {
				at := int64(r.IntN(24 * hour))
				x.first, x.last = min(x.first, at), max(x.last, at)
				if fate(i, at) {
					x.refused++
				} else {
					x.accepted++
				}
			}
		}
		return list
	}
	for _, tt := range []struct {
		name    string
		list    []actorCount
		divided bool
	}{
		{"by permission", actors(40, func(i int, _ int64) bool { return i%3 == 0 }), true},
		{"by permission, beside expired tokens", actors(400, func(i int, _ int64) bool { return i%3 == 0 || r.IntN(20) == 0 }), true},
		{"few without permission", actors(400, func(i int, _ int64) bool { return i%20 == 0 }), true},
		{"by chance, few", actors(400, func(int, int64) bool { return r.IntN(20) == 0 }), false},
		{"by chance", actors(40, func(int, int64) bool { return r.IntN(3) == 0 }), false},
		{"by time", actors(40, func(_ int, at int64) bool { return at > 12*hour }), false},
		{"nobody", actors(40, func(int, int64) bool { return false }), false},
		{"nothing", nil, false},
	} {
		b := sumsOf(tt.list).divide()
		if got := b.p < permissionFalse; got != tt.divided {
			t.Errorf("%s: %+v", tt.name, b)
		}
		if tt.divided && !interleaved(tt.list) {
			t.Errorf("%s: not interleaved", tt.name)
		}
	}
	// Actors before a change of the route, and actors after it.
	var before, after []actorCount
	for i := range uint64(20) {
		before = append(before, actorCount{who: i, accepted: 4, first: int64(i), last: int64(i) + 10})
		after = append(after, actorCount{who: 100 + i, refused: 4, first: 1000 + int64(i), last: 1010 + int64(i)})
	}
	if interleaved(append(before, after...)) {
		t.Error("actors before and after a change count as interleaved")
	}
}

// TestCommonInstant checks that a sweep finds the instant that most deaths and fewest
// surviving sessions have in common.
func TestCommonInstant(t *testing.T) {
	const minute = 60_000
	alive := func(start, last int64) death {
		return death{start: start * minute, last: last * minute, end: session.LongAgo}
	}
	died := func(start, last, end int64) death {
		return death{start: start * minute, last: last * minute, end: end * minute, open: true}
	}
	for _, tt := range []struct {
		name            string
		list            []death
		deaths, survive int
		from, to        int64 // minutes
	}{
		{"three at one instant", []death{died(0, 95, 101), died(30, 99, 104), died(90, 98, 102), alive(102, 300), alive(0, 40)}, 3, 0, 99, 101},
		{"a survivor contradicts it", []death{died(0, 95, 101), died(30, 99, 104), died(90, 98, 102), alive(0, 300)}, 3, 1, 99, 101},
		{"deaths at all times", []death{died(0, 10, 12), died(0, 20, 22), died(0, 30, 32), alive(0, 100), alive(0, 100)}, 0, 0, 0, 0},
		{"nothing", nil, 0, 0, 0, 0},
	} {
		w := newSweep(&mortality{deaths: tt.list}, func(int64) float64 { return 2 }, 0)
		slices.SortFunc(tt.list, func(a, b death) int { return cmp.Compare(a.start, b.start) })
		for _, d := range tt.list {
			w.life(d.start, d.last)
		}
		got := w.end()
		got.evidence = 0
		if want := (instant{from: tt.from * minute, to: tt.to * minute, deaths: tt.deaths, survive: tt.survive}); got != want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
	}
	// A death is surprising after an idle time that other sessions survive, and not
	// surprising after one that they do not survive.
	var survived stats.Durations
	for range 200 {
		survived.Add(20 * minute)
	}
	rare := surprise(nil, &survived, session.LongAgo, session.Never)
	usual := surprise(slices.Repeat([]death{died(0, 10, 40)}, 300), &survived, session.LongAgo, session.Never)
	if w := rare(15 * minute); w < maxSurprise-0.1 {
		t.Errorf("weight of a death after a short idle time: %v", w)
	}
	if w := usual(30 * minute); w > 0.1 {
		t.Errorf("weight of a death after a long idle time: %v", w)
	}
}

// TestInterleaved checks that people of two kinds may work in shifts, and that a route
// which changed is no permission.
func TestInterleaved(t *testing.T) {
	list := func(refuses func(shift, n int) bool) (all []actorCount) {
		for shift := range 3 {
			for n := range 8 {
				x := actorCount{first: int64(shift*100 + n), last: int64(shift*100 + 60 + n), accepted: 9}
				if refuses(shift, n) {
					x.accepted, x.refused = 0, 9
				}
				all = append(all, x)
			}
		}
		return all
	}
	if !interleaved(list(func(_, n int) bool { return n%4 > 0 })) {
		t.Error("people in shifts are not interleaved")
	}
	if interleaved(list(func(shift, _ int) bool { return shift > 0 })) {
		t.Error("a change of the route looks interleaved")
	}
}

// TestAlwaysRefused checks that who is refused and let in at last is not always refused.
func TestAlwaysRefused(t *testing.T) {
	for _, x := range []struct {
		name string
		of   actorCount
		want bool
	}{
		{"refused only", actorCount{refused: 4}, true},
		{"accepted once in between", actorCount{refused: 9, accepted: 1}, true},
		{"mistyped, then let in", actorCount{refused: 9, accepted: 1, admitted: true}, false},
		{"accepted as often", actorCount{refused: 4, accepted: 4}, false},
	} {
		if got := x.of.always(); got != x.want {
			t.Errorf("%s: always %v, want %v", x.name, got, x.want)
		}
	}
}
