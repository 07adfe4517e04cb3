package authevents

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"logscan/analyze/timeline"
	"logscan/parse"
)

// noTime is the time of an event or a refusal without one.
const noTime = parse.NoTime

const (
	// mostInGroup is the maximum number of events, and of refusals, of a key from which
	// the offset of a clock is estimated: of those that come again and again, any
	// distance occurs.
	mostInGroup = 8
	// maxClockSamples is the maximum number of events of a log from which its offset is
	// estimated.
	maxClockSamples = 2000
	// longestOffset is the longest offset in seconds: time zones are up to 14 hours from
	// UTC, and 26 hours from one another.
	longestOffset = 26 * 3600
	// zoneStep is what offsets of time zones are multiples of, in seconds.
	zoneStep = 15 * 60
	// clockKeys is the number of keys with the same distance that show a wrong clock,
	// and zoneKeys the number that show another time zone: chance distances are
	// multiples of a quarter of an hour, to a second before or after, with a probability
	// of 1 in 300 each.
	clockKeys = 5
	zoneKeys  = 2
	// clockShare is the least share of the keys that have the distance.
	clockShare = 0.5
)

// listSources sets the sources, and the events by kind.
func (j *joiner) listSources() {
	type log struct{ kind, name string }
	numbers := map[log]int32{}
	var counts []int
	kind, input := int32(0), int32(-1) // the next event is one of the same log as a rule
	number := int32(0)
	for i, m := range j.State.Messages.All() {
		e := &j.events[i]
		if in := m.Input; e.Source != kind || in != input {
			kind, input = e.Source, in
			l := log{j.names.all[kind].text, j.LogOf(int(in))}
			var known bool
			if number, known = numbers[l]; !known {
				number = int32(len(numbers))
				numbers[l], counts = number, append(counts, 0)
			}
		}
		e.Source = number
		counts[number]++
	}
	logs := slices.SortedFunc(maps.Keys(numbers), func(a, b log) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)) })
	source, kindOf, size := make([]int32, len(logs)), make([]int, len(logs)), []int(nil)
	for n, l := range logs {
		if n == 0 || l.kind != logs[n-1].kind {
			size = append(size, 0)
		}
		source[numbers[l]], kindOf[n] = int32(n), len(size)-1
		size[len(size)-1] += counts[numbers[l]]
		j.sources = append(j.sources, Source{Kind: l.kind, Name: l.name, server: servers[l.kind], provider: providers()[l.kind]})
	}
	for _, n := range size {
		j.kinds = append(j.kinds, make([]int32, 0, n))
	}
	for i := range j.events {
		e := &j.events[i]
		e.Source = source[e.Source]
		list := &j.kinds[kindOf[e.Source]]
		*list = append(*list, int32(i))
	}
}

// setClocks estimates the offset of the clock of each source of a kind, that of all of
// them where one has too few events, and corrects the times.
func (j *joiner) setClocks(list []int32) {
	all, local := j.distances(list), j.local(list)
	for _, source := range j.sourcesOf(list) {
		pairs := all.of(source)
		own := pairs.offset(local)
		if own == 0 && !pairs.enough() {
			own = cmp.Or(all.offset(local), j.zoneOf(list, source))
		}
		j.sources[source].Offset = own * 1e6
	}
	for _, n := range list {
		e := &j.events[n]
		if e.Time != noTime {
			e.Time -= j.sources[e.Source].Offset
		}
	}
}

// resetClocks corrects the times of events of local time that have no refusal yet by
// another offset, as when clocks are changed for the summer. It reports whether there is
// one.
func (j *joiner) resetClocks(list []int32) (changed bool) {
	rest := slices.DeleteFunc(slices.Clone(list), func(n int32) bool {
		e := &j.events[n]
		return !e.Wanted || e.Refusal >= 0 || e.Ambiguous || !e.local
	})
	if len(rest) == 0 {
		return false
	}
	all := j.distances(rest)
	for _, source := range j.sourcesOf(rest) {
		own := all.of(source).offset(true)
		if own == 0 || own%zoneStep != 0 {
			continue
		}
		changed = true
		for _, n := range rest {
			if e := &j.events[n]; e.Source == source {
				e.Time -= own * 1e6
			}
		}
	}
	return changed
}

func (j *joiner) sourcesOf(list []int32) (all []int32) {
	seen := make([]bool, len(j.sources))
	for _, n := range list {
		seen[j.events[n].Source] = true
	}
	for source, ok := range seen {
		if ok {
			all = append(all, int32(source))
		}
	}
	return all
}

func (j *joiner) local(list []int32) bool {
	return !slices.ContainsFunc(list, func(n int32) bool { return !j.events[n].local })
}

// distance is how far an event is from a refusal of the same key.
type distance struct {
	source  int32
	group   uint64 // the key
	seconds int64
}

// distances are sorted by distance and key.
type distances []distance

// distances returns the distances of events from the refusals of the same client, user
// and request, or of the same user.
func (j *joiner) distances(list []int32) (all distances) {
	const narrow = 1 // refusals that share this key share those that follow
	keys := []func(t *texts, l *labels) uint64{
		func(t *texts, l *labels) uint64 { return mix(t.client, l.port) },
		func(t *texts, _ *labels) uint64 { return mix(t.client, t.request, t.user+1) },
		func(t *texts, _ *labels) uint64 { return mix(t.client, t.path, t.user+1) },
		func(t *texts, _ *labels) uint64 { return mix(t.client, t.request) },
	}
	if j.has.user {
		keys = append(keys, func(t *texts, _ *labels) uint64 { return onlyIf(t.user != 0, mix(t.user, t.client)) },
			func(t *texts, _ *labels) uint64 { return t.user })
	}
	open := j.clockSamples(list)
	for step, key := range keys {
		m := &j.matches
		found := j.find(&pass{
			event:   func(_ int32, t *texts, l *eventLabels) uint64 { return key(t, &l.labels) },
			request: func(r *request, l *requestLabels) uint64 { return key(&r.texts, &l.labels) },
		}, open, 0, 1)
		if !found {
			continue
		}
		for group, k := range m.keys.all {
			of, requests := m.events.of(group), m.requests.of(group)
			if step == narrow && len(requests) > mostInGroup { // nor are they fewer with those that follow
				for _, i := range of {
					open[m.keyed[i].at] = counted
				}
			}
			if len(of) > mostInGroup || len(requests) == 0 || len(requests) > mostInGroup {
				continue
			}
			for _, i := range of {
				x := &m.keyed[i]
				e := &j.events[x.event]
				open[x.at] = counted
				for _, r := range requests {
					if d := timeline.FloorDiv(e.Time-m.hits[r].time, 1e6); d >= -longestOffset && d <= longestOffset {
						all = append(all, distance{e.Source, k, d})
					}
				}
			}
		}
		open = slices.DeleteFunc(open, func(n int32) bool { return n == counted }) // each event counts with its surest key, if any
	}
	slices.SortFunc(all, func(a, b distance) int {
		return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.group, b.group))
	})
	return all
}

// counted replaces the number of an event that need not be looked at again.
const counted int32 = -1

// of returns the distances of a source.
func (all distances) of(source int32) distances {
	if !slices.ContainsFunc(all, func(d distance) bool { return d.source != source }) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(d distance) bool { return d.source != source })
}

// at returns those of a number of seconds.
func (all distances) at(seconds int64) distances {
	compare := func(d distance, seconds int64) int { return cmp.Compare(d.seconds, seconds) }
	from, _ := slices.BinarySearchFunc(all, seconds, compare)
	to, _ := slices.BinarySearchFunc(all[from:], seconds+1, compare)
	return all[from : from+to]
}

// votes returns how many keys have a distance, or one of a second more or less: logs of
// whole seconds cut off up to one.
func (all distances) votes(seconds int64) (keys int) {
	lists := [...]distances{all.at(seconds - 1), all.at(seconds), all.at(seconds + 1)}
	for {
		least, found := uint64(math.MaxUint64), false
		for _, l := range lists {
			if len(l) > 0 {
				least, found = min(least, l[0].group), true
			}
		}
		if !found {
			return keys
		}
		keys++
		for i := range lists {
			for len(lists[i]) > 0 && lists[i][0].group == least {
				lists[i] = lists[i][1:]
			}
		}
	}
}

// clockSamples returns the events from which the offsets are estimated: for each source
// all, or maxClockSamples that are spread evenly.
func (j *joiner) clockSamples(list []int32) (samples []int32) {
	count, seen := make([]int, len(j.sources)), make([]int, len(j.sources))
	for _, n := range list {
		if e := &j.events[n]; e.Wanted {
			count[e.Source]++
		}
	}
	for _, n := range list {
		e := &j.events[n]
		if !e.Wanted {
			continue
		}
		if i, all := seen[e.Source], count[e.Source]; all <= maxClockSamples || i*maxClockSamples/all != (i+1)*maxClockSamples/all {
			samples = append(samples, n)
		}
		seen[e.Source]++
	}
	return samples
}

// keys returns the number of different keys.
func (all distances) keys() int {
	var t keyTable
	t.reset(len(all))
	for _, d := range all {
		t.add(d.group)
	}
	return len(t.all)
}

// enough reports whether there are so many keys that they would show an offset.
func (all distances) enough() bool { return all.keys() >= clockKeys }

// offset returns the offset in seconds that most keys have; 0 if there is no reason for
// another. local says that the times are those of a time zone.
func (all distances) offset(local bool) int64 {
	none := all.votes(0)
	best, most, exact := int64(0), none, len(all.at(0))
	consider := func(s int64) {
		n, e := all.votes(s), len(all.at(s))
		if order := cmp.Or(cmp.Compare(n, most), cmp.Compare(e, exact)); order > 0 || order == 0 && best != 0 && closer(s, best) {
			best, most, exact = s, n, e
		}
	}
	for rest, next := all, int64(math.MinInt64); len(rest) > 0; rest = rest[len(rest.at(rest[0].seconds)):] {
		for s := max(next, rest[0].seconds-1); s <= rest[0].seconds+1; s++ {
			consider(s)
			next = s + 1
		}
	}
	zone := (best + zoneStep/2) / zoneStep * zoneStep
	if best < 0 {
		zone = (best - zoneStep/2) / zoneStep * zoneStep
	}
	least := clockKeys
	if local && zone != 0 && best-zone >= -1 && best-zone <= 1 {
		best, least = zone, zoneKeys
	}
	n := all.votes(best)
	if n < least || float64(n) < clockShare*float64(all.keys()) || n < 2*none || best >= -1 && best <= 1 {
		return 0
	}
	return best
}

// closer reports whether offset a is to be preferred to b, which as many keys have: that
// of a time zone, or the smaller one.
func closer(a, b int64) bool {
	abs := func(x int64) int64 { return max(x, -x) }
	whole := func(x int64) bool { return x%zoneStep == 0 }
	if whole(a) != whole(b) {
		return whole(a)
	}
	return cmp.Or(cmp.Compare(abs(a), abs(b)), cmp.Compare(a, b)) < 0
}
