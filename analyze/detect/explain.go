package detect

import (
	"cmp"
	"container/heap"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// One trouble is one finding. All kinds propose findings for the refusals that
// nothing explains yet, and a greedy cover chooses: first the proposal that
// explains most refusals for each bit that it takes to describe it (Chvátal, A
// greedy heuristic for the set-covering problem, 1979; description length as in
// Rissanen, 1978). One wide subject takes fewer bits than many narrow ones: a bad
// upstream is not forty bad routes, a client that tries every account is not as
// many failing accounts. If a proposal loses refusals to another finding, its kind is
// inspected again on the rest, which confirms the proposal or absorbs it.

const (
	// intact is the share of its claims that a proposal must still have to be
	// accepted as it was tested.
	intact = 0.99
	// minKept is the share that it must have if it is not tested again.
	minKept = 0.5
	// maxInspections bounds how often the kinds of a run are inspected again: each
	// inspection costs a pass over the refusals.
	maxInspections = 64
	// maxRounds is the maximum number of times that all kinds are inspected.
	maxRounds = 3
	// certainty is the factor by which a certain kind weighs more, so that chance
	// does not break a tie.
	certainty = 2
)

// stage is a part of the choice: what one stage leaves, the next one explains.
type stage uint8

const (
	specificStage stage = iota // the kinds that recognise their refusals
	restStage                  // what these kinds make of what is left
	residualStage              // residual kinds
	numStages
)

// inspector returns the function of a kind that proposes findings in a stage, nil
// for none.
func (s stage) inspector(k *Kind) func(*Diagnosis, observer) ([]candidate, error) {
	switch {
	case s == restStage:
		return k.rest
	case k.residual == (s == residualStage):
		return k.inspect
	}
	return nil
}

// proposals are what a kind returned.
type proposals struct {
	made  bool
	found []candidate
	err   error
}

// proposal is a candidate that waits to be chosen.
type proposal struct {
	*candidate
	kind       int     // index of its kind
	generation int     // of its kind's proposals
	open       int     // claims that no finding has
	merit      float64 // refusals explained for each bit of description
	settled    bool    // it has been accepted or absorbed
}

// before orders by merit, and by id where that is equal.
func (p *proposal) before(q *proposal) bool {
	if p.merit != q.merit {
		return p.merit > q.merit
	}
	return p.ID < q.ID
}

// explainer chooses findings among proposals.
type explainer struct {
	d           *Diagnosis
	kinds       []Kind
	causes      int // number of all causes that a log may have
	stage       stage
	generation  []int         // by kind: older proposals have been replaced
	waiting     [][]*proposal // by kind
	queue       queue
	inspections int
	accepted    []*candidate
	taken       map[string]bool       // ids of the accepted
	absorbed    []map[string]absorbed // by accepted finding, by id
}

// absorbed is a proposal that became part of an accepted finding.
type absorbed struct {
	result.Finding
	shared int64 // refusals of both
}

// explain returns the chosen findings, and sets d.finding to their indexes plus
// one.
func (d *Diagnosis) explain(kinds []Kind) ([]*candidate, error) {
	d.finding = make([]int32, d.Refusals.Len())
	x := &explainer{
		d: d, kinds: kinds, causes: len(Catalogue()) + int(session.NumCauses), generation: make([]int, len(kinds)),
		waiting: make([][]*proposal, len(kinds)), taken: map[string]bool{},
	}
	for x.stage = range numStages {
		if x.stage == residualStage {
			x.adopt()
		}
		for range maxRounds {
			before := len(x.accepted)
			if err := x.inspectAll(); err != nil {
				return nil, err
			}
			if err := x.choose(); err != nil {
				return nil, err
			}
			if len(x.accepted) == before {
				break
			}
		}
	}
	x.uniteRoutes()
	x.listAbsorbed()
	return x.accepted, nil
}

// proposeUnobserved inspects the kinds that need only the refusals, one after the
// other. It runs while the observers of other kinds walk over the timelines, or after them.
func (d *Diagnosis) proposeUnobserved() {
	d.proposed = make([]proposals, len(d.kinds))
	for i := range d.kinds {
		if k := &d.kinds[i]; k.observe == nil && !k.residual {
			found, err := k.inspect(d, nil)
			d.proposed[i] = proposals{true, found, err}
		}
	}
}

// inspectAll inspects all kinds of the stage. It does so concurrently, because inspect
// changes nothing; but one after the other if refusals are on disk, because each may hold the
// tries of an origin.
func (x *explainer) inspectAll() error {
	seen := x.d.proposed
	if x.d.proposed = nil; seen == nil {
		seen = make([]proposals, len(x.kinds))
	}
	var tasks []func()
	for i := range x.kinds {
		if inspect := x.stage.inspector(&x.kinds[i]); inspect != nil && !seen[i].made {
			tasks = append(tasks, func() { seen[i].found, seen[i].err = inspect(x.d, x.d.observed[x.kinds[i].Name]) })
		}
	}
	if x.d.Refusals.OnDisk() {
		for _, task := range tasks {
			task()
		}
	} else {
		x.d.Parallel(tasks...)
	}
	for i := range seen {
		if seen[i].err != nil {
			return seen[i].err
		}
	}
	for i := range x.kinds {
		if x.stage.inspector(&x.kinds[i]) != nil {
			x.propose(i, seen[i].found)
		}
	}
	return nil
}

// inspect inspects a kind again.
func (x *explainer) inspect(kind int) error {
	k := &x.kinds[kind]
	found, err := x.stage.inspector(k)(x.d, x.d.observed[k.Name])
	if err != nil {
		return err
	}
	x.propose(kind, found)
	return nil
}

// propose adds the findings that a kind proposes, which replace its waiting
// proposals.
func (x *explainer) propose(kind int, found []candidate) {
	k := &x.kinds[kind]
	x.generation[kind]++
	stands := map[string]bool{}
	old := x.waiting[kind]
	x.waiting[kind] = nil
	for i := range found {
		f := new(candidate)
		*f = found[i] // so that the list, most of which may be dropped, can be freed
		f.pack()
		f.Kind, f.Category = k.Name, string(k.Category)
		f.ID = findingID(k.Name, f.Subject)
		if f.packed.n == 0 || x.taken[f.ID] || stands[f.ID] || ofNobody(x.d.State, &f.Subject) {
			continue
		}
		stands[f.ID] = true
		p := &proposal{candidate: f, kind: kind, generation: x.generation[kind]}
		x.weigh(p)
		x.waiting[kind] = append(x.waiting[kind], p)
		heap.Push(&x.queue, p)
	}
	for _, p := range old {
		if !stands[p.ID] && !p.settled {
			x.absorb(p)
		}
	}
	if k.Name == sessionInvalidation.Name {
		x.preferInstants(x.waiting[kind])
	}
}

// preferInstants makes an instant at which sessions ended precede a timeout that explains
// fewer of the same ends: a moment takes more bits to describe, but the timeout only seems
// to fit.
func (x *explainer) preferInstants(instants []*proposal) {
	changed := false
	for kind := range x.kinds {
		if x.kinds[kind].Name != sessionExpiry.Name {
			continue
		}
		for _, p := range x.waiting[kind] {
			for _, q := range instants {
				if !p.settled && q.packed.n > p.packed.n && p.merit >= q.merit && float64(inBoth(&p.packed, &q.packed)) >= minKept*float64(p.packed.n) {
					p.weight, changed = minKept*q.merit/p.merit, true
					x.weigh(p)
				}
			}
		}
	}
	if changed {
		heap.Init(&x.queue)
	}
}

// ofNobody reports whether a subject stands for the clients beyond the limit of
// names, which are summed up under one name.
func ofNobody(state *timeline.State, s *result.Subject) bool {
	return state.OtherClients > 0 && (s.ClientAddress == timeline.OtherName || s.UserAgent == timeline.OtherName)
}

// weigh sets the number of refusals that a proposal would explain now, and its merit.
func (x *explainer) weigh(p *proposal) {
	p.open = 0
	for i := range p.packed.each {
		if x.d.finding[i] == 0 {
			p.open++
		}
	}
	p.merit = float64(p.open) * p.Confidence / x.description(&p.Finding)
	if x.kinds[p.kind].certain {
		p.merit *= certainty
	}
	if p.weight != 0 {
		p.merit *= p.weight
	}
}

// description returns how many bits it takes to say what a finding is about: its
// kind, which of all such subjects, and since when.
func (x *explainer) description(f *result.Finding) float64 {
	bits := math.Log2(float64(x.causes))
	for _, part := range []struct {
		name string
		of   int
	}{
		{f.Subject.Host, len(x.d.Lifetimes)},
		{f.Subject.Route, len(x.d.State.Endpoints)},
		{f.Subject.Upstream, len(x.d.State.Upstreams)},
		{f.Subject.Server, len(x.d.State.Servers)},
		{f.Subject.User, len(x.d.State.Users)},
		{f.Subject.ClientAddress, len(x.d.State.Addresses)},
		{f.Subject.UserAgent, len(x.d.State.Agents)},
	} {
		if part.name != "" {
			bits += math.Log2(float64(1 + part.of))
		}
	}
	if f.Onset != parse.NoTime {
		bits += math.Log2(session.MaxSteps)
	}
	return bits
}

// choose accepts proposals, the best first, until none waits.
func (x *explainer) choose() error {
	for x.queue.Len() > 0 {
		p := heap.Pop(&x.queue).(*proposal)
		if p.generation != x.generation[p.kind] {
			continue // replaced by a later inspection of its kind
		}
		was := p.open
		x.weigh(p)
		switch {
		case float64(p.open) < intact*float64(p.packed.n) && x.inspections < maxInspections:
			x.inspections++
			if err := x.inspect(p.kind); err != nil {
				return err
			}
		case float64(p.open) < minKept*float64(p.packed.n) || p.open == 0:
			p.settled = true
			x.absorb(p)
		case p.open < was && x.queue.Len() > 0 && x.queue[0].before(p):
			heap.Push(&x.queue, p)
		default:
			p.settled = true
			if by := x.cause(p); by > 0 {
				x.join(p, by)
			} else {
				x.accept(p)
			}
		}
	}
	return nil
}

func (x *explainer) accept(p *proposal) {
	f := p.candidate
	if all := f.packed; p.open < all.n {
		f.packed = ascendingOf(func(yield func(uint32) bool) {
			all.each(func(i uint32) bool { return x.d.finding[i] > 0 || yield(i) })
		})
	}
	x.accepted = append(x.accepted, f)
	x.absorbed = append(x.absorbed, nil)
	x.taken[f.ID] = true
	for i := range f.packed.each {
		x.d.finding[i] = int32(len(x.accepted))
		x.d.closed.Add(int(i))
	}
}

// absorb makes a proposal part of the finding that has most of its claims.
func (x *explainer) absorb(p *proposal) {
	n := map[int32]int64{}
	for i := range p.packed.each {
		if f := x.d.finding[i]; f > 0 {
			n[f]++
		}
	}
	by := int32(0)
	for f, count := range n {
		if by == 0 || count > n[by] || count == n[by] && f < by {
			by = f
		}
	}
	if by == 0 {
		return // no finding has any of its claims
	}
	x.note(int(by), &p.Finding, n[by])
}

// note notes that an accepted finding, by its index plus one, has refusals of another.
func (x *explainer) note(by int, f *result.Finding, shared int64) {
	if x.absorbed[by-1] == nil {
		x.absorbed[by-1] = map[string]absorbed{}
	}
	x.absorbed[by-1][f.ID] = absorbed{*f, shared}
}

// listAbsorbed lists in each accepted finding what it explains away, those that
// share most refusals first.
func (x *explainer) listAbsorbed() {
	for i, all := range x.absorbed {
		var list []absorbed
		for id, a := range all {
			if !x.taken[id] {
				list = append(list, a)
			}
		}
		slices.SortFunc(list, func(a, b absorbed) int {
			return cmp.Or(cmp.Compare(b.shared, a.shared), cmp.Compare(a.ID, b.ID))
		})
		f := &x.accepted[i].Finding
		f.AbsorbedCount = len(list)
		for _, a := range list[:min(len(list), result.MaxAbsorbed)] {
			f.Absorbed = append(f.Absorbed, a.Finding)
		}
	}
}

// queue is a heap of proposals, the best first.
type queue []*proposal

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].before(q[j]) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(p any)        { *q = append(*q, p.(*proposal)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	*q = (*q)[:last]
	return p
}
