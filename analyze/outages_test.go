package analyze

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
)

// hit is a request of a small hand-made log.
func hit(b *strings.Builder, at time.Duration, user int, name, path string, status int) {
	t := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC).Add(at)
	fmt.Fprintf(b, "192.0.2.%d - %s [%s] \"GET %s HTTP/1.1\" %d 99 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\"\n",
		user+1, name, t.Format("02/Jan/2006:15:04:05 -0700"), path, status)
}

// TestOutageShapes checks outages of other shapes than those of the simulator.
func TestOutageShapes(t *testing.T) {
	const people, requests = 12, 400
	for _, tt := range []struct {
		name   string
		status func(user, i int, tenant string) int
		route  string // beginning of the subject's route
		onset  bool
		none   bool
	}{
		{"one tenant", func(_, i int, tenant string) int { return refusedIf(tenant == "blue" && i >= 150 && i < 300) }, "/blue/", true, false},
		{"most of the log", func(_, i int, _ string) int { return refusedIf(i >= 100) }, "", true, false},
		{"never accepted", func(_, _ int, _ string) int { return 401 }, "", false, false},
		{"one user", func(user, i int, _ string) int { return refusedIf(user == 3 && i >= 200) }, "", false, true},
		{"now and then", func(user, i int, _ string) int { return refusedIf((user*31+i*17)%29 == 0) }, "", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			for i := range requests {
				for user := range people {
					tenant := []string{"blue", "green"}[user%2]
					at := time.Duration(i)*time.Minute + time.Duration(user*3)*time.Second
					if (i+user)%4 != 0 {
						hit(&b, at, user, fmt.Sprintf("user%d", user), fmt.Sprintf("/%s/%s", tenant, []string{"home", "orders", "search"}[(i+user)%3]), tt.status(user, i, tenant))
					}
				}
			}
			path := filepath.Join(t.TempDir(), "access.log")
			if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			found := false
			for _, f := range run(t, 2, nil, path).Findings {
				if f.Kind != "authentication_outage" {
					continue
				}
				found = true
				if !strings.HasPrefix(f.Subject.Route, tt.route) || f.Severity < result.Medium || (f.Onset > 0) != tt.onset {
					t.Errorf("%+v %v onset %v: %+v", f.Subject, f.Severity, f.Onset, f.Details)
				}
			}
			if found == tt.none {
				t.Errorf("found: %v", found)
			}
		})
	}
}

func refusedIf(refused bool) int {
	if refused {
		return 401
	}
	return 200
}
