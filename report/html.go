package report

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

//go:embed html
var assets embed.FS

// How much of each thing the report shows: it stays small enough to be mailed,
// whatever the log holds. The tables have all of it.
const (
	maxCards      = 50
	openCards     = 3 // shown in full at once; the others open on a click
	maxWorst      = 20
	maxLedger     = 200
	maxHosts      = 4
	maxNotes      = 50
	maxRejectRows = 20 // sample lines
	manyEvidence  = 20 // cards that show all evidence; the later ones fewEvidence lines
	fewEvidence   = 5
	evidenceChars = 1000 // of a raw line
	nameChars     = 160  // of a path, user or address
	agentChars    = 120
	hostChars     = 32   // of a host among others
	longChars     = 2000 // of an explanation or a step
)

// page is what the template shows. Texts from the log are clipped and visible
// already; the template escapes them for HTML.
type page struct {
	CSS        template.CSS
	Policy     string // content security policy
	Library    template.JS
	Script     template.JS
	Data       *explorer // what the script works on
	Heat       []*drawing
	Verdict    wording.Verdict
	Tiles      []tile
	Compared   string   // with the baseline
	Resolved   []string // findings of the baseline that are gone
	Cards      []card
	MoreCards  int
	NoFindings string // what to say where there is none
	Chart      *chart
	Causes     []causeRow
	Total      string // 401s
	Worst      []worstTable
	Inputs     []inputRow
	MoreInputs string
	Sum        inputRow
	Rejects    []reasonRow
	Skips      []reasonRow
	Lines      []evidence // rejected lines
	Notes      []string
	Gaps       []gapSheet

	Undetectable []undetectable
}

// tile is a key figure of the run.
type tile struct{ Name, Value, Note string }

// card is a finding.
type card struct {
	Number                         int
	Open                           bool
	ID, Severity, Kind, Title      string
	Status, Before, Muted          string
	Subject                        []wording.Figure
	Since                          *moment // nil: the first line
	Seen                           []moment
	Unauthorized, Hit              string
	Exhibit                        *drawing
	Share, Confidence, Explanation string
	Figures                        []wording.Figure
	Steps                          []string
	Evidence                       []evidence
	Query                          string
}

// moment is a time: the script writes it in another zone where that is wanted.
type moment struct{ ISO, Text string }

func momentOf(us int64) moment {
	return moment{time.UnixMicro(us).UTC().Format(time.RFC3339), wording.Time(us) + " UTC"}
}

type evidence struct{ Place, Text string }

type causeRow struct {
	Group, Label, Name, Meaning, Count, Share string
	Bar                                       string // width in percent
}

// worstTable is one of the tables of who and what was refused most.
type worstTable struct {
	ID, Title, Caption, Name, Extra string
	Rows                            []worstRow
	More                            string
}

type worstRow struct {
	Name, Note, Unauthorized, Requests, Share, Bar, Extra string
	Finding                                               string // whose card there is, or empty
}

type inputRow struct {
	Path, Format, Compression, Size, Lines, Parsed, Rejected, Skipped, Unauthorized, Period, Error string
}

type reasonRow struct{ Reason, Meaning, Count string }

func writeHTML(_ context.Context, j *job, w io.Writer) error {
	part := func(name string) (string, error) {
		text, err := assets.ReadFile("html/" + name)
		return string(text), err
	}
	style, err := part("report.css")
	if err != nil {
		return err
	}
	library, err := part("uplot/uPlot.iife.min.js")
	if err != nil {
		return err
	}
	script, err := part("report.js")
	if err != nil {
		return err
	}
	t, err := template.ParseFS(assets, "html/report.gohtml")
	if err != nil {
		return err
	}
	p := newPage(j.res)
	// Style and scripts are ours, and the policy allows nothing but them: were
	// markup to get into the page, it could neither run nor load nor send
	// anything, and the scripts cannot make elements of text.
	p.CSS, p.Library, p.Script = template.CSS(style), template.JS(library), template.JS(script)
	p.Policy = "default-src 'none'; style-src " + hashOf(style) + "; script-src " + hashOf(library) + " " + hashOf(script) +
		"; require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'"
	return t.Execute(w, p)
}

// hashOf is how a policy names a style or script that stands in the page.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func newPage(res *result.Result) *page {
	steps := binned(res.Timeline)
	p := &page{Verdict: wording.Judge(res), Chart: drawChart(res, steps), Total: wording.Number(res.Totals.Unauthorized)}
	p.Data, p.Heat = exploration(res, steps)
	p.Tiles = tiles(res, p.Chart)
	p.Verdict.Sentence, p.Verdict.Rest = typeset(p.Verdict.Sentence), typeset(p.Verdict.Rest)
	findings := findingsOf(res.Findings)
	p.Compared = statusCounts(findings, len(res.Resolved))
	for i := range res.Resolved[:min(len(res.Resolved), maxCards)] {
		f := &res.Resolved[i]
		p.Resolved = append(p.Resolved, typeset(wording.Clip(f.Title, wording.MaxTitle))+" ("+f.Severity.String()+", "+wording.Refusals(f.Unauthorized)+")")
	}
	place := map[string]bool{} // findings that have a card
	for i := range findings[:min(len(findings), maxCards)] {
		f := findings[i]
		c := newCard(i+1, &f, res.Totals.Unauthorized)
		c.Exhibit = drawExhibit(&res.Findings[i])
		p.Cards = append(p.Cards, c)
		place[f.ID] = true
	}
	p.MoreCards = len(res.Findings) - len(p.Cards)
	switch {
	case len(res.Findings) > 0:
	case res.Totals.Parsed == 0:
		p.NoFindings = "There was nothing to look at."
	case res.Totals.Unauthorized == 0:
		p.NoFindings = "Nothing was refused, so there is nothing to find."
	case wording.Harmless(res) == res.Totals.Unauthorized:
		p.NoFindings = "Nothing is broken: every 401 belongs to ordinary use."
	default:
		p.NoFindings = "No trouble stands out. What the 401s are is told below, under causes."
	}
	p.Causes = causeRows(res)
	p.Worst = worstTables(res, place)
	p.ledger(res)
	p.Rejects, p.Skips = reasonRows(res.Rejects), reasonRows(res.Skips)
	for i := range res.RejectedLines[:min(len(res.RejectedLines), maxRejectRows)] {
		l := &res.RejectedLines[i]
		p.Lines = append(p.Lines, evidence{position(l.Path, l.Line) + " – " + wording.Clip(l.Reason, nameChars), wording.Clip(l.Raw, evidenceChars)})
	}
	for _, n := range wording.Notes(res.Notes[:min(len(res.Notes), maxNotes)]) {
		p.Notes = append(p.Notes, wording.Clip(n, longChars))
	}
	p.Gaps = gapSheets(res.Formats)
	for _, u := range res.Undetectable {
		p.Undetectable = append(p.Undetectable, undetectable{wording.CauseOf(u.Kind).Label, u.Missing})
	}
	return p
}

func position(path string, line int64) string {
	return wording.Clip(path, nameChars) + ":" + strconv.FormatInt(line, 10)
}

func tiles(res *result.Result, c *chart) []tile {
	t := &res.Totals
	explained := t.Unauthorized - t.Unexplained
	all := []tile{
		{"401s", wording.Number(t.Unauthorized), wording.Share(t.Unauthorized, t.Parsed) + " of " + wording.Count(t.Parsed, "request")},
		{"Explained", wording.Share(explained, t.Unauthorized), wording.Number(explained) + " have a cause; " + wording.Number(t.Unexplained) + " have none"},
		{"Findings", wording.Number(int64(len(res.Findings))), severities(res.Findings)},
		{"Lines read", wording.Number(t.Lines), wording.Number(t.Rejected) + " could not be read; " + wording.Count(int64(len(res.Inputs)), "input") + ", " + wording.Bytes(t.Bytes)},
	}
	if t.Unauthorized == 0 {
		all[1] = tile{"Explained", "–", "there is nothing to explain"}
	}
	if hosts, n := hostNames(res); n > 0 {
		all = append(all, tile{"Hosts", wording.Number(int64(n)), hosts})
	}
	// A line with an absurd date is no reason to tell of a window of decades.
	window, from, to := tile{"Window", "–", "no line has a time"}, t.FirstTime, t.LastTime
	if c != nil && c.Outside != "" {
		from, to = c.From, c.To
	}
	if from != parse.NoTime {
		window.Value, window.Note = wording.Duration(float64(to-from)/1e6), wording.Period(from, to)
	}
	return append(all, window)
}

// severities tells how many findings there are of each severity.
func severities(findings []result.Finding) string {
	var parts []string
	for s := result.Critical; ; s-- {
		n := 0
		for i := range findings {
			if findings[i].Severity == s {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, wording.Number(int64(n))+" "+s.String())
		}
		if s == result.Info {
			break
		}
	}
	if len(parts) == 0 {
		return "no trouble found"
	}
	return strings.Join(parts, ", ")
}

// hostNames gives the virtual hosts with most requests, and how many there are.
func hostNames(res *result.Result) (string, int) {
	requests := map[string]int64{}
	for i := range res.Endpoints {
		if e := &res.Endpoints[i]; e.Host != "" {
			requests[e.Host] += e.Requests
		}
	}
	names := wording.SortedKeys(requests)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(requests[b], requests[a]) })
	shown := names[:min(len(names), maxHosts)]
	parts := make([]string, len(shown))
	for i, n := range shown {
		parts[i] = wording.Clip(n, hostChars)
	}
	if len(names) > len(shown) {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", "), len(names)
}

func newCard(place int, f *Finding, total int64) card {
	c := card{
		Number: place, Open: place <= openCards, ID: wording.Visible(f.ID), Severity: f.Severity, Kind: wording.CauseOf(f.Kind).Label,
		Title: typeset(wording.Clip(f.Title, wording.MaxTitle)), Explanation: typeset(wording.Clip(f.Explanation, longChars)),
		Status: wording.Visible(f.Status), Before: changeText(f),
		Unauthorized: wording.Number(f.Unauthorized), Share: wording.Share(f.Unauthorized, total),
		Hit:        wording.Count(f.Actors, "actor") + ", " + wording.Count(f.Users, "user"),
		Confidence: strconv.FormatFloat(f.Confidence, 'f', 2, 64),
		Figures:    wording.Figures(f.Kind, f.Details), Subject: subjectFigures(&f.Subject),
		Query: "SELECT timestamp, client_address, user_name, http_request_method, url_path, log_file_path, log_line\n" +
			"FROM 'unauthorized.parquet'\nWHERE finding_id = '" + strings.ReplaceAll(wording.Visible(f.ID), "'", "''") + "'\nORDER BY timestamp;",
	}
	if f.Muted != nil {
		c.Muted = "before " + wording.Time(int64(f.Muted.Until)) + " UTC: " + wording.Clip(f.Muted.Reason, longChars)
	}
	if f.Onset != parse.NoTime {
		m := momentOf(int64(f.Onset))
		c.Since = &m
	}
	if f.FirstSeen != parse.NoTime {
		c.Seen = []moment{momentOf(int64(f.FirstSeen)), momentOf(int64(f.LastSeen))}
	}
	for _, s := range f.Remediation {
		c.Steps = append(c.Steps, typeset(wording.Clip(s, longChars)))
	}
	shown := f.Evidence[:min(len(f.Evidence), result.MaxEvidence)]
	if place > manyEvidence {
		shown = shown[:min(len(shown), fewEvidence)]
	}
	for i := range shown {
		c.Evidence = append(c.Evidence, evidence{position(shown[i].Path, shown[i].Line), wording.Clip(shown[i].Raw, evidenceChars)})
	}
	return c
}

// since says when a finding began.
func since(onset Stamp) string {
	if onset == parse.NoTime {
		return "the first line"
	}
	return wording.Time(int64(onset)) + " UTC"
}

// typeset is text for reading: a number and its percent sign stay on one line.
func typeset(s string) string { return strings.ReplaceAll(wording.Readable(s), " %", "\u00a0%") }

// subjectFigures names what a finding is about.
func subjectFigures(s *result.Subject) []wording.Figure {
	var all []wording.Figure
	for _, f := range []wording.Figure{
		{"Host", s.Host}, {"Method", s.Method}, {"Route", s.Route}, {"User", s.User},
		{"Client address", s.ClientAddress}, {"User agent", s.UserAgent}, {"Backend", s.Upstream},
	} {
		if f.Value != "" {
			all = append(all, wording.Figure{f.Name, wording.Clip(f.Value, nameChars)})
		}
	}
	return all
}

func causeRows(res *result.Result) []causeRow {
	total := res.Totals.Unauthorized
	row := func(c wording.Cause, n int64) causeRow {
		return causeRow{Group: wording.Groups[c.Group].Name, Label: c.Label, Name: c.Name, Meaning: c.Meaning,
			Count: wording.Number(n), Share: wording.Share(n, total), Bar: barWidth(n, total)}
	}
	var names []string
	for _, name := range wording.SortedKeys(res.Causes) {
		if res.Causes[name] > 0 {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(res.Causes[b], res.Causes[a]) })
	rows := make([]causeRow, len(names))
	for i, name := range names {
		rows[i] = row(wording.CauseOf(name), res.Causes[name])
	}
	return rows
}

// barWidth is part of whole in percent, for a drawing: what is not nothing can
// be seen.
func barWidth(part, whole int64) string {
	if part <= 0 || whole <= 0 {
		return "0"
	}
	return coordinate(max(1, 100*float64(min(part, whole))/float64(whole)))
}

func worstTables(res *result.Result, place map[string]bool) []worstTable {
	endpoints := top(res.Endpoints, func(e *result.Endpoint) int64 { return e.Unauthorized })
	accounts := top(res.Accounts, func(a *result.Account) int64 { return a.Unauthorized })
	clients := top(res.Clients, func(c *result.Client) int64 { return c.Unauthorized })
	var all []worstTable
	add := func(t worstTable, of int) {
		if len(t.Rows) > 0 {
			if of > maxWorst {
				t.More = fmt.Sprintf("The %d with most 401s; %s.parquet has all %s.", maxWorst, t.ID, wording.Number(int64(of)))
			}
			all = append(all, t)
		}
	}
	t := worstTable{ID: "endpoints", Title: "Endpoints", Caption: "Endpoints that answered 401 most", Name: "Endpoint", Extra: "Actors refused"}
	for _, e := range endpoints {
		r := counted(&e.Counts, e.FindingID, place)
		r.Name = wording.Clip(strings.TrimSpace(e.Method+" "+e.Template), nameChars)
		r.Note, r.Extra = wording.Clip(e.Host, nameChars), wording.Number(e.RefusedActors)+" of "+wording.Number(e.Actors)
		t.Rows = append(t.Rows, r)
	}
	add(t, refused(res.Endpoints, func(e *result.Endpoint) int64 { return e.Unauthorized }))

	t = worstTable{ID: "accounts", Title: "Accounts", Caption: "Users named on most 401s (a claim, not proven)", Name: "User", Extra: "Last accepted, UTC"}
	for _, a := range accounts {
		r := counted(&a.Counts, a.FindingID, place)
		r.Name, r.Note = wording.Clip(a.User, nameChars), "from "+wording.Count(a.Clients, "client")
		r.Extra = wording.Time(a.LastAccepted)
		if a.LastAccepted == parse.NoTime {
			r.Extra = "never"
		}
		t.Rows = append(t.Rows, r)
	}
	add(t, refused(res.Accounts, func(a *result.Account) int64 { return a.Unauthorized }))

	t = worstTable{ID: "clients", Title: "Clients", Caption: "Clients that got most 401s", Name: "Client", Extra: "Users, endpoints"}
	for _, c := range clients {
		r := counted(&c.Counts, c.FindingID, place)
		r.Name, r.Note = wording.Clip(c.Address, nameChars), wording.Clip(c.UserAgent, agentChars)
		r.Extra = wording.Number(c.Users) + ", " + wording.Number(c.RefusedEndpoints)
		t.Rows = append(t.Rows, r)
	}
	add(t, refused(res.Clients, func(c *result.Client) int64 { return c.Unauthorized }))
	return all
}

func counted(c *result.Counts, finding string, place map[string]bool) worstRow {
	if !place[finding] {
		finding = ""
	}
	return worstRow{Unauthorized: wording.Number(c.Unauthorized), Requests: wording.Number(c.Requests), Share: wording.Share(c.Unauthorized, c.Requests),
		Bar: barWidth(c.Unauthorized, c.Requests), Finding: wording.Visible(finding)}
}

// top gives up to maxWorst rows with most 401s, most first, ties in the order
// of the rows. It looks at each row once: there may be millions.
func top[R any](rows []R, count func(*R) int64) []*R {
	var best []*R
	for i := range rows {
		r := &rows[i]
		n := count(r)
		if n == 0 || len(best) == maxWorst && n <= count(best[maxWorst-1]) {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, n, func(b *R, n int64) int {
			if count(b) >= n {
				return -1
			}
			return 1
		})
		best = slices.Insert(best, at, r)
		best = best[:min(len(best), maxWorst)]
	}
	return best
}

// refused is how many rows have 401s.
func refused[R any](rows []R, count func(*R) int64) int {
	n := 0
	for i := range rows {
		if count(&rows[i]) > 0 {
			n++
		}
	}
	return n
}

// ledger tells what was read. Of very many inputs those with an error or
// rejected lines come before the others.
func (p *page) ledger(res *result.Result) {
	shown := make([]*result.Input, len(res.Inputs))
	for i := range res.Inputs {
		shown[i] = &res.Inputs[i]
	}
	if len(shown) > maxLedger {
		rank := func(in *result.Input) int {
			switch {
			case in.Error != "":
				return 0
			case in.Rejected > 0:
				return 1
			}
			return 2
		}
		slices.SortStableFunc(shown, func(a, b *result.Input) int { return rank(a) - rank(b) })
		p.MoreInputs = fmt.Sprintf("%d of %s inputs, those with trouble first; inputs.parquet has all.", maxLedger, wording.Number(int64(len(shown))))
		shown = shown[:maxLedger]
	}
	for _, in := range shown {
		p.Inputs = append(p.Inputs, inputRow{
			Path: wording.Clip(in.Path, nameChars), Format: wording.Clip(in.Format, nameChars), Compression: wording.Visible(in.Compression), Size: wording.Bytes(in.Bytes),
			Lines: wording.Number(in.Lines), Parsed: wording.Number(in.Parsed), Rejected: wording.Number(in.Rejected), Skipped: wording.Number(in.Skipped),
			Unauthorized: wording.Number(in.Unauthorized), Period: wording.Period(in.FirstTime, in.LastTime), Error: wording.Clip(in.Error, longChars),
		})
	}
	t := &res.Totals
	p.Sum = inputRow{Path: wording.Count(int64(len(res.Inputs)), "input"), Size: wording.Bytes(t.Bytes), Lines: wording.Number(t.Lines), Parsed: wording.Number(t.Parsed),
		Rejected: wording.Number(t.Rejected), Skipped: wording.Number(t.Skipped), Unauthorized: wording.Number(t.Unauthorized), Period: wording.Period(t.FirstTime, t.LastTime)}
}

// reasonRows tells why lines were not used, the commonest reason first.
func reasonRows(counts map[string]int64) []reasonRow {
	names := wording.SortedKeys(counts)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	var rows []reasonRow
	for _, n := range names {
		if counts[n] > 0 {
			rows = append(rows, reasonRow{wording.Clip(n, nameChars), reasonMeaning(n), wording.Number(counts[n])})
		}
	}
	return rows
}

// reasonMeaning says in words why a line was rejected or skipped: the names are
// package parse's verdicts.
func reasonMeaning(reason string) string {
	switch reason {
	case "blank":
		return "empty, or white space alone"
	case "comment":
		return "begins with #"
	case "out_of_range":
		return "outside the range of time that was asked for"
	case "too_long":
		return "longer than a mebibyte"
	case "binary":
		return "holds bytes that are no text"
	case "syntax":
		return "does not have the format's shape"
	case "time":
		return "its time is none, or before 1990 or after 2100"
	case "status":
		return "its status is not three digits"
	case "number":
		return "a size or duration in it is no number"
	case "json":
		return "is no JSON object"
	case "empty":
		return "has neither a time nor a status"
	}
	return ""
}
