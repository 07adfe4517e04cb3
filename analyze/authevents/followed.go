package authevents

import (
	"cmp"
	"slices"
	"sort"
)

// A gateway such as oauth2-proxy writes requests and messages to one log. A message about
// a session names neither client nor request, and the line of its request follows it. The
// server before the gateway has the same request in its own log.

// pair is an event with a refusal in its own log.
type pair struct {
	event, refusal int32
	first          int32 // index plus one of the first event about the line that follows; 0 for this one
}

// followLines is the greatest distance in lines between a message and its request: there
// are a few messages about one request at most.
const followLines = 4

// followed looks for the refusals of events in their own logs. They are not joined by keys:
// the same request in another log is what people look at. An event without a client and an
// id gets those of its request.
func (j *joiner) followed(list []int32) {
	type ownLine struct {
		line    int64
		refusal int32
	}
	own := make([][]ownLine, len(j.State.Inputs)) // lines of refusals by input
	has := make([]bool, len(own))                 // messages
	message := j.State.Messages.Reader()
	for _, n := range list {
		has[message(int(n)).Input] = true
	}
	for i, r := range j.State.Refusals.All() {
		if in := r.Input; has[in] {
			own[in] = append(own[in], ownLine{r.Line, int32(i)})
		}
	}
	for _, of := range own {
		slices.SortFunc(of, func(a, b ownLine) int { return cmp.Compare(a.line, b.line) })
	}
	j.said.adopted = j.said.adopted[:0]
	request, said := j.requests.reader(), j.saidReader()
	for _, n := range list {
		m := message(int(n))
		of := own[m.Input]
		if len(of) == 0 {
			continue
		}
		e := &j.events[n]
		next := sort.Search(len(of), func(i int) bool { return of[i].line > m.Line })
		if !e.Wanted || next == len(of) || of[next].line-m.Line > followLines {
			continue
		}
		refusal := of[next].refusal
		r, labels := request(int(refusal))
		t, l := said(n)
		ids, id := &labels.ids, l.id // 0 as well if no refusal has any
		bare := t.client == 0 && !e.hasID && t.path == 0
		apart := e.Time-r.time > near || r.time-e.Time > near
		if r.time == noTime || apart || !bare && (id == 0 || !slices.Contains(ids[:], id)) || e.status != 0 && e.status != r.status || t.user != 0 && r.user != 0 && t.user != r.user {
			continue
		}
		p := pair{event: n, refusal: refusal}
		if last := len(j.also) - 1; last >= 0 && j.also[last].refusal == refusal {
			p.first = cmp.Or(j.also[last].first, j.also[last].event+1)
		}
		j.also = append(j.also, p)
		e.follows, e.another, j.requests.taken[refusal] = true, p.first != 0, true
		if bare {
			e.status = r.status
			j.said.adopted = append(j.said.adopted, adopted{n, r.client, cmp.Or(t.user, r.user), ids[0]})
		}
	}
}

// fallBack joins the events of a list that have a refusal in their own log only, and those
// that are about the same request as the first one.
func (j *joiner) fallBack(list []int32) {
	if len(j.also) == 0 {
		return
	}
	for _, p := range j.also {
		if _, in := slices.BinarySearch(list, p.event); !in {
			continue
		}
		e := &j.events[p.event]
		if e.another {
			first := &j.events[p.first-1]
			e.Refusal, e.Match, e.Ambiguous = first.Refusal, first.Match, first.Ambiguous
		}
		if e.Refusal < 0 && !e.Ambiguous {
			e.Refusal, e.Match = p.refusal, ByLine
		}
	}
}
