package detect

import (
	"fmt"
	"testing"
	"time"
)

// TestYoungTokens checks that programs which renew their token after each refusal do not hide
// that requests are refused at random, and that tokens which expire are no trouble.
func TestYoungTokens(t *testing.T) {
	for _, x := range []struct {
		name     string
		lifetime time.Duration
		refuses  int // one request of so many, from noon on; 0 for none
		kinds    []string
	}{
		{"expire", 10 * time.Minute, 0, nil},
		{"expire soon", 2 * time.Minute, 0, nil},
		{"one process of three refuses", 10 * time.Minute, 3, []string{"intermittent_refusal"}},
		{"one process of six refuses", 20 * time.Minute, 6, []string{"intermittent_refusal"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(5)
			paths := []string{"/api/orders", "/api/items", "/api/news", "/api/me"}
			for n := range 40 {
				address, at := fmt.Sprintf("10.0.1.%d", n), 7*time.Hour+w.minutes(200)
				w.add(at, "POST", "/login", "", "", address, "200")
				for token, k := at, 0; k < 250; k++ {
					at += time.Duration(5+w.r.IntN(80)) * time.Second
					path, random := paths[w.r.IntN(len(paths))], func() bool { return x.refuses > 0 && at > 12*time.Hour && w.r.IntN(x.refuses) == 0 }
					if at-token > x.lifetime || random() {
						w.add(at, "GET", path, "", "", address, "401")
						w.add(at, "POST", "/auth/refresh", "", "", address, "200")
						token = at
						if at += time.Second; random() {
							w.add(at, "GET", path, "", "", address, "401")
							continue
						}
					}
					w.add(at, "GET", path, "", "", address, "200")
				}
			}
			_, findings := w.scan(t, 1)
			want(t, findings, x.kinds...)
		})
	}
}
