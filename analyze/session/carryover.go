package session

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"logscan/analyze/timeline"
	"logscan/parse/source"
)

// Carryover is the state of earlier runs: which contents they read, and the state of
// the sessions at the end of their logs. A run with a Carryover counts only what is
// new and continues the sessions.
//
// It holds, for every actor, the events of the last hours (see saveEvents), among
// which late lines are inserted, and its position before them; and the counts of
// endpoints, so that protected ones stay so. Of session ids, it holds hashes only.
type Carryover struct {
	ledger  *source.Ledger
	to      int64 // end of the logs; LongAgo if there were none
	earlier *timeline.Earlier
	minutes map[int64]int64 // saved events by Unix minute; set when they have been read
	actors  int
	open    func() (io.ReadCloser, error)
}

// NewCarryover returns the state of a first run, which is empty.
func NewCarryover() *Carryover { return &Carryover{ledger: source.NewLedger(nil), to: LongAgo} }

// ErrCarryover is the error for saved state that cannot be read.
var ErrCarryover = errors.New("state file is corrupt")

// LoadCarryover reads the state that Evidence.Save wrote. open is called again when
// the run needs the events, which are not held in memory. The error is
// ErrCarryover, or one of open.
func LoadCarryover(open func() (io.ReadCloser, error)) (*Carryover, error) {
	p := &Carryover{open: open}
	r, err := p.begin()
	if err != nil {
		return nil, err
	}
	defer r.close()
	return p, nil
}

// Ledger returns which contents earlier runs read, and how far.
func (p *Carryover) Ledger() *source.Ledger { return p.ledger }

// Earlier returns the timelines of earlier runs, nil if there are none. It may be
// called on a nil Carryover.
func (p *Carryover) Earlier() *timeline.Earlier {
	if p == nil {
		return nil
	}
	return p.earlier
}

// begin reads everything but the actors, which r reads next.
func (p *Carryover) begin() (r *stateReader, err error) {
	if r, err = newStateReader(p.open); err != nil {
		return nil, err
	}
	p.to = r.varint()
	contents := make([]source.Counted, 0, 64)
	for range r.times() {
		var c source.Counted
		c.Size, c.Lines, c.Left, c.Missed = r.varint(), r.varint(), r.varint(), int(r.varint())
		if min(c.Size, c.Lines, c.Left, int64(c.Missed)) < 0 {
			r.fail()
		}
		r.bytes(c.Head[:])
		r.bytes(c.Tail[:])
		r.bytes(c.LeftSum[:])
		r.bytes(c.Stored[:])
		contents = append(contents, c)
	}
	e := &timeline.Earlier{}
	for i := range r.sparse() {
		e.Endpoints = append(e.Endpoints, make([]timeline.EarlierEndpoint, i+1-len(e.Endpoints))...)
		x := &e.Endpoints[i]
		x.Host, x.Method, x.Template = r.text(), r.text(), r.text()
		x.Known = timeline.EarlierCounts{Accepted: r.varint(), Bare: r.varint(), Unauthorized: r.varint(), Last: r.varint(), Learnt: r.varint(), Sticky: r.varint(), Loose: r.varint()}
	}
	for _, list := range []*[]string{&e.Users, &e.Upstreams, &e.Addresses, &e.Agents} {
		for i := range r.sparse() {
			*list = append(*list, make([]string, i+1-len(*list))...)
			(*list)[i] = r.text()
		}
	}
	for range r.times() {
		c := timeline.Client{Address: r.index(len(e.Addresses)), Agent: r.index(len(e.Agents))}
		e.Clients = append(e.Clients, c)
	}
	for range r.times() {
		var sum timeline.SessionSum
		r.bytes(sum[:])
		e.Sessions = append(e.Sessions, sum)
	}
	if !slices.IsSortedFunc(e.Sessions, compareSums) {
		r.fail()
	}
	p.actors = r.count(maxListed)
	if r.err != nil {
		r.close()
		return nil, r.err
	}
	p.ledger, p.earlier = source.NewLedger(contents), e
	e.Actors = p.eachActor
	return r, nil
}

func compareSums(a, b timeline.SessionSum) int { return bytes.Compare(a[:], b[:]) }

// eachActor yields the actors. Each is valid until the next.
func (p *Carryover) eachActor(yield func(*timeline.EarlierActor, error) bool) {
	q := Carryover{open: p.open}
	r, err := q.begin()
	if err != nil {
		yield(nil, err)
		return
	}
	defer r.close()
	p.minutes = map[int64]int64{}
	var a timeline.EarlierActor
	e := q.earlier
	for range q.actors {
		a = timeline.EarlierActor{Named: r.varint() != 0, Before: a.Before[:0], Events: a.Events[:0]}
		if a.Named {
			r.bytes(a.Session[:])
			if _, ok := slices.BinarySearchFunc(e.Sessions, a.Session, compareSums); !ok {
				r.fail()
			}
		} else {
			a.Client = timeline.Client{Address: r.index(len(e.Addresses)), Agent: r.index(len(e.Agents))}
		}
		a.Before = r.piece(a.Before)
		x := timeline.Event{Time: r.varint(), Refusal: timeline.NoRefusal}
		for range r.times() {
			x.Time += r.varint()
			kind := r.uvarint()
			scheme := timeline.Scheme(kind >> 3 & 3)
			x.Outcome, x.Origin = timeline.Outcome(kind&7), timeline.OriginOf(scheme)
			if kind&eventElsewhere != 0 {
				x.Endpoint = r.index(len(e.Endpoints))
				x.Upstream = uint16(r.index(len(e.Upstreams) + 1))
			}
			if kind&eventOther != 0 {
				x.User = r.index(len(e.Users) + 1)
				x.Client = timeline.Client{Address: r.index(len(e.Addresses)), Agent: r.index(len(e.Agents))}
			}
			if scheme > timeline.HTTPS || r.err != nil {
				r.fail()
				break
			}
			a.Events = append(a.Events, x)
			p.minutes[timeline.FloorDiv(x.Time, 60_000)]++
		}
		if r.err != nil {
			yield(nil, r.err)
			return
		}
		if !yield(&a, nil) {
			return
		}
	}
}

// Flags of a saved event, beside its outcome (3 bits) and scheme (2 bits).
const (
	eventElsewhere = 1 << 5 // endpoint and upstream follow: they differ from the last event's
	eventOther     = 1 << 6 // user and client follow: they differ
)
