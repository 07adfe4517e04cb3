package session

import (
	"math"
	"reflect"
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

// TestOrdersAreTotal checks that values that differ in any field are in an order, so that
// the results do not depend on which worker has met them.
func TestOrdersAreTotal(t *testing.T) {
	everyFieldDecides(t, recordCodec)
	everyFieldDecides(t, linkCodec)
	everyFieldDecides(t, openLegCodec)
	everyFieldDecides(t, momentCodec)
}

func everyFieldDecides[T any](t *testing.T, c spill.Codec[T]) {
	t.Helper()
	for i := range reflect.TypeFor[T]().NumField() {
		var a, b T
		field := reflect.ValueOf(&b).Elem().Field(i)
		change(field)
		name := reflect.TypeFor[T]().Field(i).Name
		if c.Compare(&a, &b) == 0 || c.Compare(&a, &b) != -c.Compare(&b, &a) {
			t.Errorf("%T: %s does not decide the order", a, name)
		}
	}
}

// change changes a field, of a struct or array its last one.
func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(1)
	case reflect.Array:
		change(v.Index(v.Len() - 1))
	case reflect.Struct:
		change(v.Field(v.NumField() - 1))
	}
}
