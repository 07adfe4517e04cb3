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
// standard, HTTP-redirect fetch; curl, Go, Python requests). Not: the redirect to a
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
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraReferrer, parse.ExtraScheme, parse.ExtraSubSecond},
	Details:  func() any { return new(Redirect) },
	Title:    `Clients lose their credentials on the redirect{{with .Details.From}} from {{index . 0}}{{end}} to {{route .Subject}}`,
	Explanation: `{{with .Details}}
		{{part .FollowedRefused .Followed}} of {{count .Followed "request"}} that followed a redirect to this route were refused; of {{count .Direct "direct request"}}, {{part .DirectRefused .Direct}} were.
		{{plural .Clients "client was" "clients were"}} redirected{{with .From}}, from {{list .}}{{end}}.
		Clients drop the Authorization header when a redirect leads to another host, port or scheme.{{end}}`,
	Remedy: []string{
		`Change the clients to request {{route .Subject}} directly.`,
		`Serve the old address with proxy_pass or an internal rewrite instead of a redirect. For a redirect that adds a slash: in nginx an exact location for each form, in Apache DirectorySlash Off or an Alias for both.`,
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
	// maxSources is the maximum number of redirecting endpoints in the details.
	maxSources = 5
)

// afterRedirect reports whether a refused request followed a redirect from another
// endpoint, without a user and not to a sign-in.
func (d *Diagnosis) afterRedirect(r *session.Refusal) bool {
	return r.Redirect != 0 && r.Redirect-1 != r.Endpoint && !r.Named && !r.SignIn
}

// redirectObserver counts the requests of targets by endpoint: in the first cell
// those that follow a redirect, in the second the direct ones. Hits are refusals.
type redirectObserver struct {
	*Diagnosis
	pairs[uint32]
}

func observeRedirects(d *Diagnosis) observer {
	endpoints, _ := d.refusalsByEndpoint(d.afterRedirect)
	if len(endpoints) == 0 {
		return nil
	}
	return &redirectObserver{d, newPairs(endpoints)}
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
			if n == nil {
				continue
			}
			cell := &n[1]
			if o.RedirectedBy(a, i) != 0 {
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
	endpoints, claims := d.refusalsByEndpoint(d.afterRedirect)
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
			d.distinctClients(claims[n]) < redirectClients && len(claims[n]) < redirectRepeats {
			continue
		}
		cand := candidate{claims: claims[n]}
		cand.Subject, cand.Onset = endpointSubject(&d.State.Endpoints[n]), parse.NoTime
		cand.Severity, cand.Confidence = result.Medium, confidence(p, lower)
		cand.Exhibit = comparison(result.CountsRequests, result.AfterRedirect, result.WithoutRedirect, followed, direct)
		cand.Details = &Redirect{
			From: redirectSources(d, claims[n]), Clients: d.distinctClients(claims[n]),
			Followed: followed.Trials, FollowedRefused: followed.Hits,
			Direct: direct.Trials, DirectRefused: direct.Hits, PValue: result.Probability(p),
		}
		found = append(found, cand)
	}
	return found, nil
}

// redirectSources returns the endpoints that redirected refused requests, most
// frequent first, at most maxSources.
func redirectSources(d *Diagnosis, refusals []uint32) []string {
	n := map[uint32]int{}
	for _, i := range refusals {
		n[d.Refusals[i].Redirect-1]++
	}
	sources := slices.SortedFunc(maps.Keys(n), func(a, b uint32) int { return cmp.Or(n[b]-n[a], cmp.Compare(a, b)) })
	var labels []string
	for _, s := range sources[:min(len(sources), maxSources)] {
		labels = append(labels, endpointLabel(&d.State.Endpoints[s]))
	}
	return labels
}
