// Package live serves the report of a watched log to browsers on the same machine.
//
// The report shows what people requested. The server therefore listens on loopback
// addresses only, answers only requests that name such an address (a page on the Internet
// whose name was made to resolve to this machine names another), and tells browsers to
// keep nothing.
package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// AddressError says that an address must not be served.
type AddressError struct{ Address, Reason string }

func (e *AddressError) Error() string { return e.Address + ": " + e.Reason }

// Outputs are what is served.
type Outputs struct{ Report, Findings []byte }

// Server serves the latest outputs.
type Server struct {
	policy  string
	refresh time.Duration
	latest  atomic.Pointer[Outputs]
	// allowed are the values of the Host header that are answered.
	allowed map[string]bool
}

// New returns a server of pages with a content security policy. A page at /live is loaded
// again after refresh.
func New(policy string, refresh time.Duration) *Server {
	return &Server{policy: policy + "; frame-ancestors 'none'", refresh: refresh, allowed: map[string]bool{}}
}

// Set sets the outputs to serve.
func (s *Server) Set(o Outputs) { s.latest.Store(&o) }

// Listen listens on a loopback address such as 127.0.0.1:8080, [::1]:8080 or
// localhost:8080. The error is an *AddressError or one of listening.
func (s *Server) Listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &AddressError{address, "not an address and a port, such as 127.0.0.1:8080"}
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, &AddressError{address, "not a loopback address, such as 127.0.0.1 or [::1]"}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() { // localhost is whatever the machine says
		return nil, errors.Join(&AddressError{address, "not a loopback address"}, l.Close())
	}
	port := strconv.Itoa(at.Port)
	for _, name := range []string{"localhost", at.IP.String()} {
		s.allowed[net.JoinHostPort(name, port)] = true
		if at.Port == 80 {
			s.allowed[strings.TrimSuffix(net.JoinHostPort(name, port), ":80")] = true
		}
	}
	return l, nil
}

// Serve answers requests until ctx is done.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	const patience = 10 * time.Second
	server := &http.Server{
		Handler: s, ReadTimeout: patience, WriteTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // only readers are connected
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the report: %w", err)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	o := s.latest.Load()
	switch {
	case !s.allowed[strings.ToLower(r.Host)]:
		http.Error(w, "This server answers only requests to its own address.", http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet:
		h.Set("Allow", http.MethodGet)
		http.Error(w, "Only GET is supported.", http.StatusMethodNotAllowed)
	case r.URL.Path != "/" && r.URL.Path != "/live" && r.URL.Path != "/findings.json":
		http.Error(w, "Not found: / is the report, /live the report that is loaded again by itself, /findings.json the findings.", http.StatusNotFound)
	case o == nil:
		h.Set("Retry-After", "5")
		h.Set("Refresh", "5")
		http.Error(w, "The logs are being read for the first time.", http.StatusServiceUnavailable)
	case r.URL.Path == "/findings.json":
		h.Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(o.Findings) // the reader may have left
	default:
		if r.URL.Path == "/live" {
			h.Set("Refresh", strconv.Itoa(int(max(s.refresh, time.Second)/time.Second)))
		}
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", s.policy)
		_, _ = w.Write(o.Report) // the same
	}
}
