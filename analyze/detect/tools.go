package detect

import (
	"cmp"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
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

// personTries is the number of tries of a person who mistypes, at most: one to four.
const personTries = 4

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
func (d *Diagnosis) toolsOf(fits func(int) bool) map[tool]*toolUse {
	all := map[tool]*toolUse{}
	each := func(add func(of tool, r *session.Refusal)) {
		for i := range d.Refusals.Len() {
			if fits(i) {
				r := d.Refusals.At(i)
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
	tools := d.toolsOf(func(i int) bool { return d.submits(i) })
	if len(tools) == 0 {
		return
	}
	all := map[tool]int64{} // their refusals, those of clients that got in as well
	for i := range d.Refusals.Len() {
		r := d.Refusals.At(i)
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

// toolTries yields the tries of each tool, in the order of user agents and routes, at
// which it made most of the failures. Together they may be many.
func (o *guessObserver) toolTries(yield func([]try) bool) {
	for _, t := range slices.SortedFunc(maps.Keys(o.tools), func(a, b tool) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.endpoint, b.endpoint))
	}) {
		places := map[int32]bool{}
		for address := range o.tools[t].addresses {
			if place := o.address[address] - 1; place >= 0 {
				places[place] = true
			}
		}
		var list []try
		for _, place := range slices.Sorted(maps.Keys(places)) {
			for _, x := range o.tries[place] {
				if x.agent == t.agent && x.endpoint == t.endpoint && !(x.failed() && !o.d.open(int(x.refusal))) && !o.atHome(x.user, x.address, x.time) {
					list = append(list, x)
				}
			}
		}
		slices.SortFunc(list, compareTries)
		if !yield(list) {
			return
		}
	}
}

// alone reports whether an attack made most of the failures at its routes in its time: in an
// outage, all software fails.
func (o *guessObserver) alone(a *attack) bool {
	routes, agents := map[uint32]bool{}, map[uint32]bool{}
	for i := range a.failures {
		routes[a.failures[i].endpoint], agents[a.failures[i].agent] = true, true
	}
	others := 0
	for i := range o.d.Refusals.Len() {
		r := o.d.Refusals.At(i)
		if routes[r.Endpoint] && !agents[r.Agent] && r.Time >= a.start && r.Time <= a.end && o.failing.Has(i) {
			others++
		}
	}
	return float64(others) <= (1-mainShare)*float64(others+len(a.failures))
}

// toolAttacks returns the attacks by one tool from many addresses that run finds.
func (o *guessObserver) toolAttacks(run func(list []try) (attack, bool)) (found []attack) {
	for list := range o.toolTries {
		if a, ok := run(list); ok && a.p*float64(len(o.tools)) <= attackFalse && addressesOf(a.failures) >= stuffAddresses && o.alone(&a) {
			found = append(found, a)
		}
	}
	return found
}

// namelessRun finds the run of failures of a tool whose lines name no accounts.
func (o *guessObserver) namelessRun(list []try) (attack, bool) {
	if slices.ContainsFunc(list, func(t try) bool { return t.user != 0 }) {
		return attack{}, false
	}
	from, to, sum := failingRun(list)
	failures := failuresOf(list[from:to], func(*try) bool { return true })
	a := newAttack(everywhere, failures, stats.SegmentTail(sum, len(list)))
	if len(failures) < bruteAll || float64(len(failures)) < bruteShare*float64(to-from) {
		return a, false
	}
	tries := map[uint32]int{}
	for i := range failures {
		tries[failures[i].address]++
	}
	counts := slices.Sorted(maps.Values(tries))
	if counts[len(counts)/2] <= personTries {
		return a, false
	}
	for i := from; i < to; i++ {
		if t := &list[i]; !t.failed() && !o.owner(t, a.start) {
			a.successes = append(a.successes, *t)
		}
	}
	return a, true
}

// toolSubject returns the subject of an attack from many addresses, which are those of a
// site's host.
func (d *Diagnosis) toolSubject(a *attack) result.Subject {
	return result.Subject{Type: "site", Host: result.Clean(d.State.Endpoints[a.failures[0].endpoint].Host)}
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
