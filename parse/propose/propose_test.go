package propose

import (
	"fmt"
	"strings"
	"testing"

	"logscan/parse"
)

func repeated(format string) string {
	var b strings.Builder
	for i := range 20 {
		line := strings.NewReplacer("{ip}", fmt.Sprintf("198.51.100.%d", i), "{status}", []string{"200", "401", "404"}[i%3],
			"{user}", []string{"-", "jane", "bob"}[i%3], "{sec}", fmt.Sprintf("%02d", i), "{size}", fmt.Sprint(100*i)).Replace(format)
		b.WriteString(line + "\n")
	}
	return b.String()
}

func TestFormat(t *testing.T) {
	const agent = `"Mozilla/5.0 (X11; Linux x86_64)"`
	for _, tt := range []struct{ name, line, want string }{
		{
			"time before the referrer", `{ip} - {user} [09/Mar/2026:14:05:{sec} +0000] "GET /a HTTP/1.1" {status} {size} 0.0{sec} "https://a.example/" ` + agent,
			`%h %l %u %t "%r" %>s %b %T "%{Referer}i" "%{User-Agent}i"`,
		},
		{
			"time first, in two columns", `2026-03-09 14:05:{sec} {ip} {status} GET /api/x?y=1 rt=0.0{sec} ` + agent,
			`%{%Y-%m-%d %H:%M:%S}t %h %>s %m %U%q rt=%T "%{User-Agent}i"`,
		},
		{
			"ISO time and a host", `[2026-03-09T14:05:{sec}+01:00] www.example.org {ip} {user} "POST /login HTTP/2.0" {status} {size} "-" ` + agent + ` cache=HIT`,
			`[%{%Y-%m-%dT%H:%M:%S%z}t] %v %h %{column4}n "%r" %>s %b "%{Referer}i" "%{User-Agent}i" cache=%{column10}n`,
		},
		{"tabs", "{ip}\t{user}\t[09/Mar/2026:14:05:{sec} +0000]\tGET\t/a\tHTTP/1.1\t{status}\t{size}", `%h\t%u\t%t\t%m\t%U%q\t%H\t%>s\t%b`},
		{"epoch", `17730651{sec}.123 {ip} "GET / HTTP/1.1" {status}`, `%{sec}t %h "%r" %>s`},
		{
			"bars", `{ip}|{user}|09/Mar/2026:14:05:{sec} +0000|GET /a?x=1 HTTP/1.1|{status}|{size}|https://a.example/|Mozilla/5.0 (X11; Linux x86_64)|0.0{sec}`,
			`%h|%u|%{%d/%b/%Y:%H:%M:%S %z}t|%r|%>s|%b|%{Referer}i|%{User-Agent}i|%T`,
		},
		{"bars between blanks", `09/Mar/2026:14:05:{sec} +0000 | {ip} | GET | /a | {status} | {size}`, `%{%d/%b/%Y:%H:%M:%S %z}t | %h | %m | %U%q | %>s | %b`},
		{"commas", `2026-03-09 14:05:{sec},{ip},{user},POST,/login,{status},{size},"Mozilla/5.0 (X11, Linux)"`, `%{%Y-%m-%d %H:%M:%S}t,%h,%{column3}n,%m,%U%q,%>s,%b,"%{User-Agent}i"`},
		{"prose", `It was a dark and stormy night at {ip}`, ``},
		{"no status", `{ip} [09/Mar/2026:14:05:{sec} +0000] "GET /a HTTP/1.1"`, ``},
	} {
		sample := repeated(tt.line)
		p := Format([]byte(sample))
		if p.Spec != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, p.Spec, tt.want)
		}
		if tt.want == "" {
			continue
		}
		if p.Matched != 20 || p.Lines != 20 {
			t.Errorf("%s: %d of %d lines", tt.name, p.Matched, p.Lines)
		}
		f, err := parse.Compile(p.Spec)
		if err != nil {
			t.Fatal(err)
		}
		var e parse.Entry
		line, _, _ := strings.Cut(sample, "\n")
		if v := f.NewParser().Parse([]byte(line), &e); v != parse.Parsed || string(e.Client) != "198.51.100.0" || e.Status != 200 || e.Time == parse.NoTime || e.Method == nil || e.Path == nil {
			t.Errorf("%s: %v, client %s, %d %s %s", tt.name, v, e.Client, e.Status, e.Method, e.Path)
		}
	}
}

// FuzzFormat checks that a proposal can be compiled and reads as many lines as it says.
func FuzzFormat(f *testing.F) {
	for _, g := range parse.Formats() {
		f.Add([]byte(strings.Repeat(g.Samples[0]+"\n", 3)))
	}
	f.Fuzz(func(t *testing.T, sample []byte) {
		p := Format(sample)
		if p.Spec == "" {
			return
		}
		if _, err := parse.Compile(p.Spec); err != nil || p.Matched > p.Lines || p.Matched == 0 {
			t.Errorf("%q: %v, %d of %d", p.Spec, err, p.Matched, p.Lines)
		}
	})
}
