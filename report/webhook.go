package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"logscan/analyze/result"
	"logscan/report/wording"
)

// Webhook is where findings are posted to. The URL is a secret: those of chat
// services let everybody post who knows them.
type Webhook struct {
	URL    string
	Format string        // WebhookJSON or WebhookSlack
	Pause  time.Duration // before the second try, and twice as long before each other; default webhookPause
	Client *http.Client  // default: one that gives up after webhookTimeout
}

// The formats of a webhook.
const (
	WebhookJSON  = "json"  // Notice
	WebhookSlack = "slack" // Slack's, which Mattermost and Rocket.Chat take too
)

const (
	webhookTries   = 4
	webhookPause   = 500 * time.Millisecond
	webhookTimeout = 10 * time.Second
	// maxWebhookFindings bounds what is posted: services refuse more than some
	// hundred kilobytes, and nobody reads more.
	maxWebhookFindings = 20
	// slackTitle is the most characters of a line in a chat.
	slackTitle = 200
)

// Notice is what is posted as JSON: the verdict, where the report is, and the
// findings, most severe first, without their evidence.
type Notice struct {
	SchemaVersion int       `json:"schema_version"`
	Tool          Tool      `json:"tool"`
	Verdict       string    `json:"verdict"`
	Severity      string    `json:"severity"` // of the worst finding; "ok" or "unknown" without one
	Report        string    `json:"report"`   // path of the report
	Totals        Totals    `json:"totals"`
	Findings      []Finding `json:"findings"`
	MoreFindings  int       `json:"more_findings"` // that are in findings.json alone
	Resolved      []Finding `json:"resolved"`
}

// Post posts what a run found whose output is dir. It tries again where that can
// help: the network, a service that is busy or broken. Its errors do not tell
// the URL.
func (h Webhook) Post(ctx context.Context, dir string, res *result.Result, run Run) error {
	target, err := url.Parse(h.URL)
	if err != nil || target.Scheme != "https" && target.Scheme != "http" || target.Host == "" {
		return errors.New("webhook: it is no http or https URL")
	}
	body, err := h.body(dir, res, run)
	if err != nil {
		return err
	}
	client, pause := h.Client, h.Pause
	if client == nil {
		client = &http.Client{Timeout: webhookTimeout}
	}
	if pause == 0 {
		pause = webhookPause
	}
	for try := 1; ; try++ {
		again, err := post(ctx, client, h.URL, body)
		if err == nil {
			return nil
		}
		if !again || try == webhookTries {
			return fmt.Errorf("webhook at %s: %w (tried %s)", target.Hostname(), err, wording.Count(int64(try), "time"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}

// post tries once and says whether another try may help.
func post(ctx context.Context, client *http.Client, target string, body []byte) (again bool, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("it is no URL")
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("User-Agent", toolName)
	a, err := client.Do(q)
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err // without the URL
		}
		return ctx.Err() == nil, err
	}
	defer a.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(a.Body, 1<<16)) // so that the connection can be used again
	if a.StatusCode >= 200 && a.StatusCode < 300 {
		return false, nil
	}
	again = a.StatusCode >= 500 || a.StatusCode == http.StatusTooManyRequests || a.StatusCode == http.StatusRequestTimeout
	return again, errors.New("it answered " + strconv.Itoa(a.StatusCode))
}

func (h Webhook) body(dir string, res *result.Result, run Run) ([]byte, error) {
	v := wording.Judge(res)
	findings := findingsOf(res.Findings)
	shown := findings[:min(len(findings), maxWebhookFindings)]
	path := filepath.Join(dir, "report.html")
	if h.Format == WebhookSlack {
		return json.Marshal(map[string]any{
			"text":         slackText(v, shown, len(findings)-len(shown), path, statusCounts(findings, len(res.Resolved))),
			"unfurl_links": false, "unfurl_media": false, // the service must not load what a log names
		})
	}
	n := Notice{
		SchemaVersion: SchemaVersion, Tool: Tool{run.ToolName, run.Version, run.Commit},
		Verdict: v.Sentence, Severity: v.Level, Report: path, Totals: totalsOf(&res.Totals),
		Findings: shown, MoreFindings: len(findings) - len(shown), Resolved: findingsOf(res.Resolved),
	}
	for _, list := range [][]Finding{n.Findings, n.Resolved} {
		for i := range list {
			list[i].Evidence = []result.Evidence{}
		}
	}
	return json.Marshal(n)
}

// slackText is the run as a message in Slack's markup, in which log text cannot
// make links, mentions or emphasis.
func slackText(v wording.Verdict, findings []Finding, more int, path, compared string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "*%s*\n", plain(v.Sentence))
	if compared != "" {
		fmt.Fprintln(&b, compared)
	}
	for i := range findings {
		f := &findings[i]
		fmt.Fprintf(&b, "• %s: %s 401s, %s", wording.Visible(f.Severity), wording.Number(f.Unauthorized), plain(wording.Clip(f.Title, slackTitle)))
		if f.Status != "" && f.Status != string(result.StatusPersisting) {
			fmt.Fprintf(&b, " (%s)", wording.Visible(f.Status))
		}
		fmt.Fprintln(&b)
	}
	if more > 0 {
		fmt.Fprintf(&b, "%s in findings.json\n", wording.Count(int64(more), "more finding"))
	}
	fmt.Fprintf(&b, "Report: %s", escaped(path)) // the site's own, to be copied
	return b.String()
}

// joiner is invisible, and keeps what stands on both sides of it from acting
// together.
const joiner = '\u2060'

// plain makes text of a log what a chat shows as it is: in Slack's markup and in
// the Markdown of its like it can neither make links, from an address or a bare
// domain, nor mention, nor emphasise.
func plain(s string) string {
	var b strings.Builder
	for _, r := range escaped(s) {
		switch r {
		case '*', '_', '~', '`', '@', '#', ']':
			b.WriteRune(joiner)
			b.WriteRune(r)
			b.WriteRune(joiner)
		case ':', '.':
			b.WriteRune(r)
			b.WriteRune(joiner)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// escaped makes text visible and escapes <, > and & as Slack wants.
func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(wording.Visible(s))
}
