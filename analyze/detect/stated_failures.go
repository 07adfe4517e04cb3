package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/parse"
	"logscan/parse/field"
)

// Some requests are never answered 401: the server could not check the credentials,
// answered 500 or 403, and said so in its error log. Such a statement is a finding by
// itself, also in a log without a 401: an endpoint_misconfigured if the configuration or
// a file of the route is at fault, an authentication_outage if a directory or an
// identity provider could not be reached.

// Failure is a number of requests of which a server's own log says that it could not
// check their credentials, for one reason.
type Failure struct {
	Host, Method, Route string // of the requests; empty if the log does not say
	Reason              string
	Code                string // of the message, if its source has codes
	First, Last         int64  // Unix microseconds
	Requests, Clients   int64
	Messages            []uint32 // samples, as indexes into State.Messages
}

const (
	// failureLeast is the minimum number of requests that fail because a service does not
	// answer: single ones fail wherever networks are used. A faulty configuration fails
	// every time, so one is enough.
	failureLeast = 3
	// failureMedium is the number of clients from which on the severity is medium; high
	// from outageHigh on.
	failureMedium = endpointActors
	// statedConfidence is the confidence in what a server states of itself.
	statedConfidence = 0.95
	// maxFailures is the maximum number of such findings.
	maxFailures = 50
)

// statedFailures returns the findings of failures that no accepted finding is about; to
// those that are, it adds the messages.
func (d *Diagnosis) statedFailures(failures []Failure, accepted []*candidate) []*candidate {
	type trouble struct {
		kind    string
		subject result.Subject
	}
	at := map[trouble]int{}
	var found []*candidate
	for i := range failures {
		f := &failures[i]
		kind := failureKind(f.Reason)
		s := result.Subject{Type: "endpoint", Host: f.Host, Method: f.Method, Route: f.Route}
		if kind == authenticationOutage.Name {
			s = result.Subject{Type: "site", Host: f.Host}
		}
		if n := slices.IndexFunc(accepted, func(c *candidate) bool { return aboutFailure(&c.Finding, f) }); n >= 0 {
			accepted[n].messages = append(accepted[n].messages, f.Messages...)
			continue
		}
		n, ok := at[trouble{kind, s}]
		if !ok {
			n = len(found)
			at[trouble{kind, s}] = n
			found = append(found, &candidate{Finding: result.Finding{Kind: kind, Subject: s, FirstSeen: f.First, LastSeen: f.Last}})
		}
		found[n].addFailure(f)
	}
	found = slices.DeleteFunc(found, func(c *candidate) bool {
		return c.Kind == authenticationOutage.Name && c.Details.(*Outage).Failures < failureLeast
	})
	for i := range found {
		d.completeFailure(found[i])
	}
	slices.SortFunc(found, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Actors, a.Actors), cmp.Compare(a.ID, b.ID))
	})
	return found[:min(len(found), maxFailures)]
}

// failureKind returns the kind of the finding of a failure.
func failureKind(reason string) string {
	switch field.ClassOf(reason) {
	case field.ConfigReason, field.PermissionReason, field.RequestReason:
		return endpointMisconfigured.Name
	}
	return authenticationOutage.Name
}

// aboutFailure reports whether a finding is about the requests of a failure.
func aboutFailure(f *result.Finding, x *Failure) bool {
	s := &f.Subject
	switch f.Kind {
	case endpointMisconfigured.Name, authenticationOutage.Name, upstreamMisconfigured.Name:
	default:
		return false
	}
	return (s.Host == "" || x.Host == "" || s.Host == x.Host) && (s.Route == "" || s.Route == x.Route) && s.Upstream == "" && s.Server == "" &&
		x.First <= f.LastSeen+session.Nearby*1000 && x.Last >= f.FirstSeen-session.Nearby*1000
}

// addFailure adds a failure to the finding of its subject.
func (c *candidate) addFailure(f *Failure) {
	if c.Details == nil {
		if c.Kind == endpointMisconfigured.Name {
			c.Details = &BrokenEndpoint{Code: f.Code}
		} else {
			c.Details = &Outage{Code: f.Code}
		}
	}
	switch details := c.Details.(type) {
	case *BrokenEndpoint:
		details.Failures += f.Requests
	case *Outage:
		details.Failures += f.Requests
	}
	c.FirstSeen, c.LastSeen = min(c.FirstSeen, f.First), max(c.LastSeen, f.Last)
	c.Actors = max(c.Actors, f.Clients)
	c.messages = alternating(c.messages, f.Messages)
}

// alternating returns the messages of two lists in turn: a finding shows the first ones, and
// those of one failure say all the same.
func alternating(a, b []uint32) []uint32 {
	var all []uint32
	for len(a) > 0 && len(b) > 0 {
		all = append(all, a[0], b[0])
		a, b = a[1:], b[1:]
	}
	return append(append(all, a...), b...)
}

// completeFailure sets what follows from all failures of a finding.
func (d *Diagnosis) completeFailure(c *candidate) {
	k, _ := KindOf(c.Kind)
	c.Category, c.ID = string(k.Category), findingID(k.Name, c.Subject)
	c.Severity = result.Low
	switch {
	case c.Actors >= outageHigh:
		c.Severity = result.High
	case c.Actors >= failureMedium:
		c.Severity = result.Medium
	}
	c.Onset = parse.NoTime
	if c.FirstSeen/1000 > d.From+session.Nearby {
		c.Onset = c.FirstSeen
	}
	ongoing := c.LastSeen/1000 >= d.To-session.Nearby
	switch details := c.Details.(type) {
	case *BrokenEndpoint:
		details.Ongoing = ongoing
	case *Outage:
		details.Ongoing = ongoing
	}
	c.Confidence = statedConfidence
	c.messages = c.messages[:min(len(c.messages), result.MaxEvidence)]
	slices.Sort(c.messages)
}

// Failed returns of how many requests error logs say, in a finding that is about them, that
// they could not be checked; 0 for a finding about refusals.
func Failed(f *result.Finding) int64 {
	switch details := f.Details.(type) {
	case *BrokenEndpoint:
		return details.Failures
	case *Outage:
		return details.Failures
	}
	return 0
}

// withVariant returns a kind with other texts, in the place of its own, for findings whose
// details have a field that is not empty.
func withVariant(k Kind, field, title, explanation string, remedy ...string) Kind {
	in, out := `{{if .Details.`+field+`}}`, `{{if not .Details.`+field+`}}`
	k.Title = in + title + `{{else}}` + k.Title + `{{end}}`
	k.Explanation = in + explanation + `
		{{if .Details.Ongoing}}It still fails at the end of the log.{{end}}{{else}}` + k.Explanation + `{{end}}`
	var steps []string
	for _, step := range remedy {
		steps = append(steps, in+step+`{{end}}`)
	}
	for _, step := range k.Remedy {
		steps = append(steps, out+step+`{{end}}`)
	}
	k.Remedy = steps
	return k
}

func misconfiguredOrFailing() Kind {
	return withVariant(withVainRenewals(withClosedHeads(withOpenedLinks(endpointMisconfigured))), "Failures",
		`{{route .Subject}} cannot check credentials {{since .Onset}}`,
		`The error log says of {{count .Details.Failures "request"}} that the server could not check the credentials{{with .Details.Code}} ({{.}}){{end}}: its configuration, or a file that it names, is at fault.
		Such requests are answered with 500 or 403, not 401.`,
		`Read the evidence: the error log names the setting or the file.`,
		`Apache: set AuthType, AuthName and a provider (AuthBasicProvider, AuthUserFile) for this location, or load the module that the AuthType needs. nginx: check the path and the permissions of auth_basic_user_file.`,
		`Test the configuration (nginx -t, apachectl configtest) and reload the server.`,
	)
}

func downOrFailing() Kind {
	return withVariant(authenticationOutage, "Failures",
		`Credentials cannot be checked{{with .Subject.Host}} on {{.}}{{end}} {{since .Onset}}`,
		`The error log says of {{count .Details.Failures "request"}} that what checks the credentials did not answer as it should{{with .Details.Code}} ({{.}}){{end}}.
		Such requests are answered with 500 as a rule, not 401.`,
		`Check the service that the evidence names: the authentication service behind nginx auth_request, the directory (LDAP), the identity provider and its keys (JWKS).`,
		`Look at the logs of that service{{if gt .Onset 0}} at {{time .Onset}}{{end}}: time-outs, refused connections, certificates, expired passwords.`,
	)
}
