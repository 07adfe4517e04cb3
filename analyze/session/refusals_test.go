package session

import (
	"path/filepath"
	"reflect"
	"testing"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// TestRefusalsOnDisk checks that refusals come back from the disk as they were put there,
// every field of them, and in their order.
func TestRefusalsOnDisk(t *testing.T) {
	const n, workers = 2*drawerSize + 100, 3
	space := spill.NewSpace(filepath.Join(t.TempDir(), "space"))
	defer space.Close()
	ev := &Evidence{Workers: workers, State: &timeline.State{Refusals: spill.TableOf(make([]timeline.Refusal, n))}, memory: spill.Memory{Bytes: 1 << 20, Space: space}}
	parts, err := ev.makeDrawers()
	if err != nil {
		t.Fatal(err)
	}
	want := make([]Refusal, n)
	var challenges, risen Bits
	for step := range n {
		i := step * 7919 % n // as actors come
		r := &want[i]
		if i%10 == 0 { // nobody meets it
			r.Cause = Unexplained
			continue
		}
		*r = numbered(i)
		if err := parts[i%workers].put(uint32(i), r); err != nil {
			t.Fatal(err)
		}
		if i%11 == 0 {
			challenges.Add(i)
			r.Cause, r.Alive, r.Proven, r.Returned, r.Fatal, r.Dead = Challenge, false, false, false, false, false
		} else if i%13 == 0 {
			risen.Add(i)
			r.Cause, r.Settled = Unexplained, true
		}
	}
	if err := ev.setRefusals(parts, challenges, risen); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got := ev.Refusals.At(i); *got != want[i] {
			t.Fatalf("refusal %d: %+v, want %+v", i, *got, want[i])
		}
	}
	if err := ev.Refusals.Err(); err != nil || ev.Refusals.Len() != n {
		t.Error(ev.Refusals.Len(), err)
	}
}

// numbered returns a refusal whose fields are derived from a number.
func numbered(n int) (r Refusal) {
	v := reflect.ValueOf(&r).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); v.Type().Field(i).Name {
		case "gap":
			r.gap = span(n)
		case "gapAny":
			r.gapAny = span(n + 1)
		case "age":
			r.age = span(n + 2)
		default:
			switch f.Kind() {
			case reflect.Bool:
				f.SetBool(n>>(i%16)&1 != 0)
			case reflect.Uint8:
				f.SetUint(uint64(n % 3))
			case reflect.Int64:
				f.SetInt(int64(n) * 1e6)
			default:
				f.SetUint(uint64(n*(i+1)) % (1 << 16))
			}
		}
	}
	return r
}
