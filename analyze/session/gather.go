package session

import (
	"cmp"
	"errors"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// gather adds up the parts of the goroutines. It returns the refusals that turned out to
// be challenges.
func (ev *Evidence) gather(parts []*sessionizer) (Bits, error) {
	var refusals []*spill.Sorter[ClientLink]
	var legs []*spill.Sorter[openLeg]
	for _, s := range parts {
		if s.err != nil {
			return nil, s.err
		}
		if ev.saver != nil {
			ev.saver.parts = append(ev.saver.parts, s.saver)
		}
		ev.Actors += s.actors
		ev.Links = append(ev.Links, s.clientUsers)
		ev.sessions = append(ev.sessions, s.sessions)
		refusals = append(refusals, s.clientRefusals)
		legs = append(legs, s.openLegs)
		s.clientUsers.Sort()
		s.sessions.Sort()
	}
	ev.Parallel(
		func() { ev.gatherClients(parts) },
		func() { ev.gatherLifetimes(parts) },
		func() { ev.gatherForms(parts) },
		func() {
			for _, s := range parts {
				for i := range s.endpoints {
					ev.Endpoints[i].merge(&s.endpoints[i].EndpointStats)
				}
			}
		},
	)
	challenges, err := ev.joinLegs(legs)
	return challenges, errors.Join(ev.countLinks(refusals), err)
}

// gatherLifetimes adds up the lifetimes by host.
func (ev *Evidence) gatherLifetimes(parts []*sessionizer) {
	for _, s := range parts {
		for site, l := range s.lifetimes {
			if sum := ev.Lifetimes[ev.Sites[site]]; sum == nil && l != nil {
				ev.Lifetimes[ev.Sites[site]] = l
			} else if l != nil {
				sum.Merge(l)
			}
		}
	}
	for _, l := range ev.Lifetimes {
		l.finish()
	}
}

// gatherClients adds up the clients.
func (ev *Evidence) gatherClients(parts []*sessionizer) {
	ev.Clients = parts[0].clients
	ev.ChallengedInUse = parts[0].inUse
	for _, s := range parts[1:] {
		for c, cell := range s.inUse {
			sum := ev.ChallengedInUse[c]
			sum.Merge(cell)
			ev.ChallengedInUse[c] = sum
		}
		for c, stats := range s.clients {
			if sum := ev.Clients[c]; sum != nil {
				sum.Tally.Merge(&stats.Tally)
				sum.Sessions += stats.Sessions
			} else {
				ev.Clients[c] = stats
			}
		}
	}
}

// ClientLink records that a client named a user, or was refused by an endpoint.
type ClientLink struct {
	Client timeline.Client
	To     uint32 // index of the user or endpoint
}

// linkSize is the size of a ClientLink in memory, in bytes.
const linkSize = 12

func compareLinks(a, b *ClientLink) int {
	return cmp.Or(timeline.CompareClients(a.Client, b.Client), cmp.Compare(a.To, b.To))
}

var linkCodec = spill.FixedCodec(compareLinks)

// countLinks counts the distinct users and refusing endpoints of clients, and the
// distinct clients of users.
func (ev *Evidence) countLinks(refusals []*spill.Sorter[ClientLink]) error {
	ev.UserClients = make([]int64, len(ev.State.Users))
	// each calls count once for each distinct link. Links are sorted by client.
	each := func(links []*spill.Sorter[ClientLink], count func(stats *ClientStats, to uint32)) error {
		var last ClientLink
		var stats *ClientStats // of last.Client; nil before the first
		for l, err := range spill.Sorted(links...) {
			if err != nil {
				return err
			}
			if stats != nil && *l == last {
				continue
			}
			if stats == nil || l.Client != last.Client {
				stats = ev.Clients[l.Client]
			}
			last = *l
			count(stats, l.To)
		}
		return nil
	}
	var refused, named error
	ev.Parallel(
		func() { refused = each(refusals, func(stats *ClientStats, _ uint32) { stats.RefusedEndpoints++ }) },
		func() {
			named = each(ev.Links, func(stats *ClientStats, user uint32) {
				stats.Users++
				ev.UserClients[user]++
			})
		},
	)
	return errors.Join(refused, named)
}
