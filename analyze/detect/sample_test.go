package detect

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// TestSample checks that visiting a sample of the clients first changes no finding, and that
// it spares an observer the others where all is well.
func TestSample(t *testing.T) {
	const kind = "intermittent_refusal"
	// now and then, sessions that go on are refused a request
	hiccups := func(w *world, share int) {
		w.refuse(0, 24*time.Hour, func(r *request) bool { return r.path != "/login" && guarded(r) && w.r.IntN(1000) < share })
	}
	for name, x := range map[string]struct {
		trouble   func(w *world)
		dismissed bool
	}{
		"nothing": {func(w *world) { hiccups(w, 4) }, true},
		"refusals at random": {func(w *world) {
			w.refuse(9*time.Hour, 24*time.Hour, func(r *request) bool { return r.path != "/login" && guarded(r) && w.r.IntN(3) == 0 })
		}, false},
		"an outage": {func(w *world) {
			w.refuse(14*time.Hour, 14*time.Hour+15*time.Minute, guarded)
		}, false},
		"nobody can sign in": {func(w *world) {
			w.refuse(11*time.Hour, 13*time.Hour, func(r *request) bool { return r.path == "/login" })
		}, false},
		"a client that fails": {func(w *world) {
			for n := range 12 {
				w.agents[fmt.Sprintf("10.0.0.%d", n)] = "AcmeSync/4.2 (Linux)"
			}
			w.refuse(10*time.Hour, 24*time.Hour, func(r *request) bool { return w.agents[r.address] != "" && r.path == "/api/items" })
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(5)
			w.run(120)
			x.trouble(w)
			_, all := w.scan(t, 1)
			d := newDiagnosis(w.correlate(t, 2))
			d.sampled = true
			sampled := findingsOf(t, d)
			if !reflect.DeepEqual(sampled, all) {
				t.Errorf("with a sample: %+v\nwithout: %+v", sampled, all)
			}
			if dismissed := d.observed[kind] == nil; x.dismissed && !dismissed {
				t.Errorf("the observer of %s sees all clients", kind)
			}
		})
	}
}
