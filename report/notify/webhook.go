// Package notify sends the result of a run to other systems: to a webhook, and to
// Prometheus through a metrics file.
package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"logscan/analyze/result"
	"logscan/report/document"
	"logscan/report/wording"
)

// Webhook is where findings are posted. The URL is a secret: with that of a chat
// service anyone can post.
type Webhook struct {
	URL    string
	Format string        // WebhookJSON or WebhookSlack
	Link   string        // address at which the report is published; may be empty
	Pause  time.Duration // before the second attempt, doubled for each further one; default webhookPause
	Client *http.Client  // default: one with a timeout of webhookTimeout
}

// Formats of a webhook.
const (
	WebhookJSON  = "json"  // Notice
	WebhookSlack = "slack" // also understood by Mattermost and Rocket.Chat
)

const (
	webhookAttempts = 4
	webhookPause    = 500 * time.Millisecond
	webhookTimeout  = 10 * time.Second
	// maxWebhookFindings bounds the size of a post: services reject more than a few
	// hundred kilobytes.
	maxWebhookFindings = 20
	// maxChatTitle is the most characters of a title in a chat message.
	maxChatTitle = 200
)

// Notice is the JSON that is posted: the verdict, the path of the report, and the
// findings, most severe first, without their evidence.
type Notice struct {
	SchemaVersion int                `json:"schema_version"`
	Tool          document.Tool      `json:"tool"`
	Verdict       string             `json:"verdict"`
	Severity      string             `json:"severity"` // of the worst finding; "ok" or "unknown" if there is none
	Report        string             `json:"report"`   // path of the report
	ReportURL     string             `json:"report_url,omitempty"`
	Totals        document.Totals    `json:"totals"`
	Findings      []document.Finding `json:"findings"`
	MoreFindings  int                `json:"more_findings"` // listed in findings.json only
	Resolved      []document.Finding `json:"resolved"`
}

// Check returns an error if the URL is not one that can be posted to. The error does
// not contain the URL.
func (h Webhook) Check() error {
	_, err := h.target()
	return err
}

func (h Webhook) target() (*url.URL, error) {
	target, err := url.Parse(h.URL)
	if err != nil || target.Scheme != "https" && target.Scheme != "http" || target.Host == "" {
		return nil, errors.New("webhook: not an http or https URL")
	}
	return target, nil
}

// Post posts the result of a run whose output is dir. It retries after network errors
// and if the service is busy or broken. Its errors do not contain the URL.
func (h Webhook) Post(ctx context.Context, dir string, r *wording.Report, run document.Run) error {
	target, err := h.target()
	if err != nil {
		return err
	}
	body, err := h.body(dir, r, run)
	if err != nil {
		return err
	}
	client, pause := h.Client, h.Pause
	if client == nil {
		client = &http.Client{Timeout: webhookTimeout, CheckRedirect: keepRedirect}
	}
	if pause == 0 {
		pause = webhookPause
	}
	for attempt := 1; ; attempt++ {
		retry, err := post(ctx, client, h.URL, body)
		if err == nil {
			return nil
		}
		if !retry || attempt == webhookAttempts {
			return fmt.Errorf("webhook at %s: %w (%s)", target.Hostname(), err, wording.Count(int64(attempt), "attempt"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}

// keepRedirect returns a redirect as the answer: following it would post the findings
// to a server that nobody named.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// post posts once and reports whether to retry after an error.
func post(ctx context.Context, client *http.Client, target string, body []byte) (retry bool, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("not a URL")
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("User-Agent", document.ToolName)
	a, err := client.Do(q)
	if err != nil {
		var withURL *url.Error
		if errors.As(err, &withURL) {
			err = withURL.Err
		}
		return ctx.Err() == nil, err
	}
	defer a.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(a.Body, 1<<16)) // lets the connection be reused
	if a.StatusCode >= 200 && a.StatusCode < 300 {
		return false, nil
	}
	retry = a.StatusCode >= 500 || a.StatusCode == http.StatusTooManyRequests || a.StatusCode == http.StatusRequestTimeout
	return retry, errors.New("it answered " + strconv.Itoa(a.StatusCode))
}

func (h Webhook) body(dir string, r *wording.Report, run document.Run) ([]byte, error) {
	shown := slices.Clone(r.Described[:min(len(r.Described), maxWebhookFindings)])
	more := result.CountFindings(r.Findings) - len(shown)
	path := filepath.Join(dir, document.ReportName)
	if h.Format == WebhookSlack {
		return json.Marshal(map[string]any{
			"text":         slackText(r, shown, more, cmp.Or(h.Link, path)),
			"unfurl_links": false, "unfurl_media": false, // the service must not load what a log names
		})
	}
	n := Notice{
		SchemaVersion: document.SchemaVersion, Tool: document.Tool{Name: run.ToolName, Version: run.Version, Commit: run.Commit},
		Verdict: r.Verdict.Sentence, Severity: r.Verdict.Level, Report: path, ReportURL: h.Link, Totals: document.NewTotals(&r.Totals),
		Findings: shown, MoreFindings: more, Resolved: append([]document.Finding{}, r.Gone...),
	}
	for _, list := range [][]document.Finding{n.Findings, n.Resolved} {
		for i := range list {
			list[i].Evidence = []result.Evidence{}
		}
	}
	return json.Marshal(n)
}

// slackText returns the result as a message in Slack's markup. Text of the log in it
// cannot make links, mentions or emphasis.
func slackText(r *wording.Report, findings []document.Finding, more int, report string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%s*\n", plain(r.Verdict.Sentence))
	if text := wording.Compared(r.Described, len(r.Gone)); text != "" {
		fmt.Fprintln(&b, text)
	}
	for i := range findings {
		f := &findings[i]
		fmt.Fprintf(&b, "• %s: %s, %s", wording.Visible(f.Severity), wording.NounOf(r.Statuses).Count(f.Unauthorized), plain(wording.Clip(f.Title, maxChatTitle)))
		if f.Status != "" && f.Status != string(result.StatusPersisting) {
			fmt.Fprintf(&b, " (%s)", wording.Visible(f.Status))
		}
		fmt.Fprintln(&b)
	}
	if more > 0 {
		fmt.Fprintf(&b, "%s in findings.json\n", wording.Count(int64(more), "more finding"))
	}
	fmt.Fprintf(&b, "Report: %s", escaped(report))
	return b.String()
}

// joiner is an invisible character that keeps the characters on both sides of it from
// being read as markup.
const joiner = '\u2060'

// plain returns text that a chat shows literally: in Slack's markup and in Markdown it
// makes no links, whether from a URL or a bare domain, no mentions and no emphasis.
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

// escaped returns visible text with <, > and & escaped for Slack.
func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(wording.Visible(s))
}
