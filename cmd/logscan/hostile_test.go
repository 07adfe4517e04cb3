package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"

	"logscan/fixtures/hostile"
	"logscan/fixtures/trials"
)

// harmless checks that output holds only printable characters, line ends, tabs, and
// the control sequences that logscan itself writes, for colours and to erase a line.
func harmless(t *testing.T, what string, output []byte) {
	t.Helper()
	rest := ownSequences.ReplaceAll(output, nil)
	i := bytes.IndexFunc(rest, func(r rune) bool { return !strconv.IsPrint(r) && r != '\n' && r != '\r' && r != '\t' })
	if i < 0 && !bytes.ContainsRune(rest, '\ufffd') {
		return
	}
	if i < 0 { // invalid UTF-8, unless it is U+FFFD itself
		if i = strings.Index(strings.ToValidUTF8(string(rest), "\x00"), "\x00"); i < 0 {
			return
		}
	}
	t.Errorf("%s: unprintable characters in %q", what, rest[max(0, i-80):min(len(rest), i+40)])
}

var ownSequences = regexp.MustCompile("\x1b\\[(K|[0-9;]*m)")

// onTerminal runs logscan in a pseudo-terminal and returns its output.
func onTerminal(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "NO_COLOR=", "CLICOLOR=", "CLICOLOR_FORCE=")
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Skip("no pseudo-terminal: " + err.Error())
	}
	defer screen.Close()
	shown, _ := io.ReadAll(screen) // fails when the terminal is closed
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() > exitIncomplete {
		t.Errorf("%v: %v", args, err)
	}
	return shown
}

// hostileLogs writes a log for some of the payloads, with the payload as its name,
// and an archive with all of them. It returns the paths of the logs.
func hostileLogs(t *testing.T, dir string) (files []string) {
	t.Helper()
	var archive bytes.Buffer
	members := tar.NewWriter(&archive)
	for i, p := range hostile.Payloads() {
		line := []byte(`{"time_iso8601":"2026-03-09T14:05:00Z","status":401,"request_uri":"/` + strconv.Itoa(i) + "\"}\n{" + p.Text + "\n")
		name := hostile.FileName(p)
		header := &tar.Header{Name: name, Size: int64(len(line)), Mode: 0o600, Typeflag: tar.TypeReg, Format: tar.FormatGNU}
		if strings.ContainsRune(name, 0) || members.WriteHeader(header) != nil {
			continue
		}
		if _, err := members.Write(line); err != nil {
			t.Fatal(err)
		}
		if i%25 == 0 {
			path := filepath.Join(dir, name+".log")
			if err := os.WriteFile(path, hostile.Lines(hostile.Formats()[0], []hostile.Payload{p}), 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, path)
		}
	}
	if err := members.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "all.tar"), archive.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return files
}

// TestNothingActsInATerminal runs every command on hostile logs with hostile names
// in a pseudo-terminal.
func TestNothingActsInATerminal(t *testing.T) {
	skipWithRace(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, logs := t.TempDir(), t.TempDir()
	program := filepath.Join(dir, "logscan") // the test binary runs as logscan by this name
	if err := os.Symlink(self, program); err != nil {
		t.Skip("no symbolic links: " + err.Error())
	}
	files := hostileLogs(t, logs)
	first, second := filepath.Join(dir, "\u202eout\x1b[2J"), filepath.Join(dir, "second")
	show := func(args ...string) []byte {
		shown := onTerminal(t, program, args...)
		harmless(t, strings.Join(args[:min(2, len(args))], " "), shown)
		if len(shown) == 0 {
			t.Errorf("%q prints nothing", args)
		}
		return shown
	}
	show("scan", "-v", "--progress", "always", "-o", first, logs)
	show("scan", "--log-format", "json", "-v", "-o", second, "--baseline", first, files[0], files[1])
	list := show("show", first)
	ids := regexp.MustCompile(`\b[a-z_]+-[0-9a-f]{12}\b`).FindAllString(ownSequences.ReplaceAllString(string(list), ""), -1)
	if len(ids) < len(files) {
		t.Errorf("%d findings of %d logs", len(ids), len(files))
	}
	kinds := map[string]bool{}
	for _, id := range ids {
		kind, _, _ := strings.Cut(id, "-")
		if !kinds[kind] {
			kinds[kind] = true
			show("show", first, id)
		}
	}
	show("show", "--json", first)
	show("diff", first, second)
	show("diff", "--json", second, first)
	show("formats", files[2])
	show("parse", files[2])
	show("parse", filepath.Join(logs, "all.tar"))
	show("config", "check", files[3])
	show("show", first, "nothing\x1b[2J\u202e")
	show("scan", "-o", second, filepath.Join(logs, "missing\x1b]0;owned\x07"))
}

// TestArgumentsAreHarmless passes payloads as flags and arguments. Most are errors
// that quote them.
func TestArgumentsAreHarmless(t *testing.T) {
	skipWithRace(t)
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	if err := os.WriteFile(log, []byte(`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 5 "-" "x"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	printed(t, "scan", "-q", "-o", out, log)
	every := 47
	if trials.All() {
		every = 7
	}
	for _, p := range hostile.Sample(every) {
		for _, args := range [][]string{
			{"show", out, p.Text}, {"show", p.Text}, {"formats", p.Text}, {"parse", p.Text}, {"parse", "--format", p.Text, log}, {"parse", "--format", "$remote_addr " + p.Text, log},
			{"parse", "--field", p.Text, log}, {"parse", "--field", "user=" + p.Text, log}, {"parse", "--since", p.Text, log}, {"parse", "--pseudonymize", p.Text, log},
			{"scan", "--baseline", p.Text, log}, {"scan", "--mute", p.Text, log}, {"scan", "--fail-on", p.Text, log}, {"scan", "--webhook-format", p.Text, log}, {"--" + p.Text}, {p.Text},
		} {
			var stdout, stderr bytes.Buffer
			run(&streams{strings.NewReader(""), &stdout, &stderr, args})
			what := strconv.Quote(strings.Join(args, " "))
			harmless(t, what, stdout.Bytes())
			harmless(t, what, stderr.Bytes())
			if stdout.Len()+stderr.Len() == 0 {
				t.Errorf("%s prints nothing", what)
			}
		}
	}
}

// failingProgram returns a day on which a program is refused from noon on, while people
// are accepted.
func failingProgram(t *testing.T, agent string) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	for minute := range 24 * 60 {
		at := time.Date(2026, 3, 9, 0, minute, 0, 0, time.UTC)
		name, status, software, address := fmt.Sprintf("person%d", minute%7), 200, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", fmt.Sprintf("198.51.100.%d", minute%7)
		if minute%15 == 0 {
			if name, software, address = "svc", agent, "203.0.113.9"; minute >= 12*60 {
				status = 401
			}
		}
		line := map[string]any{"time_iso8601": at.Format(time.RFC3339), "request_method": "GET", "request_uri": "/app/home", "status": status, "remote_user": name,
			"remote_addr": address, "http_user_agent": software}
		if err := encoder.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestNothingActsInPrograms checks that metrics, webhooks, tables and rows are valid
// for hostile logs.
func TestNothingActsInPrograms(t *testing.T) {
	skipWithRace(t)
	dir := t.TempDir()
	log, errorLog, prom := filepath.Join(dir, "access.log"), filepath.Join(dir, "error.log"), filepath.Join(dir, "logscan.prom")
	lines := hostile.Lines(hostile.Formats()[0], hostile.Sample(17))
	var events strings.Builder
	for i, p := range hostile.Sample(17) {
		name := strings.NewReplacer("\n", " ", "\r", " ").Replace(p.Text)
		fmt.Fprintf(&events, "2026/03/09 14:05:00 [error] 1#1: *%d user \"%s\": password mismatch, client: 192.0.2.1, server: _, request: \"GET / HTTP/1.1\", host: \"a.example\"\n", i, name)
	}
	if err := errors.Join(os.WriteFile(log, lines, 0o600), os.WriteFile(errorLog, []byte(events.String()), 0o600)); err != nil {
		t.Fatal(err)
	}
	var hook posted
	server := httptest.NewServer(&hook)
	defer server.Close()
	for _, format := range []string{"json", "slack"} {
		printed(t, "scan", "-q", "--max-rejects", "100", "-o", filepath.Join(dir, format), "--metrics", prom, "--webhook", server.URL, "--webhook-format", format, log, errorLog)
	}
	bodies := bytes.Split(bytes.TrimSpace(hook.bodies), []byte("\n"))
	if len(bodies) != 2 {
		t.Fatalf("%d bodies posted", len(bodies))
	}
	if !json.Valid(bodies[0]) || !bytes.Contains(bodies[0], []byte("mark0")) {
		t.Errorf("posted: %.300s", bodies[0])
	}
	tables, err := filepath.Glob(filepath.Join(dir, "json", "*.parquet"))
	if err != nil || len(tables) < 8 {
		t.Fatal(tables, err)
	}
	for _, path := range tables {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if texts := parquetTexts(t, data); !utf8.Valid(texts) || !bytes.Contains(texts, []byte("mark0")) && !strings.HasSuffix(path, "inputs.parquet") {
			t.Errorf("%s: %d bytes of text, not UTF-8 or not of the log", filepath.Base(path), len(texts))
		}
	}
	// One program at a time: many that are alike are one finding, which names none.
	escaped := 0
	every := 61
	if trials.All() {
		every = 29
	}
	for _, p := range hostile.Sample(every) {
		if err := os.WriteFile(log, failingProgram(t, p.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		hook.bodies = nil
		printed(t, "scan", "-q", "--max-rejects", "100", "-o", filepath.Join(dir, "few"), "--webhook", server.URL, "--webhook-format", "slack", log)
		var message struct{ Text string }
		if err := json.Unmarshal(hook.bodies, &message); err != nil {
			t.Fatal(err)
		}
		harmlessChat(t, message.Text, p.Mark)
		if strings.Contains(message.Text, "&lt;") {
			escaped++
		}
	}
	if escaped == 0 {
		t.Error("no message has markup of the log, escaped")
	}

	metrics := contentOf(t, prom)
	ours := regexp.MustCompile(`^(# HELP logscan_[a-z0-9_]+ .+|# TYPE logscan_[a-z0-9_]+ gauge|logscan_[a-z0-9_]+({[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*})? [0-9.e+]+)\n$`)
	for line := range bytes.Lines(metrics) {
		if !ours.Match(line) || bytes.Contains(line, []byte("owned")) {
			t.Errorf("unexpected metric %q", line)
		}
	}
	if n := bytes.Count(metrics, []byte("# TYPE ")); n < 5 {
		t.Errorf("%d metrics", n)
	}

	if err := os.WriteFile(log, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	rows, _ := printed(t, "parse", log)
	n := 0
	for line := range bytes.Lines(rows) {
		if n++; !json.Valid(line) {
			t.Fatalf("row %d is not JSON: %.300s", n, line)
		}
	}
	if want := bytes.Count(lines, []byte("\n")); n != want {
		t.Errorf("%d rows of %d lines", n, want)
	}
	harmless(t, "parse", rows)
}

// harmlessChat checks that no text of a log is markup in a Slack message.
func harmlessChat(t *testing.T, text, mark string) {
	t.Helper()
	if i := strings.IndexAny(text, "<>"); i >= 0 {
		t.Errorf("markup in a chat: %q", text[max(0, i-50):min(len(text), i+50)])
	}
	for _, part := range strings.Split(text, "&")[1:] {
		if !strings.HasPrefix(part, "amp;") && !strings.HasPrefix(part, "lt;") && !strings.HasPrefix(part, "gt;") {
			t.Errorf("an ampersand in a chat: %.50q", part)
		}
	}
	if !strings.Contains(text, mark) {
		t.Errorf("the message has no text of the log: %s", text)
	}
	body, _, _ := strings.Cut(text, "\nReport: ")
	for _, bad := range []string{"://", "](", "192.0.2", "@channel", "@everyone", "\u0000"} {
		if strings.Contains(body, bad) {
			t.Errorf("%q in a chat", bad)
		}
	}
	for i, line := range strings.Split(text, "\n") {
		if i > 0 && !strings.HasPrefix(line, "• ") && !strings.HasPrefix(line, "Report: ") && !strings.HasSuffix(line, "in findings.json") {
			t.Errorf("unexpected line: %q", line)
		}
	}
}
