// Package page writes report.html, the report for reading: one file that loads
// nothing, is complete without JavaScript, and stays small enough to be mailed.
//
// Text of the log is made visible and clipped here, escaped by html/template, and set
// as text only by the script.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"logscan/analyze/result"
	"logscan/report/wording"
)

//go:embed html
var assets embed.FS

// How much of each thing the report shows. The tables have all of it.
const (
	maxGlance     = 4 // findings of the first screen
	maxCards      = 50
	openCards     = 3 // opened initially
	maxWorst      = 20
	maxLedger     = 200
	maxHosts      = 4
	maxNotes      = 50
	maxRejectRows = 20 // sample lines
	manyEvidence  = 20 // cards with all evidence; later ones have fewEvidence lines
	fewEvidence   = 5
	maxRawLine    = 1000 // characters of a raw line
	maxAgent      = 120  // characters of a user agent
	maxHost       = 32   // characters of a host in a list
)

// page is the data of the template. Texts of the log in it are clipped and visible;
// the template escapes them.
type page struct {
	CSS        template.CSS
	Policy     string // content security policy
	Library    template.JS
	Script     template.JS
	Data       *explorer // for the script
	Heat       []*drawing
	Noun       wording.Noun // for refusals
	Statuses   string       // that are refusals
	Verdict    wording.Verdict
	Residual   *residual // nil if nothing is unexplained
	Shares     *shareBar // nil if there are no refusals
	Glance     []card    // of the first screen
	MoreGlance string
	Tiles      []tile
	Compared   string   // with the baseline
	Resolved   []string // findings of the baseline that are gone
	Cards      []card
	MoreCards  int
	MoreText   string // which of them are not told one by one
	NoFindings string // text if there are no findings
	Chart      *chart
	Causes     []causeRow
	Total      string // number of 401s
	Worst      []worstTable
	Inputs     []inputRow
	MoreInputs string
	Sum        inputRow
	Rejects    []reasonRow
	Skips      []reasonRow
	Lines      []evidence // rejected lines
	Notes      []string
	Events     []eventRow
	Gaps       []gapSheet

	Undetectable []undetectable
}

type evidence struct{ Place, Text string }

// Write writes report.html.
func Write(w io.Writer, r *wording.Report) error {
	a, err := readAssets()
	if err != nil {
		return err
	}
	t, err := template.New("report.gohtml").Funcs(template.FuncMap{"timed": timed}).ParseFS(assets, "html/report.gohtml")
	if err != nil {
		return err
	}
	p := newPage(r)
	p.CSS, p.Library, p.Script, p.Policy = template.CSS(a.style), template.JS(a.library), template.JS(a.script), a.policy()
	return t.Execute(w, p)
}

// inline are the style and the scripts of the page.
type inline struct{ style, library, script string }

func readAssets() (a inline, err error) {
	for _, part := range []struct {
		name string
		text *string
	}{{"report.css", &a.style}, {"uplot/uPlot.iife.min.js", &a.library}, {"report.js", &a.script}} {
		text, err := assets.ReadFile("html/" + part.name)
		if err != nil {
			return a, err
		}
		*part.text = string(text)
	}
	return a, nil
}

// policy returns the content security policy of the page. It allows only our own style and
// scripts. If markup got into the page, it could not run, load or send anything, and the
// scripts cannot turn text into elements.
func (a *inline) policy() string {
	return "default-src 'none'; style-src " + hashSource(a.style) + "; script-src " + hashSource(a.library) + " " + hashSource(a.script) +
		"; require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'"
}

// Policy returns the content security policy of the page, for a server's header.
func Policy() (string, error) {
	a, err := readAssets()
	return a.policy(), err
}

// hashSource returns the source expression that allows an inline style or script in a
// content security policy.
func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func newPage(r *wording.Report) *page {
	steps := newBins(r.Timeline)
	sources := newSources(r)
	chart := drawChart(r.Result, steps)
	noun := wording.NounOf(r.Statuses)
	p := &page{
		Noun: noun, Statuses: wording.StatusesOf(r.Statuses), Residual: newResidual(r.Residual), Verdict: r.Verdict, Chart: chart, Total: wording.Number(r.Totals.Unauthorized), Tiles: tiles(r, chart), Shares: newShareBar(r),
		Compared: wording.Compared(r.Described, len(r.Gone)), NoFindings: noFindings(r.Result, &r.Verdict.Shares), Causes: causeRows(r.Result),
		Sum: sumRow(r.Result), Rejects: reasonRows(r.Rejects), Skips: reasonRows(r.Skips), Gaps: gapSheets(r.Formats),
	}
	if steps != nil {
		follow(r.Result, steps, sources)
		p.Data = newExplorer(r, steps, sources)
		p.Heat = heatMaps(sources, steps, noun)
	}
	for i := range r.Gone[:min(len(r.Gone), maxCards)] {
		f := &r.Gone[i]
		p.Resolved = append(p.Resolved, wording.Clip(f.Title, wording.MaxTitle)+" ("+wording.Visible(f.Severity)+", "+noun.Count(f.Unauthorized)+")")
	}
	cards := map[string]bool{} // ids of findings that have a card
	for i := range r.Described[:min(r.Told, maxCards)] {
		c := newCard(i+1, &r.Described[i], r.Totals.Unauthorized, noun)
		c.Exhibit = drawExhibit(&r.Findings[i], r.Totals.LastTime, noun)
		p.Cards = append(p.Cards, c)
		cards[r.Described[i].ID] = true
	}
	all := result.CountFindings(r.Findings)
	p.MoreCards, p.MoreText = all-len(p.Cards), wording.MoreText(r.More(), noun)
	p.Glance = p.Cards[:min(len(p.Cards), maxGlance)]
	if more := all - len(p.Glance); more > 0 {
		p.MoreGlance = wording.Count(int64(more), "more finding")
	}
	p.Worst = worstTables(r.Result, sources, cards)
	p.Inputs, p.MoreInputs = inputRows(r.Inputs)
	p.Events = eventRows(r.AuthEvents)
	for i := range r.RejectedLines[:min(len(r.RejectedLines), maxRejectRows)] {
		l := &r.RejectedLines[i]
		p.Lines = append(p.Lines, evidence{wording.Position(l.Path, l.Line) + " – " + wording.Clip(l.Reason, wording.MaxName), wording.Clip(l.Raw, maxRawLine)})
	}
	if text := wording.Agreement(r.Result); text != "" {
		p.Notes = append(p.Notes, text)
	}
	for _, n := range wording.Notes(r.Notes[:min(len(r.Notes), maxNotes)], noun) {
		p.Notes = append(p.Notes, wording.Clip(n, wording.MaxParagraph))
	}
	for _, u := range r.Undetectable {
		p.Undetectable = append(p.Undetectable, undetectable{wording.CauseOf(u.Kind).Label, u.Missing})
	}
	return p
}

// barWidth returns part of whole in percent for a bar. Nonzero parts are at least 1,
// so that they are visible.
func barWidth(part, whole int64) string {
	if part <= 0 || whole <= 0 {
		return "0"
	}
	return coordinate(max(1, 100*float64(min(part, whole))/float64(whole)))
}

// endpointName returns a method and a URL template as one name.
func endpointName(method, template string) string {
	return wording.Clip(strings.TrimSpace(method+" "+template), wording.MaxName)
}
