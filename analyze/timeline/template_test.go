package timeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var templateTests = []struct{ path, want string }{
	{"", ""},
	{"/", "/"},
	{"/login", "/login"},
	{"//a///b", "/a/b"},
	{"/api/v2/users/4711/orders", "/api/v2/users/{id}/orders"},
	{"/orders/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/orders/{uuid}"},
	{"/blob/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/blob/{hash}"},
	{"/cafe/decade/facade", "/cafe/decade/facade"},
	{"/day/2026-03-09", "/day/{date}"},
	{"/history/2026-03-09T14:05:00.250Z", "/history/{time}"},
	{"/history/2026-03-09T14:05", "/history/{time}"},
	{"/history/2026-03-09T14:05:00+01:00/x", "/history/{time}/x"},
	{"/u/jane.doe@example.org/mail", "/u/{email}/mail"},
	{"/reset/Zm9vYmFyMTIzNDU2Nzg5MGFiY0RFRg", "/reset/{token}"},
	{"/page-2", "/page-{id}"},
	{"/item_7.html", "/item_{id}.html"},
	{"/report-2024.pdf", "/report-{id}.pdf"},
	{"/oauth2/utf8/v1/mp3", "/oauth2/utf8/v1/mp3"},
	{"/jquery-3.6.0.min.js", "/jquery-3.6.0.min.js"},
	{"/blog/how-to-read-an-access-log", "/blog/{slug}"},
	{"/blog/how-to-read-an-access-log.html", "/blog/{slug}.html"},
	{"/docs/budget-quick-customer-17", "/docs/{slug}"},
	{"/apple-touch-icon-precomposed.png", "/apple-touch-icon-precomposed.png"},
	{"/app;jsessionid=SECRET/view", "/app/view"},
	{"/caf%C3%A9/\x01", "/{text}/{text}"},
	{"/<script>", "/{text}"},
	{"/{id}", "/{text}"},
	{"/a/b/c/d/e/f/g/h/i/j/k/l", "/a/b/c/d/e/f/g/h/i/j/{rest}"},
	{"/" + strings.Repeat("x", 300), "/{slug}"},
	{"*", "*"},
}

func TestTemplate(t *testing.T) {
	for _, tt := range templateTests {
		if got := string(appendTemplate(nil, []byte(tt.path))); got != tt.want {
			t.Errorf("template of %q = %q, want %q", tt.path, got, tt.want)
		}
	}
}

// segmentBySegment is appendTemplate without its fast paths.
func segmentBySegment(path []byte) string {
	var dst []byte
	depth := 0
	for i, seg := range bytes.Split(path, []byte("/")) {
		if i > 0 && !(len(dst) > 0 && dst[len(dst)-1] == '/') {
			dst = append(dst, '/')
		}
		if len(seg) == 0 {
			continue
		}
		if depth++; depth > maxDepth {
			return string(append(dst, "{rest}"...))
		}
		dst = appendSegment(dst, seg)
	}
	return string(dst)
}

func FuzzTemplate(f *testing.F) {
	for _, tt := range templateTests {
		f.Add([]byte(tt.path))
	}
	f.Fuzz(func(t *testing.T, path []byte) {
		got := appendTemplate(nil, path)
		if want := segmentBySegment(path); string(got) != want {
			t.Errorf("template of %q = %q, segment by segment %q", path, got, want)
		}
		if len(got) > 2*len(path)+8*(maxDepth+1) {
			t.Errorf("template of %q has %d bytes", path, len(got))
		}
		for _, c := range got {
			if c < 0x20 || c >= 0x7f {
				t.Errorf("template of %q contains byte %#x", path, c)
			}
		}
	})
}

func TestSignIn(t *testing.T) {
	for _, tt := range []struct {
		method, template string
		want             bool
	}{
		{"POST", "/login", true}, {"POST", "/api/v1/auth/Login/", true}, {"POST", "/oauth/token", true},
		{"GET", "/login", false}, {"POST", "/blogin", false}, {"POST", "/", false}, {"POST", "", false},
		{"POST", "/Account/LogOn.aspx", true}, {"POST", "/Items/AuthenticateByName", true}, {"POST", "/j_spring_security_check", true},
		{"POST", "/v3/auth/tokens", true}, {"POST", "/user/doLogin.do", true}, {"POST", "/login/refresh-token", false},
		{"POST", "/auth.v1.Sessions/Create", true}, {"POST", "/acme.iam.TokenService/IssueToken", true}, {"POST", "/billing.v1.Sessions/List", false}, {"POST", "/v1/create", false},
		{"POST", "/my-session", false}, {"POST", "/dialogInput", false},
	} {
		if got := signIn(tt.method, tt.template); got != tt.want {
			t.Errorf("signIn(%s %s) = %v", tt.method, tt.template, got)
		}
	}
}

// mergePaths counts a GET request for each path, with a worker for each part, and
// returns the merged templates with their counts.
func mergePaths(t *testing.T, parts ...[]string) []string {
	t.Helper()
	var workers []*Worker
	for _, paths := range parts {
		w := NewWorker(7, 1)
		for _, p := range paths {
			w.endpoints.count(w.endpoints.number(0, []byte("GET"), appendTemplate(nil, []byte(p))), Accepted, 1, false)
		}
		workers = append(workers, w)
	}
	hosts, hostOf, _ := mergeBounded(workers[:1], func(w *Worker) *boundedNames { return &w.hosts })
	ofWorker := make([][]uint32, len(workers))
	for i := range ofWorker {
		ofWorker[i] = hostOf[0]
	}
	list, indexOf, _ := mergeEndpoints(workers, hosts, ofWorker, maxEndpoints)
	for i, m := range indexOf {
		for _, to := range m {
			if int(to) >= len(list) {
				t.Fatalf("worker %d: endpoint %d of %d", i, to, len(list))
			}
		}
	}
	var names []string
	n := int64(0)
	for _, e := range list {
		names = append(names, fmt.Sprintf("%s %d", e.Template, e.N[Accepted]))
		n += e.N[Accepted]
	}
	want := int64(0)
	for _, p := range parts {
		want += int64(len(p))
	}
	if n != want {
		t.Errorf("%d requests counted, want %d", n, want)
	}
	return names
}

func TestCollapseSiblings(t *testing.T) {
	var names, few []string
	word := func(i int) string {
		return string([]byte{'a' + byte(i/26/26%26), 'a' + byte(i/26%26), 'a' + byte(i%26)})
	}
	for i := range 150 {
		names = append(names, "/users/"+word(i)+"/profile", "/users/"+word(i)+"/orders/12345")
	}
	for i := range 20 {
		few = append(few, "/docs/"+word(i))
	}
	all := append(append([]string{"/login"}, names...), few...)
	want := mergePaths(t, all)
	if len(want) != 1+2+20 || want[len(want)-2] != "/users/{name}/orders/{id} 150" {
		t.Errorf("collapsed to %q", want)
	}
	// The result does not depend on which worker reads which path.
	got := mergePaths(t, names[:90], append(append([]string{"/login"}, few...), names[90:]...))
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("spread over two workers:\n%q\nwant\n%q", got, want)
	}
}

// Nodes that one worker has collapsed are collapsed for all workers.
func TestCollapseInOneWorker(t *testing.T) {
	word := func(i int) string {
		return string([]byte{'a' + byte(i/26/26%26), 'a' + byte(i/26%26), 'a' + byte(i%26)})
	}
	var many, few []string
	for i := range maxWorkerEndpoints + 1 {
		many = append(many, "/a/"+word(i%17576)+"/"+word(i/17576))
	}
	for i := range maxSiblings / 2 {
		few = append(few, "/a/"+word(i)+"/"+word(i%3))
	}
	want := mergePaths(t, append(slices.Clone(many), few...))
	if got := mergePaths(t, many, few); !slices.Equal(got, want) {
		t.Errorf("spread over two workers:\n%.500q\nwant\n%.500q", got, want)
	}
}

func TestEndpointLimit(t *testing.T) {
	var paths []string
	for i := range 2 * maxWorkerEndpoints {
		a, b := i%997, i/997
		paths = append(paths, fmt.Sprintf("/%c%c%c/%c%c%c", 'a'+a%26, 'a'+a/26%26, 'a'+a/676, 'a'+b%26, 'a'+b/26%26, 'a'+b/676))
	}
	if got := mergePaths(t, paths); len(got) > maxEndpoints {
		t.Errorf("%d endpoints, want at most %d", len(got), maxEndpoints)
	}
}

func TestRenew(t *testing.T) {
	for template, want := range map[string]bool{
		"/auth/refresh": true, "/api/token/renew": true, "/user/auth-tokens/rotate": true, "/api/refreshToken": true,
		"/oauth/token": false, "/images/unrefreshed": false, "": false,
	} {
		if got := renew("POST", template); got != want {
			t.Errorf("renew(POST %s) = %v", template, got)
		}
	}
}
