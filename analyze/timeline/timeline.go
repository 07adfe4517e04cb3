// Package timeline reduces log entries to the state that the detectors need: a
// compact timeline of events for every actor, and counters by endpoint, user,
// upstream and minute.
//
// Input: blocks of lines and a parser. Output: a State, which Merge builds from
// the parts of all workers. The state depends on the lines alone: not on how
// they were spread over workers, the order in which they were read, or what was
// spilled to disk. Package analyze decides what the state means.
//
// A Worker belongs to one goroutine and needs no locks. For each request it
// updates counters and appends a few bytes to the timeline of the actor; for
// each 401 it also keeps the line, compressed.
package timeline

import (
	"cmp"

	"logscan/analyze/spill"
	"logscan/parse/field"
)

// State is the merged result of all workers. It is immutable once Merge has
// returned it, but for DropTimelines.
type State struct {
	Inputs    []Ledger
	Endpoints []Endpoint            // by host, template, method
	Users     []NamedTally          // by name
	Upstreams []NamedTally          // by name
	Servers   []string              // whose logs were read, by name; see Worker.SetServers
	ServerOf  []uint8               // by input: index into Servers plus one; 0 for none
	Addresses []string              // of the clients listed by name, sorted
	Agents    []string              // user agents of the clients listed by name, sorted
	Minutes   []Minute              // by time, host
	Grain     int64                 // length of a step of Minutes in microseconds, usually MinuteStep
	Refusals  *spill.Table[Refusal] // every 401 by time, input, line
	Reasons   []Reason              // that lines of 401s state, by text
	Unstated  bool                  // no line of a 401 states a reason or who answered
	Statuses  []int64               // lines by status below Statuses; 0 for lines without one
	Rejected  []Rejected            // the first rejected lines by input, line
	Messages  *spill.Table[Message] // events of authentication in error logs, by input, line
	// MessagesDropped counts the events beyond the maximum number of Messages.
	MessagesDropped int64

	Sessions bool // a line has a session id
	Schemes  bool // a line has a scheme

	// OtherUsers and OtherClients count the users and clients beyond the MaxNames
	// that are listed by name; OfOtherUsers holds the requests of those users.
	// Their events have no user, and the client OtherName.
	OtherUsers, OtherClients int64
	OfOtherUsers             NamedTally

	// HostsFolded, UpstreamsFolded and EndpointsFolded report whether names were
	// grouped because the log has too many of them.
	HostsFolded, UpstreamsFolded, EndpointsFolded bool

	naming    naming
	oneServer bool // events of all servers are those of one: see severalServers

	seed    uint64
	workers []*Worker
	parts   []origin // of all workers
	signIns *signInIndex
	// By the seeded hash of the name: index into Users plus one, and the client.
	userOf      map[uint64]uint32
	clientOf    map[uint64]Client
	otherClient Client // of all clients that are not in clientOf
	// By worker and by its number: indexes into Endpoints, Upstreams, Refusals.
	endpointOf, upstreamOf, refusalOf [][]uint32
	stated                            []field.Credentials // see Stated; nil if no line states any
	redirects                         bool                // some of Refusals are redirects, which resolveRedirects decides

	gathered *gathered // nil unless Gather was called
	long     *longActors
	limit    visitLimits

	recalled int // index of the worker that NewEarlierWorker returned, -1 for none
}

// Endpoint is a virtual host, method and URL template, with its requests.
type Endpoint struct {
	Host, Method, Template string
	SignIn                 bool // a sign-in or token route, by its name
	Token                  bool // a token route, by its name: SignIn, but it may renew, too
	Renew                  bool // a route that renews a session or token, by its name
	SignOut                bool // a sign-out route, by its name
	Tally
	Known EarlierCounts // requests counted by earlier runs, which Tally does not include
}

// NamedTally is a user or an upstream, with its requests.
type NamedTally struct {
	Name string
	Tally
	hash uint64 // of the name of a user, seeded; 0 in a State
}

// Refusal is one 401.
type Refusal struct {
	Time  int64 // Unix microseconds or parse.NoTime
	Line  int64 // 1-based
	Input int32
	// Credentials is what the line itself states about the credentials.
	Credentials field.Credentials
	AnsweredBy  field.Answerer
	Reason      uint16 // index into Reasons plus one; 0 for none
	Message     uint32 // index into Messages plus one, if that states the reason; 0 for none

	redirect bool // it is a redirect, see resolveRedirects
	worker   uint16
	number   uint32 // worker's number
}

// Actor is a session, or a client without session ids, with all its requests.
type Actor struct {
	Session []byte  // session id, a credential; nil for a client
	Events  []Event // by time; see State.Shard
	Summary ActorSummary

	Hashed bool   // Session is the SessionSum of the id: this run did not see the id itself
	Before []byte // EarlierActor.Before; nil if there is none

	// An actor with a great many events is visited in pieces, one right after the other:
	// Continues reports whether Events follow those of the last visit, More whether
	// further ones follow.
	Continues, More bool
}

// Client is an address and a user agent, as indexes into Addresses and Agents of
// the State.
type Client struct{ Address, Agent uint32 }

// CompareClients orders clients by address, then by agent.
func CompareClients(a, b Client) int {
	return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Agent, b.Agent))
}

// NoRefusal is the Refusal of an event that is not a 401.
const NoRefusal = ^uint32(0)

// Event is one request of an actor.
type Event struct {
	Time     int64  // Unix milliseconds
	Endpoint uint32 // index into State.Endpoints
	User     uint32 // index into State.Users plus one; 0 for none
	Client   Client
	Refusal  uint32 // index into State.Refusals, NoRefusal or EarlierEvent
	Upstream uint16 // index into State.Upstreams plus one; 0 for none
	Origin   Origin
	Outcome  Outcome // Other also for a status that says nothing about credentials; see undecided
}

// InstantEnd returns the index after the last event of the time of event i.
func InstantEnd(events []Event, i int) int {
	end := i + 1
	for end < len(events) && events[end].Time == events[i].Time {
		end++
	}
	return end
}

// DropTimelines frees the memory that only Shard needs. Shard, SignedIn and the
// methods for earlier runs must not be called afterwards.
func (s *State) DropTimelines() {
	for _, w := range s.workers {
		w.part, w.spilled, w.resumed = part{}, nil, nil
	}
	s.parts, s.endpointOf, s.upstreamOf, s.refusalOf, s.signIns = nil, nil, nil, nil, nil
	s.userOf, s.clientOf = nil, nil
	s.gathered, s.long = nil, nil
}
