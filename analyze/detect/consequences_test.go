package detect

import (
	"fmt"
	"slices"
	"testing"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// refused returns a diagnosis of refusals, all of which are open.
func refused(list []session.Refusal, hosts ...string) *Diagnosis {
	state := &timeline.State{Endpoints: make([]timeline.Endpoint, len(hosts)), Addresses: make([]string, 100)}
	for i, host := range hosts {
		state.Endpoints[i].Host = host
	}
	d := newDiagnosis(&session.Evidence{Workers: 1, State: state, Refusals: spill.TableOf(list)})
	d.closed = nil
	return d
}

// proposing returns a kind that proposes a finding about the claims that are open.
func proposing(kind string, category Category, details any, claims []uint32) Kind {
	return Kind{Name: kind, Category: category, inspect: func(d *Diagnosis, _ observer) ([]candidate, error) {
		open := slices.DeleteFunc(slices.Clone(claims), func(i uint32) bool { return !d.open(int(i)) })
		if len(open) == 0 {
			return nil, nil
		}
		return []candidate{{Finding: result.Finding{Details: details, Confidence: 0.9, Onset: parse.NoTime, Text: result.Text{Title: kind}}, claims: open}}, nil
	}}
}

// TestConsequences checks that what is refused in the time and the place of an outage is part
// of it, unless it is an attack, the outage is that of a part, or it lies elsewhere; and that so
// is a path that refuses some of its clients while all of the site does.
func TestConsequences(t *testing.T) {
	const minute = 60_000
	for name, c := range map[string]struct {
		outage   any    // details
		other    any    // likewise
		host     uint32 // of what else is refused
		at       int64  // likewise, Unix milliseconds
		category Category
		want     string
	}{
		"meanwhile":        {&Outage{}, nil, 0, 50 * minute, SessionCategory, "[outage 460]"},
		"at the edge":      {&Outage{}, nil, 0, 104 * minute, SessionCategory, "[outage 460]"},
		"hours later":      {&Outage{}, nil, 0, 400 * minute, SessionCategory, "[outage 400 other 60]"},
		"at another one":   {&Outage{}, nil, 1, 50 * minute, SessionCategory, "[outage 400 other 60]"},
		"an attack":        {&Outage{}, nil, 0, 50 * minute, AttackCategory, "[outage 400 other 60]"},
		"of a part":        {&Outage{Part: true}, nil, 0, 50 * minute, SessionCategory, "[outage 400 other 60]"},
		"a path at random": {&Intermittent{}, &BrokenEndpoint{Routes: 4, RefusedShare: 0.4}, 0, 50 * minute, EndpointCategory, "[outage 460]"},
		"a closed path":    {&Intermittent{}, &BrokenEndpoint{Routes: 4, RefusedShare: 1}, 0, 50 * minute, EndpointCategory, "[outage 400 other 60]"},
		"one route":        {&Intermittent{}, &BrokenEndpoint{RefusedShare: 0.4}, 0, 50 * minute, EndpointCategory, "[outage 400 other 60]"},
	} {
		list := make([]session.Refusal, 460)
		for i := range list {
			list[i] = session.Refusal{Time: int64(i) * minute / 4, Actor: uint32(i) + 1}
			if i >= 400 {
				list[i].Time, list[i].Endpoint = c.at, c.host
			}
		}
		d := refused(list, "a.example", "b.example")
		outage := proposing("outage", SessionCategory, c.outage, sequence(0, 400))
		inspect := outage.inspect
		outage.inspect = func(d *Diagnosis, o observer) ([]candidate, error) {
			found, err := inspect(d, o)
			for i := range found {
				found[i].Subject = result.Subject{Type: "site", Host: "a.example"}
			}
			return found, err
		}
		found, err := d.explain([]Kind{outage, proposing("other", c.category, c.other, sequence(400, 460))})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprint(f.Title, " ", f.packed.n))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: got %v, want %s", name, got, c.want)
		}
	}
}

// TestAdopt checks that what a client was refused in the moment of an explained refusal
// belongs to the same finding, if nothing is known of it, and is not most of it.
func TestAdopt(t *testing.T) {
	const last = tryGap
	for name, c := range map[string]struct {
		more  int // refusals of the first clients
		cause session.Cause
		actor uint32 // added to theirs
		after int64  // milliseconds
		want  int    // of the finding, which explains 20 itself
	}{
		"a moment later":    {8, session.Unexplained, 0, 300, 28},
		"a moment before":   {8, session.Unexplained, 0, -300, 28},
		"at the limit":      {8, session.Unexplained, 0, last, 28},
		"too late":          {8, session.Unexplained, 0, last + 1, 20},
		"of another client": {8, session.Unexplained, 500, 300, 20},
		"ordinary":          {8, session.Anonymous, 0, 300, 20},
		"more than its own": {30, session.Unexplained, 0, 300, 20},
	} {
		var list []session.Refusal
		add := func(client int, after int64, more bool) {
			r := session.Refusal{Time: int64(client%20)*1_000_000 + after, Actor: uint32(client%20) + 1}
			if more {
				r.Actor, r.Cause = r.Actor+c.actor, c.cause
			}
			list = append(list, r)
		}
		for i := range 20 {
			add(i, 0, false)
		}
		for i := range c.more {
			add(i, c.after, true)
		}
		slices.SortStableFunc(list, func(x, y session.Refusal) int { return int(x.Time - y.Time) })
		var own []uint32
		for i := range list {
			if list[i].Time%1_000_000 == 0 {
				own = append(own, uint32(i))
			}
		}
		found, err := refused(list, "a.example").explain([]Kind{proposing("route", EndpointCategory, nil, own)})
		if err != nil || len(found) != 1 {
			t.Fatal(name, len(found), err)
		}
		if got := found[0].packed.n; got != c.want {
			t.Errorf("%s: the finding explains %d, want %d", name, got, c.want)
		}
	}
}

// TestLockedOut checks which refusals show people who cannot come back while others are
// accepted: those of many clients of different software that are not accepted soon after,
// though they are at other times, and that had no session id.
func TestLockedOut(t *testing.T) {
	people := func(change func(i int, r *session.Refusal)) (list []session.Refusal) {
		for i := range 3 * lockedClients {
			r := session.Refusal{Time: int64(i) * 1000, Actor: uint32(i) + 1, Address: uint32(i), Agent: uint32(i % 7)}
			change(i, &r)
			list = append(list, r)
		}
		// It goes on.
		return append(list, session.Refusal{Time: 2*session.Nearby + 3*lockedClients*1000, Actor: 99, Address: 99, Back: true})
	}
	for name, c := range map[string]struct {
		list []session.Refusal
		want bool
	}{
		"locked out":         {people(func(int, *session.Refusal) {}), true},
		"most come back":     {people(func(i int, r *session.Refusal) { r.Back = i%3 != 0 }), false},
		"one of three does":  {people(func(i int, r *session.Refusal) { r.Back = i%3 == 0 }), false},
		"with session ids":   {people(func(_ int, r *session.Refusal) { r.Session = true }), false},
		"of one program":     {people(func(_ int, r *session.Refusal) { r.Agent = 3 }), false},
		"a few":              {people(func(i int, r *session.Refusal) { r.Address, r.Agent = uint32(i%2), uint32(i%2) }), false},
		"just before it end": {people(func(_ int, r *session.Refusal) { r.Time += 2 * session.Nearby }), false},
	} {
		d := refused(c.list, "a.example")
		o := &outageObserver{d: d, clients: map[timeline.Client]*standing{}}
		for i := range c.list {
			o.clients[c.list[i].Client()] = &standing{proven: true}
		}
		all := sequence(0, uint32(len(c.list)))
		if got := o.lockedOut(slices.Values(all)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
