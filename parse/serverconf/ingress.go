package serverconf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ingress-nginx makes an nginx.conf of the Ingresses of a cluster. IngressTree does the same
// with what bears on authentication, so that requests are resolved and mistakes found as in a
// configuration that was written by hand. Source: kubernetes/ingress-nginx, nginx.tmpl and
// internal/ingress/annotations.

// annotationPrefix begins the names of the annotations of ingress-nginx.
const annotationPrefix = "nginx.ingress.kubernetes.io/"

// otherClasses are parts of the names of classes of other controllers.
var otherClasses = []string{"traefik", "alb", "haproxy", "kong", "gce", "istio", "contour", "azure", "apisix", "cilium", "gloo", "ambassador", "skipper", "caddy"}

// globalSettings are keys of the ConfigMap of ingress-nginx that show that it is one.
var globalSettings = []string{"global-auth-url", "no-auth-locations", "whitelist-source-range", "ssl-redirect", "force-ssl-redirect"}

// setting is an annotation or a key of the ConfigMap. The zero value is one that is not set.
type setting struct {
	node
	key string
}

// directive returns the directive of nginx that a setting stands for.
func (s setting) directive(name string, args ...string) Directive {
	d := Directive{Name: name, Args: args, At: s.at(), Written: s.key}
	if s.text() != "" {
		d.Written += ": " + s.text()
	}
	return d
}

// block returns a block that a setting stands for.
func (s setting) block(name string, args []string, inner ...Directive) Directive {
	d := s.directive(name, args...)
	d.IsBlock, d.Block = true, inner
	return d
}

// list returns the elements of a value that are divided by commas.
func (s setting) list() (list []string) {
	for _, x := range strings.Split(s.text(), ",") {
		if x = strings.TrimSpace(x); x != "" {
			list = append(list, x)
		}
	}
	return list
}

// ingressReader makes servers of Ingresses.
type ingressReader struct {
	reader
	hosts  []*ingressHost
	byName map[string]*ingressHost
	global node // data of the ConfigMap
}

// ingressHost is the server of a host.
type ingressHost struct {
	server    Directive
	names     Directive // server_name
	snippets  []Directive
	locations []ingressLocation
	internal  []Directive // locations of authentication requests
	regex     bool        // an Ingress of the host has patterns: then all paths are some
}

// ingressLocation is a path of a host.
type ingressLocation struct {
	how, path string // type and value of the path
	Directive
}

// IngressTree reads Ingresses for ingress-nginx: manifests in a file or a directory, or what
// kubectl get ingress -o yaml prints, with the ConfigMap of the controller if it is there.
func IngressTree(path string) (*Tree, error) {
	r := ingressReader{reader: newReader(), byName: map[string]*ingressHost{}}
	objects, err := r.manifests(path)
	if err != nil {
		return nil, err
	}
	var list []node
	for _, o := range objects {
		switch o.get("kind").text() {
		case "ConfigMap":
			if data := o.get("data"); slices.ContainsFunc(globalSettings, func(key string) bool { return data.get(key).Node != nil }) {
				r.global = data
			}
		case "Ingress":
			if isIngressNginx(o) {
				list = append(list, o)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no Ingress for ingress-nginx", path)
	}
	// Of two Ingresses with the same path the older one counts.
	created := func(o node) string { return o.get("metadata", "creationTimestamp").text() }
	slices.SortStableFunc(list, func(a, b node) int { return cmp.Compare(created(a), created(b)) })
	for _, o := range list {
		r.ingress(o)
	}
	t := &Tree{Files: r.known, Notes: r.finish().Notes}
	for _, h := range r.hosts {
		t.Directives = append(t.Directives, h.directive())
	}
	return t, nil
}

// isIngressNginx reports whether an Ingress is for ingress-nginx and no canary, which has the
// rules of the Ingress that it stands in for.
func isIngressNginx(o node) bool {
	annotations := o.get("metadata", "annotations")
	class := strings.ToLower(cmp.Or(o.get("spec", "ingressClassName").text(), annotations.get("kubernetes.io/ingress.class").text()))
	return annotations.get(annotationPrefix+"canary").text() != "true" &&
		!slices.ContainsFunc(otherClasses, func(other string) bool { return strings.Contains(class, other) })
}

// ingress adds the paths of an Ingress to their hosts.
func (r *ingressReader) ingress(o node) {
	x := &ingress{reader: r, object: o, name: o.get("metadata", "name").text(), namespace: namespaceOf(o)}
	for _, rule := range o.get("spec", "rules").items() {
		h := r.host(x, rule)
		for _, p := range rule.get("http", "paths").items() {
			x.path(h, p)
		}
	}
	backend := o.get("spec", "defaultBackend")
	if backend.Node == nil {
		backend = o.get("spec", "backend") // before v1
	}
	if backend.Node != nil {
		h := r.host(x, backend)
		h.locations = append(h.locations, x.location(h, "/", "Prefix", backend, backend))
	}
}

// host returns the server of the host of a rule.
func (r *ingressReader) host(x *ingress, rule node) *ingressHost {
	name := strings.ToLower(rule.get("host").text())
	h := r.byName[name]
	if h == nil {
		at := rule
		if name != "" {
			at = rule.get("host")
		}
		s := setting{at, "host"}
		h = &ingressHost{server: s.block("server", nil), names: s.directive("server_name", cmp.Or(name, "_"))}
		h.server.Written = "host: " + cmp.Or(name, "any")
		if name == "" {
			h.server.Block = []Directive{s.directive("listen", "80", "default_server"), s.directive("listen", "443", "ssl", "default_server")}
		} else {
			h.server.Block = []Directive{s.directive("listen", "80"), s.directive("listen", "443", "ssl")}
		}
		r.byName[name], r.hosts = h, append(r.hosts, h)
	}
	h.names.Args = append(h.names.Args, x.get("server-alias").list()...)
	h.regex = h.regex || x.get("use-regex").text() == "true" || x.get("rewrite-target").Node != nil
	if snippet := x.get("server-snippet"); snippet.Node != nil && len(h.snippets) == 0 { // the first counts
		h.snippets = r.snippet(snippet)
	}
	return h
}

// snippet returns the directives of a snippet. One that cannot be read becomes a note.
func (r *ingressReader) snippet(s setting) []Directive {
	if s.Node == nil {
		return nil
	}
	p := nginxParser{newNginxLexer(s.file, []byte(s.text())), &nginxReader{reader: newReader(), whole: true, snippet: true}}
	if p.line = s.Line; s.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		p.line++ // the text begins below its key
	}
	list, err := p.block(Position{}, 0)
	if err != nil {
		r.note(s.at(), "%s is left out: %v", s.key, err)
	}
	return list
}

// directive returns the server of a host.
func (h *ingressHost) directive() Directive {
	d := h.server
	d.Block = append(append(d.Block, h.names), h.snippets...)
	if h.regex { // ingress-nginx has longer paths first
		slices.SortStableFunc(h.locations, func(a, b ingressLocation) int { return len(b.path) - len(a.path) })
	}
	exact := map[string]bool{}
	for _, l := range h.locations {
		exact[l.path] = exact[l.path] || l.how == "Exact"
	}
	root := false
	add := func(l ingressLocation, args ...string) {
		l.Args = args
		d.Block = append(d.Block, l.Directive)
	}
	for _, l := range h.locations {
		root = root || l.path == "/"
		switch {
		case h.regex:
			add(l, "~*", "^"+l.path)
		case l.how == "Exact":
			add(l, "=", l.path)
		case l.how == "Prefix" && l.path != "/":
			if !exact[l.path] {
				add(l, "=", l.path)
			}
			add(l, strings.TrimSuffix(l.path, "/")+"/")
		default:
			add(l, l.path)
		}
	}
	if !root { // the default backend answers
		missing := Directive{Name: "location", Args: []string{"/"}, IsBlock: true, At: d.At, Written: "other paths"}
		missing.Block = []Directive{{Name: "return", Args: []string{"404"}, At: d.At, Written: "default backend"}}
		d.Block = append(d.Block, missing)
	}
	d.Block = append(d.Block, h.internal...)
	return d
}

// ingress is an Ingress.
type ingress struct {
	reader          *ingressReader
	object          node
	namespace, name string
}

// get returns the annotation of a name without its prefix.
func (x *ingress) get(name string) setting {
	key := annotationPrefix + name
	return setting{x.object.get("metadata", "annotations").get(key), key}
}

// setting returns an annotation, or the key of the ConfigMap that applies without it.
func (x *ingress) setting(name, global string) setting {
	if s := x.get(name); s.Node != nil {
		return s
	}
	return setting{x.reader.global.get(global), global}
}

// path adds a path to a host.
func (x *ingress) path(h *ingressHost, p node) {
	path := cmp.Or(p.get("path").text(), "/")
	if !strings.HasPrefix(path, "/") {
		return // the controller refuses it
	}
	at := p
	if p.get("path").Node != nil {
		at = p.get("path")
	}
	h.locations = append(h.locations, x.location(h, path, cmp.Or(p.get("pathType").text(), "ImplementationSpecific"), at, p.get("backend")))
}

// location returns the location of a path.
func (x *ingress) location(h *ingressHost, path, how string, at, backend node) ingressLocation {
	s := setting{at, "path"}
	d := s.block("location", nil)
	d.Written = "path: " + path
	d.Block = append(x.redirects(h), x.access(h, path)...)
	service := setting{backend, "service"}
	name := cmp.Or(backend.get("service", "name").text(), backend.get("serviceName").text(), "default backend")
	if backend.Node == nil {
		service.node = at
	}
	pass := service.directive("proxy_pass", "http://"+name+"."+x.namespace)
	pass.Written = "service: " + name
	d.Block = append(append(d.Block, pass), x.reader.snippet(x.get("configuration-snippet"))...)
	return ingressLocation{how, path, d}
}

// redirects returns the directives that answer requests with a redirect, or preflight
// requests.
func (x *ingress) redirects(h *ingressHost) (list []Directive) {
	on := func(s setting, byDefault bool) bool { return s.text() == "true" || byDefault && s.text() != "false" }
	tls, force := x.tls(h.names.Args[0]), x.setting("force-ssl-redirect", "force-ssl-redirect")
	if redirect := x.setting("ssl-redirect", "ssl-redirect"); tls.Node != nil && on(redirect, true) {
		s := setting{tls, "tls"}
		list = append(list, s.block("if", []string{"($scheme", "=", "http)"}, s.directive("return", "308", "https://$host$request_uri")))
	} else if on(force, false) {
		list = append(list, force.block("if", []string{"($scheme", "=", "http)"}, force.directive("return", "308", "https://$host$request_uri")))
	}
	for _, name := range []string{"permanent-redirect", "temporal-redirect"} {
		if s := x.get(name); s.Node != nil {
			list = append(list, s.directive("return", "302", s.text()))
		}
	}
	if cors := x.get("enable-cors"); on(cors, false) {
		list = append(list, cors.block("if", []string{"($request_method", "=", "OPTIONS)"}, cors.directive("return", "204")))
	}
	return list
}

// tls returns the part of an Ingress that has a certificate for a host.
func (x *ingress) tls(host string) node {
	for _, t := range x.object.get("spec", "tls").items() {
		hosts := t.get("hosts").items()
		if len(hosts) == 0 || slices.ContainsFunc(hosts, func(n node) bool { return strings.EqualFold(n.text(), host) }) {
			return t
		}
	}
	return node{}
}

// access returns the directives that decide who is let in.
func (x *ingress) access(h *ingressHost, path string) (list []Directive) {
	if s := x.get("denylist-source-range"); s.Node != nil {
		for _, from := range s.list() {
			list = append(list, s.directive("deny", from))
		}
	}
	allowed := x.get("allowlist-source-range")
	if allowed.Node == nil {
		allowed = x.setting("whitelist-source-range", "whitelist-source-range")
	}
	if from := allowed.list(); len(from) > 0 {
		for _, a := range from {
			list = append(list, allowed.directive("allow", a))
		}
		list = append(list, allowed.directive("deny", "all"))
	}
	if s := x.get("satisfy"); s.Node != nil {
		list = append(list, s.directive("satisfy", s.text()))
	}
	open := setting{x.reader.global.get("no-auth-locations"), "no-auth-locations"}
	prefixes := []string{"/.well-known/acme-challenge"}
	if open.Node != nil {
		prefixes = open.list()
	}
	if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(path, p) }) {
		return list
	}
	if s := x.get("auth-type"); s.text() == "basic" || s.text() == "digest" {
		realm, secret := x.get("auth-realm"), x.get("auth-secret")
		list = append(list, s.directive("auth_"+s.text(), cmp.Or(realm.text(), "Authentication Required")), s.directive("proxy_set_header", "Authorization", ""))
		if secret.Node != nil {
			// The name of the file begins like this.
			file := secret.directive("auth_"+s.text()+"_user_file", "/etc/ingress-controller/auth/"+x.namespace+"-"+x.name)
			file.Written = secret.key // its name looks like a credential
			list = append(list, file)
		}
	}
	return append(list, x.external(h)...)
}

// external returns the directives that ask a service about each request, and adds the
// location that asks it to the host.
func (x *ingress) external(h *ingressHost) (list []Directive) {
	url, signIn := x.get("auth-url"), x.get("auth-signin")
	if url.Node == nil {
		off := x.get("enable-global-auth")
		url, signIn = setting{x.reader.global.get("global-auth-url"), "global-auth-url"}, setting{x.reader.global.get("global-auth-signin"), "global-auth-signin"}
		if url.text() == "" {
			return nil
		}
		if off.text() == "false" {
			return []Directive{off.directive("auth_request", "off")}
		}
	}
	name := fmt.Sprintf("/_external-auth-%d", len(h.internal))
	inner := []Directive{
		url.directive("internal"), url.directive("proxy_pass_request_body", "off"), url.directive("proxy_set_header", "Content-Length", ""), url.directive("proxy_pass", url.text()),
	}
	h.internal = append(h.internal, url.block("location", []string{"=", name}, append(inner, x.reader.snippet(x.get("auth-snippet"))...)...))
	list = append(list, url.directive("auth_request", name))
	if signIn.text() != "" {
		list = append(list, signIn.directive("error_page", "401", "=302", signIn.text()))
	}
	return list
}
