package authevents

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/events"
)

// line is a refusal or an event of a test, from a text of key=value pairs: t is the time
// in seconds.
type line map[string]string

func lineOf(text string) line {
	l := line{}
	for pair := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(pair, "=")
		l[key] = value
	}
	return l
}

func (l line) bytes(key string) []byte {
	if l[key] == "" {
		return nil
	}
	return []byte(l[key])
}

var start = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC).UnixMicro()

func (l line) micros(key string) int64 {
	d, err := time.ParseDuration(cmpOr(l[key], "0") + "s")
	if err != nil {
		panic(err)
	}
	return d.Microseconds()
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// testInput returns an input of the lines. Those of the directory d of a refusal or event
// are in its log.
func testInput(refusals, messages []string) *Input {
	var requests, said []line
	for _, r := range refusals {
		requests = append(requests, lineOf(r))
	}
	for _, m := range messages {
		said = append(said, lineOf(m))
	}
	slices.SortStableFunc(requests, func(a, b line) int { return int(a.micros("t") - b.micros("t")) })
	s := &timeline.State{Messages: spill.TableOf(make([]timeline.Message, len(said))), Refusals: spill.TableOf(make([]timeline.Refusal, len(requests))), Inputs: make([]timeline.Ledger, 4)}
	input := func(l line, first int32) int32 {
		if l["line"] != "" { // of a log of messages and requests
			return 3
		}
		if l["d"] == "2" {
			return first + 1
		}
		return first
	}
	for i, r := range requests {
		x := s.Refusals.At(i)
		x.Input, x.Time, x.Line = input(r, 0), start+r.micros("t"), r.micros("line")/1e6
	}
	for i, m := range said {
		x := s.Messages.At(i)
		x.Input, x.Line = input(m, 2), m.micros("line")/1e6
	}
	logs := map[string]*events.Log{}
	for _, l := range events.Logs() {
		logs[l.Name] = l
	}
	return &Input{
		State: s, Workers: 2, Since: parse.NoTime, Until: parse.NoTime,
		LogOf:       func(input int) string { return fmt.Sprintf("web%d/error.log", input%2+1) },
		DirectoryOf: func(input int) string { return fmt.Sprintf("web%d", input%2+1) },
		Requests: func(keyer Keyer) func(int, *RequestKeys) error {
			return func(i int, keys *RequestKeys) error {
				r := requests[i]
				var e parse.Entry
				e.Reset()
				e.Time, e.Status, e.Duration = start+r.micros("t"), 401, r.micros("dur")
				e.Client, e.Peer, e.User, e.Host, e.Session, e.Method = r.bytes("client"), r.bytes("peer"), r.bytes("user"), r.bytes("host"), r.bytes("session"), r.bytes("method")
				path, query, _ := strings.Cut(r["target"], "?")
				e.Path, e.Query = []byte(path), []byte(query)
				k := parse.Keys{Connection: r.bytes("conn"), Ordinal: r.bytes("ord"), Port: r.bytes("port")}
				if r["id"] != "" {
					k.IDs = [][]byte{r.bytes("id")}
				}
				var made RequestKeys
				keyer.Request(&made, &e, &k)
				_, err := keys.Read(made.AppendTo(nil))
				return err
			}
		},
		Events: func(keyer Keyer) func(int, *EventKeys) error {
			return func(i int, keys *EventKeys) error {
				m := said[i]
				e := &events.Event{
					Time: start + m.micros("t"), Local: m["local"] != "", Outcome: events.Refused, Reason: []byte(cmpOr(m["reason"], "invalid_credentials")),
					Client: m.bytes("client"), Port: m.bytes("port"), User: m.bytes("user"), Method: m.bytes("method"), Target: m.bytes("target"),
					Host: m.bytes("host"), Connection: m.bytes("conn"), RequestID: m.bytes("id"), Session: m.bytes("session"),
				}
				switch m["outcome"] {
				case "failed":
					e.Outcome = events.Failed
				case "accepted":
					e.Outcome = events.Accepted
				}
				_, _ = fmt.Sscan(cmpOr(m["status"], "0"), &e.Status)
				var texts events.Texts
				var record events.Record
				if err := texts.Read(texts.AppendRecord(nil, logs[cmpOr(m["log"], "nginx-error")], e), &record); err != nil {
					return err
				}
				var made EventKeys
				keyer.Record(&made, &record)
				_, err := keys.Read(made.AppendTo(nil))
				return err
			}
		},
	}
}

// outcome describes what became of the events: for each, the index of its refusal and the
// key, or ?, or -.
func outcomeOf(t *testing.T, in *Input) (string, *Joined) {
	t.Helper()
	joined, err := Join(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range joined.Events {
		switch e := &joined.Events[i]; {
		case e.Refusal >= 0:
			all = append(all, fmt.Sprintf("%d:%s", e.Refusal, e.Match))
		case e.Ambiguous:
			all = append(all, "?")
		default:
			all = append(all, "-")
		}
	}
	return strings.Join(all, " "), joined
}

func TestJoin(t *testing.T) {
	const get = " client=192.0.2.1 method=GET target=/a?b=1"
	for _, c := range []struct {
		name             string
		refusals, events []string
		want             string
	}{
		{"an id, whatever the clocks say", []string{"t=0 id=r1" + get, "t=0 id=r2" + get}, []string{"t=900 id=r2", "t=0 id=r1"}, "1:request_id 0:request_id"},
		{"an id of several requests of a trace", []string{"t=0 id=x" + get, "t=60 id=x" + get}, []string{"t=60 id=x", "t=0 id=x"}, "1:request_id 0:request_id"},
		{"an id of several requests at once", []string{"t=0 id=x" + get, "t=0 id=x" + get}, []string{"t=0 id=x"}, "?"},
		{"an id of a request in the logs of two programs", []string{"t=0 id=x" + get, "t=0.4 d=2 id=x" + get}, []string{"t=0.3 id=x"}, "1:request_id"},
		{"a session", []string{"t=0 session=s1 client=10.0.0.1", "t=0 session=s2 client=10.0.0.1"}, []string{"t=1.5 session=s2 client=192.0.2.9"}, "1:session"},
		{"several lines with an id, one of them of another request", []string{"t=0 id=x" + get}, []string{"t=0 id=x reason=token_expired", "t=0.1 id=x", "t=70 id=x"}, "0:request_id 0:request_id -"},
		{"the client alone", []string{"t=0" + get, "t=5" + get}, []string{"t=5 client=192.0.2.1 status=401", "t=0 client=192.0.2.1 status=401"}, "1:client 0:client"},
		{"the client alone, with another status", []string{"t=0" + get}, []string{"t=0 client=192.0.2.1", "t=0 client=192.0.2.1 status=500"}, "- -"},
		{"the client alone, of several requests", []string{"t=0" + get, "t=0" + get}, []string{"t=0 client=192.0.2.1 status=401"}, "?"},
		{"the client alone, of a user that the access log does not name", []string{"t=0" + get}, []string{"t=0 client=192.0.2.1 user=jane status=401"}, "0:client"},
		{"the client alone, of another user", []string{"t=0 user=john" + get}, []string{"t=0 client=192.0.2.1 user=jane status=401"}, "-"},
		{"a session that was refused elsewhere with another status", []string{"t=0 session=s1" + get, "t=0 session=s2" + get}, []string{"t=1 session=s2 status=400 log=keycloak-events", "t=0 client=192.0.2.1 status=400 log=keycloak-events"}, "1:session -"},
		{"the client alone, in the log of an identity provider", []string{"t=0" + get}, []string{"t=0 client=192.0.2.1 status=401 log=keycloak-events"}, "-"},
		{"the client alone, in the log of an application", []string{"t=0" + get, "t=9" + get}, []string{"t=0 client=192.0.2.1 user=jane status=401 log=sonarqube-log"}, "0:client"},
		{"the client alone, in the log of an application, of another user", []string{"t=0 user=john" + get}, []string{"t=0 client=192.0.2.1 user=jane status=401 log=sonarqube-log"}, "-"},
		{"the client alone, in the log of an application with requests elsewhere", []string{"t=0" + get}, []string{"t=0 client=192.0.2.1 status=401 log=sonarqube-log", "t=5 client=192.0.2.1 status=401 log=sonarqube-log"}, "- -"},
		{"the client alone, in the log of an application, of several requests", []string{"t=0" + get, "t=0" + get}, []string{"t=0 client=192.0.2.1 status=401 log=sonarqube-log"}, "?"},
		{"a request that follows in the same log", []string{"t=0 line=3 id=r1 client=192.0.2.1 method=GET target=/auth", "t=0 line=5 id=r2 client=192.0.2.2 method=GET target=/auth"},
			[]string{"t=0 line=4 log=oauth2-proxy-log", "t=0 line=1 log=oauth2-proxy-log"}, "1:line 0:line"},
		{"a request that follows, and the same in another log", []string{"t=0 id=r1" + get, "t=0 id=r2" + get, "t=0 line=3 id=r2 client=192.0.2.1 method=GET target=/auth"},
			[]string{"t=0 line=1 log=oauth2-proxy-log reason=token_expired", "t=0 line=2 log=oauth2-proxy-log reason=invalid_session"}, "1:request_id 1:request_id"},
		{"a request that follows, without an id", []string{"t=0.5" + get, "t=0 client=192.0.2.7 method=GET target=/a", "t=0 line=2 client=192.0.2.1 method=GET target=/auth"},
			[]string{"t=0 line=1 log=oauth2-proxy-log"}, "2:client"},
		{"a request that follows far away, or later", []string{"t=0 line=30 client=192.0.2.1 method=GET target=/auth", "t=9 line=42 client=192.0.2.1 method=GET target=/auth"},
			[]string{"t=0 line=1 log=oauth2-proxy-log", "t=0 line=41 log=oauth2-proxy-log"}, "- -"},
		{"an id, and a request without one that follows", []string{"t=0 line=3 client=192.0.2.1 method=GET target=/auth"},
			[]string{"t=0 line=1 id=r9 client=192.0.2.7 log=oauth2-proxy-log"}, "-"},
		{"requests of a connection in order", []string{"t=0 conn=7 ord=1" + get, "t=0 conn=7 ord=2" + get},
			[]string{"t=0 conn=7 reason=no_credentials" + get, "t=0 conn=7 reason=invalid_credentials" + get}, "0:connection 1:connection"},
		{"a connection number of another server", []string{"t=0 conn=7 client=192.0.2.2 method=GET target=/a?b=1"}, []string{"t=0 conn=7" + get}, "-"},
		{"a challenge that is not logged", []string{"t=0 conn=7 ord=1" + get, "t=0 conn=7 ord=2 user=jane" + get},
			[]string{"t=0 conn=7 user=jane" + get}, "1:connection"},
		{"a port", []string{"t=0 port=5000 client=192.0.2.1 method=GET target=/a%20b?c=1", "t=0 port=5001 client=192.0.2.1 method=GET target=/a%20b?c=1"},
			[]string{"t=0.2 port=5001 client=192.0.2.1 target=/a%20b"}, "1:client_port"},
		{"a port without a path", []string{"t=0 port=5000" + get, "t=0 port=5001" + get}, []string{"t=0.2 port=5001 client=192.0.2.1"}, "1:client_port"},
		{"the second and the request", []string{"t=0" + get, "t=5" + get}, []string{"t=5" + get, "t=0" + get}, "1:request 0:request"},
		{"the second before", []string{"t=1" + get}, []string{"t=0.1" + get}, "0:request"},
		{"too early", []string{"t=3" + get}, []string{"t=0" + get}, "-"},
		{"before a slow answer", []string{"t=9.5 dur=9.2" + get}, []string{"t=0" + get}, "0:request"},
		{"another query", []string{"t=0 client=192.0.2.1 method=GET target=/a?b=2"}, []string{"t=0" + get}, "-"},
		{"another method", []string{"t=0 client=192.0.2.1 method=POST target=/a?b=1"}, []string{"t=0" + get}, "-"},
		{"another client", []string{"t=0 client=192.0.2.2 method=GET target=/a?b=1"}, []string{"t=0" + get}, "-"},
		{"the client behind a proxy", []string{"t=0 client=203.0.113.5 peer=192.0.2.1 method=GET target=/a?b=1"}, []string{"t=0" + get}, "0:request"},
		{"an address in two spellings", []string{"t=0 client=2001:db8::1 target=/a method=GET"}, []string{"t=0 client=2001:DB8:0::1 target=/a method=GET"}, "0:request"},
		{"the path alone", []string{"t=0 client=192.0.2.1 method=GET target=/a%20b?c=1"}, []string{"t=0 client=192.0.2.1 target=/a%20b"}, "0:request"},
		{"users", []string{"t=0 user=jane" + get, "t=0 user=john" + get}, []string{"t=0 user=john" + get, "t=0 user=jane" + get}, "1:request 0:request"},
		{"a challenge and a failure", []string{"t=0" + get, "t=0 user=jane" + get}, []string{"t=0 user=jane" + get}, "1:request"},
		{"a challenge alone, in a log of users", []string{"t=0" + get, "t=9 user=john" + get}, []string{"t=0 user=jane" + get}, "-"},
		{"a log without users", []string{"t=0" + get}, []string{"t=0 user=jane" + get}, "0:request"},
		{"a user that the message does not name", []string{"t=0 user=jane" + get}, []string{"t=0 reason=token_expired" + get}, "0:request"},
		{"hosts", []string{"t=0 host=a.example" + get, "t=0 host=b.example" + get}, []string{"t=0 host=B.example:443" + get}, "1:request"},
		{"another host", []string{"t=0 host=a.example" + get}, []string{"t=0 host=b.example" + get}, "-"},
		{"the same directory first", []string{"t=0 d=1" + get, "t=0 d=2" + get}, []string{"t=0 d=2" + get}, "1:request"},
		{"another directory", []string{"t=0 d=1" + get, "t=50 d=2" + get}, []string{"t=0 d=2" + get}, "0:request"},

		{"as many events that say the same", []string{"t=0" + get, "t=0" + get, "t=1" + get}, []string{"t=0" + get, "t=1" + get, "t=0" + get}, "0:request 2:request 1:request"},
		{"fewer events", []string{"t=0" + get, "t=0" + get}, []string{"t=0" + get}, "?"},
		{"more events", []string{"t=0" + get}, []string{"t=0" + get, "t=0" + get}, "0:request -"},
		{"events that differ at one time", []string{"t=0" + get, "t=0" + get}, []string{"t=0 reason=token_expired" + get, "t=0 reason=no_credentials" + get}, "? ?"},
		{"events that differ, apart", []string{"t=0" + get, "t=1.5" + get}, []string{"t=0 reason=token_expired" + get, "t=1.5 reason=no_credentials" + get}, "0:request 1:request"},
		{"several lines about a refusal", []string{"t=0" + get}, []string{"t=0 reason=unknown_key" + get, "t=0 reason=signature" + get}, "0:request 0:request"},
		{"several lines that contradict", []string{"t=0" + get}, []string{"t=0 reason=unknown_key" + get, "t=0 reason=acl_denied" + get}, "? ?"},

		{"a user at an identity provider", []string{"t=0 user=jane" + get, "t=30 user=jane" + get}, []string{"t=31.5 user=jane client=192.0.2.1 log=keycloak-events"}, "1:user_client"},
		{"a user whose name is in lower case at an identity provider", []string{"t=0 user=Jane@Example.org" + get}, []string{"t=1 user=jane@example.org client=192.0.2.1 log=keycloak-events"}, "0:user_client"},
		{"a user whose address is a proxy's", []string{"t=0 user=jane" + get}, []string{"t=1 user=jane client=10.0.0.1 log=keycloak-events"}, "0:user"},
		{"a user with two refusals", []string{"t=0 user=jane" + get, "t=1 user=jane" + get}, []string{"t=1 user=jane client=10.0.0.1 log=keycloak-events"}, "?"},
		{"a user, but another request", []string{"t=0 user=jane" + get}, []string{"t=0 user=jane client=192.0.2.1 method=GET target=/z"}, "-"},
		{"a form of an application", []string{"t=0" + get, "t=0 client=192.0.2.1 method=POST target=/login", "t=0 user=ann client=192.0.2.1 method=POST target=/a"}, []string{"t=1 client=192.0.2.1 user=jane log=php-error"}, "1:client"},
		{"forms that are answered otherwise, but one", []string{"t=0 client=192.0.2.1 method=POST target=/refresh"}, []string{"t=1 client=192.0.2.1 user=jane log=php-error", "t=90 client=192.0.2.1 user=jane log=php-error"}, "- -"},
		{"two logs about a refusal", []string{"t=0 user=jane" + get}, []string{"t=0 user=jane" + get, "t=1 user=jane reason=account_locked log=keycloak-events"}, "0:request 0:user"},

		{"an accepted sign-in", []string{"t=0" + get}, []string{"t=0 outcome=accepted" + get}, "-"},
		{"answered otherwise", []string{"t=0" + get}, []string{"t=0 outcome=failed status=500" + get}, "-"},
		{"a failure answered 401", []string{"t=0" + get}, []string{"t=0 outcome=failed reason=identity_provider_down" + get}, "0:request"},
		{"a name that imitates the end of a line", []string{"t=0 user=x" + get}, []string{"t=0 user=x\",client:192.0.2.9" + get}, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := outcomeOf(t, testInput(c.refusals, c.events))
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			space := spill.NewSpace(filepath.Join(t.TempDir(), "spill"))
			defer space.Close()
			in := testInput(c.refusals, c.events)
			in.Memory, in.atOnce = spill.Memory{Bytes: 1, Space: space}, 1
			if got, _ := outcomeOf(t, in); got != c.want || space.Written() == 0 {
				t.Errorf("on disk: %s, want %s", got, c.want)
			}
		})
	}
}

// TestClocks checks how the offset of the clock of a log of events is found.
func TestClocks(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int     // requests
		offset  float64 // seconds, of the log of events
		local   bool
		matched int
		want    int64 // seconds
	}{
		{"none", 20, 0, true, 20, 0},
		{"a time zone", 20, 7200, true, 20, 7200},
		{"half an hour", 3, -19800, true, 3, -19800},
		{"two events in another zone", 2, 3600, true, 2, 3600},
		{"one event in another zone", 1, 3600, true, 0, 0},
		{"a clock that is wrong", 20, 37, false, 20, 37},
		{"a clock that is behind", 20, -200, true, 20, -200},
		{"a wrong clock with few events", 3, 37, false, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var refusals, messages []string
			for i := range c.n {
				request := fmt.Sprintf(" client=192.0.2.%d method=GET target=/p/%d", i, i)
				refusals = append(refusals, fmt.Sprintf("t=%d", 1000*i)+request)
				local := ""
				if c.local {
					local = " local=1"
				}
				messages = append(messages, fmt.Sprintf("t=%v", float64(1000*i)+c.offset)+request+local)
			}
			_, joined := outcomeOf(t, testInput(refusals, messages))
			s := joined.Sources[0]
			if s.Offset != c.want*1e6 || s.Matched != int64(c.matched) || s.Events != int64(c.n) || s.Unmatched != int64(c.n-c.matched) {
				t.Errorf("%+v, want %d s and %d matched", s, c.want, c.matched)
			}
		})
	}
}

// A monitor that asks every quarter of an hour makes no time zone.
func TestRegularRequestsAreNoOffset(t *testing.T) {
	var refusals, messages []string
	for i := range 8 {
		refusals = append(refusals, fmt.Sprintf("t=%d client=192.0.2.1 method=GET target=/health", 900*i))
	}
	for i := range 4 { // the other log begins later
		messages = append(messages, fmt.Sprintf("t=%d client=192.0.2.1 method=GET target=/health local=1", 900*(i+4)))
	}
	got, joined := outcomeOf(t, testInput(refusals, messages))
	if joined.Sources[0].Offset != 0 || got != "4:request 5:request 6:request 7:request" {
		t.Errorf("%s, %+v", got, joined.Sources[0])
	}
}

// When clocks are set forward for the summer, a log has two offsets.
func TestOffsetThatChanges(t *testing.T) {
	var refusals, messages []string
	for i := range 40 {
		request := fmt.Sprintf(" client=192.0.2.%d method=GET target=/p/%d", i, i)
		refusals = append(refusals, fmt.Sprintf("t=%d", 1000*i)+request)
		messages = append(messages, fmt.Sprintf("t=%d local=1", 1000*i+3600*(1+i/25))+request)
	}
	if _, joined := outcomeOf(t, testInput(refusals, messages)); joined.Sources[0].Matched != 40 {
		t.Errorf("%+v", joined.Sources[0])
	}
}

// The time zone that the user names is not estimated.
func TestNamedTimezone(t *testing.T) {
	in := testInput([]string{"t=0 client=192.0.2.1 method=GET target=/a"}, []string{"t=3600 client=192.0.2.1 method=GET target=/a local=1"})
	in.Timezone = time.FixedZone("", 3600)
	if got, joined := outcomeOf(t, in); got != "0:request" || joined.Sources[0].Offset != 0 {
		t.Errorf("%s, %+v", got, joined.Sources[0])
	}
}

// TestNoJoinIsWrong plays a busy site with several users behind each address, whose log
// of events lacks challenges and some lines, and checks every join against the truth.
func TestNoJoinIsWrong(t *testing.T) {
	for _, fields := range []string{"user", "user conn ord", "", "port", "conn ord"} {
		r := rand.New(rand.NewPCG(1, uint64(len(fields))))
		var refusals, messages []string
		truth := map[string]string{} // number of a message to that of its refusal
		for i := range 2000 {
			at := float64(r.IntN(1600)) + r.Float64()
			l := line{"t": fmt.Sprintf("%.0f", at), "client": fmt.Sprintf("192.0.2.%d", r.IntN(30)), "method": "GET", "target": fmt.Sprintf("/p/%d", r.IntN(4)), "user": "u" + fmt.Sprint(r.IntN(5)),
				"conn": fmt.Sprint(100000 + i/2), "ord": fmt.Sprint(i%2 + 1), "port": fmt.Sprint(1024 + r.IntN(60000))}
			reason := []string{"", "invalid_credentials", "token_expired"}[r.IntN(3)]
			text := fmt.Sprintf("t=%s client=%s method=GET target=%s n=%d", l["t"], l["client"], l["target"], i)
			for _, f := range strings.Fields(fields) {
				if f == "user" && reason == "" {
					continue // a challenge
				}
				text += " " + f + "=" + l[f]
			}
			refusals = append(refusals, text+" reason="+reason)
			if reason != "" && r.IntN(20) > 0 {
				message := fmt.Sprintf("t=%d client=%s method=GET target=%s conn=%s port=%s reason=%s", int(at), l["client"], l["target"], l["conn"], l["port"], reason)
				if reason == "invalid_credentials" {
					message += " user=" + l["user"]
				}
				truth[fmt.Sprint(len(messages))] = reason
				messages = append(messages, message)
			}
		}
		in := testInput(refusals, messages)
		joined, err := Join(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		var sorted []line
		for _, text := range refusals {
			sorted = append(sorted, lineOf(text))
		}
		slices.SortStableFunc(sorted, func(a, b line) int { return int(a.micros("t") - b.micros("t")) })
		wrong := 0
		for i := range joined.Events {
			if e := &joined.Events[i]; e.Refusal >= 0 && sorted[e.Refusal]["reason"] != truth[fmt.Sprint(i)] {
				wrong++
			}
		}
		t.Logf("fields %q: %+v, %d wrong", fields, joined.Sources[0], wrong)
		if wrong > 0 {
			t.Errorf("fields %q: %d wrong reasons", fields, wrong)
		}
	}
}

// TestZoneOfFewKeys joins logs of another time zone in which one client is refused again and
// again, in logs of errors that name no request.
func TestZoneOfFewKeys(t *testing.T) {
	const zone = 5*3600 + 30*60
	for _, c := range []struct {
		name    string
		seconds []int
		offset  int
		message string
		want    int
	}{
		{"another zone", []int{0, 40, 700, 1300, 1900, 2700}, zone, "client=192.0.2.1 status=401", 6},
		{"with a request", []int{0, 40, 41, 42, 43, 44, 45, 46, 700, 1300, 1900, 2700}, -zone, "client=192.0.2.1 method=GET target=/a", 12},
		{"ports", []int{0, 40, 700, 1300, 1900, 2700}, 4321, "client=192.0.2.1 port=PORT status=401", 6},
		{"no zone", []int{0, 40, 700, 1300, 1900, 2700}, zone + 240, "client=192.0.2.1 status=401", 0},
		{"too few", []int{0, 40, 700}, zone, "client=192.0.2.1 status=401", 0},
	} {
		var refusals, messages []string
		for i, s := range c.seconds {
			port := fmt.Sprint(5000 + i)
			refusals = append(refusals, fmt.Sprintf("t=%d port=%s client=192.0.2.1 method=GET target=/a", s, port))
			messages = append(messages, strings.ReplaceAll(fmt.Sprintf("t=%d local=1 %s", s+c.offset, c.message), "PORT", port))
		}
		joined, err := Join(context.Background(), testInput(refusals, messages))
		if err != nil {
			t.Fatal(err)
		}
		right, wrong := 0, 0
		for i := range joined.Events {
			switch {
			case int(joined.Events[i].Refusal) == i:
				right++
			case joined.Events[i].Refusal >= 0:
				wrong++
			}
		}
		if right != c.want || wrong > 0 {
			t.Errorf("%s: %d are joined, want %d; %d wrongly", c.name, right, c.want, wrong)
		}
	}
}
