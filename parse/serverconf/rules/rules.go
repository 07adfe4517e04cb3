// Package rules resolves requests to the directives of nginx or Apache that govern them, or
// to the annotations of ingress-nginx, as the servers do, and finds mistakes in them that answer requests with 401.
//
// Input is the path of a configuration file; output is a Rules, which answers for a
// request what protects it and which facts of the configuration bear on its refusals. A
// fact names its lines. What a configuration does not decide is left open: rules that
// depend on a condition that is not known yield no facts.
package rules

import (
	"fmt"
	"slices"
	"strings"

	"logscan/parse/serverconf"
)

// Rules are the rules of a server's configuration for authentication.
type Rules struct {
	Server string            // nginx, apache, ingress-nginx or traefik
	Path   string            // of the configuration, as given
	Files  []serverconf.File // that were read
	Notes  []string          // on what could not be followed
	server server
}

// server is a server's configuration.
type server interface {
	// resolve returns the possible answers to a request, one for each part of the
	// configuration that may serve it.
	resolve(Request) []Answer
	// routes returns what protects each part of the configuration.
	routes() []Route
}

// Request is a request. Fields that the log does not have are empty.
type Request struct {
	Scheme string // http or https
	Host   string
	Method string
	Path   string // as sent, without a query
}

// Access is what a request without credentials gets.
type Access uint8

// The kinds of access.
const (
	Unknown    Access = iota // the configuration does not decide it
	Open                     // the content, or what a backend answers
	Answered                 // an answer of the server itself, such as return 200
	Redirected               // a redirect
	Protected                // a refusal: credentials are needed
	Forbidden                // a refusal, with credentials too
)

// String returns the name of a.
func (a Access) String() string {
	return [...]string{"unknown", "open", "answered", "redirected", "protected", "forbidden"}[a]
}

// Refuses reports whether a request without credentials is refused.
func (a Access) Refuses() bool { return a == Protected || a == Forbidden }

// Line is a directive of a configuration.
type Line struct {
	serverconf.Position
	Directive string
}

// Answer is what a server does with a request, as far as its configuration shows it.
type Answer struct {
	Host     string // the name of the virtual host; empty if it has none
	Scope    Line   // the location, section or virtual host that decides
	Access   Access
	By       []Line // the directives that protect it; those that open it if it is not protected
	Upstream string // where it is passed to; empty if the server answers itself
	Facts    []Fact
}

// Route is a part of a configuration with what protects it.
type Route struct {
	Answer
	Path string // as configured: "/api/", "= /health", "~ \.php$"
}

// Kind is a kind of fact.
type Kind string

// The kinds of facts. Lines is what their lines are, in order.
const (
	AuthorizationCleared Kind = "authorization_cleared"          // the directive that removes or replaces the header
	HeadersNotPassed     Kind = "headers_not_passed"             // proxy_pass_request_headers off
	CredentialsKept      Kind = "credentials_kept_by_proxy"      // the setting that checks them and removes them
	HeadersReplaced      Kind = "inherited_headers_lost"         // the list that applies, the header that is lost
	TwoRealms            Kind = "two_basic_realms"               // auth_basic, proxy_pass
	PasswordFileMissing  Kind = "password_file_missing"          // the directive that names it
	ProtectedBy          Kind = "protected_by"                   // what protects the route
	RegexShadows         Kind = "regex_shadows_open_prefix"      // the location that applies, the one that does not, what opens it
	PreflightNotExempt   Kind = "preflight_not_exempt"           // what protects the route
	UnprotectedAnswer    Kind = "answered_before_authentication" // return, what seems to protect it
	OutsidersOnly        Kind = "outsiders_need_credentials"     // satisfy any, deny all, what protects
	RefusalsHidden       Kind = "refusals_hidden"                // error_page 401
	SubrequestFails      Kind = "auth_subrequest_fails"          // auth_request, what it leads to
	SubrequestBody       Kind = "auth_subrequest_body"           // auth_request, the location that it leads to
	SubrequestHeaders    Kind = "auth_subrequest_headers"        // the directive in the subrequest's location, auth_request
	BuffersSmall         Kind = "header_buffers_small"           // large_client_header_buffers
	PlainHTTP            Kind = "plain_http"                     // the listener that serves the route over http
	CachedRefusals       Kind = "refusals_cached"                // proxy_cache, proxy_cache_valid
	NotSticky            Kind = "upstream_not_sticky"            // upstream, proxy_pass
	SlashRedirect        Kind = "slash_redirect"                 // the location
	ReturnsUnauthorized  Kind = "returns_401"                    // return 401
	CredentialsNotPassed Kind = "credentials_not_passed_to_cgi"  // the handler
	RequireTooNarrow     Kind = "require_names_users"            // Require
	OverrideIgnored      Kind = "override_ignored"               // AllowOverride, the directive in .htaccess
	MethodHole           Kind = "methods_unprotected"            // <Limit>, Require
	MethodRule           Kind = "rule_for_methods"               // limit_except or <Limit>, what protects
	ExceptionOverruled   Kind = "exception_overruled"            // the section that applies, the one that does not
	AuthIncomplete       Kind = "authentication_incomplete"      // Require
	MixedAccess          Kind = "mixed_access_control"           // the old directive, Require
	PasswordFile         Kind = "password_file"                  // the directive that names it
	AuthSubrequest       Kind = "auth_subrequest"                // what it is passed to, auth_request
)

// Ordinary reports whether facts of a kind are no fault unless a log says so.
func (k Kind) Ordinary() bool {
	return k == CredentialsKept || k == PasswordFile || k == AuthSubrequest || k == OutsidersOnly || k == MethodRule
}

// Certainty is how much a fact shows by itself.
type Certainty uint8

// The certainties.
const (
	Possible Certainty = iota // it needs other evidence
	Likely                    // it is a fault where the log shows its pattern
	Certain                   // the configuration alone shows it
)

// String returns the name of c.
func (c Certainty) String() string { return [...]string{"possible", "likely", "certain"}[c] }

// Fact is something in a configuration that bears on refusals.
type Fact struct {
	Kind      Kind
	Lines     []Line // the line at fault first
	Name      string // of the header, the method or the file that it is about
	Certainty Certainty
}

// Same reports whether two facts are of one kind and about the same line.
func (f *Fact) Same(g *Fact) bool {
	return f.Kind == g.Kind && f.Name == g.Name && f.Lines[0].Position == g.Lines[0].Position
}

// Read reads a configuration of nginx, Apache, ingress-nginx or Traefik, whichever it is.
func Read(path string) (*Rules, error) {
	if serverconf.IsManifest(path) {
		return Proxy(path)
	}
	r, err := Nginx(path)
	if err == nil {
		return r, nil
	}
	apache, other := Apache(path)
	if other == nil {
		return apache, nil
	}
	return nil, err
}

// Proxy reads manifests of Ingresses for ingress-nginx, or a dynamic configuration of Traefik.
func Proxy(path string) (*Rules, error) {
	r, err := Ingress(path)
	if err == nil {
		return r, nil
	}
	if r, other := Traefik(path); other == nil {
		return r, nil
	}
	return nil, fmt.Errorf("%w, and no router of Traefik", err)
}

// maxPath bounds a path in bytes. Servers refuse longer request lines by default.
const maxPath = 8 << 10

// Resolve returns what the server does with a request. If several parts of the
// configuration may serve it, only that on which they agree.
func (r *Rules) Resolve(q Request) Answer {
	if len(q.Path) > maxPath {
		return Answer{}
	}
	q.Host = hostName(q.Host)
	return Agreed(r.server.resolve(q))
}

// serving removes the answers that redirect, if others do not and the scheme of the request
// is not known: a server that redirects everything is not the one that refused it.
func serving(all []Answer, q Request) []Answer {
	if q.Scheme != "" {
		return all
	}
	if list := slices.DeleteFunc(slices.Clone(all), func(a Answer) bool { return a.Access == Redirected }); len(list) > 0 {
		return list
	}
	return all
}

// Agreed returns what all answers have in common.
func Agreed(all []Answer) Answer {
	if len(all) == 0 {
		return Answer{}
	}
	a := all[0]
	a.Facts = slices.Clone(a.Facts)
	for i := range all[1:] {
		b := &all[1+i]
		if a.Access != b.Access {
			a.Access = Unknown
		}
		if a.Scope != b.Scope {
			a.Scope = Line{}
		}
		if !slices.Equal(a.By, b.By) {
			a.By = nil
		}
		if a.Upstream != b.Upstream {
			a.Upstream = ""
		}
		if a.Host != b.Host {
			a.Host = ""
		}
		a.Facts = slices.DeleteFunc(a.Facts, func(f Fact) bool {
			return !slices.ContainsFunc(b.Facts, func(g Fact) bool { return f.Same(&g) })
		})
	}
	return a
}

// Routes returns what protects each part of the configuration, in its order.
func (r *Rules) Routes() []Route { return r.server.routes() }

// hostName returns the name of a host without its port, in lower case.
func hostName(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > 0 && !strings.HasSuffix(host, "]") && strings.Count(host, ":") == 1 || strings.Contains(host, "]:") {
		host = host[:i]
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

func lineOf(d *serverconf.Directive) Line { return Line{d.At, withoutSecrets(d).String()} }

// withoutSecrets returns a directive without the credentials that it sets in a header or
// parameter.
func withoutSecrets(d *serverconf.Directive) *serverconf.Directive {
	i := len(d.Args) - 1
	name := strings.ToLower(d.Name)
	sets := strings.HasSuffix(name, "_set_header") || strings.HasSuffix(name, "_param") || name == "requestheader" || name == "setenv" || name == "add_header"
	if !sets || i < 1 || d.Args[i] == "" || strings.HasPrefix(d.Args[i], "$") || strings.HasPrefix(d.Args[i], "%{") || name == "requestheader" && i < 2 {
		return d
	}
	c := *d
	c.Args = append(slices.Clone(d.Args[:i]), "...")
	return &c
}

// linesOf returns the lines of directives that are not nil, each once: a setting may stand
// for several directives.
func linesOf(list ...*serverconf.Directive) (lines []Line) {
	for _, d := range list {
		if d != nil && !slices.Contains(lines, lineOf(d)) {
			lines = append(lines, lineOf(d))
		}
	}
	return lines
}

// fact returns a fact on directives; nil ones are left out.
func fact(k Kind, c Certainty, name string, list ...*serverconf.Directive) Fact {
	return Fact{Kind: k, Lines: linesOf(list...), Name: name, Certainty: c}
}
