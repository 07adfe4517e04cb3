package detect

import (
	"fmt"
	"slices"
	"strings"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
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
var corsPreflight = Kind{
	Name:     "cors_preflight",
	Label:    "CORS preflight",
	Meaning:  "A browser's preflight request, which never carries credentials, is refused.",
	Category: EndpointCategory,
	Needs:    []string{needTime, needStatus, needMethod, needPath, needClient},
	certain:  true,
	observe:  observePreflights,
	inspect:  inspectPreflights,
}

const (
	// preflightShare of the preflights are refused while it lasts.
	preflightShare = 0.8
	// preflightLower bounds that share from below.
	preflightLower = 0.5
)

func (c *Diagnosis) preflight(f *session.Refusal) bool {
	return !f.Named && c.State.Endpoints[f.Endpoint].Method == "OPTIONS" && strings.HasPrefix(c.State.Agents[f.Agent], "Mozilla/")
}

func observePreflights(c *Diagnosis) observer {
	endpoints, _ := c.byEndpoint(c.preflight)
	if len(endpoints) == 0 {
		return nil
	}
	endpoints = endpoints[:min(len(endpoints), maxFollowed)]
	return c.series(endpoints, len(c.State.Endpoints), byEndpoint, func(e *timeline.Event) bool {
		return c.open(int(e.Refusal)) && c.preflight(&c.Refusals[e.Refusal])
	})
}

func inspectPreflights(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*seriesObserver)
	var found []candidate
	_, claims := c.byEndpoint(c.preflight)
	for n, endpoint := range o.keys {
		e, list := &c.State.Endpoints[endpoint], claims[endpoint]
		span, ok := refusingSpan(o.cells[n], preflightShare)
		if !ok || len(list) == 0 {
			continue
		}
		// Answers that were under way when it began come after the first refusals.
		onset, _ := c.onsetOf(o.cells[n], span)
		list = slices.DeleteFunc(list, func(i uint32) bool {
			return span.accepted && c.Refusals[i].Time < onset-max(c.Width, session.RedirectWindow)
		})
		clients := c.clientsOf(list)
		lower := stats.WilsonLower(span.Hits, span.Trials, stats.Z95)
		if clients < routeClients || len(list) < routeRefused || lower < preflightLower {
			continue
		}
		k := int64(len(list))
		cand := candidate{claims: list}
		cand.Subject, cand.Onset = endpointSubject(e), parse.NoTime
		since := "from the first line on"
		if span.accepted {
			cand.Onset = onset * 1000
			since = "since " + Clock(cand.Onset)
		}
		cand.Severity, cand.Confidence = c.severityOf(list, clients), confidence(0, lower)
		cand.Title = fmt.Sprintf("%s refuses preflight requests %s", endpointLabel(e), since)
		cand.Explanation = Say("%d OPTIONS requests of %s were answered 401. Browsers send them, without cookies and without Authorization, before a page may call another origin; the call itself never follows, so the page fails although its user is signed in.",
			k, count(clients, "browser"))
		cand.Remediation = []string{
			"Answer OPTIONS without asking for credentials. nginx: if ($request_method = OPTIONS) { return 204; } with the Access-Control-Allow-* headers, or limit_except OPTIONS { auth_basic ...; }. Apache: <LimitExcept OPTIONS> around Require.",
			"Send Access-Control-Allow-Origin, -Methods and -Headers with it, and Access-Control-Max-Age to spare most preflights.",
			"In an application server let the CORS filter run before the authentication filter.",
		}
		cand.Exhibit = c.trend(o.cells[n])
		cand.Details = map[string]any{"clients": clients, "accepted": e.N[timeline.Accepted], "refused_share_low": round(lower, 4)}
		found = append(found, cand)
	}
	return found, nil
}
