package timeline

import (
	"cmp"
	"slices"
)

// Minute counts the requests to one host in one step of time; see State.Grain.
type Minute struct {
	Time int64 // start of the step, Unix microseconds
	Host string
	N    [NumOutcomes]int64
}

// minuteTable counts requests by minute and host. Because dates and hosts can be
// forged, it is bounded: when it has too many entries, it changes to longer steps,
// at last to one step for all. The length of a step depends on the set of
// requests alone.
type minuteTable struct {
	counts map[minuteKey]*[NumOutcomes]int64
	limit  int // number of steps times hosts
	grain  int // index into grains
	last   minuteKey
	at     *[NumOutcomes]int64 // the counts of last
}

type minuteKey struct {
	step int64 // start in Unix minutes
	host uint32
}

// MinuteStep is the usual length of a step in microseconds.
const MinuteStep = int64(60_000_000)

// grains are the lengths of steps in minutes. The last one covers all times, and
// its start still fits into 64 bits in microseconds.
var grains = [...]int64{1, 60, 24 * 60, 365 * 24 * 60, 1 << 36}

// maxMinutes is the maximum number of entries: enough for six hosts and a month by
// the minute, or one host and half a year.
const maxMinutes = 1 << 18

func newMinuteTable(limit int) minuteTable {
	return minuteTable{counts: map[minuteKey]*[NumOutcomes]int64{}, limit: limit}
}

// add counts a request; minute is in Unix minutes.
func (t *minuteTable) add(minute int64, host uint32, o Outcome) {
	k := minuteKey{minute, host}
	if k != t.last || t.at == nil {
		t.last, t.at = k, t.entry(k)
	}
	t.at[o]++
}

// entry returns the counts of the step that contains a minute.
func (t *minuteTable) entry(k minuteKey) *[NumOutcomes]int64 {
	k.step = FloorDiv(k.step, grains[t.grain]) * grains[t.grain]
	c := t.counts[k]
	if c == nil {
		if len(t.counts) >= t.limit && t.grain < len(grains)-1 {
			longer := newMinuteTable(t.limit)
			longer.grain = t.grain + 1
			longer.addAll(t, func(host uint32) uint32 { return host })
			*t = longer
			return t.entry(k)
		}
		c = new([NumOutcomes]int64)
		t.counts[k] = c
	}
	return c
}

// addAll adds the counts of a table with steps that are not longer.
func (t *minuteTable) addAll(from *minuteTable, hostOf func(uint32) uint32) {
	for k, c := range from.counts {
		sum := t.entry(minuteKey{k.step, hostOf(k.host)})
		for o, n := range c {
			sum[o] += n
		}
	}
}

// Step returns the Time of the step of Minutes that contains a time in Unix
// microseconds.
func (s *State) Step(at int64) int64 { return FloorDiv(at, s.Grain) * s.Grain }

// mergeMinutes adds up the counts of all workers.
func (s *State) mergeMinutes(hosts []string, hostOf [][]uint32) {
	all := newMinuteTable(s.workers[0].minutes.limit)
	for _, w := range s.workers {
		all.grain = max(all.grain, w.minutes.grain)
	}
	for i, w := range s.workers {
		all.addAll(&w.minutes, func(host uint32) uint32 { return hostOf[i][host] })
	}
	for k, c := range all.counts {
		s.Minutes = append(s.Minutes, Minute{k.step * MinuteStep, hosts[k.host], *c})
	}
	s.Grain = grains[all.grain] * MinuteStep
	slices.SortFunc(s.Minutes, func(a, b Minute) int { return compareMinutes(&a, &b) })
}

func compareMinutes(a, b *Minute) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Host, b.Host))
}
