package analyze

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// TestArrivals checks when people who are refused and then sign in are part of normal
// use, in a log without session ids: if nearly all newcomers are, or few. If some are,
// they may have had a session.
func TestArrivals(t *testing.T) {
	for _, c := range []struct {
		name     string
		people   int
		refused  func(i int) bool
		ordinary bool
	}{
		{"the site asks everybody", 80, func(int) bool { return true }, true},
		{"most come by a page that is refused", 80, func(i int) bool { return i%4 != 0 }, true},
		{"a third lost something", 90, func(i int) bool { return i%3 == 0 }, false},
		{"one in eight", 160, func(i int) bool { return i%8 == 0 }, false},
		{"a link in a mail", 100, func(i int) bool { return i%25 == 0 }, true},
		{"a small office", 20, func(i int) bool { return i%3 == 0 }, true},
	} {
		var w written
		for i := range c.people {
			at, client := time.Duration(i)*7*time.Minute, fmt.Sprintf("203.0.113.%d", i)
			page := fmt.Sprintf("GET /desk/%s", []string{"mail", "calendar", "files", "people", "notes"}[i%5])
			if c.refused(i) {
				w.at(at, client, "-", page, 401, "Firefox")
			}
			w.at(at+20*time.Second, client, "-", "GET /login", 200, "Firefox")
			w.at(at+40*time.Second, client, "-", "POST /login", 302, "Firefox")
			for k := range 4 {
				w.at(at+time.Duration(41+20*k)*time.Second, client, "-", page, 200, "Firefox")
			}
		}
		// The pages are protected: strangers are refused now and then.
		for i := range 5 {
			w.at(time.Duration(i)*90*time.Minute, "198.51.100.9", "-", fmt.Sprintf("GET /desk/%s", []string{"mail", "calendar", "files", "people", "notes"}[i]), 401, "bot")
		}
		name := filepath.Join(t.TempDir(), "access.log")
		writeLog(t, name, w.String(), time.Time{})
		res, err := Run(t.Context(), options(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Totals.Unexplained == 0; got != c.ordinary {
			t.Errorf("%s: %d of %d are unexplained, causes %v; want normal use: %v", c.name, res.Totals.Unexplained, res.Totals.Unauthorized, res.Causes, c.ordinary)
		}
	}
}
