package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/report/reporttest"
	"logscan/report/wording"
)

// service answers posts with a list of statuses, one after the other, and records the
// last post.
type service struct {
	*httptest.Server
	statuses []int
	posts    int
	body     string
}

func newService(t *testing.T, statuses ...int) *service {
	s := &service{statuses: statuses}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Location", "/elsewhere") // of the answers that are redirects
		s.body = r.Method + " " + r.Header.Get("Content-Type") + " " + string(b)
		w.WriteHeader(s.statuses[min(s.posts, len(s.statuses)-1)])
		s.posts++
	}))
	t.Cleanup(s.Close)
	return s
}

func TestWebhookRetries(t *testing.T) {
	for _, tt := range []struct {
		name     string
		statuses []int
		posts    int
		err      string
	}{
		{"accepted", []int{204}, 1, ""},
		{"busy at first", []int{503, 429, 200}, 3, ""},
		{"broken", []int{500}, webhookAttempts, "it answered 500 (4 attempts)"},
		{"redirected", []int{307, 200}, 1, "it answered 307 (1 attempt)"},
		{"unknown", []int{404}, 1, "it answered 404 (1 attempt)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, tt.statuses...)
			err := Webhook{URL: s.URL + "/s3cretPath", Pause: time.Millisecond}.Post(t.Context(), "out", wording.Describe(reporttest.Result()), reporttest.Run())
			if got := ""; err != nil {
				got = err.Error()
				if !strings.HasSuffix(got, tt.err) || tt.err == "" || strings.Contains(got, "s3cret") {
					t.Errorf("error %q, want %q", got, tt.err)
				}
			} else if tt.err != "" {
				t.Errorf("no error, want %q", tt.err)
			}
			if s.posts != tt.posts {
				t.Errorf("%d posts, want %d", s.posts, tt.posts)
			}
		})
	}
}

func TestWebhookErrorsKeepTheSecret(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, target := range []string{gone.URL + "/s3cret", "ftp://x/s3cret", "s3cret", "http://[s3cret", "http://s3cret\x7f/"} {
		err := Webhook{URL: target, Pause: time.Millisecond}.Post(t.Context(), "out", wording.Describe(reporttest.Result()), reporttest.Run())
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", target, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Webhook{URL: gone.URL}).Post(ctx, "out", wording.Describe(reporttest.Result()), reporttest.Run()); err == nil {
		t.Error("a cancelled run posts")
	}
}

func TestWebhookBodies(t *testing.T) {
	s := newService(t, 200)
	if err := (Webhook{URL: s.URL, Format: WebhookJSON}).Post(t.Context(), "out", wording.Describe(reporttest.Result()), reporttest.Run()); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(s.body, "POST application/json ")
	var n Notice
	if err := json.Unmarshal([]byte(text), &n); err != nil || !ok {
		t.Fatal(err, s.body)
	}
	if len(n.Findings) != len(reporttest.Result().Findings) || n.Findings[0].Status != "new" || n.Verdict == "" || n.Severity != "high" ||
		n.Report != "out/report.html" || len(n.Resolved) != 1 || len(n.Findings[0].Evidence) != 0 {
		t.Errorf("posted %+v", n)
	}

	if err := (Webhook{URL: s.URL, Format: WebhookSlack}).Post(t.Context(), "out", wording.Describe(reporttest.Result()), reporttest.Run()); err != nil {
		t.Fatal(err)
	}
	var message struct{ Text string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(s.body, "POST application/json ")), &message); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Since the baseline: 1 new", "• high: ", "(new)", "Report: out/report.html"} {
		if !strings.Contains(message.Text, want) {
			t.Errorf("the message lacks %q: %s", want, message.Text)
		}
	}

	// Text of the log makes no links, mentions or emphasis.
	res := reporttest.Result()
	res.Findings = []result.Finding{{Text: result.Text{Title: "x <https://evil.example|click> <!channel> @here *bold* `code` [x](http://evil.example) www.evil.example bob@evil.example \x1b[2J\u202e"}}}
	if err := (Webhook{URL: s.URL, Format: WebhookSlack}).Post(t.Context(), "out", wording.Describe(res), reporttest.Run()); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal([]byte(strings.TrimPrefix(s.body, "POST application/json ")), &message)
	_, line, _ := strings.Cut(message.Text, "• ")
	line, _, _ = strings.Cut(line, "\nReport: ")
	for _, bad := range []string{"<", ">", "@here", "*bold*", "`code`", "\x1b", "\u202e", "](", "://", "evil.example", "www.evil"} {
		if strings.Contains(line, bad) {
			t.Errorf("%q is in the message: %q", bad, line)
		}
	}
}
