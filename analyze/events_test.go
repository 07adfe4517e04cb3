package analyze

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/analyze/spill"
	"logscan/parse"
	"logscan/parse/privacy"
	"logscan/parse/source"
)

// writeEvents writes the access logs and error logs of two servers, and returns their
// paths. Every eighth request is refused for a wrong password, of which the error log says
// so, every eighth is a challenge, and every twentieth fails because a service does not
// answer.
func writeEvents(t *testing.T, n int) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for server := range 2 {
		var access, errors bytes.Buffer
		for i := server; i < n; i += 2 {
			at := today.Add(time.Duration(i) * 3 * time.Second)
			client, user, path := fmt.Sprintf("192.0.2.%d", i*7%200), fmt.Sprintf("user%d", i*7%200), fmt.Sprintf("/p/%d/x", i%11)
			status := 200
			say := func(message string) {
				fmt.Fprintf(&errors, "%s [error] 7#7: *%d %s, client: %s, server: www, request: \"GET %s HTTP/1.1\", host: \"www.example.org\"\n",
					at.Add(2*time.Hour).Format("2006/01/02 15:04:05"), i, message, client, path)
			}
			switch {
			case i%8 == 1:
				status = 401
				say(fmt.Sprintf("user %q: password mismatch", user))
			case i%8 == 2:
				status, user = 401, "-"
			case i%20 == 0:
				status = 500
				say("auth request unexpected status: 504 while sending to client")
			}
			fmt.Fprintf(&access, "%s - %s [%s] \"GET %s HTTP/1.1\" %d 5 \"-\" \"Mozilla/5.0\"\n", client, user, at.Format("02/Jan/2006:15:04:05 -0700"), path, status)
		}
		for name, text := range map[string]*bytes.Buffer{"access": &access, "error": &errors} {
			path := filepath.Join(dir, fmt.Sprintf("web%d-%s.log", server, name))
			writeLog(t, path, text.String(), time.Time{})
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

func eventRows(t *testing.T, res *result.Result) (rows []result.AuthEvent) {
	t.Helper()
	if res.AuthEvents == nil {
		return nil
	}
	for row, err := range res.AuthEvents.Rows.Reader()(0, res.AuthEvents.Rows.Len) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, *row)
	}
	return rows
}

func resultAndEvents(t *testing.T, res *result.Result) string {
	t.Helper()
	b, err := json.Marshal([]any{res.AuthEvents.Sources, eventRows(t, res)})
	if err != nil {
		t.Fatal(err)
	}
	return resultText(t, res) + string(b)
}

// TestEventsAreReproducible checks that what events state does not depend on the number
// of workers, the order of the inputs or spilling to disk.
func TestEventsAreReproducible(t *testing.T) {
	paths := writeEvents(t, 20_000)
	res := run(t, 1, nil, paths...)
	want := resultAndEvents(t, res)
	slices.Reverse(paths)
	for _, workers := range []int{1, 2, 8} {
		if got := resultAndEvents(t, run(t, workers, nil, paths...)); got != want {
			t.Errorf("%d workers: the result is another one", workers)
		}
	}
	space := spill.NewSpace(filepath.Join(t.TempDir(), "spill"))
	defer func() { _ = space.Close() }()
	if got := resultAndEvents(t, runWithin(t, spill.Memory{Bytes: 2 << 20, Space: space}, 2, nil, paths...)); got != want {
		t.Error("spilled: the result is another one")
	}
}

func TestEvents(t *testing.T) {
	res := run(t, 2, nil, writeEvents(t, 4000)...)
	for _, s := range res.AuthEvents.Sources {
		if s.Offset != 2*3600*1e6 || s.Ambiguous != 0 || s.Unmatched != 0 || s.Events == 0 {
			t.Errorf("%+v", s)
		}
	}
	wrong, stated := 0, 0
	for row, err := range res.Unauthorized.Reader()(0, res.Unauthorized.Len) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Reason != "" {
			stated++
		}
		if (row.Reason != "") != (row.User != "") || (row.Reason != "") != (row.AnsweredBy == "proxy") {
			wrong++
		}
	}
	if stated != 500 || wrong != 0 {
		t.Errorf("%d reasons, want 500; %d are wrong", stated, wrong)
	}
	if a := res.Agreement; a == nil || a.Compared != 500 {
		t.Errorf("agreement %+v, want 500 compared: %v", a, res.Causes)
	}
	i := slices.IndexFunc(res.Findings, func(f result.Finding) bool { return f.Kind == "authentication_outage" })
	if i < 0 || res.Findings[i].Unauthorized != 0 || res.Findings[i].Subject.Host != "www.example.org" || len(res.Findings[i].Evidence) != result.MaxEvidence ||
		!strings.Contains(res.Findings[i].Evidence[0].Raw, "auth request unexpected status") {
		t.Errorf("the outage is not found: %+v", res.Findings)
	}
	rows := eventRows(t, res)
	if len(rows) != 500+4000/20 || !slices.IsSortedFunc(rows, func(a, b result.AuthEvent) int { return int(a.Time - b.Time) }) {
		t.Errorf("%d events", len(rows))
	}
}

// TestEventsReadAgain checks that evidence has the lines of error logs too large to be kept,
// unless they were changed in the meantime.
func TestEventsReadAgain(t *testing.T) {
	for how, change := range map[string]func(path string) error{
		"as it was": func(string) error { return nil },
		"cut off":   func(path string) error { return os.Truncate(path, 100) },
		"rewritten": func(path string) error {
			return os.WriteFile(path, bytes.Repeat([]byte("2026/03/09 00:00:00 [error] 7#7: other\n"), 20000), 0o600)
		},
		"removed": os.Remove,
	} {
		t.Run(how, func(t *testing.T) {
			o := options(t, writeEvents(t, 36000)...)
			o.Phase = func(p Phase) {
				for _, in := range o.Inputs {
					if p != PhaseDetect || !strings.HasSuffix(in.Path, "-error.log") {
						continue
					}
					if info, err := os.Stat(in.Path); err != nil || info.Size() <= source.SampleSize {
						t.Errorf("%s is kept: %v", in.Path, err)
					}
					if err := change(in.Path); err != nil {
						t.Error(err)
					}
				}
			}
			res, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			lines := 0
			for _, f := range res.Findings {
				for _, e := range f.Evidence {
					if !strings.HasSuffix(e.Path, "-error.log") {
						continue
					}
					lines++
					if (e.Raw != "") != (how == "as it was") || e.Raw != "" && !strings.Contains(e.Raw, "client: 192.0.2.") || e.Line == 0 {
						t.Errorf("%s:%d: %q", e.Path, e.Line, e.Raw)
					}
				}
			}
			if lines == 0 {
				t.Error("no line of an error log is shown")
			}
			noted := slices.ContainsFunc(res.Notes, func(n result.Note) bool { return strings.Contains(n.Text, "changed during the run") })
			if noted != (how != "as it was") {
				t.Errorf("notes: %+v", res.Notes)
			}
		})
	}
}

// TestEventsWithPseudonyms checks that names of users and clients in events are
// pseudonyms, and are joined all the same.
func TestEventsWithPseudonyms(t *testing.T) {
	key, err := privacy.NewKey(bytes.Repeat([]byte("0123456789abcdef"), 2))
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, writeEvents(t, 2000)...)
	o.Parse = parse.Options{Privacy: privacy.Options{Key: key}}
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	rows := eventRows(t, res)
	b, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b) + resultText(t, res)
	for _, name := range []string{"192.0.2.", `user7"`, "user7:"} {
		if strings.Contains(text, name) {
			t.Errorf("%s is in the result", name)
		}
	}
	matched := 0
	for i := range rows {
		if rows[i].Join == "matched" && strings.HasPrefix(rows[i].User, "user-") && rows[i].Client != "" {
			matched++
		}
	}
	if matched != 250 {
		t.Errorf("%d events are matched", matched)
	}
}

// TestRequestsWithoutCredentialsGuessNothing checks that what an error log states of the
// credentials of many refused sign-ins decides whether somebody guesses passwords.
func TestRequestsWithoutCredentialsGuessNothing(t *testing.T) {
	for _, c := range []struct {
		message string
		guesses bool
	}{
		{`user "jane": password mismatch`, true},
		{`user "jane" was not found in "/etc/nginx/htpasswd"`, true},
		{"no user/password was provided for basic authentication", false},
		{"auth_jwt: token was not provided", false},
	} {
		t.Run(c.message, func(t *testing.T) {
			var access, errors bytes.Buffer
			for i := range 400 {
				at := today.Add(time.Duration(i*4+i*i*31%7) * time.Second) // at no regular pace
				client, path, status := fmt.Sprintf("192.0.2.%d", i%40), "/account", 200
				switch {
				case i%2 == 0 && i > 100 && i < 300:
					client, path, status = "198.51.100.7", "/login", 401
					fmt.Fprintf(&errors, "%s [error] 7#7: *%d %s, client: %s, server: www, request: \"POST %s HTTP/1.1\", host: \"www.example.org\"\n",
						at.Format("2006/01/02 15:04:05"), i, c.message, client, path)
				case i%10 == 1:
					path = "/login"
				}
				fmt.Fprintf(&access, "%s - - [%s] \"POST %s HTTP/1.1\" %d 5 \"-\" \"Mozilla/5.0\"\n", client, at.Format("02/Jan/2006:15:04:05 -0700"), path, status)
			}
			dir := t.TempDir()
			paths := []string{filepath.Join(dir, "access.log"), filepath.Join(dir, "error.log")}
			writeLog(t, paths[0], access.String(), time.Time{})
			writeLog(t, paths[1], errors.String(), time.Time{})
			res := run(t, 2, nil, paths...)
			found := slices.ContainsFunc(res.Findings, func(f result.Finding) bool { return f.Kind == "brute_force" })
			if found != c.guesses {
				t.Errorf("brute_force is %t, want %t: %v", found, c.guesses, res.Findings)
			}
		})
	}
}
