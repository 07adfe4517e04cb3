package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// A HEAD request is answered as a GET of the same URL would be, without the content (RFC 9110,
// section 9.3.2). Where GET is open to everybody and HEAD is refused, a rule lists methods: what
// checks links, shows previews or refreshes caches takes the pages for missing.
//
// Sign: on routes of a host where GET refuses next to nobody, HEAD accepts nobody, and clients
// that it refused are accepted by GET within minutes, without a user or session. Not: the first
// leg of a handshake (GET is protected), scanners (they ask by HEAD alone).
//
// Statistic: the binomial tail of as many refused clients at the share of requests that GET
// may refuse.

const (
	// headBoth is the minimum number of clients that HEAD refused and GET accepted.
	headBoth = 3
	// headUsual is the maximum share of requests that GET refuses where it is open.
	headUsual = 0.01
)

// withClosedHeads returns a kind with the texts of findings of closedHeads.
func withClosedHeads(k Kind) Kind {
	return withVariant(k, "Heads",
		`{{route .Subject}} is refused, but GET is open to everybody`,
		`{{with .Details}}{{plural .Heads "client was" "clients were"}} refused by HEAD on {{count (or .Routes 1) "route"}}, where GET accepts requests without credentials; {{plural .HeadsByGET "of them was" "of them were"}} accepted by GET within {{duration .Nearby}}.
		A HEAD request is answered like a GET, without the content (RFC 9110, section 9.3.2): link checkers, previews, download programs and caches take the pages for missing.{{end}}`,
		`Treat HEAD like GET in the rules for methods (Apache Limit and LimitExcept, IIS verbs, Spring requestMatchers(HttpMethod.GET), filters of an application or API gateway).`,
	)
}

// headObserver follows HEAD and GET on routes where the former is refused and the latter open.
type headObserver struct {
	d     *Diagnosis
	heads [][]uint32 // by host: the endpoints of HEAD
	site  []int32    // by endpoint of either method: index into heads plus one
	route []uint32   // by endpoint of either method: the one of HEAD
	parts []*[]visitor
	both  []int // by host: actors that HEAD refused and GET accepted
}

// observeHeads returns an observer of the hosts where HEAD refuses enough clients on routes whose
// GET is open; nil if there are none.
func observeHeads(d *Diagnosis) *headObserver {
	type place struct{ host, template string }
	heads, gets := map[place]uint32{}, map[place]uint32{}
	for i := range d.State.Endpoints {
		e := &d.State.Endpoints[i]
		if e.Method == "HEAD" && e.N[timeline.Unauthorized] > 0 && passed(&e.Tally)+e.Known.Accepted == 0 {
			heads[place{e.Host, e.Template}] = uint32(i)
		}
	}
	if len(heads) == 0 {
		return nil
	}
	for i := range d.State.Endpoints {
		e := &d.State.Endpoints[i]
		at := place{e.Host, e.Template}
		if _, ok := heads[at]; ok && e.Method == "GET" && d.Roles[i]&session.Guards == 0 && e.N[timeline.Accepted] > 0 &&
			float64(e.Requests()-e.N[timeline.Accepted]) <= headUsual*float64(e.Requests()) {
			gets[at] = uint32(i)
		}
	}
	clients := map[string]map[timeline.Client]bool{} // refused by HEAD, by host
	for _, r := range d.eachOpen() {
		e := &d.State.Endpoints[r.Endpoint]
		if _, open := gets[place{e.Host, e.Template}]; open && e.Method == "HEAD" && !d.State.Unlisted(r.Client()) {
			if clients[e.Host] == nil {
				clients[e.Host] = map[timeline.Client]bool{}
			}
			clients[e.Host][r.Client()] = true
		}
	}
	maps.DeleteFunc(clients, func(_ string, refused map[timeline.Client]bool) bool { return len(refused) < endpointActors })
	if len(clients) == 0 {
		return nil
	}
	o := &headObserver{d: d, site: make([]int32, len(d.State.Endpoints)), route: make([]uint32, len(d.State.Endpoints))}
	for _, host := range slices.Sorted(maps.Keys(clients)) {
		var list []uint32
		for at, head := range heads {
			if get, open := gets[at]; open && at.host == host {
				n := int32(len(o.heads)) + 1
				list, o.site[head], o.site[get], o.route[head], o.route[get] = append(list, head), n, n, head, head
			}
		}
		slices.Sort(list)
		o.heads = append(o.heads, list)
	}
	return o
}

// part returns a function that notes the actors without a session that HEAD refuses and GET
// accepts on one route within minutes.
func (o *headObserver) part() func(a *timeline.Actor, id uint32) {
	var list []visitor
	o.parts = append(o.parts, &list)
	type times struct{ refused, accepted int64 }
	last := map[uint32]times{} // by route
	return func(a *timeline.Actor, id uint32) {
		if a.Session != nil {
			return
		}
		clear(last)
		for i := range a.Events {
			e := &a.Events[i]
			site := o.site[e.Endpoint]
			if site == 0 || e.User != 0 {
				continue
			}
			to := o.route[e.Endpoint]
			t, ok := last[to]
			if !ok {
				t = times{session.LongAgo, session.LongAgo}
			}
			if to == e.Endpoint {
				t.refused = e.Time
			} else if e.Outcome == timeline.Accepted {
				t.accepted = e.Time
			}
			last[to] = t
			if min(t.refused, t.accepted) != session.LongAgo && max(t.refused, t.accepted)-min(t.refused, t.accepted) <= session.Nearby {
				list = append(list, visitor{site - 1, id})
				return
			}
		}
	}
}

func (o *headObserver) gather() {
	o.both = make([]int, len(o.heads))
	seen := map[visitor]bool{}
	for _, list := range o.parts {
		for _, v := range *list {
			if !seen[v] {
				seen[v] = true
				o.both[v.scope]++
			}
		}
	}
	o.parts = nil
}

// closedHeads returns a finding for each host where HEAD is refused and GET open; o may be nil.
func (d *Diagnosis) closedHeads(o *headObserver) (found []candidate) {
	if o == nil {
		return nil
	}
	for n, heads := range o.heads {
		var c candidate
		for i, r := range d.eachOpen() {
			if _, here := slices.BinarySearch(heads, r.Endpoint); here {
				c.claims = append(c.claims, uint32(i))
			}
		}
		clients := d.distinctClients(c.claims)
		if clients < endpointActors || o.both[n] < headBoth {
			continue
		}
		details := &BrokenEndpoint{Heads: clients, HeadsByGET: o.both[n], Nearby: session.Nearby / 1000, RefusedShare: 1, Baseline: headUsual}
		lower := stats.WilsonLower(int64(clients), int64(clients), stats.Z95)
		p := stats.BinomialTail(int64(clients), int64(clients), headUsual)
		details.RefusedLow, details.PValue, details.Ongoing = result.Share(round(lower, 4)), result.Probability(p), d.ongoing(c.claims[len(c.claims)-1])
		c.Subject, details.Routes = areaSubject(d, heads, c.claims)
		c.Onset, c.Severity, c.Confidence, c.Details = parse.NoTime, result.Low, confidence(p, lower), details
		found = append(found, c)
	}
	return found
}
