package rules

import (
	"path"
	"slices"
	"strings"

	"logscan/parse/serverconf"
)

// apacheRun is a request with what applies to it.
type apacheRun struct {
	*apache
	host    *vhost
	q       Request
	to      mapped
	applied []*section
	policy  policy
}

func (r *apacheRun) facts() (list []Fact) {
	p := &r.policy
	if p.access == Protected {
		list = append(list, r.guarded()...)
	}
	list = append(list, r.methodHole()...)
	list = append(list, r.ignoredOverride()...)
	list = append(list, r.cleared()...)
	list = append(list, r.cgi()...)
	if r.q.Scheme == "http" && p.access != Redirected && r.host.at != nil && r.host.serves(r.q.Host) {
		if slices.ContainsFunc(r.hosts, func(h *vhost) bool { return h.tls && h.serves(r.q.Host) }) {
			list = append(list, fact(PlainHTTP, Certain, "", r.host.at))
		}
	}
	return list
}

// guarded returns the facts on a route that Apache protects.
func (r *apacheRun) guarded() (list []Fact) {
	p := &r.policy
	if r.q.Method == "OPTIONS" {
		list = append(list, fact(PreflightNotExempt, Certain, "", p.requires...))
	}
	if len(p.requires) == 1 && !p.requires[0].IsBlock && len(p.requires[0].Args) > 1 {
		switch strings.ToLower(p.requires[0].Args[0]) {
		case "user", "group", "ldap-user", "ldap-group", "dbm-group", "dbd-group":
			if !r.forbids() {
				list = append(list, fact(RequireTooNarrow, Likely, strings.Join(p.requires[0].Args[1:], " "), p.requires[0]))
			}
		}
	}
	list = append(list, r.overruled()...)
	list = append(list, r.methodRule()...)
	if p.authType == nil {
		list = append(list, fact(AuthIncomplete, Likely, "AuthType", p.requires...))
	} else if named := r.find("authname"); named == nil && (strings.EqualFold(p.authType.Args[0], "Basic") || strings.EqualFold(p.authType.Args[0], "Digest")) {
		list = append(list, fact(AuthIncomplete, Certain, "AuthName", p.authType))
	}
	if module := r.unloaded(p.authType); module != "" {
		list = append(list, fact(AuthIncomplete, Certain, module, p.authType))
	}
	if r.lacksUserFile() {
		list = append(list, fact(AuthIncomplete, Likely, "AuthUserFile", p.authType))
	}
	for _, name := range []string{"authuserfile", "authgroupfile", "authdbmuserfile"} {
		if d := r.find(name); d != nil && len(d.Args) > 0 {
			list = append(list, fact(PasswordFile, Possible, d.Args[0], d))
		}
	}
	for _, s := range r.applied {
		for _, name := range []string{"order", "deny", "allow"} {
			if len(s.own[name]) > 0 && s == p.section {
				return append(list, fact(MixedAccess, Possible, "", s.own[name][0], p.requires[0]))
			}
		}
	}
	return list
}

// lacksUserFile reports whether passwords are checked by the provider file, which is the
// default, and no file is named.
func (r *apacheRun) lacksUserFile() bool {
	t := r.policy.authType
	if t == nil || len(t.Args) != 1 || !strings.EqualFold(t.Args[0], "Basic") {
		return false
	}
	if d := r.find("authbasicprovider"); d != nil && (len(d.Args) != 1 || !strings.EqualFold(d.Args[0], "file")) {
		return false
	}
	return !slices.ContainsFunc([]string{"authuserfile", "authbasicfake", "authbasicauthoritative", "authldapurl"}, func(name string) bool { return r.find(name) != nil })
}

// authModules are the modules of the types of authentication, in lower case.
var authModules = map[string]string{
	"basic": "auth_basic_module", "digest": "auth_digest_module", "form": "auth_form_module", "openid-connect": "auth_openidc_module",
	"gssapi": "auth_gssapi_module", "kerberos": "auth_kerb_module", "shibboleth": "mod_shib", "mellon": "auth_mellon_module",
}

// unloaded returns the module that a type of authentication needs and that no LoadModule
// loads; empty if it is loaded, or may be: a configuration that loads no module of
// authentication has them built in, or is a part of one.
func (r *apacheRun) unloaded(authType *serverconf.Directive) string {
	if authType == nil || len(authType.Args) != 1 {
		return ""
	}
	module := authModules[strings.ToLower(authType.Args[0])]
	loads := false
	for _, v := range append([]*vhost{r.main}, r.hosts...) {
		for _, d := range v.own["loadmodule"] {
			if len(d.Args) > 0 && strings.EqualFold(d.Args[0], module) {
				return ""
			}
			loads = loads || len(d.Args) > 0 && d.Args[0] == "authn_core_module"
		}
	}
	if !loads {
		return ""
	}
	return module
}

// forbids reports whether users that a Require line does not name get 403.
func (r *apacheRun) forbids() bool {
	d := r.find("authzsendforbiddenonfailure")
	return d != nil && len(d.Args) == 1 && strings.EqualFold(d.Args[0], "on")
}

// find returns the directive of a name that applies; nil if there is none.
func (r *apacheRun) find(name string) (d *serverconf.Directive) {
	for _, own := range []map[string][]*serverconf.Directive{r.main.own, r.host.own} {
		for _, x := range own[name] {
			d = x
		}
	}
	for _, s := range r.applied {
		for _, x := range s.own[name] {
			d = x
		}
	}
	return d
}

// overruled returns a fact if a section that should open a part of what a Location protects
// has no effect, because locations come last.
func (r *apacheRun) overruled() []Fact {
	p := &r.policy
	if p.section.kind != "location" || p.section.regex != nil || r.to.file == "" {
		return nil
	}
	for _, s := range slices.Backward(r.applied) {
		if s.kind != "directory" || s.regex != nil {
			continue
		}
		requires, _ := s.requires(r.q.Method)
		if len(requires) == 0 || anyOf(requires, r.q.Method) != granted {
			continue
		}
		// A directory that is no smaller than the location is the site itself, which
		// everybody opens.
		rest, ok := strings.CutPrefix(s.name, r.to.docroot)
		if url := r.to.url + rest; ok && rest != "" && len(strings.TrimSuffix(url, "/")) > len(strings.TrimSuffix(p.section.name, "/")) {
			return []Fact{fact(ExceptionOverruled, Certain, "", p.section.Directive, requires[0])}
		}
	}
	return nil
}

// methodHole returns a fact if Require lines in Limit leave methods open.
func (r *apacheRun) methodHole() []Fact {
	if r.policy.section == nil {
		return nil
	}
	for _, limit := range r.policy.section.own["<limit"] {
		if limit.Name != "<limit" || len(r.policy.section.own["require"]) > 0 {
			continue
		}
		for i := range limit.Block {
			if d := &limit.Block[i]; d.Name == "require" && demandOf(d, "") == needsUser {
				return []Fact{fact(MethodHole, Certain, strings.Join(limit.Args, " "), limit, d)}
			}
		}
	}
	return nil
}

// methodRule returns a fact if a Limit or LimitExcept protects the method of the request.
func (r *apacheRun) methodRule() []Fact {
	if r.policy.section == nil || r.q.Method == "" {
		return nil
	}
	for _, limit := range r.policy.section.own["<limit"] {
		if !limits(limit, r.q.Method) {
			continue
		}
		for i := range limit.Block {
			if d := &limit.Block[i]; d.Name == "require" && demandOf(d, "") == needsUser {
				return []Fact{fact(MethodRule, Possible, "", limit, d)}
			}
		}
	}
	return nil
}

// ignoredOverride returns a fact if a .htaccess that opens a path is not read.
func (r *apacheRun) ignoredOverride() []Fact {
	if r.to.file == "" || r.policy.access != Protected {
		return nil
	}
	for _, dir := range slices.Backward(ancestors(r.to.file)) {
		o := r.override(dir)
		if o == nil || slices.Contains(r.applied, o) {
			continue
		}
		requires, _ := o.requires(r.q.Method)
		opens := len(requires) > 0 && anyOf(requires, r.q.Method) == granted
		for _, d := range o.own["satisfy"] {
			if opens = opens || len(d.Args) == 1 && strings.EqualFold(d.Args[0], "any"); len(requires) == 0 {
				requires = append(requires, d)
			}
		}
		if d := overrideOf(r.applied); opens && d != nil {
			return []Fact{fact(OverrideIgnored, Certain, "", d, requires[0])}
		}
	}
	return nil
}

// cleared returns a fact if a header with credentials is removed before a backend gets it.
func (r *apacheRun) cleared() []Fact {
	if r.to.target == "" && r.handler() == nil {
		return nil
	}
	var last *serverconf.Directive
	certainty := Certain
	apply := func(own map[string][]*serverconf.Directive) {
		for _, d := range own["requestheader"] {
			if r.policy.access == Protected && len(d.Args) > 2 && strings.Contains(d.Args[2], "%{") && carriesIdentity(d.Args[1], d.Args[2]) {
				certainty = Possible // Apache tells the backend who it is
			}
			if len(d.Args) < 2 || !strings.EqualFold(d.Args[1], "Authorization") {
				continue
			}
			conditional := len(d.Args) > 2 && strings.EqualFold(d.Args[0], "unset")
			switch {
			case conditional:
			case strings.EqualFold(d.Args[0], "unset"):
				last = d
			default:
				last = nil
			}
		}
	}
	apply(r.main.own)
	if r.host != r.main {
		apply(r.host.own)
	}
	for _, s := range r.applied {
		apply(s.own)
	}
	if last == nil {
		return nil
	}
	return []Fact{fact(AuthorizationCleared, certainty, "Authorization", last)}
}

// handler returns the directive that passes the path, or the script that a rewrite leads to,
// to a CGI or FastCGI process; nil if none does.
func (r *apacheRun) handler() *serverconf.Directive {
	if strings.HasPrefix(r.to.target, "fcgi:") || strings.Contains(r.to.target, "|fcgi:") || strings.HasPrefix(r.to.target, "scgi:") {
		return r.to.by
	}
	if r.to.file == "" {
		return nil
	}
	script := r.to.file
	if s := r.frontController(); s != "" {
		script = path.Join(r.to.docroot, path.Base(s))
	}
	var handler *serverconf.Directive
	lists := [][]*section{r.applied, r.sections(r.host, "files")}
	for _, s := range r.applied {
		lists = append(lists, s.inner)
	}
	for _, list := range lists {
		for _, s := range list {
			if ok, _ := s.matches(script); s.kind == "files" && !ok || s.kind == "if" {
				continue
			}
			for _, d := range s.own["sethandler"] {
				handler = d
			}
		}
	}
	if handler == nil || len(handler.Args) != 1 {
		return nil
	}
	name := handler.Args[0]
	if strings.Contains(name, "fcgi:") || name == "cgi-script" || name == "fcgid-script" {
		return handler
	}
	return nil
}

// frontController returns the script that answers paths that are no files; empty if there
// is none.
func (r *apacheRun) frontController() string {
	if d := r.find("fallbackresource"); d != nil && len(d.Args) == 1 && d.Args[0] != "disabled" {
		return d.Args[0]
	}
	for _, s := range r.applied {
		for _, d := range s.own["rewriterule"] {
			if len(d.Args) > 1 && strings.HasSuffix(strings.SplitN(d.Args[1], "?", 2)[0], ".php") {
				return strings.SplitN(d.Args[1], "?", 2)[0]
			}
		}
	}
	return ""
}

// cgi returns a fact if credentials do not reach a CGI or FastCGI process.
func (r *apacheRun) cgi() []Fact {
	handler := r.handler()
	if handler == nil {
		return nil
	}
	if d := r.find("cgipassauth"); d != nil && len(d.Args) == 1 && strings.EqualFold(d.Args[0], "on") {
		return nil
	}
	for _, name := range []string{"setenvif", "setenvifnocase", "rewriterule", "proxyfcgisetenvif", "fcgidpassheader", "fastcgiconfig", "fastcgiexternalserver", "fastcgiserver", "requestheader"} {
		for _, d := range r.all(name) {
			if strings.Contains(strings.ToLower(strings.Join(d.Args, " ")), "authorization") {
				return nil
			}
		}
	}
	return []Fact{fact(CredentialsNotPassed, Certain, "", handler)}
}

// all returns the directives of a name that apply or may.
func (r *apacheRun) all(name string) (list []*serverconf.Directive) {
	list = append(slices.Clone(r.main.own[name]), r.host.own[name]...)
	for _, s := range r.applied {
		list = append(list, s.own[name]...)
		for _, inner := range s.inner {
			list = append(list, inner.own[name]...)
		}
	}
	for _, s := range r.sections(r.host, "files") {
		list = append(list, s.own[name]...)
	}
	return list
}

// urlOf returns the path of requests that a section is for: a location's own, and that of a
// directory below the document root; empty if it is not clear.
func (a *apache) urlOf(v *vhost, s *section) string {
	if s.regex != nil || strings.ContainsAny(s.name, "*?[") {
		return ""
	}
	switch s.kind {
	case "location":
		if s.prefix && s.name != "/" {
			return s.name + "/"
		}
		return s.name
	case "directory":
		to, sure := a.translate(v, "/")
		if below, ok := strings.CutPrefix(s.name, to.docroot+"/"); sure && ok && to.docroot != "" && below != "" {
			return "/" + strings.TrimSuffix(below, "/") + "/"
		}
	}
	return ""
}

// routes implements server.
func (a *apache) routes() (all []Route) {
	hosts := a.hosts
	if len(hosts) == 0 || len(a.main.sections) > 0 {
		hosts = append([]*vhost{a.main}, hosts...)
	}
	for _, v := range hosts {
		q := Request{Method: "GET", Host: v.name()}
		if !v.tls {
			q.Scheme = "http"
		}
		for _, s := range v.sections {
			if s.kind == "if" {
				continue
			}
			p := policyOf([]*section{s}, "GET")
			r := Route{Path: strings.TrimPrefix(s.Directive.Name, "<") + " " + strings.Join(s.Args, " ")}
			r.Host, r.Scope, r.Access, r.By = v.name(), lineOf(s.Directive), p.access, p.lines()
			if q.Path = a.urlOf(v, s); q.Path != "" {
				full := a.answer(v, q)
				r.Facts, r.Upstream, r.Access, r.By = full.Facts, full.Upstream, full.Access, full.By
			} else {
				run := apacheRun{a, v, q, mapped{}, []*section{s}, p}
				if p.access == Protected && p.authType != nil {
					r.Facts = run.guarded()
				}
				r.Facts = append(r.Facts, run.methodHole()...)
			}
			all = append(all, r)
		}
		q.Path = "/"
		if v != a.main || len(a.hosts) == 0 {
			all = append(all, Route{Answer: a.answer(v, q), Path: "/"})
		}
	}
	return all
}
