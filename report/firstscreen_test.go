package report

import (
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/report/reporttest"
)

// TestFirstScreen checks what is seen before scrolling, and that nothing is wider than a
// phone.
func TestFirstScreen(t *testing.T) {
	res := reporttest.Result()
	res.SetEvents([]result.Event{{Time: reporttest.At(14, 5, 0), Text: "deploy <b>42</b>"}})
	o := openReport(t, write(t, res))
	o.size(1440, 900)
	seen := `(s => [...document.querySelectorAll(s)].filter(e => { const r = e.getBoundingClientRect(); return r.bottom <= innerHeight && r.width > 0 && r.height > 0 }).length)`
	for _, s := range []string{".verdict h1", "svg.shares", ".verdict .legend li:nth-child(3)", ".glance li:nth-child(3) a", ".glance li:first-child p"} {
		if evaluate[int](o, seen+"("+"'"+s+"'"+")") == 0 {
			t.Errorf("%s is not on the first screen", s)
		}
	}
	if sum := evaluate[float64](o, `[...document.querySelectorAll("svg.shares rect")].reduce((n, r) => n + parseFloat(r.getAttribute("width")), 0)`); sum < 99.5 || sum > 100.5 {
		t.Errorf("the shares add up to %v percent", sum)
	}
	o.click(".glance li:nth-child(2) a")
	if !evaluate[bool](o, `new Promise(r => setTimeout(() => { const c = document.querySelectorAll("details.card")[1]; r(c.open && location.hash === "#" + c.id) }, 100))`) {
		t.Error("a finding of the first screen does not lead to its card")
	}

	// The headline, titles and texts follow the zone, and return.
	o.zone("Asia/Tokyo")
	before := o.text(".card h3")
	o.wants("title", before, "2026-03-09 14:05:12 UTC")
	evaluate[bool](o, `document.querySelector("#zone").click(), true`) // the page may still scroll
	o.wants("title in the zone", o.text(".card h3"), "2026-03-09 23:05:12 Asia/Tokyo")
	o.wants("first screen in the zone", o.text(".glance a"), "23:05:12 Asia/Tokyo")
	o.wants("axis in the zone", o.text(".drawing.broad text[data-at]"), "03-09 21:00")
	evaluate[bool](o, `document.querySelector("#zone").click(), true`) // the page may still scroll
	if after := o.text(".card h3"); after != before {
		t.Errorf("back in UTC: %q, want %q", after, before)
	}

	o.size(390, 844)
	if wide := evaluate[string](o, `[...document.querySelectorAll("body, main, .card, .glance, .verdict, .tiles")].filter(e => e.scrollWidth > innerWidth).map(e => e.className || e.tagName).join(" ")`); wide != "" {
		t.Errorf("wider than a phone: %s", wide)
	}
	o.shot("phone")
}

// TestChartControls hides groups by the legend, draws a logarithmic scale, and marks
// events.
func TestChartControls(t *testing.T) {
	res := reporttest.Result()
	res.SetEvents([]result.Event{{Time: reporttest.At(14, 5, 0), Text: "deploy <b>42</b>"}})
	o := openReport(t, write(t, res))
	picture := `document.querySelector("#plot canvas").toDataURL()`
	changes := func(what string, act func()) {
		t.Helper()
		before := evaluate[string](o, picture)
		act()
		if evaluate[string](o, picture) == before {
			t.Errorf("%s does not change the chart", what)
		}
	}
	all := evaluate[string](o, picture)
	changes("the legend", func() { o.click("#legend li:first-child button") })
	if got := evaluate[string](o, `document.querySelector("#legend button").ariaPressed`); got != "false" {
		t.Errorf("the group is hidden, aria-pressed is %q", got)
	}
	o.click("#legend li:first-child button")
	if evaluate[string](o, picture) != all {
		t.Error("the group does not come back")
	}
	changes("the log scale", func() { o.click("#log-scale") })
	o.wants("events", o.text("#time + .sheet"), "A 2026-03-09 14:05:00 UTC: deploy <b>42</b>")

	// Hits of a search in every table.
	o.focus("#search")
	o.enter("bob")
	o.wants("hits", o.text("#tab-accounts"), "Accounts (1)")
	o.wants("no hits", o.text("#tab-upstreams"), " (0)")
}

// TestTicket copies a finding with its evidence.
func TestTicket(t *testing.T) {
	o := openReport(t, write(t, reporttest.Result()))
	evaluate[bool](o, `Object.defineProperty(navigator, "clipboard", {value: {writeText: async s => { window.copied = s }}}), true`)
	o.click(".card .ticket button")
	for until := time.Now().Add(5 * time.Second); !strings.Contains(o.text(".card .ticket"), "Copied.") && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
	}
	ticket := evaluate[string](o, "window.copied")
	for _, want := range []string{o.text(".card h3") + "\nhigh, 3,781 401s\n\n", "\n- Kind: ", "\nWhat to do\n1. ", "\nEvidence\n", " 401 "} {
		o.wants("ticket", ticket, want)
	}
}
