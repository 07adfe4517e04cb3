package wording

import (
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/appconf"
	"logscan/parse/serverconf"
	"logscan/parse/serverconf/rules"
)

// TestFactTexts checks that each kind of fact has its texts, and that they name the line.
func TestFactTexts(t *testing.T) {
	for kind, texts := range facts {
		f := rules.Fact{Kind: kind, Name: "NAME"}
		for i := range texts.why {
			f.Lines = append(f.Lines, rules.Line{Position: serverconf.Position{File: "/etc/nginx/sites/a.conf", Line: 3 + i}, Directive: "directive"})
		}
		what, remedy := FactText(&f)
		if what == "" || !strings.Contains(remedy, "sites/a.conf:") && kind != rules.PasswordFileMissing {
			t.Errorf("%s: %q, %q", kind, what, remedy)
		}
		for _, l := range FactLines(&f) {
			if l.Why == "" {
				t.Errorf("%s: line %d has no text", kind, l.Line)
			}
			what += l.Why
		}
		if strings.ContainsAny(what, "{}") {
			t.Errorf("%s: %q has a place that is not filled", kind, what)
		}
	}
}

func TestConfiguredFinding(t *testing.T) {
	const onset = 1773064925000000
	line := rules.Line{Position: serverconf.Position{File: "/etc/nginx/sites/app.conf", Line: 31}, Directive: `proxy_set_header Authorization ""`}
	f := &result.Finding{Onset: onset, Configuration: &result.Configuration{
		Facts:   []rules.Fact{{Kind: rules.AuthorizationCleared, Lines: []rules.Line{line}}},
		Changed: []result.FileChange{{Path: "/etc/nginx/sites/app.conf", Time: onset - 25e6}},
	}}
	if got, want := configuredTitle(f.Configuration), "; `proxy_set_header Authorization \"\"` at sites/app.conf:31"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
	text := configured(f)
	for _, want := range []string{"never gets the header Authorization", "sites/app.conf:31", "was changed at 2026-03-09", "25 seconds before the onset"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not say %q", text, want)
		}
	}
	f = &result.Finding{Onset: parse.NoTime, Configuration: &result.Configuration{
		Settings: []appconf.Setting{{Position: serverconf.Position{File: "WEB-INF/web.xml", Line: 41}, Name: "session-timeout", Text: "30", Seconds: 1800}},
	}}
	if got, want := configuredTitle(f.Configuration), "; equals `session-timeout 30` at WEB-INF/web.xml:41"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
	// A directive may hold a password, and so may the name of a file that is hostile.
	line.Directive, line.File = "proxy_set_header X \"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmnop\"", "/x/\x1b[31m.conf"
	lines := FactLines(&rules.Fact{Kind: rules.HeadersReplaced, Lines: []rules.Line{line}})
	if strings.Contains(lines[0].Directive, "eyJzdWI") || strings.Contains(ConfigurationText(&lines[0]), "\x1b") {
		t.Errorf("%+v", lines)
	}
}
