package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/fixtures/golden"
	"logscan/parse"
	"logscan/report/reporttest"
	"logscan/report/wording"
)

func render(t *testing.T, res *result.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, wording.Describe(res)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// withoutScripts returns a page without the text of our own scripts; their data stay.
func withoutScripts(t *testing.T, page string) string {
	t.Helper()
	for _, name := range []string{"html/uplot/uPlot.iife.min.js", "html/report.js"} {
		text, err := assets.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var found bool
		var before, after string
		if before, after, found = strings.Cut(page, string(text)); !found {
			t.Fatalf("%s is not in the page as it is", name)
		}
		page = before + after
	}
	return page
}

func TestReportPage(t *testing.T) {
	page := withoutScripts(t, render(t, reporttest.Result()))
	golden.Check(t, filepath.Join("testdata", "report.html"), []byte(page))
	reporttest.Printable(t, "report.html", page)
}

var (
	tag       = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>`)
	attribute = regexp.MustCompile(`\s([a-zA-Z:-]+)="`)
	styled    = regexp.MustCompile(`(?s)<style>(.*)</style>`)
)

// wellFormed fails t if tags do not nest, or if there is a tag or attribute that the
// template does not use, which text of the log must have made.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	allowed := map[string]bool{}
	template, err := assets.ReadFile("html/report.gohtml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range tag.FindAllStringSubmatch(string(template), -1) {
		allowed[m[2]] = true
		for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
			allowed[m[2]+" "+a[1]] = true
		}
	}
	allowed["details open"] = true
	var open []string
	for _, m := range tag.FindAllStringSubmatch(styled.ReplaceAllString(withoutScripts(t, page), ""), -1) {
		name := m[2]
		if !allowed[name] {
			t.Errorf("tag %s is not of the template", m[0])
		}
		if m[1] == "/" {
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("%s closes %v", m[0], open)
			}
			open = open[:len(open)-1]
			continue
		}
		for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
			if !allowed[name+" "+a[1]] {
				t.Errorf("attribute %s in %s is not of the template", a[1], m[0])
			}
		}
		if name != "meta" && name != "input" && !strings.HasSuffix(m[3], "/") {
			open = append(open, name)
		}
	}
	if len(open) > 0 {
		t.Errorf("left open: %v", open)
	}
}

func TestHostileTextIsText(t *testing.T) {
	page := render(t, reporttest.Result())
	wellFormed(t, page)
	page = withoutScripts(t, page)
	if n := strings.Count(strings.ToLower(page), "<script"); n != 3 {
		t.Errorf("%d scripts in the page, want the data, the library and our own", n)
	}
	shown := page
	page = regexp.MustCompile(`(?s)<script type="application/json".*?</script>`).ReplaceAllString(page, "")
	for _, s := range []string{"<img", "<link", "src=\"", "url(", "@import", "http://", "https://shop.example/\"", "style=\"", "onmouseover='"} {
		if strings.Contains(page, s) {
			t.Errorf("%q stands in the page", s)
		}
	}
	// The text is shown nevertheless.
	text := html.UnescapeString(shown)
	for _, s := range reporttest.Hostile[:len(reporttest.Hostile)-1] {
		if !strings.Contains(text, wording.Visible(s)) {
			t.Errorf("%q is not shown", wording.Visible(s))
		}
	}
}

// TestPolicyAllowsOnlyOurOwn computes the hashes as a browser does, from the page.
func TestPolicyAllowsOnlyOurOwn(t *testing.T) {
	page := render(t, reporttest.Result())
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	style := styled.FindStringSubmatch(page)
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(page, -1)
	if style == nil || len(scripts) != 2 {
		t.Fatalf("%d scripts", len(scripts))
	}
	want := html.EscapeString("default-src 'none'; style-src " + hash(style[1]) + "; script-src " + hash(scripts[0][1]) + " " + hash(scripts[1][1]) +
		"; require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'")
	// html/template writes + in attributes as &#43;.
	want = strings.ReplaceAll(want, "+", "&#43;")
	if !strings.Contains(page, `http-equiv="Content-Security-Policy" content="`+want+`"`) {
		t.Errorf("no policy %s in the page", want)
	}
}

func TestHeadingsAreInOrder(t *testing.T) {
	heading := regexp.MustCompile(`<h([1-6])`)
	for name, res := range map[string]*result.Result{"full": reporttest.Result(), "empty": reporttest.Empty()} {
		last := 0
		for _, m := range heading.FindAllStringSubmatch(render(t, res), -1) {
			level := int(m[1][0] - '0')
			if level > last+1 {
				t.Errorf("%s: a heading of level %d follows one of level %d", name, level, last)
			}
			last = level
		}
		if last == 0 {
			t.Errorf("%s: no headings", name)
		}
	}
}

func TestEmptyStates(t *testing.T) {
	read := func(parsed, rejected, skipped int64) *result.Result {
		res := reporttest.Empty()
		res.Inputs = []result.Input{{Path: "access.log", Format: "combined", Compression: "none", FirstTime: parse.NoTime, LastTime: parse.NoTime}}
		res.Totals.Parsed, res.Totals.Rejected, res.Totals.Skipped = parsed, rejected, skipped
		res.Totals.Lines = parsed + rejected + skipped
		return res
	}
	refused := func(causes map[string]int64) *result.Result {
		res := read(1000, 0, 0)
		res.Causes = causes
		m := result.Minute{Time: reporttest.At(0, 0, 0), Causes: make([]int64, len(detect.CauseNames()))}
		for name, n := range causes {
			res.Totals.Unauthorized += n
			m.Causes[reporttest.CauseIndex(name)] = n
			m.Unauthorized += n
		}
		res.Totals.Unexplained = causes["unexplained"]
		res.Timeline = []result.Minute{m}
		return res
	}
	for _, c := range []struct {
		name string
		res  *result.Result
		has  []string
		not  []string
	}{
		{"nothing was read", reporttest.Empty(), []string{"No input was read.", "No inputs.", "No requests to analyse."}, []string{"401s over time", "Meaning"}},
		{"an empty file", read(0, 0, 0), []string{"There are no requests in the input."}, []string{"401s over time"}},
		{"blank lines", read(0, 0, 9), []string{"There are no requests in the input."}, nil},
		{"no format", read(0, 70, 0), []string{"No line in the input could be parsed as a request.", "--format", "100% of the lines were rejected"}, nil},
		{"no 401", read(1000, 0, 0), []string{"No 401s in 1,000 requests.", "No 401s, so no findings."}, []string{"401s over time"}},
		{"normal use", refused(map[string]int64{"challenge": 30, "anonymous": 2}),
			[]string{"Nothing needs attention: all 32 401s are part of normal use.", "No findings: all 401s are part of normal use.", "401s over time", "100% harmless of 32 401s"}, nil},
		{"normal use, a single 401", refused(map[string]int64{"challenge": 1}), []string{"Nothing needs attention: the only 401 is part of normal use."}, nil},
		{"unexplained 401s", refused(map[string]int64{"unexplained": 5}), []string{"None of the 5 401s could be explained.", "No findings. The causes"}, []string{"Nothing needs attention"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := render(t, c.res)
			wellFormed(t, page)
			text := html.UnescapeString(styled.ReplaceAllString(withoutScripts(t, page), ""))
			for _, s := range c.has {
				if !strings.Contains(text, s) {
					t.Errorf("the page lacks %q", s)
				}
			}
			for _, s := range c.not {
				if strings.Contains(text, s) {
					t.Errorf("the page says %q", s)
				}
			}
		})
	}
}

// TestPageIsBounded renders many rows of everything with the longest texts.
func TestPageIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("tests what outputs contain")
	}
	const n = 250 // more than the page shows of anything
	long := strings.Repeat("\u202e<", result.MaxRawLine/4)
	res := reporttest.Result()
	odd := res.Findings[3]
	odd.Explanation, odd.Title, odd.Remediation = long, long, odd.Remediation[:4]
	for i := range odd.Evidence {
		odd.Evidence[i].Raw, odd.Evidence[i].Path = long, long
	}
	for i := range n {
		odd.ID = fmt.Sprint("account_failure-", i)
		res.Findings = append(res.Findings, odd)
		res.Inputs = append(res.Inputs, result.Input{Path: long, Format: long, Error: long, FirstTime: parse.NoTime, LastTime: parse.NoTime})
		res.RejectedLines = append(res.RejectedLines, result.RejectedLine{Path: long, Raw: long})
		res.Notes = append(res.Notes, result.Note{Kind: result.NoteInput, Name: "a", Text: long})
		res.Endpoints = append(res.Endpoints, result.Endpoint{Host: fmt.Sprint(i, long), Template: long, Counts: result.Counts{Requests: 9, Unauthorized: 9}})
	}
	page := render(t, res)
	if limit := 16 << 20; len(page) > limit {
		t.Errorf("the page has %d bytes, more than %d", len(page), limit)
	}
	for _, s := range []string{"204 more findings, less severe or with fewer 401s, are in findings.json.", "200 of 253 inputs", "endpoints.parquet has all"} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
}

func TestLedgerPutsTroubleFirst(t *testing.T) {
	res := reporttest.Empty()
	for i := range maxLedger + 10 {
		res.Inputs = append(res.Inputs, result.Input{Path: fmt.Sprintf("%04d.log", i)})
	}
	res.Inputs[maxLedger+5].Rejected = 1
	res.Inputs[maxLedger+6].Error = "cut off"
	p := newPage(wording.Describe(res))
	if len(p.Inputs) != maxLedger || p.Inputs[0].Path != "0206.log" || p.Inputs[1].Path != "0205.log" || p.Inputs[2].Path != "0000.log" {
		t.Errorf("%d inputs, first %s, %s, %s", len(p.Inputs), p.Inputs[0].Path, p.Inputs[1].Path, p.Inputs[2].Path)
	}
}

func TestRankRows(t *testing.T) {
	var rows []result.Account
	for i := range 500 {
		rows = append(rows, result.Account{User: fmt.Sprint(i), Counts: result.Counts{Unauthorized: int64(i * 7919 % 100)}})
	}
	order, all := rankRows(rows, func(a *result.Account) *result.Counts { return &a.Counts })
	if all != 495 || len(order) != all {
		t.Fatalf("%d of %d rows, want all 495 with 401s", len(order), all)
	}
	for i := 1; i < len(order); i++ {
		a, b := rows[order[i-1]], rows[order[i]]
		if a.Unauthorized < b.Unauthorized || a.Unauthorized == b.Unauthorized && order[i-1] > order[i] {
			t.Errorf("row %s with %d 401s is before row %s with %d", a.User, a.Unauthorized, b.User, b.Unauthorized)
		}
	}
}

func FuzzPage(f *testing.F) {
	for _, s := range reporttest.Hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		res := reporttest.Empty()
		res.Totals.Parsed, res.Totals.Unauthorized = 1, 1
		res.Inputs = []result.Input{{Path: s, Format: s, Compression: s, Error: s}}
		res.Notes = []result.Note{{Kind: result.NoteInput, Name: s, Text: s}}
		res.Formats = reporttest.HostileFormats(s)
		res.Rejects = map[string]int64{s: 1}
		res.Causes = map[string]int64{s: 1}
		res.Findings = []result.Finding{{ID: s, Kind: s, Text: result.Text{Title: s, Explanation: s, Remediation: []string{s}}, Details: map[string]any{s: s},
			Subject: result.Subject{Host: s, User: s}, Evidence: []result.Evidence{{Path: s, Raw: s}}}}
		res.Clients = []result.Client{{Address: s, UserAgent: s, Counts: result.Counts{Requests: 1, Unauthorized: 1}, FindingID: s}}
		page := render(t, res)
		wellFormed(t, page)
		reporttest.Printable(t, "page", page)
	})
}
