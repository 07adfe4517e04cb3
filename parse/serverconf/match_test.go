package serverconf

import (
	"slices"
	"strings"
	"testing"
)

func TestStripped(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"access.log", "access.log"},
		{"access.log.1", "access.log.1 access.log"},
		{"access.log.2.gz", "access.log.2.gz access.log.2 access.log"},
		{"access.log-20260101.gz", "access.log-20260101.gz access.log-20260101 access.log"},
		{"access.log.2026-11-01.zst", "access.log.2026-11-01.zst access.log.2026-11-01 access.log"},
		{"access.log-20260101-1767225600.gz", "access.log-20260101-1767225600.gz access.log-20260101-1767225600 access.log-20260101 access.log"},
		{"access.log.1767225600", "access.log.1767225600 access.log"},
		{"access-2026-01-01T10.log.xz", "access-2026-01-01T10.log.xz access-2026-01-01T10.log access.log"},
		{"access-20260101.log", "access-20260101.log access.log"},
		{"access.1.log", "access.1.log access.log"},
		{"access_log-20260101", "access_log-20260101 access_log"},
		{"access.log.old", "access.log.old access.log"},
		{"web-01.log", "web-01.log"},
		{"site2026.log", "site2026.log"},
		{".log.2.gz", ".log.2.gz .log.2 .log"},
		{"2026-03-09.log", "2026-03-09.log"},
		{".1", ".1"},
		{"", ""},
	} {
		if got := strings.Join(stripped(c.name), " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if got := stripped(strings.Repeat(".1", 10_000)); len(got) > maxStripped {
		t.Errorf("a name with 10,000 suffixes was tried as %d names", len(got))
	}
}

func TestFor(t *testing.T) {
	f := func(name string) Log { return Log{Spec: name} }
	log := func(path, spec string, servers ...string) Log {
		l := f(spec)
		l.Path, l.Pattern, l.ServerNames = path, timePattern(path), servers
		return l
	}
	c := &Config{Logs: []Log{
		{Off: true},
		{Syslog: "server=192.0.2.1", Spec: "S"},
		log("/var/log/nginx/access.log", "A", "a.example.org"),
		log("/var/log/nginx/access.log", "B", "b.example.org"),
		log("/srv/shop/logs/access.log", "C", "c.example.org"),
		log("/srv/blog/logs/access.log", "D", "d.example.org"),
		log("/var/log/nginx/$host.log", "E", "_"),
		log("/srv/%Y/%m/daily-%d.log", "F"),
		log("/srv/tenants/$tenant/$file", "G"),
		log("${UNKNOWN}/odd[1].log", "H"),
		log("/var/log/nginx/zipped.log.gz", "I"),
	}}
	for _, r := range []struct {
		name, input, want string
		exact             bool
	}{
		{"exact path, two formats, then the pattern", "/var/log/nginx/access.log", "A B E", true},
		{"rotated", "/var/log/nginx/access.log.1", "A B E", true},
		{"rotated and compressed", "/var/log/nginx/access.log-20260101.gz", "A B E", true},
		{"not cleaned", "/var/log//nginx/../nginx/access.log", "A B E", true},
		{"another of the same name", "/srv/blog/logs/access.log.2.gz", "D", true},
		{"member of an archive", "backup.tar.gz!var/log/nginx/access.log.1", "A B E", true},
		{"member of a member", "x.zip!y.tar!srv/shop/logs/access.log", "C", true},
		{"most of the path's end", "/home/me/shop/logs/access.log", "C D A B E", false},
		{"the directory of one of them", "copies/nginx/access.log", "A B E C D", false},
		{"the name alone", "access.log.3", "A B C D E", false},
		{"a variable", "/var/log/nginx/shop.example.org.log.1.gz", "E", true},
		{"a time in the path", "/srv/2026/03/daily-09.log", "F", true},
		{"a time that is none", "/srv/2026/march/daily-xx.log", "E", false},
		{"a name that may be anything, in its directory", "/srv/tenants/one/requests.txt", "G", true},
		{"a name that may be anything, elsewhere", "/srv/other/requests.txt", "", false},
		{"brackets in a name", "/logs/odd[1].log", "H E", false},
		{"compressed by the server", "/var/log/nginx/zipped.log.gz", "I E", true},
		{"standard input", "-", "", false},
		{"nothing", "", "", false},
		{"a directory", "/var/log/nginx/", "", false},
		{"another name", "/var/log/nginx/error", "", false},
	} {
		t.Run(r.name, func(t *testing.T) {
			m, ok := c.For(r.input)
			var got []string
			for _, l := range m.Logs {
				got = append(got, l.Spec)
			}
			if strings.Join(got, " ") != r.want || ok != (r.want != "") || m.Exact != r.exact {
				t.Errorf("%s: got %v, %v, exact %v; want %q, exact %v", r.input, got, ok, m.Exact, r.want, r.exact)
			}
		})
	}
}

// TestMatchHost checks that the host is known if all logs in the format belong to one
// virtual host.
func TestMatchHost(t *testing.T) {
	log := func(spec string, servers ...string) *Log { return &Log{Spec: spec, ServerNames: servers} }
	m := Match{Logs: []*Log{
		log("A", "a.example.org"), log("A", "A.example.org"),
		log("B", "a.example.org"), log("B", "b.example.org"),
		log("C", "c.example.org", "d.example.org"), log("D", ""), log("E", "_"), log("F", "*.example.org"),
		log("G", "~^www"), log("H", ".example.org"), log("I", "$hostname"), log("J"), log("", "z.example.org"),
	}}
	for _, c := range []struct{ spec, want string }{
		{"A", "A.example.org"}, {"B", ""}, {"C", ""}, {"D", ""}, {"E", ""}, {"F", ""}, {"G", ""}, {"H", ""}, {"I", ""}, {"J", ""}, {"K", ""},
	} {
		got, ok := m.Host(Format{Spec: c.spec})
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: got %q %v, want %q", c.spec, got, ok, c.want)
		}
	}
	var specs []string
	for _, f := range m.Formats() {
		specs = append(specs, f.Spec)
	}
	if want := strings.Split("ABCDEFGHIJ", ""); !slices.Equal(specs, want) {
		t.Errorf("formats: got %q, want %q", specs, want)
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ path, variables, times string }{
		{"/a/b.log", "", ""},
		{"/a/$host.log", "/a/*.log", "/a/*.log"},
		{"/a/${host}x$y$z.log", "/a/*x*.log", "/a/*x*.log"},
		{"/a/%Y%m%d", "", "/a/[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]"},
		{"/a/%F-%H.%j.%Z%%", "", "/a/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9].[0-9][0-9][0-9].*%"},
		{"/a/*[$x]?", `/a/\*\[*]\?`, `/a/\*\[*]\?`},
		{`/a/\$x`, `/a/\\*`, `/a/\\*`},
		{"/a/$", "", ""},
		{"/a/${", "", ""},
		{"/a/$.${b", "", ""},
		{"/a/100%", "", ""},
	} {
		if got := variablePattern(c.path); got != c.variables {
			t.Errorf("%s with variables: got %s, want %s", c.path, got, c.variables)
		}
		if got := timePattern(c.path); got != c.times {
			t.Errorf("%s with times: got %s, want %s", c.path, got, c.times)
		}
	}
}
