package timeline

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"

	"logscan/analyze/spill"
)

// randomEvents returns events of an actor by time, with numbers of all sizes.
func randomEvents(r *rand.Rand, n int) []Event {
	of := func(most uint64) uint64 { return r.Uint64N(most+1) >> r.IntN(40) }
	now := []int64{0, -1 << 40, 1_773_000_000_000, math.MinInt64}[r.IntN(4)]
	events := make([]Event, n)
	for i := range events {
		e := &events[i]
		if i > 0 && r.IntN(4) > 0 {
			*e = events[i-1]
		}
		if now += int64(of(1 << 40)); r.IntN(3) == 0 {
			now += int64(of(1 << 22))
		}
		e.Time, e.Endpoint, e.Outcome = now, uint32(of(math.MaxUint32)), Outcome(r.IntN(int(NumOutcomes)))
		e.Refusal = []uint32{NoRefusal, NoRefusal, EarlierEvent, uint32(of(math.MaxUint32 - 2)), 0}[r.IntN(5)]
		switch r.IntN(4) {
		case 0:
			e.User = uint32(of(math.MaxUint32))
		case 1:
			e.User = 0
		case 2:
			e.Client = Client{uint32(of(math.MaxUint32)), uint32(of(math.MaxUint32))}
		case 3:
			e.Upstream, e.Origin = uint16(of(math.MaxUint16)), Origin(of(math.MaxUint8))
		}
	}
	return events
}

// What is kept of the events of a shard is all of them, in memory and on disk.
func TestKeptEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	for _, limit := range []int64{0, 1} {
		space := spill.NewSpace(filepath.Join(t.TempDir(), "kept"))
		defer space.Close()
		g := &gathered{limit: limit, space: space}
		var want [Shards][]Actor
		for i := range Shards {
			x := &gatheredShard{}
			for range r.IntN(5) {
				a := Actor{Events: randomEvents(r, 1+r.IntN(30)), Hashed: r.IntN(2) == 0}
				if r.IntN(2) == 0 {
					a.Session = []byte{1, byte(i)}
				}
				if r.IntN(2) == 0 {
					a.Before = make([]byte, r.IntN(3))
				}
				a.Summary = ActorSummary{Only: r.IntN(2) == 0, Refused: r.IntN(2) == 0, Client: a.Events[0].Client}
				x.add(&a)
				want[i] = append(want[i], a)
			}
			x.log = append(x.log, make([]byte, eventSlack)...)
			if last, err := g.keep(i, x); err != nil || last != (i == Shards-1) {
				t.Fatal(last, err)
			}
		}
		for i := range Shards {
			x, kept, err := g.shard(i)
			if err != nil || !kept {
				t.Fatal(kept, err)
			}
			var m Scratch
			first, n := uint32(i)<<(32-shardBits)+1, 0
			wanted := func(id uint32, s ActorSummary) bool {
				at := id - first
				if !reflect.DeepEqual(s, want[i][at].Summary) {
					t.Fatalf("limit %d: %+v, want %+v", limit, s, want[i][at].Summary)
				}
				return at%2 == 0
			}
			x.visit(i, &m, wanted, func(id uint32, a *Actor) {
				if n++; !reflect.DeepEqual(*a, want[i][id-first]) {
					t.Fatalf("limit %d: %+v, want %+v", limit, *a, want[i][id-first])
				}
			})
			if n != (len(want[i])+1)/2 {
				t.Fatalf("%d actors of %d", n, len(want[i]))
			}
		}
	}
}
