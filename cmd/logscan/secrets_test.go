package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v16/parquet"
	"github.com/apache/arrow/go/v16/parquet/file"

	"logscan/fixtures"
)

// planted is part of every secret of TestNoSecretLeaves.
const planted = "Pl4ntedS3cret"

// secret returns the nth secret, as long and random as real ones.
func secret(n int) string { return fmt.Sprintf("%s%04dkXu7Qz9vBn2mWd4", planted, n) }

// encoded returns the base64 of a text for each position in a group of three bytes,
// without the digits at the ends, which depend on the surrounding text.
func encoded(text string) (all []string) {
	for shift := range 3 {
		s := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + text))
		all = append(all, s[4:len(s)-2])
	}
	return all
}

// token returns a JSON Web Token with a secret in its payload and as signature.
func token(n int) string {
	e := base64.RawURLEncoding
	return e.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." +
		e.EncodeToString(fmt.Appendf(nil, `{"sub":"jane","sid":"%s","exp":1773065100}`, secret(n))) + "." + secret(n)
}

// secretTargets holds request targets with a secret (%s).
var secretTargets = []string{
	"/a?token=%s", "/a?x=1&access_token=%s&y=2", "/a?password=%s", "/a?user[password]=%s", "/a?api_key=%s", "/a?code=%s&state=1",
	"/a?sig=%s", "/a?X-Amz-Signature=%s", "/a?PHPSESSID=%s", "/a?sid=%s", "/a?jwt=" + token(1), "/a?%%74oken=%s",
	"/a;jsessionid=%s", "/a;jsessionid=%s/b?c=d", "/(S(%s))/a.aspx", "/reset/" + token(2), "/a?client_secret=%s", "/a?SAMLResponse=%s",
	"/a?authorization=Bearer%%20%s", "https://jane:%s@www.example.org/a", "/hook/ghp_%s", "/a?_csrf=%s", "/a?otp=%s", "/a?token=%s#id_token=%[1]s",
	"/a?next=%%2Fb%%3Ftoken%%3D%s%%26c", "/a?next=%%2Fb%%3Fe%%3D%%252Fc%%253Fpassword%%253D%s%%2526d", "/a?x=%%252525%%252Fghp_%s", "/a?next=%%2Freset%%2F" + token(13),
	"/a#access_token=%s", "/a?url=https%%3A%%2F%%2Fjane%%3A%s%%40www.example.org%%2F", "//jane:%s@www.example.org/a", "/hook/hvs.%s", "/a?x=glsa_%s", "/a?x=Bearer+%s",
}

// secretHeaders holds headers with a secret (%s).
var secretHeaders = []struct{ referer, agent, cookie, authorization string }{
	{referer: "https://www.example.org/a?token=%s"},
	{referer: "https://jane:%s@www.example.org/a"},
	{referer: "https://www.example.org/a;jsessionid=%s?b=c"},
	{referer: "https://www.example.org/(S(%s))/a.aspx"},
	{referer: "https://www.example.org/" + token(3)},
	{agent: "client Bearer %s"},
	{agent: "client/1.0 (token=%s)"},
	{agent: "curl " + token(4)},
	{cookie: "PHPSESSID=%s"},
	{cookie: "theme=dark; connect.sid=s%%3A%s; lang=de"},
	{cookie: "access_token=" + token(5)},
	{cookie: "__Host-session=" + token(6) + "; remember_token=%s"},
	{cookie: "_oauth2_proxy=%s"},
	{authorization: "Bearer %s"},
	{authorization: "Bearer " + token(7)},
	{authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte("jane:"+secret(8)))},
	{authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte("longer:"+secret(9)+"=="))},
	{authorization: `Digest username="jane", realm="r", nonce="n", uri="/", response="%s"`},
	{referer: "https://www.example.org/a?next=%%2Fb%%3Ftoken%%3D%s"},
	{referer: "https://www.example.org/cb#access_token=%s&token_type=bearer"},
	{agent: "client/1.0 key AKIA%s"},
	{authorization: "Negotiate %s"},
	{authorization: "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=host, Signature=%[1]s"},
}

// plant inserts the nth secret into a template.
func plant(template string, n int) string {
	if !strings.Contains(template, "%") {
		return template
	}
	s := fmt.Sprintf(template, secret(n))
	if i := strings.Index(s, "%!(EXTRA"); i >= 0 {
		s = s[:i]
	}
	return s
}

// secretLogs writes logs with secrets in all fields, in lines that are parsed and in
// lines that are rejected.
func secretLogs(t *testing.T, dir string) {
	t.Helper()
	const at, head = "09/Mar/2026:14:05:%02d +0000", `192.0.2.%d - jane [` + "09/Mar/2026:14:05:00 +0000" + `] `
	var combined, custom, asJSON strings.Builder
	or := func(s string) string {
		if s == "" {
			return "-"
		}
		return strings.ReplaceAll(s, `"`, `\x22`)
	}
	quote := func(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }
	n := 100
	write := func(target, referer, agent, cookie, authorization string) {
		for _, status := range []string{"401", "200", "broken"} {
			n++
			target, referer, agent, cookie, authorization := plant(target, n), plant(referer, n), plant(agent, n), plant(cookie, n), plant(authorization, n)
			request := fmt.Sprintf(`"GET %s HTTP/1.1" %s 5`, target, status)
			fmt.Fprintf(&combined, head+"%s \"%s\" \"%s\"\n", n%250, request, or(referer), or(agent))
			fmt.Fprintf(&custom, head+"%s \"%s\" \"%s\" \"%s\" \"%s\"\n", n%250, request, or(referer), or(agent), or(cookie), or(authorization))
			fmt.Fprintf(&asJSON, `{"time_iso8601":"2026-03-09T14:05:%02dZ","remote_addr":"192.0.2.%d","request_method":"GET","request_uri":"%s","status":"%s",`+
				`"http_referer":"%s","http_user_agent":"%s","http_cookie":"%s","http_authorization":"%s","password":"%s"}`+"\n",
				n%60, n%250, quote(target), status, quote(referer), quote(agent), quote(cookie), quote(authorization), secret(n))
		}
	}
	for _, target := range secretTargets {
		write(target, "", "curl/8", "", "")
	}
	for _, h := range secretHeaders {
		write("/a", h.referer, h.agent, h.cookie, h.authorization)
	}
	// Secrets in other fields: user, session, reason.
	fmt.Fprintf(&combined, "192.0.2.1 - %s ["+at+"] \"GET /a HTTP/1.1\" 401 5 \"-\" \"x\"\n", token(10), 1)
	fmt.Fprintf(&asJSON, `{"time":"2026-03-09T14:05:00Z","status":401,"path":"/a","session":"%s","auth_reason":"Bearer %[1]s was not accepted"}`+"\n", secret(11))
	fmt.Fprintf(&asJSON, `{"time":"2026-03-09T14:05:00Z","status":401,"path":"/a","x_session_id":"%s","Authorization":["Bearer %[1]s"],"message":`+"\n", secret(12))

	// For the evidence of findings: a broken endpoint, with a token in each 401.
	labelled := t.TempDir()
	if _, err := fixtures.Generate(t.Context(), fixtures.Options{Scenario: "endpoint", Lines: 20_000, Seed: 3, Servers: 1}, labelled); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(labelled, "*.log"))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	day, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	refused := regexp.MustCompile(` HTTP/[0-9.]+" 401 `)
	day = refused.ReplaceAllFunc(day, func(m []byte) []byte {
		n++
		return append([]byte("?access_token="+secret(n%9000)), m...)
	})
	for name, text := range map[string]string{"combined.log": combined.String(), "custom.log": custom.String(), "json.log": asJSON.String(), "day.log": string(day)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoSecretLeaves plants secrets in all fields and searches everything that the
// commands print and write for them.
func TestNoSecretLeaves(t *testing.T) {
	skipWithRace(t)
	logs, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	secretLogs(t, logs)
	const format = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_cookie" "$http_authorization"`
	needles := append([]string{planted}, encoded(planted)...)
	needles = append(needles, encoded(`{"sub":"jane","sid"`)[0])
	clean := func(what string, data []byte) {
		t.Helper()
		for _, s := range needles {
			if i := bytes.Index(data, []byte(s)); i >= 0 {
				t.Errorf("%s holds %s: …%s…", what, s, data[max(0, i-150):min(len(data), i+60)])
				return
			}
		}
	}
	command := func(args ...string) []byte {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code := run(&streams{strings.NewReader(""), &stdout, &stderr, args})
		if code != exitDone && code != exitIncomplete {
			t.Fatalf("logscan %v: %d: %s", args, code, stderr.String())
		}
		clean("standard output of "+strings.Join(args, " "), stdout.Bytes())
		clean("standard error of "+strings.Join(args, " "), stderr.Bytes())
		return stdout.Bytes()
	}
	for _, name := range []string{"combined.log", "json.log", "custom.log", "day.log"} {
		path := filepath.Join(logs, name)
		command("formats", path)
		if command("parse", path); name == "custom.log" {
			command("parse", "--format", format, path)
		}
	}
	key := writeKey(t, t.TempDir(), "night and day ")
	for _, args := range [][]string{{}, {"--format", format}, {"--format", "json"}, {"--pseudonymize", key}, {"--pseudonymize", key, "--redact-email", "--format", format}} {
		command(append([]string{"scan", "-v", "--max-rejects", "100", "--requests", "-o", out, logs}, args...)...)
		if len(args) == 0 {
			show := command("show", out)
			ids := regexp.MustCompile(`[a-z_]+-[0-9a-f]{12}`).FindAll(show, -1)
			if len(ids) == 0 {
				t.Error("no findings")
			}
			for _, id := range ids {
				if shown := command("show", out, string(id)); !bytes.Contains(shown, []byte("access_token=REDACTED")) && bytes.Contains(shown, []byte("endpoint_misconfigured")) {
					t.Errorf("no evidence in %s", shown)
				}
			}
		}
		files, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(out, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if clean(f.Name(), data); strings.HasSuffix(f.Name(), ".parquet") {
				texts := parquetTexts(t, data)
				if f.Name() == "unauthorized.parquet" && len(texts) == 0 {
					t.Errorf("%s holds no text", f.Name())
				}
				clean("the text of "+f.Name(), texts)
			}
		}
	}
}

// parquetTexts returns all strings of a Parquet file, one per line.
func parquetTexts(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var texts []byte
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		for i := range r.MetaData().Schema.NumColumns() {
			column, err := group.Column(i)
			if err != nil {
				t.Fatal(err)
			}
			c, ok := column.(*file.ByteArrayColumnChunkReader)
			if !ok {
				continue
			}
			values := make([]parquet.ByteArray, 1024)
			levels, repeats := make([]int16, len(values)), make([]int16, len(values))
			for c.HasNext() {
				_, n, err := c.ReadBatch(int64(len(values)), values, levels, repeats)
				if err != nil && err != io.EOF {
					t.Fatal(err)
				}
				for _, v := range values[:n] {
					texts = append(append(texts, v...), '\n')
				}
			}
		}
	}
	return texts
}
