package report

import (
	"html"
	"slices"
	"strings"
	"testing"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/advice"
)

// lacking is a format of a result whose lines hold none of what is missing.
func lacking(f *parse.Format, name string, logged []parse.Extra, missing ...parse.Extra) result.LogFormat {
	p := parse.Presence{Lines: 1204, Refused: 31}
	for x := range p.Has {
		p.Has[x], p.Logged[x] = 400, true
	}
	for _, x := range missing {
		p.Has[x] = 0
		p.Logged[x] = slices.Contains(logged, x)
	}
	return result.LogFormat{Name: name, Inputs: 2, Presence: p, Advice: advice.For(f, &p, nil)}
}

// fixtureFormats are the formats of fixture, as they are told in a report: one
// that lacks some, one that lacks nothing, one that a user gave.
func fixtureFormats() []result.LogFormat {
	combined, _ := parse.Lookup("combined")
	return append([]result.LogFormat{
		lacking(combined, combined.Name, []parse.Extra{parse.ExtraUser}, parse.ExtraUser, parse.ExtraSession, parse.ExtraHost, parse.ExtraUpstream, parse.ExtraScheme),
		lacking(combined, "complete", nil),
	}, hostileFormats(hostile[2])...)
}

func hostileFormats(s string) []result.LogFormat {
	f := &parse.Format{Name: s, Native: "$remote_addr " + s}
	return []result.LogFormat{lacking(f, s, nil, parse.ExtraSession)}
}

func TestMissingIsTold(t *testing.T) {
	page := html.UnescapeString(render(t, fixture()))
	for _, s := range []string{
		"Not looked for, because no line holds what shows it", "(<code>url_scheme</code>, <code>upstream_address</code>)",
		"What these logs cannot tell", "2 inputs, judged by 1,204 sampled lines",
		"Fields without a value: user, session, host, upstream, scheme",
		"logged, but no sampled line holds one", "The server itself signed nobody in.",
		"Have nginx log it", `log_format logscan '$remote_addr - $remote_user [$time_local] "$request"`, `' "$cookie_SESSIONNAME" "$host" "$upstream_addr" $scheme';`,
		"--field session=cookie_SESSIONNAME FILE", "Have Apache log it", `\"%{SESSIONNAME}C\" %v`, "log it only where those who read the log may have it",
	} {
		if !strings.Contains(page, s) {
			t.Errorf("the page does not say %q", s)
		}
	}
	for _, s := range []string{"complete", "<script>alert"} {
		if strings.Contains(page, `<h3 class="log">`+s) {
			t.Errorf("the page tells of %q", s)
		}
	}
	if page := render(t, empty()); strings.Contains(page, "cannot tell") {
		t.Error("nothing was read, and something is missing")
	}
}

// Advice names the kinds of findings as they are known.
func TestAdviceNamesKinds(t *testing.T) {
	combined, _ := parse.Lookup("combined")
	for _, g := range advice.For(combined, &parse.Presence{Lines: 1}, nil).Gaps {
		for _, k := range g.Kinds {
			if !slices.Contains(detect.CauseNames(), k) {
				t.Errorf("%s: there is no kind %s", g.Name(), k)
			}
		}
	}
}

func TestGapSheetsAreBounded(t *testing.T) {
	var formats []result.LogFormat
	for range 3 * maxFormats {
		formats = append(formats, hostileFormats("x")...)
	}
	if got := len(gapSheets(formats)); got != maxFormats {
		t.Errorf("%d, want %d", got, maxFormats)
	}
}
