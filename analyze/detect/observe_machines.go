package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

const (
	// machineRefused is the minimum number of refusals of a client that was accepted
	// before and is followed.
	machineRefused = 4
	// machineRoutes is the maximum number of routes that a program of any name requests: a
	// client with more may be a person's browser or app.
	machineRoutes = 8
	// maxMachines bounds the clients that are followed: those with most refusals.
	maxMachines = 10_000
)

// answer is the outcome of a request by a program.
type answer struct {
	time     int64  // Unix milliseconds
	refusal  uint32 // index of the refusal, timeline.NoRefusal when accepted
	endpoint uint32
}

func (a *answer) refused() bool { return a.refusal != timeline.NoRefusal }

// machine is a client in the name of one user, with the outcomes of its requests to
// the routes that refused it.
type machine struct {
	client    timeline.Client
	user      uint32   // plus one, 0 none
	answers   []answer // by time
	addresses int      // of a sender, see senders; otherwise 0
	wide      bool     // it requests more than machineRoutes: its pace or its name must show a program
	moved     bool     // it came from another address, see movedMachines
	from      uint32   // that address
}

// add adds an answer. Acceptances between two that are at most tryGap apart are left out: all
// are of one round.
func (m *machine) add(a answer) {
	last := len(m.answers) - 1
	if last > 0 && !a.refused() && !m.answers[last].refused() && !m.answers[last-1].refused() && a.time-m.answers[last-1].time <= tryGap {
		m.answers[last] = a
		return
	}
	m.answers = append(m.answers, a)
}

// machineObserver collects the outcomes of clients without sessions that were
// accepted and then refused. It visits their actors only; a request takes constant time.
type machineObserver struct {
	d        *Diagnosis
	follow   map[timeline.Client]map[uint32]bool   // the routes that refused each client
	actors   actorSet                              // of these clients
	fleets   map[uint32]int                        // by agent of these clients: how many clients were accepted as often as a machine is
	refused  map[timeline.Client]int               // open refusals
	named    map[timeline.Client]int               // of them: that name a user
	vain     map[timeline.Client]int               // refused tries to sign in of clients that had been accepted, see triesInVain
	machines []machine                             // by client, user
	earlier  map[timeline.Client][]timeline.Client // see predecessors
	moving   map[timeline.Client]bool              // the clients in earlier
	movers   map[timeline.Client][]machine         // theirs, which are not in machines
	parts    []*machinePart
}

// inSessions reports whether a client is a program that is accepted in sessions, too: the log may
// have no id where it is refused.
func (o *machineObserver) inSessions(c timeline.Client) bool {
	return o.follow[c] != nil && o.d.Clients[c].Sessions > 0 && !isBrowser(o.d.State.Agents[c.Agent])
}

// observeMachines returns an observer of the clients that were refused repeatedly
// and also accepted, nil if there are none.
func observeMachines(d *Diagnosis) observer {
	refused, vain, named := map[timeline.Client]int{}, map[timeline.Client]int{}, map[timeline.Client]int{}
	for _, r := range d.eachOpen() {
		if c := r.Client(); !r.Session && !d.State.Unlisted(c) {
			refused[c]++
			if r.Named {
				named[c]++
			}
			if r.SignIn && r.Known {
				vain[c]++
			}
		}
	}
	list := d.mostRefused(refused, func(t *timeline.Tally) bool { return t.N[timeline.Accepted] >= machineAccepted })
	earlier := d.predecessors(refused)
	if len(list) == 0 && len(earlier) == 0 {
		return nil
	}
	o := &machineObserver{d: d, follow: map[timeline.Client]map[uint32]bool{}, fleets: map[uint32]int{}, vain: vain, refused: refused, named: named, earlier: earlier}
	for client := range earlier {
		o.follow[client] = map[uint32]bool{}
	}
	for _, client := range list {
		o.follow[client] = map[uint32]bool{}
		o.fleets[client.Agent] = 0
	}
	for client, stats := range d.Clients {
		if _, ok := o.fleets[client.Agent]; ok && stats.Tally.N[timeline.Accepted] >= machineAccepted {
			o.fleets[client.Agent]++
		}
	}
	for _, r := range d.eachOpen() {
		if r.Session {
			continue
		}
		if routes := o.follow[r.Client()]; routes != nil {
			routes[r.Endpoint] = true
			o.actors.add(r.Actor)
		}
	}
	o.followEarlier()
	return o
}

// mostRefused returns the clients that were refused often enough, and whose requests are such as
// wanted, those with most refusals first; at most maxMachines.
func (d *Diagnosis) mostRefused(refused map[timeline.Client]int, wanted func(*timeline.Tally) bool) (list []timeline.Client) {
	for client, n := range refused {
		if n >= machineRefused && wanted(&d.Clients[client].Tally) {
			list = append(list, client)
		}
	}
	slices.SortFunc(list, func(a, b timeline.Client) int {
		return cmp.Or(cmp.Compare(refused[b], refused[a]), timeline.CompareClients(a, b))
	})
	return list[:min(len(list), maxMachines)]
}

// triesInVain reports whether a client goes on with its work though it is refused, and tries to
// sign in again and again in between. An app that does nothing but sign in may have been left
// by its user.
func (o *machineObserver) triesInVain(c timeline.Client) bool {
	return o.vain[c] >= persistentRounds && o.refused[c] >= 2*o.vain[c]
}

// bringsName reports whether a program sends its credentials with each request, so that nothing
// but them is refused, whatever the routes: calendars and files have one each.
func (o *machineObserver) bringsName(c timeline.Client) bool {
	return o.named[c] == o.refused[c] && !isBrowser(o.d.State.Agents[c.Agent])
}

func (o *machineObserver) wants(id uint32, w timeline.ActorSummary) bool {
	return o.actors.has(id) || w.Only && o.moving[w.Client] || o.d.State.Sessions && w.Only && o.inSessions(w.Client)
}

func (o *machineObserver) part() func(*timeline.Actor, uint32) {
	p := &machinePart{machineObserver: o}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *machineObserver) gather() {
	for _, p := range o.parts {
		o.machines = append(o.machines, p.machines...)
	}
	// A client is one actor, so no machine is in two parts. One with a great many requests
	// is in one part several times, in order of time.
	slices.SortStableFunc(o.machines, func(a, b machine) int {
		return cmp.Or(timeline.CompareClients(a.client, b.client), cmp.Compare(a.user, b.user))
	})
	o.separate()
	o.addSessions()
	o.parts = nil
}

// addSessions adds what clients were answered in their sessions, where all that is refused names
// nobody. The machine is that of their user, if there is one.
func (o *machineObserver) addSessions() {
	type merged struct {
		answers []answer
		user    uint32
		several bool // users
	}
	clients := map[timeline.Client]*merged{}
	for _, p := range o.parts {
		for _, m := range p.sessions {
			x := clients[m.client]
			if x == nil {
				x = &merged{user: m.user}
				clients[m.client] = x
			}
			x.answers = append(x.answers, m.answers...)
			x.several = x.several || x.user != m.user
		}
	}
	for i := range o.machines {
		m := &o.machines[i]
		x := clients[m.client]
		if x == nil || m.user != 0 {
			continue
		}
		all := slices.Concat(m.answers, x.answers)
		slices.SortFunc(all, compareAnswers)
		m.answers = nil
		for _, a := range all {
			m.add(a)
		}
		if !x.several {
			m.user = x.user
		}
	}
}

// compareAnswers orders answers by time.
func compareAnswers(a, b answer) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.refusal, b.refusal))
}

// machinePart is the part of one goroutine.
type machinePart struct {
	*machineObserver // read only
	machines         []machine
	sessions         []machine // what clients were answered in one session
}

// session records the acceptances of a session of one client.
func (p *machinePart) session(a *timeline.Actor) {
	client := a.Events[0].Client
	if !p.inSessions(client) {
		return
	}
	m := machine{client: client}
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 {
			m.user = e.User
		}
		if e.Outcome == timeline.Accepted && p.follow[client][e.Endpoint] && e.Client == client {
			m.add(answer{e.Time, timeline.NoRefusal, e.Endpoint})
		}
	}
	if len(m.answers) > 0 {
		p.sessions = append(p.sessions, m)
	}
}

// actor records the outcomes of a client without a session, by the user that it
// named last.
func (p *machinePart) actor(a *timeline.Actor, _ uint32) {
	if len(a.Events) == 0 {
		return
	}
	if a.Session != nil {
		p.session(a)
		return
	}
	client := a.Events[0].Client
	routes := p.follow[client]
	if routes == nil {
		return
	}
	asked, wide := map[uint32]bool{}, false
	by := map[uint32]*machine{}
	user := uint32(0)
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 {
			user = e.User
		}
		if !wide && (e.Outcome == timeline.Accepted || e.Outcome == timeline.Unauthorized) {
			asked[e.Endpoint] = true
			if wide = len(asked) > machineRoutes; wide && isBrowser(p.d.State.Agents[client.Agent]) && !p.triesInVain(client) {
				return
			}
		}
		switch {
		case !routes[e.Endpoint]:
			continue
		case e.Refusal != timeline.NoRefusal:
			if p.d.Refusals.At(int(e.Refusal)).Cause == session.Challenge {
				continue
			}
		case e.Outcome != timeline.Accepted:
			continue
		}
		m := by[user]
		if m == nil {
			m = &machine{client: client, user: user}
			by[user] = m
		}
		m.add(answer{e.Time, e.Refusal, e.Endpoint})
	}
	// The first request of a handshake comes before the name is known.
	if none := by[0]; none != nil && len(by) == 2 {
		delete(by, 0)
		for _, m := range by {
			m.answers = append(none.answers, m.answers...)
		}
	}
	for _, m := range by {
		m.wide = wide
		p.machines = append(p.machines, *m)
	}
}
