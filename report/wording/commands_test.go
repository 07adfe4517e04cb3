package wording

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/report/document"
)

// attackOn returns a result with an attack by an address whose lines are in a log.
func attackOn(path, format, line string, n int64) *result.Result {
	return &result.Result{
		Inputs: []result.Input{{Path: path, Format: format, Compression: "none", Parsed: 3}},
		Findings: []result.Finding{{
			Kind: "brute_force", Category: "attack", Subject: result.Subject{Type: "client", ClientAddress: "192.0.2.1"},
			Evidence: []result.Evidence{{Path: path, Line: n, Raw: line}},
		}},
	}
}

func commandsOf(res *result.Result) []document.Command {
	return newCommander(res).commands(&res.Findings[0])
}

// TestCommandsRun runs the commands of a finding in a shell: they find the lines of its
// address, and not those of 192.0.2.10.
func TestCommandsRun(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	lines := []string{`192.0.2.10 - - "GET / HTTP/1.1" 401`, `192.0.2.1 - - "GET /a HTTP/1.1" 401`, `192.0.2.1 - - "GET /b HTTP/1.1" 200`}
	path := filepath.Join(t.TempDir(), "it's a $(log)")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := commandsOf(attackOn(path, "combined", lines[1], 2))
	if len(all) != 4 {
		t.Fatalf("%d commands: %v", len(all), all)
	}
	for i, want := range []string{"2:" + lines[1] + "\n3:" + lines[2] + "\n", strings.Join(lines, "\n") + "\n"} {
		if out, err := exec.CommandContext(t.Context(), sh, "-c", all[i].Command).CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("%s: %v\n%s", all[i].Command, err, out)
		}
	}
	if all[2].Command != "deny 192.0.2.1;" || all[3].Command != "Require not ip 192.0.2.1" {
		t.Errorf("%q", all[2:])
	}
}

// TestCommandsLeftOut checks that no command is given that would not find anything, harm
// others or run what a log says.
func TestCommandsLeftOut(t *testing.T) {
	const line = `192.0.2.1 - - "GET /a HTTP/1.1" 401`
	for _, c := range []struct {
		name   string
		change func(*result.Result)
		want   int
	}{
		{"pseudonyms", func(r *result.Result) { r.PseudonymKey = "a" }, 1}, // the lines around the sample remain
		{"a shared address", func(r *result.Result) { r.Findings[0].Judgement = result.SharedAddress }, 2},
		{"an address that is a text", func(r *result.Result) { r.Findings[0].Subject.ClientAddress = "- - ; include /tmp/x" }, 1},
		{"escape sequences", func(r *result.Result) { r.Findings[0].Subject.ClientAddress = "\x1b[31m" }, 1},
		{"standard input", func(r *result.Result) { r.Inputs[0].Path, r.Findings[0].Evidence[0].Path = "-", "-" }, 2},
		{"an object", func(r *result.Result) { r.Inputs[0].Path, r.Findings[0].Evidence[0].Path = "s3://b/a", "s3://b/a" }, 2},
		{"a file in an archive", func(r *result.Result) { r.Inputs[0].Compression = "gzip+tar" }, 2},
		{"a name that clears the screen", func(r *result.Result) { r.Inputs[0].Path, r.Findings[0].Evidence[0].Path = "a\x1b[2J", "a\x1b[2J" }, 2},
		{"another server", func(r *result.Result) { r.Inputs[0].Format = "haproxy" }, 2},
		{"no attack", func(r *result.Result) { r.Findings[0].Category = "client" }, 2},
	} {
		res := attackOn("a.log", "combined", line, 1)
		c.change(res)
		if got := commandsOf(res); len(got) != c.want {
			t.Errorf("%s: %d commands, want %d: %q", c.name, len(got), c.want, got)
		}
	}
}
