package detect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// authLostOnRedirect finds redirects that cost a client its credentials.
//
// Sign: a client is redirected, follows within a second or two, and is refused
// there; those who call the target at once are accepted. Clients drop
// Authorization when a redirect leads to another host, port or scheme (Fetch
// standard, HTTP-redirect fetch; curl, Go, Python requests). Not: the redirect
// to a sign-in page, one after which clients are accepted, a target that refuses
// everybody.
//
// Statistic: the refused share of the requests that follow a redirect against
// that of those that do not, on the same target: Wilson's bounds and the exact
// test of the difference (stats.RateRatioTest), corrected for the targets.
var authLostOnRedirect = Kind{
	Name:     "auth_lost_on_redirect",
	Label:    "Lost on a redirect",
	Meaning:  "A redirect made the client drop its Authorization header.",
	Category: EndpointCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	certain:  true,
	observe:  observeRedirects,
	inspect:  inspectRedirects,
}

const (
	// redirectLower bounds from below the share refused after the redirect.
	redirectLower = 0.6
	// redirectDirect is the most that may be refused without it.
	redirectDirect = 0.3
	// redirectClients distinct clients, or
	redirectClients = 2
	// redirectRepeats of one, show that it is the redirect.
	redirectRepeats = 20
)

func (c *Diagnosis) afterRedirect(f *session.Refusal) bool {
	return f.Redirect != 0 && f.Redirect-1 != f.Endpoint && !f.Named && !f.SignIn
}

// redirectObserver counts the requests of targets: those that follow a redirect,
// and the others.
type redirectObserver struct {
	*Diagnosis
	pairs[uint32] // by endpoint: followed, direct; hits are refused
}

func observeRedirects(c *Diagnosis) observer {
	endpoints, _ := c.byEndpoint(c.afterRedirect)
	if len(endpoints) == 0 {
		return nil
	}
	return &redirectObserver{c, newPairs(endpoints)}
}

func (o *redirectObserver) part() func(*timeline.Actor, uint32) {
	mine := o.pairs.part()
	return func(a *timeline.Actor, _ uint32) {
		for i := range a.Events {
			e := &a.Events[i]
			if e.Outcome != timeline.Accepted && e.Outcome != timeline.Unauthorized {
				continue
			}
			n := mine[e.Endpoint]
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

func inspectRedirects(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*redirectObserver)
	endpoints, claims := c.byEndpoint(c.afterRedirect)
	var found []candidate
	for _, n := range endpoints {
		counts := o.counts[n]
		if counts == nil {
			continue
		}
		followed, direct := counts[0], counts[1]
		clients := c.clientsOf(claims[n])
		p := stats.RateRatioTest(followed.Hits, followed.Trials, direct.Hits, direct.Trials) * float64(len(endpoints))
		lower := stats.WilsonLower(followed.Hits, followed.Trials, stats.Z95)
		if p > routeFalse || lower < redirectLower || direct.Trials == 0 || float64(direct.Hits) > redirectDirect*float64(direct.Trials) ||
			clients < redirectClients && len(claims[n]) < redirectRepeats {
			continue
		}
		found = append(found, c.lostAt(n, claims[n], followed, direct, lower, p))
	}
	return found, nil
}

func (c *Diagnosis) lostAt(target uint32, claims []uint32, followed, direct stats.Cell, lower, p float64) candidate {
	e := &c.State.Endpoints[target]
	from := map[uint32]int{}
	for _, i := range claims {
		from[c.Refusals[i].Redirect-1]++
	}
	sources := slices.SortedFunc(maps.Keys(from), func(a, b uint32) int { return cmp.Or(from[b]-from[a], cmp.Compare(a, b)) })
	sources = sources[:min(len(sources), maxSources)]
	labels := make([]any, len(sources))
	for i, s := range sources {
		labels[i] = endpointLabel(&c.State.Endpoints[s])
	}
	clients := c.clientsOf(claims)
	cand := candidate{claims: claims}
	cand.Subject, cand.Onset = endpointSubject(e), parse.NoTime
	cand.Severity, cand.Confidence = result.Medium, confidence(p, lower)
	cand.Title = fmt.Sprintf("Clients lose their credentials on the redirect from %v to %s", labels[0], endpointLabel(e))
	cand.Explanation = Say("%s of %d requests that followed a redirect to this route were answered 401, of %d that came at once %s. %s were redirected from %v. Clients drop the Authorization header when a redirect leads to another host, port or scheme.",
		percent(float64(followed.Hits)/float64(followed.Trials)), followed.Trials, direct.Trials,
		percent(float64(direct.Hits)/float64(direct.Trials)), count(clients, "client"), labels[0])
	cand.Remediation = []string{
		"Tell the clients (the details count them) to call " + endpointLabel(e) + " at once.",
		"Serve the old address too, by a proxy_pass or an internal rewrite, and not by a redirect. For a slash that is added: nginx: an exact location for both; Apache: DirectorySlash Off, or Alias for both.",
		"Where the redirect must stay, keep host, port and scheme the same: absolute_redirect off (nginx), UseCanonicalName and ServerName (Apache), X-Forwarded-Proto behind a proxy.",
	}
	cand.Exhibit = twoCells("Requests refused and accepted", "after the redirect", followed, "at once", direct)
	cand.Details = map[string]any{
		"redirected_from": labels, "clients": clients, "followed": followed.Trials, "followed_refused": followed.Hits,
		"direct": direct.Trials, "direct_refused": direct.Hits, "p_value": p,
	}
	return cand
}

// maxSources is how many addresses that redirect are named.
const maxSources = 5
