package authevents

import (
	"cmp"
	"maps"
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
	of := map[log]*[]int32{}
	names := make([]string, len(j.State.Inputs))
	for i := range names {
		names[i] = j.LogOf(i)
	}
	var last log // the next event is one of the same log as a rule
	var list *[]int32
	for i := range j.events {
		if l := (log{j.events[i].kind, names[j.State.Messages[i].Input]}); list == nil || l != last {
			if last, list = l, of[l]; list == nil {
				list = new([]int32)
				of[l] = list
			}
		}
		*list = append(*list, int32(i))
	}
	logs := slices.SortedFunc(maps.Keys(of), func(a, b log) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)) })
	for n, l := range logs {
		if n == 0 || l.kind != logs[n-1].kind {
			j.kinds = append(j.kinds, nil)
		}
		kind := &j.kinds[len(j.kinds)-1]
		*kind = append(*kind, *of[l]...)
		j.sources = append(j.sources, Source{Kind: l.kind, Name: l.name})
		for _, i := range *of[l] {
			j.events[i].source = n
		}
	}
	for _, list := range j.kinds {
		slices.Sort(list)
	}
}

// setClocks estimates the offset of the clock of each source of a kind, that of all of
// them where one has too few events, and corrects the times.
func (j *joiner) setClocks(list []int32) {
	pairs, local := j.distances(list), j.local(list)
	all := offsetOf(pairs, nil, local)
	for _, source := range j.sourcesOf(list) {
		own := offsetOf(pairs, &source, local)
		if own == 0 && !enough(pairs, source) {
			own = cmp.Or(all, j.zoneOf(list, source))
		}
		j.sources[source].Offset = own * 1e6
	}
	for _, n := range list {
		e := &j.events[n]
		if e.time != noTime {
			e.time = e.logged - j.sources[e.source].Offset
		}
	}
}

// resetClocks corrects the times of events of local time that have no refusal yet by
// another offset, as when clocks are changed for the summer. It reports whether there is
// one.
func (j *joiner) resetClocks(list []int32) (changed bool) {
	rest := slices.DeleteFunc(slices.Clone(list), func(n int32) bool {
		e := &j.events[n]
		return !e.wants || e.refusal >= 0 || e.ambiguous || !e.local
	})
	if len(rest) == 0 {
		return false
	}
	pairs := j.distances(rest)
	for _, source := range j.sourcesOf(rest) {
		own := offsetOf(pairs, &source, true)
		if own == 0 || own%zoneStep != 0 {
			continue
		}
		changed = true
		for _, n := range rest {
			if e := &j.events[n]; e.source == source {
				e.time -= own * 1e6
			}
		}
	}
	return changed
}

func (j *joiner) sourcesOf(list []int32) (all []int) {
	seen := make([]bool, len(j.sources))
	for _, n := range list {
		seen[j.events[n].source] = true
	}
	for source, ok := range seen {
		if ok {
			all = append(all, source)
		}
	}
	return all
}

func (j *joiner) local(list []int32) bool {
	return !slices.ContainsFunc(list, func(n int32) bool { return !j.events[n].local })
}

// distance is how far an event is from a refusal of the same key.
type distance struct {
	source  int
	group   uint64 // the key
	seconds int64
}

// distances returns the distances of events from the refusals of the same client, user
// and request, or of the same user.
func (j *joiner) distances(list []int32) (all []distance) {
	keys := []func(t *texts) uint64{
		func(t *texts) uint64 { return mix(t.client, t.port) },
		func(t *texts) uint64 { return mix(t.client, t.request, t.user+1) },
		func(t *texts) uint64 { return mix(t.client, t.path, t.user+1) },
		func(t *texts) uint64 { return mix(t.client, t.request) },
	}
	if j.has.user {
		keys = append(keys, func(t *texts) uint64 { return onlyIf(t.user != 0, mix(t.user, t.client)) }, func(t *texts) uint64 { return t.user })
	}
	list = j.clockSamples(list)
	open := map[int32]bool{}
	for _, n := range list {
		open[n] = true
	}
	for _, key := range keys {
		events, requests, known := map[uint64][]int32{}, map[uint64][]int32{}, newKeySet(len(list))
		for _, n := range list {
			e := &j.events[n]
			if k := key(&e.texts); k != 0 && open[n] && len(events[k]) <= mostInGroup {
				events[k] = append(events[k], n)
				known.add(k)
			}
		}
		if len(events) == 0 {
			continue
		}
		for i := range j.requests {
			r := &j.requests[i]
			if k := key(&r.texts); known.mayHave(k) && !r.taken && r.time != noTime && len(events[k]) > 0 && len(requests[k]) <= mostInGroup {
				requests[k] = append(requests[k], int32(i))
			}
		}
		for k, of := range events {
			if len(of) > mostInGroup || len(requests[k]) == 0 || len(requests[k]) > mostInGroup {
				continue
			}
			for _, n := range of {
				delete(open, n) // each event counts with its surest key
				for _, r := range requests[k] {
					if d := timeline.FloorDiv(j.events[n].time-j.requests[r].time, 1e6); d >= -longestOffset && d <= longestOffset {
						all = append(all, distance{j.events[n].source, k, d})
					}
				}
			}
		}
	}
	return all
}

// clockSamples returns the events from which the offsets are estimated: for each source
// all, or maxClockSamples that are spread evenly.
func (j *joiner) clockSamples(list []int32) (samples []int32) {
	count, seen := make([]int, len(j.sources)), make([]int, len(j.sources))
	for _, n := range list {
		if e := &j.events[n]; e.wants {
			count[e.source]++
		}
	}
	for _, n := range list {
		e := &j.events[n]
		if !e.wants {
			continue
		}
		if i, all := seen[e.source], count[e.source]; all <= maxClockSamples || i*maxClockSamples/all != (i+1)*maxClockSamples/all {
			samples = append(samples, n)
		}
		seen[e.source]++
	}
	return samples
}

// enough reports whether a source has so many keys that it would show an offset.
func enough(all []distance, source int) bool {
	groups := map[uint64]bool{}
	for _, d := range all {
		if d.source == source {
			groups[d.group] = true
		}
	}
	return len(groups) >= clockKeys
}

// offsetOf returns the offset in seconds that most keys have, of one source or of all; 0
// if there is no reason for another. local says that the times are those of a time
// zone.
func offsetOf(all []distance, source *int, local bool) int64 {
	votes := map[int64]map[uint64]bool{} // keys by distance, and those of a second more or less
	exact := map[int64]int{}
	groups := map[uint64]bool{}
	for _, d := range all {
		if source != nil && d.source != *source {
			continue
		}
		groups[d.group] = true
		exact[d.seconds]++
		for s := d.seconds - 1; s <= d.seconds+1; s++ { // logs of whole seconds cut off up to one
			if votes[s] == nil {
				votes[s] = map[uint64]bool{}
			}
			votes[s][d.group] = true
		}
	}
	best := int64(0)
	for s, keys := range votes {
		if order := cmp.Or(cmp.Compare(len(keys), len(votes[best])), cmp.Compare(exact[s], exact[best])); order > 0 || order == 0 && best != 0 && closer(s, best) {
			best = s
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
	n := len(votes[best])
	if n < least || float64(n) < clockShare*float64(len(groups)) || n < 2*len(votes[0]) || best >= -1 && best <= 1 {
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
