package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"logscan/analyze"
	"logscan/analyze/result"
	"logscan/fixtures"
	"logscan/fixtures/load"
	"logscan/fixtures/trials"
	"logscan/parse/source"
	"logscan/report/reporttest"
)

// layouts are reports that look different, by name. The first ones are always tested.
var layouts = []struct {
	name string
	make func(*testing.T) *result.Result
}{
	{"combo", func(t *testing.T) *result.Result { return simulated(t, "trio") }},
	{"no-refusals", func(t *testing.T) *result.Result {
		return analysed(t, []byte(strings.Repeat(`192.0.2.1 - ada [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "Firefox"`+"\n", 500)))
	}},
	{"spike", func(t *testing.T) *result.Result { return simulated(t, "spike") }},
	{"break-in", func(t *testing.T) *result.Result { return simulated(t, "stuffing") }},
	{"unexplained", func(t *testing.T) *result.Result {
		var log bytes.Buffer
		o := load.Defaults
		o.Lines, o.Clients = 20_000, 2000
		if err := load.Write(t.Context(), &log, o); err != nil {
			t.Fatal(err)
		}
		return analysed(t, log.Bytes())
	}},
	{"rejected", func(t *testing.T) *result.Result {
		var log bytes.Buffer
		for i := range 400 {
			fmt.Fprintf(&log, `192.0.2.%d - - [09/Mar/2026:14:%02d:00 +0000] "GET /a HTTP/1.1" %d 5 "-" "Firefox"`+"\n", i%9, i%60, []int{200, 401}[i%2])
			fmt.Fprintf(&log, "%s %d\n", strings.Repeat("a line that is no request ", i%40), i)
		}
		return analysed(t, log.Bytes())
	}},
	{"many-findings", func(*testing.T) *result.Result {
		res := reporttest.Result()
		for i := range 496 { // 500 are told one by one
			f := res.Findings[i%len(res.Findings)]
			f.ID = fmt.Sprintf("%s-%012x", f.Kind, i)
			res.Findings = append(res.Findings, f)
		}
		return res
	}},
}

func simulated(t *testing.T, scenario string) *result.Result {
	var log bytes.Buffer
	if _, err := fixtures.Simulate(t.Context(), fixtures.Options{Scenario: scenario, Lines: 20_000, Seed: 5, Servers: 1}, []io.Writer{&log}); err != nil {
		t.Fatal(err)
	}
	return analysed(t, log.Bytes())
}

func analysed(t *testing.T, log []byte) *result.Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	inputs, _, err := source.Expand([]string{path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := analyze.Run(t.Context(), analyze.Options{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// fit is what does not fit on the page.
type fit struct {
	TooWide int      // pixels
	Cut     []string // texts that are cut off
	Overlap []string // texts of a drawing or a line that overlap
	Weak    []string
}

const doesFit = `(() => {
	const all = (s, root = document) => [...root.querySelectorAll(s)];
	const shown = e => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length > 0;
	const name = e => e.tagName + "." + e.className + ": " + e.textContent.trim().slice(0, 60);
	const cut = all("body *").filter(e => {
		const s = getComputedStyle(e);
		return shown(e) && s.overflowX === "hidden" && s.textOverflow !== "ellipsis" && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1 && e.textContent.trim();
	}).map(name);
	const overlap = [];
	for (const svg of all("svg")) {
		const texts = all("text", svg).filter(t => shown(t) && t.textContent.trim()).map(t => [t, t.getBoundingClientRect()]);
		const box = svg.getBoundingClientRect();
		for (const [i, [t, a]] of texts.entries()) {
			if (a.left < box.left - 2 || a.right > box.right + 2) overlap.push("outside: " + t.textContent);
			for (const [u, b] of texts.slice(i + 1))
				if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3) overlap.push(t.textContent + " / " + u.textContent);
		}
	}
	return {
		TooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
		Cut: cut.slice(0, 5), Overlap: overlap.slice(0, 5), Weak: ` + weakText + `.slice(0, 5),
	};
})()`

// TestLayouts opens reports of different kinds on wide and narrow screens, in light and
// dark: nothing is cut off, overlaps or is hard to read, and axe-core has no complaint.
func TestLayouts(t *testing.T) {
	axe, _ := os.ReadFile(axePath) // without it, the rest is tested
	some := layouts
	if !trials.All() && os.Getenv("LOGSCAN_SCREENSHOTS") == "" {
		some = layouts[:2]
	}
	for _, l := range some {
		t.Run(l.name, func(t *testing.T) {
			o := openReport(t, write(t, l.make(t)))
			for _, width := range []int{1440, 390} {
				for _, scheme := range []string{"light", "dark"} {
					o.size(width, 900)
					o.scheme(scheme)
					o.visit(filepath.Dir(strings.TrimPrefix(o.url, "file://")))
					o.shot(fmt.Sprintf("%s-%d-%s", l.name, width, scheme))
					got := evaluate[fit](o, doesFit)
					if got.TooWide > 0 || len(got.Cut)+len(got.Overlap)+len(got.Weak) > 0 {
						t.Errorf("%d pixels wide, %s: %+v", width, scheme, got)
					}
				}
			}
			if axe != nil {
				o.axe(string(axe))
			}
		})
	}
}
