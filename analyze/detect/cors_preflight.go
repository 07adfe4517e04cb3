package detect

import (
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// corsPreflight finds servers that require credentials for CORS preflight requests,
// by which a browser asks whether a page may call another origin.
//
// Sign: OPTIONS requests of browsers without user and session are all refused, from
// the start or from one time on. Not: WebDAV clients, which answer the challenge;
// scanners, which are no browsers and ask many routes once.
//
// Statistic: Wilson's lower bound of the refused share of the OPTIONS requests
// without credentials, over the time since the first refusal; distinct clients. A
// preflight never carries credentials (Fetch standard, CORS-preflight fetch), so a
// refused one cannot succeed on retry.
var corsPreflight = Kind{
	Name:     "cors_preflight",
	Label:    "CORS preflight",
	Meaning:  "A browser's preflight request, which never carries credentials, is refused.",
	Category: EndpointCategory,
	Subjects: []string{"endpoint"},
	folds:    byHost,
	Needs:    []string{needTime, needStatus, needMethod, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraReferrer},
	Details:  func() any { return new(Preflight) },
	Title:    `{{route .Subject}} refuses CORS preflight requests {{since .Onset}}`,
	Explanation: `{{with .Details}}
		{{plural .Requests "OPTIONS request" "OPTIONS requests"}} of {{count .Clients "browser"}} {{if eq .Requests 1}}was{{else}}were{{end}} refused, at least {{share .RefusedLow}} of all such requests (95% confidence).
		Browsers send them before a page may call another origin, and never with cookies or Authorization.
		After a refusal they do not send the call itself, so the page fails even for signed-in users.{{end}}`,
	Remedy: []string{
		`Answer OPTIONS without authentication. nginx: if ($request_method = OPTIONS) { return 204; } with the Access-Control-Allow-* headers, or limit_except OPTIONS { auth_basic ...; }. Apache: <LimitExcept OPTIONS> around Require.`,
		`Send Access-Control-Allow-Origin, -Methods and -Headers in the answer, and Access-Control-Max-Age to save most preflights.`,
		`In an application server, run the CORS filter before the authentication filter.`,
	},
	certain: true,
	observe: observePreflights,
	inspect: inspectPreflights,
}

// Preflight is the details of a cors_preflight finding.
type Preflight struct {
	Requests   int          `json:"-"` // refused
	Clients    int          `json:"clients"`
	Accepted   int64        `json:"accepted"`                                           // requests in the whole log
	RefusedLow result.Share `json:"refused_share_low" label:"refused share (at least)"` // 95% bound
	// The last request accepted before the onset and the first one refused, 0 without one.
	LastAccepted result.Time `json:"-"`
	FirstRefused result.Time `json:"-"`
}

const (
	// preflightShare is the minimum share of preflights refused while it lasts.
	preflightShare = 0.8
	// preflightLower is the minimum of the lower bound of that share.
	preflightLower = 0.5
)

// preflight reports whether a refused request looks like a browser's preflight.
func (d *Diagnosis) preflight(r *session.Refusal) bool {
	return !r.Named && d.State.Endpoints[r.Endpoint].Method == "OPTIONS" && strings.HasPrefix(d.State.Agents[r.Agent], "Mozilla/")
}

func observePreflights(d *Diagnosis) observer {
	endpoints, _ := d.refusalsByEndpoint(d.preflight, routeRefused)
	if len(endpoints) == 0 {
		return nil
	}
	endpoints = endpoints[:min(len(endpoints), maxFollowed)]
	return d.series(endpoints, len(d.State.Endpoints), endpointOf, func(e *timeline.Event) bool {
		return d.open(int(e.Refusal)) && d.preflight(d.Refusals.At(int(e.Refusal)))
	})
}

func inspectPreflights(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*seriesObserver)
	var found []candidate
	_, refusals := d.refusalsByEndpoint(d.preflight, routeRefused)
	for n, endpoint := range o.keys {
		e, list := &d.State.Endpoints[endpoint], refusals[endpoint]
		span, ok := refusingSpan(o.cells[n], preflightShare)
		if !ok || len(list) == 0 {
			continue
		}
		// Requests in progress at the onset may be logged after the first refusals.
		onset, lastAccepted := d.onsetOf(o.cells[n], span)
		list = slices.DeleteFunc(list, func(i uint32) bool {
			return span.accepted && d.Refusals.At(int(i)).Time < onset-max(d.Width, session.RedirectWindow)
		})
		clients := d.distinctClients(list)
		lower := stats.WilsonLower(span.Hits, span.Trials, stats.Z95)
		if clients < routeClients || len(list) < routeRefused || lower < preflightLower {
			continue
		}
		cand := candidate{claims: list}
		cand.Subject, cand.Onset = endpointSubject(e), parse.NoTime
		if span.accepted {
			cand.Onset = onset * 1000
		}
		cand.Severity, cand.Confidence = d.routeSeverity(list[len(list)-1], clients), confidence(0, lower)
		cand.Exhibit = d.actorTrend(o.cells[n])
		details := &Preflight{Requests: len(list), Clients: clients, Accepted: e.N[timeline.Accepted], RefusedLow: result.Share(round(lower, 4))}
		if span.accepted {
			details.LastAccepted, details.FirstRefused = result.Time(lastAccepted*1000), result.Time(onset*1000)
		}
		cand.Details = details
		found = append(found, cand)
	}
	return found, nil
}
