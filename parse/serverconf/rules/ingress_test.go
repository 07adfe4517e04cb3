package rules

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// manifest returns an Ingress of a host with paths ("/a Prefix"), annotations without their
// prefix, and further lines of its spec.
func manifest(host, paths, spec string, annotations ...string) string {
	var b strings.Builder
	b.WriteString("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  annotations:\n    a: b\n")
	for _, a := range annotations {
		fmt.Fprintf(&b, "    nginx.ingress.kubernetes.io/%s\n", a)
	}
	fmt.Fprintf(&b, "spec:\n  ingressClassName: nginx\n%s  rules:\n  - host: %s\n    http:\n      paths:\n", spec, host)
	for p := range strings.SplitSeq(paths, ",") {
		path, kind, _ := strings.Cut(p, " ")
		fmt.Fprintf(&b, "      - path: %s\n        pathType: %s\n        backend: {service: {name: app, port: {number: 80}}}\n", path, kind)
	}
	return b.String() + "---\n"
}

// aged returns a manifest with the year in which its object was made.
func aged(text string, year int) string {
	return strings.Replace(text, "metadata:\n", fmt.Sprintf("metadata:\n  creationTimestamp: \"%d-01-01T00:00:00Z\"\n", year), 1)
}

// rulesOf reads the rules of a file.
func rulesOf(t *testing.T, name, text string) *Rules {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestIngress(t *testing.T) {
	const config = "kind: ConfigMap\ndata:\n  global-auth-url: http://sso/check\n  no-auth-locations: /open\n---\n"
	for _, c := range []struct {
		name, text string
		q          Request
		access     Access
		by         string // what decides, without the prefix of annotations
		fact       Kind
	}{
		{"a service", manifest("a.test", "/ Prefix", "", "auth-url: http://sso/check"), Request{Path: "/x"}, Protected, "auth-url: http://sso/check", AuthSubrequest},
		{"no annotation", manifest("a.test", "/ Prefix", ""), Request{Path: "/x"}, Open, "", ""},
		{"passwords, which the backend does not get", manifest("a.test", "/ Prefix", "", "auth-type: basic", "auth-secret: users"), Request{Path: "/x"}, Protected, "auth-type: basic", CredentialsKept},
		{"digest", manifest("a.test", "/ Prefix", "", "auth-type: digest"), Request{Path: "/x"}, Protected, "auth-type: digest", ""},
		{"addresses or passwords", manifest("a.test", "/ Prefix", "", "auth-type: basic", "satisfy: any", "whitelist-source-range: 10.0.0.0/8, 192.0.2.0/24"), Request{Path: "/x"}, Protected, "auth-type: basic; satisfy: any; whitelist-source-range: 10.0.0.0/8, 192.0.2.0/24", OutsidersOnly},
		{"a preflight", manifest("a.test", "/ Prefix", "", "auth-url: http://sso/check"), Request{Method: "OPTIONS", Path: "/x"}, Protected, "auth-url: http://sso/check", PreflightNotExempt},
		{"a preflight that is answered", manifest("a.test", "/ Prefix", "", "auth-url: http://sso/check", `enable-cors: "true"`), Request{Method: "OPTIONS", Path: "/x"}, Answered, `enable-cors: true`, ""},
		{"another Ingress for a path", manifest("a.test", "/ Prefix", "", "auth-url: http://sso/check") + manifest("a.test", "/health Exact", ""), Request{Path: "/health"}, Open, "", ""},
		{"below an exact path", manifest("a.test", "/ Prefix", "", "auth-url: http://sso/check") + manifest("a.test", "/health Exact", ""), Request{Path: "/health/x"}, Protected, "auth-url: http://sso/check", ""},
		{"a prefix is of whole segments", manifest("a.test", "/ Prefix", "", "auth-url: http://sso/check") + manifest("a.test", "/api Prefix", ""), Request{Path: "/apis"}, Protected, "auth-url: http://sso/check", ""},
		{"a prefix itself", manifest("a.test", "/ Prefix", "", "auth-url: http://sso/check") + manifest("a.test", "/api Prefix", ""), Request{Path: "/api"}, Open, "", ""},
		{"the older of two", aged(manifest("a.test", "/ Prefix", "", "auth-url: http://sso/new"), 2026) + aged(manifest("a.test", "/ Prefix", ""), 2020), Request{Path: "/x"}, Open, "", ""},
		{"a canary", manifest("a.test", "/ Prefix", "", `canary: "true"`) + manifest("a.test", "/ Prefix", "", "auth-url: http://sso/check"), Request{Path: "/x"}, Protected, "auth-url: http://sso/check", ""},
		{"a path that no Ingress has", manifest("a.test", "/api Prefix", "", "auth-type: basic"), Request{Path: "/x"}, Answered, "default backend", ""},
		{"another host", manifest("a.test", "/ Prefix", "", "auth-type: basic") + manifest("b.test", "/ Prefix", ""), Request{Host: "b.test", Path: "/x"}, Open, "", ""},
		{"patterns, the longer path first", manifest("a.test", "/api/.* ImplementationSpecific,/api/open/.* ImplementationSpecific", "", "auth-type: basic", `use-regex: "true"`) + manifest("a.test", "/api/open/x/.* ImplementationSpecific", ""), Request{Path: "/api/open/x/1"}, Open, "", ""},
		{"http to a host with a certificate", manifest("a.test", "/ Prefix", "  tls:\n  - hosts: [a.test]\n", "auth-type: basic"), Request{Scheme: "http", Path: "/x"}, Redirected, "tls", ""},
		{"http without a redirect", manifest("a.test", "/ Prefix", "  tls:\n  - hosts: [a.test]\n", "auth-type: basic", `ssl-redirect: "false"`), Request{Scheme: "http", Path: "/x"}, Protected, "auth-type: basic", ""},
		{"the authentication of all", config + manifest("a.test", "/ Prefix", ""), Request{Path: "/x"}, Protected, "global-auth-url: http://sso/check", AuthSubrequest},
		{"without the authentication of all", config + manifest("a.test", "/ Prefix", "", `enable-global-auth: "false"`), Request{Path: "/x"}, Open, "enable-global-auth: false", ""},
		{"a path that is open for all", config + manifest("a.test", "/open Prefix", "", "auth-type: basic"), Request{Path: "/open/x"}, Open, "", ""},
		{"a snippet", manifest("a.test", "/ Prefix", "", "configuration-snippet: |\n      proxy_set_header Authorization \"\";\n      include /etc/passwd;"), Request{Path: "/x"}, Open, "", AuthorizationCleared},
		{"a snippet of a server", manifest("a.test", "/ Prefix", "", "server-snippet: auth_basic all;"), Request{Path: "/x"}, Protected, "auth_basic all", ""},
		{"a list of JSON", `{"kind":"List","items":[{"kind":"Ingress","metadata":{"annotations":{"nginx.ingress.kubernetes.io/auth-type":"basic"}},"spec":{"rules":[{"host":"a.test","http":{"paths":[{"path":"/","backend":{"serviceName":"x"}}]}}]}}]}`, Request{Path: "/x"}, Protected, "auth-type: basic", CredentialsKept},
	} {
		c.q.Method, c.q.Host = cmp.Or(c.q.Method, "GET"), cmp.Or(c.q.Host, "a.test")
		a := rulesOf(t, "ingress.yaml", c.text).Resolve(c.q)
		var by []string
		for _, l := range a.By {
			by = append(by, strings.TrimPrefix(l.Directive, "nginx.ingress.kubernetes.io/"))
		}
		if got := strings.Join(by, "; "); a.Access != c.access || got != c.by && !strings.HasPrefix(got, c.by+" ") {
			t.Errorf("%s: %v by %q, want %v by %q", c.name, a.Access, got, c.access, c.by)
		}
		if c.fact != "" && !slices.ContainsFunc(a.Facts, func(f Fact) bool { return f.Kind == c.fact }) {
			t.Errorf("%s: facts %v, want %s", c.name, a.Facts, c.fact)
		}
	}
}

// TestIngressLines checks that facts name the lines of manifests, in snippets too.
func TestIngressLines(t *testing.T) {
	text := manifest("a.test", "/ Prefix", "", "auth-type: basic", "configuration-snippet: |\n      # why\n      proxy_set_header Authorization \"\";")
	r := rulesOf(t, "ingress.yaml", "---\n"+text)
	lines := strings.Split("---\n"+text, "\n")
	for _, f := range r.Everywhere() {
		for _, l := range f.Lines {
			if written := lines[l.Line-1]; !strings.Contains(written, strings.TrimSuffix(l.Directive, ` ""`)) {
				t.Errorf("%s: line %d is %q, not %q", f.Kind, l.Line, written, l.Directive)
			}
		}
	}
	for _, route := range r.Routes() {
		if route.Scope.Line < 1 || route.Scope.File == "" || strings.Contains(route.Path, "_external") {
			t.Errorf("route %+v", route)
		}
	}
}

func TestNoIngress(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"service.yaml": "kind: Service\n", "broken.yaml": "{{ if .Values.x }}\na: [\n", "other.yaml": "kind: Ingress\nspec:\n  ingressClassName: traefik\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "web.yaml"), []byte(manifest("a.test", "/ Prefix", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Read(dir)
	if err != nil || len(r.Files) != 4 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "broken.yaml") {
		t.Errorf("%+v, %v", r, err)
	}
}
