package analyze

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
)

const (
	chromeAgent  = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
	firefoxAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
)

// kindsOf returns the kinds of the findings of a severity or above.
func kindsOf(res *result.Result, least result.Severity) (kinds []string) {
	for i := range res.Findings {
		if f := &res.Findings[i]; f.Severity >= least {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

// TestSmallLogs checks logs of a few people or programs, with what is found and what is
// ordinary. ordinary is a cause that all refusals have, or empty.
func TestSmallLogs(t *testing.T) {
	for _, x := range []struct {
		name     string
		write    func(w *written, r *rand.Rand)
		kinds    []string
		ordinary string
	}{
		{"seven people, one route of five is broken after noon", func(w *written, r *rand.Rand) {
			for i := range 7 {
				at := 7*time.Hour + time.Duration(r.IntN(3600))*time.Second
				client := fmt.Sprintf("198.51.100.%d", i)
				w.at(at, client, "-", "POST /enter/login", 302, chromeAgent)
				for at += time.Second; at < 17*time.Hour; at += time.Duration(200+r.IntN(900)) * time.Second {
					path, status := []string{"/desk", "/desk/mails", "/stock", "/stock/items", "/stock/export"}[r.IntN(5)], 200
					if path == "/stock/export" && at > 12*time.Hour {
						status = 401
					}
					w.at(at, client, "-", "GET "+path, status, chromeAgent)
				}
			}
		}, []string{"endpoint_misconfigured"}, ""},
		{"webhooks of six addresses, whose secret was changed at noon", func(w *written, r *rand.Rand) {
			for at := time.Duration(0); at < 24*time.Hour; at += time.Duration(20+r.IntN(200)) * time.Second {
				status := 200
				if at > 12*time.Hour {
					status = 401
				}
				w.at(at, fmt.Sprintf("198.51.100.%d", r.IntN(6)), "-", "POST /hooks/paid", status, "PayHooks/1.0")
			}
		}, []string{"integration_failure"}, ""},
		{"a program with one token for six routes, which is revoked at noon", func(w *written, _ *rand.Rand) {
			for i := range 24 * 60 {
				status := 200
				if i > 720 {
					status = 401
				}
				for k := range 6 {
					w.at(time.Duration(i)*time.Minute+time.Duration(k)*7*time.Second, "192.0.2.9", "-", fmt.Sprintf("GET /%c/metrics", 'a'+k), status, "Prometheus/2.51.0")
				}
			}
		}, []string{"integration_failure"}, ""},
		{"somebody outside sends a wrong password every hour", func(w *written, r *rand.Rand) {
			for i := range 22 {
				w.at(time.Duration(i)*time.Hour+time.Duration(r.IntN(60))*time.Second, "198.51.100.7", "admin", "GET /wiki/", 401, "curl/8.5.0")
			}
			for i := range 200 {
				w.at(time.Duration(i)*5*time.Minute, "192.0.2.20", "mia", "GET /wiki/", 200, firefoxAgent)
			}
		}, nil, "unexplained"},
		{"a load test with good and bad tokens in turn", func(w *written, r *rand.Rand) {
			for i := range 900 {
				w.at(12*time.Hour+time.Duration(i)*130*time.Millisecond, "192.0.2.8", "-", fmt.Sprintf("GET /prices/%d", 100+r.IntN(50)), 200+201*(i%2), "k6/0.49.0")
			}
		}, nil, "unexplained"},
		{"a program is stopped for the rest of each minute", func(w *written, r *rand.Rand) {
			for i := range 20 * 90 {
				status := 200
				if i%90 >= 60 {
					status = 401
				}
				w.at(time.Duration(i/90)*time.Minute+time.Duration(i%90)*650*time.Millisecond, "192.0.2.8", "-", "GET /rows", status, "exporter/3")
			}
			for i := range 300 {
				w.at(time.Duration(i)*20*time.Second, fmt.Sprintf("192.0.2.%d", 20+i%6), "-", "GET /rows", 200, "reader/1")
			}
		}, nil, "unexplained"},
		{"tokens are renewed within the same second", func(w *written, r *rand.Rand) {
			for i := range 14 {
				client, at := fmt.Sprintf("198.51.100.%d", i), time.Duration(i)*7*time.Minute
				w.at(at, client, "-", "POST /users/login", 200, firefoxAgent)
				for k := range 120 {
					at += time.Duration(30+r.IntN(30)) * time.Second
					if k%16 == 15 {
						w.at(at, client, "-", "GET /boards", 401, firefoxAgent)
						w.at(at, client, "-", "GET /alerts", 401, firefoxAgent)
						w.at(at, client, "-", "POST /users/refresh", 200, firefoxAgent)
					}
					w.at(at, client, "-", "GET /boards", 200, firefoxAgent)
					w.at(at, client, "-", "GET /alerts", 200, firefoxAgent)
				}
			}
		}, nil, "session_end"},
		{"somebody types the password at a box, wrongly at times", func(w *written, r *rand.Rand) {
			for i := range 8 {
				at := time.Duration(i) * 65 * time.Minute
				w.at(at, "203.0.113.4", "-", "GET /wiki/", 401, chromeAgent)
				if i%3 == 1 {
					at += 11 * time.Second
					w.at(at, "203.0.113.4", "rosa", "GET /wiki/", 401, chromeAgent)
				}
				w.at(at+time.Duration(8+r.IntN(20))*time.Second, "203.0.113.4", "rosa", "GET /wiki/", 200, chromeAgent)
				for k := range 6 {
					w.at(at+time.Duration(40+30*k)*time.Second, "203.0.113.4", "rosa", fmt.Sprintf("GET /wiki/page%d", k%3), 200, chromeAgent)
				}
			}
		}, nil, "challenge"},
		{"a page that was left open polls, whose other routes are public by all that is known", func(w *written, r *rand.Rand) {
			for i := range 5 {
				for k := range 60 {
					w.at(time.Duration(k)*4*time.Minute, fmt.Sprintf("10.1.0.%d", i), "-", []string{"GET /live", "POST /query"}[k%2], 200, chromeAgent)
				}
			}
			for k := range 6 {
				w.at(time.Duration(k)*time.Minute, "10.1.0.9", "-", "POST /query", 200, firefoxAgent)
			}
			for at := 6 * time.Minute; at < 4*time.Hour; at += time.Duration(5+r.IntN(8)) * time.Second {
				w.at(at, "10.1.0.9", "-", "GET /live", 401, firefoxAgent)
			}
		}, []string{"retry_storm"}, ""},
		{"an agent whose registration was deleted asks for work", func(w *written, r *rand.Rand) {
			for i := range 3 {
				for k := range 500 {
					w.at(time.Duration(k)*5*time.Second, fmt.Sprintf("10.2.0.%d", i), "-", "POST /work/next", 204, "agent/2.4")
				}
			}
			for k := range 800 {
				w.at(time.Duration(k)*3*time.Second, "10.2.0.9", "-", "POST /work/next", 401, "agent/2.4")
			}
		}, []string{"unauthenticated_probe"}, ""},
		{"a program named in the log, whose password was changed, asks more often than before", func(w *written, r *rand.Rand) {
			for at := time.Duration(0); at < 3*time.Hour; {
				path := []string{"/nodes", "/tasks", "/state"}[r.IntN(3)]
				if at < 2*time.Hour {
					w.at(at, "10.3.0.4", "board", "GET "+path, 200, "Board/8.1")
					at += 12 * time.Second
				} else {
					w.at(at, "10.3.0.4", "board", "GET "+path, 401, "Board/8.1")
					at += 3 * time.Second
				}
			}
			for k := range 500 {
				w.at(time.Duration(k)*20*time.Second, fmt.Sprintf("10.3.0.%d", 10+k%3), "writer", "POST /bulk", 200, "writer/1")
			}
		}, []string{"integration_failure"}, ""},
	} {
		for seed := range uint64(2) {
			var w written
			x.write(&w, rand.New(rand.NewPCG(seed, 1)))
			res := w.run(t)
			if kinds := kindsOf(res, result.Low); !slices.Equal(kinds, x.kinds) {
				t.Errorf("%s: found %v, want %v; causes %v", x.name, kinds, x.kinds, res.Causes)
			}
			total := res.Totals.Unauthorized
			if x.ordinary != "" && res.Causes[x.ordinary]+res.Causes["login_failure"] != total {
				t.Errorf("%s: %v, want all %d %s", x.name, res.Causes, total, x.ordinary)
			}
		}
	}
}

// TestRenewalsInVain checks that a program that is refused a new token on and on is not
// ordinary.
func TestRenewalsInVain(t *testing.T) {
	var w written
	w.people(20, "/signin")
	for k := range 150 {
		w.at(2*time.Hour+time.Duration(k*7+k*k%5)*time.Second, "203.0.113.200", "ida", "POST /session/renew", 401, "helper/1")
	}
	if res := w.run(t); res.Causes["token_renewal"] > 0 {
		t.Errorf("refused renewals look ordinary: %v", res.Causes)
	}
}

// TestSignInsThatDoNotLast checks that a client that signs in over and over, and is refused
// at once each time, is no anonymous visitor, with a callback or a form.
func TestSignInsThatDoNotLast(t *testing.T) {
	for _, signIn := range []string{"GET /cb?code=%d&state=s", "POST /logon?%d"} {
		var w written
		for i := range 16 {
			client, at := fmt.Sprintf("203.0.113.%d", i), time.Duration(i)*9*time.Minute
			w.at(at, client, "-", "GET /room", 401, chromeAgent)
			w.at(at+5*time.Second, client, "-", fmt.Sprintf(signIn, i), 302, chromeAgent)
			for k := range 8 {
				w.at(at+time.Duration(6+40*k)*time.Second, client, "-", []string{"GET /room", "GET /room/list"}[k%2], 200, chromeAgent)
			}
		}
		for k := range 30 {
			at := time.Hour + time.Duration(k*17)*time.Second
			w.at(at, "203.0.113.99", "-", "GET /room", 401, firefoxAgent)
			w.at(at+3*time.Second, "203.0.113.99", "-", fmt.Sprintf(signIn, 100+k), 302, firefoxAgent)
		}
		res := w.run(t)
		found := int64(0)
		for i := range res.Findings {
			found += res.Findings[i].Unauthorized
		}
		if n := res.Totals.Unexplained + found; n < 20 {
			t.Errorf("%s: %d of %d are told: %v", signIn, n, res.Totals.Unauthorized, res.Causes)
		}
	}
}

// TestScannerOfClosedSite checks that a client that walks many paths of a site which refuses
// everybody without a password is a scanner, whatever address of its /64 it uses, and that
// a crawler of a few pages is none.
func TestScannerOfClosedSite(t *testing.T) {
	for _, address := range []string{"192.0.2.66", "2001:db8:5:9::%x"} {
		scanClosedSite(t, address)
	}
}

func scanClosedSite(t *testing.T, address string) {
	var w written
	from := func(k int) string {
		if strings.Contains(address, "%") {
			return fmt.Sprintf(address, 1+k)
		}
		return address
	}
	for i := range 4 {
		for k := range 80 {
			w.at(time.Duration(k)*3*time.Minute, fmt.Sprintf("203.0.113.%d", i), "team", fmt.Sprintf("GET /board/%c", 'a'+k%7), 200, chromeAgent)
		}
	}
	for k := range 60 {
		w.at(time.Hour+time.Duration(k*k%97)*time.Second, from(k), "-", fmt.Sprintf("GET /%s/%c%c.php", []string{"old", "new", "tmp"}[k%3], 'a'+k%26, 'a'+k/26), 401, "walker/1")
	}
	for k := range 8 {
		w.at(time.Duration(k)*23*time.Minute, "192.0.2.7", "-", fmt.Sprintf("GET /board/%c", 'a'+k%7), 401, "Mozilla/5.0 (compatible; crawler/2)")
	}
	res := w.run(t)
	if kinds := kindsOf(res, result.Low); !slices.Equal(kinds, []string{"auth_scanner"}) || res.Causes["auth_scanner"] != 60 {
		t.Errorf("found %v, causes %v", kinds, res.Causes)
	}
}
