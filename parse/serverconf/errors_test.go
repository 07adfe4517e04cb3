package serverconf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestErrors checks that every error has a file and a line. The first file of a case is the
// one that is read.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		read  func(string) (*Config, error)
		files []string // name, text, name, text…
		want  string
	}{
		{"no logs at all", Nginx, []string{"a", "# nothing\nupstream x { server y; }"}, "a:1: there is nothing of web servers"},
		{"an access log", Nginx, []string{"a", `192.0.2.1 - - [x] "GET / HTTP/1.1" 200 1`}, `a:1: "192.0.2.1" does not end`},
		{"open block", Nginx, []string{"a", "events {}\nhttp {\n server {\n }\n"}, "a:2: the block is not closed: a } is missing"},
		{"open block that says nothing of logs", Nginx, []string{"a", "events {}\nhttp {\n map x y {\n }\n types { a {\n}\n"}, "a:5: the block is not closed: a } is missing"},
		{"closed too often", Nginx, []string{"a", "events {}\nhttp { } }"}, `a:2: unexpected "}"`},
		{"no semicolon", Nginx, []string{"a", "http {\naccess_log off\n}"}, `a:3: unexpected "}": "access_log" of line 2 does not end in a ;`},
		{"open quote", Nginx, []string{"a", "http {\naccess_log 'x;\n}"}, `a:2: "access_log" does not end: a ; or a quote is missing`},
		{"open Lua", Nginx, []string{"a", "http {\ncontent_by_lua_block { '} "}, "a:2: a block of Lua that is not closed"},
		{"an include of two", Nginx, []string{"a", "http { include x y; }"}, "a:1: include takes one path, and has 2"},
		{"an include of itself", Nginx, []string{"a", "events {} http {\ninclude a; }"}, "a:2: DIR/a includes itself: by way of DIR/a:2"},
		{"a loop of includes", Nginx, []string{"a", "events {} http {\n\ninclude b; }", "b", "include c;", "c", "\ninclude b;"}, "c:2: DIR/b includes itself: by way of DIR/b:1, DIR/c:2"},
		{"an error in an include", Nginx, []string{"a", "events {} http { include *.x; }", "b.x", "\n\n}"}, `b.x:3: unexpected "}"`},
		{"nested too deep", Nginx, []string{"a", strings.Repeat("server {\n", maxNesting+2) + strings.Repeat("}", maxNesting+2)}, "a:101: blocks stand in each other deeper than 100"},

		{"a long word", Nginx, []string{"a", "http {\n" + strings.Repeat("a", maxWord+1) + ";}"}, "a:2: a word of more than 4096 bytes"},
		{"a long word in quotes", Nginx, []string{"a", "http {\n'\\' " + strings.Repeat("a ", maxWord) + "';}"}, "a:2: a word of more than 4096 bytes"},
		{"a long variable", Nginx, []string{"a", "http { b a${" + strings.Repeat("a", maxWord) + "};}"}, "a:1: a word of more than 4096 bytes"},
		{"a long word behind Lua", Nginx, []string{"a", "content_by_lua_block{ -- }\n} " + strings.Repeat("a", maxWord+1)}, "a:2: a word of more than 4096 bytes"},
		{"a long word in an include", Nginx, []string{"a", "events {} http {\ninclude b; }", "b", "# \\\n" + strings.Repeat("a", 800_000)}, "b:2: a word of more than 4096 bytes"},
		{"values that double", Apache, []string{"a", "Define v x\n" + strings.Repeat("Define v ${v}${v}\n", 64)}, "the configuration is too large: too much of it is made by variables"},
		{"a macro with many parameters", Apache, []string{"a", "<Macro m" + strings.Repeat(" $a", 100) + ">\n</Macro>\n"}, "a:1: <Macro m> has more than 99 parameters"},
		{"no directive that is known", Apache, []string{"a", "192.0.2.1 - - [x] \"GET / HTTP/1.1\" 200 1\n"}, "a:1: there is no directive of Apache"},
		{"open section", Apache, []string{"a", "ServerName x\n<VirtualHost *>\nServerName y\n"}, "a:2: <virtualhost> is not closed"},
		{"open section that is left out", Apache, []string{"a", "ServerName x\n<IfDefine X>\n<IfModule y>\n</IfModule>\n"}, "a:2: <ifdefine> is not closed"},
		{"closed without a beginning", Apache, []string{"a", "ServerName x\n</VirtualHost>\n"}, "a:2: </virtualhost> closes nothing"},
		{"closed in the wrong order", Apache, []string{"a", "<VirtualHost *>\n<IfFile a>\n</VirtualHost>\n</IfFile>\n"}, "a:3: </virtualhost> stands where </iffile> is due, which was opened at DIR/a:2"},
		{"closed in an include", Apache, []string{"a", "<VirtualHost *>\nInclude b\n", "b", "ServerName x\n</VirtualHost>"}, "b:2: </virtualhost> closes nothing"},
		{"an include of itself, here", Apache, []string{"a", "\nInclude a"}, "a:2: DIR/a includes itself: by way of DIR/a:2"},
		{"a loop of includes, here", Apache, []string{"a", "Include b", "b", "Include c", "c", "\\\n\nInclude [b]"}, "c:3: DIR/b includes itself: by way of DIR/b:1, DIR/c:3"},
		{"a directory that includes itself", Apache, []string{"a", "Include d", "d/x", "Include d"}, "x:1: DIR/d includes itself"},
		{"an include of nothing", Apache, []string{"a", "Include"}, "a:1: Include takes one path, and has 0"},
		{"a macro that uses itself", Apache, []string{"a", "<Macro m>\nUse m\n</Macro>\nUse m"}, "a:2: macro m includes itself"},
		{"a macro with too few arguments", Apache, []string{"a", "<Macro m $a $b>\n</Macro>\nUse m 1"}, `a:3: the macro "m" of DIR/a:2 takes 2 arguments, and is given 1`},
		{"a macro without a name", Apache, []string{"a", "<Macro>\n</Macro>"}, "a:1: <Macro> takes a name"},
		{"a macro that grows", Apache, []string{"a", growingMacros(8)}, "the configuration is too large"},
		{"sections nested too deep", Apache, []string{"a", strings.Repeat("<If x>\n", maxNesting+1) + strings.Repeat("</If>\n", maxNesting+1)}, "a:101: sections stand in each other deeper than 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for i := 0; i < len(c.files); i += 2 {
				write(t, filepath.Join(dir, c.files[i]), c.files[i+1])
			}
			_, err := c.read(filepath.Join(dir, c.files[0]))
			if err == nil {
				t.Fatal("no error")
			}
			var at *Error
			if !errors.As(err, &at) || at.Where.Line < 1 {
				t.Errorf("%v names no file and line", err)
			}
			got := strings.ReplaceAll(err.Error(), dir, "DIR")
			if !strings.HasPrefix(got, "DIR/") || !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// growingMacros returns macros that each use the one before eight times.
func growingMacros(n int) string {
	var b strings.Builder
	b.WriteString("<Macro m0>\n# " + strings.Repeat("x", 1000) + "\n</Macro>\n")
	for i := range n {
		fmt.Fprintf(&b, "<Macro m%d>\n%s</Macro>\n", i+1, strings.Repeat(fmt.Sprintf("Use m%d\n", i), 8))
	}
	fmt.Fprintf(&b, "Use m%d\n", n)
	return b.String()
}

// TestDepth checks that nested includes end, even if they form no loop.
func TestDepth(t *testing.T) {
	for name, read := range map[string]func(string) (*Config, error){"include %d;": Nginx, "Include %d": Apache} {
		dir := t.TempDir()
		for i := range maxDepth + 2 {
			write(t, filepath.Join(dir, fmt.Sprint(i)), fmt.Sprintf(name, i+1))
		}
		_, err := read(filepath.Join(dir, "0"))
		if err == nil || !strings.Contains(err.Error(), "20:1: includes go deeper than 20 files") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestNumber checks that files that each include the next one ten times, 10²⁰ in all, end.
func TestNumber(t *testing.T) {
	dir := t.TempDir()
	for i := range maxDepth {
		write(t, filepath.Join(dir, fmt.Sprint(i)), strings.Repeat(fmt.Sprintf("Include %d\n", i+1), 10))
	}
	write(t, filepath.Join(dir, fmt.Sprint(maxDepth)), "#")
	_, err := Apache(filepath.Join(dir, "0"))
	if err == nil || !strings.Contains(err.Error(), "it has more than 50000 files") {
		t.Errorf("got %v", err)
	}
}

// TestSize checks that the limit counts all files together.
func TestSize(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "conf"), "0123456789")
	f := files{bytes: maxBytes - 19}
	if _, err := f.open(path); err != nil {
		t.Error(err)
	}
	if _, err := f.open(path); !errors.Is(err, errTooLarge) {
		t.Errorf("a byte too many: got %v", err)
	}
}

func TestUnreadable(t *testing.T) {
	for name, read := range map[string]func(string) (*Config, error){"nginx": Nginx, "apache": Apache} {
		dir := t.TempDir()
		if _, err := read(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a file that is not there: got %v", name, err)
		}
		if _, err := read(dir); err == nil || !strings.Contains(err.Error(), dir+" is no regular file") {
			t.Errorf("%s: a directory: got %v", name, err)
		}
		if _, err := read("/dev/zero"); err == nil || !strings.Contains(err.Error(), "/dev/zero is no regular file") {
			t.Errorf("%s: a device: got %v", name, err)
		}
	}
}

// TestNotesAreCapped checks that the number of notes is limited.
func TestNotesAreCapped(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "httpd.conf"), strings.Repeat("Include missing\n", 500))
	c, err := Apache(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.Notes); n != maxNotes+1 || c.Notes[n-1] != "and 400 more like these" {
		t.Errorf("got %d notes, the last one %q", n, c.Notes[n-1])
	}
}
