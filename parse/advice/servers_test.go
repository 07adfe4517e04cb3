package advice

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"logscan/parse"
)

// configs gives what is advised to one server, of all text formats.
func configs(t *testing.T, server string) map[string]Config {
	t.Helper()
	all := map[string]Config{}
	for _, tc := range advised {
		f := format(t, tc.format)
		s := parse.Survey([]byte(tc.line), f)
		for _, c := range For(f, &s).Configs {
			if c.Server == server {
				all[tc.name] = c
			}
		}
	}
	if len(all) == 0 {
		t.Fatalf("nothing is advised to %s", server)
	}
	return all
}

// The servers themselves accept what is to be pasted.
func TestNginxAccepts(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	for name, c := range configs(t, "nginx") {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "nginx.conf"), "pid "+dir+"/pid;\nerror_log "+dir+"/error.log;\nevents {}\nhttp {\n"+
				strings.ReplaceAll(c.Text, "/var/log/nginx", dir)+
				"client_body_temp_path "+dir+"/a; proxy_temp_path "+dir+"/b; fastcgi_temp_path "+dir+"/c; uwsgi_temp_path "+dir+"/d; scgi_temp_path "+dir+"/e;\n"+
				"server { listen 127.0.0.1:8080; }\n}\n")
			check(t, exec.CommandContext(t.Context(), nginx, "-t", "-q", "-p", dir, "-c", filepath.Join(dir, "nginx.conf")), c.Text)
		})
	}
}

func TestApacheAccepts(t *testing.T) {
	apache, err := exec.LookPath("apache2")
	if err != nil {
		t.Skip("apache2 is not installed")
	}
	const modules = "/usr/lib/apache2/modules"
	if _, err := os.Stat(modules); err != nil {
		t.Skip("the modules of Debian's apache2 are not where they are expected: " + err.Error())
	}
	for name, c := range configs(t, "Apache") {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			conf := "ServerRoot " + dir + "\nServerName localhost\nPidFile " + dir + "/pid\nErrorLog " + dir + "/error.log\nListen 127.0.0.1:8080\n"
			for _, m := range []string{"mpm_event", "authz_core", "setenvif"} {
				conf += "LoadModule " + m + "_module " + modules + "/mod_" + m + ".so\n"
			}
			write(t, filepath.Join(dir, "apache2.conf"), conf+c.Text)
			cmd := exec.CommandContext(t.Context(), apache, "-t", "-d", dir, "-f", filepath.Join(dir, "apache2.conf"))
			cmd.Env = append(os.Environ(), "APACHE_LOG_DIR="+dir)
			check(t, cmd, c.Text)
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, cmd *exec.Cmd, text string) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s\n%s", cmd, err, out, text)
	}
}
