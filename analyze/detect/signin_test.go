package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logscan/analyze/result"
)

// door replaces the sign-ins of a world: by a route of another name and method, or by
// none in this log if the method is empty.
func (w *world) door(method, path, status string) {
	var kept []request
	for _, r := range w.requests {
		if r.path == "/login" {
			if method == "" || method == "GET" && r.status == "401" {
				continue
			}
			if r.method, r.path = method, path; r.status == "302" {
				r.status = status
			}
		}
		kept = append(kept, r)
	}
	w.requests = kept
}

// TestTimeoutsWithoutNames checks that the age of sessions is found whatever the sign-in
// is called, and if it is in the log of another server.
func TestTimeoutsWithoutNames(t *testing.T) {
	for _, x := range []struct{ name, method, path, status string }{
		{"token endpoint", "POST", "/v2/entrance", "201"},
		{"form", "POST", "/enter.do", "302"},
		{"callback", "GET", "/back", "302"},
		{"link", "GET", "/go", "200"},
		{"elsewhere", "", "", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(3)
			w.absolute = time.Hour
			w.run(40)
			w.door(x.method, x.path, x.status)
			_, findings := w.scan(t, 2)
			f := want(t, findings, "session_expiry")[0]
			details := f.Details.(*Expiry)
			if at := float64(details.Timeout); at < 3300 || at > 3900 || details.Policy == "idle" {
				t.Errorf("%s timeout of %v s", details.Policy, at)
			}
			refused := 0
			for _, r := range w.requests {
				if r.status == "401" {
					refused++
				}
			}
			if f.Unauthorized < int64(refused)*6/10 {
				t.Errorf("explains %d of %d 401s", f.Unauthorized, refused)
			}
		})
	}
}

func TestGuessesWithoutNames(t *testing.T) {
	client := result.Subject{Type: "client", ClientAddress: "203.0.113.80"}
	attacker := func(r request) bool { return r.address == "203.0.113.80" }
	guess := func(w *world, n int, add func(at time.Duration)) {
		at := 9*time.Hour + w.minutes(60)
		for range n {
			add(at)
			at += time.Duration(1+w.r.IntN(30)) * time.Second
		}
	}
	brute := []expectation{{"brute_force", client, result.Medium, attacker, nil}}
	for _, x := range []struct {
		name string
		add  func(w *world)
		want []expectation
	}{
		{"learnt route", func(w *world) {
			w.door("POST", "/v2/entrance", "201")
			guess(w, 300, func(at time.Duration) { w.add(at, "POST", "/v2/entrance", "", "", "203.0.113.80", "401") })
		}, append([]expectation{}, brute...)},
		{"page that tells of the failure", func(w *world) {
			w.door("POST", "/enter", "302")
			guess(w, 300, func(at time.Duration) {
				w.add(at, "POST", "/enter", "", "", "203.0.113.80", "302")
				w.add(at, "GET", "/denied", "", "", "203.0.113.80", "401")
			})
		}, brute},
		{"route where hardly anybody signs in", func(w *world) {
			for i := range 5 {
				w.add(w.minutes(1000), "POST", "/vault/unseal", "", "", fmt.Sprintf("10.8.0.%d", i), "200")
			}
			guess(w, 200, func(at time.Duration) { w.add(at, "POST", "/vault/unseal", "", "", "203.0.113.80", "401") })
		}, brute},
		{"program without a key among others that send data", func(w *world) {
			for i := range 20 {
				w.poll(w.minutes(9), 24*time.Hour, 10*time.Minute, "/ingest", "", fmt.Sprintf("10.8.0.%d", i), "200")
			}
			guess(w, 200, func(at time.Duration) { w.add(at, "POST", "/ingest", "", "", "203.0.113.80", "401") })
			for i := range w.requests {
				if w.requests[i].path == "/ingest" {
					w.requests[i].method = "POST"
				}
			}
		}, nil},
		{"visitors of a page that renews at its start", func(w *world) {
			for i := range 300 {
				w.add(w.minutes(1300), "POST", "/auth/refresh", "", "", fmt.Sprintf("198.51.%d.%d", i/100, i%100), "401")
			}
		}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(5)
			w.idle = 50 * time.Minute
			w.run(40)
			x.add(w)
			_, findings := w.scan(t, 2)
			findings = slices.DeleteFunc(findings, func(f result.Finding) bool { return f.Kind == "session_expiry" || f.Kind == "unauthorized_spike" })
			w.expect(t, findings, x.want)
		})
	}
}

func TestRetriesWithoutSessions(t *testing.T) {
	refused := func(r request) bool { return r.address == "203.0.113.90" && r.status == "401" }
	client := result.Subject{Type: "client", ClientAddress: "203.0.113.90", UserAgent: "Tab/1"}
	for _, x := range []struct {
		name string
		add  func(w *world)
		want expectation
	}{
		{"page that loads itself again", func(w *world) {
			for i := range 400 {
				at := 9*time.Hour + time.Duration(i)*5*time.Second
				w.add(at, "GET", "/board", "", "", "203.0.113.90", "200")
				w.add(at+time.Second, "POST", "/user/token/rotate", "", "", "203.0.113.90", "401")
			}
		}, expectation{"retry_storm", result.Subject{Type: "client_software", UserAgent: "Tab/1"}, result.Medium, refused, nil}},
		{"tab that was left open", func(w *world) {
			for i := range 60 {
				path := []string{"/api/orders", "/app/home", "/api/items", "/app/mail"}[i%4]
				w.add(8*time.Hour+time.Duration(i)*50*time.Second+w.minutes(1), "GET", path, "", "", "203.0.113.90", "200")
			}
			w.poll(8*time.Hour, 10*time.Hour, time.Minute, "/api/unread", "", "203.0.113.90", "200")
			w.poll(10*time.Hour, 20*time.Hour, time.Minute, "/api/unread", "", "203.0.113.90", "401")
		}, expectation{"retry_storm", result.Subject{Type: "client_software", UserAgent: "Tab/1"}, result.Medium, refused, nil}},
		{"program whose key ends, with several routes", func(w *world) {
			for at := time.Duration(0); at < 24*time.Hour; at += 5 * time.Minute {
				status := "200"
				if at >= 12*time.Hour {
					status = "401"
				}
				for i, path := range []string{"/api/orders", "/app/home", "/api/items", "/app/mail"} {
					w.add(at+time.Duration(i)*time.Second, "GET", path, "", "", "203.0.113.90", status)
				}
			}
		}, expectation{"integration_failure", client, result.Medium, refused, nil}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(7)
			w.agents["203.0.113.90"] = "Tab/1"
			w.run(40)
			if x.want.kind == "retry_storm" { // the user is known, but no session
				w.add(7*time.Hour, "GET", "/board", "", "", "203.0.113.90", "200")
			}
			x.add(w)
			_, findings := w.scan(t, 2)
			w.expect(t, findings, []expectation{x.want})
		})
	}
}
