package serverconf

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldens are the trees in testdata: the server, and the file to read.
var goldens = []struct {
	name, file string
	read       func(string) (*Config, error)
}{
	{"nginx-debian", "etc/nginx/nginx.conf", Nginx},
	{"nginx-vhosts", "etc/nginx/nginx.conf", Nginx},
	{"nginx-builtin", "usr/local/nginx/conf/nginx.conf", Nginx},
	{"nginx-fragment", "etc/nginx/sites-enabled/site", Nginx},
	{"apache-debian", "etc/apache2/apache2.conf", Apache},
	{"apache-redhat", "etc/httpd/conf/httpd.conf", Apache},
	{"apache-everything", "etc/apache2/apache2.conf", Apache},
	{"apache-fragment", "etc/apache2/sites-enabled/ssl.conf", Apache},
}

// TestGolden unpacks each tree of testdata to a temporary directory, reads it, and compares
// everything that is found.
func TestGolden(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			file := filepath.Join("testdata", g.name+".txtar")
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			root := unpack(t, archive)
			c, err := g.read(filepath.Join(root, g.file))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(shown(c), root, "")
			last := &archive.Files[len(archive.Files)-1]
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(last.Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// unpack writes the files of an archive below a directory, and prefixes the paths in
// configurations by it.
func unpack(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	root := t.TempDir()
	rebase := strings.NewReplacer("include /etc/", "include "+root+"/etc/", `ServerRoot "/`, `ServerRoot "`+root+"/")
	for _, f := range archive.Files {
		if f.Name == "want" {
			continue
		}
		write(t, filepath.Join(root, f.Name), rebase.Replace(string(f.Data)))
	}
	return root
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shown formats a Config, one log after the other.
func shown(c *Config) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "    %-8s %s\n", name, value)
		}
	}
	for _, l := range c.Logs {
		what := cmp.Or(l.Path, l.Syslog, l.Pipe)
		if l.Off {
			what = "off"
		}
		fmt.Fprintf(&b, "log %s\n", what)
		line("where", l.Where.String())
		line("pattern", l.Pattern)
		line("syslog", l.Syslog)
		line("pipe", l.Pipe)
		line("format", l.FormatName)
		line("spec", l.Spec)
		line("escape", l.Escape)
		if len(l.ServerNames) > 0 {
			line("servers", fmt.Sprintf("%q", l.ServerNames))
		}
		if len(l.Aliases) > 0 {
			line("aliases", fmt.Sprintf("%q", l.Aliases))
		}
		if host, ok := l.Host(); ok {
			line("host", host)
		}
		line("if", l.If)
		if l.Gzip {
			line("gzip", "yes")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Formats)) {
		f := c.Formats[name]
		fmt.Fprintf(&b, "format %s\n", f.Name)
		line("spec", f.Spec)
		line("escape", f.Escape)
	}
	for _, note := range c.Notes {
		fmt.Fprintf(&b, "note %s\n", note)
	}
	return b.String()
}
