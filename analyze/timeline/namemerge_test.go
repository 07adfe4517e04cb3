package timeline

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"logscan/analyze/spill"
)

// Which names are kept depends on their ranks and lengths alone, not on the order in
// which they come or on how often others are dropped.
func TestTotalsAreBoundedByBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	type named struct {
		hash, requests int64
		size           int
	}
	for _, c := range []struct{ limit, bytes int }{{50, 1 << 30}, {1 << 20, 900}, {40, 2000}, {10_000, 1 << 30}} {
		list := make([]named, 3000)
		for i := range list {
			list[i] = named{requests: int64(r.IntN(1000)), size: 1 + r.IntN(100)}
		}
		var want []int64
		for turn := range 4 {
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			slices.SortFunc(list, func(a, b named) int { return cmp.Or(cmp.Compare(b.requests, a.requests), cmp.Compare(a.size, b.size)) })
			for i, at := range r.Perm(len(list)) {
				list[i].hash = int64(at)
			}
			byHash := slices.SortedFunc(slices.Values(list), func(a, b named) int { return cmp.Compare(a.hash, b.hash) })
			dropped := 0
			kept, err := totals[named]{
				limit: c.limit, bytes: c.bytes,
				compare: func(a, b *named) int { return cmp.Compare(a.hash, b.hash) },
				rank:    func(x *named) rank { return rank{0, x.requests, uint64(x.size)} },
				size:    func(x *named) int { return x.size },
				add:     func(sum, x *named) { t.Error("equal hashes") },
				drop:    func(*named) { dropped++ },
			}.merge([]spill.Source[named]{spill.FromSlice(byHash)})
			if err != nil {
				t.Fatal(err)
			}
			held := 0
			var got []int64
			for _, x := range kept {
				held += x.size
				got = append(got, x.requests*1000+int64(x.size))
			}
			if slices.Sort(got); turn == 0 {
				want = got
			}
			if !slices.Equal(got, want) || len(kept) > c.limit || held > c.bytes || dropped+len(kept) != len(list) || len(kept) == 0 {
				t.Errorf("at most %d of %d bytes: %d kept of %d bytes, %d dropped", c.limit, c.bytes, len(kept), held, dropped)
			}
		}
	}
}
