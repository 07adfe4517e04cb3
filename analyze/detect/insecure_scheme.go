package detect

import (
	"fmt"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// insecureScheme finds routes that are refused over http and accepted over
// https.
//
// Sign: requests over http are refused, those over https are accepted, on the
// same route; and the clients are signed in. Secure cookies (RFC 6265, section
// 4.1.2.5) are not sent over http. Not: a route that is refused over both, an
// http port that redirects, visitors who are not signed in.
//
// Statistic: by route, the refused shares of both schemes (Wilson's bounds), the
// exact test of their difference (stats.RateRatioTest) with the number of routes as
// correction, and the share of the refused clients that were accepted nearby.
var insecureScheme = Kind{
	Name:     "insecure_scheme",
	Label:    "http instead of https",
	Meaning:  "Refused over http, accepted over https: secure cookies are not sent over http.",
	Category: EndpointCategory,
	Needs:    []string{needTime, needStatus, needPath, needScheme, needClient},
	certain:  true,
	observe:  observeSchemes,
	inspect:  inspectSchemes,
}

const (
	// schemeWindow in milliseconds is how near the client must have been
	// accepted: it came by a link, or goes on by hand.
	schemeWindow = 10 * 60_000
	// schemeLower bounds from below the refused share over http.
	schemeLower = 0.6
	// schemeOther is the most that may be refused over https.
	schemeOther = 0.3
	// schemeSignedIn is the least share of the refused that are signed in.
	schemeSignedIn = 0.5
	// schemeRoutes of one host are a trouble of the host.
	schemeRoutes = 4
)

func overHTTP(f *session.Refusal) bool { return f.Scheme == timeline.HTTP && !f.Named && !f.Session }

// schemeObserver counts by route and scheme.
type schemeObserver struct {
	*neighbours
	pairs[uint32] // by endpoint: http, https; hits are refused
}

func observeSchemes(c *Diagnosis) observer {
	o := observeNeighbours(c, schemeWindow, overHTTP)
	if o == nil {
		return nil
	}
	endpoints, _ := c.byEndpoint(overHTTP)
	return &schemeObserver{o.(*neighbours), newPairs(endpoints)}
}

func (s *schemeObserver) part() func(*timeline.Actor, uint32) {
	look, mine := s.neighbours.part(), s.pairs.part()
	return func(a *timeline.Actor, id uint32) {
		look(a, id)
		for i := range a.Events {
			e := &a.Events[i]
			if e.Scheme == timeline.UnknownScheme || e.Outcome != timeline.Accepted && e.Outcome != timeline.Unauthorized {
				continue
			}
			if n := mine[e.Endpoint]; n != nil {
				n[e.Scheme-timeline.HTTP].Add(e.Outcome == timeline.Unauthorized)
			}
		}
	}
}

func (s *schemeObserver) gather() {
	s.neighbours.gather()
	s.pairs.gather()
}

func inspectSchemes(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*schemeObserver)
	endpoints, claims := c.byEndpoint(overHTTP)
	byHost := map[string][]uint32{}
	for _, n := range endpoints {
		counts := o.counts[n]
		if counts == nil {
			continue
		}
		plain, secure := counts[0], counts[1]
		p := stats.RateRatioTest(plain.Hits, plain.Trials, secure.Hits, secure.Trials) * float64(len(endpoints))
		clients := c.clientsOf(claims[n])
		if p > routeFalse || clients < routeClients || secure.Trials == 0 ||
			stats.WilsonLower(plain.Hits, plain.Trials, stats.Z95) < schemeLower ||
			float64(secure.Hits) > schemeOther*float64(secure.Trials) ||
			float64(o.count(claims[n])) < schemeSignedIn*float64(len(claims[n])) {
			continue
		}
		host := c.State.Endpoints[n].Host
		byHost[host] = append(byHost[host], n)
	}
	var found []candidate
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		if list := byHost[host]; len(list) >= schemeRoutes {
			found = append(found, c.plainScheme(o, list, claims))
			continue
		}
		for _, n := range byHost[host] {
			found = append(found, c.plainScheme(o, []uint32{n}, claims))
		}
	}
	return found, nil
}

func (c *Diagnosis) plainScheme(o *schemeObserver, endpoints []uint32, claims map[uint32][]uint32) candidate {
	var cand candidate
	var plain, secure stats.Cell
	for _, n := range endpoints {
		cand.claims = append(cand.claims, claims[n]...)
		plain.Merge(o.counts[n][0])
		secure.Merge(o.counts[n][1])
	}
	slices.Sort(cand.claims)
	e := &c.State.Endpoints[endpoints[0]]
	what := endpointLabel(e)
	cand.Subject = endpointSubject(e)
	if len(endpoints) > 1 {
		cand.Subject = result.Subject{Type: "site", Host: e.Host}
		what = count(len(endpoints), "route")
		if e.Host != "" {
			what += " of " + e.Host
		}
	}
	clients := c.clientsOf(cand.claims)
	cand.Onset, cand.Severity = parse.NoTime, result.Medium
	cand.Confidence = confidence(0, stats.WilsonLower(plain.Hits, plain.Trials, stats.Z95))
	cand.Title = fmt.Sprintf("%s is refused over http and accepted over https", what)
	cand.Explanation = Say("Of %d requests over http %s were answered 401, of %d over https %s. %s of the %s that were refused were signed in, and accepted over https within minutes: a cookie with the attribute Secure is not sent over http.",
		plain.Trials, percent(float64(plain.Hits)/float64(plain.Trials)), secure.Trials, percent(float64(secure.Hits)/float64(secure.Trials)),
		percent(float64(o.count(cand.claims))/float64(len(cand.claims))), count(clients, "client"))
	cand.Remediation = []string{
		"Redirect http to https before authentication: nginx: a server on port 80 with return 308 https://$host$request_uri; Apache: Redirect permanent, or RewriteRule with R=308.",
		"Send Strict-Transport-Security, so that browsers do not ask over http at all.",
		"Find the links: the referrer of the evidence lines names the pages and mails they are in.",
	}
	cand.Exhibit = twoCells("Requests refused and accepted by scheme", "http", plain, "https", secure)
	cand.Details = map[string]any{
		"clients": clients, "routes": len(endpoints), "http_requests": plain.Trials, "http_refused": plain.Hits,
		"https_requests": secure.Trials, "https_refused": secure.Hits,
	}
	return cand
}
