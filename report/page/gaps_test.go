package page

import (
	"html"
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/report/reporttest"
)

func TestGapSheets(t *testing.T) {
	page := html.UnescapeString(render(t, reporttest.Result()))
	for _, s := range []string{
		"These findings could not be detected", "(<code>url_scheme</code>, <code>upstream_address</code>)",
		"Missing log fields", "2 inputs, 1,204 lines sampled",
		"Missing fields: user, session, host, upstream, scheme",
		"logged, but empty in all sampled lines", "The server authenticates nobody itself.",
		"Log them with nginx", `log_format logscan '$remote_addr - $remote_user [$time_local] "$request"`, `' "$cookie_SESSIONNAME" "$host" "$upstream_addr" $scheme';`,
		"--field session=cookie_SESSIONNAME FILE", "Log them with Apache", `\"%{SESSIONNAME}C\" %v`, "log it only where everyone who reads the log may have it",
	} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	for _, s := range []string{"complete", "<script>alert"} {
		if strings.Contains(page, `<h3 class="log">`+s) {
			t.Errorf("the page lists %q", s)
		}
	}
	if page := render(t, reporttest.Empty()); strings.Contains(page, "Missing log fields") {
		t.Error("nothing was read, but the page lists missing fields")
	}
}

func TestGapSheetsAreBounded(t *testing.T) {
	var formats []result.LogFormat
	for range 3 * maxFormats {
		formats = append(formats, reporttest.HostileFormats("x")...)
	}
	if got := len(gapSheets(formats)); got != maxFormats {
		t.Errorf("%d, want %d", got, maxFormats)
	}
}
