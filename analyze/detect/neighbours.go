package detect

import (
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// neighbours is an observer of refused requests that carried no session. It records
// whether the same client was accepted on a protected route within a time window
// before or after, that is, whether its user was signed in. An actor takes time for its
// requests, and for the refusals of its clients once for each run of requests of one.
type neighbours struct {
	d        *Diagnosis
	window   int64 // milliseconds
	byClient map[timeline.Client][]uint32
	// suspect holds the endpoints of the refusals. Acceptances there do not count, but
	// for those over https if the refusals are those over http.
	suspect map[uint32]bool
	http    bool
	near    session.Bits // by refusal
	parts   []map[uint32]bool
}

// observeNeighbours returns an observer of the refusals that fit, or nil if no
// endpoint has enough of them.
func observeNeighbours(d *Diagnosis, window int64, fits func(*session.Refusal) bool) observer {
	o := &neighbours{d: d, window: window, byClient: map[timeline.Client][]uint32{}, suspect: map[uint32]bool{}}
	endpoints, refusals := d.refusalsByEndpoint(fits)
	if len(endpoints) == 0 {
		return nil
	}
	for _, e := range endpoints {
		o.suspect[e] = true
		for _, i := range refusals[e] {
			r := d.Refusals.At(int(i))
			client := r.Client()
			o.byClient[client] = append(o.byClient[client], i)
		}
	}
	for _, list := range o.byClient {
		slices.Sort(list) // refusals are numbered by time
	}
	return o
}

func (o *neighbours) part() func(*timeline.Actor, uint32) {
	near := map[uint32]bool{}
	o.parts = append(o.parts, near)
	return func(a *timeline.Actor, _ uint32) {
		var client timeline.Client
		var wanted []uint32
		for i := range a.Events {
			e := &a.Events[i]
			if i == 0 || e.Client != client {
				client = e.Client
				wanted = o.byClient[client]
			}
			if len(wanted) == 0 || e.Outcome != timeline.Accepted || !o.d.Protected[e.Endpoint] || o.suspect[e.Endpoint] && !(o.http && e.Origin.Scheme() == timeline.HTTPS) {
				continue
			}
			// Events and refusals are both ordered by time: one pass suffices.
			for len(wanted) > 0 && o.d.Refusals.At(int(wanted[0])).Time <= e.Time+o.window {
				if o.d.Refusals.At(int(wanted[0])).Time >= e.Time-o.window {
					near[wanted[0]] = true
				}
				wanted = wanted[1:]
			}
		}
	}
}

func (o *neighbours) gather() {
	for _, near := range o.parts {
		for i := range near {
			o.near.Add(int(i))
		}
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
