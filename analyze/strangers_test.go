package analyze

import (
	"fmt"
	"testing"
	"time"
)

// people writes the day of people who sign in at a form by themselves.
func (w *written) people(n int, form string) {
	for i := range n {
		at, client := time.Duration(i)*11*time.Minute, fmt.Sprintf("203.0.113.%d", i)
		w.at(at, client, "-", "GET "+form, 200, "Firefox")
		w.at(at+20*time.Second, client, "-", "POST "+form, 302, "Firefox")
		for k := range 6 {
			w.at(at+time.Duration(21+30*k)*time.Second, client, "-", fmt.Sprintf("GET /desk/%s", []string{"mail", "files"}[k%2]), 200, "Firefox")
		}
	}
	for i := range 6 { // strangers
		w.at(time.Duration(i)*97*time.Minute, "198.51.100.9", "-", fmt.Sprintf("GET /desk/%s", []string{"mail", "files"}[i%2]), 401, "bot")
	}
}

// TestGuessesThatSucceed checks that a flood of failed sign-ins is not taken for mistyped
// passwords or for a program at its pace, because some of them succeed.
func TestGuessesThatSucceed(t *testing.T) {
	for _, gap := range []time.Duration{400 * time.Millisecond, time.Second, 7 * time.Second} {
		var w written
		w.people(60, "/signin")
		for i := range 700 {
			status := 401
			if i%40 == 7 {
				status = 302
			}
			w.at(3*time.Hour+time.Duration(i)*gap, "192.0.2.77", "-", "POST /signin", status, "curl/8.0")
		}
		res := w.run(t)
		if n := res.Causes["login_failure"]; n > 50 {
			t.Errorf("every %v: %d tries look mistyped: %v", gap, n, res.Causes)
		}
		if res.Causes["brute_force"]+res.Totals.Unexplained < 600 {
			t.Errorf("every %v: %v", gap, res.Causes)
		}
	}
}

// TestRegistryDiscovery checks that the refusals that send a registry's client to a token endpoint are
// challenges, also if what it asks for is missing, and those of a scanner that meets a
// folder and then missing paths are not.
func TestRegistryDiscovery(t *testing.T) {
	var w written
	for i := range 40 {
		at, client := time.Duration(i)*9*time.Minute, fmt.Sprintf("203.0.113.%d", i%4)
		w.at(at, client, "-", "GET /v2/", 401, "containerd/1.7")
		w.at(at+time.Second, client, "-", "GET /issue/token?scope=pull", 200, "containerd/1.7")
		status := 200
		if i%3 == 0 {
			status = 404
		}
		w.at(at+time.Second, client, "-", fmt.Sprintf("GET /v2/base/app%d/manifests/latest", i%5), status, "containerd/1.7")
		w.at(at+2*time.Second, client, "-", "GET /v2/base/app1/manifests/latest", 200, "containerd/1.7")
	}
	for i := range 12 {
		w.at(2*time.Hour+time.Duration(2*i)*time.Second, "192.0.2.8", "-", "GET /backup/", 401, "gobuster/3.6")
		w.at(2*time.Hour+time.Duration(2*i+1)*time.Second, "192.0.2.8", "-", fmt.Sprintf("GET /backup%d", i), 404, "gobuster/3.6")
	}
	res := w.run(t)
	if n := res.Causes["challenge"]; n < 38 || n > 40 {
		t.Errorf("%d challenges, want those of the registry: %v", n, res.Causes)
	}
}

// TestCrowdOfStrangers checks that a route does not fail because many come who have no
// account.
func TestCrowdOfStrangers(t *testing.T) {
	var w written
	w.people(60, "/signin")
	for i := range 400 {
		w.at(4*time.Hour+time.Duration(i)*3*time.Second, fmt.Sprintf("198.51.%d.%d", 101+i/200, i%200), "-", "GET /desk/mail", 401, "Safari")
	}
	for _, f := range w.run(t).Findings {
		if f.Kind == "endpoint_misconfigured" {
			t.Errorf("told as %s: %+v", f.Kind, f.Details)
		}
	}
}
