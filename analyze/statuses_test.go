package analyze

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
)

// runWithStatuses runs a log with statuses that count as refusals beside 401.
func runWithStatuses(t *testing.T, dir, log string, workers int, statuses ...int32) *result.Result {
	t.Helper()
	name := filepath.Join(dir, "access.log")
	writeLog(t, name, log, time.Time{})
	o := options(t, name)
	o.Workers, o.Parse.Refusals = workers, statuses
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestRedirectsToSignIn checks that redirects to a page for signing in are refusals,
// whatever its name, and all other redirects are not.
func TestRedirectsToSignIn(t *testing.T) {
	dir := t.TempDir()
	for _, page := range []string{"/login", "/welcome/here"} {
		var w written
		refused := 0
		for i := range 60 {
			at, client := time.Duration(i)*10*time.Minute, fmt.Sprintf("198.51.100.%d", i%6)
			route := []string{"/orders", "/account", "/reports", "/cart"}[i%4]
			if i%3 == 0 { // the session has ended
				w.at(at, client, "-", "GET "+route, 302, "Firefox")
				w.at(at+time.Second, client, "-", "GET "+page, 200, "Firefox")
				w.at(at+30*time.Second, client, "-", "POST "+page, 302, "Firefox")
				refused++
			}
			w.at(at+31*time.Second, client, "-", "GET "+route, 200, "Firefox")
			w.at(at+40*time.Second, client, "-", "POST "+route, 302, "Firefox") // and back to the list
			w.at(at+41*time.Second, client, "-", "GET /list", 200, "Firefox")
			w.at(at+60*time.Second, client, "-", fmt.Sprintf("GET /old%d", i%5), 302, "Firefox") // moved
			w.at(at+61*time.Second, client, "-", "GET /new", 200, "Firefox")
		}
		w.at(700*time.Minute, "198.51.100.1", "-", "GET /orders", 302, "Firefox") // leads nowhere
		if res := runWithStatuses(t, dir, w.String(), 2); res.Totals.Unauthorized != 0 {
			t.Errorf("%s: %d refusals without the status", page, res.Totals.Unauthorized)
		}
		var first string
		for workers := 1; workers <= 3; workers++ {
			res := runWithStatuses(t, dir, w.String(), workers, 302)
			if got := res.Totals.Unauthorized; got != int64(refused) || res.Unauthorized.Len != refused {
				t.Errorf("%s: %d refusals and %d rows, want %d", page, got, res.Unauthorized.Len, refused)
			}
			sum, minutes := int64(0), int64(0)
			for i := range res.Endpoints {
				e := &res.Endpoints[i]
				sum += e.Unauthorized
				if e.Unauthorized > 0 && (e.Method != "GET" || strings.HasPrefix(e.Template, "/old")) {
					t.Errorf("%s: %s %s has %d refusals", page, e.Method, e.Template, e.Unauthorized)
				}
			}
			for i := range res.Timeline {
				minutes += res.Timeline[i].Unauthorized
			}
			if sum != int64(refused) || minutes != int64(refused) {
				t.Errorf("%s: %d refusals of endpoints, %d of minutes", page, sum, minutes)
			}
			if text := resultText(t, res); first == "" {
				first = text
			} else if text != first {
				t.Errorf("%s: the result depends on the number of workers", page)
			}
		}
	}
}

// TestStatuses checks that named statuses are refusals with reasons, and that notes say
// where others stand for 401s.
func TestStatuses(t *testing.T) {
	var w written
	for i := range 100 {
		at, client := time.Duration(i)*time.Minute, fmt.Sprintf("198.51.100.%d", i%10)
		w.at(at, client, "-", "GET /home", 200, "Firefox")
		w.at(at+time.Second, client, "-", "GET /api", []int{403, 419}[i%2], "Firefox")
	}
	notes := func(res *result.Result) (all []string) {
		for _, n := range res.Notes {
			switch n.Kind {
			case result.NoteOtherStatus:
				all = append(all, fmt.Sprintf("%s %d %d", n.Name, n.N, n.M))
			case result.NoteStatuses:
				all = append(all, "with "+n.Name)
			}
		}
		return all
	}
	for _, c := range []struct {
		statuses []int32
		refused  int64
		notes    string
	}{
		{nil, 0, "403 50 5; 419 50 0"},
		{[]int32{403}, 50, "with 401, 403; 419 50 0"},
		{[]int32{403, 419}, 100, "with 401, 403, 419"},
	} {
		res := runWithStatuses(t, t.TempDir(), w.String(), 2, c.statuses...)
		if got := strings.Join(notes(res), "; "); got != c.notes || res.Totals.Unauthorized != c.refused {
			t.Errorf("%v: %d refusals, notes %s, want %d, %s", c.statuses, res.Totals.Unauthorized, got, c.refused, c.notes)
		}
	}
}
