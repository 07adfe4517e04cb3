package analyze

import (
	"encoding/hex"
	"iter"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
)

func counts(t *timeline.Tally) result.Counts {
	return result.Counts{
		Requests: t.Requests(),
		Accepted: t.N[timeline.Accepted], Redirected: t.N[timeline.Redirected], Unauthorized: t.N[timeline.Unauthorized],
		Forbidden: t.N[timeline.Forbidden], NotFound: t.N[timeline.NotFound], ClientErrors: t.N[timeline.ClientError],
		ServerErrors: t.N[timeline.ServerError], Other: t.N[timeline.Other],
	}
}

// mostExplaining returns, by key, the id of the finding that explains most refusals
// of the key. key returns false for a refusal that has none.
func mostExplaining[K comparable](a *assembly, key func(*session.Refusal) (K, bool)) map[K]string {
	type pair struct {
		key     K
		finding int32
	}
	n := map[pair]int{}
	for i, r := range a.Refusals.Those(func(i int) bool { return a.Of[i] != 0 }) {
		if k, ok := key(r); ok {
			n[pair{k, a.Of[i]}]++
		}
	}
	best := map[K]pair{}
	for p, count := range n {
		b, ok := best[p.key]
		if !ok || count > n[b] || count == n[b] && p.finding < b.finding {
			best[p.key] = p
		}
	}
	ids := make(map[K]string, len(best))
	for k, p := range best {
		ids[k] = a.Findings[p.finding-1].ID
	}
	return ids
}

func (a *assembly) endpointRows() []result.Endpoint {
	ids := mostExplaining(a, func(r *session.Refusal) (uint32, bool) { return r.Endpoint, true })
	rows := make([]result.Endpoint, len(a.State.Endpoints))
	for i := range rows {
		e, stats := &a.State.Endpoints[i], &a.Endpoints[i]
		rows[i] = result.Endpoint{
			Host: result.Clean(e.Host), Method: e.Method, Template: result.Clean(e.Template),
			Counts: counts(&e.Tally), Actors: stats.Actors, RefusedActors: stats.RefusedActors, Protected: a.Protected[i],
			FirstTime: e.First, LastTime: e.Last, FirstUnauthorized: e.FirstRefused, LastUnauthorized: e.LastRefused,
			FindingID: ids[uint32(i)],
		}
	}
	return rows
}

// accountRows returns the rows of the accounts, and sets a.users.
func (a *assembly) accountRows() []result.Account {
	ids := mostExplaining(a, func(r *session.Refusal) (uint32, bool) { return r.User, r.User != 0 })
	rows := make([]result.Account, 0, len(a.State.Users)+1)
	a.users = make([]string, 0, len(a.State.Users))
	add := func(u *timeline.NamedTally, clients int64, finding string) {
		rows = append(rows, result.Account{
			User: result.Clean(u.Name), Counts: counts(&u.Tally), Clients: clients,
			FirstAccepted: u.FirstAccepted, LastAccepted: u.LastAccepted,
			FirstUnauthorized: u.FirstRefused, LastUnauthorized: u.LastRefused,
			FindingID: finding,
		})
	}
	for i := range a.State.Users {
		add(&a.State.Users[i], a.UserClients[i], ids[uint32(i)+1])
		a.users = append(a.users, rows[i].User)
	}
	if a.State.OtherUsers > 0 {
		add(&a.State.OfOtherUsers, 0, "") // their clients are not counted
	}
	return rows
}

// clientOrder is the order of the clients in the table of clients.
type clientOrder struct {
	order             []timeline.Client
	from              []int32  // by address: where its clients begin in order
	addresses, agents []string // cleaned names, by index
}

// orderClients sorts the clients. It reads nothing that the detect stage changes.
func orderClients(ev *session.Evidence) *clientOrder {
	order := make([]timeline.Client, 0, len(ev.Clients))
	for c := range ev.Clients {
		order = append(order, c)
	}
	slices.SortFunc(order, timeline.CompareClients)
	from := make([]int32, len(ev.State.Addresses)+1)
	for _, c := range order {
		from[c.Address+1]++
	}
	for i := range ev.State.Addresses {
		from[i+1] += from[i]
	}
	return &clientOrder{order, from, result.CleanAll(ev.State.Addresses), result.CleanAll(ev.State.Agents)}
}

// row returns the index of a client's row, -1 if it has none. The clients of one
// address, which are few, lie next to each other.
func (o *clientOrder) row(c timeline.Client) int {
	from, to := int(o.from[c.Address]), int(o.from[c.Address+1])
	i, ok := slices.BinarySearchFunc(o.order[from:to], c, timeline.CompareClients)
	if !ok {
		return -1
	}
	return from + i
}

// clientsExplained returns, by client, the id of the finding that explains most of
// its refusals.
func (a *assembly) clientsExplained() map[timeline.Client]string {
	return mostExplaining(a, func(r *session.Refusal) (timeline.Client, bool) { return r.Client(), true })
}

func (a *assembly) clientRows(explained map[timeline.Client]string) []result.Client {
	rows := make([]result.Client, len(a.order))
	a.InParts(len(rows), func(from, to int) {
		for i := from; i < to; i++ {
			c := a.order[i]
			stats := a.Clients[c]
			rows[i] = result.Client{
				Address: a.addresses[c.Address], UserAgent: a.agents[c.Agent],
				Counts: counts(&stats.Tally), Users: stats.Users, Sessions: stats.Sessions, RefusedEndpoints: stats.RefusedEndpoints,
				FirstTime: stats.Tally.First, LastTime: stats.Tally.Last, LastAccepted: stats.Tally.LastAccepted,
				FindingID: explained[c],
			}
		}
	})
	return rows
}

func (a *assembly) upstreamRows() []result.Upstream {
	rows := make([]result.Upstream, len(a.State.Upstreams))
	for i := range rows {
		u := &a.State.Upstreams[i]
		rows[i] = result.Upstream{Name: result.Clean(u.Name), Counts: counts(&u.Tally)}
	}
	return rows
}

// refusals yields the refusals that have a time, by the indexes of their rows.
func (a *assembly) refusals() iter.Seq[result.Refusal] {
	return func(yield func(result.Refusal) bool) {
		line := a.State.Refusals.Reader()
		for i, r := range a.Refusals.All() {
			if r.Actor == 0 {
				continue
			}
			x := result.Refusal{
				Time: line(i).Time, Endpoint: int(r.Endpoint), Account: int(r.User) - 1, Client: a.row(r.Client()),
				Upstream: int(r.Upstream) - 1, Cause: a.cause(i, r), Finding: int(a.Of[i]) - 1,
			}
			if !yield(x) {
				return
			}
		}
	}
}

func (a *assembly) timelineRows() []result.Minute {
	type key struct {
		time int64
		host string
	}
	rows := make([]result.Minute, len(a.State.Minutes))
	index := make(map[key]int, len(rows))
	for i, m := range a.State.Minutes {
		rows[i] = result.Minute{Time: m.Time, Host: result.Clean(m.Host), Counts: counts(&timeline.Tally{N: m.N}), Causes: make([]int64, len(a.names))}
		index[key{m.Time, m.Host}] = i
	}
	var last key // refusals are sorted by time: the next one mostly has the same key
	var row *result.Minute
	line := a.State.Refusals.Reader()
	for i, r := range a.Refusals.All() {
		if r.Actor == 0 {
			continue // it has no time
		}
		k := key{a.State.Step(line(i).Time), a.State.Endpoints[r.Endpoint].Host}
		if k != last || row == nil {
			n, ok := index[k]
			if !ok {
				continue
			}
			last, row = k, &rows[n]
		}
		row.Causes[a.cause(i, r)]++
	}
	return rows
}

// sessionRows yields the sessions by start.
func (a *assembly) sessionRows() iter.Seq2[*result.Session, error] {
	sites := result.CleanAll(a.Sites)
	return func(yield func(*result.Session, error) bool) {
		var row result.Session
		for s, err := range a.EachSession() {
			if err != nil {
				yield(nil, err)
				return
			}
			row = result.Session{
				Address: a.addresses[s.Client.Address], UserAgent: a.agents[s.Client.Agent], Host: sites[s.Site],
				Start: s.Start * 1000, LastAccepted: microseconds(s.LastAccepted), End: microseconds(s.End),
				Requests: int64(s.Requests), Accepted: int64(s.Accepted), Unauthorized: int64(s.Unauthorized),
				LongestGap: s.LongestGap * 1000, StartSeen: s.StartSeen, Open: s.Open,
			}
			if s.Named {
				row.ID = hex.EncodeToString(s.ID[:])
			}
			if s.User != 0 {
				row.User = a.users[s.User-1]
			}
			switch s.EndRefusal {
			case timeline.NoRefusal:
			case timeline.EarlierEvent:
				row.EndCause = session.SessionEnd.String() // an earlier run reported it
			default:
				row.EndCause = a.names[a.cause(int(s.EndRefusal), a.Refusals.At(int(s.EndRefusal)))]
				row.FindingID = a.findingID(int(s.EndRefusal))
			}
			if !yield(&row, nil) {
				return
			}
		}
	}
}

// microseconds converts a time of package session.
func microseconds(ms int64) int64 {
	if ms == session.LongAgo {
		return parse.NoTime
	}
	return ms * 1000
}
