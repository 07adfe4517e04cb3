package session

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// correlate returns the evidence of requests, one a line: seconds, client, user, session,
// method, path, status and optionally the reason, - for none.
func correlate(t *testing.T, lines ...string) *Evidence {
	t.Helper()
	w := timeline.NewWorker(1, 1)
	start := time.Date(2026, 4, 7, 8, 0, 0, 0, time.UTC)
	for i, line := range lines {
		f := append(strings.Fields(line), "-")
		value := func(i int) []byte {
			if f[i] == "-" {
				return nil
			}
			return []byte(f[i])
		}
		var seconds float64
		var e parse.Entry
		e.Reset()
		if _, err := fmt.Sscan(f[0], &seconds); err != nil {
			t.Fatal(line, err)
		}
		if _, err := fmt.Sscan(f[6], &e.Status); err != nil {
			t.Fatal(line, err)
		}
		e.Time = start.Add(time.Duration(seconds * float64(time.Second))).UnixMicro()
		e.Host, e.Client, e.UserAgent, e.User, e.Session = []byte("files.example.net"), value(1), []byte("agent"), value(2), value(3)
		e.Method, e.Reason = value(4), value(7)
		e.Path, e.Query, _ = bytes.Cut(value(5), []byte("?"))
		w.Entry(0, int64(i), &e, []byte(line))
	}
	state, err := timeline.Merge([]*timeline.Worker{w})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := Correlate(context.Background(), state, 1, spill.Memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// causes returns the causes of the refusals in order of time.
func causes(ev *Evidence) string {
	var list []string
	for i := range ev.Refusals.Len() {
		list = append(list, ev.Refusals.At(i).Cause.String())
	}
	return strings.Join(list, " ")
}

// each returns lines for the given times of seconds, which replace @; # is the number.
func each(from, step, n int, lines ...string) (all []string) {
	for i := range n {
		for _, l := range lines {
			all = append(all, strings.NewReplacer("@", fmt.Sprint(from+i*step), "#", fmt.Sprint(i)).Replace(l))
		}
	}
	return all
}

func times(n int, cause string) string { return strings.TrimSpace(strings.Repeat(cause+" ", n)) }

func TestCausesOfHandshakes(t *testing.T) {
	page := each(0, 60, 12, "@ c9 amir - GET /dav/amir 200") // protected: accepted with users only
	for name, test := range map[string]struct {
		lines []string
		want  string
	}{
		"session cookie in both legs": {
			each(0, 40, 9, "@ c1 - s1 GET /tree/f# 401", "@ c1 ida s1 GET /tree/f# 200"), times(9, "challenge"),
		},
		"session cookie, no user logged": {
			each(0, 40, 9, "@ c1 - s1 GET /tree/ 401", "@ c1 - s1 GET /tree/ 200"), times(9, "challenge"),
		},
		"session begins with the answer": {
			each(0, 40, 5, "@ c1 - - GET /mgr 401", "@ c1 ida s# GET /mgr 200"), times(5, "challenge"),
		},
		"an office, whose programs partly send cookies, in a log of whole seconds": {
			append(append(each(0, 40, 12, "@ c1 - - GET /dav/a 401", "@ c1 ida s1 GET /dav/a 200"), each(20, 40, 12, "@ c1 omar - GET /dav/b 200", "@ c1 - - GET /dav/b 401")...),
				each(30, 40, 12, "@ c1 uma - GET /dav/c 200", "@ c1 - - GET /dav/c 401", "@ c1 - s2 GET /dav/d 404", "@ c1 - - GET /dav/d 401")...), times(48, "challenge"),
		},
		"a person, whose programs partly send cookies": {
			append(each(0, 400, 12, "@ c1 - - GET /dav/a 401", "@ c1 ida s1 GET /dav/a 200"), each(200, 400, 3, "@ c1 ida - GET /dav/b 200", "@ c1 - - GET /dav/b 401")...), times(15, "challenge"),
		},
		"an office, part of whose programs send cookies, and an outage": {
			append(append(each(0, 40, 12, "@ c1 - - GET /dav/a 401", "@ c1 ida s1 GET /dav/a 200"), each(20, 40, 12, "@ c1 omar - GET /dav/b 200", "@ c1 - - GET /dav/b 401")...),
				append(each(2000, 60, 40, "@ c1 - - GET /dav/b 401", "@ c1 uma - GET /open 200"), each(9000, 40, 4, "@ c1 - - GET /dav/a 401", "@ c1 ida s1 GET /dav/a 200")...)...),
			times(24, "challenge") + " " + times(40, "unexplained") + " " + times(4, "challenge"),
		},
		"an office, refused at random": {
			append(append(each(0, 40, 12, "@ c1 - - GET /dav/a 401"), each(9, 40, 12, "@ c1 ida s1 GET /dav/a 200", "@ c1 omar - GET /dav/b 200")...),
				each(30, 40, 12, "@ c1 - - GET /dav/b 401", "@ c1 uma - GET /dav/c 200")...), "anonymous " + times(23, "unexplained"),
		},
		"answers that are not 2xx": {
			append(each(1, 50, 2, "@ c1 - - PROPFIND /dav/x 401", "@ c1 ida - PROPFIND /dav/x 404"),
				append(each(200, 50, 2, "@ c1 - - MKCOL /dav/y 401", "@ c1 ida - MKCOL /dav/y 405"),
					append(each(400, 50, 2, "@ c1 - - LOCK /dav/z 401", "@ c1 ida - LOCK /dav/z 423"),
						each(600, 50, 2, "@ c1 - - GET /dav/w 401", "@ c1 ida - GET /dav/w 301")...)...)...), times(8, "challenge"),
		},
		"two legs": {
			each(0, 300, 4, "@ c1 - - GET /intra 401 no_credentials", "@ c1 - - GET /intra 401 no_credentials", "@ c1 ida - GET /intra 200"),
			times(8, "challenge"),
		},
		"two legs, then denied": {
			append(each(0, 300, 1, "@ c1 - - GET /intra 401", "@ c1 - - GET /intra 401", "@ c1 ida - GET /intra 200"),
				each(300, 300, 2, "@ c1 - - GET /intra 401", "@ c1 - - GET /intra 401", "@ c1 ida - GET /intra 401 acl_denied")...),
			"challenge challenge " + times(2, "challenge challenge unexplained"),
		},
		"busy client, many legs in a second": {
			append(append(each(0, 0, 12, "0 c1 - - GET /pkg/ 401"), each(0, 0, 12, "0 c1 ida - GET /pkg/ 200")...), page...), times(12, "challenge"),
		},
		"400 and 429 answer nothing": {
			append(each(1, 600, 2, "@ c1 - - PUT /dav/q 401", "@ c1 ida - PUT /dav/q 429"), page...), times(2, "anonymous"),
		},
		"404 of a stranger answers nothing": {
			append(each(1, 600, 3, "@ c1 - - GET /dav/q 401", "@ c1 - - GET /dav/p 404"), page...), times(3, "anonymous"),
		},
		"wrong password named, then right": {
			append([]string{"1 c1 - - GET /dav/a 401", "9 c1 ida - GET /dav/a 401", "21 c1 ida - GET /dav/a 200"}, page...), "challenge login_failure",
		},
		"wrong passwords in a form without a known name": {
			append([]string{"1 c1 - - POST /enter 401", "15 c1 - - POST /enter 401", "22 c1 - - POST /enter 401", "40 c1 - - POST /enter 200"}, page...),
			times(3, "login_failure"),
		},
		"wrong passwords at the browser's password box": {
			append([]string{"1 c1 - - GET /box 401", "15 c1 - - GET /box 401", "29 c1 - - GET /box 401", "44 c1 - - GET /box 200"}, page...),
			"challenge login_failure login_failure",
		},
		"people come back to the password box, after their browser forgot it": {
			append(each(0, 30, 4, "@ c# - - GET /box 401", "@ c# u# - GET /box 401", "@ c# u# - GET /box 200"),
				"1000 c7 - - GET /box 401", "1020 c7 uma - GET /box 200", "9000 c7 - - GET /box 401", "9030 c7 uma - GET /box 200"),
			times(4, "challenge login_failure") + " challenge challenge",
		},
		"no credentials are known to be named by refusals": {
			[]string{"1000 c7 - - GET /box 401", "1020 c7 uma - GET /box 200", "9000 c7 - - GET /box 401", "9030 c7 uma - GET /box 200"},
			"challenge unexplained",
		},
		"the log says that the password is wrong": {
			append([]string{"1 c1 - - GET /box 401 no_credentials", "1 c1 - - GET /box 401 invalid_credentials", "2 c1 ida - GET /box 200"}, page...),
			"challenge login_failure",
		},
		"guesses in a second are no legs": {
			append(append(each(0, 0, 90, "5 c1 - - GET /box 401"), "5 c1 ida - GET /box 200"), page...),
			"",
		},
		"a second factor is asked for, and given but for the last time": {
			append([]string{"0 c1 ida - POST /login 302"}, append(each(5, 200, 3, "@ c1 ida - GET /feed 200", "@ c1 ida - POST /pay 401 step_up_required"),
				append(each(45, 200, 2, "@ c1 ida - POST /pay 200"), "450 c1 ida - GET /feed 200")...)...), "challenge challenge unexplained",
		},
		"a scope is missing, and given later": {
			append([]string{"0 c1 ida - POST /login 302"}, append(each(5, 200, 3, "@ c1 ida - GET /feed 200", "@ c1 ida - POST /pay 401 insufficient_scope"),
				append(each(45, 200, 2, "@ c1 ida - POST /pay 200"), "450 c1 ida - GET /feed 200")...)...), times(3, "unexplained"),
		},
		"signed in at a form, refused at random, no user logged": {
			append([]string{"0 c1 - - POST /login 302"}, append(each(2, 50, 6, "@ c1 - - GET /feed 200", "@ c1 - - GET /mail 200"),
				"100 c1 - - GET /mail 401", "101 c1 - - GET /mail 200", "220 c1 - - GET /feed 401", "221 c1 - - GET /feed 200")...),
			"unexplained unexplained",
		},
		"live session, refused at random": {
			append([]string{"0 c1 - - POST /login 302"}, append(each(2, 50, 6, "@ c1 ida s1 GET /feed 200", "@ c1 ida s1 GET /mail 200"),
				"100 c1 - s1 GET /mail 401", "101 c1 ida s1 GET /mail 200", "220 c1 - s1 GET /feed 401", "221 c1 ida s1 GET /feed 200")...),
			"unexplained unexplained",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ev := correlate(t, test.lines...)
			if got := causes(ev); test.want != "" && got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if test.want == "" { // at most those of one burst
				if n := strings.Count(causes(ev), "challenge"); n > maxLegs*(maxParallel+1) {
					t.Errorf("%d challenges", n)
				}
			}
		})
	}
}

// TestBasicHasNoSession checks that clients that send their credentials with each
// request have no sessions: none ends when they are refused.
func TestBasicHasNoSession(t *testing.T) {
	var lines []string
	for c := range 8 {
		client := fmt.Sprintf("c%d", c)
		lines = append(lines, each(c, 300, 5, "@ "+client+" - - GET /r.git/info/refs 401", "@ "+client+" u"+client+" - GET /r.git/info/refs 200",
			"@ "+client+" u"+client+" - POST /r.git/git-upload-pack 200")...)
		lines = append(lines, each(3000+c, 300, 5, "@ "+client+" - - GET /r.git/info/refs 401", "@ "+client+" u"+client+" - GET /r.git/info/refs 401")...)
	}
	ev := correlate(t, lines...)
	for s, err := range ev.EachSession() {
		t.Errorf("a session: %+v, %v", s, err)
	}
	n := 0
	for i := range ev.Refusals.Len() {
		r := ev.Refusals.At(i)
		if late := ev.State.Refusals.At(i).Time >= ev.State.Refusals.At(0).Time+2900e6; late != r.Proven || r.Fatal || late != (r.Cause != Challenge) {
			t.Errorf("%d: %+v", i, r)
		}
		n += int(ev.Endpoints[r.Endpoint].AliveActors)
	}
	if n == 0 {
		t.Error("no endpoint refused good credentials")
	}
}

func TestLeadsTo(t *testing.T) {
	for _, test := range []struct {
		from, to string
		want     bool
	}{
		{"GET /a/b", "GET /a/b/", true},
		{"GET /a/b", "GET /a/b", true},
		{"POST /a/b", "GET /a/b", true},
		{"GET /a/b", "POST /a/b", false},
		{"GET /a", "GET /a/index.php", true},
		{"GET /", "GET /index.html", true},
		{"GET /", "GET /console", false},
		{"GET /api/v1/orders/{id}", "GET /api/v2/orders/{id}", true},
		{"GET /Reports", "GET /reports/", true},
		{"GET /orders", "GET /shop/orders", true},
		{"GET /shop/orders", "GET /orders", true},
		{"GET /users/{id}", "GET /orders/{id}", false},
		{"GET /home", "GET /api/profile", false},
		{"GET /app/home", "GET /app/mail", false},
	} {
		endpoint := func(s string) *timeline.Endpoint {
			method, template, _ := strings.Cut(s, " ")
			return &timeline.Endpoint{Method: method, Template: template}
		}
		if got := leadsTo(endpoint(test.from), endpoint(test.to)); got != test.want {
			t.Errorf("%s to %s: %v", test.from, test.to, got)
		}
	}
}
