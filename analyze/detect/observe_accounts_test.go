package detect

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// TestAttemptsOnDisk checks that spilled attempts are read back as they were, in order.
func TestAttemptsOnDisk(t *testing.T) {
	space := spill.NewSpace(filepath.Join(t.TempDir(), "space"))
	defer space.Close()
	const users = 3
	r := rand.New(rand.NewPCG(1, 2))
	inMemory, onDisk := &accountObserver{}, &accountObserver{}
	for range 2 { // parts
		file, err := space.Create()
		if err != nil {
			t.Fatal(err)
		}
		a := &accountPart{attempts: make([]attemptList, users)}
		b := &accountPart{attempts: make([]attemptList, users), limit: 100, file: file}
		for range 5000 {
			n, x := r.IntN(users-1), attempt{ // the last user has none
				time: r.Int64N(1000), endpoint: r.Uint32(), actor: r.Uint32(), refusal: r.Uint32N(3) - 1,
				client: timeline.Client{Address: r.Uint32(), Agent: r.Uint32()}, own: r.IntN(2) == 0, signIn: r.IntN(2) == 0,
			}
			a.add(n, &x)
			b.add(n, &x)
		}
		if b.failed != nil || b.held > b.limit || len(b.attempts[0].stored) == 0 {
			t.Fatalf("%d attempts are held, %d pieces stored: %v", b.held, len(b.attempts[0].stored), b.failed)
		}
		inMemory.parts, onDisk.parts = append(inMemory.parts, a), append(onDisk.parts, b)
	}
	for n := range users {
		want, err := inMemory.of(n)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := onDisk.of(n); err != nil || !slices.Equal(got, want) {
			t.Errorf("user %d: %d attempts from disk, want %d: %v", n, len(got), len(want), err)
		}
	}
}

// TestMachineRounds checks that the acceptances that a machine leaves out change no round.
func TestMachineRounds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	d := &Diagnosis{Evidence: &session.Evidence{}}
	for _, pause := range []int64{10, 1500, 6000} {
		var all []answer
		var m machine
		at := int64(0)
		for i := range uint32(3000) {
			at += r.Int64N(pause)
			a := answer{at, timeline.NoRefusal, 1}
			if r.IntN(20) == 0 {
				a.refusal = i
			}
			all = append(all, a)
			m.add(a)
		}
		type span struct {
			time, end int64
			outcome   roundOutcome
		}
		spans := func(list []answer) (spans []span) {
			for _, x := range roundsOf(d, list) {
				spans = append(spans, span{x.time, x.end, x.outcome})
			}
			return spans
		}
		if got, want := spans(m.answers), spans(all); !reflect.DeepEqual(got, want) {
			t.Errorf("pauses of %d ms: %d rounds of %d answers, want %d of %d", pause, len(got), len(m.answers), len(want), len(all))
		}
		if pause == 10 && len(m.answers) > len(all)/4 {
			t.Errorf("%d of %d answers are kept", len(m.answers), len(all))
		}
	}
}
