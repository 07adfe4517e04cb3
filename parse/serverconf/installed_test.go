package serverconf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstalled reads the configuration of the servers installed on this machine: each log
// must have a path and a format.
func TestInstalled(t *testing.T) {
	for _, c := range []struct {
		file string
		read func(string) (*Config, error)
		want string // the log of a new installation
	}{
		{"/etc/nginx/nginx.conf", Nginx, "/var/log/nginx/access.log"},
		{"/etc/apache2/apache2.conf", Apache, "/var/log/apache2/access.log"},
		{"/etc/httpd/conf/httpd.conf", Apache, "/etc/httpd/logs/access_log"},
	} {
		t.Run(c.file, func(t *testing.T) {
			if _, err := os.Stat(c.file); err != nil {
				t.Skip("the server is not installed: ", err)
			}
			got, err := c.read(c.file)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Logs) == 0 {
				t.Fatal("no log was found")
			}
			for _, l := range got.Logs {
				if l.Path != "" && (!filepath.IsAbs(l.Path) || strings.Contains(l.Path, "$")) && l.Pattern == "" {
					t.Errorf("%s: the path %q is none", l.Where, l.Path)
				}
				if !l.Off && l.Spec == "" {
					t.Errorf("%s: the format of %s is not known", l.Where, l.Path)
				}
			}
			if m, ok := got.For(c.want + ".1.gz"); !ok || !m.Exact {
				t.Logf("changed since its installation: nothing writes to %s", c.want)
			}
			t.Logf("%s", shown(got))
		})
	}
}
