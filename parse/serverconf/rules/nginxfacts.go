package rules

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"logscan/parse/serverconf"
)

// guardNames are the directives that ask for credentials.
var guardNames = []string{"auth_basic", "auth_digest", "auth_request", "auth_jwt"}

// guards returns the directives that apply to a block and ask for credentials.
func (b *block) guards() (list []*serverconf.Directive) {
	for _, name := range guardNames {
		if d := b.enabled(name); d != nil {
			list = append(list, d)
		}
	}
	return list
}

// protection returns what a request without credentials, from an address that no rule
// names, gets in a block, and the directives that decide it.
func (b *block) protection() (Access, []Line) {
	guards := b.guards()
	for _, d := range guards {
		if strings.HasPrefix(strings.Join(d.Args, ""), "$") && d.Name != "auth_jwt" {
			return Unknown, linesOf(d) // a variable may hold off
		}
	}
	allowed, denied, some := b.outsiders()
	satisfy, how := b.value("satisfy")
	access := Open
	switch either := how == "any"; {
	case either && allowed != nil:
		return Open, linesOf(satisfy, allowed)
	case either && denied != nil && len(guards) > 0:
		return Protected, linesOf(append(guards, satisfy, denied)...)
	case denied != nil && (len(guards) == 0 || !some):
		return Forbidden, linesOf(denied)
	case len(guards) > 0:
		return Protected, linesOf(guards...)
	}
	return access, linesOf(b.opened()...)
}

// opened returns the directives of a block that turn off what it would inherit.
func (b *block) opened() (list []*serverconf.Directive) {
	for _, name := range guardNames {
		if d, value := b.value(name); d != nil && value == "off" {
			list = append(list, d)
		}
	}
	return list
}

// outsiders returns the rule for all addresses that allows or denies requests, and whether
// there is a rule for some addresses before it.
func (b *block) outsiders() (allowed, denied *serverconf.Directive, some bool) {
	for x := b; x != nil; x = x.parent {
		if len(x.access) == 0 {
			continue
		}
		for _, d := range x.access {
			switch {
			case len(d.Args) == 0 || d.Args[0] != "all":
				some = some || d.Name == "allow"
			case d.Name == "allow":
				return d, nil, some
			default:
				return nil, d, some
			}
		}
		break
	}
	return nil, nil, some
}

// facts returns the facts on a request that was led through its steps.
func (r *run) facts(a *Answer, end ending) (list []Fact) {
	if r.unsure {
		return nil
	}
	for i := range r.steps {
		s := &r.steps[i]
		access, _ := s.conf.protection()
		if i == len(r.steps)-1 && end.at != nil {
			list = append(list, answeredEarly(s, end)...)
			break
		}
		if access == Protected {
			list = append(list, r.guarded(s)...)
		}
		if s.conf.passes() != nil {
			list = append(list, r.passed(s)...)
		}
		if d := hidesRefusals(s.conf); d != nil && access != Open {
			list = append(list, fact(RefusalsHidden, Possible, "", d))
		}
		if access.Refuses() {
			break // what follows is not reached
		}
	}
	if len(r.steps) == 0 && end.code == 401 {
		list = append(list, fact(ReturnsUnauthorized, Certain, "", end.at))
	}
	if a.Access != Redirected && a.Upstream != "" {
		list = append(list, r.plain()...)
	}
	if d := r.slash(); d != nil {
		list = append(list, fact(SlashRedirect, Certain, "", d))
	}
	return list
}

// answeredEarly returns the facts on an answer of the rewrite phase.
func answeredEarly(s *step, end ending) []Fact {
	if end.code == 401 {
		return []Fact{fact(ReturnsUnauthorized, Certain, "", end.at)}
	}
	if s.location == nil || end.code < 200 || end.code > 299 || end.at.At.Line == 0 || s.conf != s.location {
		return nil
	}
	// Only a location that has both is a mistake: a health check in a protected server is
	// open on purpose.
	for _, name := range guardNames {
		if own := s.location.own[name]; len(own) > 0 && strings.Join(own[0].Args, "") != "off" {
			return []Fact{fact(UnprotectedAnswer, Certain, "", end.at, own[0])}
		}
	}
	return nil
}

// guarded returns the facts on a step that nginx protects.
func (r *run) guarded(s *step) (list []Fact) {
	b := s.conf
	guards := b.guards()
	if r.q.Method == "OPTIONS" && len(guards) > 0 {
		list = append(list, fact(PreflightNotExempt, Certain, "", guards...))
	}
	if b.dir.Name == "limit_except" {
		if own := slices.IndexFunc(guards, func(d *serverconf.Directive) bool { return slices.Contains(b.own[d.Name], d) }); own >= 0 {
			list = append(list, fact(MethodRule, Possible, "", b.dir, guards[own]))
		}
	}
	if s.shadowed != nil {
		if access, _ := s.shadowed.protection(); access == Open {
			if off := s.shadowed.opened(); len(off) > 0 {
				list = append(list, fact(RegexShadows, Certain, "", s.location.dir, s.shadowed.dir, off[0]))
			}
		}
	}
	_, denied, _ := b.outsiders()
	if satisfy, how := b.value("satisfy"); how == "any" && denied != nil && len(guards) > 0 {
		list = append(list, fact(OutsidersOnly, Certain, "", satisfy, denied, guards[0]))
	}
	if b.enabled("auth_basic") != nil {
		if d, name := b.value("auth_basic_user_file"); d != nil {
			if r.nginx.missing[name] {
				list = append(list, fact(PasswordFileMissing, Likely, name, d))
			} else {
				list = append(list, fact(PasswordFile, Possible, name, d))
			}
		}
	}
	if d := b.enabled("auth_request"); d != nil && len(d.Args) == 1 {
		list = append(list, r.subrequestFacts(d)...)
	}
	return list
}

// subrequestFacts returns the facts on the location that auth_request asks.
func (r *run) subrequestFacts(d *serverconf.Directive) (list []Fact) {
	sub := &run{nginx: r.nginx, server: r.server, q: r.q, uri: d.Args[0], vars: map[string]string{}, subrequest: true}
	end := sub.walk()
	if sub.unsure || len(sub.steps) == 0 {
		return nil
	}
	s := &sub.steps[len(sub.steps)-1]
	switch {
	case s.location == nil:
		return nil
	case end.at != nil && (end.code < 200 || end.code > 299) && end.code != 401 && end.code != 403:
		return []Fact{fact(SubrequestFails, Certain, "", d, end.at)}
	case end.at != nil || s.conf.passes() == nil || s.conf.passes().Name != "proxy_pass":
		return nil
	}
	list = append(list, fact(AuthSubrequest, Possible, "", s.conf.passes(), d))
	for _, header := range []string{"Authorization", "Cookie"} {
		if clears := headerSet(s.conf, header); clears != nil && clears.Args[1] == "" {
			list = append(list, fact(SubrequestHeaders, Likely, header, clears, d))
		}
	}
	if off, value := s.conf.value("proxy_pass_request_headers"); value == "off" && headerSet(s.conf, "Authorization") == nil && headerSet(s.conf, "Cookie") == nil {
		list = append(list, fact(SubrequestHeaders, Likely, "", off, d))
	}
	if _, value := s.conf.value("proxy_pass_request_body"); value != "off" && slices.Contains([]string{"POST", "PUT", "PATCH"}, r.q.Method) {
		list = append(list, fact(SubrequestBody, Likely, "", d, s.location.dir))
	}
	return list
}

// headerSet returns the proxy_set_header of a header that applies in a block; nil if none
// does.
func headerSet(b *block, header string) *serverconf.Directive {
	list, _ := b.inherited("proxy_set_header")
	for _, d := range list {
		if len(d.Args) == 2 && strings.EqualFold(d.Args[0], header) {
			return d
		}
	}
	return nil
}

// passed returns the facts on a step that passes requests to a backend.
func (r *run) passed(s *step) (list []Fact) {
	b, pass := s.conf, s.conf.passes()
	setter, name := strings.TrimSuffix(pass.Name, "_pass")+"_set_header", "Authorization"
	switch pass.Name {
	case "fastcgi_pass", "uwsgi_pass", "scgi_pass":
		setter, name = strings.TrimSuffix(pass.Name, "_pass")+"_param", "HTTP_AUTHORIZATION"
	}
	headers, at := b.inherited(setter)
	var authorization *serverconf.Directive
	for _, d := range headers {
		if len(d.Args) >= 2 && strings.EqualFold(d.Args[0], name) {
			authorization = d
		}
	}
	if authorization != nil && authorization.Args[1] == "" {
		list = append(list, b.cleared(authorization, headers))
	}
	if off, value := b.value(strings.TrimSuffix(pass.Name, "_pass") + "_pass_request_headers"); value == "off" && authorization == nil {
		list = append(list, fact(HeadersNotPassed, Certain, "", off))
	}
	if pass.Name == "proxy_pass" {
		list = append(list, lostHeaders(headers, at)...)
		list = append(list, cachedRefusals(b)...)
		if d := b.enabled("auth_basic"); d != nil && authorization == nil {
			list = append(list, fact(TwoRealms, Possible, "", d, pass))
		}
	}
	if up := r.nginx.upstreams[upstreamName(pass.Args[0])]; up != nil && !sticky(up) {
		list = append(list, fact(NotSticky, Possible, up.Args[0], up, pass))
	}
	return list
}

// cleared returns the fact on a directive that removes the header Authorization.
func (b *block) cleared(d *serverconf.Directive, headers []*serverconf.Directive) Fact {
	switch {
	case slices.ContainsFunc(b.guards(), func(guard *serverconf.Directive) bool { return guard.At == d.At && guard.Written != "" }):
		return fact(CredentialsKept, Certain, "", d) // the same setting checks and removes them
	case b.tellsUser(headers):
		return fact(AuthorizationCleared, Possible, "Authorization", d)
	}
	return fact(AuthorizationCleared, Certain, "Authorization", d)
}

// tellsUser reports whether nginx checks the credentials in a block itself, and tells the
// backend who it is in one of the headers or parameters that it sets.
func (b *block) tellsUser(set []*serverconf.Directive) bool {
	if len(b.guards()) == 0 {
		return false
	}
	variables := []string{"$remote_user", "$jwt_"}
	answered, _ := b.inherited("auth_request_set")
	for _, d := range answered {
		if len(d.Args) == 2 {
			variables = append(variables, d.Args[0])
		}
	}
	return slices.ContainsFunc(set, func(d *serverconf.Directive) bool {
		return len(d.Args) >= 2 && slices.ContainsFunc(variables, func(v string) bool { return strings.Contains(d.Args[1], v) })
	})
}

// lostHeaders returns the headers with credentials that a block would inherit if it set none
// itself.
func lostHeaders(own []*serverconf.Directive, at *block) (list []Fact) {
	if at == nil || at.parent == nil {
		return nil
	}
	outer, _ := at.parent.inherited("proxy_set_header")
	for _, d := range outer {
		if len(d.Args) != 2 || d.Args[1] == "" || !carriesIdentity(d.Args[0], d.Args[1]) {
			continue
		}
		if !slices.ContainsFunc(own, func(x *serverconf.Directive) bool { return len(x.Args) > 0 && strings.EqualFold(x.Args[0], d.Args[0]) }) {
			list = append(list, fact(HeadersReplaced, Likely, d.Args[0], own[0], d))
		}
	}
	return list
}

// identityWords are parts of the names of headers that tell a backend who asks.
var identityWords = []string{"user", "auth", "token", "email", "group", "role", "api-key", "client-cert", "client-dn", "ssl-client"}

// carriesIdentity reports whether a header matters to authentication and is not passed by
// default.
func carriesIdentity(name, value string) bool {
	name = strings.ToLower(name)
	switch {
	case name == "user-agent":
		return false
	case name == "authorization":
		return value != "$http_authorization"
	case name == "cookie":
		return value != "$http_cookie"
	case name == "host":
		return value != "$proxy_host"
	}
	// What the client sent is passed anyway.
	if value == "$http_"+strings.ReplaceAll(name, "-", "_") {
		return false
	}
	return slices.ContainsFunc(identityWords, func(w string) bool { return strings.Contains(name, w) })
}

// cachedRefusals returns a fact if a 401 of the backend may be answered from the cache to
// somebody else.
func cachedRefusals(b *block) []Fact {
	cache := b.enabled("proxy_cache")
	if cache == nil {
		return nil
	}
	for _, name := range []string{"proxy_cache_key", "proxy_no_cache", "proxy_cache_bypass"} {
		list, _ := b.inherited(name)
		for _, d := range list {
			text := strings.ToLower(strings.Join(d.Args, " "))
			if strings.Contains(text, "authorization") || strings.Contains(text, "cookie") || strings.Contains(text, "remote_user") {
				return nil
			}
		}
	}
	list, _ := b.inherited("proxy_cache_valid")
	for _, d := range list {
		if len(d.Args) > 1 && (slices.Contains(d.Args[:len(d.Args)-1], "401") || slices.Contains(d.Args[:len(d.Args)-1], "any")) {
			return []Fact{fact(CachedRefusals, Certain, "", cache, d)}
		}
	}
	return nil
}

// upstreamName returns the name in the URL of a proxy_pass.
func upstreamName(target string) string {
	if _, rest, ok := strings.Cut(target, "://"); ok {
		target = rest
	}
	name, _, _ := strings.Cut(target, "/")
	return name
}

// sticky reports whether an upstream leads a client to the same server each time.
func sticky(up *serverconf.Directive) bool {
	servers := 0
	for i := range up.Block {
		switch d := &up.Block[i]; d.Name {
		case "ip_hash", "hash", "sticky", "sticky_cookie_insert":
			return true
		case "server":
			if !slices.Contains(d.Args, "backup") && !slices.Contains(d.Args, "down") {
				servers++
			}
		}
	}
	return servers < 2
}

// hidesRefusals returns the error_page that answers a 401 with another status; nil if there
// is none.
func hidesRefusals(b *block) *serverconf.Directive {
	list, _ := b.inherited("error_page")
	for _, d := range list {
		if len(d.Args) < 2 || !slices.Contains(d.Args[:len(d.Args)-1], "401") {
			continue
		}
		to := d.Args[len(d.Args)-1]
		changes := slices.ContainsFunc(d.Args[:len(d.Args)-1], func(s string) bool { return strings.HasPrefix(s, "=") && s != "=401" })
		if changes || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "$scheme") {
			return d
		}
	}
	return nil
}

// plain returns a fact if the request came over http to a server that does not redirect,
// and https is served under the same name.
func (r *run) plain() []Fact {
	if r.q.Scheme != "http" {
		return nil
	}
	i := slices.IndexFunc(r.server.listens, func(l listen) bool { return !l.tls })
	if i < 0 || r.server.rank(r.q.Host) == 0 {
		return nil
	}
	for _, v := range r.nginx.servers {
		if v.rank(r.q.Host) > 0 && slices.ContainsFunc(v.listens, func(l listen) bool { return l.tls }) {
			return []Fact{fact(PlainHTTP, Certain, "", r.server.listens[i].at)}
		}
	}
	return nil
}

// slash returns the location that redirects a request for this path without its last slash;
// nil if none does.
func (r *run) slash() *serverconf.Directive {
	without, ok := strings.CutSuffix(decode(r.q.Path, true), "/")
	if !ok || without == "" {
		return nil
	}
	other := &run{nginx: r.nginx, server: r.server, q: r.q, uri: without, vars: map[string]string{}}
	if _, _, redirects := other.find(&r.server.locations); redirects != nil {
		return redirects.dir
	}
	return nil
}

// findMissing looks for password files that are not where the configuration has them. Only
// files beside it are looked for: a copy of a configuration lies on other machines.
func (n *nginx) findMissing(b *block) {
	for _, d := range b.own["auth_basic_user_file"] {
		if len(d.Args) != 1 || strings.Contains(d.Args[0], "$") || d.Written != "" {
			continue
		}
		name := d.Args[0]
		full := name
		if !path.IsAbs(name) {
			full = path.Join(n.dir, name)
		}
		if !strings.HasPrefix(full, n.dir+"/") {
			continue
		}
		if _, err := os.Stat(full); errors.Is(err, fs.ErrNotExist) {
			n.missing[name] = true
		}
	}
	for _, inner := range b.locations.all {
		n.findMissing(inner)
	}
}

// maxSmallBuffer is the size in bytes below which a header buffer has no room for a session
// cookie and a token: the default of nginx is 8 KiB.
const maxSmallBuffer = 8 << 10

// smallBuffers returns a fact if large header fields are refused.
func smallBuffers(b *block) []Fact {
	d, _ := b.value("large_client_header_buffers")
	if d == nil || len(d.Args) != 2 {
		return nil
	}
	size := strings.ToLower(d.Args[1])
	unit := int64(1)
	switch {
	case strings.HasSuffix(size, "k"):
		unit = 1 << 10
	case strings.HasSuffix(size, "m"):
		unit = 1 << 20
	}
	n, err := strconv.ParseInt(strings.TrimRight(size, "km"), 10, 32)
	if err != nil || n*unit >= maxSmallBuffer {
		return nil
	}
	return []Fact{fact(BuffersSmall, Possible, "", d)}
}

// routes implements server.
func (n *nginx) routes() (all []Route) {
	for _, v := range n.servers {
		scheme := ""
		if !slices.ContainsFunc(v.listens, func(l listen) bool { return l.tls }) {
			scheme = "http"
		}
		whole := n.route(v, v.block, "", scheme)
		whole.Facts = append(whole.Facts, smallBuffers(v.block)...)
		all = append(all, whole)
		all = append(all, n.locationRoutes(v, &v.locations, scheme)...)
	}
	return all
}

func (n *nginx) locationRoutes(v *virtual, l *locations, scheme string) (all []Route) {
	for _, b := range l.all {
		if own := b.own["internal"]; len(own) > 0 && own[0].Written != "" {
			continue // it is not in the configuration
		}
		all = append(all, n.route(v, b, strings.Join(b.dir.Args, " "), scheme))
		all = append(all, n.locationRoutes(v, &b.locations, scheme)...)
	}
	return all
}

// route returns what protects a block, for a request that leads to it.
func (n *nginx) route(v *virtual, b *block, name, scheme string) Route {
	_, at := modifier(b.dir.Args)
	r := &run{nginx: n, server: v, q: Request{Scheme: scheme, Method: "GET", Path: at}, uri: at, vars: map[string]string{}}
	_, end := r.rewrite(v.block)
	s := step{conf: b}
	if b != v.block {
		s.location = b
		if end.at == nil {
			var inner *block
			if inner, end = r.rewrite(b); inner != nil {
				s.conf = inner
			}
		}
	}
	r.steps = []step{s}
	a := Answer{Host: v.name(), Scope: lineOf(b.dir), Upstream: s.handler()}
	r.judge(&a, end)
	a.Facts = r.facts(&a, end)
	if r.unsure {
		a.Access = Unknown
	}
	return Route{Answer: a, Path: name}
}
