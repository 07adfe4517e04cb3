package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"logscan/analyze"
	"logscan/report/wording"
)

func TestColored(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		env      string
		want     bool
	}{
		{true, "", true}, {false, "", false},
		{true, "NO_COLOR=1", false}, {true, "NO_COLOR=", true}, {true, "TERM=dumb", false}, {true, "TERM=xterm", true},
		{true, "CLICOLOR=0", false}, {true, "CLICOLOR=1", true}, {false, "CLICOLOR=1", false},
		{false, "CLICOLOR_FORCE=1", true}, {false, "CLICOLOR_FORCE=0", false}, {true, "NO_COLOR=1 CLICOLOR_FORCE=1", false},
		{true, "CLICOLOR=0 CLICOLOR_FORCE=1", true},
	} {
		env := map[string]string{}
		for _, s := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(s, "=")
			env[name] = value
		}
		if got := colored(c.terminal, func(n string) string { return env[n] }); got != c.want {
			t.Errorf("terminal %v, %s: %v", c.terminal, c.env, got)
		}
	}
}

func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		stage analyze.Stage
		after time.Duration
		want  string
	}{
		{analyze.Stage{Phase: analyze.PhaseRead, Stored: 300 << 20, Total: 900 << 20, Unauthorized: 12, Input: "web1/access.log"}, 3 * time.Second,
			"read 300 MiB of 900 (33%), 100 MiB/s, 6s left, 12 401s, web1/access.log"},
		{analyze.Stage{Phase: analyze.PhaseRead, Stored: 10 << 20, Total: -1, Input: "-"}, time.Second, "read 10 MiB, 10 MiB/s, 0 401s, -"},
		{analyze.Stage{Phase: analyze.PhaseRead, Stored: 12 << 20, Total: 10 << 20}, time.Second, "read 12 MiB of 10 (100%), 12 MiB/s, 0 401s"},
		{analyze.Stage{Phase: analyze.PhaseRead, Input: "\x1b[2J\u202e" + strings.Repeat("x", 60) + "/a.log"}, 0, "read 0 MiB, 0 MiB/s, 0 401s, …" + strings.Repeat("x", 33) + "/a.log"},
		{analyze.Stage{Phase: analyze.PhaseDetect, Unauthorized: 7}, time.Second, "detecting causes, 7 401s"},
		{analyze.Stage{Phase: phaseWrite, Unauthorized: 7}, time.Second, "writing output, 7 401s"},
		{analyze.Stage{}, 0, "read 0 MiB, 0 MiB/s, 0 401s"},
	} {
		if got := progressLine(c.stage, c.after, wording.NounOf(nil)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	if got := cut("äöü", 2); got != "äö" {
		t.Errorf("cut to %q", got)
	}
}

func TestLogWriter(t *testing.T) {
	var b bytes.Buffer
	s := newLogWriter(&b)
	note(s, "read %s", "a\nb")
	printError(s, "bad \x1b[2J", "do this")
	printError(s, "worse", "")
	var got []map[string]string
	for d := json.NewDecoder(&b); ; {
		var record map[string]string
		if err := d.Decode(&record); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if record["time"] == "" {
			t.Errorf("no time in %v", record)
		}
		delete(record, "time")
		got = append(got, record)
	}
	want := []map[string]string{{"level": "INFO", "msg": `read a\nb`}, {"level": "ERROR", "msg": `bad \x1b[2J`, "hint": "do this"}, {"level": "ERROR", "msg": "worse"}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		for k, v := range want[i] {
			if got[i][k] != v {
				t.Errorf("record %d: %v, want %v", i, got[i], want[i])
			}
		}
	}
}

// TestInATerminal runs a slow scan of a hostile log in a pseudo-terminal. The only
// control sequences in the output are our own, for colours and to erase the
// progress line, and the last line is complete.
func TestInATerminal(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pipe, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "logscan") // the test binary runs as logscan by this name
	if err := os.Symlink(self, program); err != nil {
		t.Skip("no symbolic links: " + err.Error())
	}
	cmd := exec.CommandContext(t.Context(), program, "scan", "-o", filepath.Join(dir, "out"), "--progress", "always", "-")
	cmd.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=", "CLICOLOR=", "CLICOLOR_FORCE=")
	cmd.Stdin = pipe
	screen, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Skip("no pseudo-terminal: " + err.Error())
	}
	defer screen.Close()
	pipe.Close()
	go func() {
		defer feed.Close()
		hostile := "\x1b]0;owned\x07\x1b[2J\xc2\x9b31m\u202e"
		for i := range 200 {
			status := "401"
			if i%2 == 0 {
				status = "200"
			}
			line := `192.0.2.1 - bob` + hostile + ` [09/Mar/2026:10:00:00 +0000] "GET /` + hostile + ` HTTP/1.1" ` + status + ` 1 "-" "` + hostile + "\"\n"
			if _, err := io.WriteString(feed, line); err != nil {
				return
			}
			time.Sleep(8 * time.Millisecond) // longer in total than progressDelay
		}
	}()
	shown, _ := io.ReadAll(screen) // fails when the terminal is closed
	if err := cmd.Wait(); err != nil {
		t.Logf("%v", err) // perhaps too many rejected lines, which is not tested here
	}
	text := string(shown)
	if !strings.Contains(text, "\r\x1b[Kread 0 MiB") || !strings.Contains(text, "401s, -") {
		t.Errorf("no progress in %q", text)
	}
	ours := regexp.MustCompile("\x1b\\[(K|[0-9;]*m)")
	rest := ours.ReplaceAllString(text, "")
	for _, r := range rest {
		if r < ' ' && r != '\r' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
			t.Fatalf("%U passes in %q", r, rest)
		}
	}
	last := strings.TrimRight(text, "\r\n")
	last = last[strings.LastIndex(last, "\n")+1:]
	if !strings.HasPrefix(last, "logscan: ") || strings.Contains(last, "MiB/s") {
		t.Errorf("the last line is %q", last)
	}
}
