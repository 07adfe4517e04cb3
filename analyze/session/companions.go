package session

import (
	"cmp"
	"slices"

	"logscan/analyze/timeline"
)

// maxCompanions is the maximum number of user agents at an address that may share one
// session or token: a person's browser that shows a second user agent, an app and its
// background process. More are several people behind one address.
const maxCompanions = 3

// comeback is a sign-in of a client after which it was accepted where it had been
// refused.
type comeback struct {
	client timeline.Client
	time   int64
}

// companions holds the comebacks of clients without session ids at addresses with a few
// of them, by address in order of time.
type companions map[uint32][]comeback

func newCompanions(all []comeback) companions {
	slices.SortFunc(all, func(a, b comeback) int {
		return cmp.Or(cmp.Compare(a.client.Address, b.client.Address), cmp.Compare(a.time, b.time), cmp.Compare(a.client.Agent, b.client.Agent))
	})
	by := companions{}
	for len(all) > 0 {
		address, n := all[0].client.Address, 1
		agents := []uint32{all[0].client.Agent}
		for ; n < len(all) && all[n].client.Address == address; n++ {
			if agent := all[n].client.Agent; len(agents) <= maxCompanions && !slices.Contains(agents, agent) {
				agents = append(agents, agent)
			}
		}
		if len(agents) > 1 && len(agents) <= maxCompanions {
			by[address] = all[:n:n]
		}
		all = all[n:]
	}
	return by
}

// companionsAt looks up companions at one address after the other: an actor mostly stays
// at one.
type companionsAt struct {
	companions
	address uint32
	list    []comeback // at the address
	known   bool       // list is set
}

// renewed reports whether another client at the same address signed in after a time and
// up to another: the session may be the one that it began.
func (c *companionsAt) renewed(client timeline.Client, after, until int64) bool {
	if !c.known || c.address != client.Address {
		c.address, c.list, c.known = client.Address, c.companions[client.Address], true
	}
	list := c.list
	if len(list) == 0 {
		return false
	}
	i, _ := slices.BinarySearchFunc(list, after+1, func(x comeback, at int64) int { return cmp.Compare(x.time, at) })
	return i < len(list) && list[i].time <= until && list[i].client.Agent != client.Agent
}
