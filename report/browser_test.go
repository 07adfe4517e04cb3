package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	browserpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"logscan/report/reporttest"
)

// chromium starts a headless Chromium for all tests, at the first call. It returns nil
// if none is installed.
var chromium = sync.OnceValues(func() (context.Context, error) {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, nil
	}
	ctx, _ := chromedp.NewExecAllocator(context.Background(), append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(time.Minute))...)
	ctx, _ = chromedp.NewContext(ctx)
	return ctx, chromedp.Do(ctx, chromedp.Navigate("about:blank"))
})

// started is whether a test has called chromium.
var started atomic.Bool

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() {
		if ctx, err := chromium(); ctx != nil && err == nil {
			err = chromedp.Cancel(ctx)
			if err != nil {
				fmt.Fprintln(os.Stderr, "close the browser:", err)
			}
		}
	}
	os.Exit(code)
}

// browser opens a tab that shares nothing with those of other tests. It skips t if
// Chromium is not installed, and in short mode.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are slow and do not test for races")
	}
	started.Store(true)
	ctx, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	if ctx == nil {
		t.Skip("Chromium is not installed")
	}
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// observed records what a browser does while it shows a page.
type observed struct {
	mu       sync.Mutex
	requests []string
	messages []string // errors, messages, dialogs
}

func (o *observed) event(e any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch e := e.(type) {
	case *network.EventRequestWillBeSent:
		o.requests = append(o.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		o.messages = append(o.messages, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		o.messages = append(o.messages, fmt.Sprintf("console.%s called", e.Type))
	case *log.EventEntryAdded:
		o.messages = append(o.messages, e.Entry.Text)
	case *browserpage.EventJavascriptDialogOpening:
		o.messages = append(o.messages, "dialog: "+e.Message)
	}
}

// TestInABrowser opens the report of a reporttest.Hostile log: nothing of it runs, nothing
// is loaded, and no screen is too narrow for it.
func TestInABrowser(t *testing.T) {
	ctx := browser(t)
	var seen observed
	if err := chromedp.Listen(ctx, seen.event); err != nil {
		t.Fatal(err)
	}
	url := "file://" + filepath.ToSlash(filepath.Join(write(t, reporttest.Result()), "report.html"))
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](`document.querySelectorAll("details").forEach(d => d.open = true), 1`)); err != nil {
		t.Fatal(err)
	}
	want := look{
		Title: "HTTP 401 report – logscan", Heading: "GET api.example/v2/orders/{id} refuses 97%",
		Styles: 1, Scripts: 3, Inputs: 3, Cards: len(reporttest.Result().Findings), Linked: true, Drawn: true, Weak: []string{},
	}
	for _, width := range []int64{1280, 390, 320} {
		for _, scheme := range []string{"light", "dark"} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			}); err != nil {
				t.Fatal(err)
			}
			got, err := chromedp.Run(ctx, chromedp.Evaluate[look](lookAround))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%d pixels wide, %s:\n got %+v\nwant %+v", width, scheme, got, want)
			}
		}
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if len(seen.requests) != 1 || seen.requests[0] != url {
		t.Errorf("requests %v, want only the page", seen.requests)
	}
	for _, s := range seen.messages {
		t.Errorf("browser message: %s", s)
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
