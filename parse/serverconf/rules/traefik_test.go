package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// traefikConf is a configuration of the file provider.
const traefikConf = `http:
  routers:
    web:
      rule: Host(` + "`a.test`" + `)
      entryPoints: [web]
      middlewares: [https]
      service: shop
    shop:
      rule: Host(` + "`a.test`" + `)
      entryPoints: [websecure]
      middlewares: [sso@file]
      service: shop
    api:
      rule: Host(` + "`a.test`" + `) && PathPrefix(` + "`/api`" + `)
      entryPoints: [websecure]
      middlewares: [cors, staff]
      service: api
    open:
      rule: Host(` + "`a.test`" + `) && (Path(` + "`/health`" + `) || PathRegexp(` + "`^/public/[0-9]+$`" + `)) && !Method(` + "`PUT`" + `)
      entryPoints: [websecure]
      service: shop
    header:
      rule: Host(` + "`b.test`" + `) && Headers(` + "`X-Debug`, `1`" + `)
      service: debug
    b:
      rule: Host(` + "`b.test`" + `)
      middlewares: [both]
      service: shop
    first:
      rule: PathPrefix(` + "`/admin`" + `)
      priority: 1000
      middlewares: [drop, office]
      service: shop
    plugin:
      rule: Host(` + "`c.test`" + `)
      middlewares: [other@docker]
      service: shop
  middlewares:
    https: {redirectScheme: {scheme: https}}
    sso:
      forwardAuth:
        address: http://sso/check
        authRequestHeaders: [X-Trace]
    staff:
      basicAuth:
        users: ["jane:$apr1$secret"]
        removeHeader: true
    cors:
      headers:
        accessControlAllowMethods: [GET]
    drop:
      headers:
        customRequestHeaders:
          Authorization: ""
    office: {ipAllowList: {sourceRange: [10.0.0.0/8]}}
    both: {chain: {middlewares: [office, sso]}}
`

// traefikCluster are the same of Kubernetes.
const traefikCluster = `kind: List
items:
- kind: IngressRoute
  metadata: {name: shop, namespace: web}
  spec:
    entryPoints: [websecure]
    routes:
    - match: Host(` + "`a.test`" + `)
      services: [{name: shop}]
      middlewares: [{name: all}]
- kind: Middleware
  metadata: {name: all, namespace: web}
  spec: {chain: {middlewares: [{name: login}]}}
- kind: Middleware
  metadata: {name: login, namespace: web}
  spec: {basicAuth: {secret: users}}
`

// traefikLabels is a Compose file whose labels configure Traefik.
const traefikLabels = `services:
  shop:
    image: shop
    labels:
      - traefik.enable=true
      - traefik.http.routers.shop.rule=Host(` + "`a.test`" + `)
      - traefik.http.routers.shop.entrypoints=websecure
      - traefik.http.routers.shop.middlewares=all@docker
      - traefik.http.routers.health.rule=Host(` + "`a.test`" + `) && PathRegexp(` + "`^/health$$`" + `)
      - traefik.http.middlewares.all.chain.middlewares=drop,staff@docker
      - traefik.http.middlewares.drop.headers.customrequestheaders.Authorization=
      - traefik.http.middlewares.staff.basicauth.users=jane:$$apr1$$secret
      - traefik.http.middlewares.staff.basicauth.removeheader=true
  app:
    labels:
      traefik.http.routers.app.rule: Host(` + "`app.${DOMAIN}`" + `)
      traefik.http.routers.app.middlewares: sso
    deploy:
      labels:
        traefik.http.middlewares.sso.forwardauth.address: http://sso/check
        traefik.http.middlewares.sso.forwardauth.authRequestHeaders: Authorization, X-Trace
        traefik.http.routers.bare.service: app
  file:
    labels: ["traefik.http.routers.f.rule=Host(` + "`f.test`" + `)", "traefik.http.routers.f.middlewares=sso,other@file"]
  off:
    labels: ["traefik.enable=false", "traefik.http.routers.off.rule=Host(` + "`a.test`" + `) && Path(` + "`/x`" + `)"]
`

func TestTraefik(t *testing.T) {
	file, cluster, labels := rulesOf(t, "dynamic.yml", traefikConf), rulesOf(t, "dynamic.yml", traefikCluster), rulesOf(t, "docker-compose.yml", traefikLabels)
	for _, c := range []struct {
		rules  *Rules
		q      Request
		access Access
		by     string
		facts  []Kind
	}{
		{file, Request{Host: "a.test", Path: "/"}, Protected, "forwardAuth of the middleware sso", []Kind{AuthSubrequest, SubrequestHeaders}},
		{file, Request{Scheme: "http", Host: "a.test", Path: "/"}, Unknown, "", nil}, // either entry point may have it
		{file, Request{Scheme: "https", Host: "a.test", Path: "/"}, Protected, "forwardAuth of the middleware sso", []Kind{AuthSubrequest, SubrequestHeaders}},
		{file, Request{Host: "A.test:443", Path: "/apis"}, Protected, "basicAuth of the middleware staff", []Kind{CredentialsKept}},
		{file, Request{Method: "OPTIONS", Host: "a.test", Path: "/api"}, Answered, "headers of the middleware cors", nil},
		{file, Request{Method: "OPTIONS", Host: "a.test", Path: "/x"}, Protected, "forwardAuth of the middleware sso", []Kind{PreflightNotExempt, AuthSubrequest, SubrequestHeaders}},
		{file, Request{Host: "a.test", Path: "/health"}, Open, "", nil},
		{file, Request{Host: "a.test", Path: "/public/17"}, Open, "", nil},
		{file, Request{Host: "a.test", Path: "/public/x"}, Protected, "forwardAuth of the middleware sso", []Kind{AuthSubrequest, SubrequestHeaders}},
		{file, Request{Method: "PUT", Host: "a.test", Path: "/health"}, Protected, "forwardAuth of the middleware sso", []Kind{AuthSubrequest, SubrequestHeaders}},
		{file, Request{Host: "b.test", Path: "/"}, Unknown, "", nil}, // a header decides
		{file, Request{Host: "b.test", Path: "/admin"}, Forbidden, "ipAllowList of the middleware office", []Kind{AuthorizationCleared}},
		{file, Request{Host: "c.test", Path: "/"}, Unknown, "", nil},
		{file, Request{Host: "d.test", Path: "/"}, Answered, "", nil},
		{cluster, Request{Host: "a.test", Path: "/"}, Protected, "basicAuth of the middleware web/login", nil},
		{labels, Request{Host: "a.test", Path: "/x"}, Protected, "basicauth of the middleware staff@docker", []Kind{AuthorizationCleared, CredentialsKept}},
		{labels, Request{Host: "app.a.test", Path: "/"}, Protected, "forwardauth of the middleware sso@docker", []Kind{AuthSubrequest}},
		{labels, Request{Host: "a.test", Path: "/health"}, Open, "", nil},
		{labels, Request{Host: "f.test", Path: "/"}, Unknown, "", nil},
	} {
		if c.q.Method == "" {
			c.q.Method = "GET"
		}
		a := c.rules.Resolve(c.q)
		var by []string
		for _, l := range a.By {
			by = append(by, l.Directive)
		}
		var facts []Kind
		for _, f := range a.Facts {
			facts = append(facts, f.Kind)
		}
		if got := strings.Join(by, "; "); a.Access != c.access || got != c.by || !slices.Equal(facts, c.facts) {
			t.Errorf("%+v: %v by %q, facts %q, want %v by %q, %q", c.q, a.Access, got, facts, c.access, c.by, c.facts)
		}
	}
	if file.Server != "traefik" || len(file.Routes()) != 8 || len(file.Notes) != 1 || !strings.Contains(file.Notes[0], "other@docker") {
		t.Errorf("%+v, %d routes", file, len(file.Routes()))
	}
}

func TestTraefikLabels(t *testing.T) {
	r := rulesOf(t, "docker-compose.yml", traefikLabels)
	var got []string
	for _, route := range r.Routes() {
		line := fmt.Sprintf("%d %s %v", route.Scope.Line, route.Path, route.Access)
		for _, by := range route.By {
			line += fmt.Sprintf(" by %d %s", by.Line, by.Directive)
		}
		for _, f := range route.Facts {
			line += fmt.Sprintf(" %s %d %s", f.Kind, f.Lines[0].Line, f.Lines[0].Directive)
		}
		got = append(got, line)
	}
	want := []string{
		"9 Host(`a.test`) && PathRegexp(`^/health$`) open",
		"16 Host(`app.${DOMAIN}`) protected by 20 forwardauth of the middleware sso@docker auth_subrequest 20 address: http://sso/check",
		"6 Host(`a.test`) protected by 12 basicauth of the middleware staff@docker authorization_cleared 11 Authorization: \"\" credentials_kept_by_proxy 13 removeheader: true",
		"24 Host(`f.test`) unknown",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Notes) != 2 || !strings.Contains(r.Notes[0], `"bare" has no rule`) || !strings.Contains(r.Notes[1], `"other" is not defined`) {
		t.Error(r.Notes)
	}
}

// A chain that names itself ends soon.
func TestTraefikChain(t *testing.T) {
	self := strings.Repeat("a,", 20)
	r := rulesOf(t, "docker-compose.yml", "services:\n  x:\n    labels:\n    - traefik.http.routers.x.rule=Path(`/`)\n    - traefik.http.routers.x.middlewares=a\n    - traefik.http.middlewares.a.chain.middlewares="+self)
	if a := r.Resolve(Request{Host: "a.test", Method: "GET", Path: "/"}); a.Access != Unknown {
		t.Error(a)
	}
}

func TestTraefikRules(t *testing.T) {
	q := Request{Host: "a.test", Method: "GET", Path: "/x/1"}
	for rule, want := range map[string]truth{
		"Host(`a.test`)": holds, "Host(`b.test`, `a.test`)": holds, `Host("A.TEST")`: holds, "Host(`b.test`)": fails, "HostRegexp(`^.+\\.test$`)": holds,
		"!Host(`a.test`)": fails, "!(Host(`b.test`) || Path(`/x`))": holds, "Path(`/x/1`) && Method(`GET`)": holds, "Path(`/x`) || PathPrefix(`/x`)": holds,
		"ClientIP(`10.0.0.0/8`)": perhaps, "!ClientIP(`10.0.0.0/8`)": perhaps, "ClientIP(`10.0.0.0/8`) && Host(`b.test`)": fails, "ClientIP(`1.1.1.1`) || Host(`a.test`)": holds,
		"": fails, "Host": fails, "Host(`a.test`": fails, "Host(`a.test`) &&": fails, "Host(a.test)": fails, "Host(`a.test`) x": fails, "((((": fails,
		strings.Repeat("(", maxRule+1): fails, "PathRegexp(`(`)": perhaps, "Host(`a.${DOMAIN}`)": perhaps, "!Host(`a.${DOMAIN}`)": perhaps, "Host(`x.${DOMAIN}`)": fails, "Host(`x.${DOMAIN}`, `a.test`)": holds, "Host(`${A}.${B}`)": perhaps, "Host(`${A}.org`)": fails,
		"PathPrefix(`/${A}/`)": perhaps, "Path(`/${A}/`)": fails, "HostRegexp(`${A}`)": perhaps, "Method(`${M}`)": perhaps,
	} {
		if got := parseRule(rule)(q); got != want {
			t.Errorf("%.60s is %d, want %d", rule, got, want)
		}
	}
}
