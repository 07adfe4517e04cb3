package timeline

import (
	"cmp"
	"maps"
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
	room   [][NumOutcomes]int64 // for the next entries: a heap object for each would cost more
	limit  int                  // number of steps times hosts
	grain  int                  // index into grains

	// Of the last request: its host, the start of its minute in Unix microseconds, and the counts
	// that it was added to.
	host  uint32
	start int64
	last  *[NumOutcomes]int64
}

// minuteKey is the start of a step in Unix minutes plus minuteBias, and the number of a
// host in the lowest hostBits. Its order is that of time and host.
type minuteKey uint64

const (
	hostBits   = 12      // the names and groups of hosts are at most 2 * maxHosts + 1
	minuteBias = 1 << 40 // times in microseconds are less than 2^38 minutes from 1970
	// minuteRoom is the number of entries that are allocated at once.
	minuteRoom = 256
)

func newMinuteKey(step int64, host uint32) minuteKey {
	return minuteKey(step+minuteBias)<<hostBits | minuteKey(host)
}

func (k minuteKey) step() int64  { return int64(k>>hostBits) - minuteBias }
func (k minuteKey) host() uint32 { return uint32(k & (1<<hostBits - 1)) }

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

// add counts a request; at is in Unix microseconds.
func (t *minuteTable) add(at int64, host uint32, o Outcome) {
	if uint64(at-t.start) >= uint64(MinuteStep) || host != t.host || t.last == nil {
		minute := FloorDiv(at, MinuteStep)
		t.last = t.entry(minute, host)
		t.host, t.start = host, minute*MinuteStep
	}
	t.last[o]++
}

// entry returns the counts of the step that contains a minute.
func (t *minuteTable) entry(minute int64, host uint32) *[NumOutcomes]int64 {
	k := newMinuteKey(FloorDiv(minute, grains[t.grain])*grains[t.grain], host)
	c := t.counts[k]
	if c == nil {
		if len(t.counts) >= t.limit && t.grain < len(grains)-1 {
			longer := newMinuteTable(t.limit)
			longer.grain = t.grain + 1
			longer.addAll(t, func(host uint32) uint32 { return host })
			*t = longer
			return t.entry(minute, host)
		}
		if len(t.room) == 0 {
			t.room = make([][NumOutcomes]int64, minuteRoom)
		}
		c, t.room = &t.room[0], t.room[1:]
		t.counts[k] = c
	}
	return c
}

// addAll adds the counts of a table with steps that are not longer.
func (t *minuteTable) addAll(from *minuteTable, hostOf func(uint32) uint32) {
	for k, c := range from.counts {
		sum := t.entry(k.step(), hostOf(k.host()))
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
	s.Grain = grains[all.grain] * MinuteStep
	s.Minutes = make([]Minute, 0, len(all.counts))
	for _, k := range slices.Sorted(maps.Keys(all.counts)) { // hosts are sorted
		s.Minutes = append(s.Minutes, Minute{k.step() * MinuteStep, hosts[k.host()], *all.counts[k]})
	}
}

func compareMinutes(a, b *Minute) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Host, b.Host))
}
