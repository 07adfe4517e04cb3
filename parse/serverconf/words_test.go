package serverconf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWords compares with what Apache 2.4 makes of these lines, as DUMP_CONFIG and its logs
// show.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
	}{
		{`a  b	c`, []string{"a", "b", "c"}},
		{`"%h \"%r\"" name`, []string{`%h "%r"`, "name"}},
		{`'single \'x\' "%r"' two`, []string{`single 'x' "%r"`, "two"}},
		{`"a\\b \t \'q\'"`, []string{`a\b \t \'q\'`}},
		{`un\\quo\ted`, []string{`un\quo\ted`}},
		{`"not closed`, []string{"not closed"}},
		{`"ends in \`, []string{`ends in \`}},
		{`"" ''`, []string{"", ""}},
		{`a"b c"`, []string{`a"b`, `c"`}},
		{`"a"b`, []string{"a", "b"}},
		{`  `, nil},
	} {
		if got := words(c.line); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.line, got, c.want)
		}
	}
}

func TestLogicalLines(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // number:line, separated by |
	}{
		{"a\n b \n\nc", "1:a|2:b|3:|4:c"},
		{"a\\\nb\nc", "1:ab|3:c"},
		{"a \\\r\n  b\r\nc", "1:a   b|3:c"},
		{"a\\\\\nb", `1:a\b`},
		{"# a\\\nb", "1:# ab"},
		{"a\\ \nb", `1:a\|2:b`},
		{"a\\", `1:a\`},
		{"a\\\n", "1:a"},
		{"", ""},
	} {
		lines := logicalLines{text: c.text, next: 1}
		var got []string
		for {
			l, n, ok := lines.read()
			if !ok {
				break
			}
			got = append(got, fmt.Sprintf("%d:%s", n, l))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestUnescapeNginx(t *testing.T) {
	for _, c := range []struct{ conf, want string }{
		{`'a\'b' "c\"d" e\"f`, `a'bc"de"f`},
		{`'tab\there' '\\n' '\d'`, "tab\there" + `\n\d`},
		{`"${a}b;" $c`, "${a}b;$c"},
		{`'ä€' '\\'`, `ä€\`},
	} {
		file := write(t, filepath.Join(t.TempDir(), "nginx.conf"), "events {} http { log_format x "+c.conf+" ;\n}")
		got, err := Nginx(file)
		if err != nil {
			t.Errorf("%s: %v", c.conf, err)
			continue
		}
		if spec := got.Formats["x"].Spec; spec != c.want {
			t.Errorf("%s: got %q, want %q", c.conf, spec, c.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	var v variables
	v.readEnvironment(strings.Join([]string{
		`# export COMMENT=1`,
		`NOT_EXPORTED=1`,
		`export PLAIN=/var/log # why`,
		`  export INDENTED=1`,
		`export QUOTED="/a b" # why`,
		`export SINGLE='$PLAIN'`,
		`export MADE=$PLAIN/x${QUOTED}$NONE`,
		`export COMMAND=$(hostname)`,
		"export TICKS=`hostname`",
		`export DEFAULT=${X:-y}`,
		`export MIXED="a"b`,
		`export OPEN="a`,
		`export BAD-NAME=1`,
		`export EMPTY=`,
		`export WITHOUT`,
		`unset PLAIN`,
	}, "\n"))
	want := map[string]string{
		"PLAIN": "/var/log", "INDENTED": "1", "QUOTED": "/a b", "SINGLE": "$PLAIN", "MADE": "/var/log/x/a b", "EMPTY": "",
	}
	for name, value := range v.file {
		if w, ok := want[name]; !ok || w != value {
			t.Errorf("%s=%q, want %q", name, value, w)
		}
	}
	if len(v.file) != len(want) {
		t.Errorf("got %d variables, want %d", len(v.file), len(want))
	}
}

// TestVariables checks the precedence: Define, envvars, then Apache's names in the
// environment. No other name of the environment counts.
func TestVariables(t *testing.T) {
	t.Setenv("APACHE_LOG_DIR", "/from/environment")
	t.Setenv("HTTPD_X", "x")
	t.Setenv("SECRET_KEY", "hunter2")
	v := variables{file: map[string]string{"FILE": "f", "BOTH": "of file"}}
	v.define("Both", "defined")
	v.define("FLAG")
	v.define("GONE", "g")
	v.undefine("GONE")
	v.define("self", "${self}")
	var missing []string
	got, ok := v.expand("${APACHE_LOG_DIR} ${HTTPD_X} ${FILE} ${BOTH} ${both} ${self} | ${SECRET_KEY} ${FLAG} ${GONE} ${} ${open", maxBytes, func(name string) { missing = append(missing, name) })
	if want := "/from/environment x f defined defined ${self} | ${SECRET_KEY} ${FLAG} ${GONE} ${} ${open"; got != want || !ok {
		t.Errorf("got %s (%v), want %s", got, ok, want)
	}
	if want := []string{"SECRET_KEY", "FLAG", "GONE", ""}; !slices.Equal(missing, want) {
		t.Errorf("missing: got %q, want %q", missing, want)
	}
}

func TestVersion(t *testing.T) {
	for args, want := range map[string]bool{
		"2.4": false, ">= 2.4": true, "> 2.4.10": true, "< 2.4": false, "!< 2.4": true, ">= 2.5": false, "<= 3": true,
		"= 2.4.999": true, "~ ^2.2": true, "/x/": true, "": true,
	} {
		if got := versionHolds(args); got != want {
			t.Errorf("<IfVersion %s>: got %v", args, got)
		}
	}
}

func TestServerName(t *testing.T) {
	for given, want := range map[string]string{
		"www.example.org": "www.example.org", "www.example.org:8443": "www.example.org", "https://www.example.org:443": "www.example.org",
		"https://www.example.org": "www.example.org", "[2001:db8::1]:80": "2001:db8::1", "": "",
	} {
		var h virtualHost
		h.setName(given)
		if h.name != want {
			t.Errorf("%s: got %s, want %s", given, h.name, want)
		}
	}
}

func TestPiped(t *testing.T) {
	for _, c := range []struct{ command, file, link string }{
		{"/usr/bin/rotatelogs /a/x 86400", "/a/x", ""},
		{"rotatelogs -l -f -D /a/x.%s 5M", "/a/x.%s", ""},
		{"rotatelogs -lfn3 -L /a/link -p '/bin/after it' /a/x 1", "/a/x", "/a/link"},
		{"rotatelogs -L/a/link /a/x 1", "/a/x", "/a/link"},
		{"rotatelogs.exe C:/logs/x 1", "C:/logs/x", ""},
		{"cronolog --symlink=/a/now --period=1day /a/%Y.log", "/a/%Y.log", "/a/now"},
		{"cronolog -S /a/now -p 1day /a/%Y.log", "/a/%Y.log", "/a/now"},
		{"rotatelogs -l", "", ""},
		{"rotatelogs -L", "", ""},
		{"rotatelogs", "", ""},
	} {
		args := words(c.command)
		p := pipers[strings.TrimSuffix(filepath.Base(args[0]), ".exe")]
		if file, link := p.files(args[1:]); file != c.file || link != c.link {
			t.Errorf("%s: got %q and %q, want %q and %q", c.command, file, link, c.file, c.link)
		}
	}
}

// TestSecretsOfPipes checks that the arguments of a program appear nowhere.
func TestSecretsOfPipes(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "httpd.conf"),
		"CustomLog \"|/bin/ship --token=s3cret\" \"%h %s\"\nCustomLog \"|rotatelogs -p s3cret\" \"%h %s\"\nCustomLog | \"%h %s\"\n")
	c, err := Apache(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(c); strings.Contains(got, "s3cret") {
		t.Error(got)
	}
	if len(c.Notes) != 3 || len(c.Logs) != 2 {
		t.Errorf("got %d notes of 3, %d logs of 2", len(c.Notes), len(c.Logs))
	}
}

// TestRelativePath checks that a configuration given by a relative path has absolute logs.
func TestRelativePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	write(t, "nginx.conf", "events {} http { include more; }")
	write(t, "more", "access_log a.log;")
	c, err := Nginx("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Logs[0].Path, filepath.Join(dir, "a.log"); got != want {
		t.Errorf("nginx: got %s, want %s", got, want)
	}
	write(t, "httpd.conf", "CustomLog a.log %h")
	if c, err = Apache("httpd.conf"); err != nil {
		t.Fatal(err)
	}
	if got, want := c.Logs[0].Path, filepath.Join(dir, "a.log"); got != want {
		t.Errorf("Apache: got %s, want %s", got, want)
	}
}

// TestNginxWords checks that long texts that are not words are accepted: comments, Lua, and
// words just below the limit.
func TestNginxWords(t *testing.T) {
	long := strings.Repeat("a", 2*maxWord)
	for name, text := range map[string]string{
		"comment":           "# " + long + "\nserver {}",
		"last comment":      "server {} # " + long,
		"Lua":               "server { content_by_lua_block { s = '" + long + "' } }",
		"Lua in quotes":     `server { "content_by_lua_block" ; }`,
		"longest":           "server { set " + long[:maxWord] + " b; }",
		"longest, quoted":   "server { set '" + long[:maxWord-2] + "' b; }",
		"many words":        "server { server_name " + strings.Repeat("a ", maxWord) + "; }",
		"braces":            strings.Repeat("server{", 50) + strings.Repeat("}", 50),
		"quote in a word":   `server { set a"b c"d; }` + strings.Repeat(" a", maxWord),
		"escaped quote":     `server { set "a\"" b; }` + strings.Repeat(" a", maxWord),
		"ends in an escape": `server {} \`,
	} {
		l := newNginxLexer("conf", []byte(text))
		for ok := true; ok; {
			var err error
			if _, ok, err = l.next(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
