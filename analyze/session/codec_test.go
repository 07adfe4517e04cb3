package session

import (
	"math"
	"testing"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

func roundTrip[T comparable](t *testing.T, c spill.Codec[T], x T) {
	t.Helper()
	var got T
	if rest := c.Read(&got, append(c.Append(nil, &x), "behind"...)); got != x || string(rest) != "behind" || c.Compare(&got, &x) != 0 {
		t.Errorf("%+v became %+v, %q left", x, got, rest)
	}
}

// FuzzCodecs checks that every value survives encoding and decoding.
func FuzzCodecs(f *testing.F) {
	f.Add(int64(1), uint32(2), true)
	f.Add(int64(math.MinInt64), uint32(math.MaxUint32), false)
	f.Fuzz(func(t *testing.T, at int64, n uint32, yes bool) {
		client := timeline.Client{Address: n, Agent: ^n}
		id := [16]byte{byte(n), 15: byte(at)}
		roundTrip(t, recordCodec, Record{
			Start: at, LastAccepted: -at, End: at / 3, LongestGap: ^at, ID: id, Client: client, Site: n / 2, User: n >> 3,
			Requests: n, Accepted: n / 5, Unauthorized: n / 7, EndRefusal: n ^ 1, StartSeen: yes, Named: !yes,
		})
		roundTrip(t, linkCodec, ClientLink{client, n / 3})
		roundTrip(t, openLegCodec, openLeg{client, n / 3, ^n, at, n%2 == 0, n%3 == 0, n%5 == 0})
	})
}
