package detect

import (
	"fmt"
	"testing"
	"time"

	"logscan/fixtures/trials"
)

// TestTimeoutBesidePrograms checks that programs with keys, which survive any silence and
// have no session id, do not hide the idle timeout of the few people of a site.
func TestTimeoutBesidePrograms(t *testing.T) {
	for seed := range trials.Seeds(2) {
		w := newWorld(seed)
		w.sessionIDs, w.users, w.idle = true, true, 20*time.Minute
		w.run(25)
		for i := range 10 {
			w.poll(w.minutes(30), 24*time.Hour, time.Duration(22+3*i)*time.Minute, "/api/orders", "", fmt.Sprintf("203.0.113.%d", i), "200")
		}
		_, findings := w.scan(t, 1)
		for _, f := range want(t, findings, "session_expiry") {
			if d := f.Details.(*Expiry); d.Policy != "idle" || d.Timeout < 18*60 || d.Timeout > 22*60 {
				t.Errorf("found %+v", d)
			}
		}
	}
}
