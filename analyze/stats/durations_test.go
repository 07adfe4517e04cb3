package stats

import (
	"slices"
	"testing"
)

func TestDurationsResolution(t *testing.T) {
	for ms := int64(0); ms < 1<<40; ms = ms*1001/1000 + 1 {
		start := stepStart(step(ms))
		if start > ms || float64(ms-start) > float64(ms)/1024+1e-9 {
			t.Fatalf("stepStart(step(%d)) = %d: off by more than 1/1024", ms, start)
		}
		if step(start) != step(ms) || start > 0 && step(start-1) == step(ms) {
			t.Fatalf("stepStart(step(%d)) = %d is not the start of the step", ms, start)
		}
	}
	if step(-5) != 0 {
		t.Error("a negative duration does not count as 0")
	}
}

func TestDurationsMerge(t *testing.T) {
	var all, a, b Durations
	for i, ms := range []int64{0, 1, 1500, 1_800_000, 1_800_000, 7_200_000, 90} {
		all.Add(ms)
		if i%2 == 0 {
			a.Add(ms)
		} else {
			b.Add(ms)
		}
	}
	b.Merge(&a)
	above, allAbove := b.CountsAbove(), all.CountsAbove()
	for ms, want := range map[int64]int64{0: 6, 1: 5, 2000: 3, 1_799_000: 3, 1_800_000: 1, 1 << 40: 0} {
		if got, gotAll := above(ms), allAbove(ms); got != want || gotAll != want {
			t.Errorf("%d merged and %d in all above %d, want %d", got, gotAll, ms, want)
		}
	}
	if b.Total() != 7 {
		t.Errorf("Total = %d, want 7", b.Total())
	}
}

// TestDurationsFew checks that a histogram of few durations and one of many tell the same,
// merged either way.
func TestDurationsFew(t *testing.T) {
	var few, many, all Durations
	for i := range int64(3 * maxFew) {
		d := &many
		if i%10 == 0 {
			d = &few
		}
		d.Add(i * i)
		all.Add(i * i)
	}
	if few.counts != nil || many.counts == nil {
		t.Fatal("few durations are counted by step, or many are not")
	}
	into, from := few, many
	into.Merge(&from)
	many.Merge(&few)
	for name, d := range map[string]*Durations{"many into few": &into, "few into many": &many} {
		if d.Total() != all.Total() || !slices.Equal(d.steps(), all.steps()) {
			t.Errorf("%s: %d durations in %d steps, want %d in %d", name, d.Total(), len(d.steps()), all.Total(), len(all.steps()))
		}
	}
}
