package wording

import (
	"fmt"
	"path/filepath"
	"strings"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/appconf"
	"logscan/parse/serverconf/rules"
)

// factTexts are the texts of a kind of fact in the configuration of a server. In them, {0}
// stands for the first line, {at0} for its place, {name} for what the fact is about.
type factTexts struct {
	what   string   // a sentence
	why    []string // what each line does
	remedy string
}

// facts are the texts by kind.
var facts = map[rules.Kind]factTexts{
	rules.AuthorizationCleared: {
		"The backend never gets the header Authorization.",
		[]string{"removes the header before the request is passed on"},
		"Remove {0} at {at0}. In nginx, proxy_set_header Authorization $http_authorization; in its place passes the header on.",
	},
	rules.CredentialsKept: {
		"The proxy checks the password itself and removes the header Authorization: the backend, which refused these requests, never gets it.",
		[]string{"checks the password, and keeps it from the backend"},
		"Let one of the two check credentials: remove {0} at {at0}, or let the backend accept what the proxy has let in.",
	},
	rules.HeadersNotPassed: {
		"The backend gets none of the client's headers: no Authorization, no Cookie.",
		[]string{"keeps all headers of the client"},
		"Remove {0} at {at0}, or add below it: proxy_set_header Authorization $http_authorization; proxy_set_header Cookie $http_cookie;",
	},
	rules.HeadersReplaced: {
		"One proxy_set_header in a location drops all that it would inherit, here {name}.",
		[]string{"starts a list of its own, so the inherited one does not apply", "is lost here"},
		"Repeat {1} (from {at1}) beside {0} at {at0}.",
	},
	rules.TwoRealms: {
		"nginx asks for credentials in the header Authorization and passes it on to a backend, which may ask for its own.",
		[]string{"asks for credentials", "passes the same header on"},
		"Choose one of the two. Write auth_basic off; in this location, or clear the header for the backend and sign users in there by another header: proxy_set_header Authorization \"\"; proxy_set_header X-Remote-User $remote_user; ({0} is at {at0}).",
	},
	rules.PasswordFileMissing: {
		"The password file {name} is not there: nginx answers 403 to credentials, and 401 to none.",
		[]string{"names a file that is not there"},
		"Create {name}, or correct {0} at {at0}.",
	},
	rules.PasswordFile: {
		"The server cannot read the password file {name}, as its error log says.",
		[]string{"names the file"},
		"Create {name}, let the user that the server runs as read it, or correct {0} at {at0}.",
	},
	rules.ProtectedBy: {
		"The server itself asks for credentials here.",
		[]string{"protects the route", "protects the route", "protects the route"},
		"If the route is meant to be open, exempt it from {0} ({at0}): in nginx a location = PATH with auth_basic off; or auth_request off; in Apache a <Location PATH> with Require all granted; in Kubernetes an Ingress or IngressRoute of its own without it; in Traefik a router of its own.",
	},
	rules.RegexShadows: {
		"A location with a regular expression is chosen over the prefix that is meant to be open.",
		[]string{"is chosen, because regular expressions come before prefixes", "would open the path, but is not chosen", "has no effect for this path"},
		"Write ^~ before the prefix of {at1} (location ^~ ...), so that regular expressions are not tried, or add {2} to {0} at {at0}.",
	},
	rules.PreflightNotExempt: {
		"Preflight requests carry no credentials and are not exempt.",
		[]string{"asks for credentials for OPTIONS too", "asks for credentials for OPTIONS too", "asks for credentials for OPTIONS too"},
		"Exempt OPTIONS beside {0} at {at0}. nginx: if ($request_method = OPTIONS) { return 204; } with the Access-Control headers. Apache: put the Require into <LimitExcept OPTIONS>. ingress-nginx: the annotation nginx.ingress.kubernetes.io/enable-cors: \"true\" answers them.",
	},
	rules.UnprotectedAnswer: {
		"The answer needs no credentials: return comes before authentication.",
		[]string{"answers before access is checked", "has no effect on it"},
		"Serve the content of {at0} from a file or a backend, or move the return into an error_page.",
	},
	rules.OutsidersOnly: {
		"Clients from addresses that are not listed need credentials and get 401 where they would get 403; listed ones need none.",
		[]string{"lets one of address and credentials suffice", "refuses other addresses", "asks them for credentials"},
		"Add the addresses that are to come in without credentials before {1} at {at1}.",
	},
	rules.MethodRule: {
		"A rule for some methods asks for credentials here; other methods of the route have rules of their own, or none.",
		[]string{"decides which methods the rule is for", "asks for credentials for them"},
		"Check who may use the method, and the users that {1} at {at1} lets in; if it needs no rule of its own, take it out of {0} at {at0}.",
	},
	rules.RefusalsHidden: {
		"Refusals do not show as 401 in the access log: they are answered with another status.",
		[]string{"replaces the status of refusals"},
		"Count those answers as refusals: logscan scan --status 302 (or the status that {at0} answers with).",
	},
	rules.SubrequestFails: {
		"The answer of the authentication request is neither 2xx, 401 nor 403, so nginx answers 500.",
		[]string{"asks this location", "answers with something else"},
		"Let {1} at {at1} answer 401, and send people to the sign-in page with error_page 401.",
	},
	rules.AuthSubrequest: {
		"What the authentication request is passed to does not answer it with 2xx, 401 or 403, as the error log says.",
		[]string{"is asked about each request", "sends the request there"},
		"Check the service and the path of {0} at {at0}: it must answer 2xx or 401.",
	},
	rules.SubrequestBody: {
		"The authentication request announces a body that it does not carry.",
		[]string{"asks for each request", "passes Content-Length on without the body"},
		"Add to {1} at {at1}: proxy_pass_request_body off; proxy_set_header Content-Length \"\";",
	},
	rules.SubrequestHeaders: {
		"The authentication request lacks the credentials that it is to check.",
		[]string{"keeps credentials from the authentication request", "asks this location for each request"},
		"Remove {0} at {at0}.",
	},
	rules.BuffersSmall: {
		"Long cookies and tokens do not fit the buffer for headers: such requests get 400.",
		[]string{"is less than the default, 4 8k"},
		"Raise it at {at0}: large_client_header_buffers 4 16k;",
	},
	rules.PlainHTTP: {
		"The route is served over http too, where browsers do not send secure cookies.",
		[]string{"serves it over http without a redirect"},
		"Redirect in the server of {at0}. nginx: return 301 https://$host$request_uri; Apache: Redirect permanent / https://HOST/",
	},
	rules.CachedRefusals: {
		"A 401 for one client is kept and answered to others: the key of the cache has no credentials.",
		[]string{"answers from the cache, whoever asks", "keeps 401s"},
		"Leave 401 out of {1} at {at1}, or add $http_authorization and the session cookie to proxy_cache_key.",
	},
	rules.NotSticky: {
		"Requests of one session may go to different servers of {name}.",
		[]string{"has several servers and nothing that keeps a client at one", "passes requests there"},
		"Let the servers share their sessions, or add to {0} at {at0}: ip_hash; or hash $cookie_SESSION consistent;",
	},
	rules.SlashRedirect: {
		"A request without the last slash is redirected here by the server.",
		[]string{"redirects the path without its slash"},
		"Link to the path with its slash, or add beside {0} at {at0} a location = PATH without it that passes the request on.",
	},
	rules.ReturnsUnauthorized: {
		"The configuration itself answers 401.",
		[]string{"answers 401 whatever the credentials are"},
		"Remove {0} at {at0}, or make it depend on the credentials.",
	},
	rules.CredentialsNotPassed: {
		"Apache does not pass Authorization to CGI and FastCGI programs such as PHP-FPM by default.",
		[]string{"runs a program that does not get the header Authorization"},
		"Add to the section of {at0}, or to the directory of the application: CGIPassAuth On (before Apache 2.4.13: SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1).",
	},
	rules.RequireTooNarrow: {
		"Only the listed users or groups are let in; Apache answers 401 to others who are signed in.",
		[]string{"names who is let in"},
		"Add who is missing to {0} at {at0}, or write AuthzSendForbiddenOnFailure On there, so that others get 403.",
	},
	rules.OverrideIgnored: {
		"A .htaccess file that would open the path is not read.",
		[]string{"keeps .htaccess from being read for access rules", "has no effect"},
		"Move {1} from {at1} into a <Directory> section, or write AllowOverride AuthConfig at {at0}.",
	},
	rules.MethodHole: {
		"Only the methods {name} need credentials; others are open.",
		[]string{"limits the rules to these methods", "applies to these methods only"},
		"Remove the <Limit> around {1} at {at0}, or write <LimitExcept OPTIONS>.",
	},
	rules.ExceptionOverruled: {
		"A section that is meant to open the path has no effect: <Location> comes after <Directory> and .htaccess.",
		[]string{"applies last", "is overruled"},
		"Write the exception as a <Location> after {0} at {at0}: Require all granted.",
	},
	rules.AuthIncomplete: {
		"{name} is missing: Apache answers 500.",
		[]string{"lacks {name}"},
		"Add {name} beside {0} at {at0}.",
	},
	rules.MixedAccess: {
		"Old and new access control are mixed; both must agree to a request.",
		[]string{"is of mod_access_compat", "is of mod_authz_core"},
		"Replace {0} at {at0} by Require.",
	},
}

// ConfigurationPlace returns the place of a line of a configuration: the end of the path
// that names it, and the line.
func ConfigurationPlace(file string, line int) string {
	return Clip(fmt.Sprintf("%s:%d", fileName(file), line), MaxName)
}

// fileName returns the end of a path that names a file: its directory and its name.
func fileName(path string) string {
	parts := strings.Split(filepath.ToSlash(path), "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

// maxDirective is how many characters of a directive are shown.
const maxDirective = 120

// Directive returns a directive as text: without credentials, on one line.
func Directive(s string) string { return Clip(result.Clean(s), maxDirective) }

// filledIn replaces the places in a text on a fact.
func filledIn(text string, f *rules.Fact) string {
	pairs := []string{"{name}", Clip(f.Name, MaxName)}
	for i := range 3 {
		directive, place := "the directive", "its place"
		if i < len(f.Lines) {
			l := &f.Lines[i]
			directive, place = "`"+Directive(l.Directive)+"`", ConfigurationPlace(l.File, l.Line)
		}
		pairs = append(pairs, fmt.Sprintf("{%d}", i), directive, fmt.Sprintf("{at%d}", i), place)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// FactText returns what a fact means, in a sentence, and what to do about it.
func FactText(f *rules.Fact) (what, remedy string) {
	t := facts[f.Kind]
	return filledIn(t.what, f), filledIn(t.remedy, f)
}

// FactLines returns the lines of a fact with what each does.
func FactLines(f *rules.Fact) (list []result.ConfigurationLine) {
	t := facts[f.Kind]
	for i := range f.Lines {
		l := &f.Lines[i]
		why := ""
		if i < len(t.why) {
			why = filledIn(t.why[i], f)
		}
		list = append(list, result.ConfigurationLine{Path: l.File, Line: l.Line, Directive: Directive(l.Directive), Why: why})
	}
	return list
}

// configurationLines returns the lines of configurations that a finding names.
func configurationLines(c *result.Configuration) (list []result.ConfigurationLine) {
	if c == nil {
		return nil
	}
	for i := range c.Facts {
		list = append(list, FactLines(&c.Facts[i])...)
	}
	for i := range c.Settings {
		s := &c.Settings[i]
		list = append(list, result.ConfigurationLine{Path: s.File, Line: s.Line, Directive: settingText(s), Why: "equals the measured timeout"})
	}
	return list
}

func settingText(s *appconf.Setting) string { return Clip(s.Name+" "+s.Text, maxDirective) }

// configuredTitle returns what a title says of the configuration, after its sentence.
func configuredTitle(c *result.Configuration) string {
	switch {
	case c == nil:
	case len(c.Facts) > 0:
		l := &c.Facts[0].Lines[0]
		return fmt.Sprintf("; `%s` at %s", Directive(l.Directive), ConfigurationPlace(l.File, l.Line))
	case len(c.Settings) > 0:
		s := &c.Settings[0]
		return fmt.Sprintf("; equals `%s` at %s", settingText(s), ConfigurationPlace(s.File, s.Line))
	}
	return ""
}

// configured returns what the configuration shows of a finding, in sentences.
func configured(f *result.Finding) string {
	c := f.Configuration
	if c == nil {
		return ""
	}
	var list []string
	for i := range c.Facts {
		what, _ := FactText(&c.Facts[i])
		for _, l := range FactLines(&c.Facts[i]) {
			what += fmt.Sprintf(" `%s` at %s %s.", l.Directive, ConfigurationPlace(l.Path, l.Line), l.Why)
		}
		list = append(list, what)
	}
	for i := range c.Settings {
		s := &c.Settings[i]
		list = append(list, fmt.Sprintf("The measured timeout equals `%s` (%s) at %s.", settingText(s), Duration(s.Seconds), ConfigurationPlace(s.File, s.Line)))
	}
	for _, x := range c.Changed {
		name := Clip(fileName(x.Path), MaxName)
		when := "at the onset"
		if before := f.Onset - x.Time; f.Onset != parse.NoTime && before >= 1e6 {
			when = Duration(float64(before)/1e6) + " before the onset"
		}
		list = append(list, fmt.Sprintf("The configuration file %s was changed at %s, %s.", name, At(x.Time), when))
	}
	return strings.Join(list, " ")
}

// configuredSteps returns the steps that change the lines of a configuration.
func configuredSteps(c *result.Configuration) (steps []string) {
	if c == nil {
		return nil
	}
	for i := range c.Facts {
		_, remedy := FactText(&c.Facts[i])
		steps = append(steps, remedy)
	}
	for i := range c.Settings {
		s := &c.Settings[i]
		steps = append(steps, fmt.Sprintf("If the timeout is too short, raise `%s` at %s.", s.Name, ConfigurationPlace(s.File, s.Line)))
	}
	return steps
}

// ConfigurationText returns a line of a configuration as text.
func ConfigurationText(l *result.ConfigurationLine) string {
	return fmt.Sprintf("%s: %s: %s", Position(l.Path, int64(l.Line)), Clip(l.Directive, maxDirective), Clip(l.Why, MaxName))
}
