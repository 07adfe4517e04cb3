package serverconf

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestErrorLogs checks that virtual hosts inherit ErrorLog and ErrorLogFormat one by one.
func TestErrorLogs(t *testing.T) {
	for _, tt := range []struct {
		name, conf string
		want       []string // path and format
	}{
		{"no format", "ErrorLog /a\nCustomLog /b %h\n", nil},
		{"the default log", "ErrorLogFormat \"%t %M\"\n", []string{"logs/error_log %t %M"}},
		{"of the main server", "ErrorLog /a\nErrorLogFormat \"[%t] [client\\ %a] %M\"\n<VirtualHost *>\n</VirtualHost>\n", []string{`/a [%t] [client\ %a] %M`}},
		{"own format", "ErrorLog /a\nErrorLogFormat %t%M\n<VirtualHost *>\nErrorLogFormat \"%t %M\"\n</VirtualHost>\n", []string{"/a %t%M", "/a %t %M"}},
		{"own log", "ErrorLogFormat \"%t %M\"\n<VirtualHost *>\nErrorLog ${APACHE_X}/b\n</VirtualHost>\n", []string{"logs/error_log %t %M", "${APACHE_X}/b %t %M"}},
		{"lines of connections", "ErrorLogFormat connection \"%t\"\n", nil},
		{"no file", "ErrorLog syslog:local7\nErrorLogFormat \"%t %M\"\n", []string{" %t %M"}},
		{"a program", "ErrorLog \"|/bin/x /y\"\nErrorLogFormat \"%t %M\"\n", []string{" %t %M"}},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "httpd.conf")
		if err := os.WriteFile(path, []byte(tt.conf), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Apache(path)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		if c.Errors != nil {
			for _, l := range c.Errors.Logs {
				if rel, err := filepath.Rel(dir, l.Path); err == nil && filepath.IsLocal(rel) {
					l.Path = filepath.ToSlash(rel)
				}
				got = append(got, l.Path+" "+l.Spec)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
