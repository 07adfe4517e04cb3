package serverconf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// seeds adds the files of testdata for one server.
func seeds(f *testing.F, server string) {
	archives, err := filepath.Glob("testdata/" + server + "-*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatal("no seeds: ", err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if file.Name != "want" {
				f.Add(file.Data, "/var/log/x/access.log.1.gz")
			}
		}
	}
}

// check reads any text as a configuration that may include itself: reading ends, and the
// logs found are complete.
func check(t *testing.T, read func(string) (*Config, error), text []byte, input string) {
	// Do not read files of this machine.
	if strings.Contains(strings.ToLower(string(text)), "serverroot") || strings.Contains(string(text), "/") && strings.Contains(strings.ToLower(string(text)), "include") {
		t.Skip("an include of the machine's files")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "conf")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := read(path)
	if err != nil {
		var at *Error
		if !errors.As(err, &at) || at.Where.File == "" || at.Where.Line < 1 {
			t.Errorf("the error %q has no place", err)
		}
		return
	}
	for i := range c.Logs {
		l := &c.Logs[i]
		set := 0
		for _, is := range []bool{l.Path != "", l.Off, l.Syslog != "", l.Pipe != ""} {
			if is {
				set++
			}
		}
		if set != 1 || l.Where.Line < 1 || l.Where.File == "" {
			t.Errorf("no whole log: %+v", *l)
		}
		if l.Path == "" || l.Pattern != "" {
			continue
		}
		for _, suffix := range []string{"", ".1", ".2.gz"} {
			// A Path with ! looks like a file in an archive.
			if m, ok := c.For(l.Path + suffix); !strings.Contains(l.Path, "!") && (!ok || !m.Exact) {
				t.Errorf("the log %q is not found by its own path with %q", l.Path, suffix)
			}
		}
	}
	if m, ok := c.For(input); ok != (len(m.Logs) > 0) {
		t.Errorf("%d logs, and found %v", len(m.Logs), ok)
	}
}

func FuzzApache(f *testing.F) {
	seeds(f, "apache")
	f.Add([]byte("<Macro a $a>\nCustomLog $a ${b}\n</Macro>\nUse a '|rotatelogs -L x %Y'\nDefine b \"%h\\\"\""), "access.log-20260101")
	f.Fuzz(func(t *testing.T, text []byte, input string) { check(t, Apache, text, input) })
}

func FuzzNginx(f *testing.F) {
	seeds(f, "nginx")
	f.Add([]byte("http{log_format a escape=json '\\'';access_log $a/${b}.log a if=$x gzip;server{location /{access_log off;}}}"), "x.tar!a.log")
	f.Add([]byte("content_by_lua_block { --[==[ } ]==] '\\'' } server{access_log a;}"), "a")
	f.Fuzz(func(t *testing.T, text []byte, input string) { check(t, Nginx, text, input) })
}
