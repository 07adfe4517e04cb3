package stats

import (
	"cmp"
	"math/bits"
	"slices"
)

// Durations is a histogram of durations with a relative resolution of 1/1024, like
// HdrHistogram (Tene, hdrhistogram.org): exact below 2,048 ms, then in 1,024 steps
// per octave. The zero value is empty. Histograms can be merged in any order. One takes
// at most 260 KB (durations of 30 years), and that of few durations four bytes for each.
type Durations struct {
	few    []uint32 // the steps of all, in any order, while there are at most maxFew
	counts []int64  // by step, if there are more
	total  int64
}

// maxFew is the number of durations up to which they are kept one by one: a sixteenth of
// what their counts take.
const maxFew = 2048

const stepBits = 10 // 1 << stepBits steps per octave

// step returns the step of a duration in milliseconds.
func step(ms int64) int {
	ms = max(ms, 0)
	if ms < 2<<stepBits {
		return int(ms)
	}
	shift := bits.Len64(uint64(ms)) - stepBits - 1
	return shift<<stepBits + int(ms>>shift)
}

// stepStart returns the shortest duration of a step in milliseconds.
func stepStart(i int) int64 {
	if i < 2<<stepBits {
		return int64(i)
	}
	shift := i>>stepBits - 1
	return int64(i-shift<<stepBits) << shift
}

// Add counts a duration in milliseconds. Negative durations count as 0.
func (d *Durations) Add(ms int64) {
	i := step(ms)
	if i >= len(d.counts) {
		d.add(i, 1)
		return
	}
	d.counts[i]++
	d.total++
}

// add counts n durations of a step.
func (d *Durations) add(step int, n int64) {
	d.total += n
	if d.counts == nil {
		if d.total <= maxFew {
			for range n {
				d.few = append(d.few, uint32(step))
			}
			return
		}
		for _, i := range d.few {
			d.grow(int(i) + 1)
			d.counts[i]++
		}
		d.few = nil
	}
	d.grow(step + 1)
	d.counts[step] += n
}

// grow extends counts to at least n steps.
func (d *Durations) grow(n int) {
	if n > len(d.counts) {
		d.counts = append(d.counts, make([]int64, n-len(d.counts))...)
	}
}

// Merge adds the counts of e.
func (d *Durations) Merge(e *Durations) {
	for _, x := range e.steps() {
		d.add(x.step, x.n)
	}
}

// Total returns the number of durations.
func (d *Durations) Total() int64 { return d.total }

// stepCount is the number of durations in a step.
type stepCount struct {
	step int
	n    int64
}

// steps returns the steps that hold durations, in ascending order.
func (d *Durations) steps() (list []stepCount) {
	few := slices.Clone(d.few)
	slices.Sort(few)
	for _, i := range few {
		if n := len(list); n > 0 && list[n-1].step == int(i) {
			list[n-1].n++
		} else {
			list = append(list, stepCount{int(i), 1})
		}
	}
	for i, n := range d.counts {
		if n > 0 {
			list = append(list, stepCount{i, n})
		}
	}
	return list
}

// CountsAbove returns a function that returns the number of durations in steps above that
// of a duration in milliseconds. It does not include durations added later.
func (d *Durations) CountsAbove() func(ms int64) int64 {
	steps := d.steps()
	above := make([]int64, len(steps)+1) // by place: the durations from it on
	for i := len(steps) - 1; i >= 0; i-- {
		above[i] = above[i+1] + steps[i].n
	}
	return func(ms int64) int64 {
		i, _ := slices.BinarySearchFunc(steps, step(ms)+1, func(x stepCount, step int) int { return cmp.Compare(x.step, step) })
		return above[i]
	}
}
