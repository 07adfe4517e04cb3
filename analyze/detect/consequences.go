package detect

import "logscan/analyze/session"

// What a wide trouble does to clients and routes is not told again. While nobody is
// accepted, what is refused to people and programs is that outage, however it is looked
// at. While a site refuses requests at random, so does each path of it. While many clients
// try stolen passwords, the attack is also what they are refused beyond the accounts that it
// is known by.

// consequentShare is the minimum share of the refusals of a proposal that lie in the time
// and the place of a finding whose consequence it is: the edges of times blur it.
const consequentShare = 0.9

// cause returns the accepted finding, as its index plus one, whose consequence a proposal
// is; 0 for none.
func (x *explainer) cause(p *proposal) int {
	if x.kinds[p.kind].Category == AttackCategory {
		return 0 // whose clients are others
	}
	for i, f := range x.accepted {
		var in func(*session.Refusal) bool
		switch details := f.Details.(type) {
		case *Outage:
			if f.packed.n == 0 || details.Part || f.Subject.Route != "" {
				continue
			}
			in = func(r *session.Refusal) bool {
				return f.Subject.Host == "" || x.d.State.Endpoints[r.Endpoint].Host == f.Subject.Host
			}
		case *Attack:
			if in = x.attacking(f); in == nil {
				continue
			}
		case *Intermittent:
			if f.packed.n == 0 || details.Renewals || !someOfPath(p) {
				continue
			}
			in = func(r *session.Refusal) bool { return x.d.State.Endpoints[r.Endpoint].Host == f.Subject.Host }
		default:
			continue
		}
		if x.liesIn(p, f, in) {
			return i + 1
		}
	}
	return 0
}

// someOfPath reports whether a proposal is a path that refuses some of the clients on several of
// its routes: what is refused at random on all routes of a site is so on those of a path.
func someOfPath(p *proposal) bool {
	x, ok := p.Details.(*BrokenEndpoint)
	return ok && x.Routes > 1 && float64(x.RefusedShare) < closedRoutes
}

// attacking returns a function that reports whether a refusal is of the software and the
// route of an attack by many clients; nil for an attack by one.
func (x *explainer) attacking(f *candidate) func(*session.Refusal) bool {
	if f.Subject.Type != "site" {
		return nil
	}
	type tool struct{ agent, endpoint uint32 }
	tools := map[tool]bool{}
	for _, r := range x.d.Refusals.Of(f.packed.each) {
		tools[tool{r.Agent, r.Endpoint}] = true
	}
	return func(r *session.Refusal) bool { return tools[tool{r.Agent, r.Endpoint}] }
}

// liesIn reports whether the refusals of a proposal lie in the time of a finding, and in
// its place.
func (x *explainer) liesIn(p *proposal, f *candidate, in func(*session.Refusal) bool) bool {
	from := x.d.Refusals.At(int(f.packed.first())).Time - session.Nearby
	to := x.d.Refusals.At(int(f.packed.last)).Time + session.Nearby
	n := 0
	for _, r := range x.d.Refusals.Of(p.packed.each) {
		if r.Time >= from && r.Time <= to && in(r) {
			n++
		}
	}
	return float64(n) >= consequentShare*float64(p.packed.n)
}

// join makes the refusals of a proposal part of an accepted finding.
func (x *explainer) join(p *proposal, to int) {
	var left []uint32
	for i := range p.packed.each {
		if x.d.finding[i] == 0 {
			left = append(left, i)
		}
	}
	x.extend(to-1, left)
	x.absorb(p)
}
