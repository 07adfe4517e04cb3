package rules

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"logscan/parse/serverconf"
)

// traefik is a dynamic configuration of Traefik.
type traefik struct {
	routers []*router
	entries []string // names of the entry points; "" for those of routers without one
}

// router is a router with its middlewares.
type router struct {
	*serverconf.Directive
	rule     matcher
	priority int
}

// Traefik reads a dynamic configuration of Traefik.
func Traefik(path string) (*Rules, error) {
	tree, err := serverconf.TraefikTree(path)
	if err != nil {
		return nil, err
	}
	t := &traefik{}
	for i := range tree.Directives {
		d := &tree.Directives[i]
		x := &router{d, parseRule(d.Args[0]), len(d.Args[0])} // the longest rule comes first
		if n, err := strconv.Atoi(d.Args[1]); err == nil && n != 0 {
			x.priority = n
		}
		t.routers, t.entries = append(t.routers, x), append(t.entries, x.Args[3:]...)
	}
	slices.Sort(t.entries)
	t.entries = append(slices.Compact(t.entries), "")
	slices.SortStableFunc(t.routers, func(a, b *router) int { return cmp.Compare(b.priority, a.priority) })
	return &Rules{Server: "traefik", Path: path, Files: tree.Files, Notes: tree.Notes, server: t}, nil
}

// resolve implements server. Each entry point has its own routers, and which one a request
// came by is not known. Routers whose rule may match, because a part of it is not known, give
// an answer beside that of the first that does.
func (t *traefik) resolve(q Request) (all []Answer) {
	q.Path = decode(q.Path, false)
	for _, entry := range t.entries {
		for _, x := range t.routers {
			matches := x.rule(q)
			if own := x.Args[3:]; matches == fails || len(own) > 0 && !slices.Contains(own, entry) {
				continue
			}
			if a, ok := x.answer(q); ok && !slices.ContainsFunc(all, func(b Answer) bool { return a.Scope == b.Scope }) {
				all = append(all, a)
			}
			if matches == holds {
				break
			}
		}
	}
	if len(all) == 0 {
		return []Answer{{Access: Answered}} // 404
	}
	return serving(all, q)
}

// routes implements server.
func (t *traefik) routes() (all []Route) {
	for _, x := range t.routers {
		a, _ := x.answer(Request{Method: "GET"})
		all = append(all, Route{Answer: a, Path: x.Args[0]})
	}
	return all
}

// answer leads a request through the middlewares of a router. ok is false if it would have
// been redirected.
func (x *router) answer(q Request) (a Answer, ok bool) {
	a = Answer{Scope: lineOf(x.Directive), Access: Open, Upstream: x.Args[2]}
	var limits []Line // of addresses
	for i := range x.Block {
		m := &x.Block[i]
		switch strings.ToLower(m.Name) {
		case "redirectscheme":
			if a.Access == Open {
				a.Access, a.By = Redirected, linesOf(m)
				return a, q.Scheme != "https"
			}
		case "headers":
			if clears := option(m, "customRequestHeaders", "Authorization"); clears != nil && strings.Join(clears.Args, "") == "" {
				a.Facts = append(a.Facts, fact(AuthorizationCleared, Certain, "Authorization", clears))
			}
			if q.Method == "OPTIONS" && a.Access == Open && (option(m, "accessControlAllowMethods") != nil || option(m, "accessControlAllowOriginList") != nil) {
				a.Access, a.By = Answered, linesOf(m)
				return a, true
			}
		case "ipallowlist", "ipwhitelist":
			limits = append(limits, linesOf(m)...)
		case "basicauth", "digestauth", "forwardauth":
			a.By = append(a.By, lineOf(m))
			a.Facts = append(a.Facts, guardFacts(m, q, a.Access == Open)...)
			a.Access = Protected
		case serverconf.TraefikUnknown, "plugin":
			return Answer{Scope: a.Scope, Upstream: a.Upstream}, true // it may refuse requests, too
		}
	}
	if a.Access == Open && len(limits) > 0 {
		a.Access, a.By = Forbidden, limits
	}
	return a, true
}

// guardFacts returns the facts on a middleware that asks for credentials. first is set if
// none before it does.
func guardFacts(m *serverconf.Directive, q Request, first bool) (list []Fact) {
	if q.Method == "OPTIONS" && first {
		list = append(list, fact(PreflightNotExempt, Certain, "", m))
	}
	if remove := option(m, "removeHeader"); remove != nil && strings.Join(remove.Args, "") == "true" {
		list = append(list, fact(CredentialsKept, Certain, "", remove))
	}
	if !strings.EqualFold(m.Name, "forwardAuth") {
		return list
	}
	if address := option(m, "address"); address != nil {
		list = append(list, fact(AuthSubrequest, Possible, "", address, m))
	}
	// All headers are passed on unless some are named.
	sent := option(m, "authRequestHeaders")
	has := func(name string) bool {
		return slices.ContainsFunc(sent.Args, func(s string) bool { return strings.EqualFold(s, name) })
	}
	if sent != nil && len(sent.Args) > 0 && !has("Authorization") && !has("Cookie") {
		list = append(list, fact(SubrequestHeaders, Likely, "", sent, m))
	}
	return list
}

// option returns the option of a middleware at a path of names, whose case does not matter;
// nil if it is not set.
func option(d *serverconf.Directive, names ...string) *serverconf.Directive {
	for _, name := range names {
		i := slices.IndexFunc(d.Block, func(x serverconf.Directive) bool { return strings.EqualFold(x.Name, name) })
		if i < 0 {
			return nil
		}
		d = &d.Block[i]
	}
	return d
}
