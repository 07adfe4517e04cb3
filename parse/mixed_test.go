package parse

import (
	"fmt"
	"strings"
	"testing"

	"logscan/parse/carrier"
)

// readAll parses lines one after the other and returns a word for each: the verdict,
// or status, method and path.
func readAll(p *Parser, lines []string) (all []string) {
	var e Entry
	for _, l := range lines {
		v := p.Parse([]byte(l), &e)
		word := v.String()
		if v == Parsed {
			word = strings.TrimSpace(fmt.Sprintf("%d %s %s", e.Status, e.Method, e.Path))
		}
		all = append(all, word)
	}
	return all
}

var (
	combinedLine = `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /c HTTP/1.1" 401 5 "-" "x"`
	jsonLine     = `{"time":"2026-03-09T14:05:00Z","method":"GET","path":"/j","status":200}`
	iisHeader    = "#Fields: date time cs-method cs-uri-stem sc-status"
	iisLine      = "2026-03-09 14:05:00 GET /i 401"
	iisChanged   = "#Fields: date time sc-status cs-uri-stem cs-method"
	iisOther     = "2026-03-09 14:05:00 200 /other POST"
)

// TestMixedFormats checks that the result for a line does not depend on the others.
func TestMixedFormats(t *testing.T) {
	sample := strings.Repeat(combinedLine+"\n", 30) + strings.Repeat(jsonLine+"\n", 10) + "junk\n"
	d := Detect([]byte(sample), Formats())
	var names []string
	for _, f := range d.Formats {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "combined json" || d.Explained != 30 || d.Lines != 41 {
		t.Fatalf("formats %s, %d of %d lines", got, d.Explained, d.Lines)
	}
	got := readAll(NewParser(d.Formats...), []string{jsonLine, "junk", combinedLine, "# x", "", jsonLine})
	if want := "[200 GET /j syntax 401 GET /c comment blank 200 GET /j]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTied(t *testing.T) {
	d := Detect([]byte(`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 5 Print-Job -`), Formats())
	if d.Format.Name != "cups" || len(d.Tied) != 1 || d.Tied[0].Name != "common-and-more" {
		t.Errorf("%s, tied with %v", d.Format.Name, d.Tied)
	}
}

func TestDirectives(t *testing.T) {
	log := []string{"#Version: 1.0", iisHeader, iisLine, iisChanged, iisOther, iisLine, iisHeader, iisLine, "#Fields:", iisLine}
	d := Detect([]byte(strings.Join(log[:3], "\n")), Formats())
	if d.Format == nil || d.Format.Name != "iis" {
		t.Fatalf("detected %v", d.Format)
	}
	if string(d.Format.Directive()) != "#Fields:" {
		t.Errorf("directive %q", d.Format.Directive())
	}
	p := NewParser(d.Formats...)
	want := "[comment comment 401 GET /i comment 200 POST /other status comment 401 GET /i comment syntax]"
	if got := readAll(p, log); fmt.Sprint(got) != want {
		t.Errorf("in a row:\n got %v\nwant %s", got, want)
	}
	// Blocks may come in any order, with the directive before them.
	p.Directive([]byte(iisChanged + "\r\n"))
	if got := readAll(p, []string{iisOther}); got[0] != "200 POST /other" {
		t.Errorf("block with a directive: %v", got)
	}
	p.Directive(nil)
	if got := readAll(p, []string{iisLine}); got[0] != "401 GET /i" {
		t.Errorf("block without one: %v", got)
	}
}

// TestKeptLines checks that a kept line is parsed alone as it was among others.
func TestKeptLines(t *testing.T) {
	for _, tt := range []struct {
		name string
		log  []string
	}{
		{"changed columns", []string{iisHeader, iisLine, iisLine, iisLine, iisChanged, iisOther}},
		{"CRI", []string{
			`2026-03-09T14:05:00Z stdout P 192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GE`,
			`2026-03-09T14:05:00Z stderr F what else`,
			`2026-03-09T14:05:00Z stdout P T /c`,
			`2026-03-09T14:05:00Z stdout F  HTTP/1.1" 401 5 "-" "x"`,
			`2026-03-09T14:05:00Z stdout F ` + combinedLine,
		}},
		{"Docker", []string{
			`{"log":"192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] \"GET","stream":"stdout","time":"2026-03-09T14:05:00.1Z"}`,
			`{"log":" /c HTTP/1.1\" 401 5 \"-\" \"x\"\n","stream":"stdout","time":"2026-03-09T14:05:00.1Z"}`,
			`{"log":"` + strings.ReplaceAll(combinedLine, `"`, `\"`) + `\n","stream":"stdout","time":"2026-03-09T14:05:00.1Z"}`,
		}},
	} {
		d := Detect([]byte(strings.Join(tt.log, "\n")), Formats())
		if d.Format == nil {
			t.Errorf("%s: no format", tt.name)
			continue
		}
		p, alone := NewParser(d.Formats...), NewParser(d.Formats...)
		var e, again Entry
		parsed := 0
		for _, l := range tt.log {
			if p.Parse([]byte(l), &e) != Parsed {
				continue
			}
			parsed++
			kept := append([]byte(nil), p.Line([]byte(l))...)
			alone.Directive(nil)
			if v := alone.Parse(kept, &again); v != Parsed || show(&again) != show(&e) {
				t.Errorf("%s: kept %s:\n got %v %s\nwant %s", tt.name, kept, v, show(&again), show(&e))
			}
			if strings.Contains(string(Kept(kept)), "\n") {
				t.Errorf("%s: %q", tt.name, Kept(kept))
			}
		}
		if parsed < 2 {
			t.Errorf("%s: %d lines parsed", tt.name, parsed)
		}
	}
}

func TestPartialLines(t *testing.T) {
	f, ok := Lookup("cri+combined")
	if !ok {
		t.Fatal("no cri+combined")
	}
	first := `2026-03-09T14:05:00Z stdout P 192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] `
	last := `2026-03-09T14:05:00Z stdout F "GET /c HTTP/1.1" 401 5 "-" "x"`
	for text, want := range map[string]int{first + "\n": 0, last + "\n": len(last) + 1, last + "\n" + first + "\n": len(last) + 1, last: 0, "": 0} {
		if n := f.Whole()([]byte(text)); n != want {
			t.Errorf("Whole is %d, want %d: %s", n, want, text)
		}
	}
	p := f.NewParser()
	if got := readAll(p, []string{first, last, last}); fmt.Sprint(got) != "[partial 401 GET /c syntax]" {
		t.Errorf("got %v", got)
	}
	readAll(p, []string{first})
	p.Directive(nil) // another block
	if got := readAll(p, []string{last}); got[0] != "syntax" {
		t.Errorf("a part in another block: %v", got)
	}
	long := `2026-03-09T14:05:00Z stdout P ` + strings.Repeat("x", carrier.MaxText)
	if got := readAll(p, []string{long, first, last, first, last}); fmt.Sprint(got) != "[partial partial too_long partial 401 GET /c]" {
		t.Errorf("a line too long: %v", got)
	}
}

func TestNotices(t *testing.T) {
	f, _ := Lookup("haproxy")
	got := readAll(f.NewParser(), []string{
		"Connect from 10.0.1.2:33312 to 10.0.3.31:8012 (www/HTTP)", "Proxy in started.", "Prose",
		"I [04/Nov/2010:17:37:40 -0400] LoadPPDs: Wrote it",
	})
	if fmt.Sprint(got) != "[notice notice syntax syntax]" {
		t.Errorf("got %v", got)
	}
	f, _ = Lookup("gcs")
	got = readAll(f.NewParser(), []string{`"time_micros","c_ip","c_ip_type"`, f.Samples[0]})
	if fmt.Sprint(got) != "[header 401 GET /example-bucket/a.html]" {
		t.Errorf("got %v", got)
	}
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]string{
		"combined": "combined", "COMBINED": "combined", "W3C": "iis", "syslog+haproxy": "syslog+haproxy",
		"docker+COMMON": "docker+common", "docker+docker+json": "", "x+combined": "", "docker+": "", "Combined": "",
	} {
		got := ""
		if f, ok := Lookup(name); ok {
			got = f.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestCarried tests all formats with a carrier.
func TestCarried(t *testing.T) {
	for _, f := range Formats() {
		if len(f.Samples) == 0 || strings.HasSuffix(f.Name, "-and-more") {
			continue
		}
		line := `<190>Mar  9 14:05:00 web nginx: ` + f.Samples[0]
		d := Detect([]byte(line), Formats())
		if d.Format == nil || d.Format.Name != "syslog+"+f.Name {
			t.Errorf("%s: detected %+v", f.Name, d.Format)
			continue
		}
		p := d.Format.NewParser()
		var e Entry
		l := []byte(line)
		if n := testing.AllocsPerRun(10, func() { p.Parse(l, &e) }); n != 0 {
			t.Errorf("%s: %v allocations a line", f.Name, n)
		}
	}
}

// TestNoticesAlone checks that a log with only messages of a server about itself is
// accepted if they have its name in front.
func TestNoticesAlone(t *testing.T) {
	const line = `Feb 26 10:07:24 192.168.8.2 haproxy[1]: Proxy prod_http_in started.`
	d := Detect([]byte(line), Formats())
	if d.Format == nil || d.Format.Name != "syslog+haproxy" {
		t.Fatalf("detected %v", d.Format)
	}
	var e Entry
	if v := NewParser(d.Formats...).Parse([]byte(line), &e); v != SkipNotice {
		t.Errorf("%v, want a notice", v)
	}
	if d := Detect([]byte(`Proxy prod_http_in started.`), Formats()); d.Format != nil {
		t.Errorf("a sentence is detected as %s", d.Format.Name)
	}
}
