// Package authevents finds the refusals that events of error logs and identity
// providers are about.
//
// In: the messages and refusals of a timeline.State, and functions that parse their
// lines again. Out: Joined: what every event is, and the statements that
// timeline.State.Restate takes. An event belongs to one refusal at most. If several
// refusals could be meant, it is counted as ambiguous and not guessed: a wrong reason
// is worse than none.
package authevents

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/events"
	"logscan/parse/field"
)

// Input is what Join reads.
type Input struct {
	State   *timeline.State
	Workers int
	// Requests returns a function that sets the keys of a refusal, and Events one that sets
	// those of a message. They belong to one goroutine.
	Requests func(Keyer) func(refusal int, k *RequestKeys) error
	Events   func(Keyer) func(message int, k *EventKeys) error
	// LogOf returns the name of the log that an input is a part of: those of a name are
	// written by one clock. DirectoryOf returns the directory of an input.
	LogOf, DirectoryOf func(input int) string
	Timezone           *time.Location // of times without an offset; nil for UTC
	Since, Until       int64          // Unix microseconds; parse.NoTime for no bound
	Statuses           []int32        // that refuse requests, beside 401
	Pseudonyms         bool           // of the keyers
	Memory             spill.Memory   // beyond which refusals and events are on disk

	atOnce int // about how many events a pass joins at once; 0 for matchedAtOnce
}

// Match is the key by which an event belongs to a refusal.
type Match uint8

// The keys, the surest first.
const (
	Unmatched    Match = iota
	ByID               // id of the request or trace
	BySession          // id of the session, within two seconds
	ByConnection       // number of the connection, and order on it
	ByPort             // address and port of the client
	ByRequest          // second, client and request line
	ByUserClient       // user and client, within two seconds
	ByUser             // user, within two seconds
	ByClient           // second and client; the event has no request
	ByLine             // the line of the request follows in the same log
	numMatches
)

var matchNames = [numMatches]string{"", "request_id", "session", "connection", "client_port", "request", "user_client", "user", "client", "line"}

// String returns the stable name of m, empty for Unmatched.
func (m Match) String() string { return matchNames[m] }

// Event is one event. It has no pointers and is small: there may be millions, and they are
// gone over many times to be joined.
type Event struct {
	Time      int64  // Unix microseconds, by the clock of the access logs; parse.NoTime for none
	Reason    uint32 // index into Joined.Reasons
	Source    int32  // index into Joined.Sources; until listSources, the name of its log in joiner.names
	Refusal   int32  // index into State.Refusals, -1 for none
	Outcome   events.Outcome
	Match     Match
	Wanted    bool // a refusal is looked for
	Ambiguous bool // several refusals could be meant
	Outside   bool // outside of the time range: it does not count

	// The rest is for the joiner alone.
	class   field.ReasonClass
	local   bool // its time has no offset from UTC
	follows bool // the line of its request follows in its own log
	another bool // an event before it is about that line, too
	hasID   bool
	status  int16
}

// Source is a log of one kind.
type Source struct {
	Kind   string // name of the events.Log
	Name   string // of the log, as Input.LogOf returns it
	Offset int64  // microseconds that its clock, or its time zone, is ahead of that of the access logs
	// Events are all events within the time range. A refusal is looked for those that are
	// Matched, Ambiguous or Unmatched; it is not for sign-ins that were accepted, or
	// requests that were answered otherwise.
	Events, Matched, Ambiguous, Unmatched int64

	server   bool // it is of a server that authenticates by itself
	provider bool // it is of an identity provider
}

// Joined is the result of Join.
type Joined struct {
	Events  []Event  // by index of State.Messages
	Reasons []string // and others, in no order
	Sources []Source

	best []int32 // by refusal: index of its surest event plus one; 0 for none
}

// Statement returns what an event states about a refusal, if any does. Its reason is one of
// Reasons.
func (r *Joined) Statement(refusal int) (x timeline.Statement, ok bool) {
	b := r.best[refusal]
	if b == 0 {
		return x, false
	}
	e := &r.Events[b-1]
	x = timeline.Statement{Message: uint32(b - 1), Reason: e.Reason}
	if int(e.Refusal) == refusal && r.Sources[e.Source].server && e.Match <= ByRequest {
		x.AnsweredBy = field.Proxy
	}
	return x, true
}

// Join finds the refusals of events.
func Join(ctx context.Context, in *Input) (*Joined, error) {
	j := &joiner{Input: in, newKeyer: NewKeyer(in.Pseudonyms), names: names{known: map[string]*name{}}}
	numbers := map[string]uint32{}
	for i := range in.State.Inputs {
		directory := in.DirectoryOf(i)
		if numbers[directory] == 0 {
			numbers[directory] = uint32(len(numbers)) + 1
		}
		j.directories = append(j.directories, numbers[directory])
	}
	if err := j.read(ctx); err != nil {
		return nil, err
	}
	j.listSources()
	for _, kind := range j.kinds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		j.joinKind(kind)
	}
	if err := j.close(); err != nil {
		return nil, err
	}
	return j.conclude(), nil
}

// joiner is the state of Join.
type joiner struct {
	*Input
	newKeyer func() Keyer
	requests requests
	events   []Event
	said     said // by the events
	has      fields
	// directories and named are by input: the number of its directory, from 1, and whether it
	// names users.
	directories []uint32
	named       []bool
	sources     []Source
	kinds       [][]int32 // events by kind of log
	also        []pair    // refusals of which the log of an event has a line too
	names       names     // reasons of events, and names of their logs

	matches    matches     // scratch
	candidates []candidate // scratch
}

// fields are what some refusals have, or all: other keys need not be tried.
type fields struct {
	ids, session, connection, port, peer, user, host, noHost bool
	directories                                              bool // several
}

// labelled holds the labels of events or requests, if one has any.
type labelled[T any] struct {
	once sync.Once
	list []T
	none T
}

// all returns the labels of n events or requests. It may be called concurrently.
func (l *labelled[T]) all(n int) []T {
	l.once.Do(func() { l.list = make([]T, n) })
	return l.list
}

// of returns the labels with a number from 1; those of 0 are empty.
func (l *labelled[T]) of(number uint32) *T {
	if number == 0 {
		return &l.none
	}
	return &l.list[number-1]
}

// read reads the lines of all refusals and events.
func (j *joiner) read(ctx context.Context) error {
	if err := j.readRequests(ctx); err != nil {
		return err
	}
	if err := j.readEvents(ctx); err != nil {
		return err
	}
	j.survey()
	return nil
}

// readEach calls what newReader returns with each number below n. Each function that it
// returns is called by one goroutine.
func (j *joiner) readEach(ctx context.Context, n int, newReader func() func(int) error) error {
	workers := max(1, j.Workers)
	parts := 4 * workers
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range workers {
		g.Go(func() error {
			read := newReader()
			for part := int(next.Add(1)) - 1; part < parts && ctx.Err() == nil; part = int(next.Add(1)) - 1 {
				if err := eachOfPart(part, parts, n, read); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// eachOfPart calls do with the numbers below n that are of a part, until it fails.
func eachOfPart(part, parts, n int, do func(int) error) error {
	for i := part * n / parts; i < (part+1)*n/parts; i++ {
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

// survey sets has and named.
func (j *joiner) survey() {
	j.named = make([]bool, len(j.State.Inputs))
	at, h, first := j.requests.reader(), &j.has, uint32(0)
	for i := range j.requests.taken {
		r, l := at(i)
		if r.user != 0 {
			j.named[r.input] = true
		}
		h.ids, h.session, h.connection = h.ids || l.ids[0] != 0, h.session || l.session != 0, h.connection || l.connection != 0
		h.port, h.peer, h.user = h.port || l.port != 0, h.peer || l.peer != 0, h.user || r.user != 0
		h.host, h.noHost = h.host || r.host != 0, h.noHost || r.host == 0
		first = cmp.Or(first, j.directories[r.input])
		h.directories = h.directories || j.directories[r.input] != first
	}
	if h.session {
		j.widen()
	}
}

// widen makes those events look for a refusal that say that a session was refused elsewhere
// with another status: who asks an identity provider in vain to renew it is refused, too,
// where it is used.
func (j *joiner) widen() {
	at := j.saidReader()
	for i := range j.events {
		e := &j.events[i]
		if e.Wanted || e.Outcome != events.Refused || e.Time == noTime {
			continue
		}
		if _, l := at(int32(i)); l.session != 0 {
			e.status, e.Wanted = 0, true
		}
	}
}

// servers are the logs of servers that authenticate by themselves: a backend has not
// answered what they say to have refused.
var servers = map[string]bool{"nginx-error": true, "apache-error": true, "lighttpd-error": true, "caddy-error": true}

// providers returns the logs of identity providers.
var providers = sync.OnceValue(func() map[string]bool {
	named := map[string]bool{}
	for _, l := range events.Logs() {
		named[l.Name] = l.Provider
	}
	return named
})

// conclude returns the result.
func (j *joiner) conclude() *Joined {
	best := make([]int32, j.State.Refusals.Len())
	result := &Joined{Events: j.events, Sources: j.sources, Reasons: make([]string, len(j.names.all)), best: best}
	for i, name := range j.names.all {
		result.Reasons[i] = name.text
	}
	for i := range j.events {
		e := &j.events[i]
		e.Outside = j.Since != parse.NoTime && e.Time < j.Since || j.Until != parse.NoTime && e.Time >= j.Until
		if e.Refusal >= 0 {
			e.Outside = false
			if b := best[e.Refusal]; b == 0 || surer(e, &j.events[b-1]) {
				best[e.Refusal] = int32(i) + 1
			}
		}
		if e.Outside {
			continue
		}
		s := &j.sources[e.Source]
		s.Events++
		switch {
		case e.Refusal >= 0:
			s.Matched++
		case e.Ambiguous:
			s.Ambiguous++
		case e.Wanted:
			s.Unmatched++
		}
	}
	for _, p := range j.also { // the same request in the event's own log
		if best[p.refusal] == 0 {
			best[p.refusal] = p.event + 1
		}
	}
	return result
}

// surer reports whether event a, which comes after b, says better why their refusal was
// refused: it is understood, or has the surer key.
func surer(a, b *Event) bool {
	if p, q := a.class != field.UnknownReason, b.class != field.UnknownReason; p != q {
		return p
	}
	return a.Match < b.Match
}
