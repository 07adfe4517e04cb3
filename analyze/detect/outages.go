package detect

import (
	"iter"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// closedShare is the refused share of the visits of a key from which on, if hardly
// any are accepted any more, it refuses everybody. Below it, some clients may go on
// without a failure, so that the others are at fault.
const closedShare = 0.9

const (
	// triedNames is the number of accounts that people try at most: their own, and that of a
	// role.
	triedNames = 2
	// oneTool is the share that a single user agent has of the clients of an attack by one
	// program, and usualTool the one that it has at most of the site's own people there.
	oneTool   = 0.9
	usualTool = 0.5
)

// closure is a period in which a key refuses everybody: a run of steps.
type closure struct{ from, to int }

// findOutages returns the outages by place of the key. In an outage, clients whose
// credentials were known to be good are refused as well, so a flood of guesses at a
// route that few others use is none. They are not accepted soon after, as they are when
// all sessions have ended at once.
func (o *contrastObserver) findOutages() map[int32]closure {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.series([]contrastType{siteContrast, pathContrast, routeContrast, backendContrast, serverContrast}, false, closedShare, allRefusals)
	found := map[int32]closure{}
	for place := range s.o.keys {
		cells, excursions := s.excursions(place)
		if len(excursions) == 0 && !o.keys[place].kind.replica() {
			continue
		}
		others := s.others(place)
		for _, x := range excursions {
			c := contrast{place: place, Excursion: x}
			if c.share() >= closedShare && x.Outside.Trials >= contrastOutside && s.collapsed(&c, others) &&
				s.test(&c, cells, x.Outside.Smoothed()) && o.refusesGood(s.claims(&c).each) {
				s.widen(&c)
				for c.To < s.o.steps && s.o.accepted[place][c.To] == 0 {
					c.To++
				}
				found[int32(place)] = closure{c.From, c.To}
				break
			}
		}
		if _, ok := found[int32(place)]; ok || !o.keys[place].kind.replica() {
			continue
		}
		if _, ok := s.closedAlways(place, s.cells(place), others); ok {
			found[int32(place)] = closure{0, o.steps}
		}
	}
	return found
}

// refusesGood reports whether refusals are those of people whose credentials were known to
// be good, and not of programs that guess, some of which got in.
func (o *contrastObserver) refusesGood(refusals iter.Seq[uint32]) bool {
	return goodVoters(o.d, refusals) >= contrastVoters && !o.d.byTools(refusals)
}

// closedAlways returns the contrast of a backend or server that refuses next to everybody
// all the time, though the others accept people on the same routes. As its people are
// never accepted anywhere, each of them looks like somebody who mistypes: they must be
// more, and the difference greater, than people at different places differ.
func (s *contrastSeries) closedAlways(place int, cells, others []stats.Cell) (c contrast, ok bool) {
	if s.refusals[place].n < contrastVoters {
		return c, false
	}
	c = contrast{place: place, Excursion: stats.Excursion{To: s.o.steps}, whole: true}
	var beside stats.Cell
	for i := range cells {
		c.Inside.Merge(cells[i])
		beside.Merge(others[i])
	}
	if c.Inside.Trials == 0 || c.share() < closedShare || beside.Trials-beside.Hits < contrastOutside {
		return c, false
	}
	d := s.o.d
	credentialed := voters(d, func(yield func(uint32) bool) {
		s.refusals[place].each(func(i uint32) bool {
			r := d.Refusals.At(int(i))
			return !r.Named && !r.Session || d.State.Endpoints[r.Endpoint].N[timeline.Accepted] == 0 || yield(i)
		})
	})
	return c, s.test(&c, cells, beside.Smoothed()) && credentialed >= stickyActors && float64(credentialed) >= servedElsewhere*float64(c.voters) &&
		stats.Odds(c.lower) >= stickyOdds*stats.Odds(c.usual) && !d.byTools(s.refusals[place].each)
}

// goodVoters returns the number of distinct users and sessions of refusals whose
// credentials were known to be good.
func goodVoters(d *Diagnosis, refusals iter.Seq[uint32]) int {
	return voters(d, func(yield func(uint32) bool) {
		refusals(func(i uint32) bool { return !d.Refusals.At(int(i)).Good || yield(i) })
	})
}

// byTools reports whether refusals are those of programs that guess, which an outage would
// refuse as well: most clients that fail to sign in try several accounts, or nearly all
// clients have the same user agent, which few of those have that are accepted, and come to
// sign in or are hardly ever accepted. Nothing needs to show that the route is a sign-in:
// where sessions last for weeks, hardly anybody else uses it. A site that accepts nobody at
// all has no strangers.
func (d *Diagnosis) byTools(refusals iter.Seq[uint32]) bool {
	_, accepted := d.acceptedAgents()
	names := map[timeline.Client]map[uint32]bool{}
	clients := map[timeline.Client]bool{} // those that count
	agents := map[uint32]int{}
	for _, r := range d.Refusals.Of(refusals) {
		c := r.Client()
		if counted := clients[c]; !counted {
			if clients[c] = r.SignIn || !r.Known && accepted >= outageActors && d.stranger(c); clients[c] {
				agents[c.Agent]++
			}
		}
		if !r.SignIn {
			continue
		}
		if names[c] == nil {
			names[c] = map[uint32]bool{}
		}
		if r.Named && len(names[c]) <= triedNames {
			names[c][r.User] = true
		}
	}
	several := 0
	for _, users := range names {
		if len(users) > triedNames {
			several++
		}
	}
	switch {
	case 2*several > len(names):
		return true
	case len(clients) < outageActors:
		return false
	}
	return d.ofOneTool(agents, len(clients))
}

// stranger reports whether a client is accepted so seldom that nobody looks at the site with
// it.
func (d *Diagnosis) stranger(c timeline.Client) bool {
	s := d.Clients[c]
	return s != nil && s.Tally.N[timeline.Accepted] < outagePages
}

// ofOneTool reports whether nearly all of some clients have the same user agent, which few
// of those have that are accepted. agents counts the clients by user agent.
func (d *Diagnosis) ofOneTool(agents map[uint32]int, clients int) bool {
	most, tool := 0, uint32(0)
	for agent, n := range agents {
		if n > most || n == most && agent < tool {
			most, tool = n, agent
		}
	}
	return float64(most) >= oneTool*float64(clients) && d.acceptedWith(tool) < usualTool
}

// acceptedWith returns the share of a user agent among the clients that are accepted and
// never refused.
func (d *Diagnosis) acceptedWith(agent uint32) float64 {
	with, all := d.acceptedAgents()
	return float64(with[agent]) / float64(max(all, 1))
}

// inOutage reports whether a refusal is one of an outage, in which a failed try of
// credentials says nothing about them.
func (d *Diagnosis) inOutage(refusal int) bool {
	return d.hasOutages() && d.inOutageOf(refusal, d.Refusals.At(refusal), anyContrast)
}

func (d *Diagnosis) hasOutages() bool { return d.contrast != nil && len(d.contrast.outages) > 0 }

func anyContrast(contrastType) bool { return true }

// inOutageOf is inOutage, for a pass over the refusals, of keys of some types.
func (d *Diagnosis) inOutageOf(i int, r *session.Refusal, is func(contrastType) bool) (in bool) {
	if !d.hasOutages() {
		return false
	}
	at := d.contrast.step(r.Time)
	d.contrast.each(i, r, func(place int32) {
		x, ok := d.contrast.outages[place]
		in = in || ok && at >= x.from && at < x.to && is(d.contrast.keys[place].kind)
	})
	return in
}
