// Package session derives sessions from timelines.
//
// Input: a timeline.State. Output: Evidence, which describes each refusal (a request
// answered 401) by the other requests of its actor, how long sessions lasted, and
// what routes, clients and users did. Package detect decides what it means.
// Carryover takes sessions from one run to the next.
package session

import (
	"context"
	"iter"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/spill"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// Times are Unix milliseconds unless their names say otherwise.
const (
	// Never is later, LongAgo earlier than any time of a log.
	Never   = int64(1) << 62
	LongAgo = -Never
)

const (
	// Nearby is the time in milliseconds before and after a refusal within which
	// acceptances elsewhere show that the session was alive: a few page views.
	Nearby = 10 * 60_000
	// RedirectWindow is the time in milliseconds within which a client follows a
	// redirect, in logs of whole seconds and with slow responses.
	RedirectWindow = 2500
	// MaxSteps is the number of steps that Evidence divides its time into.
	MaxSteps = 2048
	// maxHosts is the maximum number of hosts whose session lifetimes are kept, and
	// minFollowed their minimum number of refusals.
	maxHosts    = 64
	minFollowed = 5
)

// Evidence is the output of the session stage, and read-only afterwards.
type Evidence struct {
	State    *timeline.State
	Workers  int                   // how many goroutines Visit, Parallel and InParts use
	Refusals *spill.Table[Refusal] // by index of State.Refusals

	// By endpoint, as in State.Endpoints.
	Endpoints []EndpointStats
	Protected []bool // see protects
	Roles     []Role

	Lifetimes     map[string]*Lifetimes // by virtual host; hosts with few refusals are missing
	Sites         []string              // virtual hosts, sorted
	ends          []certainty           // by site: whether refusals end sessions there; see stickyShare
	forms         []uint32              // by endpoint, plus one; see Form
	companions    companions
	bare          map[timeline.Client]bool // in logs with sessions: clients that met many refusals without one
	sticky, loose []int64                  // by endpoint: pairs of refusals in this run; see stickyShare
	siteOf        []uint32                 // by endpoint: index into Sites
	doors         doors
	passwords     bool // see asksForPasswords

	Clients map[timeline.Client]*ClientStats
	Links   []*spill.Sorter[ClientLink] // the users that clients named; nil after DropTimelines
	// ChallengedInUse holds of each client without a session id that was challenged in use its
	// requests in use; the hits are challenges. See uses.
	ChallengedInUse map[timeline.Client]stats.Cell
	UserClients     []int64 // by user: distinct clients that named it
	Actors          int64   // actors that were accepted on a protected route

	// From and To bound the time that holds nearly all requests; Width is that of
	// a step of it, in milliseconds.
	From, To, Width int64

	sessions []*spill.Sorter[Record]
	saver    *saver // collects what the next run needs; nil if there is no state to save
	memory   spill.Memory
}

// Refusal is what its actor's timeline shows of a 401.
type Refusal struct {
	Time     int64
	Actor    uint32 // id as in Visit; 0 for a 401 without a time, of which only Cause is known
	Endpoint uint32 // index into State.Endpoints
	User     uint32 // named on the line or by the session before, index plus one; 0 for none
	Address  uint32 // index into State.Addresses
	Agent    uint32 // index into State.Agents
	Redirect uint32 // endpoint that redirected the actor just before, index plus one; 0 for none. See Follows
	Upstream uint16 // index into State.Upstreams plus one; 0 for none
	Scheme   timeline.Scheme
	Cause    Cause // the one it shows by itself
	Door     uint8 // of a Dead one: the door at which its session began; see doors
	Visit    Visit // that it is the first refusal of
	Moved    bool  // its address is not that of the session's last acceptance
	Named    bool  // the line itself names the user
	Session  bool  // the line carries a session id
	Shared   bool  // its actor is a client of several people: Gap, GapAny and Age are not those of one session
	SignIn   bool  // an attempt to sign in or to get a token
	Renewal  bool  // an attempt to renew a session or token
	Raced    bool  // a renewal, beside another one that succeeded at the same time
	Vain     bool  // on the route that was refused just before its client renewed its token
	Alive    bool  // the session was accepted elsewhere shortly before and after; not of a challenge
	Proven   bool  // Denied, or the credentials came with the request and had been accepted before; not of a challenge
	Returned bool  // the route accepted nobody then, and the actor was accepted elsewhere before and after with the same credentials; see returned
	Denied   bool  // the line itself states that access was denied to good credentials
	Known    bool  // the actor had been accepted before
	Good     bool  // Known or Denied, or the session was accepted soon after without a sign-in
	Back     bool  // the actor was accepted, or signed in, within minutes after it
	Settled  bool  // the actor was accepted within Nearby after it; after an attempt to sign in, it signed in. Not of a challenge
	Left     bool  // the actor had signed out, and was not accepted since: a page that is still open goes on. Not of an attempt to sign in
	Arrival  bool  // a Challenge of a newcomer without a session id, who then signs in by hand
	Resumed  bool  // the actor was accepted on a protected route after it, before the next sign-in
	Entry    bool  // the actor signs in at once by hand, and is not refused there again: a page asked whether somebody is signed in
	Fatal    bool  // it ended a session
	Dead     bool  // it ended a session, or followed that before the next sign-in
	// Of a Dead one: how long the session had been silent on protected routes and on all
	// routes when it was refused first, and its age.
	// age of one that a renewal answered is that of the token: see TokenAge.
	gap, gapAny, age span
}

// Gap returns how long, in milliseconds, the session of a Dead refusal had been silent
// on protected routes when it was refused first.
func (r *Refusal) Gap() int64 { return r.gap.ms() }

// GapAny is Gap on all routes.
func (r *Refusal) GapAny() int64 { return r.gapAny.ms() }

// Age returns the age of the session in milliseconds; -1 if its sign-in was not seen.
func (r *Refusal) Age() int64 { return r.age.ms() }

// TokenAge returns how long ago, in milliseconds, the token was given that a program renewed
// after the refusal; 0 if that is not known or the refusal is none of that kind.
func (r *Refusal) TokenAge() int64 {
	if r.Cause != SessionEnd || r.Dead || r.age == unknownSpan {
		return 0
	}
	return r.age.ms()
}

// Renewed reports whether a program renewed its token after the refusal and went on.
func (r *Refusal) Renewed() bool {
	return r.Cause == SessionEnd && !r.Dead && r.Known && r.Back && !r.Left
}

// Client returns the client that was refused.
func (r *Refusal) Client() timeline.Client {
	return timeline.Client{Address: r.Address, Agent: r.Agent}
}

// Lifetimes holds what the sessions of one host survived: for every accepted request
// to a protected route, the idle time before it and the age of the session. What
// sessions did not survive is in the Fatal refusals. Clients that several people share are
// left out.
type Lifetimes struct {
	Gap, GapAny stats.Durations // silence on protected routes, and on all routes
	// The same of clients without a session id in a log that has them, such as programs
	// with a key: they count where nothing else does.
	bareGap, bareGapAny stats.Durations
	Bare                bool // these are in Gap and GapAny
	// The same of sessions whose sign-in was seen, and their ages.
	SeenGap, SeenGapAny, SeenAge stats.Durations
	// Of each session that was accepted: the longest silence that it survived, the same where
	// its sign-in was seen, and then the age at which it was accepted last.
	Longest, SeenLongest, SeenOldest stats.Durations
	Sessions                         int64
	Visits                           AcceptedVisits
	Doors                            [maxDoors + 1]*Lifetimes // by door: of the sessions that began there; nil for none
}

// Merge adds the lifetimes of another host.
func (l *Lifetimes) Merge(m *Lifetimes) {
	l.Gap.Merge(&m.Gap)
	l.GapAny.Merge(&m.GapAny)
	l.bareGap.Merge(&m.bareGap)
	l.bareGapAny.Merge(&m.bareGapAny)
	l.SeenGap.Merge(&m.SeenGap)
	l.SeenGapAny.Merge(&m.SeenGapAny)
	l.SeenAge.Merge(&m.SeenAge)
	l.Longest.Merge(&m.Longest)
	l.SeenLongest.Merge(&m.SeenLongest)
	l.SeenOldest.Merge(&m.SeenOldest)
	l.Sessions += m.Sessions
	l.Visits.merge(&m.Visits)
	for i, part := range m.Doors {
		if part != nil {
			l.door(uint8(i)).Merge(part)
		}
	}
}

// EndpointStats counts the distinct actors of an endpoint.
type EndpointStats struct {
	Actors, RefusedActors int64
	AliveActors           int64 // refused there while their sessions were alive
}

func (s *EndpointStats) merge(t *EndpointStats) {
	s.Actors += t.Actors
	s.RefusedActors += t.RefusedActors
	s.AliveActors += t.AliveActors
}

// ClientStats sums the requests of a client.
type ClientStats struct {
	Tally            timeline.Tally
	Users, Sessions  int64  // distinct
	RefusedEndpoints int64  // distinct
	session          uint32 // the actor last counted in Sessions
}

// EachSession yields the sessions by start. It may be called several times; a
// record is valid until the next one.
func (ev *Evidence) EachSession() iter.Seq2[*Record, error] { return spill.Sorted(ev.sessions...) }

// Memory limits the memory of what observers keep of each request.
func (ev *Evidence) Memory() spill.Memory { return ev.memory }

// Carries reports whether the timelines begin with events of earlier runs.
func (ev *Evidence) Carries() bool { return ev.saver != nil }

// SiteOf returns the index of an endpoint's site in Sites.
func (ev *Evidence) SiteOf(endpoint uint32) uint32 { return ev.siteOf[endpoint] }

// Step returns the step of a time. Times outside From and To belong to the first
// or last step.
func (ev *Evidence) Step(ms int64) int {
	return int(min(max(ms-ev.From, 0)/ev.Width, MaxSteps-1))
}

// Visit calls visit for the actors that want reports true for, or for all if it is
// nil; see State.Shard. Each worker in [0, Workers) is one goroutine.
func (ev *Evidence) Visit(ctx context.Context, want func(id uint32, w timeline.ActorSummary) bool, visit func(worker int, id uint32, a *timeline.Actor)) error {
	var next atomic.Int32
	g, ctx := errgroup.WithContext(ctx)
	for worker := range ev.Workers {
		g.Go(func() error {
			var scratch timeline.Scratch
			for shard := next.Add(1) - 1; shard < timeline.Shards; shard = next.Add(1) - 1 {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := ev.State.Shard(int(shard), &scratch, want, func(id uint32, a *timeline.Actor) { visit(worker, id, a) }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// Parallel runs independent tasks, as many at a time as there are workers.
func (ev *Evidence) Parallel(tasks ...func()) {
	var g errgroup.Group
	g.SetLimit(ev.Workers)
	for _, task := range tasks {
		g.Go(func() error {
			task()
			return nil
		})
	}
	_ = g.Wait() // no task returns an error
}

// InParts divides [0, n) into several parts for each worker, so that no worker
// waits long for another, and runs do on them in parallel.
func (ev *Evidence) InParts(n int, do func(from, to int)) {
	const each = 8
	tasks := make([]func(), each*ev.Workers)
	for i := range tasks {
		tasks[i] = func() { do(i*n/len(tasks), (i+1)*n/len(tasks)) }
	}
	ev.Parallel(tasks...)
}

// DropTimelines frees the memory that only Visit and Links need, which must not be
// used afterwards.
func (ev *Evidence) DropTimelines() {
	ev.State.DropTimelines()
	ev.Links = nil
}

// Release frees what only the rows of clients and users need: Clients, UserClients,
// and State.Users unless Save needs them.
func (ev *Evidence) Release() {
	ev.Clients, ev.UserClients, ev.ChallengedInUse = nil, nil, nil
	if ev.saver == nil {
		ev.State.Users = nil
	}
}
