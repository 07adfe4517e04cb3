package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"logscan/analyze"
	"logscan/analyze/result"
	attack "logscan/fixtures/hostile"
	"logscan/fixtures/trials"
	"logscan/parse"
	"logscan/parse/source"
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/reporttest"
	"logscan/report/terminal"
	"logscan/report/wording"
)

// hostileBatch is how many payloads go into a report. Each is in the samples of a
// finding; findings that are alike are folded, so not each is in a title.
const hostileBatch = 28

// scanned analyses a log that has every payload in every field, and returns the result
// and its output directory. Each payload is also the name of another log and part of a
// rejected line in it.
func scanned(t *testing.T, format attack.Format, payloads []attack.Payload) (*result.Result, string) {
	t.Helper()
	logs := t.TempDir()
	put := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(logs, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("all.log", attack.Lines(format, payloads))
	for i, p := range payloads {
		put(attack.FileName(p)+".log", fmt.Appendf(nil, `{"time_iso8601":"2026-03-09T14:05:00Z","status":401,"request_uri":"/%d"}`+"\n{%s\n", i, p.Text))
	}
	inputs, _, err := source.Expand([]string{logs}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := analyze.Options{Inputs: inputs}
	if f, ok := parse.Lookup(format.LogFormat); ok {
		o.Format = f
	} else if o.Format, err = parse.Compile(format.LogFormat); err != nil {
		t.Fatal(err)
	}
	res, err := analyze.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res, write(t, res)
}

// census is what a report contains, as seen by a browser.
type census struct {
	Elements []string       // distinct tags with the names of their attributes
	Cells    []string       // distinct contents of table cells
	Counts   map[string]int // of elements that could run or load something
	Links    []string       // that lead out of the page
	Owned    bool           // a payload's script ran
	Globals  []string       // names created by scripts
	Tables   []string       // of the explorer
	Missing  []string       // payloads that are not shown, and where
}

const takeCensus = `(async () => {
	const sign = e => e.tagName + "[" + [...e.attributes].map(a => a.name).sort().join(" ") + "]";
	const elements = new Set(), cells = new Set(), tables = {}, links = new Set();
	const look = root => {
		for (const e of root.querySelectorAll("*")) elements.add(sign(e));
		for (const c of root.querySelectorAll("th, td")) cells.add([c, ...c.querySelectorAll("*")].map(sign).join(" "));
		for (const a of root.querySelectorAll("[href]")) if (!a.getAttribute("href").startsWith("#")) links.add(a.outerHTML);
	};
	look(document);
	const view = document.querySelector("#window"), body = document.querySelector("#rows");
	for (const tab of document.querySelectorAll("#tabs button")) {
		tab.click();
		let text = "";
		for (let top = 0; ; top += view.clientHeight) { // the rows above and below are in the page, too
			view.scrollTop = top;
			view.dispatchEvent(new Event("scroll"));
			look(body);
			text += body.textContent;
			if (top > view.scrollHeight) break;
		}
		for (const b of body.querySelectorAll("thead button")) { b.click(); look(body); }
		tables[tab.id.replace("tab-", "")] = text;
	}
	const places = { cards: [...document.querySelectorAll("details.card")].map(c => c.textContent).join(), "names of logs": document.body.textContent, ...tables };
	const missing = MARKS.flatMap(mark => Object.keys(places).filter(p => p !== "findings" && !places[p].includes(mark)).map(p => mark + " in " + p));
	const n = s => document.querySelectorAll(s).length;
	return {
		Elements: [...elements], Cells: [...cells], Tables: Object.keys(tables), Missing: missing, Links: [...links],
		Owned: "` + attack.Global + `" in window || "` + attack.Global + `".toUpperCase() in window,
		Globals: Object.getOwnPropertyNames(window).filter(k => !/^[0-9]+$/.test(k)).sort(),
		Counts: { script: n("script"), style: n("style"), base: n("base"), link: n("link"), frames: n("iframe, frame, object, embed, portal"), images: n("img, image, video, audio, source, picture"), forms: n("form"), meta: n("meta") },
	};
})()`

// exports saves every table of the explorer as CSV and JSON, and searches in it.
const exports = `(async () => {
	const saved = [], all = [];
	URL.createObjectURL = b => { saved.push(b); return "#"; };
	for (const tab of document.querySelectorAll("#tabs button")) {
		tab.click();
		document.querySelector("#csv").click();
		document.querySelector("#json").click();
		all.push([tab.id, await saved.at(-2).text(), await saved.at(-1).text()]);
	}
	const search = document.querySelector("#search");
	for (const text of SEARCHES) {
		search.value = text;
		search.dispatchEvent(new Event("input"));
	}
	search.value = "";
	search.dispatchEvent(new Event("input"));
	history.replaceState(null, "", "#" + encodeURIComponent(SEARCHES[0]));
	dispatchEvent(new Event("hashchange"));
	return all;
})()`

// tried returns the payloads to try: one in 23 of each family, or all of the more than
// 500 if all trials are asked for.
func tried() []attack.Payload {
	if trials.All() {
		return attack.Payloads()
	}
	return attack.Sample(23)
}

// documentation are the links that a report may have to other pages.
var documentation = []string{
	`<a href="https://nginx.org/en/docs/http/ngx_http_access_module.html" rel="noreferrer">documentation</a>`,
	`<a href="https://httpd.apache.org/docs/2.4/howto/access.html" rel="noreferrer">documentation</a>`,
}

// TestNothingActsInABrowser opens reports of payloads, each in every field of a log, in a
// browser: no script runs, log text makes no element, no request is sent, and exports are
// harmless.
func TestNothingActsInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	payloads := tried()
	format := attack.Formats()[0]
	benign := make([]attack.Payload, hostileBatch)
	for i := range benign {
		benign[i] = attack.Payload{Text: fmt.Sprintf("mark%c%c", 'a'+i/26, 'a'+i%26), Mark: fmt.Sprintf("mark%d", i)}
	}
	_, dir := scanned(t, format, benign)
	o := openReport(t, dir)
	want := o.census(nil)
	o.visit(write(t, reporttest.Result())) // shows more: rows without a note, a change of the clock
	other := o.census(nil)
	want.Elements, want.Cells = append(want.Elements, other.Elements...), append(want.Cells, other.Cells...)
	if len(want.Elements) < 60 || len(want.Cells) < 20 || len(want.Tables) < 7 {
		t.Fatalf("the benign reports show little: %d elements, %d cells, %d tables", len(want.Elements), len(want.Cells), len(want.Tables))
	}
	seen := 0
	for batch := range slices.Chunk(payloads, hostileBatch) {
		_, dir := scanned(t, format, batch)
		o.visit(dir)
		got := o.census(batch)
		what := batch[0].Family + " " + batch[0].Mark
		if got.Owned {
			t.Errorf("%s: a script of the log ran", what)
		}
		for _, pair := range []struct {
			name      string
			got, want []string
		}{{"element", got.Elements, want.Elements}, {"cell", got.Cells, want.Cells}, {"global", got.Globals, want.Globals}, {"link", got.Links, documentation}} {
			for _, x := range pair.got {
				if !slices.Contains(pair.want, x) {
					t.Errorf("%s: there is a %s that no benign report has: %s", what, pair.name, x)
				}
			}
		}
		if fmt.Sprint(got.Counts) != fmt.Sprint(want.Counts) {
			t.Errorf("%s: %v, want %v", what, got.Counts, want.Counts)
		}
		for _, m := range got.Missing {
			t.Errorf("%s is not shown", m)
		}
		seen += len(batch) - len(got.Missing)
		checkExports(t, o, batch)
	}
	if seen < len(payloads)*95/100 {
		t.Errorf("%d of %d payloads have reached the browser", seen, len(payloads))
	}
}

// census examines the page and looks for the payloads wherever it shows a field.
func (o *opened) census(batch []attack.Payload) census {
	o.Helper()
	return evaluate[census](o, strings.ReplaceAll(takeCensus, "MARKS", quotedTexts(o.T, batch, func(p attack.Payload) string { return p.Mark })))
}

// quotedTexts returns texts as a JavaScript array.
func quotedTexts(t *testing.T, batch []attack.Payload, text func(attack.Payload) string) string {
	t.Helper()
	all := make([]string, len(batch))
	for i, p := range batch {
		all[i] = text(p)
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// formula matches cells that a spreadsheet may read as a formula.
var formula = regexp.MustCompile("^[\\s\";]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|^[\\t\\r\\n]")

func checkExports(t *testing.T, o *opened, batch []attack.Payload) {
	t.Helper()
	searches := quotedTexts(t, batch, func(p attack.Payload) string { return p.Text })
	for _, e := range evaluate[[][3]string](o, strings.ReplaceAll(exports, "SEARCHES", searches)) {
		records, err := csv.NewReader(strings.NewReader(e[1])).ReadAll()
		if err != nil {
			t.Errorf("%s: CSV: %v", e[0], err)
		}
		var rows []map[string]any
		if err := json.Unmarshal([]byte(e[2]), &rows); err != nil || len(rows) != len(records)-1 || len(rows) == 0 {
			t.Errorf("%s: JSON: %v, %d rows, %d of CSV", e[0], err, len(rows), len(records)-1)
		}
		for _, r := range records {
			for _, cell := range r {
				if formula.MatchString(cell) {
					t.Errorf("%s: a cell is a formula: %q", e[0], cell)
				}
			}
		}
	}
}

// TestNothingActsElsewhere wants every other output of reporttest.Hostile logs, in every
// format, to be what its medium's parsers take, and harmless in a terminal.
func TestNothingActsElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("tests what outputs contain")
	}
	for _, format := range attack.Formats() {
		payloads := attack.Sample(5)
		if format.Name == "json" {
			payloads = tried()
		}
		res, dir := scanned(t, format, payloads)
		if t0 := &res.Totals; len(res.Findings) < 3 || t0.Unexplained > t0.Unauthorized/2 { // alike findings are one
			t.Errorf("%s: %d findings of %d payloads, %d of %d 401s unexplained", format.Name, len(res.Findings), len(payloads), t0.Unexplained, t0.Unauthorized)
		}
		for name, text := range content(t, dir) {
			switch {
			case strings.HasSuffix(name, ".json"):
				if !json.Valid([]byte(text)) {
					t.Errorf("%s: %s is no JSON", format.Name, name)
				}
			case strings.HasSuffix(name, ".ndjson"):
				for line := range strings.Lines(text) {
					var r document.Reject
					if err := json.Unmarshal([]byte(line), &r); err != nil || r.Reason == "" {
						t.Errorf("%s: %s: %v: %q", format.Name, name, err, line)
					}
				}
			default:
				continue
			}
			inert(t, name, text)
		}
		var b strings.Builder
		terminal.Summary(&b, wording.Describe(res), true, 100)
		r, err := outdir.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := terminal.ShowFindings(&b, r, true); err != nil {
			t.Fatal(err)
		}
		for i := range r.Findings {
			if err := terminal.ShowFinding(&b, r, r.Findings[i].ID, true); err != nil {
				t.Fatal(err)
			}
		}
		d, err := terminal.Diff(&outdir.Report{}, r)
		if err != nil {
			t.Fatal(err)
		}
		if err := terminal.ShowDiff(&b, d, true); err != nil {
			t.Fatal(err)
		}
		inert(t, format.Name+" in a terminal", b.String())
	}
	runtime.GC() // the results are large
}

// ours matches the control sequences that logscan writes.
var ours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// inert fails t if text has control or invisible characters other than ours.
func inert(t *testing.T, what, text string) {
	t.Helper()
	rest := ours.ReplaceAllString(text, "")
	if i := strings.IndexFunc(rest, func(r rune) bool { return !strconv.IsPrint(r) && r != '\n' }); i >= 0 {
		t.Errorf("%s: %q passes", what, rest[max(0, i-60):min(len(rest), i+40)])
	}
	if !strings.Contains(text, "mark0") && what != document.ManifestName {
		t.Errorf("%s shows nothing of the log", what)
	}
}
