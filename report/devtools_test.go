package report

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// chromium is a headless browser on the pipe of its DevTools protocol, on which messages
// are JSON and end with a NUL byte. The Go bindings of the protocol are 60 packages: to
// compile them takes longer than to run a browser.
type chromium struct {
	process  *exec.Cmd
	profile  string
	commands *os.File
	gone     chan struct{} // closed when the browser has closed its side

	mu      sync.Mutex
	last    int
	answers map[int]chan message
	tabs    map[string]*tab // by session
}

// message is a command, an answer or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// params are the parameters of a command.
type params = map[string]any

// answerTime is how long a browser on a busy machine may take for one answer.
const answerTime = 2 * time.Minute

// flags make a browser quiet, and all machines draw alike. They are those of other tools
// for tests.
var flags = []string{
	"--remote-debugging-pipe", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--mute-audio",
	"--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
	"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
	"--disable-breakpad", "--disable-client-side-phishing-detection", "--disable-default-apps", "--disable-dev-shm-usage",
	"--disable-extensions", "--disable-features=site-per-process,Translate,BlinkGenPropertyTrees", "--disable-hang-monitor",
	"--disable-ipc-flooding-protection", "--disable-popup-blocking", "--disable-prompt-on-repost", "--disable-sync",
	"--force-color-profile=srgb", "--metrics-recording-only", "--enable-automation", "--password-store=basic", "--use-mock-keychain",
}

// startChromium starts the first of the names that is installed. It returns nil if none is.
func startChromium(names ...string) (*chromium, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return startBrowser(path)
		}
	}
	return nil, nil
}

func startBrowser(path string) (*chromium, error) {
	profile, err := os.MkdirTemp("", "logscan-chromium-")
	if err != nil {
		return nil, err
	}
	in, commands, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &chromium{
		process: exec.Command(path, append(flags, "--user-data-dir="+profile, "about:blank")...), profile: profile,
		commands: commands, gone: make(chan struct{}), answers: map[int]chan message{}, tabs: map[string]*tab{},
	}
	c.process.ExtraFiles = []*os.File{in, out} // 3 and 4: it reads and writes these
	err = c.process.Start()
	in.Close()
	out.Close()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(profile))
	}
	go c.receive(answers)
	return c, nil
}

// receive passes answers and events on until the browser exits.
func (c *chromium) receive(from *os.File) {
	defer close(c.gone)
	defer from.Close()
	for r := bufio.NewReader(from); ; {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			return
		}
		c.mu.Lock()
		answer, t := c.answers[m.ID], c.tabs[m.Session]
		delete(c.answers, m.ID)
		c.mu.Unlock()
		switch {
		case answer != nil:
			answer <- m
		case t != nil && m.ID == 0:
			t.happened(m.Method, m.Params)
		}
	}
}

// call sends a command to a session, or to the browser if that is "", waits for the answer
// and decodes it into result unless that is nil.
func (c *chromium) call(session, method string, with params, result any) error {
	encoded, err := json.Marshal(with)
	if err != nil {
		return err
	}
	answered := make(chan message, 1)
	c.mu.Lock()
	c.last++
	text, err := json.Marshal(message{ID: c.last, Session: session, Method: method, Params: encoded})
	if err == nil {
		c.answers[c.last] = answered
		_, err = c.commands.Write(append(text, 0))
	}
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m := <-answered:
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-c.gone:
		return fmt.Errorf("%s: the browser has exited", method)
	case <-time.After(answerTime):
		return fmt.Errorf("%s: no answer after %v", method, answerTime)
	}
}

// close ends the browser and removes its files.
func (c *chromium) close() error {
	err := c.call("", "Browser.close", nil, nil)
	if err != nil {
		err = errors.Join(err, c.process.Process.Kill())
	}
	return errors.Join(err, c.process.Wait(), c.commands.Close(), os.RemoveAll(c.profile))
}

// tab is a page of a browser that shares nothing with other tabs. event is called for
// what happens on it, one call at a time.
type tab struct {
	browser *chromium
	session string
	context string
	event   func(method string, params json.RawMessage)
	loaded  chan string // ids of documents
}

// open opens a tab.
func (c *chromium) open(event func(method string, params json.RawMessage)) (*tab, error) {
	var made struct{ BrowserContextID, TargetID, SessionID string }
	err := c.call("", "Target.createBrowserContext", params{"disposeOnDetach": true}, &made)
	if err == nil {
		err = c.call("", "Target.createTarget", params{"url": "about:blank", "browserContextId": made.BrowserContextID}, &made)
	}
	if err == nil {
		err = c.call("", "Target.attachToTarget", params{"targetId": made.TargetID, "flatten": true}, &made)
	}
	if err != nil {
		return nil, err
	}
	t := &tab{c, made.SessionID, made.BrowserContextID, event, make(chan string, 16)}
	c.mu.Lock()
	c.tabs[t.session] = t
	c.mu.Unlock()
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		if err := t.call(domain+".enable", nil, nil); err != nil {
			return nil, err
		}
	}
	return t, t.call("Page.setLifecycleEventsEnabled", params{"enabled": true}, nil)
}

// close closes the tab.
func (t *tab) close() error {
	return t.browser.call("", "Target.disposeBrowserContext", params{"browserContextId": t.context}, nil)
}

// call sends a command to the tab.
func (t *tab) call(method string, with params, result any) error {
	return t.browser.call(t.session, method, with, result)
}

func (t *tab) happened(method string, params json.RawMessage) {
	if method == "Page.lifecycleEvent" {
		var e struct{ Name, LoaderID string }
		if json.Unmarshal(params, &e) == nil && e.Name == "load" {
			select {
			case t.loaded <- e.LoaderID:
			default: // navigate is not called, and the page loads others
			}
		}
	}
	t.event(method, params)
}

// navigate opens a page and returns when it has loaded.
func (t *tab) navigate(url string) error {
	var started struct{ LoaderID, ErrorText string }
	if err := t.call("Page.navigate", params{"url": url}, &started); err != nil {
		return err
	}
	if started.ErrorText != "" {
		return fmt.Errorf("%s: %s", url, started.ErrorText)
	}
	timeout, stop := context.WithTimeout(context.Background(), answerTime)
	defer stop()
	for {
		select {
		case id := <-t.loaded:
			if id == started.LoaderID {
				return nil
			}
		case <-t.browser.gone:
			return fmt.Errorf("%s: the browser has exited", url)
		case <-timeout.Done():
			return fmt.Errorf("%s: not loaded after %v", url, answerTime)
		}
	}
}

// evaluate runs a script on the page, waits for it if it is asynchronous, and decodes its
// value into result.
func (t *tab) evaluate(script string, result any) error {
	var got struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if err := t.call("Runtime.evaluate", params{"expression": script, "returnByValue": true, "awaitPromise": true}, &got); err != nil {
		return err
	}
	if e := got.ExceptionDetails; e != nil {
		return fmt.Errorf("%s %s", e.Text, e.Exception.Description)
	}
	if got.Result.Value == nil {
		return nil // undefined
	}
	return json.Unmarshal(got.Result.Value, result)
}

// screenshot returns a JPEG of the whole page, also of what is not on the screen.
func (t *tab) screenshot() (picture []byte, err error) {
	var got struct{ Data []byte }
	err = t.call("Page.captureScreenshot", params{"format": "jpeg", "quality": 90, "captureBeyondViewport": true}, &got)
	return got.Data, err
}

// mouse sends a mouse event at a point of the page: "mouseMoved", "mousePressed" or
// "mouseReleased". clicks counts clicks of the left button, 0 if it is not pressed.
func (t *tab) mouse(event string, x, y float64, clicks int) error {
	params := params{"type": event, "x": x, "y": y, "clickCount": clicks}
	if clicks > 0 {
		params["button"] = "left"
	}
	return t.call("Input.dispatchMouseEvent", params, nil)
}

// keyCodes are the keys without a character, and Enter, by their names in the DOM.
var keyCodes = map[string]int{"Enter": 13, "Escape": 27, "End": 35, "ArrowLeft": 37, "ArrowRight": 39}

// key presses and releases a key of keyCodes, or the one of a character.
func (t *tab) key(key string) error {
	down := params{"type": "keyDown", "key": key}
	if code := keyCodes[key]; code != 0 {
		down["code"], down["windowsVirtualKeyCode"] = key, code
	} else {
		down["text"] = key
	}
	if key == "Enter" {
		down["text"] = "\r"
	}
	if err := t.call("Input.dispatchKeyEvent", down, nil); err != nil {
		return err
	}
	down["type"] = "keyUp"
	delete(down, "text")
	return t.call("Input.dispatchKeyEvent", down, nil)
}
