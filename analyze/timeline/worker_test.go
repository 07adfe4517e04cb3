package timeline

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"logscan/parse"
)

// request is a log line of a test.
type request struct {
	at                                int64 // Unix milliseconds
	host, path, user, session, client string
	status                            int32
	agent, upstream                   string
}

func (r request) entry() parse.Entry {
	var e parse.Entry
	e.Reset()
	e.Time, e.Status = r.at*1000, r.status
	e.Method, e.Path, e.Host = []byte("GET"), []byte(r.path), []byte(r.host)
	e.User, e.Session, e.Client, e.UserAgent = []byte(r.user), []byte(r.session), []byte(r.client), []byte(cmp.Or(r.agent, "agent"))
	e.Upstream = []byte(r.upstream)
	return e
}

// setup describes the workers of a test.
type setup struct {
	workers int
	seed    uint64
	turn    func(i int) int // worker of request i, modulo workers; nil: the first one
	memory  int64           // limit in bytes, beyond the size of an empty worker; 0: no limit
	names   int             // limit of names; 0: MaxNames
}

// merge adds the requests to the workers and returns the merged state.
func (s setup) merge(t *testing.T, rs []request) *State {
	t.Helper()
	ws := s.new(t)
	for i, r := range rs {
		w := ws[0]
		if s.turn != nil {
			w = ws[s.turn(i)%s.workers]
		}
		e := r.entry()
		w.Entry(0, int64(i), &e, []byte(fmt.Sprint(r)))
	}
	if s.memory > 0 && len(ws[0].spilled) < 2 {
		t.Fatalf("only %d parts were spilled with a limit of %d bytes", len(ws[0].spilled), s.memory)
	}
	state, err := merge(ws, cmp.Or(s.names, MaxNames))
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// same compares states whose requests have distinct times.
func same(t *testing.T, what string, got, want *State) {
	t.Helper()
	if a, b := events(got), events(want); !reflect.DeepEqual(a, b) {
		t.Errorf("%s: events differ: %s", what, firstDifference(a, b))
	}
	sameButEvents(t, what, got, want)
}

func sameButEvents(t *testing.T, what string, got, want *State) {
	t.Helper()
	for _, part := range []struct {
		name      string
		got, want any
	}{
		{"inputs", got.Inputs, want.Inputs}, {"endpoints", got.Endpoints, want.Endpoints},
		{"users", got.Users, want.Users}, {"addresses", got.Addresses, want.Addresses}, {"agents", got.Agents, want.Agents},
		{"upstreams", got.Upstreams, want.Upstreams}, {"minutes", got.Minutes, want.Minutes}, {"grain", got.Grain, want.Grain},
		{"other users", []any{got.OtherUsers, got.OfOtherUsers}, []any{want.OtherUsers, want.OfOtherUsers}},
		{"other clients", got.OtherClients, want.OtherClients},
	} {
		if !reflect.DeepEqual(part.got, part.want) {
			t.Errorf("%s: %s differ: %s", what, part.name, firstDifference(part.got, part.want))
		}
	}
	read, readWant := got.Lines(nil), want.Lines(nil)
	for i := range want.Refusals.Len() {
		a, errA := read(got.Refusals.At(i))
		b, errB := readWant(want.Refusals.At(i))
		if errA != nil || errB != nil || string(a) != string(b) || got.Refusals.At(i).Line != want.Refusals.At(i).Line {
			t.Fatalf("%s: refusal %d: %q (%v), want %q (%v)", what, i, a, errA, b, errB)
		}
	}
}

// firstDifference describes the first difference between two values or lists.
func firstDifference(got, want any) string {
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if g.Kind() != reflect.Slice {
		return fmt.Sprintf("%v, want %v", got, want)
	}
	for i := range min(g.Len(), w.Len()) {
		if a, b := g.Index(i).Interface(), w.Index(i).Interface(); !reflect.DeepEqual(a, b) {
			return fmt.Sprintf("element %d of %d is %v, want %v", i, g.Len(), a, b)
		}
	}
	return fmt.Sprintf("%d elements, want %d", g.Len(), w.Len())
}

// seen is an event with all indexes resolved, to compare states.
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
					x.line = s.Refusals.At(int(e.Refusal)).Line
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

// The timelines contain every request with all its fields.
func TestTimelinesAreComplete(t *testing.T) {
	rs := randomRequests(rand.New(rand.NewPCG(1, 1)), 5000)
	got := events(setup{workers: 1, seed: 42}.merge(t, rs))
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
				t.Fatalf("event %d of %d (of %d returned)\n got %+v\nwant %+v", i, len(want), len(got), got[min(i, len(got)-1)], want[i])
			}
		}
	}
}

// The state does not depend on which worker reads which line, or on what is
// spilled.
func TestMergeIsIndependentOfWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	rs := randomRequests(r, 3000)
	for _, names := range []int{0, 7} {
		one := setup{workers: 1, seed: 1, names: names}.merge(t, rs)
		for _, workers := range []int{1, 2, 8} {
			for _, memory := range []int64{0, 160 << 10} {
				s := setup{workers, uint64(workers), func(int) int { return r.IntN(workers) }, memory, names}
				same(t, fmt.Sprintf("%d workers, %d bytes, %d names", workers, memory, names), s.merge(t, rs), one)
			}
		}
	}
}

func TestFirstRejected(t *testing.T) {
	w := NewWorker(1, 1)
	for i := 10*maxRejected - 1; i >= 0; i-- {
		w.rejected = append(w.rejected, Rejected{seq: int64(i)})
		if len(w.rejected) >= 2*maxRejected {
			w.rejected = firstRejected(w.rejected)
		}
	}
	for i, r := range firstRejected(w.rejected) {
		if r.seq != int64(i) {
			t.Fatalf("rejected line %d is from block %d", i, r.seq)
		}
	}
}
