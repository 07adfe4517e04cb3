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
// authority asks from several addresses, in few rounds.
func closedPublicRoutes(d *Diagnosis) []candidate {
	var found []candidate
	claims := map[uint32][]uint32{}
	for i := range d.Refusals {
		e := d.Refusals[i].Endpoint
		if d.uncredentialed(i) && failsWhenClosed(&d.State.Endpoints[e]) != "" {
			claims[e] = append(claims[e], uint32(i))
		}
	}
	for endpoint, list := range claims {
		e := &d.State.Endpoints[endpoint]
		times := make([]int64, len(list))
		for n, i := range list {
			times[n] = d.Refusals[i].Time
		}
		first, last := times[0], times[len(times)-1]
		apart := len(rounds(times))
		if len(list) < probeRounds || apart < publicRounds || e.N[timeline.Accepted] > 0 && e.LastAccepted >= first*1000 {
			continue
		}
		c := candidate{claims: list}
		c.Subject, c.Onset, c.Severity = endpointSubject(e), parse.NoTime, result.Medium
		if e.N[timeline.Accepted] > 0 {
			c.Onset = first * 1000
		}
		c.Confidence = confidence(0, stats.WilsonLower(int64(len(list)), int64(len(list)), stats.Z95))
		c.Details = &Probe{
			Rounds: apart, Requests: len(list), Routes: 1, Route: endpointLabel(e), Clients: distinctClients(d, list),
			Fails: failsWhenClosed(e), First: result.Time(first * 1000), Last: result.Time(last * 1000),
		}
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b candidate) int { return int(a.claims[0]) - int(b.claims[0]) })
	return found
}

// failsWhenClosed returns what fails while an endpoint refuses strangers; it is empty
// for one that need not be open.
func failsWhenClosed(e *timeline.Endpoint) string {
	for _, p := range publicRoutes {
		if strings.Contains(e.Template, p.part) {
			return p.fails
		}
	}
	return ""
}

// distinctClients returns the number of clients of refusals.
func distinctClients(d *Diagnosis, refusals []uint32) int {
	seen := map[timeline.Client]bool{}
	for _, i := range refusals {
		seen[timeline.Client{Address: d.Refusals[i].Address, Agent: d.Refusals[i].Agent}] = true
	}
	return len(seen)
}
