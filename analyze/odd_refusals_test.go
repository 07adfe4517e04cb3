package analyze

import (
	"fmt"
	"testing"
	"time"

	"logscan/analyze/result"
)

// TestOddNumbers checks what is unexplained, or a finding, though it looks ordinary one by one,
// and that its like is not.
func TestOddNumbers(t *testing.T) {
	const hour = time.Hour
	client := func(i int) string { return fmt.Sprintf("198.51.%d.%d", i/200, i%200) }
	for name, c := range map[string]struct {
		write func(w *written)
		want  int64 // at least; 0 for exactly none
	}{
		"a third of the requests": {func(w *written) {
			for i := range 60 {
				w.at(time.Duration(i)*7*time.Minute, client(i%9), "-", "GET /a", 200+201*(i%2), "Firefox")
			}
		}, 30},
		"strangers within minutes": {func(w *written) {
			w.people(60, "/signin")
			for i := range 70 {
				w.at(5*hour+time.Duration(i)*4*time.Second, client(i), "-", fmt.Sprintf("GET /m%d/x", i%7), 401, "Phone")
			}
		}, 50},
		"strangers all day": {func(w *written) {
			w.people(60, "/signin")
			for i := range 70 {
				w.at(time.Duration(i)*8*time.Minute, client(i), "-", fmt.Sprintf("GET /m%d/x", i%7), 401, "Phone")
			}
		}, 0},
		"strangers again and again": {func(w *written) {
			w.people(60, "/signin")
			w.pages(900)
			for i := range 70 * 5 {
				w.at(time.Duration(i)*2*time.Minute+time.Duration(i*i%50)*time.Second, client(i%70), "-", "HEAD /old/", 401, "-")
			}
		}, 350},
		"forms of many strangers": {func(w *written) {
			w.people(60, "/signin")
			w.pages(900)
			for i := range 130 {
				w.at(time.Duration(i)*9*time.Minute, client(i%65), "-", "POST /telemetry", 401, "Phone")
			}
		}, 130},
		"every other poll": {func(w *written) {
			w.pages(400)
			for i := range 400 {
				w.at(time.Duration(i)*6*time.Second, "192.0.2.9", "-", "GET /queue/next", 200+201*(i%2), "agent/1")
			}
		}, 195},
		"answers to challenges": {func(w *written) {
			w.pages(400)
			for i := range 400 {
				w.at(time.Duration(i/2)*12*time.Second+time.Duration(i%2)*time.Second, "192.0.2.9", "-", "GET /queue/next", 401-201*(i%2), "agent/1")
			}
		}, 0},
		"refusals by chance, now and then": {func(w *written) {
			for i := range 1200 {
				status := 200
				if i*i%13 == 4 {
					status = 401
				}
				w.at(time.Duration(i)*time.Minute, client(i*7%31), "-", "POST /query", status, "-")
			}
		}, 150},
	} {
		t.Run(name, func(t *testing.T) {
			var w written
			c.write(&w)
			res := w.run(t)
			got := res.Totals.Unexplained
			for i := range res.Findings {
				got += res.Findings[i].Unauthorized
			}
			if got < c.want || c.want == 0 && got > 0 {
				t.Errorf("%d of %d 401s unexplained, want %d: %v", got, res.Totals.Unauthorized, c.want, res.Causes)
			}
		})
	}
}

// TestOpenPages checks that people who have signed out, and leave a page open, are not locked
// out.
func TestOpenPages(t *testing.T) {
	var w written
	for i := range 40 {
		at, client := time.Duration(i)*9*time.Minute, fmt.Sprintf("203.0.113.%d", i)
		w.at(at, client, "-", "POST /api/login", 200, "Firefox")
		for k := range 20 {
			w.at(at+time.Duration(k)*40*time.Second, client, "-", "GET /api/"+[]string{"orders", "unread"}[k%2], 200, "Firefox")
		}
		if i%2 == 0 && i > 8 && i < 34 {
			w.at(at+14*time.Minute, client, "-", "POST /api/logout", 204, "Firefox")
			for k := range 1 + i%4 {
				w.at(at+15*time.Minute+time.Duration(k)*30*time.Second, client, "-", "GET /api/unread", 401, "Firefox")
			}
		}
	}
	if res := w.run(t); len(res.Findings) > 0 {
		t.Errorf("findings %+v", res.Findings)
	}
}

// TestSignInsOfOneSecond checks that people who are signed in within the second in which their
// page loads again have had sessions that ended, and share no client.
func TestSignInsOfOneSecond(t *testing.T) {
	var w written
	for i := range 30 {
		at, client := time.Duration(i)*7*time.Minute, fmt.Sprintf("203.0.113.%d", i)
		for k := range 30 {
			if k%6 == 0 {
				if k > 0 {
					at += time.Duration(180+10*(i+k)) * time.Second
					w.at(at, client, "-", "GET /api/a", 401, "Firefox")
					w.at(at, client, "-", "GET /api/b", 401, "Firefox")
				}
				w.at(at+15*time.Second, client, "-", "POST /login", 200, "Firefox")
			}
			w.at(at+15*time.Second, client, "-", "GET /api/"+[]string{"a", "b"}[k%2], 200, "Firefox")
			at += time.Duration(20+(k*i)%140) * time.Second
		}
	}
	res := w.run(t)
	if len(res.Findings) != 1 || res.Findings[0].Kind != "session_expiry" || res.Totals.Unexplained > 0 {
		t.Errorf("%d unexplained: %+v", res.Totals.Unexplained, res.Findings)
	}
}

// TestChecksOfMonitor checks that a monitor with several checks is one probe.
func TestChecksOfMonitor(t *testing.T) {
	var w written
	w.people(60, "/signin")
	for i := range 300 {
		for k := range 3 {
			w.at(time.Duration(i)*time.Minute+time.Duration(k*k)*7*time.Second, "192.0.2.3", "-", fmt.Sprintf("GET /check%d/", k), 401, "Kuma/1")
		}
	}
	res := w.run(t)
	if len(res.Findings) != 1 || res.Findings[0].Kind != "unauthenticated_probe" || res.Findings[0].Unauthorized != 900 || res.Findings[0].Severity > result.Low {
		t.Errorf("findings %+v", res.Findings)
	}
}
