package analyze

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
)

// written is a log under construction, in the combined format.
type written struct{ strings.Builder }

// at appends a request at a time since the start.
func (w *written) at(t time.Duration, client, user, request string, status int, agent string) {
	fmt.Fprintf(w, "%s - %s [%s] \"%s HTTP/1.1\" %d 5 \"-\" \"%s\"\n", client, user, today.Add(t).Format("02/Jan/2006:15:04:05 -0700"), request, status, agent)
}

// in appends a request as JSON, with a session id.
func (w *written) in(session string, t time.Duration, client, request string, status int, agent string) {
	method, path, _ := strings.Cut(request, " ")
	fmt.Fprintf(w, `{"time":%q,"client_ip":%q,"method":%q,"path":%q,"status":%d,"session_id":%q,"user_agent":%q}`+"\n",
		today.Add(t).Format("2006-01-02T15:04:05Z07:00"), client, method, path, status, session, agent)
}

// visitors appends people who sign in and read pages for hours, so that the site is one
// that works.
func (w *written) visitors(hours int) {
	for i := range 20 * hours {
		t := time.Duration(i) * 3 * time.Minute
		client := fmt.Sprintf("198.51.100.%d", i%20)
		if i < 20 {
			w.at(t, client, "-", "POST /login", 302, "Firefox")
		}
		w.at(t+time.Second, client, "-", "GET /account", 200, "Firefox")
	}
}

// pages appends strangers who read a public page, for 20 hours.
func (w *written) pages(n int) {
	for i := range n {
		w.at(time.Duration(i)*20*time.Hour/time.Duration(n), fmt.Sprintf("192.0.2.%d", i%250), "-", "GET /", 200, "Firefox")
	}
}

func (w *written) run(t *testing.T) *result.Result {
	t.Helper()
	name := filepath.Join(t.TempDir(), "access.log")
	writeLog(t, name, w.String(), time.Time{})
	return run(t, 2, nil, name)
}

// TestStrangersInNumbersAreUnexplained checks that what a stranger repeats all day is
// not ordinary, and that as many refusals of many strangers are.
func TestStrangersInNumbersAreUnexplained(t *testing.T) {
	for _, c := range []struct {
		name              string
		strangers, each   int
		want, unexplained int64
	}{
		{"one in thousands", 1, 3000, 3000, 3000},
		{"one in hundreds", 1, 200, 200, 200},
		{"a few times each", 60, 3, 180, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w written
			w.visitors(10)
			w.pages(400)
			gap := 7
			for i := range c.strangers * c.each {
				gap = (gap*31 + 17) % 19 // no pace
				at := time.Duration(i)*10*time.Hour/time.Duration(c.strangers*c.each) + time.Duration(gap)*time.Second
				w.at(at, fmt.Sprintf("203.0.113.%d", i%c.strangers), "-", "GET /feed/private", 401, "fetcher/1.0")
			}
			res := w.run(t)
			found := int64(0)
			for i := range res.Findings {
				found += res.Findings[i].Unauthorized
			}
			if got := res.Totals.Unexplained + found; res.Totals.Unauthorized != c.want || got != c.unexplained {
				t.Errorf("%d of %d 401s are unexplained or explained by findings, want %d: %v", got, res.Totals.Unauthorized, c.unexplained, res.Causes)
			}
			if r := res.Residual; (r != nil) != (res.Totals.Unexplained > 0) {
				t.Errorf("residual %+v of %d unexplained 401s", r, res.Totals.Unexplained)
			}
		})
	}
}

// TestResidual checks what is known of unexplained refusals.
func TestResidual(t *testing.T) {
	var w written
	w.visitors(10)
	for i := range 400 {
		w.at(time.Duration(i*i*i%36000)*time.Second, "203.0.113.9", "-", "GET /feed/private", 401, "fetcher/1.0")
	}
	w.at(3*time.Hour, "203.0.113.9", "-", "GET /missing", 404, "fetcher/1.0")
	res := w.run(t)
	r := res.Residual
	if r == nil {
		t.Fatalf("no residual: %v", res.Causes)
	}
	if r.Unexplained != 400 || r.Clients != 1 || r.AcceptedClients != 0 || r.Others.Requests != 1 || r.Others.NotFound != 1 || r.Reason != nil {
		t.Errorf("residual %+v", r)
	}
	want := map[string]string{"endpoint": "GET /feed/private", "client_address": "203.0.113.9", "user_agent": "fetcher/1.0"}
	for _, d := range r.Dimensions {
		if name, ok := want[d.Name]; ok && (d.Top[0].Name != name || d.Top[0].Unexplained != 400 || d.Distinct != 1) {
			t.Errorf("%s: %+v", d.Name, d)
		}
		delete(want, d.Name)
		if d.Name == "host" || d.Name == "upstream" || d.Name == "user" {
			t.Errorf("the log has no %s: %+v", d.Name, d)
		}
	}
	if len(want) > 0 {
		t.Errorf("no dimensions %v", want)
	}
	var missing []string
	for i := range r.Missing {
		missing = append(missing, r.Missing[i].Name())
	}
	if got := strings.Join(missing, " "); !strings.HasPrefix(got, "reason user session") {
		t.Errorf("missing: %s", got)
	}
	if r.InBusiestHour < 40 || r.BusiestHour < today.UnixMicro() || r.BusiestHour > today.Add(10*time.Hour).UnixMicro() {
		t.Errorf("%d in the hour from %d", r.InBusiestHour, r.BusiestHour)
	}
}

// TestClosedPublicRoute checks that a route that must be open by its standard is one
// finding, whoever asks and at what pace, and that a scanner's one look is none.
func TestClosedPublicRoute(t *testing.T) {
	for _, c := range []struct {
		name, path    string
		rounds, each  int
		status        int
		route, severe string
	}{
		{"certificate", "/.well-known/acme-challenge/Zx%d-kQ", 4, 5, 401, "/.well-known/acme-challenge/", "medium"},
		{"validation file", "/.well-known/pki-validation/%d.txt", 10, 1, 401, "/.well-known/pki-validation/", "medium"},
		{"discovery of a realm", "/realms/r/.well-known/openid-configuration?n=%d", 12, 1, 401, "/realms/r/.well-known/openid-configuration", "medium"},
		{"one look", "/.well-known/acme-challenge/Zx%d-kQ", 1, 12, 401, "", ""},
		{"answered", "/.well-known/acme-challenge/Zx%d-kQ", 8, 2, 200, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w written
			w.visitors(10)
			for i := range c.rounds {
				for j := range c.each {
					w.at(time.Duration(i*i)*5*time.Minute, fmt.Sprintf("203.0.113.%d", 10*j+i%7), "-", "GET "+fmt.Sprintf(c.path, i), c.status, fmt.Sprintf("validator/%d", j))
				}
			}
			res := w.run(t)
			got := []string{}
			for i := range res.Findings {
				f := &res.Findings[i]
				if f.Subject.Type == "endpoint" {
					got = append(got, f.Severity.String()+" "+f.Subject.Route)
				}
			}
			if len(got) != min(1, len(c.route)) || len(got) == 1 && !strings.HasPrefix(got[0], c.severe+" "+c.route) {
				t.Errorf("findings %q, want %s %s", got, c.severe, c.route)
			}
		})
	}
}

// TestStatedPermission checks that refusals that state a missing permission are a
// finding of their directory, with the reason, and those that state another one are not.
func TestStatedPermission(t *testing.T) {
	f, err := parse.Compile(`$remote_addr - $remote_user [$time_local] "$request" $status "$sent_http_www_authenticate"`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, reason, paths string
		route               string
	}{
		{"scope of one route", `Bearer error=\x22insufficient_scope\x22`, "/v1/export", "/v1/export"},
		{"folder", `access denied: no permission`, "/docs/q1.pdf /docs/q2.pdf /docs/q3.pdf", "/docs/"},
		{"second factor", `Bearer error=\x22insufficient_user_authentication\x22`, "/v1/export", ""},
		{"expired", `Bearer error=\x22invalid_token\x22, error_description=\x22token expired\x22`, "/v1/export", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			paths := strings.Fields(c.paths)
			for i := range 300 {
				at := func(s int) string {
					return today.Add(time.Duration(i)*time.Minute + time.Duration(s)*time.Second).Format("02/Jan/2006:15:04:05 -0700")
				}
				who := fmt.Sprintf("198.51.100.%d - u%d", i%15, i%15)
				fmt.Fprintf(&b, "%s [%s] \"GET /home HTTP/1.1\" 200 \"-\"\n", who, at(0))
				if i%5 == 0 {
					fmt.Fprintf(&b, "%s [%s] \"GET %s HTTP/1.1\" 401 \"%s\"\n", who, at(2), paths[i/5%len(paths)], c.reason)
				}
				fmt.Fprintf(&b, "%s [%s] \"GET /home HTTP/1.1\" 200 \"-\"\n", who, at(4))
			}
			name := filepath.Join(t.TempDir(), "a.log")
			writeLog(t, name, b.String(), time.Time{})
			res := run(t, 2, f, name)
			var got *result.Finding
			for i := range res.Findings {
				if p, ok := res.Findings[i].Details.(*detect.Permission); ok && p.Stated > 0 {
					got = &res.Findings[i]
				}
			}
			switch {
			case c.route == "" && got != nil:
				t.Errorf("finding %+v", got)
			case c.route != "" && (got == nil || got.Subject.Route != c.route || got.Unauthorized != 60 || got.Reason == nil || got.Reason.N != 60):
				t.Errorf("finding %+v of %v", got, res.Causes)
			}
		})
	}
}

// TestNobodySignsIn checks that failures at a time when nobody can sign in are not
// called mistyped passwords, nor those of people of whom nobody gets in, and that those of
// clumsy people are.
func TestNobodySignsIn(t *testing.T) {
	for _, c := range []struct {
		name  string
		open  func(try int) bool
		again bool // who fails gets in at last
		want  bool // they are mistyped passwords
	}{
		{"outage", func(i int) bool { return i < 60 || i >= 120 }, false, false},
		{"clumsy people", func(i int) bool { return i%3 > 0 }, true, true},
		{"nobody who fails gets in", func(i int) bool { return i%3 > 0 }, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w written
			failed := int64(0)
			for i := range 180 {
				at, client := time.Duration(i)*time.Minute, fmt.Sprintf("198.51.100.%d", i)
				open := c.open(i)
				if !open {
					w.at(at, client, "-", "POST /login", 401, "Firefox")
					failed++
				}
				if open || c.again {
					w.at(at+9*time.Second, client, "-", "POST /login", 302, "Firefox")
					w.at(at+11*time.Second, client, fmt.Sprintf("u%d", i), "GET /account", 200, "Firefox")
				}
			}
			res := w.run(t)
			if got := res.Causes["login_failure"]; (got == failed) != c.want {
				t.Errorf("%d of %d are mistyped passwords: %v", got, failed, res.Causes)
			}
		})
	}
}

// TestDevicesThatRestart checks that devices which are refused when they restart at night, and
// sign in at once, are no outage, no spike and no fault of the route, though nearly all of its
// visits are refused meanwhile. Their sessions may as well have been ended.
func TestDevicesThatRestart(t *testing.T) {
	var w written
	for i := range 60 {
		client, restarts := fmt.Sprintf("203.0.113.%d", i), 4*time.Hour+time.Duration(i)*12*time.Second
		w.at(time.Duration(i)*time.Second, client, "-", "POST /device/login", 200, "Box/1")
		for at := time.Duration(60+i) * time.Second; at < 20*time.Hour; at += 25 * time.Minute {
			if restarts > 0 && at > restarts {
				w.at(restarts, client, "-", "GET /list", 401, "Box/1")
				w.at(restarts+2*time.Second, client, "-", "POST /device/login", 200, "Box/1")
				restarts = 0
			}
			w.at(at, client, "-", "GET /list", 200, "Box/1")
		}
	}
	for _, f := range w.run(t).Findings {
		if f.Kind != "session_invalidation" {
			t.Errorf("found %s of %+v", f.Kind, f.Subject)
		}
	}
}
