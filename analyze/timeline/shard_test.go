package timeline

import (
	"encoding/binary"
	"testing"

	"github.com/zeebo/xxh3"
)

// Clients that share a user agent or an address do not cluster in the hash tables:
// an actor is found in a few steps, however many there are.
func TestActorLookupSteps(t *testing.T) {
	const most = 5 // mean number of steps; 2.5 are expected in shards that are three quarters full
	hash := func(n uint64) uint64 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], n)
		return xxh3.HashSeed(b[:], 1)
	}
	for name, key := range map[string]func(n uint64) actorKey{
		"one user agent": func(n uint64) actorKey { return actorKey{hash(n), hash(0)} },
		"one address":    func(n uint64) actorKey { return actorKey{hash(0), hash(n)} },
		"few of each":    func(n uint64) actorKey { return actorKey{hash(n / 1000), hash(n % 1000)} },
		"all different":  func(n uint64) actorKey { return actorKey{hash(n), hash(n + 1)} },
	} {
		t.Run(name, func(t *testing.T) {
			shards := make([]shard, Shards)
			for i := range shards {
				shards[i].init()
			}
			for n := range uint64(100_000) {
				k := key(n)
				shards[k.shard()].actor(k)
			}
			steps, actors := uint64(0), 0
			for i := range shards {
				s := &shards[i]
				actors += int(s.actors)
				mask := uint64(len(s.slots) - 1)
				for at := range s.slots {
					if a := &s.slots[at]; a.number != 0 {
						steps += (uint64(at) - a.key.mix()) & mask
					}
				}
				if s.actors > 3*100_000/Shards {
					t.Errorf("%d of 100000 actors are in shard %d of %d", s.actors, i, Shards)
				}
			}
			if actors != 100_000 || steps > most*100_000 {
				t.Errorf("%d actors take %d steps, want at most %d each", actors, steps, most)
			}
		})
	}
}
