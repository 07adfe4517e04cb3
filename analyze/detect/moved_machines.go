package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/timeline"
	"logscan/parse"
)

// A program whose address changes is refused at the new one if only the old one is allowed, or if
// its credentials were left behind. By itself, the new address looks like a probe, or like a guess
// at the account.
//
// Sign: a client that is refused from its first request on, and another address with the same
// program, and the same user where the log names them, that was accepted on the same routes at the
// same pace and made its last request just before. Not: a probe that appears (nothing else stops),
// one that others run beside it (they go on), guesses (they keep no pace of an owner that falls
// silent).

const (
	// movedSilence is the maximum number of periods between the last request at the old address
	// and the first one at the new one: a host that restarts misses a round.
	movedSilence = 2
	// movedPace is the maximum ratio of the two periods.
	movedPace = 1.25
	// maxPredecessors is the maximum number of clients that are tried as the one that moved, the
	// last ones to fall silent.
	maxPredecessors = 16
)

// predecessors returns, by client that was refused from its first request on at a pace, the clients
// with its program that had been accepted and made their last request just before, the latest
// first. refused counts the refusals of clients without a session.
func (d *Diagnosis) predecessors(refused map[timeline.Client]int) map[timeline.Client][]timeline.Client {
	newcomers, agents := map[timeline.Client]*pacedSeries{}, map[uint32]bool{}
	for _, client := range d.mostRefused(refused, func(t *timeline.Tally) bool {
		return passed(t) == 0 && t.FirstRefused != parse.NoTime && t.FirstRefused > d.From*1000
	}) {
		newcomers[client] = nil
	}
	if len(newcomers) == 0 {
		return nil
	}
	for _, r := range d.eachOpen() {
		switch s, ok := newcomers[r.Client()]; {
		case !ok || r.Session:
		case s == nil:
			newcomers[r.Client()] = &pacedSeries{first: r.Time, last: r.Time}
		case r.Time-s.last > tryGap:
			s.add(r.Time)
		}
	}
	for client, s := range newcomers {
		if _, steady := s.pace(); steady {
			agents[client.Agent] = true
		} else {
			delete(newcomers, client)
		}
	}
	if len(newcomers) == 0 {
		return nil
	}
	gone := map[uint32][]timeline.Client{} // by agent
	for client, s := range d.Clients {
		if agents[client.Agent] && refused[client] == 0 && s.Tally.N[timeline.Accepted] >= machineAccepted && !d.State.Unlisted(client) {
			gone[client.Agent] = append(gone[client.Agent], client)
		}
	}
	last := func(c timeline.Client) int64 { return timeline.FloorDiv(d.Clients[c].Tally.Last, 1000) }
	for _, list := range gone {
		slices.SortFunc(list, func(a, b timeline.Client) int {
			return cmp.Or(cmp.Compare(last(a), last(b)), timeline.CompareClients(a, b))
		})
	}
	found := map[timeline.Client][]timeline.Client{}
	for client, s := range newcomers {
		period, _ := s.pace()
		list := gone[client.Agent]
		n, _ := slices.BinarySearchFunc(list, s.first+1, func(c timeline.Client, at int64) int { return cmp.Compare(last(c), at) })
		for i := n - 1; i >= 0 && n-i <= maxPredecessors && s.first-last(list[i]) <= movedSilence*period; i-- {
			found[client] = append(found[client], list[i])
		}
	}
	return found
}

// followEarlier makes the observer follow the predecessors of clients on the routes that refused
// these.
func (o *machineObserver) followEarlier() {
	o.moving = map[timeline.Client]bool{}
	for client, list := range o.earlier {
		o.moving[client] = true
		for _, c := range list {
			o.moving[c] = true
			if o.follow[c] == nil {
				o.follow[c] = map[uint32]bool{}
			}
			for route := range o.follow[client] {
				o.follow[c][route] = true
			}
		}
	}
}

// separate takes the machines of clients that may have moved, and their predecessors, from the
// others.
func (o *machineObserver) separate() {
	o.movers = map[timeline.Client][]machine{}
	o.machines = slices.DeleteFunc(o.machines, func(m machine) bool {
		if o.moving[m.client] {
			o.movers[m.client] = append(o.movers[m.client], m)
		}
		return o.moving[m.client]
	})
}

// movedMachines returns the programs that are refused since their address changed, with what they
// were answered at the old one, too.
func (o *machineObserver) movedMachines() (all []machine) {
	for client, list := range o.earlier {
		for i := range o.movers[client] {
			if m, ok := o.movedFrom(&o.movers[client][i], list); ok {
				all = append(all, m)
			}
		}
	}
	slices.SortFunc(all, func(a, b machine) int {
		return cmp.Or(timeline.CompareClients(a.client, b.client), cmp.Compare(a.user, b.user))
	})
	return all
}

// movedFrom returns a machine with the answers of the predecessor that it was, if it is one.
func (o *machineObserver) movedFrom(m *machine, list []timeline.Client) (machine, bool) {
	for _, c := range list {
		for i := range o.movers[c] {
			before := &o.movers[c][i]
			if before.user != m.user && before.user != 0 && m.user != 0 {
				continue
			}
			one := machine{client: m.client, user: cmp.Or(m.user, before.user), answers: slices.Concat(before.answers, m.answers), wide: m.wide || before.wide, moved: true, from: c.Address}
			b, paced := findBreakdown(o.d, one.answers)
			if !paced || b.firstRefused-b.lastAccepted > movedSilence*b.period {
				continue
			}
			times := make([]int64, 0, len(b.since))
			for _, a := range b.since {
				times = append(times, a.time)
			}
			if now, _ := pace(rounds(times)); float64(max(now, b.period)) <= movedPace*float64(min(now, b.period)) {
				return one, true
			}
		}
	}
	return machine{}, false
}
