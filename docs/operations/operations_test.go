// Package operations holds files for operating logscan, and tests of these files and
// of the documentation.
package operations

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"logscan/fixtures/program"
)

// bin is the path of the program that TestMain builds.
var bin string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds logscan, runs the tests and returns the exit code.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "operations-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = filepath.Join(dir, "logscan")
	if err := program.Build(bin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// documents returns the paths of the files that mention flags.
func documents(t *testing.T) []string {
	t.Helper()
	all := []string{"Dockerfile", "cronjob.yaml", "logscan.cron", "logscan.service", "logrotate.conf", "../../README.md", "../../contrib/aws-batch/submit.sh"}
	guides, err := filepath.Glob("../howto-*.md")
	if err != nil || len(guides) < 4 {
		t.Fatalf("how-tos: %v, %v; want at least 4", guides, err)
	}
	jobs, err := filepath.Glob("../../contrib/kubernetes/*.yaml")
	if err != nil || len(jobs) != 3 {
		t.Fatalf("jobs: %v, %v; want 3", jobs, err)
	}
	return slices.Concat(all, guides, jobs)
}

// TestFlagsExist checks that all flags in the documents exist.
func TestFlagsExist(t *testing.T) {
	var help strings.Builder
	for _, command := range []string{"scan", "parse", "show", "diff", "formats", "check", "plan", "map", "reduce", "watch"} {
		out, err := exec.CommandContext(t.Context(), bin, command, "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		help.Write(out)
	}
	flag := regexp.MustCompile(`--[a-z][a-z-]+`)
	ours := regexp.MustCompile(`logscan [^\n]*|args: [^\n]*`)
	named := 0
	for _, path := range documents(t) {
		for _, line := range ours.FindAllString(read(t, path), -1) {
			for _, f := range flag.FindAllString(line, -1) {
				named++
				if f != "--rm" && !strings.Contains(help.String(), f) {
					t.Errorf("%s: unknown flag %s: %s", path, f, line)
				}
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d flags in the documents, want at least 10", named)
	}
}

// TestConfiguration validates the example configuration, as it is and with all
// settings uncommented.
func TestConfiguration(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "config.yaml")
	text := regexp.MustCompile(`(?m)^#(\w|  \w)`).ReplaceAllString(read(t, "config.yaml"), "$1")
	if err := os.WriteFile(whole, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"config.yaml", whole} {
		if out, err := exec.CommandContext(t.Context(), bin, "config", "check", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, out)
		} else if path == whole && !strings.Contains(string(out), "service-account: [svc-*]") {
			t.Errorf("settings are missing:\n%s", out)
		}
	}
}

// TestYAML checks that the YAML files are valid.
func TestYAML(t *testing.T) {
	for _, path := range []string{"cronjob.yaml", "nfpm.yaml", "dashboard.json"} {
		var into map[string]any
		if err := yaml.Unmarshal([]byte(read(t, path)), &into); err != nil || len(into) < 4 {
			t.Errorf("%s: error %v, %d keys", path, err, len(into))
		}
	}
	// All packaged files exist, except those that are built.
	src := regexp.MustCompile(`src: "?([^",}]+)`)
	for _, m := range src.FindAllStringSubmatch(read(t, "nfpm.yaml"), -1) {
		if strings.HasPrefix(m[1], "dist/") {
			continue
		}
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Error(err)
		}
	}
}

// TestUnits verifies the units with systemd-analyze.
func TestUnits(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	dir := t.TempDir()
	for _, name := range []string{"logscan.service", "logscan.timer"} {
		text := strings.ReplaceAll(read(t, name), "/usr/bin/logscan", "/bin/true") // exists
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), verify, "verify", "--man=no", filepath.Join(dir, "logscan.service"), filepath.Join(dir, "logscan.timer")).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, dir) {
			t.Error(line)
		}
	}
	if err != nil && strings.Contains(string(out), "logscan.") {
		t.Errorf("%v\n%s", err, out)
	}
}
