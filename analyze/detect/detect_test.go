package detect

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"logscan/analyze/policy"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/fixtures/trials"
	"logscan/parse"
)

// world simulates a small site for a day, with random numbers from a seed. Tests set
// its faults.
type world struct {
	r        *rand.Rand
	requests []request

	sessionIDs bool          // the log has session ids
	users      bool          // the log names signed-in users
	idle       time.Duration // idle timeout of sessions
	absolute   time.Duration // maximum age of sessions
	broken     string        // path that everybody is refused on
	brokenFrom time.Duration
	locked     map[string]time.Duration // by user: when the account is locked
	agents     map[string]string        // by address: user agents other than the browser's
	upstream   func(*request) string    // backend that answers; nil if the log names none
	server     func(r *request) int     // index of the server whose log a request stands in; nil for one server
	hosts      map[string]string        // by prefix of the path: hosts other than www.example.org
}

type request struct {
	at                                           time.Duration // since the day began
	method, path, user, session, address, status string
	reason, scheme                               string
}

var day = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)

func (w *world) add(at time.Duration, method, path, user, session, address, status string) {
	if !w.sessionIDs {
		session = ""
	}
	if !w.users {
		user = ""
	}
	if len(w.requests) == cap(w.requests) { // append alone grows a long slice by a quarter
		w.requests = slices.Grow(w.requests, len(w.requests)+1000)
	}
	w.requests = append(w.requests, request{
		at: at.Truncate(time.Second), method: method, path: path, user: user, session: session, address: address, status: status,
	})
}

// person adds the requests of a person's day: pages of a few calls, and pauses of all
// lengths.
func (w *world) person(n int) {
	user, address := fmt.Sprintf("user%d", n), fmt.Sprintf("10.0.%d.%d", n/250, n%250)
	now := time.Duration(w.r.Int64N(int64(4 * time.Hour)))
	end := 24 * time.Hour
	session, started, last, open := "", time.Duration(0), time.Duration(0), false
	for now < end {
		if !open {
			if at, ok := w.locked[user]; ok && now >= at {
				for range 1 + w.r.IntN(3) {
					w.add(now, "POST", "/login", user, "", address, "401")
					now += time.Duration(5+w.r.IntN(20)) * time.Second
				}
				now += time.Duration(10+w.r.IntN(50)) * time.Minute
				continue
			}
			if w.r.IntN(12) == 0 { // a mistyped password
				w.add(now, "POST", "/login", "", "", address, "401")
				now += 8 * time.Second
			}
			w.add(now, "POST", "/login", "", "", address, "302")
			session, started, last, open = fmt.Sprintf("s%d-%d", n, now), now, now, true
			now += 2 * time.Second
		}
		at, locked := w.locked[user]
		dead := w.idle > 0 && now-last > w.idle || w.absolute > 0 && now-started > w.absolute || locked && now >= at
		for range 2 + w.r.IntN(3) {
			path := []string{"/api/orders", "/api/users/123", "/app/home", "/api/items", "/app/mail"}[w.r.IntN(5)]
			status := "200"
			if dead || path == w.broken && now >= w.brokenFrom {
				status = "401"
			}
			w.add(now, "GET", path, user, session, address, status)
		}
		w.add(now, "GET", "/static/app.js", user, session, address, "200")
		if dead {
			open = false
			now += time.Duration(5+w.r.IntN(40)) * time.Second
			continue
		}
		last = now
		pause := 30 * math.Exp(w.r.NormFloat64()*1.3) // seconds between pages
		if w.r.IntN(15) == 0 {
			pause = 300 * math.Pow(36, w.r.Float64()) // 5 min to 3 h
		}
		now += time.Duration(pause * float64(time.Second))
		if w.r.IntN(150) == 0 {
			w.add(now, "POST", "/logout", user, session, address, "302")
			open = false
			now += time.Duration(w.r.IntN(60)) * time.Minute
		}
	}
}

// noise adds what every site has: refused crawlers and missing pages.
func (w *world) noise() {
	for i := range 60 {
		at := time.Duration(w.r.Int64N(int64(24 * time.Hour)))
		address := fmt.Sprintf("192.0.2.%d", i)
		w.add(at, "GET", "/app/home", "", "", address, "401")
		w.add(at+time.Second, "GET", "/nothing", "", "", address, "404")
		w.add(at+2*time.Second, "GET", "/", "", "", address, "200")
	}
}

// handshakes adds successful handshakes of Basic authentication, git and a container
// registry.
func (w *world) handshakes() {
	for i := range 40 {
		address, user := fmt.Sprintf("198.51.100.%d", i), fmt.Sprintf("ci%d", i%4)
		for now := time.Duration(w.r.Int64N(int64(time.Hour))); now < 24*time.Hour; now += time.Duration(10+w.r.IntN(60)) * time.Minute {
			switch i % 3 {
			case 0:
				w.add(now, "GET", "/repo.git/info/refs", "", "", address, "401")
				w.add(now, "GET", "/repo.git/info/refs", user, "", address, "200")
				w.add(now+time.Second, "POST", "/repo.git/git-upload-pack", user, "", address, "200")
			case 1:
				w.add(now, "GET", "/v2/", "", "", address, "401")
				w.add(now, "GET", "/token", "", "", address, "200")
				w.add(now+time.Second, "GET", "/v2/lib/app/manifests/latest", "", "", address, "200")
				w.add(now+2*time.Second, "GET", "/v2/lib/app/manifests/latest", "", "", address, "200")
			case 2:
				w.add(now, "GET", "/report", "", "", address, "401")
				w.add(now, "GET", "/report", user, "", address, "200")
			}
		}
	}
}

// scan passes the requests to workers, and returns the evidence and the findings.
func (w *world) scan(t *testing.T, workers int) (*session.Evidence, []result.Finding) {
	t.Helper()
	c := w.correlate(t, workers)
	return c, findingsOf(t, newDiagnosis(c))
}

// findingsOf returns the findings of a diagnosis.
func findingsOf(t *testing.T, d *Diagnosis) []result.Finding {
	t.Helper()
	if err := d.observeAll(context.Background()); err != nil {
		t.Fatal(err)
	}
	x, err := d.Explain(&policy.Policy{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return x.Findings
}

// correlate passes the requests to workers, and returns the evidence.
func (w *world) correlate(t *testing.T, workers int) *session.Evidence {
	t.Helper()
	parts := make([]*timeline.Worker, workers)
	for i := range parts {
		parts[i] = timeline.NewWorker(w.r.Uint64(), 2)
	}
	if workers > 1 {
		seed := w.r.Uint64()
		for i := range parts {
			parts[i] = timeline.NewWorker(seed, 2)
		}
	}
	if w.server != nil {
		for i := range parts {
			parts[i].SetServers([]string{"web1", "web2"}, []uint8{1, 2})
		}
	}
	for i := range w.requests {
		r := &w.requests[i]
		input := 0
		if w.server != nil {
			input = w.server(r)
		}
		var e parse.Entry
		e.Reset()
		e.Time = day.Add(r.at).UnixMicro()
		status, err := strconv.Atoi(r.status)
		if err != nil {
			t.Fatal(err)
		}
		e.Status = int32(status)
		e.Method, e.Path, e.Host = []byte(r.method), []byte(r.path), []byte(w.hostOf(r.path))
		e.User, e.Session, e.Client, e.UserAgent = []byte(r.user), []byte(r.session), []byte(r.address), []byte(cmp.Or(w.agents[r.address], "Mozilla/5.0"))
		if w.upstream != nil {
			e.Upstream = []byte(w.upstream(r))
		}
		e.Reason, e.Scheme = []byte(r.reason), []byte(r.scheme)
		parts[w.r.IntN(workers)].Entry(input, int64(i), &e, []byte(r.path))
	}
	state, err := timeline.Merge(parts)
	if err != nil {
		t.Fatal(err)
	}
	c, err := session.Correlate(context.Background(), state, workers, spill.Memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) hostOf(path string) string {
	for prefix, host := range w.hosts {
		if strings.HasPrefix(path, prefix) {
			return host
		}
	}
	return "www.example.org"
}

func newWorld(seed uint64) *world {
	return &world{r: rand.New(rand.NewPCG(seed, 11)), locked: map[string]time.Duration{}, agents: map[string]string{}}
}

func (w *world) run(people int) {
	for n := range people {
		w.person(n)
	}
	w.noise()
}

// want checks that the kinds of the findings of medium severity or above are exactly
// these, and returns those findings.
func want(t *testing.T, findings []result.Finding, kinds ...string) []result.Finding {
	t.Helper()
	var notable []result.Finding
	for _, f := range findings {
		if f.Severity >= result.Medium {
			notable = append(notable, f)
		}
	}
	ok := len(notable) == len(kinds)
	for i := range notable {
		ok = ok && notable[i].Kind == kinds[i]
	}
	if !ok {
		t.Errorf("want findings %q, got:", kinds)
		for _, f := range findings {
			t.Logf("  %v %s %+v: %s %v", f.Severity, f.Kind, f.Subject, f.Title, f.Details)
		}
		t.FailNow()
	}
	return notable
}

// variants runs a test on logs with and without session ids and user names.
func variants(t *testing.T, test func(t *testing.T, w *world)) {
	for _, v := range []struct {
		name            string
		sessions, users bool
	}{{"sessions", true, true}, {"clients", false, false}} {
		if testing.Short() && !v.sessions {
			continue // for the race detector, one world is as good as two
		}
		for seed := range trials.Seeds(3) {
			t.Run(fmt.Sprintf("%s/%d", v.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(seed)
				w.sessionIDs, w.users = v.sessions, v.users
				test(t, w)
			})
		}
	}
}

func TestCleanSiteHasNoFinding(t *testing.T) {
	variants(t, func(t *testing.T, w *world) {
		w.run(60)
		c, findings := w.scan(t, 1)
		want(t, findings)
		for i := range c.Refusals.Len() {
			if f := c.Refusals.At(i); f.Cause == session.Unexplained {
				t.Errorf("unexplained: %+v on %s", f, c.State.Endpoints[f.Endpoint].Template)
			}
		}
	})
}

func TestHandshakesAreChallenges(t *testing.T) {
	variants(t, func(t *testing.T, w *world) {
		w.handshakes()
		c, findings := w.scan(t, 1)
		want(t, findings)
		for i := range c.Refusals.Len() {
			if f := c.Refusals.At(i); f.Cause != session.Challenge {
				t.Errorf("%s at %d: cause %v, want challenge", c.State.Endpoints[f.Endpoint].Template, f.Time, f.Cause)
			}
		}
	})
}

func TestIdleTimeout(t *testing.T) {
	variants(t, func(t *testing.T, w *world) {
		w.idle = 30 * time.Minute
		w.run(60)
		_, findings := w.scan(t, 1)
		d := want(t, findings, "session_expiry")[0].Details.(*Expiry)
		if d.Policy != "idle" || math.Abs(float64(d.Timeout)-1800) > 0.05*1800 || d.Low > 1800 || d.High < 1800 {
			t.Errorf("%+v, want idle after 1800 s ± 5%%, within the interval", d)
		}
	})
}

func TestAbsoluteTimeout(t *testing.T) {
	variants(t, func(t *testing.T, w *world) {
		w.absolute = 2 * time.Hour
		w.run(60)
		_, findings := w.scan(t, 1)
		d := want(t, findings, "session_expiry")[0].Details.(*Expiry)
		if d.Policy != "absolute" || math.Abs(float64(d.Timeout)-7200) > 0.05*7200 {
			t.Errorf("%+v, want absolute after 7200 s ± 5%%", d)
		}
	})
}

func TestBrokenEndpoint(t *testing.T) {
	variants(t, func(t *testing.T, w *world) {
		w.broken, w.brokenFrom = "/api/items", 14*time.Hour+5*time.Minute
		w.run(60)
		_, findings := w.scan(t, 1)
		f := want(t, findings, "endpoint_misconfigured")[0]
		if f.Subject.Route != "/api/items" || f.Subject.Method != "GET" {
			t.Errorf("unexpected subject %+v", f.Subject)
		}
		if off := time.UnixMicro(f.Onset).Sub(day.Add(w.brokenFrom)).Abs(); off > 2*time.Minute {
			t.Errorf("onset is off by %v", off)
		}
		refused := 0
		for _, r := range w.requests {
			if r.path == "/api/items" && r.status == "401" {
				refused++
			}
		}
		if n := f.Unauthorized; n < int64(refused)*95/100 || n > int64(refused) {
			t.Errorf("the finding explains %d of %d refusals", n, refused)
		}
	})
}

func TestLockedAccounts(t *testing.T) {
	for seed := range trials.Seeds(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(seed)
			w.sessionIDs, w.users = true, true
			w.locked = map[string]time.Duration{"user3": 11 * time.Hour, "user40": 15 * time.Hour}
			w.run(60)
			_, findings := w.scan(t, 1)
			for _, f := range want(t, findings, "account_failure", "account_failure") {
				at, ok := w.locked[f.Subject.User]
				if !ok {
					t.Errorf("found user %q, whose account is not locked", f.Subject.User)
				}
				if off := time.UnixMicro(f.Onset).Sub(day.Add(at)); off < 0 || off > 3*time.Hour {
					t.Errorf("onset of %s is off by %v", f.Subject.User, off)
				}
			}
		})
	}
}

func TestThreeTroublesAtOnce(t *testing.T) {
	w := newWorld(1)
	w.sessionIDs, w.users = true, true
	w.idle, w.broken, w.brokenFrom = 30*time.Minute, "/api/items", 14*time.Hour
	w.locked = map[string]time.Duration{"user3": 11 * time.Hour}
	w.run(150)
	_, findings := w.scan(t, 3)
	kinds := map[string]int{}
	for _, f := range findings {
		if f.Severity >= result.Medium {
			kinds[f.Kind]++
		}
	}
	if fmt.Sprint(kinds) != "map[account_failure:1 endpoint_misconfigured:1 session_expiry:1]" {
		for _, f := range findings {
			t.Logf("  %v %s %+v: %s %v", f.Severity, f.Kind, f.Subject, f.Title, f.Details)
		}
		t.Errorf("found kinds %v", kinds)
	}
}
