package detect

import (
	"slices"

	"logscan/analyze/session"
	"logscan/parse"
)

// A route that begins to refuse everybody refuses programs, too. Those with a pace are
// recognised one by one before the route is compared with others, each as a program whose
// credentials have expired. If the route turns out to refuse nearly all of its clients
// meanwhile, they are part of that. So are the programs that come to one backend only, if that
// turns out to refuse what the others accept.

// uniteRoutes moves the refusals of such programs to the accepted findings of their routes and
// backends, and drops the findings of the programs.
func (x *explainer) uniteRoutes() {
	gone := make([]int, len(x.accepted)) // index plus one of the finding that has the refusals now
	united := false
	for i, f := range x.accepted {
		if details, ok := f.Details.(*FailingIntegration); !ok || !details.Ongoing {
			continue
		}
		for j, route := range x.accepted {
			if x.closedTo(route, f) || x.servedAt(route, f) {
				gone[i], united = j+1, true
				break
			}
		}
	}
	if !united {
		return
	}
	for i := range gone {
		if gone[i] > 0 {
			f := x.accepted[i]
			x.note(gone[i], &f.Finding, int64(f.packed.n))
			delete(x.taken, f.ID)
			x.extend(gone[i]-1, slices.Collect(f.packed.each))
		}
	}
	x.keep(func(i int) bool { return gone[i] == 0 })
}

// closedTo reports whether a finding is of a route that refuses nearly all of its clients
// from a time on, and the refusals of another are there and then.
func (x *explainer) closedTo(route, f *candidate) bool {
	details, ok := route.Details.(*BrokenEndpoint)
	if !ok || !details.Ongoing || details.RefusedShare < outageShare || route.Onset == parse.NoTime || route.packed.n == 0 {
		return false
	}
	form := x.d.Form(x.d.Refusals.At(int(route.packed.first())).Endpoint)
	n, all := 0, 0
	from := route.Onset/1000 - onsetLength
	for _, r := range x.d.Refusals.Of(f.packed.each) {
		if all++; r.Time >= from && x.d.Form(r.Endpoint) == form {
			n++
		}
	}
	return details.Routes == 0 && float64(n) >= consequentShare*float64(all)
}

// servedAt reports whether a finding is of a backend or server that still refuses people, and the
// refusals of another are there and then.
func (x *explainer) servedAt(place, f *candidate) bool {
	details, ok := place.Details.(*BadUpstream)
	if !ok || !details.Ongoing {
		return false
	}
	from := session.LongAgo
	if place.Onset != parse.NoTime {
		from = place.Onset/1000 - onsetLength
	}
	for _, p := range placesOf(x.d) {
		name := place.Subject.Upstream
		if p.server {
			name = place.Subject.Server
		}
		if name == "" {
			continue
		}
		n := 0
		for i, r := range x.d.Refusals.Of(f.packed.each) {
			if at := p.refuse(int(i), r); at >= 0 && p.names[at] == name && r.Time >= from {
				n++
			}
		}
		if float64(n) >= consequentShare*float64(f.packed.n) {
			return true
		}
	}
	return false
}

// keep drops the accepted findings for which kept returns false, none of which has refusals.
func (x *explainer) keep(kept func(int) bool) {
	place := make([]int32, len(x.accepted)+1)
	n := 0
	for i := range x.accepted {
		if kept(i) {
			x.accepted[n], x.absorbed[n] = x.accepted[i], x.absorbed[i]
			n++
			place[i+1] = int32(n)
		}
	}
	x.accepted, x.absorbed = x.accepted[:n], x.absorbed[:n]
	for i, f := range x.d.finding {
		x.d.finding[i] = place[f]
	}
}
