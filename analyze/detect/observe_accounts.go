package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

const (
	// accountRefused is the minimum number of refusals of an account that is followed.
	accountRefused = 4
	// maxAccounts bounds the accounts that are followed: those with most refusals.
	maxAccounts = 2000
)

// attempt is one request by a user or in the user's name.
type attempt struct {
	time     int64 // Unix milliseconds
	endpoint uint32
	actor    uint32
	refusal  uint32 // index of the refusal, timeline.NoRefusal when accepted
	client   timeline.Client
	own      bool // refused with credentials of its own: named on the line, or signing in
	signIn   bool // an accepted sign-in
}

// compareAttempts orders by time, a refusal before an acceptance of the same
// instant, as in timelines.
func compareAttempts(a, b attempt) int {
	if a.time != b.time { // cmp.Or compares everything
		return cmp.Compare(a.time, b.time)
	}
	return cmp.Or(cmp.Compare(a.refusal, b.refusal), cmp.Compare(a.endpoint, b.endpoint),
		timeline.CompareClients(a.client, b.client))
}

// accountObserver collects the attempts of users. A request takes constant time; the
// attempts are sorted by user.
type accountObserver struct {
	d        *Diagnosis
	users    []uint32    // each plus one
	place    []int32     // by user plus one: place in users plus one, 0 for users not followed
	attempts [][]attempt // by place, by time
	pages    []bool      // by endpoint: the page of a sign-in route, which everybody gets
	parts    []*accountPart
}

// observeAccounts returns an observer of the users with many refusals, nil if there
// are none.
func observeAccounts(d *Diagnosis) observer {
	refused := make([]int, len(d.State.Users)+1)
	for _, r := range d.eachOpen() {
		if r.User != 0 {
			refused[r.User]++
		}
	}
	users := topIndexes(refused, maxAccounts, func(u int) bool { return refused[u] >= accountRefused })
	if len(users) == 0 {
		return nil
	}
	return &accountObserver{d: d, users: users, place: places(users, len(refused)), attempts: make([][]attempt, len(users)), pages: d.signInPages()}
}

// signInPages reports, by endpoint, whether it has the path of a sign-in route and is
// none: a form to fill in, which is answered without credentials.
func (d *Diagnosis) signInPages() []bool {
	type path struct{ host, template string }
	routes := map[path]bool{}
	for i := range d.State.Endpoints {
		if e := &d.State.Endpoints[i]; d.Roles[i]&session.SignsIn != 0 {
			routes[path{e.Host, e.Template}] = true
		}
	}
	pages := make([]bool, len(d.State.Endpoints))
	for i := range pages {
		e := &d.State.Endpoints[i]
		pages[i] = d.Roles[i]&session.SignsIn == 0 && routes[path{e.Host, e.Template}]
	}
	return pages
}

// signedIn reports whether a request to a sign-in route succeeded. Where some are
// answered with a redirect, the others get the form again.
func (d *Diagnosis) signedIn(e *timeline.Event) bool {
	return d.Roles[e.Endpoint]&session.Tries != 0 && (e.Outcome == timeline.Redirected ||
		e.Outcome == timeline.Accepted && d.State.Endpoints[e.Endpoint].N[timeline.Redirected] == 0)
}

func (o *accountObserver) part() func(*timeline.Actor, uint32) {
	p := &accountPart{accountObserver: o, attempts: make([]attemptList, len(o.users))}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *accountObserver) gather() {
	tasks := make([]func(), o.d.Workers)
	for worker := range tasks {
		tasks[worker] = func() {
			for n := worker; n < len(o.attempts); n += len(tasks) {
				o.gatherOf(n)
			}
		}
	}
	o.d.Parallel(tasks...)
	o.parts = nil
}

// gatherOf sorts the attempts of the user at a place.
func (o *accountObserver) gatherOf(n int) {
	var lists [][]attempt
	for _, p := range o.parts {
		lists = append(append(lists, p.attempts[n].full...), p.attempts[n].last)
		p.attempts[n] = attemptList{} // all together may take as much memory as the timelines
	}
	o.attempts[n] = slices.Concat(lists...)
	slices.SortFunc(o.attempts[n], compareAttempts)
}

// accountPart is the part of one goroutine.
type accountPart struct {
	*accountObserver               // read only
	attempts         []attemptList // by place
}

// attemptList is a list of attempts that are not moved when it grows.
type attemptList struct {
	full [][]attempt
	last []attempt
}

// maxAttempts is the maximum number of attempts in a part of an attemptList.
const maxAttempts = 256

func (l *attemptList) add(a attempt) {
	if len(l.last) == cap(l.last) {
		if len(l.last) > 0 {
			l.full = append(l.full, l.last)
		}
		l.last = make([]attempt, 0, max(4, min(2*len(l.last), maxAttempts)))
	}
	l.last = append(l.last, a)
}

// actor records the attempts in an actor's timeline. A user named once stands for
// the requests that follow, until the sign-out, and in a session for those before.
func (p *accountPart) actor(a *timeline.Actor, _ uint32) {
	user := uint32(0)
	if a.Session != nil {
		user = firstNamed(a)
	}
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 {
			user = e.User
		}
		if n := p.place[user]; n != 0 {
			p.collect(&p.attempts[n-1], e, user)
		}
		if p.d.Roles[e.Endpoint]&session.SignsOut != 0 && e.Outcome != timeline.Unauthorized {
			user = 0
		}
	}
}

// firstNamed returns the first user that the requests of an actor name, plus one.
func firstNamed(a *timeline.Actor) uint32 {
	for i := range a.Events {
		if u := a.Events[i].User; u != 0 {
			return u
		}
	}
	return 0
}

func (p *accountPart) collect(list *attemptList, e *timeline.Event, user uint32) {
	accepted := attempt{time: e.Time, endpoint: e.Endpoint, refusal: timeline.NoRefusal, client: e.Client}
	switch {
	case e.Refusal != timeline.NoRefusal:
		if r := p.d.Refusals.At(int(e.Refusal)); r.User == user && r.Cause != session.Challenge {
			list.add(attempt{e.Time, e.Endpoint, r.Actor, e.Refusal, e.Client, r.Named || r.SignIn, false})
		}
	case p.d.signedIn(e):
		accepted.signIn = true
		list.add(accepted)
	case e.Outcome == timeline.Accepted && p.d.Protected[e.Endpoint] && !p.pages[e.Endpoint]:
		list.add(accepted)
	}
}
