package session

import (
	"slices"
	"strings"
	"testing"
)

// TestSentUnasked checks that what a program is refused among requests that are accepted is no
// handshake if it sends its credentials unasked, as the beginnings of its series show.
func TestSentUnasked(t *testing.T) {
	unasked := each(0, 400, 12, "@ c1 - - POST /v1/ask 200", "@.4 c1 - - POST /v1/ask 200")
	asked := each(0, 400, 12, "@ c1 - - POST /v1/ask 401", "@.4 c1 - - POST /v1/ask 200")
	burst := each(8000, 400, 10, "@ c1 - - POST /v1/ask 200", "@.2 c1 - - POST /v1/ask 401", "@.4 c1 - - POST /v1/ask 200", "@.6 c1 - - POST /v1/ask 200")
	instant := each(8000, 400, 10, "@ c1 - - POST /v1/ask 401", "@ c1 - - POST /v1/ask 200", "@ c1 - - POST /v1/ask 200", "@.1 c1 - - POST /v1/ask 200")
	restarts := each(8000, 400, 3, "@ c1 - - POST /v1/ask 401", "@.4 c1 - - POST /v1/ask 200")
	for name, x := range map[string]struct {
		before, then []string
		want         bool // handshakes
	}{
		"refused in the middle of a burst":   {unasked, burst, false},
		"in a log of whole seconds":          {each(-16000, 400, 48, "@ c1 - - POST /v1/ask 200"), instant, false},
		"asked each time, also in the burst": {asked, slices.Concat(asked, burst), true},
		"asked after a restart":              {unasked, restarts, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Fields(causes(correlate(t, slices.Concat(x.before, x.then)...)))
			challenged := 0
			for _, cause := range got {
				if cause == Challenge.String() {
					challenged++
				}
			}
			if x.want != (2*challenged > len(got)) {
				t.Errorf("%v", got)
			}
		})
	}
}
