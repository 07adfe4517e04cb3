package detect

import (
	"cmp"
	"maps"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// A burst is guessing by some clients, each of which tries too seldom to stand out, whatever
// their user agents and whether they load the form before each try. It shows by what comes to
// the sign-in route meanwhile: strangers that fail more often than people do before they give up,
// are a far greater share of those who come than at other times, and whose typical one does so.
//
// Not: people who mistype (a few tries, and most get in), an outage (nobody gets in; where software
// fails with which nobody else signs in at all, that does not matter), applications and devices
// with an old password (they go on, or others sign in with the same software).

const (
	// burstOdds is the least ratio of the odds that a client which comes is a guesser to those at
	// other times that is no mood of the day.
	burstOdds = 4
	// burstCells is the maximum number of parts, with as many clients each, that are compared.
	burstCells = 256
	// burstLoads is the maximum number of accepted requests for each refused one of a guesser: it
	// loads the form before a try, and follows a redirect after it.
	burstLoads = 2
)

// comer is a client at a sign-in route.
type comer struct {
	client      timeline.Client
	first, last int64 // Unix milliseconds: of its failures, or when it signed in
	failed      int   // tries of one that never signed in
	knows       bool  // it had been accepted
}

// compareComers orders clients as they come.
func compareComers(a, b comer) int {
	return cmp.Or(cmp.Compare(a.first, b.first), timeline.CompareClients(a.client, b.client))
}

// burstTry reports whether a refusal is a failed sign-in outside of outages.
func (d *Diagnosis) burstTry(i int, r *session.Refusal) bool {
	return r.SignIn && !r.Renewal && !d.State.Unlisted(r.Client()) && !d.inOutageOf(i, r, anyContrast)
}

// failingComers returns, by sign-in route, the clients that fail there outside of outages, for
// the routes at which enough do so as often as in a burst.
func (d *Diagnosis) failingComers() map[uint32]map[timeline.Client]comer {
	routes := map[uint32]map[timeline.Client]comer{}
	for i, r := range d.eachOpen() {
		if !d.burstTry(i, r) {
			continue
		}
		all := routes[r.Endpoint]
		if all == nil {
			all = map[timeline.Client]comer{}
			routes[r.Endpoint] = all
		}
		c, ok := all[r.Client()]
		if !ok {
			c = comer{client: r.Client(), first: r.Time}
		}
		c.last, c.failed, c.knows = r.Time, c.failed+1, c.knows || r.Known || r.Good
		all[c.client] = c
	}
	maps.DeleteFunc(routes, func(_ uint32, all map[timeline.Client]comer) bool {
		clients, failures := 0, 0
		for _, c := range all {
			if d.persists(&c) {
				clients, failures = clients+1, failures+c.failed
			}
		}
		return clients < crowdNetworks || failures < bruteAll
	})
	return routes
}

// persists reports whether a client does next to nothing but fail, more often than people do,
// and for a short time.
func (d *Diagnosis) persists(c *comer) bool {
	s := d.Clients[c.client]
	return s != nil && !c.knows && c.failed > PersonTries && c.last-c.first <= burstLength && OnlyTries(&s.Tally) && 2*int64(c.failed) > s.Tally.N[timeline.Unauthorized]
}

// OnlyTries reports whether a client that fails does next to nothing else, by its tally.
func OnlyTries(t *timeline.Tally) bool {
	return t.N[timeline.Accepted] <= burstLoads*t.N[timeline.Unauthorized]
}

// signedIn is who signs in, in the whole log.
type signedIn struct {
	first    map[timeline.Client]int64 // when, in Unix milliseconds
	software map[string]bool           // with what
	usual    map[string]bool           // software of a large share of the clients that are accepted
}

// whoSignsIn returns who signs in, as far as the log shows it.
func (d *Diagnosis) whoSignsIn() (*signedIn, error) {
	in := signedIn{first: map[timeline.Client]int64{}, software: map[string]bool{}}
	for s, err := range d.EachSession() {
		if err != nil {
			return nil, err
		}
		if !s.StartSeen {
			continue
		}
		if first, ok := in.first[s.Client]; !ok || s.Start < first {
			in.first[s.Client] = s.Start
		}
		in.software[d.familyOf(s.Client.Agent)] = true
	}
	return &in, nil
}

// familyOf returns the product that a user agent names, or all of it.
func (d *Diagnosis) familyOf(agent uint32) string {
	name := d.State.Agents[agent]
	family, _ := softwareOf(name)
	return cmp.Or(family, name)
}

// tool reports whether a user agent is that of software with which nobody signs in, and that the
// site's people do not have.
func (in *signedIn) tool(d *Diagnosis, agent uint32) bool {
	if isBrowser(d.State.Agents[agent]) || in.software[d.familyOf(agent)] {
		return false
	}
	if in.usual == nil {
		in.usual = map[string]bool{}
		accepted, clients := d.acceptedAgents()
		n := map[string]int{}
		for agent, k := range accepted {
			n[d.familyOf(agent)] += k
		}
		for family, k := range n {
			in.usual[family] = float64(k) >= usualTool*float64(max(clients, 1))
		}
	}
	return !in.usual[d.familyOf(agent)]
}

// guessingBursts returns the bursts at each sign-in route, in the order of the endpoints.
func (d *Diagnosis) guessingBursts(routes map[uint32]map[timeline.Client]comer, in *signedIn) (found []*guessingCrowd) {
	for _, endpoint := range slices.Sorted(maps.Keys(routes)) {
		var all []comer
		for client, at := range in.first {
			all = append(all, comer{client: client, first: at, last: at})
		}
		for client, c := range routes[endpoint] {
			if _, ok := in.first[client]; !ok {
				all = append(all, c)
			}
		}
		slices.SortFunc(all, compareComers)
		found = append(found, d.burstsOf(endpoint, all, in)...)
	}
	if len(found) == 0 {
		return nil
	}
	for i, r := range d.eachOpen() {
		for _, c := range found {
			if _, ok := c.clients[r.Client()]; ok && c.endpoint == r.Endpoint && d.burstTry(i, r) {
				c.fail(d, i, r)
			}
		}
	}
	return slices.DeleteFunc(found, func(c *guessingCrowd) bool { return c.failures < bruteAll || len(c.networks) < crowdNetworks })
}

// burstsOf returns the bursts among the clients that come to a route, without their failures.
func (d *Diagnosis) burstsOf(endpoint uint32, all []comer, in *signedIn) (found []*guessingCrowd) {
	guesses := func(c *comer) bool {
		return c.failed > 0 && d.persists(c) && (isBrowser(d.State.Agents[c.client.Agent]) || in.tool(d, c.client.Agent))
	}
	width := len(all)/burstCells + 1
	cells := make([]stats.Cell, (len(all)+width-1)/width)
	for i := range all {
		cells[i/width].Add(guesses(&all[i]))
	}
	taken := make([]bool, len(cells))
	for _, x := range stats.Excursions(cells) {
		usual := x.Outside.Smoothed()
		low := stats.WilsonLower(x.Inside.Hits, x.Inside.Trials, stats.Z95)
		p := stats.BinomialTail(x.Inside.Hits, x.Inside.Trials, usual) * float64(len(cells)) * float64(len(cells)) / 2
		if x.Inside.Hits < crowdNetworks || x.Outside.Trials-x.Outside.Hits < crowdSignIns || stats.Odds(low) < burstOdds*stats.Odds(usual) || p > attackFalse || slices.Contains(taken[x.From:x.To], true) {
			continue
		}
		c := newGuessingCrowd(endpoint, nil)
		c.burst, c.p = true, p
		came := all[x.From*width : min(x.To*width, len(all))]
		tools := 0
		for i := range came {
			if m := &came[i]; guesses(m) {
				c.clients[m.client] = 0
				if in.tool(d, m.client.Agent) {
					tools++
				}
			}
		}
		c.tools = float64(tools) > crowdBrowsers*float64(len(c.clients))
		if !c.tools && triesAround(all, came[0].first, came[len(came)-1].first) <= PersonTries {
			continue
		}
		for i := x.From; i < x.To; i++ {
			taken[i] = true
		}
		found = append(found, c)
	}
	return found
}

// triesAround returns the median number of failures of the clients that come between two times,
// in Unix milliseconds, or shortly before or after, and never sign in. The burst itself was chosen
// for those that fail most.
func triesAround(all []comer, from, to int64) int {
	var failed []int
	for i := range all {
		if c := &all[i]; c.failed > 0 && c.first >= from-burstLength && c.first <= to+burstLength {
			failed = append(failed, c.failed)
		}
	}
	slices.Sort(failed)
	return failed[(len(failed)-1)/2]
}
