package stats

import "math/bits"

// Durations is a histogram of durations with a relative resolution of 1/1024, like
// HdrHistogram (Tene, hdrhistogram.org): exact below 2,048 ms, then in 1,024 steps
// per octave. The zero value is empty. Histograms can be merged in any order.
type Durations struct {
	counts []int64 // by step
	total  int64
}

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
	d.grow(i + 1)
	d.counts[i]++
	d.total++
}

// grow extends counts to at least n steps.
func (d *Durations) grow(n int) {
	if n > len(d.counts) {
		d.counts = append(d.counts, make([]int64, n-len(d.counts))...)
	}
}

// Merge adds the counts of e.
func (d *Durations) Merge(e *Durations) {
	d.grow(len(e.counts))
	for i, n := range e.counts {
		d.counts[i] += n
	}
	d.total += e.total
}

// Total returns the number of durations.
func (d *Durations) Total() int64 { return d.total }

// count returns the number of durations in a step.
func (d *Durations) count(step int) int64 {
	if step < len(d.counts) {
		return d.counts[step]
	}
	return 0
}

// CountsAbove returns a function that returns the number of durations in steps above that
// of a duration in milliseconds. It does not include durations added later.
func (d *Durations) CountsAbove() func(ms int64) int64 {
	above := make([]int64, len(d.counts)) // by step
	n := int64(0)
	for i := len(above) - 1; i >= 0; i-- {
		above[i] = n
		n += d.counts[i]
	}
	return func(ms int64) int64 {
		if i := step(ms); i < len(above) {
			return above[i]
		}
		return 0
	}
}
