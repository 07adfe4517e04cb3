package report

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"logscan/report/reporttest"
)

// browser starts a headless Chromium for all tests, at the first call. It returns nil
// if none is installed.
var browser = sync.OnceValues(func() (*chromium, error) {
	started.Store(true)
	return startChromium("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
})

// started is whether a test has called browser.
var started atomic.Bool

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() {
		if c, err := browser(); c != nil && err == nil {
			if err := c.close(); err != nil {
				fmt.Fprintln(os.Stderr, "close the browser:", err)
			}
		}
	}
	os.Exit(code)
}

// openTab opens a tab that shares nothing with those of other tests. It skips t if
// Chromium is not installed, and in short mode.
func openTab(t *testing.T, event func(method string, params json.RawMessage)) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are slow and do not test for races")
	}
	c, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Skip("Chromium is not installed")
	}
	opened, err := c.open(event)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

// observed records what a browser does while it shows a page.
type observed struct {
	mu       sync.Mutex
	requests []string
	messages []string // errors, messages, dialogs
}

func (o *observed) event(method string, params json.RawMessage) {
	var e struct {
		Request          struct{ URL string }
		ExceptionDetails struct{ Text string }
		Entry            struct{ Text string }
		Type, Message    string
	}
	if json.Unmarshal(params, &e) != nil {
		e.Message = string(params)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch method {
	case "Network.requestWillBeSent":
		o.requests = append(o.requests, e.Request.URL)
	case "Runtime.exceptionThrown":
		o.messages = append(o.messages, e.ExceptionDetails.Text)
	case "Runtime.consoleAPICalled":
		o.messages = append(o.messages, fmt.Sprintf("console.%s called", e.Type))
	case "Log.entryAdded":
		o.messages = append(o.messages, e.Entry.Text)
	case "Page.javascriptDialogOpening":
		o.messages = append(o.messages, "dialog: "+e.Message)
	}
}

// TestObserved checks that what a page must not do is seen: other tests rely on silence.
func TestObserved(t *testing.T) {
	var seen observed
	if err := openTab(t, seen.event).navigate(`data:text/html,<img src="file:///absent.png"><script>console.log(1); nothing()</script>`); err != nil {
		t.Fatal(err)
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, want := range []string{"console.log called", "Uncaught", "Not allowed to load local resource: file:///absent.png"} {
		if !slices.Contains(seen.messages, want) {
			t.Errorf("messages %q, want %q among them", seen.messages, want)
		}
	}
}

// TestInABrowser opens the report of a reporttest.Hostile log: nothing of it runs, nothing
// is loaded, and no screen is too narrow for it.
func TestInABrowser(t *testing.T) {
	o := openReport(t, write(t, reporttest.Result()))
	evaluate[int](o, `document.querySelectorAll("details").forEach(d => d.open = true), 1`)
	want := look{
		Title: "HTTP 401 report – logscan", Heading: "GET api.example/v2/orders/{id} refuses 97%",
		Styles: 1, Scripts: 3, Inputs: 3, Cards: len(reporttest.Result().Findings), Linked: true, Drawn: true, Weak: []string{},
	}
	for _, width := range []int{1280, 390, 320} {
		for _, scheme := range []string{"light", "dark"} {
			o.size(width, 900)
			o.scheme(scheme)
			got := evaluate[look](o, lookAround)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%d pixels wide, %s:\n got %+v\nwant %+v", width, scheme, got, want)
			}
		}
	}
	o.seen.mu.Lock()
	defer o.seen.mu.Unlock()
	if len(o.seen.requests) != 1 || o.seen.requests[0] != o.url {
		t.Errorf("requests %v, want only the page", o.seen.requests)
	}
}

// look is what lookAround finds on the page.
type look struct {
	Title, Heading string
	Tags           int // elements that the report must not have
	Handlers       int // attributes that could run or load something
	Styles, Cards  int
	Scripts        int // including the data
	Inputs         int
	Linked, Drawn  bool // links lead to their cards, bars have a size
	Unnamed        int  // tables without a caption, or with headers without scope
	Twice          int  // duplicate ids
	TooWide        int  // pixels
	Weak           []string
}

const lookAround = `(() => {
	const all = s => [...document.querySelectorAll(s)];
	const ids = all("[id]").map(e => e.id);
	const card = document.querySelector("details.card"), link = document.querySelector('#rows a[href="#' + card.id + '"]');
	return {
		Title: document.title,
		Heading: document.querySelector("h1").textContent.slice(0, 42),
		Tags: all("img, iframe, object, embed, link, form, base, audio, video").length,
		Handlers: all("*").flatMap(e => [...e.attributes]).filter(a => /^on|^src/.test(a.name)).length,
		Scripts: all("script").length,
		Inputs: all("input").length,
		Styles: document.styleSheets.length,
		Cards: all("details.card").length,
		Linked: link !== null && link.textContent === "Finding 1",
		Drawn: document.querySelector("#plot canvas").getBoundingClientRect().width > 100 && all("svg.drawing path.refused").some(p => p.checkVisibility() && p.getBBox().width > 100),
		Unnamed: all("table").filter(t => !t.caption || [...t.querySelectorAll("th")].some(h => !h.scope)).length,
		Twice: ids.length - new Set(ids).size,
		TooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
		Weak: ` + weakText + `,
	};
})()`

// weakText returns the texts whose contrast with their background is below 4.5, the
// minimum of WCAG 2 for normal text at level AA.
const weakText = `(() => {
	const rgb = s => s.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
	const backgrounds = new Map();
	const behind = e => {
		if (!e) return [255, 255, 255];
		if (!backgrounds.has(e)) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			backgrounds.set(e, c.length < 4 || c[3] > 0 ? c : behind(e.parentElement));
		}
		return backgrounds.get(e);
	};
	const weak = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || e.closest("title")) continue;
		const drawn = e.closest("svg");
		if (drawn && e.classList.contains("flag-text")) continue; // its background is a flag, not the page
		const style = getComputedStyle(e), front = rgb(drawn ? style.fill : style.color), back = behind(drawn || e);
		const [a, b] = [light(front.slice(0, 3)), light(back.slice(0, 3))].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < 4.5) weak.add(e.tagName + "." + (e.getAttribute("class") || "") + " " + ratio.toFixed(2));
	}
	return [...weak];
})()`
