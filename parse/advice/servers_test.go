package advice

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"logscan/parse"
)

// configs returns the advice for one server, of all text formats.
func configs(t *testing.T, server string) map[string]Config {
	t.Helper()
	all := map[string]Config{}
	for _, tc := range advised {
		f := format(t, tc.format)
		s := parse.Survey([]byte(tc.line), f)
		for _, c := range For(f, &s, nil).Configs {
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

// TestNginx and the tests below check that the servers accept the advised configuration,
// and that their logs then hold the fields that were missing.
func TestNginx(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	for name, c := range configs(t, "nginx") {
		t.Run(name, func(t *testing.T) {
			dir, address := t.TempDir(), freeAddress(t)
			conf := "daemon off; pid @dir@/pid; error_log @dir@/error.log;\nevents {}\nhttp {\n" + c.Text +
				"client_body_temp_path @dir@/a; proxy_temp_path @dir@/b; fastcgi_temp_path @dir@/c; uwsgi_temp_path @dir@/d; scgi_temp_path @dir@/e;\n" +
				"server { listen " + address + "; location / { proxy_pass " + backend(t) + "; } }\n}\n"
			conf = strings.NewReplacer("/var/log/nginx", dir, "@dir@", dir).Replace(conf)
			file := write(t, dir, "nginx.conf", conf)
			check(t, exec.CommandContext(t.Context(), nginx, "-t", "-q", "-p", dir, "-c", file), c.Text)
			serve(t, exec.CommandContext(t.Context(), nginx, "-p", dir, "-c", file), address)
			holds(t, &c, filepath.Join(dir, "logscan.log"), nil)
		})
	}
}

func TestApache(t *testing.T) {
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
			dir, address := t.TempDir(), freeAddress(t)
			conf := "ServerRoot @dir@\nServerName localhost\nDefaultRuntimeDir @dir@\nPidFile @dir@/pid\nErrorLog @dir@/error.log\nListen " + address + "\nUser www-data\nGroup www-data\n"
			for _, m := range []string{"mpm_event", "authz_core", "setenvif", "proxy", "proxy_http", "slotmem_shm", "proxy_balancer", "lbmethod_byrequests"} {
				conf += "LoadModule " + m + "_module " + modules + "/mod_" + m + ".so\n"
			}
			conf += "<Proxy balancer://app>\nBalancerMember " + backend(t) + "\n</Proxy>\nProxyPass / balancer://app/\n" + c.Text
			file := write(t, dir, "apache2.conf", strings.ReplaceAll(conf, "@dir@", dir))
			command := func(args ...string) *exec.Cmd {
				cmd := exec.CommandContext(t.Context(), apache, append([]string{"-d", dir, "-f", file}, args...)...)
				cmd.Env = append(os.Environ(), "APACHE_LOG_DIR="+dir)
				return cmd
			}
			check(t, command("-t"), c.Text)
			serve(t, command("-DFOREGROUND"), address)
			// Apache logs only users that it signed in itself, and here it has not.
			holds(t, &c, filepath.Join(dir, "logscan.log"), []parse.Extra{parse.ExtraUser})
		})
	}
}

func TestCaddy(t *testing.T) {
	caddy, err := exec.LookPath("caddy")
	if err != nil {
		t.Skip("caddy is not installed")
	}
	if modules, err := exec.CommandContext(t.Context(), caddy, "list-modules").Output(); err != nil || !strings.Contains(string(modules), "log_append") {
		t.Skip("this caddy is older than log_append: 2.8")
	}
	s := parse.Survey([]byte(caddyLine), format(t, "json"))
	c := For(format(t, "json"), &s, nil).Configs[0]
	dir, address := t.TempDir(), freeAddress(t)
	conf := "{\n admin off\n auto_https off\n}\nhttp://" + address + " {\n" + c.Text + "reverse_proxy " + backend(t) + "\n}\n"
	file := write(t, dir, "Caddyfile", strings.ReplaceAll(conf, "/var/log/caddy", dir))
	cmd := exec.CommandContext(t.Context(), caddy, "run", "--adapter", "caddyfile", "--config", file)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	serve(t, cmd, address)
	c.Format = "json"
	holds(t, &c, filepath.Join(dir, "access.log"), nil)
	line, err := os.ReadFile(filepath.Join(dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(line), `"s1"`) {
		t.Errorf("the session id itself is logged:\n%s", line)
	}
}

// caddyLine is a line of Caddy's default log.
const caddyLine = `{"ts":1773065100.25,"request":{"remote_ip":"203.0.113.1","host":"a.example","uri":"/a","headers":{"Cookie":["REDACTED"],"User-Agent":["curl"]}},"user_id":"","duration":0.001,"status":200}`

// backend starts an application that refuses every request.
func backend(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="a b", error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serve runs the server for a request with every header that a client can send.
func serve(t *testing.T, cmd *exec.Cmd, address string) {
	t.Helper()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		if t.Failed() {
			t.Logf("%v: %s", cmd, out.String())
		}
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/a?b=c", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("jane", "secret")
	r.Header.Set("User-Agent", "curl/8")
	r.Header.Set("Referer", "https://a.example/")
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	r.AddCookie(&http.Cookie{Name: Session, Value: "s1"})
	client := http.Client{Timeout: 5 * time.Second}
	asked := 0
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		answer, err := client.Do(r)
		switch {
		case err == nil:
			answer.Body.Close()
			if answer.StatusCode != http.StatusUnauthorized {
				t.Errorf("answered %s", answer.Status)
			}
			if asked++; asked == requests {
				return
			}
		case time.Now().After(until):
			t.Fatal(err)
		}
	}
}

// requests is how many requests each server gets: a single one falls on a full second once
// in a thousand runs, and would show no sub-second.
const requests = 3

// holds parses the log that was written and checks that it has every field that was added.
func holds(t *testing.T, c *Config, path string, but []parse.Extra) {
	t.Helper()
	line, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := format(t, c.Format).WithFields(c.Fields)
	if err != nil {
		t.Fatal(err)
	}
	s := parse.Survey(line, f)
	if s.Lines != requests || s.Refused != requests {
		t.Fatalf("%d lines, %d refused:\n%s", s.Lines, s.Refused, line)
	}
	for _, x := range c.Adds {
		if s.Has[x] == 0 && !slices.Contains(but, x) {
			t.Errorf("%v is not in\n%s", x, line)
		}
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func check(t *testing.T, cmd *exec.Cmd, text string) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s\n%s", cmd, err, out, text)
	}
}
