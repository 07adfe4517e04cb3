//go:build unix

package operations

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestPermissions runs the scan of cronjob.yaml with its user and groups, on logs with the
// owner and mode of Debian, and without the group that may read them.
func TestPermissions(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	var job struct {
		Spec struct {
			JobTemplate struct {
				Spec struct {
					Template struct {
						Spec struct {
							SecurityContext struct {
								RunAsUser          uint32   `yaml:"runAsUser"`
								FSGroup            uint32   `yaml:"fsGroup"`
								SupplementalGroups []uint32 `yaml:"supplementalGroups"`
							} `yaml:"securityContext"`
							Containers []struct{ Args []string }
						}
					}
				}
			} `yaml:"jobTemplate"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "cronjob.yaml")), &job); err != nil {
		t.Fatal(err)
	}
	spec := &job.Spec.JobTemplate.Spec.Template.Spec
	user := &spec.SecurityContext
	root := t.TempDir()
	for dir := root; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // another user enters it
			t.Fatal(err)
		}
	}
	logs, lake, program := filepath.Join(root, "logs"), filepath.Join(root, "lake"), filepath.Join(root, "logscan")
	const adm = 4
	log := filepath.Join(logs, "access.log")
	for _, made := range []struct {
		path, from string // of a file; "" for a directory
		group      uint32
		mode       os.FileMode
	}{
		{logs, "", adm, 0o755}, {log, "../../fixtures/logs/nginx/files.access.log", adm, 0o640}, {lake, "", user.FSGroup, 0o770 | os.ModeSetgid}, {program, bin, 0, 0o755},
	} {
		var err error
		if made.from == "" {
			err = os.Mkdir(made.path, 0o700)
		} else {
			err = os.WriteFile(made.path, []byte(read(t, made.from)), 0o600)
		}
		if err != nil || os.Chown(made.path, 0, int(made.group)) != nil || os.Chmod(made.path, made.mode) != nil {
			t.Fatal(err)
		}
	}
	place := strings.NewReplacer("/logs", logs, "/lake", lake)
	args := make([]string, len(spec.Containers[0].Args))
	for i, a := range spec.Containers[0].Args {
		args[i] = place.Replace(a)
	}
	for _, groups := range [][]uint32{user.SupplementalGroups, nil} {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Env = "/", []string{"HOME=/home/nonroot"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user.RunAsUser, Gid: user.FSGroup, Groups: append(groups, user.FSGroup)}}
		out, err := cmd.CombinedOutput()
		code := cmd.ProcessState.ExitCode()
		switch {
		case groups != nil && code != 0 && code != 3:
			t.Errorf("exit code %d, %v:\n%s", code, err, out)
		case groups == nil && (code != 1 || !strings.Contains(string(out), "permission denied")):
			t.Errorf("without the group: exit code %d, want 1 and the reason:\n%s", code, out)
		}
	}
}
