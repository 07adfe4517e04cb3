package session

import (
	"cmp"
	"encoding/binary"
	"errors"
	"iter"
	"slices"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// gather adds up the parts of the goroutines.
func (ev *Evidence) gather(parts []*sessionizer) error {
	names := make([]string, maxHosts)
	for i := range ev.State.Endpoints {
		if n := parts[0].hostOf[i]; n >= 0 {
			names[n] = ev.State.Endpoints[i].Host
		}
	}
	var tasks []func()
	for _, s := range parts {
		if s.err != nil {
			return s.err
		}
		if ev.saver != nil {
			ev.saver.parts = append(ev.saver.parts, s.saver)
		}
		ev.Actors += s.actors
		ev.Links = append(ev.Links, s.clientUsers)
		ev.sessions = append(ev.sessions, s.sessions)
		tasks = append(tasks, func() { s.clientRefusals = distinct(s.clientRefusals) }, s.clientUsers.Sort)
	}
	ev.Parallel(append(tasks,
		func() { ev.gatherClients(parts) },
		func() { ev.gatherLifetimes(parts, names) },
		func() {
			for _, s := range parts {
				for i := range s.endpoints {
					ev.Endpoints[i].merge(&s.endpoints[i])
				}
			}
		},
	)...)
	return ev.countLinks(parts)
}

// gatherLifetimes adds up the lifetimes by host; names are those of the hosts'
// numbers.
func (ev *Evidence) gatherLifetimes(parts []*sessionizer, names []string) {
	for _, s := range parts {
		for n, l := range s.lifetimes {
			if l == nil {
				continue
			}
			if sum := ev.Lifetimes[names[n]]; sum != nil {
				sum.merge(l)
			} else {
				ev.Lifetimes[names[n]] = l
			}
		}
	}
	for _, l := range ev.Lifetimes {
		l.Gap.Merge(&l.SeenGap)
		l.GapAny.Merge(&l.SeenGapAny)
	}
}

// gatherClients adds up the clients.
func (ev *Evidence) gatherClients(parts []*sessionizer) {
	ev.Clients = parts[0].clients
	for _, s := range parts[1:] {
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

var linkCodec = spill.Codec[ClientLink]{
	Append: func(dst []byte, l *ClientLink) []byte {
		for _, n := range [...]uint32{l.Client.Address, l.Client.Agent, l.To} {
			dst = binary.LittleEndian.AppendUint32(dst, n)
		}
		return dst
	},
	Read: func(l *ClientLink, src []byte) []byte {
		for i, n := range [...]*uint32{&l.Client.Address, &l.Client.Agent, &l.To} {
			*n = binary.LittleEndian.Uint32(src[4*i:])
		}
		return src[12:]
	},
	Compare: compareLinks,
	Key:     func(l *ClientLink) uint64 { return uint64(l.Client.Address)<<32 | uint64(l.Client.Agent) },
}

// distinct sorts links and drops duplicates.
func distinct(links []ClientLink) []ClientLink {
	slices.SortFunc(links, func(a, b ClientLink) int { return compareLinks(&a, &b) })
	return slices.Compact(links)
}

// countLinks counts the distinct users and refusing endpoints of clients, and the
// distinct clients of users.
func (ev *Evidence) countLinks(parts []*sessionizer) error {
	var refusals []spill.Source[ClientLink]
	for _, s := range parts {
		refusals = append(refusals, spill.FromSlice(s.clientRefusals))
	}
	ev.UserClients = make([]int64, len(ev.State.Users))
	// each calls count once for each distinct link. Links are sorted by client.
	each := func(links iter.Seq2[*ClientLink, error], count func(stats *ClientStats, to uint32)) error {
		var last ClientLink
		var stats *ClientStats // of last.Client; nil before the first
		for l, err := range links {
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
	tasks := []func(){
		func() {
			refused = each(spill.Merge(refusals, compareLinks), func(stats *ClientStats, _ uint32) { stats.RefusedEndpoints++ })
		},
		func() {
			named = each(spill.Sorted(ev.Links...), func(stats *ClientStats, user uint32) {
				stats.Users++
				ev.UserClients[user]++
			})
		},
	}
	for _, s := range ev.sessions { // which the next stage reads first
		tasks = append(tasks, s.Sort)
	}
	ev.Parallel(tasks...)
	return errors.Join(refused, named)
}
