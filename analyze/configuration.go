package analyze

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/appconf"
	"logscan/parse/events"
	"logscan/parse/field"
	"logscan/parse/serverconf/rules"
)

// Configuration is what a run knows of the configuration of servers and applications.
type Configuration struct {
	Servers []*rules.Rules
	Apps    *appconf.Settings // nil for none
}

const (
	// maxExamples is how many different requests of a finding are resolved. They must
	// agree, so more of them only make a fact rarer.
	maxExamples = 20
	// maxContrast is how many routes are resolved for contrast, or to look for faults.
	maxContrast = 2000
	// contrastAccepted is the minimum number of accepted requests since the onset of a
	// route that counts as one without a fault, and contrastRefused the maximum of its share
	// of refusals in that time.
	contrastAccepted = 20
	contrastRefused  = 0.2
	// changeBefore is how long before the onset a file is changed that may have caused it:
	// a change takes effect when the server is reloaded. changeAfter allows for the
	// difference between clocks.
	changeBefore = 10 * time.Minute
	changeAfter  = 5 * time.Second
	// maxChanged is how many changed files a finding names.
	maxChanged = 3
	// settingWidth is the maximum ratio of the ends of a measured interval that is compared
	// with settings: a wider one holds settings by chance.
	settingWidth = 1.25
	// maxFacts is how many facts a finding has.
	maxFacts = 3
)

// example is a request that a finding explains, with the user that it names.
type example struct {
	rules.Request
	user string
	said string // by an error log, of a request that could not be checked
}

// addExample keeps a request of a finding as an example.
func (a *assembly) addExample(finding int, row *result.Unauthorized) {
	if len(a.reader.options.Configuration.Servers) == 0 {
		return
	}
	x := example{Request: rules.Request{Scheme: row.Scheme, Host: row.Host, Method: row.Method, Path: row.Path}}
	if a.reader.options.PseudonymKey == "" { // a pseudonym is in no configuration
		x.user = row.User
	}
	a.keepExample(finding, x)
}

// addFailureExample keeps a request as an example of which an error log says that it could
// not be checked. Most of them are answered with 500, so a finding may have no other.
func (a *assembly) addFailureExample(finding int, m *message) {
	if m.Outcome != events.Failed || len(a.reader.options.Configuration.Servers) == 0 {
		return
	}
	a.keepExample(finding, example{Request: rules.Request{Host: m.Host, Method: m.Method, Path: m.Path}, said: m.Said})
}

func (a *assembly) keepExample(finding int, x example) {
	if a.examples == nil {
		a.examples = make([][]example, len(a.Findings))
	}
	if list := a.examples[finding]; len(list) < maxExamples && !slices.Contains(list, x) {
		a.examples[finding] = append(list, x)
	}
}

// pairing says for which findings a kind of fact is a cause.
type pairing struct {
	findings []string
	// answered are who may have answered the refusals; Unknown is always possible, unless
	// certain is set.
	answered field.Answerer
	certain  bool
	// anywhere is set for facts that need not be absent from routes without a fault.
	anywhere bool
	// backend is set for facts about what a backend gets: it must have refused.
	backend bool
	// holds reports whether the finding has the pattern of the fact; nil if it need not.
	holds func(*result.Finding, []example, *rules.Answer, *rules.Fact) bool
}

// pairings returns the findings by kind of fact. A fact that is not in it is for people who
// check a configuration.
func pairings() map[rules.Kind]pairing {
	const probe, asset = "unauthenticated_probe", "uncredentialed_asset"
	// A route that refuses everybody is an outage of its area if there are several.
	route := []string{"endpoint_misconfigured", "authentication_outage"}
	guarded := append(slices.Clone(route), asset, probe)
	return map[rules.Kind]pairing{
		rules.AuthorizationCleared: {findings: append(route, "integration_failure"), answered: field.Upstream, backend: true},
		rules.CredentialsKept:      {findings: append(route, "integration_failure"), answered: field.Upstream, certain: true, backend: true},
		rules.HeadersNotPassed:     {findings: append(route, "integration_failure"), answered: field.Upstream, backend: true},
		rules.HeadersReplaced:      {findings: route, answered: field.Upstream, backend: true},
		rules.TwoRealms:            {findings: route[:1], answered: field.Upstream, certain: true},
		rules.PasswordFileMissing:  {findings: route, answered: field.Proxy},
		rules.PasswordFile:         {findings: route, anywhere: true, holds: unreadable},
		rules.SubrequestFails:      {findings: route, anywhere: true, holds: said("auth request unexpected status")},
		rules.AuthSubrequest:       {findings: route, anywhere: true, holds: said("auth request unexpected status")},
		rules.AuthIncomplete:       {findings: route, anywhere: true, holds: incomplete},
		rules.OutsidersOnly:        {findings: guarded, answered: field.Proxy},
		rules.MethodRule:           {findings: route[:1], answered: field.Proxy},
		rules.RegexShadows:         {findings: guarded, answered: field.Proxy},
		rules.PreflightNotExempt:   {findings: []string{"cors_preflight"}, answered: field.Proxy},
		rules.SubrequestHeaders:    {findings: route, answered: field.Proxy},
		rules.SubrequestBody:       {findings: route, answered: field.Proxy},
		rules.PlainHTTP:            {findings: []string{"insecure_scheme"}, anywhere: true},
		rules.CachedRefusals:       {findings: append(route, "intermittent_refusal"), answered: field.Proxy},
		rules.NotSticky:            {findings: []string{"intermittent_refusal"}, anywhere: true, holds: perBackend},
		rules.SlashRedirect:        {findings: []string{"auth_lost_on_redirect"}, anywhere: true, holds: fromSlashless},
		rules.ReturnsUnauthorized:  {findings: guarded, answered: field.Proxy},
		rules.CredentialsNotPassed: {findings: route, anywhere: true, holds: neverArrived},
		rules.RequireTooNarrow:     {findings: []string{"permission_denied_as_401", "endpoint_misconfigured"}, answered: field.Proxy, anywhere: true, holds: unlisted},
		rules.OverrideIgnored:      {findings: guarded, answered: field.Proxy},
		rules.ExceptionOverruled:   {findings: guarded, answered: field.Proxy},
		rules.ProtectedBy:          {findings: []string{asset, probe}, answered: field.Proxy, anywhere: true},
	}
}

// said returns a condition that holds if an error log says of a request that it could not
// be checked, in a message with a text.
func said(text string) func(*result.Finding, []example, *rules.Answer, *rules.Fact) bool {
	return func(_ *result.Finding, examples []example, _ *rules.Answer, _ *rules.Fact) bool {
		return slices.ContainsFunc(examples, func(x example) bool { return x.said != "" && strings.Contains(x.said, text) })
	}
}

// incomplete reports whether an error log says that what is missing is missing.
func incomplete(f *result.Finding, examples []example, a *rules.Answer, fact *rules.Fact) bool {
	switch fact.Name {
	case "AuthName":
		return said("need AuthName")(f, examples, a, fact)
	case "AuthUserFile":
		return said("AuthUserFile not specified")(f, examples, a, fact)
	case "AuthType":
		return said("Authentication not configured?")(f, examples, a, fact)
	}
	return len(fact.Lines[0].Directive) > len("AuthType ") &&
		said("AuthType "+fact.Lines[0].Directive[len("AuthType "):]+" configured without")(f, examples, a, fact)
}

// unreadable reports whether an error log says that the file of the fact could not be opened.
func unreadable(f *result.Finding, examples []example, a *rules.Answer, fact *rules.Fact) bool {
	return said(path.Base(fact.Name))(f, examples, a, fact)
}

// perBackend reports whether sessions are accepted at one backend and refused at others.
func perBackend(f *result.Finding, _ []example, _ *rules.Answer, _ *rules.Fact) bool {
	d, ok := f.Details.(*detect.Intermittent)
	return ok && !d.Renewals && (d.OnePlace || d.Processes > 1)
}

// fromSlashless reports whether clients came from the same path without its last slash.
func fromSlashless(f *result.Finding, _ []example, _ *rules.Answer, _ *rules.Fact) bool {
	d, ok := f.Details.(*detect.Redirect)
	without, slash := strings.CutSuffix(f.Subject.Route, "/")
	return ok && slash && slices.ContainsFunc(d.From, func(from string) bool { return strings.HasSuffix(from, without) })
}

// apiNames are segments of paths of APIs, whose clients send credentials in a header.
var apiNames = []string{"api", "rest", "wp-json", "graphql", "jsonapi", "dav", "remote.php", "xmlrpc.php", "v1", "v2", "v3"}

// neverArrived reports whether an API accepted no request from the start and none names a
// user: the credentials that clients sent did not arrive. Pages of the same program, which
// need a cookie, are not affected.
func neverArrived(f *result.Finding, examples []example, _ *rules.Answer, _ *rules.Fact) bool {
	if d, ok := f.Details.(*detect.BrokenEndpoint); ok && d.Accepted > 0 || f.Onset != parse.NoTime || f.AnsweredBy == field.Proxy {
		return false
	}
	return !slices.ContainsFunc(examples, func(x example) bool { return x.user != "" || !ofAPI(x.Path) })
}

// ofAPI reports whether a path is one of an API, by its name.
func ofAPI(path string) bool {
	segments := strings.Split(strings.ToLower(path), "/")
	return slices.ContainsFunc(segments, func(s string) bool { return slices.Contains(apiNames, s) })
}

// faultyRoutes returns the endpoints that accept nobody and are refused by a mistake in the
// configuration, which shows that they are meant to be open, or that the credentials of
// their clients do not arrive: there no refusal is ordinary.
func (a *assembly) faultyRoutes() map[uint32]*rules.Fact {
	faulty := map[uint32]*rules.Fact{}
	for _, s := range a.reader.options.Configuration.Servers {
		resolved := 0
		for i := range a.State.Endpoints {
			e := &a.State.Endpoints[i]
			if e.N[timeline.Unauthorized] <= fewOrdinary || e.N[timeline.Accepted]+e.Known.Accepted > 0 || faulty[uint32(i)] != nil {
				continue
			}
			if resolved++; resolved > maxContrast {
				break
			}
			answer := s.Resolve(rules.Request{Host: e.Host, Method: e.Method, Path: rules.Filled(e.Template)})
			if n := slices.IndexFunc(answer.Facts, func(f rules.Fact) bool { return closes(&f, e) }); n >= 0 {
				faulty[uint32(i)] = &answer.Facts[n]
			}
		}
	}
	return faulty
}

// closes reports whether a fact is enough to refuse everybody on a route.
func closes(f *rules.Fact, e *timeline.Endpoint) bool {
	switch f.Kind {
	case rules.RegexShadows, rules.OverrideIgnored, rules.ExceptionOverruled, rules.AuthorizationCleared, rules.HeadersNotPassed:
		return f.Certainty == rules.Certain
	case rules.CredentialsNotPassed:
		return ofAPI(e.Template)
	}
	return false
}

// faultsOf returns the mistakes of the configuration that close routes with refusals, whose
// numbers by endpoint are given.
func (a *assembly) faultsOf(refusals []int64) (facts []rules.Fact) {
	for i, n := range refusals {
		f := a.faulty[uint32(i)]
		if n == 0 || f == nil || len(facts) == maxFacts {
			continue
		}
		if a.reader.options.PseudonymKey != "" {
			f = withoutNames(f)
		}
		if !slices.ContainsFunc(facts, func(g rules.Fact) bool { return g.Same(f) }) {
			facts = append(facts, *f)
		}
	}
	return facts
}

// unlisted reports whether the refused users are named and not in a list of Require.
func unlisted(f *result.Finding, examples []example, _ *rules.Answer, fact *rules.Fact) bool {
	if f.Kind != "permission_denied_as_401" && !strings.HasPrefix(strings.ToLower(fact.Lines[0].Directive), "require user ") {
		return false // who is in a group is not known
	}
	listed := strings.Fields(fact.Name)
	named := false
	for _, x := range examples {
		named = named || x.user != ""
		if slices.Contains(listed, x.user) {
			return false
		}
	}
	return named
}

// addConfiguration adds to the findings what the configuration shows of them.
func (a *assembly) addConfiguration(res *result.Result) {
	o := &a.reader.options.Configuration
	for i := range a.Findings {
		f := &a.Findings[i]
		c := &result.Configuration{Settings: o.settings(f), Changed: o.changed(f, res)}
		if a.examples != nil {
			c.Facts = a.factsOn(f, a.examples[i], res)
		}
		if len(c.Facts)+len(c.Settings)+len(c.Changed) > 0 {
			f.Configuration = c
		}
	}
}

// factsOn returns the facts that cause or rule a finding: on which all its examples agree,
// whose kind fits its own, and that routes without a fault do not share.
func (a *assembly) factsOn(f *result.Finding, examples []example, res *result.Result) (facts []rules.Fact) {
	if len(examples) == 0 {
		return nil
	}
	table := pairings()
	for _, s := range a.reader.options.Configuration.Servers {
		answer := answerTo(s, examples)
		if answer.Access.Refuses() && len(answer.By) > 0 {
			answer.Facts = append(answer.Facts, rules.Fact{Kind: rules.ProtectedBy, Lines: answer.By, Certainty: rules.Certain})
		}
		for i := range answer.Facts {
			fact := &answer.Facts[i]
			p, ok := table[fact.Kind]
			if !ok || !p.fits(f, examples, &answer, fact) || p.backend && !a.refusedBehind(s, &answer, f, res) || !p.anywhere && a.harmless(s, fact, f, res) {
				continue
			}
			if a.reader.options.PseudonymKey != "" {
				fact = withoutNames(fact)
			}
			facts = append(facts, *fact)
		}
	}
	slices.SortStableFunc(facts, func(x, y rules.Fact) int { return cmp.Compare(rank(&y), rank(&x)) })
	if len(facts) > 1 { // what protects a route says nothing beside a mistake
		facts = slices.DeleteFunc(facts, func(x rules.Fact) bool { return x.Kind == rules.ProtectedBy && x.Kind != facts[0].Kind })
	}
	return facts[:min(len(facts), maxFacts)]
}

// answerTo returns what a server does with all examples. If an error log names no path,
// those are the facts on any route that its message names.
func answerTo(s *rules.Rules, examples []example) rules.Answer {
	var answers []rules.Answer
	for _, x := range examples {
		if x.Path != "" {
			answers = append(answers, s.Resolve(x.Request))
		}
	}
	if len(answers) > 0 {
		return rules.Agreed(answers)
	}
	return rules.Answer{Facts: slices.DeleteFunc(s.Everywhere(), func(f rules.Fact) bool { return f.Kind != rules.PasswordFile && f.Kind != rules.AuthIncomplete })}
}

// withoutNames returns a fact without what its lines say after the name of the directive,
// which may be a person.
func withoutNames(f *rules.Fact) *rules.Fact {
	c := *f
	c.Name, c.Lines = "", slices.Clone(f.Lines)
	for i := range c.Lines {
		name, _, _ := strings.Cut(c.Lines[i].Directive, " ")
		c.Lines[i].Directive = name + " ..."
	}
	return &c
}

// rank orders facts: mistakes first, the more certain ones before others.
func rank(f *rules.Fact) int {
	if f.Kind == rules.ProtectedBy {
		return -1
	}
	return int(f.Certainty)
}

// fits reports whether a fact may be the cause of a finding.
func (p *pairing) fits(f *result.Finding, examples []example, a *rules.Answer, fact *rules.Fact) bool {
	switch {
	case !slices.Contains(p.findings, f.Kind):
		return false
	case p.answered != field.Unknown && f.AnsweredBy != p.answered && (p.certain || f.AnsweredBy != field.Unknown):
		return false
	}
	return p.holds == nil || p.holds(f, examples, a, fact)
}

// harmless reports whether a protected route to which a fact applies too accepts its
// requests while the finding lasts: then the fact alone is no fault.
func (a *assembly) harmless(s *rules.Rules, fact *rules.Fact, f *result.Finding, res *result.Result) bool {
	return a.works(s, f, res, func(route *rules.Answer) bool {
		return slices.ContainsFunc(route.Facts, func(g rules.Fact) bool { return g.Same(fact) })
	})
}

// refusedBehind reports whether the backend has refused the requests of a finding: the log
// states it, or the server does not refuse such requests. If it checks credentials, it does not
// if those who were refused here are accepted where it checks the same.
func (a *assembly) refusedBehind(s *rules.Rules, answer *rules.Answer, f *result.Finding, res *result.Result) bool {
	if f.AnsweredBy == field.Upstream || !answer.Access.Refuses() {
		return true
	}
	switch d := f.Details.(type) {
	case *detect.BrokenEndpoint:
		if d.Alive+d.Proven+d.Returned == 0 {
			return false
		}
	case *detect.Outage: // of those who had been accepted
	default:
		return false
	}
	file := passwordFile(answer)
	if file == "" && !asksOthers(answer.By) || answer.Upstream == "" {
		return false
	}
	return a.works(s, f, res, func(route *rules.Answer) bool {
		return passwordFile(route) == file && slices.EqualFunc(route.By, answer.By, func(x, y rules.Line) bool { return x.Directive == y.Directive })
	})
}

// asksOthers reports whether a service or key that the directives of a server name checks the
// credentials, and no file of passwords.
func asksOthers(by []rules.Line) bool {
	return len(by) > 0 && !slices.ContainsFunc(by, func(l rules.Line) bool {
		name, _, _ := strings.Cut(l.Directive, " ")
		return name != "auth_request" && name != "auth_jwt"
	})
}

// passwordFile returns the file of passwords that a server reads for a request; empty if it
// reads none or several.
func passwordFile(answer *rules.Answer) (name string) {
	for i := range answer.Facts {
		if f := &answer.Facts[i]; f.Kind == rules.PasswordFile {
			if name != "" {
				return ""
			}
			name = f.Name
		}
	}
	return name
}

// works reports whether a protected route that fits accepts its requests while a finding
// lasts.
func (a *assembly) works(s *rules.Rules, f *result.Finding, res *result.Result, fits func(*rules.Answer) bool) bool {
	resolved := 0
	for i := range res.Endpoints {
		e := &res.Endpoints[i]
		same := e.Host == f.Subject.Host || f.Subject.Host == ""
		lasts := 1.0 // share of its requests since the onset
		if span := e.LastTime - e.FirstTime; f.Onset != parse.NoTime && span > 0 {
			lasts = min(1, max(0, float64(e.LastTime-f.Onset)/float64(span)))
		}
		if !same || !e.Protected || e.FindingID != "" || float64(e.Accepted)*lasts < contrastAccepted {
			continue
		}
		if float64(e.Unauthorized) > contrastRefused*lasts*float64(e.Requests) {
			continue
		}
		if resolved++; resolved > maxContrast {
			break
		}
		if fits(a.onRoute(s, i, e)) {
			return true
		}
	}
	return false
}

// routeOf is an endpoint under the rules of a server.
type routeOf struct {
	rules    *rules.Rules
	endpoint int
}

// onRoute returns what a server does with requests of an endpoint.
func (a *assembly) onRoute(s *rules.Rules, i int, e *result.Endpoint) *rules.Answer {
	key := routeOf{s, i}
	answer := a.contrast[key]
	if answer == nil {
		resolved := s.Resolve(rules.Request{Host: e.Host, Method: e.Method, Path: rules.Filled(e.Template)})
		answer = &resolved
		if a.contrast == nil {
			a.contrast = map[routeOf]*rules.Answer{}
		}
		a.contrast[key] = answer
	}
	return answer
}

// settings returns the configured timeouts that are equal to the one that a finding
// measured.
func (c *Configuration) settings(f *result.Finding) []appconf.Setting {
	d, ok := f.Details.(*detect.Expiry)
	if !ok || c.Apps == nil || float64(d.High) > settingWidth*float64(d.Low) {
		return nil
	}
	limits := map[string]appconf.Limits{"idle": appconf.Idle, "absolute": appconf.Absolute}[d.Policy]
	if limits == 0 {
		limits = appconf.Either
	}
	list := c.Apps.Fits(float64(d.Low), float64(d.High), limits)
	return list[:min(len(list), maxFacts)]
}

// changed returns the files of the server's configuration that were changed shortly before
// the onset of a finding.
func (c *Configuration) changed(f *result.Finding, res *result.Result) (list []result.FileChange) {
	switch detect.Category(f.Category) {
	case detect.EndpointCategory, detect.SessionCategory, detect.UpstreamCategory, detect.TrafficCategory:
	default:
		return nil
	}
	if f.Onset == parse.NoTime {
		return nil
	}
	from, to := max(f.Onset-changeBefore.Microseconds(), res.Totals.FirstTime), min(f.Onset+changeAfter.Microseconds(), res.Totals.LastTime)
	for _, s := range c.Servers {
		for _, file := range s.Files {
			at := file.Modified.UnixMicro()
			if x := (result.FileChange{Path: file.Path, Time: at}); at >= from && at <= to && !slices.Contains(list, x) && len(list) < maxChanged {
				list = append(list, x)
			}
		}
	}
	return list
}
