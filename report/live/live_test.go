package live

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestServe checks which requests are answered, and with which headers.
func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s := New("default-src 'none'", 7*time.Second)
	l, err := s.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	address := l.Addr().String()
	ask := func(method, path, host string) (int, http.Header, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, res.Header, string(b)
	}
	if status, _, _ := ask("GET", "/", address); status != http.StatusServiceUnavailable {
		t.Errorf("before the first analysis: %d", status)
	}
	s.Set(Outputs{Report: []byte("<p>report"), Findings: []byte("{}")})
	_, port, _ := strings.Cut(address, ":")
	for _, c := range []struct {
		method, path, host string
		status             int
		body               string
	}{
		{"GET", "/", address, 200, "<p>report"},
		{"GET", "/live", "localhost:" + port, 200, "<p>report"},
		{"GET", "/findings.json", "LOCALHOST:" + port, 200, "{}"},
		{"GET", "/etc/passwd", address, 404, ""},
		{"GET", "/../findings.json", address, 404, ""},
		{"POST", "/", address, 405, ""},
		{"HEAD", "/", address, 405, ""},
		{"GET", "/", "rebound.example:" + port, 421, ""},
		{"GET", "/", "127.0.0.1", 421, ""},
		{"GET", "/", "localhost.:" + port, 421, ""},
	} {
		status, h, body := ask(c.method, c.path, c.host)
		if status != c.status || c.body != "" && body != c.body {
			t.Errorf("%s %s of %s: %d %q, want %d", c.method, c.path, c.host, status, body, c.status)
		}
		if h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s %s: headers %v", c.method, c.path, h)
		}
		if want := map[bool]string{true: "7"}[c.path == "/live"]; h.Get("Refresh") != want {
			t.Errorf("%s: Refresh is %q", c.path, h.Get("Refresh"))
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestListen checks that only loopback addresses are listened on.
func TestListen(t *testing.T) {
	for _, address := range []string{":8080", "0.0.0.0:0", "[::]:0", "192.0.2.1:80", "example.org:80", "8080", "127.0.0.1", "localhost.example:0"} {
		l, err := New("", time.Second).Listen(t.Context(), address)
		if refused := (*AddressError)(nil); !errors.As(err, &refused) {
			t.Errorf("%s: %v", address, err)
		}
		if l != nil {
			l.Close()
		}
	}
}
