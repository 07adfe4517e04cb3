package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/fixtures/trials"
	"logscan/report/reporttest"
)

// opened is a report in a browser. Messages of the browser and requests other than for
// the page fail the test.
type opened struct {
	*testing.T
	tab  *tab
	url  string
	seen observed
}

// newTab opens an empty tab.
func newTab(t *testing.T) *opened {
	t.Helper()
	o := &opened{T: t}
	o.tab = openTab(t, o.seen.event)
	return o
}

func openReport(t *testing.T, dir string) *opened {
	t.Helper()
	o := newTab(t)
	t.Cleanup(o.quiet)
	o.size(1280, 900)
	o.visit(dir)
	return o
}

// visit opens another report.
func (o *opened) visit(dir string) {
	o.Helper()
	o.quiet()
	o.url = "file://" + filepath.ToSlash(filepath.Join(dir, "report.html"))
	o.must(o.tab.navigate(o.url))
}

// quiet fails the test if the browser requested anything but the page or logged
// messages.
func (o *opened) quiet() {
	o.Helper()
	o.seen.mu.Lock()
	defer o.seen.mu.Unlock()
	for _, r := range o.seen.requests {
		if r != o.url && !strings.HasPrefix(r, "blob:") {
			o.Errorf("request for %s", r)
		}
	}
	for _, s := range o.seen.messages {
		o.Errorf("browser message: %s", s)
	}
	o.seen.requests, o.seen.messages = nil, nil
}

func (o *opened) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// size sets the size of the window in pixels.
func (o *opened) size(width, height int) {
	o.Helper()
	o.must(o.tab.call("Emulation.setDeviceMetricsOverride", params{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil))
}

// scheme makes the user prefer the colours "light" or "dark".
func (o *opened) scheme(name string) {
	o.Helper()
	o.must(o.tab.call("Emulation.setEmulatedMedia", params{"features": []params{{"name": "prefers-color-scheme", "value": name}}}, nil))
}

// zone moves the browser to a time zone.
func (o *opened) zone(name string) {
	o.Helper()
	o.must(o.tab.call("Emulation.setTimezoneOverride", params{"timezoneId": name}, nil))
}

func evaluate[R any](o *opened, script string) (value R) {
	o.Helper()
	if err := o.tab.evaluate(script, &value); err != nil {
		o.Fatalf("%v in %s", err, script)
	}
	return value
}

func (o *opened) text(selector string) string {
	o.Helper()
	return evaluate[string](o, fmt.Sprintf("document.querySelector(%q).textContent", selector))
}

// click clicks the middle of an element.
func (o *opened) click(selector string) {
	o.Helper()
	o.clicks(selector, 1)
}

// clicks clicks the middle of an element several times at once.
func (o *opened) clicks(selector string, times int) {
	o.Helper()
	at := evaluate[[]float64](o, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "center", behavior: "instant"});
		const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`, selector))
	for i := range times {
		o.mouse("mousePressed", at[0], at[1], i+1)
		o.mouse("mouseReleased", at[0], at[1], i+1)
	}
}

func (o *opened) mouse(event string, x, y float64, clicks int) {
	o.Helper()
	o.must(o.tab.mouse(event, x, y, clicks))
}

// press presses a key while an element has the focus.
func (o *opened) press(key string) {
	o.Helper()
	o.must(o.tab.key(key))
}

// enter presses the keys of a text.
func (o *opened) enter(text string) {
	o.Helper()
	for _, r := range text {
		o.press(string(r))
	}
}

func (o *opened) focus(selector string) {
	o.Helper()
	evaluate[bool](o, fmt.Sprintf("document.querySelector(%q).focus(), true", selector))
}

// wants fails the test unless a text of the page contains want.
func (o *opened) wants(what, got, want string) {
	o.Helper()
	if !strings.Contains(got, want) {
		o.Errorf("%s: %q, want %q in it", what, got, want)
	}
}

// shot saves a screenshot if LOGSCAN_SCREENSHOTS names a folder.
func (o *opened) shot(name string) {
	o.Helper()
	folder := os.Getenv("LOGSCAN_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := o.tab.screenshot()
	o.must(err)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		o.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".jpg"), picture, 0o644); err != nil {
		o.Fatal(err)
	}
}

// TestControls uses every control of the report, by mouse and by keyboard.
func TestControls(t *testing.T) {
	o := openReport(t, write(t, reporttest.Result()))
	whole := o.text("#range")
	o.wants("range", whole, "All: 2026-03-09 00:00 to 2026-03-10 00:00 UTC")

	// The chart: drag over its second half, then every button, then the keys.
	o.click("#plot")
	box := evaluate[[]float64](o, `(() => { const r = document.querySelector("#plot .u-over").getBoundingClientRect(); return [r.x, r.y, r.width, r.height] })()`)
	middle := box[1] + box[3]/2
	o.mouse("mouseMoved", box[0]+box[2]*0.5+2, middle, 0)
	o.wants("readout", o.text("#readout"), "12:00 UTC: ")
	o.mouse("mousePressed", box[0]+box[2]*0.5, middle, 1)
	o.mouse("mouseMoved", box[0]+box[2]*0.75, middle, 1)
	o.mouse("mouseReleased", box[0]+box[2]*0.75, middle, 1)
	o.wants("range after dragging", o.text("#range"), "Selected: 2026-03-09 12:00 to 2026-03-09 18:")
	o.wants("table after dragging", o.text("#rows thead"), "401s in range")
	o.shot("zoomed")
	for _, step := range []struct{ button, key, want string }{
		{"#later", "ArrowRight", ""}, {"#earlier", "ArrowLeft", ""}, {"#closer", "+", ""}, {"#wider", "-", ""}, {"#whole", "Escape", "All: "},
	} {
		before := o.text("#range")
		o.click(step.button)
		byMouse := o.text("#range")
		if before == byMouse {
			t.Errorf("%s did nothing: %s", step.button, byMouse)
		}
		o.wants(step.button, byMouse, step.want)
		if step.button == "#whole" {
			o.click("#closer")
		}
		before = o.text("#range")
		o.focus("#plot")
		o.press(step.key)
		if after := o.text("#range"); before == after {
			t.Errorf("%s: its key did nothing: %s", step.button, after)
		}
	}
	o.click("#closer")
	o.clicks("#plot .u-over", 2)
	o.wants("range after a double click", o.text("#range"), "All: ")
	o.click("#successes")
	if !evaluate[bool](o, `document.querySelector("#successes").checked && document.querySelectorAll("#plot .u-axis").length === 3`) {
		t.Error("accepted requests are not shown")
	}

	// The tables.
	o.wants("tab", o.text(`[role="tab"][aria-selected="true"]`), "Endpoints")
	o.wants("first row", o.text("#rows tbody tr"), "GET /v2/orders/{id}")
	o.click("#rows thead th:nth-child(2) button")
	o.wants("first row, fewest 401s first", o.text("#rows tbody tr"), "AAAA")
	if got := evaluate[string](o, `document.querySelector("#rows thead th:nth-child(2)").ariaSort`); got != "ascending" {
		t.Errorf("sorted %q", got)
	}
	o.focus("#rows thead th:nth-child(1) button")
	o.press("Enter")
	if got := evaluate[string](o, `document.querySelector("#rows thead th:nth-child(1)").ariaSort + document.activeElement.textContent`); !strings.HasPrefix(got, "ascendingEndpoint") {
		t.Errorf("sorted by name, focus kept: %q", got)
	}
	o.focus("#search")
	o.enter("SHOP cart")
	o.wants("rows found", o.text("#shown"), "1 of 15 rows")
	o.wants("row found", o.text("#rows tbody"), "POST /cart")
	o.click("#copy")
	for until := time.Now().Add(5 * time.Second); !strings.Contains(o.text("#shown"), "1 row copied") && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
	}
	o.wants("copied", o.text("#shown"), "1 row copied.")
	o.focus(`[role="tab"][aria-selected="true"]`)
	o.press("ArrowRight")
	o.wants("next tab", evaluate[string](o, "document.activeElement.textContent"), "Accounts")
	o.press("End")
	o.wants("last tab", o.text(`[role="tab"][aria-selected="true"]`), "Hosts")
	evaluate[bool](o, `document.querySelector("#search").value = "", document.querySelector("#search").dispatchEvent(new Event("input")), true`)

	// Exports: formulas are defused, the figures are those shown.
	// The link is not followed: that would move the page under the next click.
	evaluate[bool](o, `window.saved = [], URL.createObjectURL = b => { saved.push(b); return "#" }, HTMLAnchorElement.prototype.click = () => {}, true`)
	o.click("#tab-accounts")
	o.click("#csv")
	o.click("#json")
	csv := evaluate[string](o, `(async () => await saved[0].text())()`)
	o.wants("CSV", csv, "User,401s,Share refused,Requests,Accepted,Clients,Last accepted,Finding\r\nbob,56,")
	o.wants("CSV", csv, `"'=HYPERLINK(`)
	if n := evaluate[int](o, `(async () => JSON.parse(await saved[1].text()).length)()`); n != 15 {
		t.Errorf("%d rows saved as JSON", n)
	}

	// Links, time zone, theme.
	o.click("#tab-endpoints")
	id := reporttest.Result().Findings[1].ID
	evaluate[bool](o, fmt.Sprintf(`document.getElementById(%q).open = false, location.hash = %q, true`, id, "#"+id))
	if !evaluate[bool](o, fmt.Sprintf(`new Promise(r => setTimeout(() => r(document.getElementById(%q).open), 100))`, id)) {
		t.Error("a link to a finding does not open it")
	}
	o.zone("Asia/Tokyo")
	o.wants("time", o.text("details.card time"), "2026-03-09 14:05:12 UTC")
	o.click("#zone")
	o.wants("time of the zone", o.text("details.card time"), "2026-03-09 23:05:12 Asia/Tokyo")
	o.wants("range in the zone", o.text("#range"), "2026-03-09 09:00 to 2026-03-10 09:00 Asia/Tokyo")
	page := `getComputedStyle(document.body).backgroundColor`
	before := evaluate[string](o, page)
	o.click("#theme")
	if evaluate[string](o, page) == before {
		t.Error("the theme button does not change the colours")
	}
}

// TestWithoutScripts checks that the report is complete without JavaScript.
func TestWithoutScripts(t *testing.T) {
	o := newTab(t)
	o.must(o.tab.call("Emulation.setScriptExecutionDisabled", params{"value": true}, nil))
	o.visit(write(t, reporttest.Result()))
	got := evaluate[string](o, `(() => {
		const seen = s => { const e = document.querySelector(s), r = e && e.getBoundingClientRect(); return e && e.checkVisibility() && r.width > 50 && r.height > 10 };
		return [".verdict h1", "details.card[open] .story p", "details.card[open] .drawing path.refused", "svg.chart path.endpoint", "#fixed table tbody tr", "#when .drawing", "#causes"].filter(s => !seen(s.replace("#when .drawing", "#when"))).join(" ") +
			["#zoom", "#explore", ".tools"].filter(s => document.querySelector(s).checkVisibility()).join(" ");
	})()`)
	if got != "" {
		t.Errorf("wrong visibility: %s", got)
	}
}

// manyRows returns a result with n more findings and endpoints.
func manyRows(n int) *result.Result {
	res := reporttest.Result()
	for i := range n {
		f := res.Findings[2]
		f.ID, f.Text.Title = fmt.Sprintf("account_failure-%012x", i), fmt.Sprintf("Account user%d is refused every time", i)
		f.Unauthorized, f.Exhibit, f.Evidence = int64(10_000-i), nil, nil
		res.Findings = append(res.Findings, f)
		e := res.Endpoints[0]
		e.Template, e.Unauthorized, e.FindingID = fmt.Sprintf("/v3/things/%d/{id}", i), int64(20_000-i), f.ID
		res.Endpoints = append(res.Endpoints, e)
	}
	return res
}

// TestManyRows opens a report with thousands of findings, or the one that LOGSCAN_REPORT
// names. Its tables must contain only the visible rows.
func TestManyRows(t *testing.T) {
	n := 3000
	if trials.All() {
		n = 10_000
	}
	dir := os.Getenv("LOGSCAN_REPORT")
	if dir == "" {
		dir = write(t, manyRows(n))
	}
	o := openReport(t, dir)
	ready := evaluate[float64](o, `performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd`)
	o.click("#tab-findings")
	took := evaluate[float64](o, `(() => {
		const from = performance.now(), view = document.querySelector("#window");
		for (const b of document.querySelectorAll('#rows thead button')) b.click();
		for (let i = 0; i < 20; i++) { view.scrollTop = view.scrollHeight * i / 20; view.dispatchEvent(new Event("scroll")); view.getBoundingClientRect(); }
		return performance.now() - from;
	})()`)
	rows, all := evaluate[int](o, `document.querySelectorAll("#rows tbody tr").length`), evaluate[int](o, `+document.querySelector("#rows").getAttribute("aria-rowcount")`)
	t.Logf("ready after %.0f ms; sorting by every column and 20 scrolls %.0f ms; %d of %d rows are in the page", ready, took, rows, all)
	if rows > 60 {
		t.Errorf("%d rows are in the page", rows)
	}
	if os.Getenv("LOGSCAN_REPORT") == "" && all < n {
		t.Errorf("the table has %d rows", all)
	}
	o.shot("many")
}

// axePath is where `make axe` saves axe-core.
const axePath = "../.tools/axe.min.js"

// TestAccessible runs axe-core on the report in light and dark, with all details open.
func TestAccessible(t *testing.T) {
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Skip("axe-core is missing: make axe downloads it")
	}
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			o := openReport(t, write(t, reporttest.Result()))
			o.scheme(scheme)
			evaluate[bool](o, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
			o.shot(scheme)
			o.axe(string(axe))
		})
	}
}

// axe runs axe-core on the page as it is.
func (o *opened) axe(script string) {
	o.Helper()
	evaluate[bool](o, script+"\n;true")
	found := evaluate[[]string](o, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}).then(r =>
		r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 150) + " – " + n.failureSummary.slice(0, 200))))`)
	for _, f := range found {
		o.Error(f)
	}
	checked := evaluate[int](o, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa"]}).then(r => r.passes.length)`)
	if checked < 10 {
		o.Errorf("only %d rules passed, want at least 10", checked)
	}
}
