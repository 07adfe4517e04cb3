package operations

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// places are the directories that stand for the volumes of a job.
type places struct{ logs, work string }

// run runs logscan as a job does.
func (p *places) run(t *testing.T, env string, args []string) {
	t.Helper()
	local := make([]string, len(args))
	for i, a := range args {
		switch {
		case a == "/logs":
			a = p.logs
		case strings.HasPrefix(a, "/work/"):
			a = p.work + strings.TrimPrefix(a, "/work")
		case a == "64":
			a = "3"
		}
		local[i] = a
	}
	cmd := exec.CommandContext(t.Context(), bin, local...)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+p.work, env)
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 3 {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// check compares the report of the jobs with that of a scan.
func (p *places) check(t *testing.T) {
	t.Helper()
	p.run(t, "", []string{"scan", "-o", "/work/scan", "/logs"})
	for _, name := range []string{"findings.json", "report.html", "unauthorized.parquet", "sessions.parquet"} {
		if read(t, filepath.Join(p.work, "scan", name)) != read(t, filepath.Join(p.work, "report", name)) {
			t.Errorf("%s is not that of a scan", name)
		}
	}
}

// TestKubernetesJobs does what the jobs in contrib/kubernetes do.
func TestKubernetesJobs(t *testing.T) {
	p := places{"../../fixtures/logs", t.TempDir()}
	for _, name := range []string{"plan", "map", "reduce"} {
		var job struct {
			Spec struct {
				Completions    int
				CompletionMode string `yaml:"completionMode"`
				Template       struct {
					Spec struct {
						Containers []struct{ Args []string }
					}
				}
			}
		}
		if err := yaml.Unmarshal([]byte(read(t, "../../contrib/kubernetes/"+name+".yaml")), &job); err != nil {
			t.Fatal(err)
		}
		args := job.Spec.Template.Spec.Containers[0].Args
		if name != "map" {
			p.run(t, "", args)
			continue
		}
		if job.Spec.Completions != 64 || job.Spec.CompletionMode != "Indexed" {
			t.Errorf("%d completions, %s", job.Spec.Completions, job.Spec.CompletionMode)
		}
		for task := range 3 {
			p.run(t, fmt.Sprint("JOB_COMPLETION_INDEX=", task), args)
		}
	}
	p.check(t)
}

// TestAWSBatch runs submit.sh with a program in place of aws, and does what it submits.
func TestAWSBatch(t *testing.T) {
	var definition map[string]any
	if err := json.Unmarshal([]byte(read(t, "../../contrib/aws-batch/job-definition.json")), &definition); err != nil {
		t.Fatal(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	p := places{"../../fixtures/logs", t.TempDir()}
	aws := "#!/bin/sh\nprintf '%s\\n' \"$*\" >>\"$0.log\"\necho id-$(wc -l <\"$0.log\" | tr -d ' ')\n"
	if err := os.WriteFile(filepath.Join(p.work, "aws"), []byte(aws), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), sh, "../../contrib/aws-batch/submit.sh")
	cmd.Env = append(os.Environ(), "PATH="+p.work+":"+os.Getenv("PATH"), "QUEUE=q", "TASKS=64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	jobs := strings.Split(strings.TrimSpace(read(t, filepath.Join(p.work, "aws.log"))), "\n")
	if len(jobs) != 3 {
		t.Fatalf("%d jobs", len(jobs))
	}
	command := regexp.MustCompile(`\{"command": (\[[^\]]*\])\}`)
	for i, job := range jobs {
		var args []string
		d := json.NewDecoder(bytes.NewReader([]byte(command.FindStringSubmatch(job)[1])))
		if err := d.Decode(&args); err != nil {
			t.Fatal(err)
		}
		if i > 0 && !strings.Contains(job, "jobId=id-"+strconv.Itoa(i)) {
			t.Errorf("job %d does not wait for the one before: %s", i, job)
		}
		if !strings.Contains(job, "size=64") {
			p.run(t, "", args)
			continue
		}
		for task := range 3 {
			p.run(t, fmt.Sprint("AWS_BATCH_JOB_ARRAY_INDEX=", task), args)
		}
	}
	p.check(t)
}
