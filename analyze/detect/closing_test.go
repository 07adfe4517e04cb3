package detect

import (
	"fmt"
	"testing"
	"time"

	"logscan/analyze/result"
)

// TestFormThatCloses checks that a sign-in at which nobody gets in any more is told though
// the log shows its visitors no page: as many come as before, and try again as people do. A
// crowd that comes beside them, each once, is no outage.
func TestFormThatCloses(t *testing.T) {
	for name, c := range map[string]struct {
		tries, crowd int
		want         bool
	}{
		"people try again":     {3, 1, true},
		"strangers, each once": {1, 5, false},
	} {
		w := newWorld(3)
		for i := range 160 {
			at, address := 7*time.Hour+time.Duration(i)*5*time.Minute, fmt.Sprintf("10.1.0.%d", i)
			if at < 14*time.Hour {
				w.add(at, "POST", "/account/signin", "", "", address, "302")
				for k := range 6 {
					w.add(at+time.Duration(3+40*k)*time.Second, "GET", []string{"/account/orders", "/account/basket"}[k%2], "", "", address, "200")
				}
				continue
			}
			for k := range c.tries * c.crowd {
				w.add(at+time.Duration(k)*25*time.Second, "POST", "/account/signin", "", "", fmt.Sprintf("%s%d", address, k/c.tries), "401")
			}
		}
		for i := range 1200 { // a program gets tokens meanwhile
			w.add(time.Duration(i)*72*time.Second, "POST", "/oauth/token", "", "", fmt.Sprintf("10.2.0.%d", i%8), "200")
		}
		_, findings := w.scan(t, 1)
		found := false
		for _, f := range findings {
			found = found || f.Kind == "authentication_outage" && f.Subject.Route == "/account/signin" && f.Details.(*Outage).SignIn
		}
		if found != c.want {
			t.Errorf("%s: an outage is found: %v, want %v: %+v", name, found, c.want, findings)
		}
	}
}

// TestRouteThatCloses checks that a route which refuses everybody from one time on is told by
// its name, though nothing else of the site asks for credentials; but not one that strangers
// are refused by at night, as they are by day.
func TestRouteThatCloses(t *testing.T) {
	for name, c := range map[string]struct {
		refuses func(at time.Duration, i int) bool
		want    bool
	}{
		"closed":                     {func(at time.Duration, _ int) bool { return at > 12*time.Hour }, true},
		"always closed to strangers": {func(at time.Duration, i int) bool { return i%3 > 0 || at > 20*time.Hour }, false},
	} {
		w := newWorld(4)
		for i := range 140 {
			at, address := time.Duration(i)*10*time.Minute, fmt.Sprintf("10.1.0.%d", i)
			for k := range 4 {
				w.add(at+time.Duration(k)*20*time.Second, "GET", []string{"/api/orders", "/api/me"}[k%2], "", "", address, "200")
			}
			status := "200"
			if c.refuses(at, i) {
				status = "401"
			}
			w.add(at+50*time.Second, "GET", "/api/invoices", "", "", address, status)
			w.add(at+95*time.Second, "GET", "/api/invoices", "", "", address, status)
		}
		_, findings := w.scan(t, 1)
		found := false
		for _, f := range findings {
			found = found || f.Kind == "endpoint_misconfigured" && f.Subject.Route == "/api/invoices"
		}
		if found != c.want {
			t.Errorf("%s: the route is found: %v, want %v: %+v", name, found, c.want, findings)
		}
	}
}

// TestBackendThatSignsNobodyIn checks that a backend which cannot check passwords, and accepts
// the sessions that others began, is told; but not one at which somebody guesses.
func TestBackendThatSignsNobodyIn(t *testing.T) {
	for _, guesses := range []bool{false, true} {
		w := newWorld(5)
		places := map[request]int{}
		add := func(at time.Duration, method, path, address, status string, place int) {
			w.add(at, method, path, "", "", address, status)
			places[w.requests[len(w.requests)-1]] = place
		}
		for i := range 150 {
			at, address := 7*time.Hour+time.Duration(i)*4*time.Minute, fmt.Sprintf("10.1.0.%d", i)
			for place := i % 3; place == 2 && !guesses; place = w.r.IntN(3) {
				add(at, "POST", "/sign-in", address, "401", place)
				at += 14 * time.Second
			}
			add(at, "POST", "/sign-in", address, "302", i%2)
			for k := range 9 {
				add(at+time.Duration(2+30*k)*time.Second, "GET", []string{"/docs", "/plans"}[k%2], address, "200", k%3)
			}
			if guesses {
				add(at, "POST", "/sign-in", fmt.Sprintf("192.0.2.%d", i%40), "401", 2)
			}
		}
		w.upstream = func(r *request) string { return fmt.Sprintf("10.9.0.%d:80", places[*r]) }
		_, findings := w.scan(t, 2)
		found := false
		for _, f := range findings {
			found = found || f.Kind == "upstream_misconfigured" && f.Subject.Upstream == "10.9.0.2:80" && f.Details.(*BadUpstream).SignIn
		}
		if found == guesses {
			t.Errorf("guesses %v: the backend is found: %v: %+v", guesses, found, findings)
		}
	}
}

// TestStormOfPage checks that a request which a page repeats in browsers of several kinds
// after their sessions have ended is one finding, beside the timeout.
func TestStormOfPage(t *testing.T) {
	w := newWorld(6)
	w.sessionIDs = true
	for i := range 40 {
		address, id := fmt.Sprintf("10.1.0.%d", i), fmt.Sprintf("s%d", i)
		w.agents[address] = fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:12%d.0) Gecko/20100101 Firefox", i%5)
		at := 6*time.Hour + time.Duration(i)*3*time.Minute
		w.add(at, "POST", "/login", "", id, address, "302")
		for k := range 55 {
			w.add(at+time.Duration(k*8)*time.Minute+5*time.Second, "GET", []string{"/desk", "/mail", "/plan"}[k%3], "", id, address, "200")
		}
		for k := range 60 {
			w.add(at+8*time.Hour+time.Duration(k)*20*time.Second, "GET", "/ws", "", id, address, "401")
		}
	}
	_, findings := w.scan(t, 1)
	f := findings[0]
	if f.Kind != "retry_storm" || f.Subject != (result.Subject{Type: "site", Host: "www.example.org", Method: "GET", Route: "/ws"}) || f.Details.(*RetryStorm).Agents != 5 {
		t.Errorf("got %s %+v %+v", f.Kind, f.Subject, f.Details)
	}
}
