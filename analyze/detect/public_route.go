package detect

import (
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// publicRoutes are routes that programs of others request without credentials, by
// their standards, and what fails while they are refused.
var publicRoutes = []struct{ part, fails string }{
	{"/.well-known/acme-challenge/", "the certificate is not renewed"},                          // RFC 8555, section 8.3
	{"/.well-known/pki-validation/", "the certificate is not renewed"},                          // CA/Browser Forum, Baseline Requirements, 3.2.2.4.18
	{"/.well-known/openid-configuration", "clients do not find the identity provider"},          // OpenID Connect Discovery 1.0, section 4
	{"/.well-known/oauth-authorization-server", "clients do not find the authorization server"}, // RFC 8414
	{"/.well-known/jwks", "nobody can verify the tokens that are signed here"},                  // jwks_uri of both
	{"/.well-known/mta-sts.txt", "mail servers do not get the policy"},                          // RFC 8461, section 3.2
	{"/.well-known/apple-app-site-association", "apps do not open the links of the site"},       // Apple, Associated Domains
	{"/.well-known/assetlinks.json", "apps do not open the links of the site"},                  // Google, Digital Asset Links
	{"/.well-known/matrix/", "other servers and clients do not find this one"},                  // Matrix specification, server discovery
}

// publicRounds is the minimum number of rounds of refusals on a public route: one may
// be the curiosity of a scanner, which does not come back.
const publicRounds = 2

// closedPublicRoutes returns a finding for every route that must be open to strangers
// and refuses all of them. It does not matter who asks or at what pace: a certificate
// authority asks from several addresses, in few rounds. Routes below one directory are
// one, since each request has a name of its own.
func closedPublicRoutes(d *Diagnosis) []candidate {
	routes := d.publicRoutes()
	if len(routes) == 0 {
		return nil
	}
	claims := map[result.Subject][]uint32{}
	for i, r := range d.Refusals.All() {
		if route := routes[r.Endpoint]; route != nil && d.uncredentialed(i, r) {
			claims[route.subject] = append(claims[route.subject], uint32(i))
		}
	}
	var found []candidate
	for _, list := range claims {
		if c, ok := d.closedPublicRoute(routes[d.Refusals.At(int(list[0])).Endpoint], list); ok {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b candidate) int { return int(a.claims[0]) - int(b.claims[0]) })
	return found
}

// publicRoute is a route that must be open, or a directory of such.
type publicRoute struct {
	subject      result.Subject
	fails        string
	lastAccepted int64 // Unix microseconds, of any endpoint of it; NoTime for never
}

// publicRoutes returns the routes that must be open, by endpoint.
func (d *Diagnosis) publicRoutes() map[uint32]*publicRoute {
	routes, bySubject := map[uint32]*publicRoute{}, map[result.Subject]*publicRoute{}
	for i := range d.State.Endpoints {
		e := &d.State.Endpoints[i]
		for _, p := range publicRoutes {
			at := strings.Index(e.Template, p.part)
			if at < 0 {
				continue
			}
			s := endpointSubject(e)
			if strings.HasSuffix(p.part, "/") {
				s.Route = e.Template[:at+len(p.part)]
			}
			r := bySubject[s]
			if r == nil {
				r = &publicRoute{s, p.fails, parse.NoTime}
				bySubject[s] = r
			}
			if e.N[timeline.Accepted] > 0 {
				r.lastAccepted = max(r.lastAccepted, e.LastAccepted)
			}
			routes[uint32(i)] = r
			break
		}
	}
	return routes
}

// closedPublicRoute returns the finding of a route, and whether its refusals, by time,
// are one.
func (d *Diagnosis) closedPublicRoute(r *publicRoute, list []uint32) (candidate, bool) {
	times := make([]int64, len(list))
	for n, i := range list {
		times[n] = d.Refusals.At(int(i)).Time
	}
	first, last := times[0], times[len(times)-1]
	apart := len(rounds(times))
	c := candidate{claims: list}
	if len(list) < probeRounds || apart < publicRounds || r.lastAccepted >= first*1000 {
		return c, false
	}
	c.Subject, c.Onset, c.Severity = r.subject, parse.NoTime, result.Medium
	if r.lastAccepted != parse.NoTime {
		c.Onset = first * 1000
	}
	c.Confidence = confidence(0, stats.WilsonLower(int64(len(list)), int64(len(list)), stats.Z95))
	c.Details = &Probe{
		Rounds: apart, Requests: len(list), Routes: 1, Route: c.Subject.Endpoint(), Clients: d.distinctClients(list),
		Fails: r.fails, First: result.Time(first * 1000), Last: result.Time(last * 1000),
	}
	return c, true
}
