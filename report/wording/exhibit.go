package wording

import "logscan/analyze/result"

// Caption returns what an exhibit shows. noun is what the refusals of the run are called.
func Caption(e *result.Exhibit, noun Noun) string {
	if e.Curve != nil {
		if e.Curve.Idle {
			return "Share of requests accepted, by idle time before them"
		}
		return "Share of requests accepted, by session age"
	}
	switch e.Counts {
	case result.CountsActors:
		return "Clients refused and accepted"
	case result.CountsRequests:
		return "Requests refused and accepted"
	case result.CountsByScheme:
		return "Requests refused and accepted, by scheme"
	case result.CountsByUpstream:
		return "Requests refused and accepted, by backend"
	case result.CountsByServer:
		return "Requests refused and accepted, by server"
	case result.CountsTries:
		return "Sign-in tries before and after the onset"
	case result.CountsByAccount:
		return "Sign-in tries refused and accepted, by account"
	}
	return noun.Title() + " explained by this finding"
}

// PartName returns the name of a part of an exhibit.
func PartName(p *result.Part) string {
	switch p.Kind {
	case result.BeforeOnset:
		return "before"
	case result.SinceOnset:
		return "since"
	case result.AfterRedirect:
		return "after a redirect"
	case result.WithoutRedirect:
		return "without a redirect"
	case result.ChangedAddress:
		return "address changed"
	case result.SameAddress:
		return "same address"
	case result.OverHTTP:
		return "http"
	case result.OverHTTPS:
		return "https"
	}
	return p.Name
}
