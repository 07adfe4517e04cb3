package timeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Actors with many events are visited in pieces, and shards with many events in several
// passes; together these are what one visit shows.
func TestVisitInPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	rs := randomRequests(r, 4000)
	for i := range rs {
		if i%3 > 0 {
			rs[i].session, rs[i].client = "", "10.9.9.9" // a load balancer
		}
	}
	for _, memory := range []int64{0, 160 << 10} {
		t.Run(fmt.Sprintf("%d bytes", memory), func(t *testing.T) {
			s := setup{2, 7, func(int) int { return r.IntN(2) }, memory, 0}.merge(t, rs)
			type visited struct {
				session string
				events  []Event
			}
			visit := func() map[uint32]*visited {
				all := map[uint32]*visited{}
				var scratch Scratch
				var last *Actor
				for i := range Shards {
					err := s.Shard(i, &scratch, nil, func(id uint32, a *Actor) {
						if a.Continues != (all[id] != nil) || last != nil && last.More != a.Continues {
							t.Errorf("actor %d: continues %v", id, a.Continues)
						}
						if all[id] == nil {
							all[id] = &visited{session: string(a.Session)}
						}
						if n := uint64(len(a.Events)); n > s.limit.piece || a.More && n != s.limit.piece {
							t.Errorf("a piece of %d events", n)
						}
						all[id].events = append(all[id].events, a.Events...)
						b := *a
						last = &b
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				return all
			}
			want := visit()
			s.limit = visitLimits{piece: 100, pass: 30}
			for range 2 { // the second time, they are sorted already
				got := visit()
				if len(got) != len(want) {
					t.Fatalf("%d actors, want %d", len(got), len(want))
				}
				for id, w := range want {
					if g := got[id]; g == nil || g.session != w.session || !slices.Equal(g.events, w.events) {
						t.Fatalf("the events of actor %d differ", id)
					}
				}
			}
			if memory > 0 && len(s.long.byID) == 0 {
				t.Error("no actor was visited in pieces")
			}
		})
	}
}
