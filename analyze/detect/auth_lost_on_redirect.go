package detect

import (
	"cmp"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// authLostOnRedirect finds redirects on which clients lose their credentials.
//
// Sign: a client is redirected, follows within a second or two and is refused
// there, while clients that request the target directly are accepted. Clients drop
// Authorization when a redirect leads to another host, port or scheme (Fetch
// standard, HTTP-redirect fetch; curl, Go, Python requests), and turn POST into GET:
// then the direct requests are those with the method of the redirected one. A redirect
// that can hardly lead to the target does not count (session.RedirectedBy). Not: the redirect to a
// sign-in page, a redirect after which clients are accepted, a target that refuses
// everybody.
//
// Statistic: the refused share of the requests that follow a redirect against that
// of the direct ones, on the same target: Wilson's bounds and the exact test of the
// difference (stats.RateRatioTest), corrected for the number of targets.
var authLostOnRedirect = Kind{
	Name:     "auth_lost_on_redirect",
	Label:    "Lost on a redirect",
	Meaning:  "A redirect made the client drop its Authorization header.",
	Category: EndpointCategory,
	Subjects: []string{"endpoint"},
	folds:    byHost,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraReferrer, parse.ExtraScheme, parse.ExtraSubSecond},
	Details:  func() any { return new(Redirect) },
	Title:    `Clients lose their credentials on the redirect{{with .Details.From}} from {{index . 0}}{{end}} to {{route .Subject}}`,
	Explanation: `{{with .Details}}
		{{part .FollowedRefused .Followed}} of {{count .Followed "request"}} that followed a redirect to this route were refused; of {{count .Direct "direct request"}}, {{part .DirectRefused .Direct}} were.
		{{plural .Clients "client was" "clients were"}} redirected{{with .From}}, from {{list .}}{{end}}.
		Clients drop the Authorization header when a redirect leads to another host, port or scheme.
		{{with .BecameGET}}They sent {{.}} and turned it into GET, as many do on 301, 302 and 303.{{end}}{{end}}`,
	Remedy: []string{
		`Change the clients to request {{route .Subject}} directly.`,
		`Serve the old address with proxy_pass or an internal rewrite instead of a redirect. For a redirect that adds a slash: in nginx an exact location for each form, in Apache DirectorySlash Off or an Alias for both.`,
		`{{if .Details.BecameGET}}Answer 308 instead of 301: clients keep the method and the body.{{end}}`,
		`If the redirect must stay, keep host, port and scheme the same: absolute_redirect off (nginx), UseCanonicalName and ServerName (Apache), and X-Forwarded-Proto passed on by a proxy.`,
	},
	certain: true,
	observe: observeRedirects,
	inspect: inspectRedirects,
}

// Redirect is the details of an auth_lost_on_redirect finding.
type Redirect struct {
	From            []string           `json:"redirected_from"` // endpoints, most frequent first
	Clients         int                `json:"clients"`
	Followed        int64              `json:"followed"` // requests after a redirect
	FollowedRefused int64              `json:"followed_refused"`
	Direct          int64              `json:"direct"` // requests without one
	DirectRefused   int64              `json:"direct_refused"`
	PValue          result.Probability `json:"p_value"`
	BecameGET       string             `json:"became_get,omitempty" label:"method that became GET"`
	Host            string             `json:"-"` // that redirects most
}

const (
	// redirectLower is the minimum of the lower bound of the share refused after
	// the redirect.
	redirectLower = 0.6
	// redirectDirect is the maximum share refused without it.
	redirectDirect = 0.3
	// redirectClients is the minimum number of distinct clients.
	redirectClients = 2
	// redirectRepeats is the number of refusals from which a single client is enough.
	redirectRepeats = 20
	// redirectHabit is the number of refusals from which on a client that was never
	// accepted is a program that has credentials to lose. Crawlers and scanners follow
	// a redirect to a protected page once or twice.
	redirectHabit = 5
	// redirectOwners is the minimum share of the refusals of clients with credentials.
	redirectOwners = 0.5
	// maxSources is the maximum number of redirecting endpoints in the details.
	maxSources = 5
)

// afterRedirect reports whether a refused request followed a redirect, without a user
// and not to a sign-in. Where the log has no scheme, a redirect from http to https is on
// the same endpoint.
func (d *Diagnosis) afterRedirect(r *session.Refusal) bool {
	return r.Redirect != 0 && !r.Named && !r.SignIn && d.Follows(r)
}

// redirectObserver counts the requests of targets by endpoint: in the first cell
// those that follow a redirect, in the second the direct ones. Hits are refusals. A
// request takes constant time: a redirect is sought among the few requests before it.
type redirectObserver struct {
	d *Diagnosis
	pairs[uint32]
	// directly maps the endpoints that clients wanted before their method became GET,
	// at the URL of a target, to the target.
	directly map[uint32]uint32
}

func observeRedirects(d *Diagnosis) observer {
	endpoints, refusals := d.refusalsByEndpoint(d.afterRedirect, routeRefused)
	if len(endpoints) == 0 {
		return nil
	}
	o := &redirectObserver{d, newPairs(endpoints), map[uint32]uint32{}}
	for _, target := range endpoints {
		methods := map[string]bool{}
		for _, r := range d.Refusals.Of(slices.Values(refusals[target])) {
			methods[d.State.Endpoints[r.Redirect-1].Method] = true
		}
		for _, n := range sameURL(d, target) {
			if n != target && methods[d.State.Endpoints[n].Method] {
				o.directly[n] = target
			}
		}
	}
	return o
}

// sameURL returns the endpoints with the host and template of an endpoint, ascending.
func sameURL(d *Diagnosis, endpoint uint32) (list []uint32) {
	all := d.State.Endpoints // sorted by host, template, method
	same := func(n uint32) bool {
		return all[n].Host == all[endpoint].Host && all[n].Template == all[endpoint].Template
	}
	from := endpoint
	for from > 0 && same(from-1) {
		from--
	}
	for n := from; int(n) < len(all) && same(n); n++ {
		list = append(list, n)
	}
	return list
}

func (o *redirectObserver) part() func(*timeline.Actor, uint32) {
	cells := o.pairs.part()
	return func(a *timeline.Actor, _ uint32) {
		for i := range a.Events {
			e := &a.Events[i]
			if e.Outcome != timeline.Accepted && e.Outcome != timeline.Unauthorized {
				continue
			}
			n := cells[e.Endpoint]
			if target, ok := o.directly[e.Endpoint]; ok && n == nil {
				cells[target][1].Add(e.Outcome == timeline.Unauthorized)
			}
			if n == nil {
				continue
			}
			cell := &n[1]
			if o.d.RedirectedBy(a, i) != 0 {
				cell = &n[0]
			}
			cell.Add(e.Outcome == timeline.Unauthorized)
		}
	}
}

func (o *redirectObserver) gather() { o.pairs.gather() }

func inspectRedirects(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*redirectObserver)
	endpoints, claims := d.refusalsByEndpoint(d.afterRedirect, routeRefused)
	var found []candidate
	for _, n := range endpoints {
		counts := o.counts[n]
		if counts == nil {
			continue
		}
		followed, direct := counts[0], counts[1]
		p := stats.RateRatioTest(followed.Hits, followed.Trials, direct.Hits, direct.Trials) * float64(len(endpoints))
		lower := stats.WilsonLower(followed.Hits, followed.Trials, stats.Z95)
		if p > routeFalse || lower < redirectLower || direct.Trials == 0 || float64(direct.Hits) > redirectDirect*float64(direct.Trials) ||
			d.distinctClients(claims[n]) < redirectClients && len(claims[n]) < redirectRepeats ||
			!haveCredentials(d, claims[n]) {
			continue
		}
		cand := candidate{claims: claims[n]}
		cand.Subject, cand.Onset = endpointSubject(&d.State.Endpoints[n]), parse.NoTime
		cand.Severity, cand.Confidence = result.Medium, confidence(p, lower)
		cand.Exhibit = comparison(result.CountsRequests, result.AfterRedirect, result.WithoutRedirect, followed, direct)
		sources := redirectSources(d, claims[n])
		var from []string
		for _, s := range sources[:min(len(sources), maxSources)] {
			from = append(from, endpointLabel(&d.State.Endpoints[s]))
		}
		cand.Details = &Redirect{
			From: from, Host: d.State.Endpoints[sources[0]].Host, Clients: d.distinctClients(claims[n]),
			Followed: followed.Trials, FollowedRefused: followed.Hits,
			Direct: direct.Trials, DirectRefused: direct.Hits, PValue: result.Probability(p), BecameGET: becameGET(d, claims[n]),
		}
		found = append(found, cand)
	}
	return found, nil
}

// haveCredentials reports whether most refusals are those of clients that had
// credentials: they were accepted before, or they ask again and again.
func haveCredentials(d *Diagnosis, refusals []uint32) bool {
	n := map[timeline.Client]int{}
	for _, r := range d.Refusals.Of(slices.Values(refusals)) {
		n[r.Client()]++
	}
	owners := 0
	for _, i := range refusals {
		if d.Refusals.At(int(i)).Good || n[d.Refusals.At(int(i)).Client()] >= redirectHabit {
			owners++
		}
	}
	return float64(owners) >= redirectOwners*float64(len(refusals))
}

// becameGET returns the method that clients sent to most of the redirecting endpoints, if
// they did not send it to the target, else "".
func becameGET(d *Diagnosis, refusals []uint32) string {
	n := map[string]int{}
	for _, i := range refusals {
		if from := d.State.Endpoints[d.Refusals.At(int(i)).Redirect-1].Method; from != d.State.Endpoints[d.Refusals.At(int(i)).Endpoint].Method {
			n[from]++
		}
	}
	for method, k := range n {
		if 2*k > len(refusals) {
			return method
		}
	}
	return ""
}

// redirectSources returns the endpoints that redirected to the refusals, most frequent
// first.
func redirectSources(d *Diagnosis, refusals []uint32) []uint32 {
	n := map[uint32]int{}
	for _, r := range d.Refusals.Of(slices.Values(refusals)) {
		n[r.Redirect-1]++
	}
	return slices.SortedFunc(maps.Keys(n), func(a, b uint32) int { return cmp.Or(n[b]-n[a], cmp.Compare(a, b)) })
}
