package operations

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"logscan/fixtures"
)

// start is the first of the simulated days.
var start = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)

// howtoCommands returns the commands of howto-nightly.md.
func howtoCommands(t *testing.T) []string {
	t.Helper()
	commands := regexp.MustCompile("(?m)^logscan scan .*$").FindAllString(read(t, "../howto-nightly.md"), -1)
	if len(commands) != 2 || strings.Contains(commands[0], "--state") || !strings.Contains(commands[1], "--state") {
		t.Fatalf("commands of howto-nightly.md: %q; want one without and one with --state", commands)
	}
	return commands
}

// TestOneCommand checks that the jobs run the command that the how-to names.
func TestOneCommand(t *testing.T) {
	command := howtoCommands(t)[0]
	for _, path := range []string{"logscan.service", "logscan.cron", "logrotate.conf"} {
		if !strings.Contains(read(t, path), command) {
			t.Errorf("%s does not run %s", path, command)
		}
	}
}

// machine stands for a server with the logs of nginx, where a job runs every night.
type machine struct {
	root string // in the place of /
	day  int
}

func newMachine(t *testing.T, config string) *machine {
	t.Helper()
	m := &machine{root: t.TempDir()}
	for _, dir := range []string{"/var/log/nginx", "/var/lib/logscan", "/etc/logscan"} {
		if err := os.MkdirAll(m.root+dir, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	m.write(t, "/etc/logscan/config.yaml", []byte(config))
	return m
}

func (m *machine) write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(m.root+path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// date returns the name of the simulated day.
func (m *machine) date() string { return start.AddDate(0, 0, m.day).Format(time.DateOnly) }

// log writes the requests of a day into the log, whose older lines are rotated away and
// compressed.
func (m *machine) log(t *testing.T, o fixtures.Options) {
	t.Helper()
	const path = "/var/log/nginx/access.log"
	var compressed, text bytes.Buffer
	if old, err := os.ReadFile(m.root + path); err == nil {
		z := gzip.NewWriter(&compressed)
		if _, err := z.Write(old); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		m.write(t, path+"-"+m.date()+".gz", compressed.Bytes())
	}
	o.Lines, o.Start = 20_000, start.AddDate(0, 0, m.day)
	if _, err := fixtures.Simulate(t.Context(), o, []io.Writer{&text}); err != nil {
		t.Fatal(err)
	}
	m.write(t, path, text.Bytes())
}

// run runs a command and returns its output and exit code. What it has written into the
// lake gets the date of the simulated day, so that the next run is that of another night.
func (m *machine) run(t *testing.T, command string) (out string, code int) {
	t.Helper()
	args := strings.Fields(command)[1:]
	for i, a := range args {
		if strings.HasPrefix(a, "/") {
			args[i] = m.root + a
		}
	}
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+m.root+"/etc")
	said, err := cmd.CombinedOutput()
	if code = cmd.ProcessState.ExitCode(); code != 0 && code != 3 {
		t.Fatalf("%s: %v\n%s", command, err, said)
	}
	lake := m.root + "/var/lib/logscan"
	nights, err := filepath.Glob(lake + "/dt=*")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(nights[len(nights)-1], lake+"/dt="+m.date()); err != nil {
		t.Fatal(err)
	}
	m.day++
	return string(said), code
}

// TestNights runs the job of the how-to in three nights, with the example configuration:
// in the second, a route begins to refuse everybody, and in the third it still does.
func TestNights(t *testing.T) {
	config := strings.Replace(read(t, "config.yaml"), "keep: 90", "keep: 36500", 1) // the days are long ago
	counted := strings.Replace(config, "since: 24h", "", 1)                         // as it says
	for i, command := range howtoCommands(t) {
		m := newMachine(t, []string{config, counted}[i])
		for _, night := range []struct {
			day  fixtures.Options
			code int
			says string
		}{
			{fixtures.Options{Scenario: "clean"}, 0, "log"},
			{fixtures.Options{Scenario: "endpoint", Seed: 2, Onset: time.Minute}, 3, "Since the baseline: 1 new."},
			{fixtures.Options{Scenario: "endpoint", Seed: 3, Onset: time.Minute}, 0, "Since the baseline: 1 persisting."},
		} {
			m.log(t, night.day)
			date := m.date()
			out, code := m.run(t, command)
			if code != night.code || !strings.Contains(out, night.says) {
				t.Errorf("%s: %s: exit code %d, want %d and %q:\n%s", date, command, code, night.code, night.says, out)
			}
			for _, name := range []string{"report.html", "findings.json", "unauthorized.parquet"} {
				read(t, filepath.Join(m.root, "var/lib/logscan/dt="+date, name))
			}
		}
	}
}
