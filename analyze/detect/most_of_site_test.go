package detect

import (
	"strings"
	"testing"
	"time"
)

// TestMostOfSite checks that a path below which all of an application lies is no part of the
// site that refuses people, if some of their requests are refused at random for some hours;
// and that one is found which lies beside others.
func TestMostOfSite(t *testing.T) {
	for name, c := range map[string]struct {
		moves func(path string) bool // below the path
		want  bool
	}{
		"all of it":  {func(path string) bool { return !strings.HasPrefix(path, "/login") }, false},
		"half of it": {func(path string) bool { return strings.HasPrefix(path, "/api/") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(21)
			w.users, w.sessionIDs = true, true
			w.run(120)
			for i := range w.requests {
				if r := &w.requests[i]; c.moves(r.path) {
					r.path = "/portal" + r.path
				}
			}
			n := 0
			w.refuse(11*time.Hour, 15*time.Hour, func(r *request) bool {
				if !strings.HasPrefix(r.path, "/portal/") || r.status != "200" {
					return false
				}
				n++
				return n%14 == 0
			})
			_, findings := w.scan(t, 1)
			found := false
			for _, f := range findings {
				found = found || f.Kind == "endpoint_misconfigured" && strings.HasPrefix(f.Subject.Route, "/portal/")
			}
			if found != c.want {
				t.Errorf("an area is found: %v, want %v: %+v", found, c.want, findings)
			}
		})
	}
}
