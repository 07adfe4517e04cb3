package timeline

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"testing"

	"logscan/analyze/spill"
	"logscan/parse"
)

// roundTrip encodes a record between other bytes and decodes it.
func roundTrip[T any](t *testing.T, c spill.Codec[T], x T) {
	t.Helper()
	b := c.Append([]byte("before"), &x)
	b = append(b, "behind"...)
	var got T
	if rest := c.Read(&got, b[len("before"):]); string(rest) != "behind" || !bytes.HasPrefix(b, []byte("before")) {
		t.Fatalf("%+v: rest is %q", x, rest)
	}
	if !reflect.DeepEqual(got, x) || c.Compare(&got, &x) != 0 {
		t.Errorf("decoded %+v, want %+v", got, x)
	}
}

// FuzzCodecs checks that records survive being encoded and decoded.
func FuzzCodecs(f *testing.F) {
	f.Add(uint64(1), int64(2), []byte("alice"), []byte("curl/8"))
	f.Add(uint64(math.MaxUint64), int64(math.MinInt64), []byte{}, []byte("\x00\xff"))
	f.Add(uint64(0), int64(math.MaxInt64), bytes.Repeat([]byte("x"), 300), []byte{})
	f.Fuzz(func(t *testing.T, hash uint64, n int64, name, agent []byte) {
		tally := Tally{Bare: n, First: -n, Last: n / 3, FirstAccepted: n + 1, LastAccepted: ^n, FirstRefused: 0, LastRefused: n >> 7}
		for i := range tally.N {
			tally.N[i] = n >> i
		}
		roundTrip(t, userCodec, NamedTally{string(name), tally, hash})
		count := n & math.MaxInt64 // of requests
		roundTrip(t, clientCodec, clientTotal{hash, count, count / 2, string(name), string(agent)})
		roundTrip(t, signInCodec, SignIn{hash, n})
	})
}

// FuzzShards checks that a shard has the same actors and events after spilling.
func FuzzShards(f *testing.F) {
	f.Add(uint64(7), uint16(3), []byte("session"))
	f.Add(uint64(0), uint16(300), []byte{})
	f.Fuzz(func(t *testing.T, seed uint64, events uint16, id []byte) {
		space := spill.NewSpace(t.TempDir() + "/spill")
		defer space.Close()
		file, err := space.Create()
		if err != nil {
			t.Fatal(err)
		}
		var s shard
		s.init()
		for n := range uint64(events) % 500 {
			a := s.actor(actorKey{seed * (n%7 + 1), n % 7})
			if a.events == 0 && n%2 == 0 && len(id) > 0 {
				s.setLabel(a, append(slices.Clone(id), byte(n)))
			}
			s.append(a, &record{
				ms: int64(seed>>20) + int64(n)*1000, outcome: Outcome(n % uint64(NumOutcomes)), endpoint: uint32(n),
				user: uint32(n % 3), userHash: n % 5, via: uint32(n % 4), newClient: a.events == 0, refusal: uint32(n),
			})
		}
		s.close()
		want := make([]string, s.actors)
		for n := range want {
			want[n] = string(s.label(uint32(n)))
		}
		var g segment
		if err := g.write(file, &s); err != nil {
			t.Fatal(err)
		}
		got, err := g.read(file)
		if err != nil || got.actors != s.actors {
			t.Fatalf("%v, %d actors of %d", err, got.actors, s.actors)
		}
		for n := range want {
			if id := string(got.label(uint32(n))); id != want[n] {
				t.Errorf("label of actor %d is %q, want %q", n, id, want[n])
			}
		}
		var log []byte
		for page, err := range got.log {
			if err != nil {
				t.Fatal(err)
			}
			log = append(log, page...)
		}
		if a, b := bytes.Join(s.pages, nil), log; !bytes.Equal(a, b) {
			t.Errorf("read %d bytes of events that differ from the %d written", len(b), len(a))
		}
	})
}

// FuzzPathCache checks that the endpoint of a request is that of its method and
// template, whatever requests came before it.
func FuzzPathCache(f *testing.F) {
	f.Add("GET", []byte("/users/4711/orders"), "POST", []byte("/users/12/orders"))
	f.Add("VERSION-CONTROL", []byte("/a"), "VERSION-MADE-UP", []byte("/a"))
	f.Add("MKACTIVITY", []byte("/a"), "MKACTIVIsm", []byte("/a"))
	f.Add("GET", []byte("/a"), "FET\x00", []byte("/a"))
	f.Add("", []byte("/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301"), "GET\x00\x00\x00\x00\x00", []byte("/o/3f2504e0-4f89-11d3-9a0c-0305e82c3302"))
	f.Fuzz(func(t *testing.T, aMethod string, aPath []byte, bMethod string, bPath []byte) {
		w := NewWorker(7, 1)
		for range 2 {
			for _, e := range []parse.Entry{{Method: []byte(aMethod), Path: aPath}, {Method: []byte(bMethod), Path: bPath}} {
				n := w.endpoint(0, &e, Accepted)
				want := w.endpoints.number(0, method(e.Method), appendTemplate(nil, e.Path))
				if n != want {
					t.Errorf("%s %q is endpoint %d, want %d", e.Method, e.Path, n, want)
				}
			}
		}
	})
}
