package authevents

import (
	"cmp"
	"math/bits"
	"slices"
	"sort"
	"sync"
)

// joinKind joins the events of one kind of log. Those of different kinds may be about
// the same refusal: a server says that it was refused, an identity provider why.
func (j *joiner) joinKind(list []int32) {
	clear(j.requests.taken)
	passes := j.passes()
	j.followed(list)
	j.setClocks(list)
	j.run(passes, list)
	if j.resetClocks(list) { // the clock was changed within the log
		j.run(passes, list)
	}
	j.fallBack(list)
}

// run runs all passes over the events of a list that have no refusal yet.
func (j *joiner) run(passes []pass, list []int32) {
	open := slices.Clone(list)
	for i := range passes {
		open = slices.DeleteFunc(open, func(n int32) bool {
			e := &j.events[n]
			return !e.Wanted || e.Refusal >= 0 || e.Ambiguous || e.another
		})
		if len(open) == 0 {
			return
		}
		j.pass(&passes[i], open)
		if passes[i].mostly {
			j.keepMostly(&passes[i], open)
		}
	}
}

// keepMostly undoes a pass for the sources of which most events that have its key are about
// no refusal.
func (j *joiner) keepMostly(p *pass, open []int32) {
	keyed, found, at := make([]int, len(j.sources)), make([]int, len(j.sources)), j.saidReader()
	for _, n := range open {
		e := &j.events[n]
		if t, l := at(n); p.event(n, t, l) != 0 {
			keyed[e.Source]++
			if e.Refusal >= 0 {
				found[e.Source]++
			}
		}
	}
	for _, n := range open {
		if e := &j.events[n]; 2*found[e.Source] <= keyed[e.Source] && e.Refusal >= 0 {
			j.requests.taken[e.Refusal] = false
			e.Refusal, e.Match = -1, Unmatched
		}
	}
}

// pass joins the events and refusals that have the same key. A great many events are divided
// by their keys, so that less is in memory.
func (j *joiner) pass(p *pass, open []int32) {
	parts := uint64(len(open)/cmp.Or(j.atOnce, matchedAtOnce) + 1)
	for part := range parts {
		j.passPart(p, open, part, parts)
	}
}

// matchedAtOnce is about how many events a pass joins at once.
const matchedAtOnce = 1 << 19

// passPart is pass for one of several parts of the keys.
func (j *joiner) passPart(p *pass, open []int32, part, parts uint64) {
	if !j.find(p, open, part, parts) {
		return
	}
	m := &j.matches
	for group := range len(m.keys.all) {
		if list := m.requests.of(group); len(list) > 0 {
			j.group(p, m.events.of(group), list)
		}
	}
}

// find sets the matches of the events of a list whose keys are of one of several parts. It
// reports whether there are such events.
func (j *joiner) find(p *pass, list []int32, part, parts uint64) bool {
	m, at := &j.matches, j.saidReader()
	m.keyed = slices.Grow(m.keyed[:0], len(list)/int(parts))
	for i, n := range list {
		t, l := at(n)
		if key := p.event(n, t, l); key != 0 && key%parts == part {
			m.keyed = append(m.keyed, keyedEvent{key, t.user, n, int32(i)})
		}
	}
	m.keys.reset(len(m.keyed))
	m.events.reset(len(m.keyed))
	for i := range m.keyed {
		m.events.groups[i] = m.keys.add(m.keyed[i].key)
	}
	if len(m.keyed) == 0 {
		return false
	}
	j.findRequests(p.request)
	m.events.divide(len(m.keys.all))
	return true
}

// findRequests sets the hits and their groups, by the keys of events. To look for one takes
// most of the time of a pass: a key may be anywhere in the table.
func (j *joiner) findRequests(key func(*request, *requestLabels) uint64) {
	m, taken := &j.matches, j.requests.taken
	workers := max(1, j.Workers)
	m.found = append(m.found, make([][]hit, max(0, workers-len(m.found)))...)
	var g sync.WaitGroup
	for part := range workers {
		g.Go(func() {
			at, hits := j.requests.reader(), slices.Grow(m.found[part][:0], len(m.keyed)/workers) // about one of each event
			for i := part * len(taken) / workers; i < (part+1)*len(taken)/workers; i++ {
				if taken[i] {
					continue
				}
				r, l := at(i)
				if r.time == noTime {
					continue
				}
				if group := m.keys.find(key(r, l)); group >= 0 {
					hits = append(hits, hit{r.time, l.ordinal, int32(i), group, r.duration, r.status})
				}
			}
			m.found[part] = hits
		})
	}
	g.Wait()
	for _, hits := range m.found[1:] {
		m.found[0] = append(m.found[0], hits...)
	}
	m.hits = m.found[0]
	m.requests.reset(len(m.hits))
	for i := range m.hits {
		m.requests.groups[i] = m.hits[i].group
	}
	m.requests.divide(len(m.keys.all))
}

// matches are events and refusals by key. Its memory is used again.
type matches struct {
	keys             keyTable
	keyed            []keyedEvent // the members of events
	hits             []hit        // the members of requests
	found            [][]hit      // by goroutine; those of the others are added to those of the first
	events, requests grouped
}

// keyedEvent is an event that has a key.
type keyedEvent struct {
	key, user uint64
	event, at int32 // at: in the list of which it is
}

// hit is a refusal that has the key of an event.
type hit struct {
	time, ordinal  int64
	request, group int32
	duration       uint32
	status         int16
}

// keyTable numbers keys, which are hashes that nobody can make collide, in the order in
// which they are added.
type keyTable struct {
	all   []uint64 // keys by number
	slots []uint32 // number plus one, 0 for none: a power of two, at least twice as many as keys
	shift int
}

// reset empties the table and makes room for n keys.
func (t *keyTable) reset(n int) {
	size := 1 + bits.Len(uint(n))
	t.all, t.slots, t.shift = slices.Grow(t.all[:0], n), slices.Grow(t.slots[:0], 1<<size)[:1<<size], 64-size
	clear(t.slots)
}

// slot returns the slot of a key, or the empty one where it belongs.
func (t *keyTable) slot(key uint64) *uint32 {
	for i := int(key >> t.shift); ; i++ {
		slot := &t.slots[i&(len(t.slots)-1)]
		if *slot == 0 || t.all[*slot-1] == key {
			return slot
		}
	}
}

// add returns the number of a key, the next one if it is new. The key 0 has none: -1.
func (t *keyTable) add(key uint64) int32 {
	if key == 0 {
		return -1
	}
	slot := t.slot(key)
	if *slot == 0 {
		t.all = append(t.all, key)
		*slot = uint32(len(t.all))
	}
	return int32(*slot) - 1
}

// find returns the number of a key, -1 if it has none. The key 0 has none.
func (t *keyTable) find(key uint64) int32 {
	if key == 0 {
		return -1
	}
	return int32(*t.slot(key)) - 1
}

// grouped are the members 0 to n in groups, in order.
type grouped struct {
	groups []int32 // by member: its group; -1 for none
	list   []int32 // members, by group
	ends   []int32 // of the groups in list
}

// reset makes room for n members, whose groups are to be set.
func (g *grouped) reset(n int) { g.groups = slices.Grow(g.groups[:0], n)[:n] }

// divide makes the groups, whose number is given.
func (g *grouped) divide(groups int) {
	g.list, g.ends = slices.Grow(g.list[:0], len(g.groups))[:len(g.groups)], slices.Grow(g.ends[:0], groups+1)[:groups+1]
	clear(g.ends)
	for _, group := range g.groups {
		g.ends[group+1]++
	}
	g.ends[0] = 0 // they are in no group
	for i := range groups {
		g.ends[i+1] += g.ends[i]
	}
	for member, group := range g.groups {
		if group >= 0 {
			g.list[g.ends[group]] = int32(member)
			g.ends[group]++
		}
	}
}

// of returns a group.
func (g *grouped) of(group int) []int32 {
	start := int32(0)
	if group > 0 {
		start = g.ends[group-1]
	}
	return g.list[start:g.ends[group]:g.ends[group]]
}

// eventOf returns an event of the matches.
func (j *joiner) eventOf(n int32) *Event { return &j.events[j.matches.keyed[n].event] }

// group joins events and refusals of one key, both as numbers in the matches. It divides them
// into those that are connected by time, and joins each part or leaves it.
func (j *joiner) group(p *pass, events, requests []int32) {
	hits := j.matches.hits
	if len(requests) == 1 && (p.alone || len(events) == 1) {
		r := &hits[requests[0]]
		reach := int64(r.duration) + p.window
		for _, n := range events { // several lines may be about one request
			if at := j.eventOf(n).Time; p.alone && len(events) == 1 || at >= r.time-reach && at <= r.time+reach {
				j.join(p, n, r)
			}
		}
		return
	}
	slices.SortFunc(events, func(a, b int32) int {
		return cmp.Or(cmp.Compare(j.eventOf(a).Time, j.eventOf(b).Time), cmp.Compare(a, b))
	})
	slices.SortFunc(requests, func(a, b int32) int {
		x, y := &hits[a], &hits[b]
		return cmp.Or(cmp.Compare(x.time, y.time), cmp.Compare(x.ordinal, y.ordinal), cmp.Compare(a, b))
	})
	// candidates are the refusals, with the events of their times: [from, to) of events.
	all := j.candidates[:0]
	for _, n := range requests {
		r := &hits[n]
		reach := int64(r.duration) + p.window
		from := sort.Search(len(events), func(i int) bool { return j.eventOf(events[i]).Time >= r.time-reach })
		to := sort.Search(len(events), func(i int) bool { return j.eventOf(events[i]).Time > r.time+reach })
		if from < to {
			all = append(all, candidate{r, from, to})
		}
	}
	j.candidates = all
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.from, b.from) })
	for len(all) > 0 {
		end, n := all[0].to, 1
		for n < len(all) && all[n].from < end {
			end = max(end, all[n].to)
			n++
		}
		part := all[:n]
		slices.SortStableFunc(part, func(a, b candidate) int { return cmp.Compare(a.to, b.to) })
		j.resolve(p, part, events, part[0].from, end)
		all = all[n:]
	}
}

// candidate is a refusal and the events that may be about it.
type candidate struct {
	*hit
	from, to int // of the events of its group
}

// resolve joins the events [from, to) of a group with candidates that may be meant by
// them, or marks the events as ambiguous. Candidates are in the order of their times.
//
// If all events say the same, it does not matter which of them is about which refusal,
// as long as every refusal has one. If they differ, there must be one way only to divide
// them among the refusals in order.
func (j *joiner) resolve(p *pass, candidates []candidate, events []int32, from, to int) {
	for _, c := range candidates {
		from = min(from, c.from)
	}
	list := events[from:to]
	same := !slices.ContainsFunc(list, func(n int32) bool { return !j.same(n, list[0]) })
	switch {
	case same && len(list) >= len(candidates):
		next := from
		for _, c := range candidates {
			if next = max(next, c.from); next < c.to {
				j.join(p, events[next], c.hit)
				next++
			}
		}
		return
	case len(candidates) == 1 && j.agree(list): // several lines about one refusal
		for _, n := range list {
			j.join(p, n, candidates[0].hit)
		}
		return
	case len(list) == len(candidates) && j.inOneWay(p, candidates, events, from):
		for i, c := range candidates {
			j.join(p, events[from+i], c.hit)
		}
		return
	}
	one := p.alone && j.oneRequest(candidates)
	for _, n := range list {
		if one {
			j.join(p, n, j.nearest(n, candidates))
		} else {
			j.eventOf(n).Ambiguous = true
		}
	}
	for _, c := range candidates {
		j.requests.taken[c.request] = true
	}
}

// oneRequest reports whether refusals with the same id are one request in the logs of several
// programs that it passed: no log has two of them.
func (j *joiner) oneRequest(candidates []candidate) bool {
	at, inputs := j.requests.reader(), make([]int32, 0, len(candidates))
	for _, c := range candidates {
		r, _ := at(int(c.request))
		if slices.Contains(inputs, r.input) {
			return false
		}
		inputs = append(inputs, r.input)
	}
	return true
}

// nearest returns the refusal nearest in time to an event, the first of several.
func (j *joiner) nearest(event int32, candidates []candidate) *hit {
	t := j.eventOf(event).Time
	return slices.MinFunc(candidates, func(a, b candidate) int {
		return cmp.Compare(max(t-a.time, a.time-t), max(t-b.time, b.time-t))
	}).hit
}

// inOneWay reports whether the events from one on can be divided among as many
// candidates in order, and in no other way that says something else.
func (j *joiner) inOneWay(p *pass, candidates []candidate, events []int32, from int) bool {
	may := func(i, event int) bool { return candidates[i].from <= from+event && from+event < candidates[i].to }
	for i := range candidates {
		if !may(i, i) {
			return false
		}
		if p.ordered || i == 0 || j.same(events[from+i], events[from+i-1]) {
			continue
		}
		if may(i-1, i) && may(i, i-1) {
			return false
		}
	}
	return true
}

// agree reports whether events are of one user, and their reasons of one class.
func (j *joiner) agree(list []int32) bool {
	first, keyed := j.eventOf(list[0]), j.matches.keyed
	return !slices.ContainsFunc(list, func(n int32) bool {
		e := j.eventOf(n)
		return keyed[n].user != keyed[list[0]].user || e.Outcome != first.Outcome || e.class != first.class
	})
}

// same reports whether two events say the same: outcome, reason and user.
func (j *joiner) same(a, b int32) bool {
	e, f, keyed := j.eventOf(a), j.eventOf(b), j.matches.keyed
	return e.Outcome == f.Outcome && e.Reason == f.Reason && keyed[a].user == keyed[b].user
}

// join joins an event with a refusal, unless the client got another status.
func (j *joiner) join(p *pass, event int32, r *hit) {
	e := j.eventOf(event)
	if e.status != 0 && e.status != r.status {
		e.Ambiguous = true
		return
	}
	e.Refusal, e.Match, j.requests.taken[r.request] = r.request, p.match, true
}
