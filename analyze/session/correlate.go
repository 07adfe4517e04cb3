package session

import (
	"context"
	"slices"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// Correlate walks over the timelines of all actors, in parallel over the shards,
// and returns what they show. Sums are counts, minima and maxima, and lists are
// sorted, so the order of the walk leaves no trace in the result. m bounds the
// memory of lists that grow with sessions and clients. c is the state of earlier
// runs, nil for none; with it the evidence can be saved for the next run.
func Correlate(ctx context.Context, s *timeline.State, workers int, m spill.Memory, c *Carryover) (*Evidence, error) {
	ev := &Evidence{
		State:     s,
		Workers:   workers,
		memory:    m,
		Endpoints: make([]EndpointStats, len(s.Endpoints)),
		Protected: make([]bool, len(s.Endpoints)),
		Roles:     make([]Role, len(s.Endpoints)),
		Lifetimes: map[string]*Lifetimes{},
	}
	for i := range s.Endpoints {
		ev.Roles[i] = roleOf(&s.Endpoints[i], Role(s.Endpoints[i].Known.Learnt)&learnable)
	}
	ev.setWindow()
	if c != nil {
		ev.saver = newSaver(ev, c)
	}
	ev.listSites()
	if err := ev.learn(ctx); err != nil {
		return nil, err
	}
	if err := ev.learnBirths(ctx); err != nil {
		return nil, err
	}
	ev.openForms()
	ev.openNameless()
	if err := ev.learnProtected(ctx); err != nil {
		return nil, err
	}
	for i, r := range ev.Roles {
		ev.Protected[i] = r&Guards != 0
	}
	ev.findDoors()
	ev.passwords = ev.asksForPasswords()
	followed := ev.followedSites()
	sessionizers := make([]*sessionizer, workers)
	refusals, err := ev.makeDrawers()
	if err != nil {
		return nil, err
	}
	for i := range sessionizers {
		sessionizers[i] = newSessionizer(ev, followed)
		sessionizers[i].drawers = &refusals[i]
	}
	err = ev.Visit(ctx, nil, func(worker int, id uint32, a *timeline.Actor) { sessionizers[worker].actor(a, id) })
	if err != nil {
		return nil, err
	}
	challenges, err := ev.gather(sessionizers)
	if err != nil {
		return nil, err
	}
	risen, err := ev.risenChallenges(ctx, sessionizers)
	if err != nil {
		return nil, err
	}
	risen.Merge(ev.chanceChallenges(sessionizers))
	return ev, ev.setRefusals(refusals, challenges, risen)
}

// setWindow sets From, To and Width: the time that holds all but 0.01% of the
// requests at either end, so that a few absurd dates do not stretch it.
func (ev *Evidence) setWindow() {
	minutes := ev.State.Minutes
	trim := ev.Requests() / 10_000
	edge := func(at func(i int) *timeline.Minute) int64 {
		seen := int64(0)
		for i := range minutes {
			if seen += requests(at(i)); seen > trim {
				return at(i).Time / 1000
			}
		}
		return 0
	}
	ev.From = edge(func(i int) *timeline.Minute { return &minutes[i] })
	ev.To = edge(func(i int) *timeline.Minute { return &minutes[len(minutes)-1-i] }) + ev.State.Grain/1000
	ev.Width = max(1000, (ev.To-ev.From)/MaxSteps+1)
}

// Requests returns the number of requests of the run.
func (ev *Evidence) Requests() (n int64) {
	for i := range ev.State.Minutes {
		n += requests(&ev.State.Minutes[i])
	}
	return n
}

func requests(m *timeline.Minute) (n int64) {
	for _, k := range m.N {
		n += k
	}
	return n
}

// listSites numbers the virtual hosts. Endpoints are sorted by host.
func (ev *Evidence) listSites() {
	endpoints := ev.State.Endpoints
	ev.siteOf = make([]uint32, len(endpoints))
	for i := range endpoints {
		if i == 0 || endpoints[i].Host != endpoints[i-1].Host {
			ev.Sites = append(ev.Sites, endpoints[i].Host)
		}
		ev.siteOf[i] = uint32(len(ev.Sites)) - 1
	}
}

// followedSites reports, by site, whether session lifetimes are kept: those of the
// maxHosts hosts with most refusals.
func (ev *Evidence) followedSites() []bool {
	refused := make([]int64, len(ev.Sites))
	sites := make([]int, len(ev.Sites))
	for i := range ev.State.Endpoints {
		refused[ev.siteOf[i]] += ev.State.Endpoints[i].N[timeline.Unauthorized]
	}
	for i := range sites {
		sites[i] = i
	}
	slices.SortStableFunc(sites, func(a, b int) int { return int(refused[b] - refused[a]) })
	followed := make([]bool, len(sites))
	for _, site := range sites[:min(len(sites), maxHosts)] {
		followed[site] = refused[site] >= minFollowed
	}
	return followed
}
