package timeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// distinctRequests returns requests that have nothing in common. All their fields
// but the upstream are chosen by the sender.
func distinctRequests(r *rand.Rand, n int) []request {
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return string(b)
	}
	status := []int32{200, 401, 302, 500}
	rs := make([]request, n)
	for i := range rs {
		rs[i] = request{
			at:   int64(i)*3_600_000_000 + 1, // 41 days apart: absurd dates
			host: word(6) + "." + word(2), path: "/" + word(3) + "/" + word(3) + "/" + word(3),
			client: fmt.Sprintf("2001:db8::%x", i), agent: word(40), status: status[r.IntN(len(status))],
			session: word(20), user: word(12), upstream: fmt.Sprintf("10.%d.%d.%d:80", i>>16, i>>8&255, i&255),
		}
	}
	return rs
}

func TestDistinctRequests(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	const n = 40_000 // more than maxEndpoints
	rs := distinctRequests(r, n)
	const names = 500
	one := setup{workers: 1, seed: 1, names: names}.merge(t, rs)
	for name, list := range map[string][2]int{
		"endpoints": {len(one.Endpoints), maxEndpoints}, "upstreams": {len(one.Upstreams), 1},
		"users": {len(one.Users), names}, "addresses": {len(one.Addresses), names + 1}, "minutes": {len(one.Minutes), maxMinutes},
	} {
		if list[0] == 0 || list[0] > list[1] {
			t.Errorf("%d %s, want at most %d", list[0], name, list[1])
		}
	}
	if one.OtherUsers != int64(n-names) || one.OtherClients != int64(n-names) {
		t.Errorf("%d other users and %d other clients, want %d", one.OtherUsers, one.OtherClients, n-names)
	}
	unlisted := 0
	for i := range Shards {
		if err := one.Shard(i, new(Scratch), nil, func(_ uint32, a *Actor) {
			for _, e := range a.Events {
				if one.Unlisted(e.Client) {
					unlisted++
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if unlisted != n-names {
		t.Errorf("%d requests of clients that are not listed, want %d", unlisted, n-names)
	}
	sum := func(tallies ...Tally) (all int64) {
		for _, t := range tallies {
			for _, n := range t.N {
				all += n
			}
		}
		return all
	}
	var endpoints, users, upstreams int64
	for _, e := range one.Endpoints {
		endpoints += sum(e.Tally)
	}
	for _, u := range append(one.Users, one.OfOtherUsers) {
		users += sum(u.Tally)
	}
	for _, u := range one.Upstreams {
		upstreams += sum(u.Tally)
	}
	if endpoints != int64(n) || users != int64(n) || upstreams != int64(n) {
		t.Errorf("endpoints, users and upstreams have %d, %d and %d requests, want %d each", endpoints, users, upstreams, n)
	}
	same(t, "other workers, spilled", setup{3, 2, func(int) int { return r.IntN(3) }, 2 << 20, names}.merge(t, rs), one)
	slices.Reverse(rs) // later requests first; line numbers change
	back := setup{workers: 2, seed: 3, turn: func(i int) int { return i % 2 }, names: names}.merge(t, rs)
	if !slices.Equal(back.Endpoints, one.Endpoints) || !slices.Equal(back.Users, one.Users) || !slices.Equal(back.Minutes, one.Minutes) {
		t.Error("the state depends on the order of the lines")
	}
}

func TestBoundedNames(t *testing.T) {
	host := func(i, sub int) string { return fmt.Sprintf("h%d.d%d.example", i, sub) }
	for _, tt := range []struct {
		name string
		host func(i int) string
		n    int
		want []string // nil: not grouped
	}{
		{"the maximum", func(i int) string { return host(i, 0) }, maxHosts, nil},
		{"one more, of one domain", func(i int) string { return host(i, 0) }, maxHosts + 1, []string{"{name}.d0.example"}},
		{"of two domains", func(i int) string { return host(i, i%2) }, 3 * maxHosts, []string{"{name}.d0.example", "{name}.d1.example"}},
		{"the maximum of domains", func(i int) string { return host(i, i%maxHosts) }, 2 * maxHosts, nil},
		{"too many domains", func(i int) string { return host(i, i) }, 3 * maxHosts, []string{OtherName}},
		{"addresses and names", func(i int) string {
			return []string{fmt.Sprintf("192.0.%d.%d", i>>8, i&255), fmt.Sprintf("[2001:db8::%x]", i), fmt.Sprintf("intranet%d", i), ""}[i%4]
		}, 4 * maxHosts, []string{"", "{address}", "{name}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, 9))
			for _, workers := range []int{1, 2, 5} {
				ws := make([]*Worker, workers)
				for i := range ws {
					ws[i] = &Worker{hosts: newHosts()}
				}
				type numbered struct {
					worker int
					number uint32
					host   string
				}
				var all []numbered
				for range 2 {
					for _, i := range r.Perm(tt.n) {
						w := r.IntN(workers)
						all = append(all, numbered{w, ws[w].hosts.number([]byte(tt.host(i))), tt.host(i)})
					}
				}
				names, indexOf, grouped := mergeBounded(ws, func(w *Worker) *boundedNames { return &w.hosts })
				if grouped != (tt.n > maxHosts) {
					t.Errorf("%d workers: grouped is %v", workers, grouped)
				}
				switch {
				case tt.want != nil && !slices.Equal(names, tt.want):
					t.Errorf("%d workers: %.300q, want %q", workers, names, tt.want)
				case tt.want == nil && len(names) != maxHosts:
					t.Errorf("%d workers: %d names, want %d", workers, len(names), maxHosts)
				}
				for _, m := range all {
					name := names[indexOf[m.worker][m.number]]
					if name != m.host && name != domain(m.host) && name != OtherName {
						t.Fatalf("%d workers: %s is listed as %s", workers, m.host, name)
					}
				}
			}
		})
	}
}

func TestDomain(t *testing.T) {
	for host, want := range map[string]string{
		"": "", "www.example.com": "{name}.example.com", "example.com": "{name}.com", "localhost": "{name}",
		"192.0.2.7": "{address}", "::1": "{address}", "a.b.c.d.example": "{name}.b.c.d.example", "trailing.": "{name}.",
	} {
		got := domain(host)
		if got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
		if again := domain(got); again != got {
			t.Errorf("group of %q is %q", got, again)
		}
	}
}
