package detect

import (
	"cmp"
	"maps"
	"slices"
	"sort"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// A link that works once is spent by whoever opens it first: mail scanners and previews open
// what is sent to people, and those are refused afterwards.
//
// Sign: clients that are refused at a route which nearly everybody requests once or twice, or by
// the page to which it redirects them, and, minutes before, another client that was accepted
// there and requests next to nothing else. Not: links that have expired (nobody opened them),
// people who open a link on a second device (the first one goes on), previews of links that stay
// good.
//
// Statistic: for each refused client, the openings shortly before it against those shortly
// after. If they had nothing to do with each other, both would be as frequent: an exact sign
// test, with the best of a few windows (Bonferroni).

const (
	// linkClients is the minimum number of clients refused after an opening.
	linkClients = 5
	// linkRequests is the maximum number of requests for each actor of a route that takes
	// one-time links: the link, once more, and what a scanner repeats.
	linkRequests = 3
	// linkFalse is the accepted chance of a false report, and linkShare the minimum share of
	// the refused clients that openings before them account for.
	linkFalse = 0.01
	linkShare = 0.5
	// linkDoubt is the chance up to which it may be so, and what looks ordinary is not known
	// to be.
	linkDoubt = 0.1
	// linkOnly is the minimum share of the refused clients that are refused nowhere else, but
	// for signing in: what else a site has is not protected by the link.
	linkOnly = 0.8
	// openerRequests is the maximum number of requests for each link of a client that only
	// opens links: with the page that follows, and its files.
	openerRequests = 8
	// openerVisit is the maximum time, in milliseconds, between the first and the last request
	// of a client that opens a single link.
	openerVisit = 60_000
	// maxLinkRoutes is the maximum number of routes that are looked at, and maxOpenings that of
	// the acceptances of each.
	maxLinkRoutes = 16
	maxOpenings   = 1 << 20
)

// linkWindows are the times, in milliseconds, within which links are clicked that a scanner
// opens as the mail arrives.
var linkWindows = [...]int64{60_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000}

// withOpenedLinks returns a kind with the texts of findings of openedLinks.
func withOpenedLinks(k Kind) Kind {
	return withVariant(k, "Opened",
		`{{route .Subject}} refuses {{count .Details.Opened "client"}} whose links had been opened before them`,
		`{{with .Details}}{{plural .Opened "client was" "clients were"}} refused here within {{duration .OpenedWithin}} after another client, which requests next to nothing but such links, had been accepted: {{share .RefusedShare}} of the people who followed a link.
		Mail scanners (Microsoft Safe Links, Proofpoint, Barracuda) and previews in chats open the links of a message before its reader does. A link that works once, to sign in, to reset a password or to accept an invitation, is spent then.{{end}}`,
		`Let the link show a page with a button, and accept the token by the POST of that button only: scanners follow links, but submit no forms.`,
		`Or accept the token again for some minutes after its first use, or send a code to type in. A HEAD request must not spend it.`,
	)
}

// opening is an acceptance on a route that may take one-time links.
type opening struct {
	time   int64 // Unix milliseconds
	client timeline.Client
	route  int32 // index into linkObserver.routes
}

// linkObserver collects the acceptances of routes that may take one-time links. A request
// takes constant time.
type linkObserver struct {
	d      *Diagnosis
	routes []uint32 // endpoints
	place  []int32  // by endpoint: index into routes plus one
	parts  []*[]opening
	by     [][]opening // by route, in the order of time
}

// ofLink reports whether a refusal may be that of a link which was opened before. Its owner
// may sign in otherwise then, so that it looks like a challenge.
func (d *Diagnosis) ofLink(i int, r *session.Refusal) bool {
	return (d.open(i) || r.Arrival) && !d.State.Unlisted(r.Client()) && !r.Named && !r.Session && !r.Alive && !r.Dead && !r.Renewal && d.State.Endpoints[r.Endpoint].Method == "GET"
}

// linkOf returns the route of the link of a refusal: the one that redirected its client just
// before, if it may take one-time links, else its own.
func (d *Diagnosis) linkOf(r *session.Refusal) uint32 {
	if from := r.Redirect; from != 0 && d.State.Endpoints[from-1].Method == "GET" && d.visitedOnce(from-1) {
		return from - 1
	}
	return r.Endpoint
}

// observeLinks returns an observer of the routes that may take one-time links and refuse
// several clients, nearly all of which are refused nowhere else; nil if there are none.
func observeLinks(d *Diagnosis) *linkObserver {
	refused := map[uint32]map[timeline.Client]bool{} // by route: whether its clients are refused elsewhere
	spent := map[uint32]int64{}                      // by route: redirects to what refused
	for i, r := range d.Refusals.All() {
		if !d.ofLink(i, r) {
			continue
		}
		route := d.linkOf(r)
		clients := refused[route]
		if clients == nil && d.visitedOnce(route) {
			clients = map[timeline.Client]bool{}
			refused[route] = clients
		}
		if route != r.Endpoint {
			spent[route]++
		}
		if clients != nil {
			clients[r.Client()] = false
		}
	}
	maps.DeleteFunc(refused, func(route uint32, clients map[timeline.Client]bool) bool {
		return len(clients) < linkClients || passed(&d.State.Endpoints[route].Tally)-spent[route] < int64(len(clients))
	})
	if len(refused) == 0 || len(refused) > maxLinkRoutes {
		return nil // no page of a site is like that many others
	}
	for _, r := range d.eachOpen() {
		for route, clients := range refused {
			if _, here := clients[r.Client()]; here && !r.SignIn && d.linkOf(r) != route {
				clients[r.Client()] = true
			}
		}
	}
	o := &linkObserver{d: d}
	for route, clients := range refused {
		only := 0
		for _, elsewhere := range clients {
			if !elsewhere {
				only++
			}
		}
		if float64(only) >= linkOnly*float64(len(clients)) {
			o.routes = append(o.routes, route)
		}
	}
	if len(o.routes) == 0 {
		return nil
	}
	slices.Sort(o.routes)
	o.place = places(o.routes, len(d.State.Endpoints))
	return o
}

// passed returns how many requests were accepted or redirected.
func passed(t *timeline.Tally) int64 { return t.N[timeline.Accepted] + t.N[timeline.Redirected] }

// visitedOnce reports whether a route, which is no file that pages load, is requested about
// once by each actor.
func (d *Diagnosis) visitedOnce(route uint32) bool {
	e := &d.State.Endpoints[route]
	return e.Requests() <= linkRequests*d.Endpoints[route].Actors && passed(&e.Tally) <= maxOpenings && !session.IsAsset(e.Template)
}

func (o *linkObserver) part() func(*timeline.Actor) {
	var list []opening
	o.parts = append(o.parts, &list)
	spent := map[int]bool{} // redirects to what refused
	return func(a *timeline.Actor) {
		clear(spent)
		for i := range a.Events {
			e := &a.Events[i]
			if e.Outcome != timeline.Unauthorized || e.Refusal >= timeline.EarlierEvent {
				continue
			}
			if link := o.d.Refusals.At(int(e.Refusal)).Redirect; link != 0 && link-1 != e.Endpoint && o.place[link-1] > 0 {
				spent[session.EventBefore(a, i, func(r *timeline.Event) bool { return r.Endpoint == link-1 && r.Outcome == timeline.Redirected })] = true
			}
		}
		for i := range a.Events {
			e := &a.Events[i]
			if to := o.place[e.Endpoint]; to > 0 && e.Outcome <= timeline.Redirected && !spent[i] {
				list = append(list, opening{e.Time, e.Client, to - 1})
			}
		}
	}
}

func (o *linkObserver) gather() {
	o.by = make([][]opening, len(o.routes))
	for _, list := range o.parts {
		for _, x := range *list {
			o.by[x.route] = append(o.by[x.route], x)
		}
	}
	for _, list := range o.by {
		slices.SortFunc(list, func(a, b opening) int {
			return cmp.Or(cmp.Compare(a.time, b.time), timeline.CompareClients(a.client, b.client))
		})
	}
	o.parts = nil
}

// openedLinks returns a finding for each route whose links somebody else opens before the
// people they were sent to.
func (d *Diagnosis) openedLinks(o *linkObserver) (found []candidate) {
	for _, x := range d.linkRoutes(o) {
		if x.p > linkFalse || float64(x.excess) < linkShare*float64(x.preceded) {
			continue
		}
		if c := d.openedLink(&x); len(c.claims) >= linkClients {
			found = append(found, c)
		}
	}
	return found
}

// doubtedLinks returns the refusals that no finding explains of routes whose links somebody
// else may open before the people they were sent to: too few show it, or too many links are in
// use at once.
func (d *Diagnosis) doubtedLinks(o *linkObserver) (all session.Bits) {
	for _, x := range d.linkRoutes(o) {
		if x.p <= linkDoubt {
			for _, i := range x.refused {
				all.Add(int(i))
			}
		}
	}
	return all
}

// linkRoute is a route that may take one-time links, with what comes of them.
type linkRoute struct {
	endpoint uint32
	refused  []uint32                  // open refusals, but for those of openers and of second clicks
	first    map[timeline.Client]int64 // when each of their clients was refused first
	opened   openings
	people   int // clients that were accepted, but for openers
	precedence
}

// linkRoutes returns the routes of an observer, nil for none.
func (d *Diagnosis) linkRoutes(o *linkObserver) (routes []linkRoute) {
	if o == nil {
		return nil
	}
	refused := make([][]uint32, len(o.routes))
	for i, r := range d.Refusals.All() {
		if to := o.place[d.linkOf(r)]; to > 0 && d.ofLink(i, r) {
			refused[to-1] = append(refused[to-1], uint32(i))
		}
	}
	for n, list := range o.by {
		x := linkRoute{endpoint: o.routes[n], first: map[timeline.Client]int64{}}
		openers, people := d.openersOf(list), map[timeline.Client]int64{}
		for _, y := range list {
			if openers[y.client] {
				x.opened = append(x.opened, y.time)
			} else if _, known := people[y.client]; !known {
				people[y.client] = y.time
			}
		}
		var times []int64
		for i, r := range d.Refusals.Of(slices.Values(refused[n])) {
			client := r.Client()
			if at, accepted := people[client]; openers[client] || accepted && at < r.Time {
				continue
			}
			x.refused = append(x.refused, i)
			if _, known := x.first[client]; !known {
				x.first[client] = r.Time
				times = append(times, r.Time)
			}
		}
		x.people, x.precedence = len(people), x.opened.precede(times)
		routes = append(routes, x)
	}
	return routes
}

// openersOf returns the clients that do next to nothing but open links.
func (d *Diagnosis) openersOf(list []opening) map[timeline.Client]bool {
	links := map[timeline.Client]int64{}
	for _, x := range list {
		links[x.client]++
	}
	openers := map[timeline.Client]bool{}
	for client, n := range links {
		s := d.Clients[client]
		if s == nil || d.State.Unlisted(client) {
			continue
		}
		brief := n > 1 || s.Tally.Last-s.Tally.First <= openerVisit*1000
		openers[client] = brief && s.Tally.Requests() <= openerRequests*n && s.Tally.N[timeline.Unauthorized] <= n
	}
	return openers
}

// openings are the times at which openers were accepted on a route, ascending.
type openings []int64

// within returns how many of them are after a time, up to and including another.
func (o openings) within(after, until int64) int {
	at := func(ms int64) int { return sort.Search(len(o), func(i int) bool { return o[i] > ms }) }
	return at(until) - at(after)
}

// precedence is how openings come before refusals, rather than after.
type precedence struct {
	p        float64 // the p-value, 1 if there is no such excess
	window   int64   // for which it is least, in milliseconds
	preceded int     // clients refused that an opening precedes within it
	excess   int     // clients with more openings before than after, less those with fewer
}

// precede tests whether openings come before the times at which clients were refused first.
func (o openings) precede(refused []int64) precedence {
	best := precedence{p: 1}
	for _, w := range linkWindows {
		before, after, preceded := 0, 0, 0
		for _, at := range refused {
			earlier, later := o.within(at-w-1, at), o.within(at, at+w)
			if earlier > 0 {
				preceded++
			}
			switch {
			case earlier > later:
				before++
			case earlier < later:
				after++
			}
		}
		p := stats.BinomialTail(int64(before), int64(before+after), 0.5) * float64(len(linkWindows))
		if before-after >= linkClients && p < best.p {
			best = precedence{p, w, preceded, before - after}
		}
	}
	return best
}

// openedLink returns the finding of a route.
func (d *Diagnosis) openedLink(x *linkRoute) candidate {
	var cand candidate
	for i, r := range d.Refusals.Of(slices.Values(x.refused)) {
		if at := x.first[r.Client()]; d.open(int(i)) && x.opened.within(at-x.window-1, at) > 0 {
			cand.claims = append(cand.claims, i)
		}
	}
	e, clients, followed := &d.State.Endpoints[x.endpoint], int64(x.preceded), int64(x.preceded+x.people)
	cand.Subject, cand.Onset, cand.Severity = endpointSubject(e), parse.NoTime, result.Medium
	cand.Confidence = confidence(x.p, stats.WilsonLower(clients, int64(len(x.first)), stats.Z95))
	cand.Details = &BrokenEndpoint{
		Opened: x.preceded, OpenedWithin: result.Seconds(x.window / 1000),
		RefusedShare: result.Share(round(float64(clients)/float64(followed), 4)),
		RefusedLow:   result.Share(round(stats.WilsonLower(clients, followed, stats.Z95), 4)),
		PValue:       result.Probability(x.p), Accepted: e.N[timeline.Accepted], Ongoing: len(cand.claims) > 0 && d.ongoing(cand.claims[len(cand.claims)-1]),
	}
	return cand
}
