package fold

import (
	"math/rand/v2"
	"testing"
)

// The short way through an event gives what the long one does, wherever it gives
// anything.
func TestReadPlainEqualsNext(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	// Numbers of every length, small ones most often.
	number := func(bits int) uint64 { return r.Uint64() >> (64 - r.IntN(bits+1)) }
	var sh shard
	sh.init()
	actors := make([]*actor, 0, 2000)
	for n := range cap(actors) {
		actors = append(actors, &actor{number: uint32(n) + 1})
	}
	for range 50_000 {
		a := actors[min(number(11), uint64(len(actors)-1))]
		ms := a.last
		if r.IntN(3) > 0 {
			forth, back := int64(number(50)), int64(number(50))
			ms += forth - back
		}
		endpoint := a.endpoint
		if r.IntN(3) > 0 {
			endpoint = uint32(number(20))
		}
		var ref uint32
		o := Outcome(r.IntN(int(NumOutcomes)))
		if o == Unauthorized {
			ref = a.ref + uint32(number(20))
		}
		via := a.via
		if r.IntN(10) == 0 {
			via = uint32(number(16))
		}
		user := uint32(0)
		if r.IntN(2) == 0 {
			user = uint32(r.IntN(4))
		}
		sh.append(a, ms, o, endpoint, user, r.Uint64(), via, r.IntN(10) == 0, ref)
	}
	long := decoder{actors: make([]decoded, len(actors))}
	short := make([]decoded, len(actors))
	plain, events := 0, 0
	for _, page := range sh.pages {
		for len(page) > 0 {
			flags := page[0]
			long.page = page
			want := long.next()
			size := len(page) - len(long.page)
			got, a := readPlain(page, short)
			if events++; got != 0 {
				plain++
				if got != size {
					t.Fatalf("%x: %d bytes, want %d", page[:min(len(page), maxEvent)], got, size)
				}
				if *a != *want {
					t.Fatalf("%x (flags %08b): %+v, want %+v", page[:size], flags, *a, *want)
				}
			} else {
				copy(short, long.actors)
			}
			page = page[size:]
		}
	}
	if plain < events/3 {
		t.Errorf("%d of %d events were plain", plain, events)
	}
}

// An event of an actor that is not visited is skipped whole.
func TestReadPlainSkips(t *testing.T) {
	var sh shard
	sh.init()
	a := &actor{number: 1}
	sh.append(a, 1000, Accepted, 300, 0, 0, 0, false, 0)
	sh.append(a, 1100, Accepted, 300, 0, 0, 0, false, 0)
	page := append(sh.pages[0], make([]byte, maxEvent)...)
	size, d := readPlain(page, []decoded{{place: unwanted}})
	if want := 1 + 1 + 2 + 2; size != want || *d != (decoded{place: unwanted}) {
		t.Errorf("%d bytes, %+v; want %d and nothing changed", size, *d, want)
	}
	if size, _ = readPlain(page[size:], []decoded{{place: unwanted}}); size != 1+1+2 {
		t.Errorf("%d bytes for an event on the same endpoint, want 4", size)
	}
}

// Numbers too long for a short one are left alone.
func TestReadPlainLeavesLongNumbers(t *testing.T) {
	var sh shard
	sh.init()
	sh.append(&actor{number: 1 << 28}, 0, Accepted, 300, 0, 0, 0, false, 0)
	page := append(sh.pages[0], make([]byte, maxEvent)...)
	if size, _ := readPlain(page, nil); size != 0 {
		t.Errorf("read %d bytes", size)
	}
}
