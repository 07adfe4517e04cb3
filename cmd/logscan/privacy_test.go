package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"logscan/fixtures"
	"logscan/report/outdir"
)

// Names that TestNoNameLeaves plants in every place that a line has for one.
const (
	plantedUser = "Plantina.Nameless"
	plantedMail = "plantina@people.example"
	plantedIPv4 = "203.0.113.77"
	plantedIPv6 = "2001:db8:feed::77"
	plantedHost = "plantina-pc.people.example"
)

// writeKey makes a key file.
func writeKey(t *testing.T, dir, secret string) string {
	t.Helper()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte(strings.Repeat(secret, 4)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// nameLogs writes logs that name people in every place, in every spelling: in
// fields, URLs, headers, in lines that can be read and in lines that cannot.
func nameLogs(t *testing.T, dir string) {
	t.Helper()
	var combined, forwarded, asJSON strings.Builder
	n := 0
	for _, user := range []string{plantedUser, plantedMail, `CORP\\` + plantedUser} {
		for _, client := range []string{plantedIPv4, plantedIPv6, "::ffff:" + plantedIPv4, plantedHost} {
			for _, target := range []string{
				"/a", "/users/" + plantedUser + "/x", "/~" + plantedUser + "/", "/a?user=" + plantedUser + "&x=1", "/a?email=" + strings.Replace(plantedMail, "@", "%40", 1),
				"/b?next=%2Fa%3Flogin%3D" + plantedUser + "%26ip%3D" + plantedIPv4, "/lookup/" + plantedIPv4, "/lookup?ip=" + strings.ReplaceAll(plantedIPv6, ":", "%3A"),
				"/c?to=" + strings.Replace(plantedMail, "@", "%2540", 1), "/d?customer_email=" + plantedMail,
			} {
				for _, status := range []string{"401", "200", "broken"} {
					n++
					at := fmt.Sprintf("09/Mar/2026:14:%02d:%02d +0000", n/60%60, n%60)
					referer := "https://www.example.org" + target
					agent := "probe/1.0 (" + plantedMail + "; " + plantedIPv4 + ")"
					fmt.Fprintf(&combined, "%s - %s [%s] \"GET %s HTTP/1.1\" %s 5 \"%s\" \"%s\"\n", client, user, at, target, status, referer, agent)
					fmt.Fprintf(&forwarded, "192.0.2.1 - %s [%s] \"GET %s HTTP/1.1\" %s 5 \"%s\" \"%s\" \"%s, 192.0.2.3\"\n", user, at, target, status, referer, agent, client)
					if client != plantedHost {
						fmt.Fprintf(&asJSON, `{"time_iso8601":"2026-03-09T14:%02d:%02dZ","remote_addr":"%s","remote_user":"%s","request_method":"GET","request_uri":"%s","status":"%s",`+
							`"http_referer":"%s","http_user_agent":"%s","http_x_forwarded_for":"%s","x_user":"%s","log":"{\"user\":\"%s\"}","auth_reason":"user %s is locked"}`+"\n",
							n/60%60, n%60, client, user, target, status, referer, agent, client, user, plantedUser, user)
					}
				}
			}
		}
	}
	for name, text := range map[string]string{"combined.log": combined.String(), "main.log": forwarded.String(), "json.log": asJSON.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, scenario := range []string{"accounts", "bruteforce"} {
		o := fixtures.Options{Scenario: scenario, Lines: 12_000, Seed: 5, Servers: 1, Format: "session"}
		if _, err := fixtures.Generate(t.Context(), o, filepath.Join(dir, scenario)); err != nil {
			t.Fatal(err)
		}
	}
}

// posted is a server that keeps what is posted to it.
type posted struct {
	mu     sync.Mutex
	bodies []byte
}

func (p *posted) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a test that misses it fails
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bodies = append(append(p.bodies, body...), '\n')
}

// printed runs a command and gives all that it printed.
func printed(t *testing.T, args ...string) (stdout, all []byte) {
	t.Helper()
	var out, talk bytes.Buffer
	code := run(&streams{strings.NewReader(""), &out, &talk, args})
	if code != exitDone && code != exitIncomplete {
		t.Fatalf("logscan %v: %d: %s", args, code, talk.String())
	}
	return out.Bytes(), append(bytes.Clone(out.Bytes()), talk.Bytes()...)
}

// TestNoNameLeaves scans logs that name people with --pseudonymize, and looks
// for them in everything that leaves.
func TestNoNameLeaves(t *testing.T) {
	logs, dir := t.TempDir(), t.TempDir()
	nameLogs(t, logs)
	key := writeKey(t, dir, "night and day ")
	named := namesOf(t, logs)
	needles := []string{"plantina", strings.ToLower(plantedHost), plantedIPv4, "2001:db8:feed", "2001%3adb8%3afeed"}
	for _, s := range []string{plantedUser, plantedIPv4} {
		needles = append(needles, encoded(s)...)
	}
	word := regexp.MustCompile(`[A-Za-z0-9.:@_\\-]+`)
	clean := func(what string, data []byte) {
		t.Helper()
		low := bytes.ToLower(data)
		for i, s := range needles {
			in := low
			if i >= 5 { // base64
				in = data
			}
			if i := bytes.Index(in, []byte(s)); i >= 0 {
				t.Errorf("%s holds %s: …%s…", what, s, data[max(0, i-150):min(len(data), i+80)])
				return
			}
		}
		for _, at := range word.FindAllIndex(data, -1) {
			if w := string(data[at[0]:at[1]]); named[w] {
				t.Errorf("%s names %s: …%s…", what, w, data[max(0, at[0]-150):min(len(data), at[1]+80)])
				return
			}
		}
	}
	var hook posted
	server := httptest.NewServer(&hook)
	defer server.Close()
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	scan := func(out string, more ...string) []byte {
		args := []string{"scan", "-v", "--max-rejects", "100", "--pseudonymize", key, "-o", out, "--metrics", out + ".prom", "--webhook", server.URL,
			"--monitor", plantedIPv4, "--service-account", plantedUser, logs}
		_, all := printed(t, append(args, more...)...)
		clean("what "+fmt.Sprint(more)+" told", all)
		return all
	}
	night := filepath.Join(dir, "night")
	scan(night)
	scan(night+"2", "--webhook-format", "slack", "--workers", "1", "--log-format", "json", "--baseline", night)
	scan(night+"3", "--trusted-proxies", "192.0.2.0/24", "--redact-email", "--memory", "16MiB")
	clean("the webhooks", hook.bodies)
	if n := bytes.Count(hook.bodies, []byte("\n")); n < 3 {
		t.Errorf("%d were posted", n)
	}
	outputs := map[string][]byte{}
	for _, out := range []string{night, night + "2", night + "3"} {
		files, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			path := filepath.Join(out, f.Name())
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			clean(path, data)
			outputs[path] = data
			if strings.HasSuffix(path, ".parquet") {
				clean("the text of "+path, parquetTexts(t, data))
			}
		}
		metrics, err := os.ReadFile(out + ".prom")
		if err != nil {
			t.Fatal(err)
		}
		clean(out+".prom", metrics)
		shown, _ := printed(t, "show", out)
		clean("show", shown)
		for _, id := range regexp.MustCompile(`\b[a-z_]+-[0-9a-f]{12}\b`).FindAll(shown, -1) {
			one, _ := printed(t, "show", out, string(id))
			clean("show "+string(id), one)
		}
	}
	_, all := printed(t, "diff", night, night+"2")
	clean("diff", all)
	for _, name := range []string{"combined.log", "main.log", "json.log", "bruteforce"} {
		_, all := printed(t, "parse", "--pseudonymize", key, filepath.Join(logs, name))
		clean("parse "+name, all)
		if !bytes.Contains(all, []byte(`"user_name":"user-`)) || !bytes.Contains(all, []byte(`"client_address":"addr-`)) {
			t.Errorf("parse %s has no pseudonyms: %.300s", name, all)
		}
	}
	// The findings are those of a run without, but for whom they name; the same
	// the next night, whatever the workers; evidence is there.
	plain := filepath.Join(dir, "plain")
	printed(t, "scan", "--max-rejects", "100", "-o", plain, "--monitor", plantedIPv4, "--service-account", plantedUser, logs)
	got, want := opened(t, night), opened(t, plain)
	if g, w := kinds(got), kinds(want); g != w {
		t.Errorf("findings\n got %s\nwant %s", g, w)
	}
	second := opened(t, night+"2")
	users := 0
	for i := range second.Findings {
		f := &second.Findings[i]
		if f.Status != "persisting" {
			t.Errorf("%s is %s on the same day", f.ID, f.Status)
		}
		if len(f.Evidence) == 0 || f.Evidence[0].Raw == "" {
			t.Errorf("%s has no evidence", f.ID)
		}
		if f.Subject.User != "" {
			users++
		}
	}
	if users == 0 || len(second.Findings) < 3 {
		t.Errorf("%d findings, %d of users: too few to tell", len(second.Findings), users)
	}
	if !bytes.Equal(outputs[filepath.Join(night, "unauthorized.parquet")], outputs[filepath.Join(night+"2", "unauthorized.parquet")]) {
		t.Error("the workers show in unauthorized.parquet")
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left beside the output: %v, %v", left, err)
	}
}

// namesOf are all users and addresses that the simulated logs name.
func namesOf(t *testing.T, logs string) map[string]bool {
	t.Helper()
	named := map[string]bool{}
	for _, scenario := range []string{"accounts", "bruteforce"} {
		rows, _ := printed(t, "parse", filepath.Join(logs, scenario))
		for line := range bytes.Lines(rows) {
			var row struct {
				User   string `json:"user_name"`
				Client string `json:"client_address"`
			}
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatal(err)
			}
			named[row.User], named[row.Client] = true, true
		}
	}
	delete(named, "")
	if len(named) < 50 {
		t.Fatalf("the logs name %d", len(named))
	}
	return named
}

func opened(t *testing.T, dir string) *outdir.Report {
	t.Helper()
	r, err := outdir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// kinds tells the findings without whom they name.
func kinds(r *outdir.Report) string {
	count := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		count[fmt.Sprintf("%s %s %d %d", f.Kind, f.Severity, f.Unauthorized, f.Users)]++
	}
	return fmt.Sprint(count)
}

// TestPseudonymsNeedTheKey: neither the hash of a name nor that of a subject nor
// that of a session stands in the output of another key, or of none.
func TestPseudonymsNeedTheKey(t *testing.T) {
	logs, dir := t.TempDir(), t.TempDir()
	o := fixtures.Options{Scenario: "mixed", Lines: 12_000, Seed: 5, Servers: 1, Format: "json"}
	if _, err := fixtures.Generate(t.Context(), o, logs); err != nil {
		t.Fatal(err)
	}
	var ids [3]map[string]bool
	var sessions [3]string
	for i, secret := range []string{"", "night and day ", "other days and "} {
		out := filepath.Join(dir, fmt.Sprint(i))
		args := []string{"scan", "-q", "-o", out, logs}
		rows := []string{"parse", logs}
		if secret != "" {
			keys := t.TempDir()
			args, rows = append(args, "--pseudonymize", writeKey(t, keys, secret)), append(rows, "--pseudonymize", filepath.Join(keys, "key"))
		}
		printed(t, args...)
		ids[i] = map[string]bool{}
		r := opened(t, out)
		for j := range r.Findings {
			if r.Findings[j].Subject.User != "" {
				ids[i][r.Findings[j].ID] = true
			}
		}
		if len(ids[i]) == 0 {
			t.Fatal("no finding is of a user")
		}
		for id := range ids[i] {
			if i > 0 && (ids[0][id] || i > 1 && ids[1][id]) {
				t.Errorf("%s is the id without the key", id)
			}
		}
		all, _ := printed(t, rows...)
		sessions[i] = string(regexp.MustCompile(`"session_id":"[0-9a-f]{32}"`).Find(all))
		if sessions[i] == "" || i > 0 && (sessions[i] == sessions[0] || sessions[i] == sessions[i-1]) {
			t.Errorf("session %q", sessions[i])
		}
	}
	// Outputs whose names differ are not compared.
	_, talk := printed(t, "diff", filepath.Join(dir, "1"), filepath.Join(dir, "2"))
	if !bytes.Contains(talk, []byte("cannot be known again")) {
		t.Errorf("diff does not say that keys differ: %s", talk)
	}
	_, talk = printed(t, "scan", "-o", filepath.Join(dir, "3"), "--baseline", filepath.Join(dir, "0"), "--pseudonymize", writeKey(t, dir, "night and day "), logs)
	if !bytes.Contains(talk, []byte("not compared with")) {
		t.Errorf("scan does not say that it compares nothing: %s", talk)
	}
	r := opened(t, filepath.Join(dir, "3"))
	if len(r.Resolved) != 0 || r.Findings[0].Status != "" {
		t.Errorf("it was compared with a baseline that names people: %d resolved", len(r.Resolved))
	}
}

// TestKeyFile wants a key that is one, and that others cannot read.
func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, secret string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(secret), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := strings.Repeat("0123456789", 4)
	for _, tt := range []struct{ path, want, hint string }{
		{filepath.Join(dir, "none"), "no such file", "head -c 32 /dev/urandom > "},
		{write("short", "0123456789", 0o600), "at least 32 bytes", "head -c 32"},
		{write("zeros", strings.Repeat("\x00", 64), 0o600), "not drawn at random", "head -c 32"},
		{write("open", good, 0o604), "everybody on this machine can read", "chmod 600"},
		{write("group", good, 0o640), "", ""},
		{write("good", good, 0o400), "", ""},
	} {
		if runtime.GOOS == "windows" && strings.HasSuffix(tt.path, "open") {
			continue
		}
		var out, talk bytes.Buffer
		code := run(&streams{strings.NewReader(`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 5 "-" "x"` + "\n"), &out, &talk, []string{"parse", "--pseudonymize", tt.path, "-"}})
		if tt.want == "" {
			if code != exitDone || !strings.Contains(out.String(), `"client_address":"addr-`) {
				t.Errorf("%s: %d, %s, %s", tt.path, code, out.String(), talk.String())
			}
			continue
		}
		if code != exitUsage || !strings.Contains(talk.String(), tt.want) || !strings.Contains(talk.String(), "hint: "+tt.hint) && !strings.Contains(talk.String(), tt.hint) {
			t.Errorf("%s: %d, %s", tt.path, code, talk.String())
		}
	}
}

// TestEmailsLeave: with --redact-email no e-mail address of a URL, a user agent
// or a sample line is told; a user whose name is one stays.
func TestEmailsLeave(t *testing.T) {
	logs, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	nameLogs(t, logs)
	printed(t, "scan", "-q", "--redact-email", "--max-rejects", "100", "-o", out, filepath.Join(logs, "*.log"))
	for _, name := range []string{"report.html", "rejects.ndjson", "unauthorized.parquet", "clients.parquet"} {
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".parquet") {
			data = parquetTexts(t, data)
		}
		for _, s := range []string{"(" + plantedMail, strings.Replace(plantedMail, "@", "%40", 1), "=" + plantedMail, strings.Replace(plantedMail, "@", "%2540", 1)} {
			if bytes.Contains(data, []byte(s)) {
				t.Errorf("%s holds %s", name, s)
			}
		}
		if !bytes.Contains(data, []byte("{email}")) {
			t.Errorf("%s has no {email}", name)
		}
	}
	rows, _ := printed(t, "parse", "--redact-email", filepath.Join(logs, "combined.log"))
	if !bytes.Contains(rows, []byte(`"user_name":"`+plantedMail+`"`)) || !bytes.Contains(rows, []byte(`"client_address":"`+plantedIPv4+`"`)) {
		t.Error("users and addresses are gone without a key")
	}
}
