package serverconf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Tree of Traefik has a directive for each router: its arguments are the rule, the priority,
// the service and the entry points, and its block are its middlewares, in their order. A middleware is named
// by its type, and its block are its options. A middleware that is not found is named unknown.
const (
	TraefikRouter  = "router"
	TraefikUnknown = "unknown"
)

// maxChain is how deep chains of middlewares are followed, and maxMiddlewares how many a router
// has at most: a chain may name itself, and more than once.
const (
	maxChain       = 10
	maxMiddlewares = 1000
)

// traefikReader collects routers and middlewares.
type traefikReader struct {
	reader
	middlewares map[string]node // by name: that in a file, name@docker, or namespace/name of Kubernetes
	routers     []traefikRouter
}

// traefikRouter is a router with the names of its middlewares.
type traefikRouter struct {
	at                      Position
	rule, priority, service string
	middlewares, entries    []string
}

// TraefikTree reads the dynamic configuration of Traefik: YAML files of the file provider, labels
// in Compose files, or manifests of IngressRoutes and Middlewares, in a file or a directory.
func TraefikTree(path string) (*Tree, error) {
	r := traefikReader{reader: newReader(), middlewares: map[string]node{}}
	objects, err := r.manifests(path)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		switch o.get("kind").text() {
		case "Middleware":
			r.middlewares[namespaceOf(o)+"/"+o.get("metadata", "name").text()] = o.get("spec")
		case "IngressRoute":
			r.ingressRoute(o)
		case "":
			r.dynamic(o.get("http"))
			r.services(o.get("services"))
		}
	}
	if len(r.routers) == 0 {
		return nil, fmt.Errorf("%s holds no routers of Traefik", path)
	}
	t := &Tree{Files: r.known}
	for i := range r.routers {
		x := &r.routers[i]
		d := Directive{Name: TraefikRouter, Args: append([]string{x.rule, x.priority, x.service}, x.entries...), IsBlock: true, At: x.at, Written: "rule: " + x.rule}
		for _, name := range x.middlewares {
			d.Block = r.middleware(d.Block, name, x.at, 0)
		}
		t.Directives = append(t.Directives, d)
	}
	t.Notes = r.finish().Notes
	return t, nil
}

// dynamic adds the routers and middlewares of the file provider.
func (r *traefikReader) dynamic(http node) {
	for _, m := range http.get("middlewares").members() {
		r.middlewares[m[0].text()] = m[1]
	}
	for _, m := range http.get("routers").members() {
		rule := m[1].get("rule")
		if rule.Node == nil {
			continue
		}
		x := traefikRouter{rule.at(), rule.text(), m[1].get("priority").text(), m[1].get("service").text(), m[1].get("middlewares").texts(), m[1].get("entryPoints").texts()}
		for i, name := range x.middlewares {
			x.middlewares[i] = strings.TrimSuffix(name, "@file")
		}
		r.routers = append(r.routers, x)
	}
}

// ingressRoute adds the routes of an IngressRoute.
func (r *traefikReader) ingressRoute(o node) {
	for _, route := range o.get("spec", "routes").items() {
		rule := route.get("match")
		if rule.Node == nil {
			continue
		}
		x := traefikRouter{at: rule.at(), rule: rule.text(), priority: route.get("priority").text(), entries: o.get("spec", "entryPoints").texts()}
		if services := route.get("services").items(); len(services) > 0 {
			x.service = services[0].get("name").text()
		}
		for _, m := range route.get("middlewares").items() {
			x.middlewares = append(x.middlewares, cmp.Or(m.get("namespace").text(), namespaceOf(o))+"/"+m.get("name").text())
		}
		r.routers = append(r.routers, x)
	}
}

// middleware appends a middleware, or those of a chain.
func (r *traefikReader) middleware(list []Directive, name string, at Position, depth int) []Directive {
	m, ok := r.middlewares[name]
	kinds := m.members()
	if !ok || len(kinds) == 0 || depth > maxChain || len(list) > maxMiddlewares {
		if !ok {
			r.note(at, "the middleware %q is not defined here", name)
		}
		return append(list, Directive{Name: TraefikUnknown, Args: []string{name}, At: at, Written: "middleware: " + name})
	}
	kind, options := kinds[0][0], kinds[0][1]
	if kind.text() == "chain" {
		for _, inner := range options.get("middlewares").items() {
			next := strings.TrimSuffix(inner.text(), "@file")
			if inner.get("name").Node != nil { // of Kubernetes
				namespace, _, _ := strings.Cut(name, "/")
				next = cmp.Or(inner.get("namespace").text(), namespace) + "/" + inner.get("name").text()
			}
			list = r.middleware(list, next, inner.at(), depth+1)
		}
		return list
	}
	d := Directive{Name: kind.text(), Args: []string{name}, IsBlock: true, At: kind.at(), Written: kind.text() + " of the middleware " + name}
	return append(list, withOptions(d, options))
}

// withOptions returns a middleware with its options: scalars, lists, and the members of
// mappings under their names.
func withOptions(d Directive, options node) Directive {
	for _, o := range options.members() {
		name := o[0].text()
		x := Directive{Name: name, At: o[0].at(), Written: name}
		switch text := o[1].text(); {
		case len(o[1].members()) > 0:
			x.IsBlock = true
			x = withOptions(x, o[1])
		case slices.Contains(traefikSecrets, strings.ToLower(name)):
		case o[1].items() != nil:
			x.Args = o[1].texts()
			x.Written = name + ": [" + strings.Join(x.Args, ", ") + "]"
		default:
			x.Args, x.Written = []string{text}, name+": "+cmp.Or(text, `""`)
		}
		d.Block = append(d.Block, x)
	}
	return d
}

// traefikSecrets are options that hold passwords, or the names of what does.
var traefikSecrets = []string{"users", "secret"}
