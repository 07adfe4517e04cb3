package analyze

import (
	"fmt"
	"strings"

	"logscan/analyze/fold"
	"logscan/analyze/stats"
	"logscan/parse"
)

// corsPreflight finds servers that want credentials of a browser's question
// whether a page may call them.
//
// Sign: OPTIONS requests of browsers, without user and session, are refused all
// of them, from the start or from one time on. Not: WebDAV clients, which answer
// the challenge; scanners, which are no browsers and ask many routes once.
//
// Statistic: Wilson's lower bound of the refused share of the OPTIONS requests
// without credentials, over the time since the first refusal; distinct clients.
// A preflight never carries credentials (Fetch standard, CORS-preflight fetch),
// so one that is refused can not succeed.
var corsPreflight = Detector{
	Kind:     "cors_preflight",
	Category: "endpoint",
	Doc:      "preflight requests, which never carry credentials, are refused",
	Needs:    []string{needTime, needStatus, needMethod, needPath, needClient},
	certain:  true,
	inspect:  inspectPreflights,
}

// preflightLower bounds from below the share of the preflights that are refused.
const preflightLower = 0.5

func inspectPreflights(c *correlation, _ observer) ([]candidate, error) {
	endpoints, claims := c.byEndpoint(func(f *fact) bool {
		return !f.named && c.state.Endpoints[f.endpoint].Method == "OPTIONS" && strings.HasPrefix(c.state.Agents[f.agent], "Mozilla/")
	})
	var found []candidate
	for _, n := range endpoints {
		e, list := &c.state.Endpoints[n], claims[n]
		clients, _ := c.clientsOf(list)
		first := c.state.Refusals[list[0]].Time
		accepted := e.N[fold.Accepted]
		changed := e.LastAccepted != parse.NoTime && e.LastAccepted <= first+redirectWindow*1000
		if changed {
			accepted = 0 // all of them before it began
		}
		k := int64(len(list))
		lower := stats.WilsonLower(k, k+accepted, stats.Z95)
		if clients < routeClients || lower < preflightLower {
			continue
		}
		cand := candidate{claims: list}
		cand.Subject, cand.Onset = endpointSubject(e), parse.NoTime
		since := "from the first line on"
		if changed {
			cand.Onset, since = first, "since "+clock(first)
		}
		cand.Severity, cand.Confidence = c.severityOf(list, clients), confidence(0, lower)
		cand.Title = fmt.Sprintf("%s refuses preflight requests %s", endpointLabel(e), since)
		cand.Explanation = fmt.Sprintf("%d OPTIONS requests of %s were answered 401. Browsers send them, without cookies and without Authorization, before a page may call another origin; the call itself never follows, so the page fails although its user is signed in.",
			k, countText(clients, "browser"))
		cand.Remediation = []string{
			"Answer OPTIONS without asking for credentials. nginx: if ($request_method = OPTIONS) { return 204; } with the Access-Control-Allow-* headers, or limit_except OPTIONS { auth_basic ...; }. Apache: <LimitExcept OPTIONS> around Require.",
			"Send Access-Control-Allow-Origin, -Methods and -Headers with it, and Access-Control-Max-Age to spare most preflights.",
			"In an application server let the CORS filter run before the authentication filter.",
		}
		cand.Details = map[string]any{"clients": clients, "accepted": e.N[fold.Accepted], "refused_share_low": round(lower, 4)}
		found = append(found, cand)
	}
	return found, nil
}
