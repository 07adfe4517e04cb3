package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/fixtures/trials"
)

// poll adds requests of a program for a path at a steady pace.
func (w *world) poll(from, to, every time.Duration, path, user, address, status string) {
	for at := from; at < to; at += every + w.minutes(1)/60*time.Duration(every/time.Minute+1)/4 {
		w.add(at, "GET", path, user, "", address, status)
	}
}

func TestMachines(t *testing.T) {
	client := func(address, agent, user string) result.Subject {
		return result.Subject{Type: "client", ClientAddress: address, UserAgent: agent, User: user}
	}
	refused := func(address string) func(request) bool {
		return func(r request) bool { return r.address == address && r.user != "-" }
	}
	for i, x := range []struct {
		name string
		add  func(w *world)
		want []expectation
	}{
		{"a program whose key ends", func(w *world) {
			w.agents["203.0.113.60"] = "inventory-sync/2.1"
			w.poll(0, 13*time.Hour, 5*time.Minute, "/api/orders", "", "203.0.113.60", "200")
			w.poll(13*time.Hour, 24*time.Hour, 5*time.Minute, "/api/orders", "", "203.0.113.60", "401")
		}, []expectation{{"integration_failure", client("203.0.113.60", "inventory-sync/2.1", ""), result.Medium, refused("203.0.113.60"), nil}}},
		{"a program whose Basic password was changed", func(w *world) {
			w.agents["203.0.113.61"] = "curl/8.5.0"
			for at := time.Duration(0); at < 24*time.Hour; at += 10 * time.Minute {
				status := "200"
				if at > 15*time.Hour {
					status = "401"
				}
				w.add(at, "GET", "/report", "", "", "203.0.113.61", "401")
				w.add(at, "GET", "/report", "backup", "", "203.0.113.61", status)
			}
			w.handshakes() // /report accepts others
		}, []expectation{{"integration_failure", client("203.0.113.61", "curl/8.5.0", "backup"), result.Medium,
			func(r request) bool { return r.address == "203.0.113.61" && r.at > 15*time.Hour }, nil}}},
		{"a key that is renewed after hours", func(w *world) {
			w.agents["203.0.113.62"] = "python-requests/2.31"
			w.poll(0, 9*time.Hour, 10*time.Minute, "/api/items", "", "203.0.113.62", "200")
			w.poll(9*time.Hour, 13*time.Hour, 10*time.Minute, "/api/items", "", "203.0.113.62", "401")
			w.poll(13*time.Hour, 24*time.Hour, 10*time.Minute, "/api/items", "", "203.0.113.62", "200")
		}, []expectation{{"integration_failure", client("203.0.113.62", "python-requests/2.31", ""), result.Medium, refused("203.0.113.62"), nil}}},
		{"a token that is no longer issued", func(w *world) {
			w.agents["203.0.113.63"] = "billing/1"
			for at := time.Duration(0); at < 24*time.Hour; at += 6 * time.Minute {
				status := "200"
				if at > 12*time.Hour {
					status = "401"
				}
				w.add(at+w.minutes(1)/10, "POST", "/oauth/token", "", "", "203.0.113.63", status)
			}
			for i := range 20 {
				w.poll(w.minutes(60), 24*time.Hour, time.Hour, "/oauth/token", "", fmt.Sprintf("203.0.113.%d", 100+i), "200")
			}
		}, []expectation{{"integration_failure", client("203.0.113.63", "billing/1", ""), result.Medium, refused("203.0.113.63"), nil}}},
		{"a refresh token that is revoked, and tried again and again", func(w *world) {
			w.agents["203.0.113.70"] = "agent/3"
			for at := 2 * time.Hour; at < 14*time.Hour; at += time.Hour {
				w.add(at, "POST", "/oauth/token", "", "", "203.0.113.70", "200")
			}
			w.poll(14*time.Hour, 20*time.Hour, time.Minute, "/oauth/token", "", "203.0.113.70", "200")
			for i := range w.requests {
				if r := &w.requests[i]; r.address == "203.0.113.70" {
					if r.method = "POST"; r.at >= 14*time.Hour {
						r.status = "401"
					}
				}
			}
		}, []expectation{{"integration_failure", client("203.0.113.70", "agent/3", ""), result.Medium, refused("203.0.113.70"), nil}}},
		{"a program without a pace", func(w *world) {
			w.agents["203.0.113.71"] = "Forge-Hooks/8.9"
			for range 160 {
				at := w.minutes(1440)
				status := "200"
				if at > 13*time.Hour {
					status = "401"
				}
				w.add(at, "POST", "/hooks/notify", "", "", "203.0.113.71", status)
			}
		}, []expectation{{"integration_failure", client("203.0.113.71", "Forge-Hooks/8.9", ""), result.Medium, refused("203.0.113.71"), nil}}},
		{"a dashboard on a wall whose session has ended", func(w *world) {
			w.agents["203.0.113.72"] = "Mozilla/5.0 (X11; CrOS armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
			for at := time.Duration(0); at < 24*time.Hour; at += time.Minute {
				status := "200"
				if at > 9*time.Hour {
					status = "401"
				}
				for call := range 3 {
					w.add(at+time.Duration(call)*100*time.Millisecond, "POST", "/api/items", "", "", "203.0.113.72", status)
				}
			}
		}, []expectation{{"retry_storm", result.Subject{Type: "client_software", UserAgent: "Mozilla/5.0 (X11; CrOS armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"}, result.Medium, refused("203.0.113.72"), nil}}},
		{"a program with many routes, whose rounds end where they are refused", func(w *world) {
			w.agents["203.0.113.74"] = "node-client/17"
			for at := time.Duration(0); at < 24*time.Hour; at += 20 * time.Minute {
				if at >= 16*time.Hour {
					w.add(at, "GET", "/api/nodes/self", "", "", "203.0.113.74", "401")
					continue
				}
				w.add(at, "GET", "/api/nodes/self", "", "", "203.0.113.74", "200")
				for i := range 9 {
					w.add(at+time.Duration(i+1)*time.Second, "GET", fmt.Sprintf("/api/book%c/list", 'a'+i), "", "", "203.0.113.74", "200")
				}
			}
		}, []expectation{{"integration_failure", client("203.0.113.74", "node-client/17", ""), result.Medium, refused("203.0.113.74"), nil}}},
		{"a scanner", func(w *world) {
			at := 10*time.Hour + w.minutes(60)
			for i := range 150 {
				status, path := "404", fmt.Sprintf("/backup%d.zip", i)
				switch {
				case i%10 == 0:
					path, status = []string{"/api/orders", "/api/users/7", "/app/home", "/api/items", "/app/mail"}[i/10%5], "401"
				case i%7 == 0:
					status = "403"
				}
				w.add(at, "GET", path, "", "", "203.0.113.64", status)
				at += time.Duration(w.r.IntN(5)) * time.Second
			}
		}, []expectation{{"auth_scanner", client("203.0.113.64", "", ""), result.Medium, refused("203.0.113.64"), nil}}},
		{"handshakes, all of them good", (*world).handshakes, nil},
		{"a program that always succeeds, and one that fails now and then", func(w *world) {
			w.poll(0, 24*time.Hour, 3*time.Minute, "/api/orders", "", "203.0.113.65", "200")
			for at := time.Duration(0); at < 24*time.Hour; at += 4 * time.Minute {
				status := "200"
				if w.r.IntN(20) == 0 {
					status = "401"
				}
				w.add(at, "GET", "/api/items", "", "", "203.0.113.66", status)
			}
		}, nil},
		{"a program with a wrong password all day", func(w *world) {
			w.poll(time.Minute, 24*time.Hour, 5*time.Minute, "/app/mail", "backup", "203.0.113.68", "401")
		}, nil},
		{"a crawler", func(w *world) {
			for i := range 300 {
				status, path := "200", fmt.Sprintf("/public/%d", i)
				switch {
				case i%30 == 0:
					status = "404"
				case i%75 == 0:
					path, status = "/app/home", "401"
				}
				w.add(w.minutes(1400), "GET", path, "", "", "203.0.113.67", status)
			}
		}, nil},
	} {
		if testing.Short() && i > 0 {
			break // the others run the same code
		}
		for seed := range trials.Seeds(3) {
			t.Run(fmt.Sprintf("%s/%d", x.name, seed), func(t *testing.T) {
				t.Parallel()
				w := everyday(seed)
				x.add(w)
				_, findings := w.scan(t, 2)
				w.expect(t, findings, x.want)
			})
		}
	}
}

func TestProbes(t *testing.T) {
	for _, x := range []struct {
		agent string
		every time.Duration
		want  result.Severity
	}{{"Prometheus/2.51.0", 15 * time.Second, result.Low}, {"Mozilla/5.0 (compatible; monitor)", 30 * time.Minute, result.Low}, {"kube-probe/1.29", 10 * time.Second, result.Medium}} {
		t.Run(x.agent, func(t *testing.T) {
			w := everyday(1)
			w.agents["10.9.0.1"] = x.agent
			w.poll(time.Minute, 20*time.Hour, x.every, "/api/orders", "", "10.9.0.1", "401")
			_, findings := w.scan(t, 1)
			if len(findings) != 1 || findings[0].Kind != "unauthenticated_probe" || findings[0].Severity != x.want {
				t.Fatalf("found %+v", findings)
			}
			f := &findings[0]
			if f.Subject.ClientAddress != "10.9.0.1" || f.Subject.UserAgent != x.agent {
				t.Errorf("subject %+v", f.Subject)
			}
			period := float64(f.Details.(*Probe).Period)
			if e := x.every.Seconds(); period < 0.95*e || period > 1.2*e+1 {
				t.Errorf("period %v s, want %v", period, e)
			}
		})
	}
}

// TestCheckWithoutCredentials checks that one of the checks of a monitor, which lacks the credentials
// that the other has, is a probe, and no retry storm.
func TestCheckWithoutCredentials(t *testing.T) {
	w := everyday(3)
	w.agents["10.9.0.1"] = "Prometheus/2.51.0"
	w.poll(time.Minute, 20*time.Hour, 15*time.Second, "/metrics", "scrape", "10.9.0.1", "200")
	w.poll(time.Minute+3*time.Second, 20*time.Hour, 15*time.Second, "/node/metrics", "", "10.9.0.1", "401")
	_, findings := w.scan(t, 1)
	if len(findings) != 1 || findings[0].Subject.ClientAddress != "10.9.0.1" {
		t.Fatalf("found %+v", findings)
	}
	if p, ok := findings[0].Details.(*Probe); !ok || !p.Elsewhere || p.Routes != 1 {
		t.Errorf("details %+v", findings[0].Details)
	}
}

// TestStormOfVersion checks that installs of one version on several devices are one retry storm.
func TestStormOfVersion(t *testing.T) {
	w := everyday(3)
	for i := range 6 {
		address := fmt.Sprintf("203.0.113.%d", 80+i)
		w.agents[address] = fmt.Sprintf("ShopApp/4.2.1 (iPhone; iOS 18.%d)", i)
		at := 9*time.Hour + w.minutes(200)
		w.add(at, "POST", "/login", "", "", address, "200")
		for range 5 {
			at += w.minutes(2)
			w.add(at, "GET", "/api/items", "", fmt.Sprint("shop", i), address, "200")
		}
		w.poll(at+time.Hour, at+time.Hour+3*time.Minute, 2*time.Second, "/api/orders", "", address, "401")
		for j := range w.requests {
			if r := &w.requests[j]; r.address == address && r.status == "401" {
				r.session = fmt.Sprint("shop", i)
			}
		}
	}
	_, findings := w.scan(t, 1)
	if len(findings) == 0 || findings[0].Kind != "retry_storm" || findings[0].Subject.UserAgent != "ShopApp/4.2.1" || findings[0].Details.(*RetryStorm).Sessions != 6 {
		t.Errorf("found %+v", findings)
	}
}

// TestStatedProbes checks programs without a pace of which the log states that they send no
// credentials that the server reads, and who is none.
func TestStatedProbes(t *testing.T) {
	bursts := func(w *world, address, reason string, rounds, requests int, paths ...string) {
		for round := range rounds {
			at := time.Duration(round)*2*time.Hour + w.minutes(100)
			for i := range requests {
				w.add(at+time.Duration(i)*300*time.Millisecond, "GET", paths[(round+i)%len(paths)], "", "", address, "401")
				w.requests[len(w.requests)-1].reason = reason
			}
		}
	}
	for _, x := range []struct {
		name string
		add  func(*world)
		want bool
	}{
		{"bursts at no pace", func(w *world) { bursts(w, "10.9.0.1", "no_credentials", 6, 12, "/api/orders") }, true},
		{"several routes", func(w *world) { bursts(w, "10.9.0.1", "no_credentials", 9, 3, "/api/orders", "/api/items") }, true},
		{"nothing is stated", func(w *world) { bursts(w, "10.9.0.1", "", 6, 12, "/api/orders") }, false},
		{"another reason", func(w *world) { bursts(w, "10.9.0.1", "wrong_password", 6, 12, "/api/orders") }, false},
		{"a person who closes the question", func(w *world) { bursts(w, "10.9.0.1", "no_credentials", 5, 2, "/api/orders") }, false},
		{"one burst", func(w *world) { bursts(w, "10.9.0.1", "no_credentials", 1, 60, "/api/orders") }, false},
		{"a client that is accepted in between", func(w *world) {
			bursts(w, "10.9.0.1", "no_credentials", 6, 12, "/api/orders")
			w.poll(time.Minute, 14*time.Hour, 11*time.Minute, "/api/items", "nightly", "10.9.0.1", "200")
		}, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := everyday(2)
			w.agents["10.9.0.1"] = "stock-sync/2.0"
			x.add(w)
			_, findings := w.scan(t, 2)
			found := slices.ContainsFunc(findings, func(f result.Finding) bool {
				d, ok := f.Details.(*Probe)
				return ok && f.Subject.ClientAddress == "10.9.0.1" && d.Stated > 0 && d.Period == 0
			})
			if found != x.want {
				t.Errorf("found %v: %+v", found, findings)
			}
		})
	}
}

// TestProgramsBehindOneAddress checks that devices which share an address, are refused from one
// time on, and sign in in vain each time, have lost their account, and guess none.
func TestProgramsBehindOneAddress(t *testing.T) {
	w := everyday(4)
	w.agents["203.0.113.70"], w.users, w.sessionIDs = "Screen/3.1", false, false
	for i := range 3 {
		at := time.Duration(i) * 40 * time.Second
		w.add(at, "POST", "/login", "", "", "203.0.113.70", "200")
		for ; at < 23*time.Hour; at += 170*time.Second + w.minutes(1)/10 {
			path, status := fmt.Sprintf("/api/list%c", 'a'+w.r.IntN(12)), "200"
			if at > 13*time.Hour {
				status = "401"
				w.add(at+5*time.Second, "POST", "/login", "", "", "203.0.113.70", status)
			}
			w.add(at, "GET", path, "", "", "203.0.113.70", status)
		}
	}
	_, findings := w.scan(t, 2)
	if len(findings) != 1 || findings[0].Kind != "integration_failure" || findings[0].Subject.ClientAddress != "203.0.113.70" {
		t.Errorf("found %+v", findings)
	}
}

// TestInsiders checks programs inside the network that were never accepted, at no pace.
func TestInsiders(t *testing.T) {
	send := func(w *world, address, path string) {
		for round := range 30 {
			at := time.Duration(round)*20*time.Minute + w.minutes(19)
			w.add(at, "POST", path, "", "", address, "401")
			w.add(at+5*time.Second, "POST", path, "", "", address, "401")
		}
	}
	for _, x := range []struct {
		name, agent, address, path string
		want                       bool
	}{
		{"a program with the credentials of another environment", "deploy-agent/2.0", "10.9.0.1", "/api/orders", true},
		{"no user agent", "", "10.9.0.1", "/api/orders", true},
		{"from outside, where it may guess", "deploy-agent/2.0", "203.0.113.71", "/api/orders", false},
		{"at a route that signs in", "deploy-agent/2.0", "10.9.0.1", "/login", false},
		{"a browser", "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "10.9.0.1", "/api/orders", false},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := everyday(2)
			w.agents[x.address] = x.agent
			send(w, x.address, x.path)
			_, findings := w.scan(t, 2)
			found := slices.ContainsFunc(findings, func(f result.Finding) bool {
				d, ok := f.Details.(*Probe)
				return ok && f.Subject.ClientAddress == x.address && d.Inside
			})
			if found != x.want {
				t.Errorf("found %v: %+v", found, findings)
			}
		})
	}
}

// TestRetryingAppIsNoAttack checks that an app that repeats a refused sign-in at a
// steady pace after it was accepted is not an attack, even if the log names no users.
func TestRetryingAppIsNoAttack(t *testing.T) {
	for seed := range trials.Seeds(3) {
		w := everyday(seed)
		w.agents["203.0.113.69"] = "ExampleApp/4"
		for at := 8 * time.Hour; at < 14*time.Hour; at += 20*time.Minute + w.minutes(60) {
			w.add(at, "POST", "/oauth/token", "", "", "203.0.113.69", "200")
			for i := range 12 {
				w.add(at+w.minutes(20), "GET", fmt.Sprintf("/api/part%c/list", 'a'+i), "", "", "203.0.113.69", "200")
			}
		}
		for i := range 400 {
			w.add(15*time.Hour+time.Duration(i)*15*time.Second, "POST", "/oauth/token", "", "", "203.0.113.69", "401")
		}
		_, findings := w.scan(t, 1)
		for _, f := range findings {
			if f.Category == "attack" || f.Kind == "integration_failure" {
				t.Errorf("found %s of %+v", f.Kind, f.Subject)
			}
		}
	}
}
