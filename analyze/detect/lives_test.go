package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"logscan/analyze/spill"
)

// TestLives checks that the sessions of hosts are the same whether they are sorted by host, in
// memory or on disk, or picked out of all sessions.
func TestLives(t *testing.T) {
	w := newWorld(3)
	w.hosts = map[string]string{"/api/": "api.example.org", "/board": "board.example.org"}
	for i := range 400 {
		address, at := fmt.Sprintf("10.2.%d.%d", i/100, i%100), w.minutes(1200)
		w.add(at, "POST", "/login", "", "", address, "302")
		for range 3 {
			at += time.Duration(5+w.r.IntN(900)) * time.Second
			w.add(at, "GET", []string{"/api/orders", "/app/home", "/board"}[w.r.IntN(3)], fmt.Sprintf("user%d", i), "", address, []string{"200", "200", "200", "401"}[w.r.IntN(4)])
		}
	}
	d := newDiagnosis(w.correlate(t, 2))
	space := spill.NewSpace(filepath.Join(t.TempDir(), "space"))
	defer func() {
		if err := space.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := 0
	for i := range d.Sites {
		hosts := d.Sites[i : i+1+i%2*min(1, len(d.Sites)-1-i)]
		var want []life
		order := int64(0)
		for s, err := range d.EachSession() {
			if err != nil {
				t.Fatal(err)
			}
			if d.Lifetimes[d.Sites[s.Site]] == nil {
				continue
			}
			if order++; slices.Contains(hosts, d.Sites[s.Site]) {
				want = append(want, lifeOfRecord(order, s))
			}
		}
		for _, m := range []spill.Memory{{}, {Space: space, Bytes: 1 << 10}} {
			var got []life
			for x, err := range d.newLives(m).of(d.Sites, hosts) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, *x)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v: %d sessions, want %d", hosts, len(got), len(want))
			}
		}
		all += len(want)
	}
	if len(d.Sites) < 2 || all < 100 {
		t.Errorf("%d hosts and %d sessions show little", len(d.Sites), all)
	}
}
