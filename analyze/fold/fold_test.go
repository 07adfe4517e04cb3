package fold

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"logscan/parse"
)

// request is a line as the tests write it.
type request struct {
	at                                int64 // Unix milliseconds
	host, path, user, session, client string
	status                            int32
}

func (r request) entry() parse.Entry {
	var e parse.Entry
	e.Reset()
	e.Time, e.Status = r.at*1000, r.status
	e.Method, e.Path, e.Host = []byte("GET"), []byte(r.path), []byte(r.host)
	e.User, e.Session, e.Client, e.UserAgent = []byte(r.user), []byte(r.session), []byte(r.client), []byte("agent")
	return e
}

// foldRequests spreads requests over workers by turn and merges them.
func foldRequests(seed uint64, turn func(i int) int, workers int, rs []request) *State {
	ws := make([]*Worker, workers)
	for i := range ws {
		ws[i] = NewWorker(seed, 1)
	}
	for i, r := range rs {
		w := ws[turn(i)%workers]
		e := r.entry()
		w.Entry(0, int64(i), &e, []byte(fmt.Sprint(r)))
	}
	s, err := Merge(ws)
	if err != nil {
		panic(err)
	}
	return s
}

// seen is an event with everything resolved, to compare states by.
type seen struct {
	session, client, host, template, user string
	at                                    int64
	outcome                               Outcome
	line                                  int64 // of a refusal
}

func events(s *State) []seen {
	var all []seen
	for i := range Shards {
		err := s.Shard(i, new(Scratch), nil, func(_ uint32, a *Actor) {
			for j, e := range a.Events {
				if j > 0 && a.Events[j-1].Time > e.Time {
					panic("events are not in the order of time")
				}
				x := seen{session: string(a.Session), client: s.Addresses[e.Client.Address], at: e.Time, outcome: e.Outcome,
					host: s.Endpoints[e.Endpoint].Host, template: s.Endpoints[e.Endpoint].Template}
				if e.User != 0 {
					x.user = s.Users[e.User-1].Name
				}
				if e.Refusal != NoRefusal {
					x.line = s.Refusals[e.Refusal].Line
				}
				all = append(all, x)
			}
		})
		if err != nil {
			panic(err)
		}
	}
	slices.SortFunc(all, func(a, b seen) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return int(fmt.Sprint(a)[0]) - int(fmt.Sprint(b)[0])
	})
	return all
}

func randomRequests(r *rand.Rand, n int) []request {
	status := []int32{200, 200, 200, 302, 304, 401, 403, 404, 500, 0, -1}
	rs := make([]request, n)
	for i := range rs {
		rs[i] = request{
			at:     1_770_000_000_000 + int64(i)*7 + 1, // distinct, so that the order is known
			host:   fmt.Sprintf("h%d", r.IntN(2)),
			path:   []string{"/a", "/b/12345", "/c/x", "/login"}[r.IntN(4)],
			client: fmt.Sprintf("10.0.0.%d", r.IntN(30)),
			status: status[r.IntN(len(status))],
		}
		if r.IntN(2) == 0 {
			rs[i].session = fmt.Sprintf("session-%d", r.IntN(40))
		}
		if r.IntN(3) == 0 {
			rs[i].user = fmt.Sprintf("user%d", r.IntN(25))
		}
	}
	r.Shuffle(n, func(i, j int) { rs[i], rs[j] = rs[j], rs[i] })
	return rs
}

// Every request comes back out of the timelines as it went in.
func TestTimelinesKeepEverything(t *testing.T) {
	rs := randomRequests(rand.New(rand.NewPCG(1, 1)), 5000)
	got := events(foldRequests(42, func(int) int { return 0 }, 1, rs))
	var want []seen
	for i, r := range rs {
		x := seen{session: r.session, client: r.client, at: r.at, outcome: outcome(r.status), host: r.host, user: r.user,
			template: string(appendTemplate(nil, []byte(r.path)))}
		if r.status == 404 {
			x.template = "{not_found}"
		}
		if r.status == 401 {
			x.line = int64(i) + 1
		}
		want = append(want, x)
	}
	slices.SortFunc(want, func(a, b seen) int { return int(a.at - b.at) })
	if !reflect.DeepEqual(got, want) {
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("event %d of %d (%d came back)\n got %+v\nwant %+v", i, len(want), len(got), got[min(i, len(got)-1)], want[i])
			}
		}
	}
}

// Which worker met which line, and when, leaves no trace.
func TestMergeIsIndependentOfWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	rs := randomRequests(r, 3000)
	one := foldRequests(1, func(int) int { return 0 }, 1, rs)
	for _, workers := range []int{2, 8} {
		many := foldRequests(uint64(workers), func(int) int { return r.IntN(workers) }, workers, rs)
		if !reflect.DeepEqual(events(many), events(one)) {
			t.Errorf("%d workers: other events", workers)
		}
		for _, part := range []struct {
			name      string
			got, want any
		}{
			{"inputs", many.Inputs, one.Inputs}, {"endpoints", many.Endpoints, one.Endpoints},
			{"users", many.Users, one.Users}, {"addresses", many.Addresses, one.Addresses},
			{"minutes", many.Minutes, one.Minutes},
		} {
			if !reflect.DeepEqual(part.got, part.want) {
				t.Errorf("%d workers: other %s\n got %v\nwant %v", workers, part.name, part.got, part.want)
			}
		}
		read, readOne := many.Lines(), one.Lines()
		for i := range one.Refusals {
			a, errA := read(&many.Refusals[i])
			b, errB := readOne(&one.Refusals[i])
			if errA != nil || errB != nil || string(a) != string(b) || many.Refusals[i].Line != one.Refusals[i].Line {
				t.Fatalf("refusal %d: %q (%v), want %q (%v)", i, a, errA, b, errB)
			}
		}
	}
}

func TestFirstRejectedAreKept(t *testing.T) {
	w := NewWorker(1, 1)
	for i := 10*keepRejected - 1; i >= 0; i-- {
		w.rejected = append(w.rejected, rejectedLine{seq: int64(i)})
		if len(w.rejected) >= 2*keepRejected {
			w.rejected = firstRejected(w.rejected)
		}
	}
	for i, r := range firstRejected(w.rejected) {
		if r.seq != int64(i) {
			t.Fatalf("rejected line %d is that of block %d", i, r.seq)
		}
	}
}
