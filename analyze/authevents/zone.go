package authevents

import (
	"slices"
	"sort"

	"logscan/analyze/timeline"
)

const (
	// zoneSeconds is the least number of different seconds with events from which a time
	// zone is estimated by all events together.
	zoneSeconds = 5
	// zoneFits is the least share of them that must have a refusal, and zoneOther the
	// greatest share of that number that any other zone may have. If somebody asks at
	// regular intervals, many zones fit, and none is chosen.
	zoneFits, zoneOther = 0.9, 0.7
)

// zoneOf returns the offset in seconds of the time zone of a source, 0 if it is not clear.
// The offset of most keys does not show it if there are few keys: when one program is
// refused again and again, or if the events have no request.
func (j *joiner) zoneOf(list []int32, source int32) int64 {
	type visit struct {
		client uint64
		second int64
	}
	seconds := map[visit]bool{}
	said := j.saidReader()
	for _, n := range j.clockSamples(list) {
		e := &j.events[n]
		if t, _ := said(n); e.Source == source && e.local && t.client != 0 && e.Time != noTime {
			seconds[visit{t.client, timeline.FloorDiv(e.Time, 1e6)}] = true
		}
	}
	at := map[uint64][]int64{}
	for v := range seconds {
		at[v.client] = nil
	}
	request := j.requests.reader()
	for i, taken := range j.requests.taken {
		if taken {
			continue
		}
		r, _ := request(i)
		if _, ok := at[r.client]; ok && r.time != noTime {
			at[r.client] = append(at[r.client], timeline.FloorDiv(r.time, 1e6))
		}
	}
	for client := range at {
		slices.Sort(at[client])
	}
	fits := func(offset int64) (n int) {
		for v := range seconds {
			times := at[v.client]
			if i := sort.Search(len(times), func(i int) bool { return times[i] >= v.second-offset-1 }); i < len(times) && times[i] <= v.second-offset+1 {
				n++
			}
		}
		return n
	}
	best, most, second := int64(0), 0, 0
	for offset := int64(-longestOffset); offset <= longestOffset; offset += zoneStep {
		switch n := fits(offset); {
		case n > most:
			best, most, second = offset, n, most
		case n > second:
			second = n
		}
	}
	if len(seconds) < zoneSeconds || float64(most) < zoneFits*float64(len(seconds)) || float64(second) > zoneOther*float64(most) {
		return 0
	}
	return best
}
