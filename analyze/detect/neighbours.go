package detect

import (
	"maps"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// neighbours is an observer of refused requests that carried no session. It records
// whether the same client was accepted on a protected route within a time window
// before or after, that is, whether its user was signed in, and whether it was accepted
// there at any time. An actor takes time for its requests, and for the refusals of its
// clients once for each run of requests of one.
type neighbours struct {
	d        *Diagnosis
	window   int64 // milliseconds
	byClient map[timeline.Client][]uint32
	// suspect holds the endpoints of the refusals. Acceptances there do not count, but
	// for those over https if the refusals are those over http.
	suspect map[uint32]bool
	http    bool
	asset   []bool       // by endpoint: a file that pages load
	near    session.Bits // by refusal
	page    session.Bits // by refusal: some page was accepted, protected or not
	members map[timeline.Client]bool
	parts   []*neighbourPart
}

// neighbourPart is the part of one goroutine.
type neighbourPart struct {
	near, page map[uint32]bool
	members    map[timeline.Client]bool
}

// observeNeighbours returns an observer of the refusals of endpoints, or nil if there are none.
func observeNeighbours(d *Diagnosis, window int64, endpoints []uint32, refusals map[uint32][]uint32) observer {
	o := &neighbours{d: d, window: window, byClient: map[timeline.Client][]uint32{}, suspect: map[uint32]bool{}, members: map[timeline.Client]bool{}}
	if len(endpoints) == 0 {
		return nil
	}
	for _, e := range endpoints {
		o.suspect[e] = true
		for i, r := range d.Refusals.Of(slices.Values(refusals[e])) {
			client := r.Client()
			o.byClient[client] = append(o.byClient[client], i)
		}
	}
	for _, list := range o.byClient {
		slices.Sort(list) // refusals are numbered by time
	}
	o.asset = make([]bool, len(d.State.Endpoints))
	for i := range o.asset {
		o.asset[i] = session.IsAsset(d.State.Endpoints[i].Template)
	}
	return o
}

func (o *neighbours) part() func(*timeline.Actor, uint32) {
	p := &neighbourPart{near: map[uint32]bool{}, page: map[uint32]bool{}, members: map[timeline.Client]bool{}}
	o.parts = append(o.parts, p)
	return func(a *timeline.Actor, _ uint32) {
		var client timeline.Client
		var near, page []uint32 // refusals that are not passed yet
		for i := range a.Events {
			e := &a.Events[i]
			if i == 0 || e.Client != client {
				client = e.Client
				near = o.byClient[client]
				page = near
			}
			if len(page) == 0 && len(near) == 0 || e.Outcome != timeline.Accepted || o.suspect[e.Endpoint] && !(o.http && e.Origin.Scheme() == timeline.HTTPS) {
				continue
			}
			if !o.asset[e.Endpoint] {
				page = o.pass(page, e.Time, p.page)
			}
			if o.d.Protected[e.Endpoint] {
				p.members[client] = true
				near = o.pass(near, e.Time, p.near)
			}
		}
	}
}

// pass adds the refusals within the window around a time, and returns those that are not
// passed yet. Events and refusals are both ordered by time: one pass suffices.
func (o *neighbours) pass(list []uint32, time int64, within map[uint32]bool) []uint32 {
	for len(list) > 0 && o.d.Refusals.At(int(list[0])).Time <= time+o.window {
		if o.d.Refusals.At(int(list[0])).Time >= time-o.window {
			within[list[0]] = true
		}
		list = list[1:]
	}
	return list
}

func (o *neighbours) gather() {
	for _, p := range o.parts {
		for i := range p.near {
			o.near.Add(int(i))
		}
		for i := range p.page {
			o.page.Add(int(i))
		}
		maps.Copy(o.members, p.members)
	}
	o.parts = nil
}

// count returns how many of the refusals are near an acceptance.
func (o *neighbours) count(refusals []uint32) (n int64) {
	for _, i := range refusals {
		if o.near.Has(int(i)) {
			n++
		}
	}
	return n
}

// pages returns how many of the refusals are near an accepted page.
func (o *neighbours) pages(refusals []uint32) (n int64) {
	for _, i := range refusals {
		if o.page.Has(int(i)) {
			n++
		}
	}
	return n
}

// ofMembers returns how many of the refusals are of clients that are accepted on a
// protected route at some time.
func (o *neighbours) ofMembers(refusals []uint32) (n int64) {
	for _, r := range o.d.Refusals.Of(slices.Values(refusals)) {
		if o.members[r.Client()] {
			n++
		}
	}
	return n
}
