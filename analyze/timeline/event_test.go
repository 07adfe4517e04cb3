package timeline

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Events are decoded as they were appended, whatever their fields.
func TestEventRoundTrip(t *testing.T) {
	const users, clients, ways = 5, 7, 1 << 16
	// Numbers of every length, and those on both sides of the limits of the six bytes.
	r := rand.New(rand.NewPCG(1, 1))
	number := func(bits int) uint64 { return r.Uint64() >> (64 - r.IntN(bits+1)) }
	near := func(bits int) uint64 { return 1<<bits - 1 + uint64(r.IntN(2)) }

	s := &State{recalled: -1, userOf: map[uint64]uint32{}, clientOf: map[uint64]Client{}}
	for n := range uint64(users) {
		s.userOf[n*0x123456789abcdef] = uint32(n) + 100
	}
	for n := range uint64(clients) {
		s.clientOf[n*0xfedcba987654321] = Client{uint32(n) + 200, uint32(n) + 300}
	}
	plusOne := func(n int) []uint32 {
		list := make([]uint32, n)
		for i := range list {
			list[i] = uint32(i) + 1
		}
		return list
	}
	s.endpointOf, s.refusalOf, s.upstreamOf = [][]uint32{plusOne(1 << 17)}, [][]uint32{plusOne(1 << 21)}, [][]uint32{plusOne(ways / int(numSchemes))}

	var sh shard
	sh.init()
	actors := make([]actor, 3000)
	for n := range actors {
		actors[n].number = uint32(n) + 1
	}
	want := make([][]Event, len(actors))
	refused := uint32(0)
	const n = 200_000
	for range n {
		i := number(11)
		if r.IntN(4) == 0 {
			i = near(actorBits)
		}
		a := &actors[min(i, uint64(len(actors)-1))]
		ms := a.last
		switch r.IntN(8) {
		case 0, 1, 2:
			ms += int64(number(10))
		case 3:
			ms -= int64(number(20))
		case 4:
			ms += int64(near(sinceBits-1)) * int64(1-2*r.IntN(2))
		case 5:
			ms = int64(number(60)) * int64(1-2*r.IntN(2))
		case 6:
			ms = 4*int64(r.IntN(3)-1)*math.MaxInt64/16 + 3 // the maximum distance of times
		}
		e := Event{Time: ms, Outcome: Outcome(r.IntN(int(NumOutcomes))), Refusal: NoRefusal}
		endpoint := uint32(number(16))
		if r.IntN(4) == 0 {
			endpoint = uint32(near(endpointBits))
		}
		e.Endpoint = endpoint + 1
		via := a.via & (1<<serverAt - 1)
		if r.IntN(10) == 0 {
			via = uint32(number(16)) % ways
		}
		scheme := Scheme(via % uint32(numSchemes))
		if via >= uint32(numSchemes) {
			e.Upstream = uint16(via/uint32(numSchemes) + 1)
		}
		server := uint32(0)
		if r.IntN(20) == 0 {
			server = uint32(r.IntN(MaxServers + 1))
		}
		e.Origin = newOrigin(scheme, server)
		via += server << serverAt
		rec := record{ms: ms, outcome: e.Outcome, endpoint: endpoint, via: via}
		if r.IntN(3) == 0 {
			u := uint64(r.IntN(users))
			rec.user, rec.userHash, e.User = uint32(u)+1, u*0x123456789abcdef, uint32(u)+100
		}
		c := a.client / 0xfedcba987654321
		rec.newClient = a.events == 0 || r.IntN(10) == 0
		if rec.newClient {
			c = uint64(r.IntN(clients))
			a.client = c * 0xfedcba987654321
		}
		e.Client = Client{uint32(c) + 200, uint32(c) + 300}
		if e.Outcome == Unauthorized {
			rec.refusal = refused
			e.Refusal = refused + 1
			if refused++; r.IntN(1000) == 0 {
				refused += 1 << 14
			}
		}
		want[a.number-1] = append(want[a.number-1], e)
		sh.append(a, &rec)
	}

	sh.close()
	for _, visited := range []func(i int) bool{
		func(int) bool { return true },
		func(i int) bool { return i%3 == 1 },
	} {
		got := make([]Event, n)
		states := make([]decoded, len(actors))
		var all []Event
		for i := range states {
			if states[i].next = skipped; visited(i) {
				states[i].next = uint32(len(all))
				all = append(all, want[i]...)
			}
		}
		for page, err := range sh.log {
			if err != nil {
				t.Fatal(err)
			}
			s.decodePage(0, page, states, &Scratch{events: got})
		}
		if !slices.Equal(got[:len(all)], all) {
			for i := range all {
				if got[i] != all[i] {
					t.Fatalf("event %d is %+v, want %+v", i, got[i], all[i])
				}
			}
		}
		for i, e := range got[len(all):] {
			if e != (Event{}) {
				t.Fatalf("event %d is %+v, want none", len(all)+i, e)
			}
		}
	}
}

// Most events take six bytes.
func TestEventSize(t *testing.T) {
	var sh shard
	sh.init()
	a := &actor{number: 1 << actorBits}
	add := func(want int, r record) {
		t.Helper()
		before := sh.used
		r.userHash, r.refusal = 7, 9
		sh.append(a, &r)
		if n := int(sh.used - before); n != want {
			t.Errorf("%d bytes, want %d", n, want)
		}
	}
	add(eventLen+1+8+7, record{ms: 1_000_000_000_000, outcome: Accepted, endpoint: 1, newClient: true}) // the first event: client and a long time
	add(eventLen, record{ms: 1_000_000_500_000, outcome: Accepted, endpoint: 1<<endpointBits - 1})
	add(eventLen, record{ms: 1_000_000_400_000, outcome: NotFound})
	add(eventLen+1+5, record{ms: 1_000_000_400_000, outcome: NotFound, endpoint: 1 << endpointBits})
	add(eventLen+1+8+5, record{ms: 1_000_000_400_000, outcome: Accepted, user: 3})
	add(eventLen, record{ms: 1_000_000_400_000, outcome: Accepted, user: 3})
	add(eventLen+1+5, record{ms: 1_000_000_400_000, outcome: Unauthorized, via: 2})
	a.number++
	add(eventLen+1+5, record{ms: 1_000_000_400_000, outcome: Accepted, via: 2})
}
