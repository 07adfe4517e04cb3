package timeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// bombs are requests that have nothing in common: whoever sends them can choose
// all of it but the upstream.
func bombs(r *rand.Rand, n int) []request {
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

func TestEverythingNewInEveryLine(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	const n = 40_000 // more than maxEndpoints
	rs := bombs(r, n)
	const names = 500
	one := spread{workers: 1, seed: 1, names: names}.fold(t, rs)
	for name, list := range map[string][2]int{
		"endpoints": {len(one.Endpoints), maxEndpoints}, "upstreams": {len(one.Upstreams), 1},
		"users": {len(one.Users), names}, "addresses": {len(one.Addresses), names + 1}, "minutes": {len(one.Minutes), maxMinutes},
	} {
		if list[0] == 0 || list[0] > list[1] {
			t.Errorf("%d %s, want at most %d", list[0], name, list[1])
		}
	}
	if one.OtherUsers != int64(n-names) || one.OtherClients != int64(n-names) {
		t.Errorf("%d users and %d clients are told together, want %d", one.OtherUsers, one.OtherClients, n-names)
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
	same(t, "another split, on disk", spread{3, 2, func(int) int { return r.IntN(3) }, 2 << 20, names}.fold(t, rs), one)
	slices.Reverse(rs) // later requests come first; lines have other numbers
	back := spread{workers: 2, seed: 3, turn: func(i int) int { return i % 2 }, names: names}.fold(t, rs)
	if !slices.Equal(back.Endpoints, one.Endpoints) || !slices.Equal(back.Users, one.Users) || !slices.Equal(back.Minutes, one.Minutes) {
		t.Error("the order of the lines leaves a trace")
	}
}

func TestCrowd(t *testing.T) {
	domain := func(i, sub int) string { return fmt.Sprintf("h%d.d%d.example", i, sub) }
	for _, tt := range []struct {
		name string
		host func(i int) string
		n    int
		want []string // nil: all as they are
	}{
		{"as many as are told", func(i int) string { return domain(i, 0) }, maxHosts, nil},
		{"one more, of one domain", func(i int) string { return domain(i, 0) }, maxHosts + 1, []string{"{name}.d0.example"}},
		{"of two domains", func(i int) string { return domain(i, i%2) }, 3 * maxHosts, []string{"{name}.d0.example", "{name}.d1.example"}},
		{"as many domains as are told", func(i int) string { return domain(i, i%maxHosts) }, 2 * maxHosts, nil},
		{"too many domains", func(i int) string { return domain(i, i) }, 3 * maxHosts, []string{OtherName}},
		{"addresses and names", func(i int) string {
			return []string{fmt.Sprintf("192.0.%d.%d", i>>8, i&255), fmt.Sprintf("[2001:db8::%x]", i), fmt.Sprintf("intranet%d", i), ""}[i%4]
		}, 4 * maxHosts, []string{"", "{address}", "{name}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, 9))
			for _, workers := range []int{1, 2, 5} {
				crowds := make([]*crowd, workers)
				for i := range crowds {
					c := newHosts(uint64(i))
					crowds[i] = &c
				}
				type met struct {
					worker int
					number uint32
					host   string
				}
				var all []met
				for range 2 { // known ones come again
					for _, i := range r.Perm(tt.n) {
						w := r.IntN(workers)
						all = append(all, met{w, crowds[w].number([]byte(tt.host(i))), tt.host(i)})
					}
				}
				names, of, folded := merged(crowds)
				if folded != (tt.n > maxHosts) {
					t.Errorf("%d workers: folded is %v", workers, folded)
				}
				switch {
				case tt.want != nil && !slices.Equal(names, tt.want):
					t.Errorf("%d workers: %.300q, want %q", workers, names, tt.want)
				case tt.want == nil && len(names) != maxHosts:
					t.Errorf("%d workers: %d names, want %d", workers, len(names), maxHosts)
				}
				for _, m := range all {
					told := names[of[m.worker][m.number]]
					if told != m.host && told != string(appendDomain(nil, []byte(m.host))) && told != OtherName {
						t.Fatalf("%d workers: %s is told as %s", workers, m.host, told)
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
		got := string(appendDomain(nil, []byte(host)))
		if got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
		if again := string(appendDomain(nil, []byte(got))); again != got {
			t.Errorf("%q becomes %q", got, again)
		}
	}
}

func TestMinutesGrowCoarse(t *testing.T) {
	const most = 500
	for _, tt := range []struct {
		name   string
		minute func(i int) int64
		n      int
		grain  int64
	}{
		{"as many as are counted", func(i int) int64 { return int64(i) }, most, 1},
		{"one more", func(i int) int64 { return int64(i) }, most + 1, 60},
		{"an hour each", func(i int) int64 { return int64(i) * 60 }, most + 1, 24 * 60},
		{"before 1970", func(i int) int64 { return -int64(i) * 24 * 60 }, most + 1, 365 * 24 * 60},
		{"a year each", func(i int) int64 { return int64(i) * 366 * 24 * 60 }, most + 1, 1 << 36},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, workers := range []int{1, 3} {
				s := &State{}
				for range workers {
					s.workers = append(s.workers, &Worker{minutes: newMinuteTable(most)})
				}
				for i := range tt.n {
					s.workers[i%workers].minutes.add(tt.minute(i), 0, Accepted)
				}
				s.mergeMinutes([]string{""}, slices.Repeat([][]uint32{{0}}, workers))
				sum := int64(0)
				for i, m := range s.Minutes {
					sum += m.N[Accepted]
					if i > 0 && m.Time <= s.Minutes[i-1].Time {
						t.Fatalf("step %d is not after the one before", i)
					}
				}
				if s.Grain != tt.grain*60e6 || sum != int64(tt.n) || len(s.Minutes) > most {
					t.Errorf("%d workers: %d steps of %d minutes with %d requests, want steps of %d minutes with %d",
						workers, len(s.Minutes), s.Grain/60e6, sum, tt.grain, tt.n)
				}
			}
		})
	}
}
