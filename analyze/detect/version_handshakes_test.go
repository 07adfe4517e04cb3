package detect

import (
	"fmt"
	"testing"
	"time"
)

// TestVersionHandshakes checks that a version of an application is found whose calls are refused in
// the midst of use and repeated with success, and that programs that wait for challenges are not.
func TestVersionHandshakes(t *testing.T) {
	for name, x := range map[string]struct {
		challenged func(w *world, version, call int) bool
		want       bool // version 1 is found
	}{
		"forgets its token":            {func(w *world, version, _ int) bool { return w.r.IntN(100) < []int{1, 40, 1}[version] }, true},
		"asks first on a connection":   {func(_ *world, _, call int) bool { return call == 0 }, false},
		"asks first at each call":      {func(_ *world, version, _ int) bool { return version == 1 }, false},
		"all versions renew at a time": {func(w *world, _, _ int) bool { return w.r.IntN(100) < 3 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(5)
			for i := range 45 {
				address := fmt.Sprintf("198.51.100.%d", i)
				w.agents[address] = fmt.Sprintf("FieldApp/7.%d.0 (Android 14)", i%3)
				for begin := w.minutes(60); begin < 20*time.Hour; begin += time.Hour + w.minutes(90) {
					at := begin
					for call := range 15 {
						at += time.Duration(1+w.r.IntN(20)) * time.Second
						if x.challenged(w, i%3, call) {
							w.add(at, "POST", "/graphql", "", "", address, "401")
							at += time.Second
						}
						w.add(at, "POST", "/graphql", "", "", address, "200")
					}
				}
			}
			_, findings := w.scan(t, 1)
			found := false
			for _, f := range findings {
				switch {
				case f.Kind == clientSoftwareFailure.Name && f.Subject.UserAgent == "FieldApp/7.1.0":
					found = true
				default:
					t.Errorf("found %s %+v", f.Kind, f.Subject)
				}
			}
			if found != x.want {
				t.Errorf("found: %t, want %t", found, x.want)
			}
		})
	}
}
