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

// insecureScheme finds routes that are refused over http and accepted over https.
//
// Sign: requests over http are refused, those over https are accepted, on the same
// route, and the clients are signed in, or are members who are hardly ever refused over
// https. Secure cookies (RFC 6265, section 4.1.2.5)
// are not sent over http. Not: a route that is refused over both, an http port that
// redirects, visitors who are not signed in.
//
// Statistic: by route, and by host where few routes show it alone, the refused shares of both
// schemes (Wilson's bounds), the exact test of their difference (stats.RateRatioTest), corrected
// for the number of routes and hosts, and the share of the refused requests whose client was
// accepted nearby.
var insecureScheme = Kind{
	Name:     "insecure_scheme",
	Label:    "http instead of https",
	Meaning:  "Refused over http, accepted over https: secure cookies are not sent over http.",
	Category: EndpointCategory,
	Subjects: []string{"endpoint", "site"},
	folds:    byHost,
	Needs:    []string{needTime, needStatus, needPath, needScheme, needClient},
	Uses:     []parse.Extra{parse.ExtraScheme},
	Details:  func() any { return new(Scheme) },
	Title:    `{{if gt .Details.Routes 1}}{{number .Details.Routes}} routes{{with .Subject.Host}} on {{.}}{{end}} are{{else}}{{route .Subject}} is{{end}} refused over http but accepted over https`,
	Explanation: `{{with .Details}}
		{{part .HTTPRefused .HTTP}} of {{count .HTTP "request"}} over http were refused; of {{number .HTTPS}} over https, {{part .HTTPSRefused .HTTPS}} were.
		{{if .Members}}{{share .Members}} of the refused requests came from clients that are accepted over https at other times; there were {{count .Clients "client"}}.{{else}}{{share .SignedIn}} of the refused requests, from {{count .Clients "client"}}, came within {{duration .Window}} of an accepted request by the same client, so its user was signed in.{{end}}
		Browsers do not send cookies with the attribute Secure over http.{{end}}`,
	Remedy: []string{
		`Redirect http to https before authentication. nginx: a server on port 80 with return 308 https://$host$request_uri. Apache: Redirect permanent, or RewriteRule with R=308.`,
		`Send Strict-Transport-Security, so that browsers stop using http.`,
		`Fix the links: the referrers of the evidence lines name the pages that contain them.`,
	},
	certain: true,
	observe: observeSchemes,
	inspect: inspectSchemes,
}

// Scheme is the details of an insecure_scheme finding.
type Scheme struct {
	Clients      int            `json:"clients"`
	Routes       int            `json:"routes"`
	HTTP         int64          `json:"http_requests"`
	HTTPRefused  int64          `json:"http_refused"`
	HTTPS        int64          `json:"https_requests"`
	HTTPSRefused int64          `json:"https_refused"`
	SignedIn     result.Share   `json:"-"` // share of the refused requests by signed-in clients
	Members      result.Share   `json:"-"` // share of them by clients that are accepted over https at some time, if fewer are known to be signed in
	Window       result.Seconds `json:"-"` // schemeWindow
}

const (
	// schemeWindow is how long before or after, in milliseconds, the client must
	// have been accepted: it followed a link, or went on by hand.
	schemeWindow = 10 * 60_000
	// schemeLower is the minimum of the lower bound of the share refused over http.
	schemeLower = 0.6
	// schemeOther is the maximum share refused over https.
	schemeOther = 0.3
	// schemeSignedIn is the minimum share of refused requests by signed-in clients.
	schemeSignedIn = 0.5
	// schemeMembers is the minimum share of refused requests by clients that are accepted
	// over https at some time, where fewer are known to be signed in. schemeRatio is how many
	// times more is refused over http than over https then: sessions that have ended would
	// be refused over both.
	schemeMembers = 0.8
	schemeRatio   = 5
	// schemeRoutes is the number of affected routes from which on the host is the
	// subject of the finding.
	schemeRoutes = 4
)

func overHTTP(r *session.Refusal) bool { return r.Scheme == timeline.HTTP && !r.Named && !r.Session }

// schemeObserver also counts the requests by endpoint: in the first cell those over
// http, in the second those over https. Hits are refusals. A request takes constant time.
type schemeObserver struct {
	n *neighbours
	pairs[uint32]
}

func observeSchemes(d *Diagnosis) observer {
	endpoints, refusals := d.refusalsByEndpoint(overHTTP, 1)
	sum := 0
	for _, list := range refusals {
		sum += len(list)
	}
	if sum < routeRefused {
		return nil
	}
	o := observeNeighbours(d, schemeWindow, endpoints, refusals)
	near := o.(*neighbours)
	near.http = true
	return &schemeObserver{near, newPairs(endpoints)}
}

func (o *schemeObserver) part() func(*timeline.Actor, uint32) {
	look, cells := o.n.part(), o.pairs.part()
	return func(a *timeline.Actor, id uint32) {
		look(a, id)
		for i := range a.Events {
			e := &a.Events[i]
			scheme := e.Origin.Scheme()
			if scheme == timeline.UnknownScheme || e.Outcome != timeline.Accepted && e.Outcome != timeline.Unauthorized {
				continue
			}
			if n := cells[e.Endpoint]; n != nil {
				n[scheme-timeline.HTTP].Add(e.Outcome == timeline.Unauthorized)
			}
		}
	}
}

func (o *schemeObserver) gather() {
	o.n.gather()
	o.pairs.gather()
}

func inspectSchemes(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*schemeObserver)
	endpoints, claims := d.refusalsByEndpoint(overHTTP, 1)
	hosts := map[string][]uint32{} // the routes that are accepted over https
	for _, n := range endpoints {
		if c := o.counts[n]; c != nil && c[1].Hits < c[1].Trials {
			host := d.State.Endpoints[n].Host
			hosts[host] = append(hosts[host], n)
		}
	}
	tests := len(endpoints) + len(hosts)
	var found []candidate
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		var list, never []uint32
		for _, n := range hosts[host] {
			if o.affected([]uint32{n}, claims, tests) {
				list = append(list, n)
			}
			if c := o.counts[n][0]; c.Hits == c.Trials {
				never = append(never, n)
			}
		}
		if len(list) < schemeRoutes && len(never) >= schemeRoutes && o.affected(never, claims, tests) {
			list = never
		}
		if len(list) >= schemeRoutes {
			found = append(found, httpRefused(d, o, list, claims))
			continue
		}
		for _, n := range list {
			found = append(found, httpRefused(d, o, []uint32{n}, claims))
		}
	}
	return found, nil
}

// sum returns the requests to endpoints, over http and over https, and the refusals among those
// that may be explained.
func (o *schemeObserver) sum(endpoints []uint32, claims map[uint32][]uint32) (plain, secure stats.Cell, refusals []uint32) {
	for _, n := range endpoints {
		plain.Merge(o.counts[n][0])
		secure.Merge(o.counts[n][1])
		refusals = append(refusals, claims[n]...)
	}
	slices.Sort(refusals)
	return plain, secure, refusals
}

// affected reports whether endpoints of a host, taken together, are refused over http and accepted
// over https. So many tests are made.
func (o *schemeObserver) affected(endpoints []uint32, claims map[uint32][]uint32, tests int) bool {
	plain, secure, refusals := o.sum(endpoints, claims)
	return len(refusals) >= routeRefused && o.n.d.distinctClients(refusals) >= routeClients &&
		stats.RateRatioTest(plain.Hits, plain.Trials, secure.Hits, secure.Trials)*float64(tests) <= routeFalse &&
		stats.WilsonLower(plain.Hits, plain.Trials, stats.Z95) >= schemeLower &&
		float64(secure.Hits) <= schemeOther*float64(secure.Trials) && (o.signedIn(refusals) || o.members(plain, secure, refusals))
}

// signedIn reports whether most refusals are those of clients that are signed in.
func (o *schemeObserver) signedIn(refusals []uint32) bool {
	return float64(o.n.count(refusals)) >= schemeSignedIn*float64(len(refusals))
}

// members reports whether nearly all refusals over http are those of clients that are accepted
// over https at some time, where they are hardly ever refused.
func (o *schemeObserver) members(plain, secure stats.Cell, refusals []uint32) bool {
	return plain.Hits == plain.Trials && plain.Hits >= schemeRatio*secure.Hits &&
		float64(o.n.ofMembers(refusals)) >= schemeMembers*float64(len(refusals))
}

// httpRefused returns the finding of one or several endpoints of a host.
func httpRefused(d *Diagnosis, o *schemeObserver, endpoints []uint32, refusals map[uint32][]uint32) candidate {
	var cand candidate
	var plain, secure stats.Cell
	plain, secure, cand.claims = o.sum(endpoints, refusals)
	e := &d.State.Endpoints[endpoints[0]]
	cand.Subject = endpointSubject(e)
	if len(endpoints) > 1 {
		cand.Subject = result.Subject{Type: "site", Host: e.Host}
	}
	cand.Onset, cand.Severity = parse.NoTime, result.Medium
	cand.Confidence = confidence(0, stats.WilsonLower(plain.Hits, plain.Trials, stats.Z95))
	cand.Exhibit = comparison(result.CountsByScheme, result.OverHTTP, result.OverHTTPS, plain, secure)
	details := &Scheme{
		Clients: d.distinctClients(cand.claims), Routes: len(endpoints),
		HTTP: plain.Trials, HTTPRefused: plain.Hits, HTTPS: secure.Trials, HTTPSRefused: secure.Hits,
		SignedIn: result.Share(float64(o.n.count(cand.claims)) / float64(len(cand.claims))), Window: schemeWindow / 1000,
	}
	if !o.signedIn(cand.claims) {
		details.Members = result.Share(float64(o.n.ofMembers(cand.claims)) / float64(len(cand.claims)))
	}
	cand.Details = details
	return cand
}
