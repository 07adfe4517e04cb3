package detect

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// An attack from many addresses with a few tries from each shows by its software: nearly
// all that fails at a sign-in meanwhile has one user agent, which few of those have that
// the site accepts. So it shows where no line names the accounts, too.
//
// Not: people who mistype (most of them are accepted in the end), an outage (everybody
// fails, whatever the software), a version that cannot sign in any more (people try a few
// times; without names, the typical address must try more often than they do).

// PersonTries is the number of tries of a person who mistypes, at most: one to four.
const PersonTries = 4

// tool is software at a route.
type tool struct{ agent, endpoint uint32 }

// toolUse is the refusals of software at a route.
type toolUse struct {
	n         int
	addresses map[uint32]bool
}

// toolsOf returns the software that was refused at a route submittedOften times or more, from
// stuffAddresses addresses or more, counting the refusals that fit, unless most that are
// accepted at the site use it.
func (d *Diagnosis) toolsOf(fits func(int, *session.Refusal) bool) map[tool]*toolUse {
	all := map[tool]*toolUse{}
	each := func(add func(of tool, r *session.Refusal)) {
		for i, r := range d.Refusals.All() {
			if fits(i, r) {
				add(tool{r.Agent, r.Endpoint}, r)
			}
		}
	}
	each(func(of tool, _ *session.Refusal) {
		if all[of] == nil {
			all[of] = &toolUse{}
		}
		all[of].n++
	})
	maps.DeleteFunc(all, func(_ tool, u *toolUse) bool { return u.n < submittedOften })
	each(func(of tool, r *session.Refusal) {
		if u := all[of]; u != nil {
			if u.addresses == nil {
				u.addresses = map[uint32]bool{}
			}
			u.addresses[r.Address] = true
		}
	})
	maps.DeleteFunc(all, func(_ tool, u *toolUse) bool { return len(u.addresses) < stuffAddresses })
	if len(all) == 0 {
		return nil
	}
	accepted, clients := d.acceptedAgents()
	maps.DeleteFunc(all, func(t tool, _ *toolUse) bool { return float64(accepted[t.agent]) >= usualTool*float64(max(clients, 1)) })
	return all
}

// addTools adds the routes that are not known to sign in, but at which many addresses with
// one user agent submit again and again and are refused.
func (d *Diagnosis) addTools(found submissions) {
	tools := d.toolsOf(d.submits)
	if len(tools) == 0 {
		return
	}
	all := map[tool]int64{} // their refusals, those of clients that got in as well
	for _, r := range d.Refusals.All() {
		if t := (tool{r.Agent, r.Endpoint}); tools[t] != nil {
			all[t]++
		}
	}
	for t, u := range tools {
		if d.takesForms(t.endpoint, all[t], d.Endpoints[t.endpoint].Actors) {
			for address := range u.addresses {
				found[submission{address, t.endpoint}] = true
			}
		}
	}
}

// toolTries returns the tries of each tool, grouped in the order of user agents and routes,
// from the origins at which it failed, and how many they are.
func (o *guessObserver) toolTries() (*spill.Sorter[groupedTry], []int, error) {
	number := map[tool]uint32{}
	for n, t := range slices.SortedFunc(maps.Keys(o.tools), func(a, b tool) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.endpoint, b.endpoint))
	}) {
		number[t] = uint32(n)
	}
	tries, sizes := o.d.newTries(1), make([]int, len(number))
	var failed error
	fails := map[tool]bool{}
	err := o.eachOrigin(func(_ int, list []try) {
		clear(fails)
		for i := range list {
			if x := &list[i]; x.failed() {
				fails[tool{x.agent, x.endpoint}] = true
			}
		}
		for i := range list {
			x := &list[i]
			t := tool{x.agent, x.endpoint}
			if n, ok := number[t]; ok && fails[t] && !(x.failed() && !o.d.open(int(x.refusal))) && !o.atHome(x.user, x.address, x.time) {
				sizes[n]++
				failed = cmp.Or(failed, tries.Add(groupedTry{n, *x}))
			}
		}
	})
	return tries, sizes, cmp.Or(err, failed)
}

// alone reports whether an attack made most of the failures at its routes in its time: in an
// outage, all software fails.
func (o *guessObserver) alone(a *attack) bool {
	routes, agents := a.detail.endpoints, a.detail.agents
	others := 0
	for _, r := range o.d.Refusals.Those(o.failing.Has) {
		if routes[r.Endpoint] > 0 && agents[r.Agent] == 0 && r.Time >= a.start && r.Time <= a.end {
			others++
		}
	}
	return float64(others) <= (1-mainShare)*float64(others+a.failures)
}

// toolAttacks returns the attacks by one tool from many addresses that run finds.
func (o *guessObserver) toolAttacks(run func(list []try) (attack, bool)) (found []attack, err error) {
	if len(o.tools) == 0 {
		return nil, nil
	}
	tries, sizes, err := o.toolTries()
	defer func() { err = errors.Join(err, tries.Drop()) }()
	if err != nil {
		return nil, err
	}
	err = eachGroup(tries, func(group uint32) int { return sizes[group] }, func(_ int, list []try) {
		if a, ok := run(list); ok && a.p*float64(len(o.tools)) <= attackFalse && len(a.detail.addresses) >= stuffAddresses && o.alone(&a) {
			a.settle(o.d)
			found = append(found, a)
		}
	})
	return found, err
}

// namelessRun finds the run of failures of a tool whose lines name no accounts.
func (o *guessObserver) namelessRun(list []try) (attack, bool) {
	if slices.ContainsFunc(list, func(t try) bool { return t.user != 0 }) {
		return attack{}, false
	}
	list = o.d.withoutPeople(list)
	from, to, sum := failingRun(list)
	a := newAttack(everywhere, stats.SegmentTail(sum, len(list)))
	for i := from; i < to; i++ {
		if list[i].failed() {
			a.add(o.d, &list[i])
		}
	}
	if a.failures < bruteAll || float64(a.failures) < bruteShare*float64(to-from) {
		return a, false
	}
	counts := slices.Sorted(maps.Values(a.detail.addresses))
	if counts[len(counts)/2] <= PersonTries {
		return a, false
	}
	for i := from; i < to; i++ {
		if t := &list[i]; !t.failed() && !o.owner(t, a.start) {
			a.successes = append(a.successes, *t)
		}
	}
	return a, true
}

// withoutPeople returns the tries of one user agent without those of people who have it, too: of
// browsers that loaded a page first, and failed no more often than a person. One who got in after
// a typing error has not guessed.
func (d *Diagnosis) withoutPeople(list []try) []try {
	type client struct {
		first  int64
		failed int
	}
	byAddress := map[uint32]client{}
	for i := range list {
		t := &list[i]
		c, ok := byAddress[t.address]
		if !ok || t.time < c.first {
			c.first = t.time
		}
		if t.failed() {
			c.failed++
		}
		byAddress[t.address] = c
	}
	return slices.DeleteFunc(slices.Clone(list), func(t try) bool {
		c := byAddress[t.address]
		return c.failed <= PersonTries && isBrowser(d.State.Agents[t.agent]) && d.loadedBefore(timeline.Client{Address: t.address, Agent: t.agent}, c.first)
	})
}

// toolSubject returns the subject of an attack from many addresses, which are those of a
// site's host.
func (d *Diagnosis) toolSubject(a *attack) result.Subject {
	return result.Subject{Type: "site", Host: result.Clean(d.State.Endpoints[a.route].Host)}
}

// acceptedAgents returns by user agent how many of the clients have it that are accepted
// and never refused, and how many these are.
func (d *Diagnosis) acceptedAgents() (with map[uint32]int, all int) {
	d.acceptedOnce.Do(func() {
		d.acceptedBy = map[uint32]int{}
		for client, s := range d.Clients {
			if s.Tally.N[timeline.Accepted] > 0 && s.Tally.N[timeline.Unauthorized] == 0 {
				d.acceptedAll++
				d.acceptedBy[client.Agent]++
			}
		}
	})
	return d.acceptedBy, d.acceptedAll
}
