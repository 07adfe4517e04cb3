package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
)

// tenants puts the people of a world on three tenants, by the path.
func (w *world) tenants(names ...string) {
	for i := range w.requests {
		r := &w.requests[i]
		n := int(r.address[len(r.address)-1]-'0') % len(names)
		if strings.HasPrefix(r.address, "10.") {
			r.path = names[n] + r.path
		}
	}
}

// TestTenantOutage checks that a tenant whose people are all refused, in the pages, the
// calls and the sign-in, is told as an outage of it, not of single routes or accounts.
func TestTenantOutage(t *testing.T) {
	for _, tt := range []struct {
		tenant   string
		from, to time.Duration
	}{
		{"/acme", 13 * time.Hour, 14*time.Hour + 30*time.Minute},
		{"/customers/north", 10 * time.Hour, 18 * time.Hour},
	} {
		for _, named := range []bool{true, false} {
			t.Run(fmt.Sprint(tt.tenant, named), func(t *testing.T) {
				w := newWorld(7)
				w.sessionIDs, w.users = named, named
				w.run(60)
				w.tenants(tt.tenant, "/blue", "/oak7")
				n := w.refuse(tt.from, tt.to, func(r *request) bool {
					return strings.HasPrefix(r.path, tt.tenant+"/") && !strings.Contains(r.path, "/static/")
				})
				_, findings := w.scan(t, 2)
				explained := int64(0)
				for _, f := range findings {
					switch {
					case f.Severity < result.Medium:
					case f.Kind != "authentication_outage" || !strings.HasPrefix(f.Subject.Route, tt.tenant):
						t.Errorf("got %s %+v", f.Kind, f.Subject)
					default:
						explained += f.Unauthorized
					}
				}
				if explained < n*9/10 {
					t.Errorf("%d of %d 401s are explained", explained, n)
				}
			})
		}
	}
}

// TestPartThatRefuses checks that a path which refuses people whom the rest of the site
// accepts meanwhile is no outage.
func TestPartThatRefuses(t *testing.T) {
	w := newWorld(8)
	w.sessionIDs, w.users = true, true
	w.run(60)
	w.refuse(11*time.Hour, 15*time.Hour, func(r *request) bool { return strings.HasPrefix(r.path, "/app/") })
	_, findings := w.scan(t, 1)
	for _, f := range findings {
		if f.Kind == "authentication_outage" && f.Severity >= result.Medium {
			t.Errorf("got %+v %+v", f.Subject, f.Details)
		}
	}
}

// TestStrangersAreNoOutage checks that a flood of strangers at a sign-in is no outage of
// it, though next to nobody else is there at night.
func TestStrangersAreNoOutage(t *testing.T) {
	w := newWorld(9)
	w.sessionIDs, w.users = true, true
	w.run(40)
	night := w.requests[:0]
	for _, r := range w.requests {
		if r.at < 18*time.Hour || r.at >= 22*time.Hour {
			night = append(night, r)
		}
	}
	w.requests = night
	for i := range 600 {
		w.add(18*time.Hour+w.minutes(239), "POST", "/login", "", "", fmt.Sprintf("203.0.113.%d", i%120), "401")
	}
	_, findings := w.scan(t, 1)
	for _, f := range findings {
		if f.Kind == "authentication_outage" {
			t.Errorf("got %+v %+v", f.Subject, f.Details)
		}
	}
}

// TestServerWithItsOwnPeople checks that a server that refuses everybody is found where
// people always reach the same server, so that nobody is accepted elsewhere, and that
// nobody is told to guess meanwhile; from some time on, or all the time.
func TestServerWithItsOwnPeople(t *testing.T) {
	for _, x := range []struct {
		from     time.Duration
		sessions bool
		people   int
	}{{13 * time.Hour, true, 60}, {13 * time.Hour, false, 60}, {0, false, 60}, {13 * time.Hour, false, 10}} {
		t.Run(fmt.Sprintf("from %v, sessions %v, people %d", x.from, x.sessions, x.people), func(t *testing.T) {
			t.Parallel()
			w := newWorld(11)
			w.users, w.sessionIDs = true, x.sessions
			w.server = func(r *request) int {
				n := 0
				for _, c := range r.address {
					n += int(c)
				}
				return n % 2
			}
			w.run(x.people)
			w.refuse(x.from, 24*time.Hour, func(r *request) bool { return w.server(r) == 1 && r.status[0] < '4' })
			_, findings := w.scan(t, 2)
			f := want(t, findings, "upstream_misconfigured")[0]
			if f.Subject != (result.Subject{Type: "server", Server: "web2"}) {
				t.Errorf("found %+v", f.Subject)
			}
			if off := time.UnixMicro(f.Onset).Sub(day.Add(x.from)); x.from > 0 && (off < 0 || off > 20*time.Minute) {
				t.Errorf("onset is off by %v", off)
			}
		})
	}
}

// TestNarrowestPath checks that the path which is named accepts nobody, and is not one that has other
// pages as well, which are open to everybody.
func TestNarrowestPath(t *testing.T) {
	w := newWorld(5)
	w.users = true
	for i := range 40 {
		address, user := fmt.Sprintf("203.0.113.%d", i), fmt.Sprint("writer", i)
		for at := 8*time.Hour + w.minutes(60); at < 18*time.Hour; at += time.Minute + w.minutes(8) {
			path, status := "/blog/api/"+[]string{"posts", "media", "users"}[w.r.IntN(3)], "200"
			if at > 13*time.Hour {
				status = "401"
			}
			w.add(at, "GET", path, user, "", address, status)
			w.add(at, "GET", "/blog/news", "", "", address, "200")
			other := fmt.Sprintf("198.51.100.%d", i) // whose program answers challenges
			w.add(at, "PROPFIND", "/files/docs", "", "", other, "401")
			w.add(at+time.Second, "PROPFIND", "/files/docs", fmt.Sprint("reader", i), other, other, "207")
		}
	}
	_, findings := w.scan(t, 1)
	if len(findings) != 1 || findings[0].Subject.Route != "/blog/api/" {
		t.Errorf("found %+v", findings)
	}
}
