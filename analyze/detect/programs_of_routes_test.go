package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
)

// TestRouteOfPrograms checks that programs which a route refuses together with everybody else
// are not reported beside the route.
func TestRouteOfPrograms(t *testing.T) {
	w := newWorld(12)
	w.run(25)
	for i := range 24 {
		address := fmt.Sprintf("10.44.0.%d", i)
		w.agents[address] = []string{"DeskMail/16.2", "Lark/115"}[i%2]
		for at := w.minutes(20); at < 24*time.Hour; at += 8 * time.Minute {
			if i%2 == 0 {
				at += w.minutes(30) // no pace
			}
			status := "200"
			if at > 13*time.Hour {
				status = "401"
			}
			w.add(at, "POST", "/mail/exchange", "", "", address, status)
		}
	}
	_, findings := w.scan(t, 1)
	for _, f := range findings {
		if f.Severity >= result.Medium && f.Kind != "endpoint_misconfigured" {
			t.Errorf("unexpected finding: %v %s %+v of %d 401s: %+v", f.Severity, f.Kind, f.Subject, f.Unauthorized, f.Details)
		}
	}
}

// TestProgramAtBackend checks that a program which always comes to a backend that refuses
// everybody is not reported beside the backend.
func TestProgramAtBackend(t *testing.T) {
	w := newWorld(14)
	w.sessionIDs = true
	w.run(60)
	const job = "10.48.0.7"
	w.agents[job] = "nightjob/1.9"
	for at := w.minutes(10); at < 24*time.Hour; at += 10 * time.Minute {
		w.add(at, "GET", "/api/rows", "robot", "", job, "200")
	}
	places := map[request]int{}
	w.upstream = func(r *request) string { return fmt.Sprintf("10.1.1.%d:80", places[*r]) }
	for i := range w.requests {
		r := &w.requests[i]
		place := w.r.IntN(3)
		if r.address == job {
			place = 2
		}
		if place == 2 && r.at > 13*time.Hour && r.status == "200" && !strings.HasPrefix(r.path, "/static") {
			r.status = "401"
		}
		places[*r] = place
	}
	_, findings := w.scan(t, 1)
	for _, f := range findings {
		if f.Severity >= result.Medium && f.Kind != upstreamMisconfigured.Name {
			t.Errorf("unexpected finding: %v %s %+v of %d 401s", f.Severity, f.Kind, f.Subject, f.Unauthorized)
		}
	}
	want(t, findings, upstreamMisconfigured.Name)
}

// TestProgramsThatFailTogether checks that the addresses of one program are one finding, and
// that a program which is soon accepted again is no alarm.
func TestProgramsThatFailTogether(t *testing.T) {
	w := newWorld(13)
	w.run(20)
	for _, address := range []string{"10.45.0.4", "10.46.0.5"} {
		w.agents[address] = "nightjob/1.9"
		for d := range 6 {
			at := time.Duration(d)*24*time.Hour + 2*time.Hour
			for range 30 {
				status := "202"
				if d >= 4 {
					status = "401"
				}
				w.add(at, "POST", "/import/rows", "", "", address, status)
				at += time.Duration(2+w.r.IntN(4)) * time.Second
			}
		}
	}
	w.agents["10.47.0.6"] = "phonesync/3"
	for at := w.minutes(10); at < 144*time.Hour; at += 12 * time.Minute {
		status := "200"
		if at > 30*time.Hour && at < 30*time.Hour+45*time.Minute {
			status = "401"
		}
		w.add(at, "POST", "/sync", "", "", "10.47.0.6", status)
	}
	_, findings := w.scan(t, 1)
	loud := 0
	for _, f := range findings {
		if f.Kind == integrationFailure.Name && f.Severity >= result.Medium {
			loud++
		}
	}
	if loud != 1 {
		t.Errorf("%d findings of programs, want 1: %v", loud, findings)
	}
}
