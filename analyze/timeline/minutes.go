package timeline

import (
	"cmp"
	"slices"
)

// Minute counts the requests to one host in one minute, or in a longer step
// where the log has too many of them: see State.Grain.
type Minute struct {
	Time int64 // Unix microseconds
	Host string
	N    [NumOutcomes]int64
}

// minuteTable counts requests by minute and host. Dates can be made up, and so
// can hosts: it is bounded by longer steps, and where those are still too many
// by one step for all. How long the steps are depends on what is counted alone.
type minuteTable struct {
	counts map[minuteKey]*[NumOutcomes]int64
	most   int // pairs of step and host
	grain  int // index into grains
	last   minuteKey
	at     *[NumOutcomes]int64 // the counts of last
}

type minuteKey struct {
	step int64 // Unix minutes, of the beginning
	host uint32
}

// MinuteStep is the usual step, in microseconds.
const MinuteStep = int64(60_000_000)

// grains are how many minutes a step has; the last one is all of
// time, and not so long that it does not fit in microseconds.
var grains = [...]int64{1, 60, 24 * 60, 365 * 24 * 60, 1 << 36}

// maxMinutes is how many pairs of step and host are counted: those of six hosts
// in a month by the minute, or of one in half a year.
const maxMinutes = 1 << 18

func newMinuteTable(most int) minuteTable {
	return minuteTable{counts: map[minuteKey]*[NumOutcomes]int64{}, most: most}
}

// add counts a request of a minute.
func (t *minuteTable) add(minute int64, host uint32, o Outcome) {
	k := minuteKey{minute, host}
	if k != t.last || t.at == nil {
		t.last, t.at = k, t.of(k)
	}
	t.at[o]++
}

// of gives the counts of a minute.
func (t *minuteTable) of(k minuteKey) *[NumOutcomes]int64 {
	k.step = coarse(k.step, t.grain)
	c := t.counts[k]
	if c == nil {
		if len(t.counts) >= t.most && t.grain < len(grains)-1 {
			t.coarsen(t.grain + 1)
			return t.of(k)
		}
		c = new([NumOutcomes]int64)
		t.counts[k] = c
	}
	return c
}

// coarsen makes the steps longer, until there are few enough.
func (t *minuteTable) coarsen(grain int) {
	for ; ; grain++ {
		sums := map[minuteKey]*[NumOutcomes]int64{}
		for k, c := range t.counts {
			k.step = coarse(k.step, grain)
			addTo(sums, k, c)
		}
		t.counts, t.grain, t.at = sums, grain, nil
		if len(sums) <= t.most || grain == len(grains)-1 {
			return
		}
	}
}

func coarse(minute int64, grain int) int64 { return floorDiv(minute, grains[grain]) * grains[grain] }

func addTo(sums map[minuteKey]*[NumOutcomes]int64, k minuteKey, c *[NumOutcomes]int64) {
	s := sums[k]
	if s == nil {
		s = new([NumOutcomes]int64)
		sums[k] = s
	}
	for o, n := range c {
		s[o] += n
	}
}

// Step gives the Time of the step of Minutes that a time is in.
func (s *State) Step(at int64) int64 { return floorDiv(at, s.Grain) * s.Grain }

// mergeMinutes sums the counts of all workers.
func (s *State) mergeMinutes(hosts []string, hostOf [][]uint32) {
	all := newMinuteTable(s.workers[0].minutes.most)
	for _, w := range s.workers {
		all.grain = max(all.grain, w.minutes.grain)
	}
	for i, w := range s.workers {
		for k, c := range w.minutes.counts {
			k.host = hostOf[i][k.host]
			k.step = coarse(k.step, all.grain)
			addTo(all.counts, k, c)
		}
	}
	if len(all.counts) > all.most && all.grain < len(grains)-1 {
		all.coarsen(all.grain + 1)
	}
	for k, c := range all.counts {
		s.Minutes = append(s.Minutes, Minute{k.step * MinuteStep, hosts[k.host], *c})
	}
	s.Grain = grains[all.grain] * MinuteStep
	slices.SortFunc(s.Minutes, func(a, b Minute) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Host, b.Host))
	})
}
