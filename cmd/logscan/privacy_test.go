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
	"slices"
	"strings"
	"sync"
	"testing"

	"logscan/fixtures"
	"logscan/report/outdir"
)

// Names that nameLogs plants in all fields.
const (
	plantedUser = "Plantina.Nameless"
	plantedMail = "plantina@people.example"
	plantedIPv4 = "203.0.113.77"
	plantedIPv6 = "2001:db8:feed::77"
	plantedHost = "plantina-pc.people.example"
)

// writeKey writes a key file and returns its path.
func writeKey(t *testing.T, dir, secret string) string {
	t.Helper()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte(strings.Repeat(secret, 4)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// nameLogs writes logs that name people in fields, URLs and headers, in several
// encodings, in lines that are parsed and in lines that are rejected.
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

// posted is an HTTP handler that collects the bodies posted to it.
type posted struct {
	mu     sync.Mutex
	bodies []byte
}

func (p *posted) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // tests check the content
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bodies = append(append(p.bodies, body...), '\n')
}

// printed runs a command and returns its standard output, alone and followed by
// its standard error.
func printed(t *testing.T, args ...string) (stdout, all []byte) {
	t.Helper()
	var out, messages bytes.Buffer
	code := run(&streams{strings.NewReader(""), &out, &messages, args})
	if code != exitDone && code != exitIncomplete {
		t.Fatalf("logscan %v: %d: %s", args, code, messages.String())
	}
	return out.Bytes(), append(bytes.Clone(out.Bytes()), messages.Bytes()...)
}

// nameFinder searches outputs for planted and simulated names.
type nameFinder struct {
	t       *testing.T
	planted []string        // in lower case
	encoded []string        // in base64
	named   map[string]bool // users and addresses of simulated logs
}

// newNameFinder returns a finder for the names in the logs of nameLogs.
func newNameFinder(t *testing.T, logs string) *nameFinder {
	return &nameFinder{
		t:       t,
		planted: []string{"plantina", strings.ToLower(plantedHost), plantedIPv4, "2001:db8:feed", "2001%3adb8%3afeed"},
		encoded: slices.Concat(encoded(plantedUser), encoded(plantedIPv4)),
		named:   namesOf(t, logs),
	}
}

// check fails the test if data holds a name.
func (f *nameFinder) check(what string, data []byte) {
	f.t.Helper()
	for _, group := range []struct {
		in    []byte
		names []string
	}{{bytes.ToLower(data), f.planted}, {data, f.encoded}} {
		for _, name := range group.names {
			if i := bytes.Index(group.in, []byte(name)); i >= 0 {
				f.t.Errorf("%s holds %s: …%s…", what, name, data[max(0, i-150):min(len(data), i+80)])
				return
			}
		}
	}
	for from := 0; from < len(data); from++ {
		to := from
		for to < len(data) && inNames[data[to]] {
			to++
		}
		if f.named[string(data[from:to])] {
			f.t.Errorf("%s holds %s: …%s…", what, data[from:to], data[max(0, from-150):min(len(data), to+80)])
			return
		}
		from = to
	}
}

// inNames marks the bytes that names and addresses in simulated logs are made of. A regular
// expression takes half of the time of the test.
var inNames = func() (set [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:@_\\-") {
		set[b] = true
	}
	return set
}()

// checkOutput checks all files of an output directory, its metrics, and its
// findings as printed by show.
func (f *nameFinder) checkOutput(out string) {
	f.t.Helper()
	for _, name := range names(f.t, out) {
		data := contentOf(f.t, filepath.Join(out, name))
		f.check(filepath.Join(out, name), data)
		if strings.HasSuffix(name, ".parquet") {
			f.check("the text of "+filepath.Join(out, name), parquetTexts(f.t, data))
		}
	}
	f.check(out+".prom", contentOf(f.t, out+".prom"))
	shown, _ := printed(f.t, "show", out)
	f.check("show", shown)
	for _, id := range regexp.MustCompile(`\b[a-z_]+-[0-9a-f]{12}\b`).FindAll(shown, -1) {
		one, _ := printed(f.t, "show", out, string(id))
		f.check("show "+string(id), one)
	}
}

// TestNoNameLeaves scans logs that name people with --pseudonymize, and searches
// all outputs for the names.
func TestNoNameLeaves(t *testing.T) {
	skipWithRace(t)
	logs, dir := t.TempDir(), t.TempDir()
	nameLogs(t, logs)
	key := writeKey(t, dir, "night and day ")
	finder := newNameFinder(t, logs)
	var hook posted
	server := httptest.NewServer(&hook)
	defer server.Close()
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	site := []string{"--max-rejects", "100", "--monitor", plantedIPv4, "--service-account", plantedUser, logs}
	night := filepath.Join(dir, "night")
	for out, flags := range map[string][]string{
		night:       nil,
		night + "2": {"--webhook-format", "slack", "--workers", "1", "--log-format", "json"},
		night + "3": {"--trusted-proxies", "192.0.2.0/24", "--redact-email", "--memory", "16MiB"},
	} {
		args := slices.Concat([]string{"scan", "-v", "--requests", "--pseudonymize", key, "-o", out, "--metrics", out + ".prom", "--webhook", server.URL}, site, flags)
		_, all := printed(t, args...)
		finder.check(strings.Join(args, " "), all)
		finder.checkOutput(out)
	}
	finder.check("the webhooks", hook.bodies)
	if n := bytes.Count(hook.bodies, []byte("\n")); n < 3 {
		t.Errorf("%d webhook posts, want 3", n)
	}
	_, all := printed(t, "diff", night, night+"2")
	finder.check("diff", all)
	for _, name := range []string{"combined.log", "main.log", "json.log", "bruteforce"} {
		_, all := printed(t, "parse", "--pseudonymize", key, filepath.Join(logs, name))
		finder.check("parse "+name, all)
		if !bytes.Contains(all, []byte(`"user_name":"user-`)) || !bytes.Contains(all, []byte(`"client_address":"addr-`)) {
			t.Errorf("parse %s has no pseudonyms: %.300s", name, all)
		}
	}
	if !bytes.Equal(contentOf(t, filepath.Join(night, "unauthorized.parquet")), contentOf(t, filepath.Join(night+"2", "unauthorized.parquet"))) {
		t.Error("unauthorized.parquet depends on the workers")
	}
	if left := names(t, temporary); len(left) != 0 {
		t.Errorf("left in the temporary directory: %v", left)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left beside the output: %v, %v", left, err)
	}
}

// TestPseudonymsKeepFindings checks that findings are the same with pseudonyms
// except for the names, and have the same ids in the next run.
func TestPseudonymsKeepFindings(t *testing.T) {
	skipWithRace(t)
	logs, dir := t.TempDir(), t.TempDir()
	nameLogs(t, logs)
	night, plain := filepath.Join(dir, "night"), filepath.Join(dir, "plain")
	args := []string{"scan", "--max-rejects", "100", "--requests", "--monitor", plantedIPv4, "--service-account", plantedUser, logs}
	pseudonymous := append(args[:len(args):len(args)], "--pseudonymize", writeKey(t, dir, "night and day "))
	printed(t, append(args[:len(args):len(args)], "-o", plain)...)
	printed(t, append(pseudonymous[:len(pseudonymous):len(pseudonymous)], "-o", night)...)
	printed(t, append(pseudonymous[:len(pseudonymous):len(pseudonymous)], "-o", night+"2", "--baseline", night, "--workers", "1")...)
	if got, want := kinds(opened(t, night)), kinds(opened(t, plain)); got != want {
		t.Errorf("findings\n got %s\nwant %s", got, want)
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
	if users == 0 || len(second.Findings) < 2 {
		t.Errorf("%d findings, %d of users: too few to compare", len(second.Findings), users)
	}
}

// namesOf returns all users and addresses in the simulated logs.
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
		t.Fatalf("the logs have only %d names", len(named))
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

// kinds summarises findings without names.
func kinds(r *outdir.Report) string {
	count := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		count[fmt.Sprintf("%s %s %d %d", f.Kind, f.Severity, f.Unauthorized, f.Users)]++
	}
	return fmt.Sprint(count)
}

// TestPseudonymsNeedTheKey checks that finding ids and session hashes differ between
// keys and from those without a key, and that such outputs are not compared.
func TestPseudonymsNeedTheKey(t *testing.T) {
	skipWithRace(t)
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
			t.Fatal("no finding has a user")
		}
		for id := range ids[i] {
			if i > 0 && (ids[0][id] || i > 1 && ids[1][id]) {
				t.Errorf("%s is also an id with another key or without one", id)
			}
		}
		all, _ := printed(t, rows...)
		sessions[i] = string(regexp.MustCompile(`"session_id":"[0-9a-f]{32}"`).Find(all))
		if sessions[i] == "" || i > 0 && (sessions[i] == sessions[0] || sessions[i] == sessions[i-1]) {
			t.Errorf("session %q", sessions[i])
		}
	}
	// Outputs with different keys are not compared.
	compared, messages := printed(t, "diff", filepath.Join(dir, "1"), filepath.Join(dir, "2"))
	if !bytes.Contains(compared, []byte("cannot be matched")) {
		t.Errorf("no note that keys differ: %s %s", compared, messages)
	}
	_, messages = printed(t, "scan", "-o", filepath.Join(dir, "3"), "--baseline", filepath.Join(dir, "0"), "--pseudonymize", writeKey(t, dir, "night and day "), logs)
	if !bytes.Contains(messages, []byte("not compared with")) {
		t.Errorf("no note that the baseline is ignored: %s", messages)
	}
	r := opened(t, filepath.Join(dir, "3"))
	if len(r.Resolved) != 0 || r.Findings[0].Status != "" {
		t.Errorf("compared with a baseline without pseudonyms: %d resolved", len(r.Resolved))
	}
}

// TestKeyFile checks that a key must be long, random and private.
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
		{write("open", good, 0o604), "readable by all users of this machine", "chmod 600"},
		{write("group", good, 0o640), "", ""},
		{write("good", good, 0o400), "", ""},
	} {
		if runtime.GOOS == "windows" && strings.HasSuffix(tt.path, "open") {
			continue
		}
		var out, messages bytes.Buffer
		code := run(&streams{strings.NewReader(`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 5 "-" "x"` + "\n"), &out, &messages, []string{"parse", "--pseudonymize", tt.path, "-"}})
		if tt.want == "" {
			if code != exitDone || !strings.Contains(out.String(), `"client_address":"addr-`) {
				t.Errorf("%s: %d, %s, %s", tt.path, code, out.String(), messages.String())
			}
			continue
		}
		if code != exitUsage || !strings.Contains(messages.String(), tt.want) || !strings.Contains(messages.String(), "hint: "+tt.hint) && !strings.Contains(messages.String(), tt.hint) {
			t.Errorf("%s: %d, %s", tt.path, code, messages.String())
		}
	}
}

// TestRedactEmail checks that --redact-email replaces e-mail addresses in URLs, user
// agents and sample lines, and keeps user names.
func TestRedactEmail(t *testing.T) {
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
		t.Error("users or addresses are missing without a key")
	}
}
