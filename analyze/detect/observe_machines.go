package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

const (
	// machineRefused 401s of a client that was accepted are worth a look.
	machineRefused = 4
	// machineRoutes is how many routes a program asks at most; who asks more is
	// a person's browser or app.
	machineRoutes = 8
	// maxMachines bounds the clients that are followed: those with most 401s.
	maxMachines = 10_000
)

// answer is what came of a request of a program.
type answer struct {
	time     int64  // Unix milliseconds
	fact     uint32 // index of the fact, or timeline.NoRefusal when it was accepted
	endpoint uint32
}

// machine is a client in the name of one user, and how it fared on the routes
// that refused it.
type machine struct {
	client  timeline.Client
	user    uint32   // plus one, 0 none
	answers []answer // by time
}

// machineObserver collects how clients without sessions fared that were accepted
// and then refused.
type machineObserver struct {
	*Diagnosis
	follow   map[timeline.Client]map[uint32]bool // routes that refused them
	actors   map[uint32]bool                     // whose they are
	machines []machine                           // by client, user
	parts    []*machinePart
}

// observeMachines follows the clients that were refused again and again after
// they had been accepted.
func observeMachines(c *Diagnosis) observer {
	refused := map[timeline.Client]int{}
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) && !f.Session {
			refused[timeline.Client{Address: f.Address, Agent: f.Agent}]++
		}
	}
	type many struct {
		client timeline.Client
		n      int
	}
	var list []many
	for client, n := range refused {
		if n >= machineRefused && c.Clients[client].Tally.N[timeline.Accepted] >= machineAccepted {
			list = append(list, many{client, n})
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(a, b many) int { return cmp.Or(cmp.Compare(b.n, a.n), timeline.CompareClients(a.client, b.client)) })
	o := &machineObserver{Diagnosis: c, follow: map[timeline.Client]map[uint32]bool{}, actors: map[uint32]bool{}}
	for _, m := range list[:min(len(list), maxMachines)] {
		o.follow[m.client] = map[uint32]bool{}
	}
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if !c.open(i) || f.Session {
			continue
		}
		if routes := o.follow[timeline.Client{Address: f.Address, Agent: f.Agent}]; routes != nil {
			routes[f.Endpoint] = true
			o.actors[f.Actor] = true
		}
	}
	return o
}

func (o *machineObserver) wants(id uint32, _ timeline.ActorSummary) bool { return o.actors[id] }

func (o *machineObserver) part() func(*timeline.Actor, uint32) {
	p := &machinePart{machineObserver: o}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *machineObserver) gather() {
	for _, p := range o.parts {
		o.machines = append(o.machines, p.machines...)
	}
	// A client is one actor, so no machine is in two parts.
	slices.SortFunc(o.machines, func(a, b machine) int {
		return cmp.Or(timeline.CompareClients(a.client, b.client), cmp.Compare(a.user, b.user))
	})
	o.parts = nil
}

// machinePart is one goroutine's part.
type machinePart struct {
	*machineObserver // read only
	machines         []machine
}

// actor notes how a client without a session fared, by the user whose name it
// gave last.
func (p *machinePart) actor(a *timeline.Actor, _ uint32) {
	if a.Session != nil || len(a.Events) == 0 {
		return
	}
	client := a.Events[0].Client
	routes := p.follow[client]
	if routes == nil {
		return
	}
	asked := map[uint32]bool{}
	by := map[uint32]*machine{}
	user := uint32(0)
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 {
			user = e.User
		}
		if e.Outcome == timeline.Accepted || e.Outcome == timeline.Unauthorized {
			if asked[e.Endpoint] = true; len(asked) > machineRoutes {
				return
			}
		}
		x := answer{e.Time, e.Refusal, e.Endpoint}
		switch {
		case !routes[e.Endpoint]:
			continue
		case e.Refusal != timeline.NoRefusal:
			if p.Refusals[e.Refusal].Cause == session.Challenge {
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
		m.answers = append(m.answers, x)
	}
	// The first leg of a handshake comes before the name is known.
	if none := by[0]; none != nil && len(by) == 2 {
		delete(by, 0)
		for _, m := range by {
			m.answers = append(none.answers, m.answers...)
		}
	}
	for _, m := range by {
		p.machines = append(p.machines, *m)
	}
}
