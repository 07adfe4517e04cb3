package wording

import (
	"logscan/analyze/result"
	"logscan/parse/serverconf/rules"
	"logscan/report/document"
)

// Check returns the rules of a configuration in words.
func Check(r *rules.Rules) *document.Check {
	d := &document.Check{
		SchemaVersion: document.SchemaVersion, Server: r.Server, File: r.Path,
		Routes: []document.Route{}, Faults: []document.Fault{}, Notes: append([]string{}, r.Notes...),
	}
	for _, x := range r.Routes() {
		d.Routes = append(d.Routes, document.Route{
			Host: x.Host, Path: x.Path, Access: x.Access.String(), Upstream: x.Upstream,
			File: x.Scope.File, Line: x.Scope.Line, DecidedBy: decidedBy(x.By),
		})
	}
	for _, f := range r.Faults() {
		what, remedy := FactText(&f)
		d.Faults = append(d.Faults, document.Fault{Kind: string(f.Kind), Certainty: f.Certainty.String(), Text: what, Remediation: remedy, Lines: FactLines(&f)})
	}
	return d
}

// Comparison returns in words what a changed configuration would do.
func Comparison(c *rules.Comparison, run, old string) *document.Comparison {
	d := &document.Comparison{Run: run, Old: old, Routes: c.Routes, Requests: c.Requests, Undecided: c.Undecided, Changes: []document.RouteChange{}}
	for i := range c.Changes {
		x := &c.Changes[i]
		d.Changes = append(d.Changes, document.RouteChange{
			Host: x.Host, Method: x.Method, Route: x.Template, Requests: x.Requests, Unauthorized: x.Unauthorized,
			Before: x.Before.Access.String(), After: x.After.Access.String(), BeforeBy: decidedBy(x.Before.By), AfterBy: decidedBy(x.After.By),
		})
	}
	return d
}

func decidedBy(lines []rules.Line) []result.ConfigurationLine {
	list := []result.ConfigurationLine{}
	for _, l := range lines {
		list = append(list, result.ConfigurationLine{Path: l.File, Line: l.Line, Directive: Directive(l.Directive), Why: "decides"})
	}
	return list
}
