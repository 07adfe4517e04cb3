package detect

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"

	"logscan/analyze/session"
	"logscan/analyze/spill"
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

// attemptSize is the size of an attempt in memory, in bytes.
const attemptSize = 32

// attemptLength is the size of an attempt on disk, in bytes.
const attemptLength = 29

func appendAttempt(dst []byte, a *attempt) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(a.time))
	for _, x := range [...]uint32{a.endpoint, a.actor, a.refusal, a.client.Address, a.client.Agent} {
		dst = binary.LittleEndian.AppendUint32(dst, x)
	}
	return append(dst, spill.Flag(a.own)|spill.Flag(a.signIn)<<1)
}

func readAttempt(b *[attemptLength]byte) attempt {
	number := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	client := timeline.Client{Address: number(20), Agent: number(24)}
	return attempt{int64(binary.LittleEndian.Uint64(b[:])), number(8), number(12), number(16), client, b[28]&1 != 0, b[28]&2 != 0}
}

// compareAttempts orders by time, a refusal before an acceptance of the same instant, as in
// timelines.
func compareAttempts(a, b *attempt) int {
	if a.time != b.time { // cmp.Or compares everything
		return cmp.Compare(a.time, b.time)
	}
	return cmp.Or(cmp.Compare(a.refusal, b.refusal), cmp.Compare(a.endpoint, b.endpoint),
		timeline.CompareClients(a.client, b.client), cmp.Compare(spill.Flag(a.signIn), spill.Flag(b.signIn)))
}

// accountObserver collects the attempts of users. A request takes constant time. The attempts
// of a user are sorted, and many are spilled to disk: those of one user are in memory then.
type accountObserver struct {
	d        *Diagnosis
	users    []uint32    // each plus one
	place    []int32     // by user plus one: place in users plus one, 0 for users not followed
	attempts [][]attempt // by place, by time; nil if some are on disk
	pages    []bool      // by endpoint: the page of a sign-in route, which everybody gets
	parts    []*accountPart
	err      error // of writing to disk

	mu        sync.Mutex
	refusedAt map[uint32]map[uint32]bool // by user plus one: the addresses of ownDevice
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
	return &accountObserver{d: d, users: users, place: places(users, len(refused)), pages: d.signInPages(), refusedAt: map[uint32]map[uint32]bool{}}
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
	if m := o.d.Memory(); m.Space != nil {
		p.limit = max(len(o.users), m.Refusals(attemptSize)/o.d.Workers)
	}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *accountObserver) gather() {
	onDisk := false
	for _, p := range o.parts {
		onDisk = onDisk || p.file != nil
		o.err = cmp.Or(o.err, p.failed)
	}
	if onDisk || o.err != nil {
		return
	}
	o.attempts = make([][]attempt, len(o.users))
	o.d.InParts(len(o.users), func(from, to int) {
		for n := from; n < to; n++ {
			o.attempts[n], _ = o.of(n)
			for _, p := range o.parts {
				p.attempts[n] = attemptList{} // all together may take as much memory as the timelines
			}
		}
	})
	o.parts = nil
}

// of returns the attempts of the user at a place, by time.
func (o *accountObserver) of(n int) ([]attempt, error) {
	if o.attempts != nil && o.attempts[n] != nil {
		return o.attempts[n], nil
	}
	var lists [][]attempt
	for _, p := range o.parts {
		l := &p.attempts[n]
		lists = append(append(lists, l.full...), l.last)
		for _, place := range l.stored {
			list, err := p.read(place)
			if err != nil {
				return nil, err
			}
			lists = append(lists, list)
		}
	}
	all := slices.Concat(lists...)
	timeline.SortRuns(all, compareAttempts)
	return all, nil
}

// accountPart is the part of one goroutine.
type accountPart struct {
	*accountObserver               // read only
	attempts         []attemptList // by place
	held, limit      int           // attempts in memory, and the maximum number of them; 0 for no limit
	file             *spill.File   // nil if nothing was spilled
	failed           error
}

// attemptList is a list of attempts that are not moved when it grows.
type attemptList struct {
	stored []spill.Place
	full   [][]attempt
	last   []attempt
}

// maxAttempts is the maximum number of attempts in a part of an attemptList.
const maxAttempts = 256

// add adds an attempt of the user at a place.
func (p *accountPart) add(n int, a *attempt) {
	l := &p.attempts[n]
	if len(l.last) == cap(l.last) {
		if len(l.last) > 0 {
			l.full = append(l.full, l.last)
		}
		l.last = make([]attempt, 0, max(4, min(2*len(l.last), maxAttempts)))
	}
	l.last = append(l.last, *a)
	if p.held++; p.limit > 0 && p.held > p.limit && p.failed == nil {
		p.failed = p.spill()
	}
}

// spill writes the attempts in memory to disk.
func (p *accountPart) spill() (err error) {
	if p.file == nil {
		if p.file, err = p.d.Memory().Space.Create(); err != nil {
			return err
		}
	}
	var piece []byte
	for n := range p.attempts {
		l := &p.attempts[n]
		piece = piece[:0]
		for _, list := range append(l.full, l.last) {
			for i := range list {
				piece = appendAttempt(piece, &list[i])
			}
		}
		if len(piece) == 0 {
			continue
		}
		place, err := p.file.Append(piece)
		if err != nil {
			return err
		}
		p.attempts[n] = attemptList{stored: append(l.stored, place)}
	}
	p.held = 0
	return nil
}

// read returns the attempts that were spilled to a place.
func (p *accountPart) read(place spill.Place) (list []attempt, err error) {
	piece, err := p.file.Read(place, nil)
	for ; len(piece) > 0; piece = piece[attemptLength:] {
		list = append(list, readAttempt((*[attemptLength]byte)(piece)))
	}
	return list, err
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
			p.collect(int(n)-1, e, user)
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

// collect adds a request in the name of the user at a place, if it shows how the user fares.
func (p *accountPart) collect(n int, e *timeline.Event, user uint32) {
	a := attempt{time: e.Time, endpoint: e.Endpoint, refusal: timeline.NoRefusal, client: e.Client}
	switch {
	case e.Refusal != timeline.NoRefusal:
		r := p.d.Refusals.At(int(e.Refusal))
		if r.User != user || r.Cause == session.Challenge {
			return
		}
		a.actor, a.refusal, a.own = r.Actor, e.Refusal, r.Named || r.SignIn
	case p.d.signedIn(e):
		a.signIn = true
	case e.Outcome != timeline.Accepted || !p.d.Protected[e.Endpoint] || p.pages[e.Endpoint]:
		return
	}
	p.add(n, &a)
}

// acceptedAt reports whether a user, plus one, with many refusals is accepted from an address:
// what fails there in its name is a program of its own with an old password.
func (d *Diagnosis) acceptedAt(user, address uint32) bool {
	return slices.ContainsFunc(d.attemptsOf(user), func(a attempt) bool {
		return a.refusal == timeline.NoRefusal && a.client.Address == address
	})
}

// ownDevice reports whether what a user, plus one, is refused at an address is refused to its
// owner: see byOwner.
func (d *Diagnosis) ownDevice(user, address uint32) bool {
	o, ok := d.observed[accountFailure.Name].(*accountObserver)
	if !ok {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	own, known := o.refusedAt[user]
	if !known {
		own = map[uint32]bool{}
		for _, a := range byOwner(d.attemptsOf(user)) {
			if a.refusal != timeline.NoRefusal {
				own[a.client.Address] = true
			}
		}
		o.refusedAt[user] = own
	}
	return own[address]
}

// attemptsOf returns the attempts of a user, plus one, with many refusals; nil if it has few.
func (d *Diagnosis) attemptsOf(user uint32) []attempt {
	o, ok := d.observed[accountFailure.Name].(*accountObserver)
	if !ok || o.place[user] == 0 {
		return nil
	}
	all, err := o.of(int(o.place[user]) - 1)
	if err != nil {
		return nil // inspectAccounts reports it
	}
	return all
}
