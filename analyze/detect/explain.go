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

// One trouble is one finding. All detectors propose what they see in the 401s
// that nothing explains yet, and a greedy cover picks: first the proposal that
// explains most 401s for each bit that it takes to describe it (Chvátal, A
// greedy heuristic for the set-covering problem, 1979; description length as in
// Rissanen, 1978). A wider subject takes fewer bits than many narrow ones: a bad
// backend is not forty bad routes, a client that tries every account is not so
// many failing accounts. What has lost claims to another finding is tested again
// on what is left, by its own detector, and stands or is absorbed.

const (
	// intact is the share of its claims that a proposal must still have to be
	// taken as it was tested.
	intact = 0.99
	// minKept is the share that it must have where it is not tested again.
	minKept = 0.5
	// maxInspections bounds how often a run's detectors are asked again: each
	// time costs a walk over the 401s.
	maxInspections = 64
	// maxRounds is how often all detectors are asked what they see in the rest.
	maxRounds = 3
	// certainty is how much more a kind weighs whose sign each 401 shows: twice,
	// for a tie must not be broken by chance.
	certainty = 2
)

// proposal is a candidate that waits to be picked.
type proposal struct {
	candidate
	detector   int
	generation int     // of its detector's proposals
	open       int     // claims that no finding has
	merit      float64 // 401s explained for each bit of description
}

// explainer picks findings among proposals.
type explainer struct {
	*Diagnosis
	kinds       []Kind
	generation  []int // by detector: older proposals have been replaced
	waiting     [][]*proposal
	queue       proposals
	inspections int
	accepted    []candidate
	taken       map[string]bool       // ids of the accepted
	absorbed    []map[string]absorbed // by place in accepted, by id
}

// absorbed is a finding that is part of another one.
type absorbed struct {
	result.Finding
	shared int64 // refusals of both
}

// explain gives the findings; the facts they explain name them, by place plus
// one.
func (c *Diagnosis) explain(detectors []Kind) ([]candidate, error) {
	x := &explainer{
		Diagnosis: c, kinds: detectors, generation: make([]int, len(detectors)),
		waiting: make([][]*proposal, len(detectors)), taken: map[string]bool{},
	}
	for _, residual := range []bool{false, true} {
		for range maxRounds {
			before := len(x.accepted)
			if err := x.inspectAll(residual); err != nil {
				return nil, err
			}
			if err := x.pick(); err != nil {
				return nil, err
			}
			if len(x.accepted) == before {
				break
			}
		}
	}
	x.listAbsorbed()
	return x.accepted, nil
}

// inspection is what a detector found.
type inspection struct {
	done  bool
	found []candidate
	err   error
}

// inspectUnobserved asks the detectors that need the facts alone for the first
// time, one after the other.
func (c *Diagnosis) inspectUnobserved() {
	c.inspected = make([]inspection, len(c.kinds))
	for i := range c.kinds {
		if d := &c.kinds[i]; d.observe == nil && !d.residual {
			found, err := d.inspect(c, nil)
			c.inspected[i] = inspection{true, found, err}
		}
	}
}

// inspectAll asks all detectors that are residual, or that are not, what they see
// in the open 401s: side by side, because none changes what another one reads.
func (x *explainer) inspectAll(residual bool) error {
	seen := x.inspected
	if x.inspected = nil; seen == nil {
		seen = make([]inspection, len(x.kinds))
	}
	var tasks []func()
	for i := range x.kinds {
		if d := &x.kinds[i]; d.residual == residual && !seen[i].done {
			tasks = append(tasks, func() { seen[i].found, seen[i].err = d.inspect(x.Diagnosis, x.observed[d.Name]) })
		}
	}
	x.Parallel(tasks...)
	for i := range seen {
		if seen[i].err != nil {
			return seen[i].err
		}
	}
	for i := range x.kinds {
		if x.kinds[i].residual == residual {
			x.propose(i, seen[i].found)
		}
	}
	return nil
}

// inspect asks a detector again.
func (x *explainer) inspect(i int) error {
	d := &x.kinds[i]
	found, err := d.inspect(x.Diagnosis, x.observed[d.Name])
	if err != nil {
		return err
	}
	x.propose(i, found)
	return nil
}

// propose takes in what a detector sees in the open 401s. Its new proposals
// replace those that wait.
func (x *explainer) propose(i int, found []candidate) {
	d := &x.kinds[i]
	x.generation[i]++
	stands := map[string]bool{}
	old := x.waiting[i]
	x.waiting[i] = nil
	for _, f := range found {
		f.Kind, f.Category = d.Name, string(d.Category)
		f.ID = findingID(d.Name, f.Subject)
		if len(f.claims) == 0 || x.taken[f.ID] || stands[f.ID] || x.OfNobody(&f.Subject) {
			continue
		}
		stands[f.ID] = true
		p := &proposal{candidate: f, detector: i, generation: x.generation[i]}
		x.weigh(p)
		x.waiting[i] = append(x.waiting[i], p)
		heap.Push(&x.queue, p)
	}
	for _, p := range old {
		if !stands[p.ID] {
			x.absorb(p)
		}
	}
}

// weigh counts what a proposal would explain now.
func (x *explainer) weigh(p *proposal) {
	p.open = 0
	for _, i := range p.claims {
		if x.finding[i] == 0 {
			p.open++
		}
	}
	p.merit = float64(p.open) * p.Confidence / x.description(&p.Finding)
	if x.kinds[p.detector].certain {
		p.merit *= certainty
	}
}

// description is how many bits it takes to say what a finding is about: its
// kind, which of all such subjects, and since when.
func (x *explainer) description(f *result.Finding) float64 {
	bits := math.Log2(float64(len(Catalogue()) + int(session.NumCauses)))
	if f.Subject.Host != "" {
		bits += math.Log2(float64(1 + len(x.Lifetimes)))
	}
	if f.Subject.Route != "" {
		bits += math.Log2(float64(1 + len(x.State.Endpoints)))
	}
	if f.Subject.Upstream != "" {
		bits += math.Log2(float64(1 + len(x.State.Upstreams)))
	}
	if f.Subject.User != "" {
		bits += math.Log2(float64(1 + len(x.State.Users)))
	}
	if f.Subject.ClientAddress != "" {
		bits += math.Log2(float64(1 + len(x.State.Addresses)))
	}
	if f.Subject.UserAgent != "" {
		bits += math.Log2(float64(1 + len(x.State.Agents)))
	}
	if f.Onset != parse.NoTime {
		bits += math.Log2(session.MaxSteps)
	}
	return bits
}

// pick accepts proposals, the best first, until none waits.
func (x *explainer) pick() error {
	for x.queue.Len() > 0 {
		p := heap.Pop(&x.queue).(*proposal)
		if p.generation != x.generation[p.detector] {
			continue // its detector has been asked again
		}
		was := p.open
		x.weigh(p)
		switch {
		case float64(p.open) < intact*float64(len(p.claims)) && x.inspections < maxInspections:
			x.inspections++
			if err := x.inspect(p.detector); err != nil {
				return err
			}
		case float64(p.open) < minKept*float64(len(p.claims)) || p.open == 0:
			x.drop(p)
			x.absorb(p)
		case p.open < was && x.queue.Len() > 0 && x.queue[0].before(p):
			heap.Push(&x.queue, p)
		default:
			x.drop(p)
			x.accept(p)
		}
	}
	return nil
}

// drop takes a proposal off those that wait.
func (x *explainer) drop(p *proposal) {
	x.waiting[p.detector] = slices.DeleteFunc(x.waiting[p.detector], func(q *proposal) bool { return q == p })
}

func (x *explainer) accept(p *proposal) {
	f := p.candidate
	f.claims = slices.DeleteFunc(slices.Clone(f.claims), func(i uint32) bool { return x.finding[i] != 0 })
	x.accepted = append(x.accepted, f)
	x.absorbed = append(x.absorbed, nil)
	x.taken[f.ID] = true
	for _, i := range f.claims {
		x.finding[i] = int32(len(x.accepted))
	}
}

// absorb notes of which finding a proposal is a part: the one that has most of
// its claims.
func (x *explainer) absorb(p *proposal) {
	n := map[int32]int64{}
	for _, i := range p.claims {
		if f := x.finding[i]; f != 0 {
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
		return // it does not stand by itself
	}
	if x.absorbed[by-1] == nil {
		x.absorbed[by-1] = map[string]absorbed{}
	}
	x.absorbed[by-1][p.ID] = absorbed{p.Finding, n[by]}
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

// proposals is a heap, the best first.
type proposals []*proposal

// before orders by merit, and where that is equal by id.
func (p *proposal) before(q *proposal) bool {
	if p.merit != q.merit {
		return p.merit > q.merit
	}
	return p.ID < q.ID
}

func (q proposals) Len() int           { return len(q) }
func (q proposals) Less(i, j int) bool { return q[i].before(q[j]) }
func (q proposals) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *proposals) Push(p any)        { *q = append(*q, p.(*proposal)) }
func (q *proposals) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	*q = (*q)[:last]
	return p
}

// ofNobody tells whether a finding is of clients that are told together.
func (c *Diagnosis) OfNobody(s *result.Subject) bool {
	return c.State.OtherClients > 0 && (s.ClientAddress == timeline.OtherName || s.UserAgent == timeline.OtherName)
}
