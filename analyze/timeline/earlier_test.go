package timeline

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"logscan/analyze/spill"
	"logscan/parse/privacy"
)

// earlier returns the data of an earlier run with a session that continues, one
// that does not, and a client without session.
func earlier() *Earlier {
	sums := []SessionSum{privacy.SessionSum([]byte("goes on")), privacy.SessionSum([]byte("gone"))}
	event := func(ms int64, endpoint, user uint32, o Outcome) Event {
		return Event{Time: ms, Endpoint: endpoint, User: user, Client: Client{1, 0}, Outcome: o, Upstream: 1, Origin: OriginOf(HTTPS)}
	}
	actors := []EarlierActor{
		{Session: sums[0], Named: true, Before: []byte("before"), Events: []Event{event(1000, 0, 1, Accepted), event(3000, 1, 1, Unauthorized)}},
		{Session: sums[1], Named: true, Before: []byte("only before")},
		{Client: Client{1, 0}, Events: []Event{event(2000, 0, 0, Accepted)}},
	}
	e := &Earlier{
		Endpoints: []EarlierEndpoint{
			{Host: "h", Method: "GET", Template: "/b", Known: EarlierCounts{Accepted: 7, Bare: 1, Unauthorized: 2, Learnt: 4, Sticky: 3}},
			{Host: "h", Method: "POST", Template: "/login"},
		},
		Users: []string{"ada"}, Upstreams: []string{"u1"}, Addresses: []string{"", "10.0.0.9"}, Agents: []string{"agent"},
		Clients:  []Client{{1, 0}},
		Sessions: slices.SortedFunc(slices.Values(sums), func(a, b SessionSum) int { return strings.Compare(string(a[:]), string(b[:])) }),
	}
	e.Actors = func(yield func(*EarlierActor, error) bool) {
		for i := range actors {
			if !yield(&actors[i], nil) {
				return
			}
		}
	}
	return e
}

// The events of an earlier run are part of the timelines and are not counted
// again, in memory and spilled.
func TestRecall(t *testing.T) {
	for _, limit := range []int64{0, 1} {
		t.Run(fmt.Sprint("limit ", limit), func(t *testing.T) {
			e := earlier()
			space := spill.NewSpace(filepath.Join(t.TempDir(), "spill"))
			defer space.Close()
			var workers []*Worker
			for range 2 {
				w := NewWorker(42, 1)
				w.Limit(limit, space)
				w.ExpectSessions(e)
				workers = append(workers, w)
			}
			workers[0].SetLinesBefore(0, 100)
			rs := []request{
				{at: 2500, host: "h", path: "/b", session: "goes on", client: "10.0.0.1", status: 200},
				{at: 4000, host: "h", path: "/b", session: "goes on", client: "10.0.0.9", user: "ada", status: 401},
				{at: 5000, host: "h", path: "/b", client: "10.0.0.2", status: 200},
			}
			for i, r := range rs {
				x := r.entry()
				workers[i%2].Entry(0, int64(i), &x, []byte("line"))
			}
			past, err := NewEarlierWorker(workers, e)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Merge(append(workers, past))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for i := range Shards {
				err := s.Shard(i, new(Scratch), nil, func(_ uint32, a *Actor) {
					who := "client"
					if a.Session != nil {
						who = string(a.Session)
					}
					if a.Hashed {
						who = fmt.Sprintf("%x", a.Session)
					}
					text := string(a.Before) + ":"
					for _, e := range a.Events {
						text += fmt.Sprintf(" %d", e.Time)
						if e.Refusal == EarlierEvent {
							text += fmt.Sprintf("(%s %s %d %d)", s.Endpoints[e.Endpoint].Template, s.Addresses[e.Client.Address], e.Outcome, e.User)
						}
					}
					if who == "client" {
						who += " " + s.Addresses[a.Events[0].Client.Address]
					}
					got[who] = text
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			want := map[string]string{
				"goes on":                           "before: 1000(/b 10.0.0.9 0 1) 2500 3000(/login 10.0.0.9 2 1) 4000",
				privacy.SessionHash([]byte("gone")): "only before:",
				"client 10.0.0.9":                   ": 2000(/b 10.0.0.9 0 0)",
				"client 10.0.0.2":                   ": 5000",
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%v\nwant %v", got, want)
			}
			i := slices.IndexFunc(s.Endpoints, func(e Endpoint) bool { return e.Template == "/b" })
			if x := s.Endpoints[i]; x.N[Accepted] != 2 || x.N[Unauthorized] != 1 || x.Known != (EarlierCounts{7, 1, 2, 0, 4, 3, 0}) {
				t.Errorf("endpoint %+v", x)
			}
			if s.Refusals.Len() != 1 || s.Refusals.At(0).Line != 102 {
				t.Errorf("%d refusals", s.Refusals.Len())
			}
			if u := s.Users[s.EarlierUser(1)-1]; u.Name != "ada" || u.N[Unauthorized] != 1 || u.N[Accepted] != 0 {
				t.Errorf("user %+v", u)
			}
			if c := s.EarlierClient(Client{1, 0}); s.Addresses[c.Address] != "10.0.0.9" || s.EarlierAddress(2) != c.Address {
				t.Errorf("client %+v", c)
			}
		})
	}
}

// Nodes that an earlier run collapsed stay collapsed.
func TestRecallCollapsed(t *testing.T) {
	e := &Earlier{Endpoints: []EarlierEndpoint{
		{Host: "h", Method: "GET", Template: "/wiki/{name}/edit", Known: EarlierCounts{Accepted: 1}},
		{Host: "h", Method: "GET", Template: "/blog/{name}/edit"}, // a run that shortened all templates
	}}
	e.Actors = func(func(*EarlierActor, error) bool) {}
	w := NewWorker(1, 1)
	for i, path := range []string{"/wiki/Ada/edit", "/wiki/Babbage/edit", "/blog/Ada/edit"} {
		r := request{at: int64(i), host: "h", path: path, client: "c", status: 200}.entry()
		w.Entry(0, int64(i), &r, nil)
	}
	past, err := NewEarlierWorker([]*Worker{w}, e)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Merge([]*Worker{w, past})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range s.Endpoints {
		got = append(got, fmt.Sprint(x.Template, " ", x.N[Accepted]))
	}
	if want := []string{"/blog/Ada/edit 1", "/blog/{name}/edit 0", "/wiki/{name}/edit 2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
