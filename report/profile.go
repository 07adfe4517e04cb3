package report

import (
	"cmp"
	"slices"

	"logscan/analyze/result"
)

// profiles are the 401s of rows over time: for each row the steps that hold
// some, in order.
type profiles struct {
	endpoints, accounts, clients, agents, upstreams, hosts, findings map[int][]stepCount
}

// stepCount is how many 401s a row has in a step of time.
type stepCount struct{ step, n int }

// maxProfiles rows of a table, those with most 401s, have a profile.
const maxProfiles = 20_000

// shownRows are the rows of a table that are shown, most 401s first, then most
// requests, then in their order.
func shownRows[R any](rows []R, counts func(*R) *result.Counts) []int {
	order := make([]int, 0, len(rows))
	for i := range rows {
		if counts(&rows[i]).Unauthorized > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := counts(&rows[i]), counts(&rows[j])
		return cmp.Or(cmp.Compare(b.Unauthorized, a.Unauthorized), cmp.Compare(b.Requests, a.Requests))
	})
	return order[:min(len(order), maxProfiles)]
}

// ranked says which rows have a profile.
func ranked(order []int) map[int][]stepCount {
	m := make(map[int][]stepCount, len(order))
	for _, i := range order {
		m[i] = nil
	}
	return m
}

// count adds a 401 of a row to its profile, where it has one. Times ascend.
func count(m map[int][]stepCount, row, step int) {
	list, ok := m[row]
	switch {
	case !ok:
	case len(list) > 0 && list[len(list)-1].step == step:
		list[len(list)-1].n++
	default:
		m[row] = append(list, stepCount{step, 1})
	}
}

// follow walks the 401s once and fills in the profiles.
func (p *profiles) follow(res *result.Result, b *bins, agentOf, hostOf []int) {
	if res.Refusals == nil || b == nil {
		return
	}
	for x := range res.Refusals {
		step := b.place(x.Time)
		if step < 0 {
			continue
		}
		count(p.endpoints, x.Endpoint, step)
		count(p.accounts, x.Account, step)
		count(p.clients, x.Client, step)
		count(p.upstreams, x.Upstream, step)
		count(p.findings, x.Finding, step)
		if x.Client >= 0 {
			count(p.agents, agentOf[x.Client], step)
		}
		if x.Endpoint >= 0 {
			count(p.hosts, hostOf[x.Endpoint], step)
		}
	}
}

// sumOf is rows that others sum up to.
type sumOf struct {
	Name string
	result.Counts
}

// summed sums rows by a name they have, and says which sum each row is in.
func summed[R any](rows []R, name func(*R) string, counts func(*R) *result.Counts) (sums []sumOf, of []int) {
	place := map[string]int{}
	of = make([]int, len(rows))
	for i := range rows {
		n := name(&rows[i])
		at, ok := place[n]
		if !ok {
			at = len(sums)
			place[n] = at
			sums = append(sums, sumOf{Name: n})
		}
		of[i] = at
		s, c := &sums[at].Counts, counts(&rows[i])
		s.Requests += c.Requests
		s.Accepted += c.Accepted
		s.Redirected += c.Redirected
		s.Unauthorized += c.Unauthorized
		s.Forbidden += c.Forbidden
		s.NotFound += c.NotFound
		s.ClientErrors += c.ClientErrors
		s.ServerErrors += c.ServerErrors
		s.Other += c.Other
	}
	return sums, of
}
