package parse

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Format is a way to write a request in a line. It is immutable and shared by
// goroutines; NewParser makes what reads lines.
type Format struct {
	Name    string
	Doc     string   // what writes it, in a line
	Native  string   // the server's own format string; empty for JSON
	Samples []string // lines that it explains

	openEnd bool      // unknown fields may follow
	program *program  // of a text format
	keys    *keyTable // of JSON
}

const (
	common   = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`
	combined = common + ` "$http_referer" "$http_user_agent"`
)

// table is THE TABLE of formats, most specific first: of two that explain as
// many lines, the one above wins. A format is a row.
func table() []*Format {
	return []*Format{
		{
			Name: "json", Doc: "JSON lines, one object a line: nginx escape=json, Caddy, Traefik, Envoy, Kong, Cloudflare, ECS and others; keys by alias",
			keys:    newKeyTable(nil),
			Samples: []string{`{"time_iso8601":"2026-03-09T14:05:00+00:00","remote_addr":"192.0.2.1","remote_user":"","request_method":"GET","request_uri":"/api/orders?page=2","status":401,"body_bytes_sent":0,"http_user_agent":"curl/8.5","request_time":0.004}`},
		},
		{
			Name: "ingress-nginx", Doc: "Kubernetes ingress-nginx (upstreaminfo)",
			Native:  combined + ` $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
			Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /products HTTP/1.1" 200 59 "-" "curl/7.54.0" 89 0.001 [default-web-8080] [] 172.17.0.5:8080, 172.17.0.6:8080 0, 59 0.001, 0.000 502, 200 529a007902362a5f51385a5fa7049884`},
		},
		{
			Name: "ingress-nginx-0.24", Doc: "Kubernetes ingress-nginx before 0.25",
			Native: combined + ` $request_length $request_time [$proxy_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
		},
		{
			Name: "traefik-clf", Doc: "Traefik, accessLog format common",
			Native:  `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_count "$router" "$upstream_addr" ${duration_ms}ms`,
			Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /ui HTTP/1.1" 304 0 "-" "Mozilla/5.0" 262 "router@docker" "http://172.19.0.3:5601" 2ms`},
		},
		{
			Name: "vhost_combined", Doc: "Apache, with the virtual host in front (Debian's other_vhosts_access.log)",
			Native:  `%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"`,
			Samples: []string{`www.example.org:443 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "Mozilla/5.0"`},
		},
		{
			Name: "vhost_combined_portless", Doc: "combined with the virtual host in front, without its port",
			Native:  `%v %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`,
			Samples: []string{`www.example.org 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "Mozilla/5.0"`},
		},
		{
			Name: "combinedio", Doc: "Apache combined with the bytes received and sent (mod_logio)",
			Native:  `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O`,
			Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 1234 "-" "Mozilla/5.0" 512 1500`},
		},
		{
			Name: "main", Doc: "nginx combined with X-Forwarded-For, as its packages configure it",
			Native:  combined + ` "$http_x_forwarded_for"`,
			Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "Mozilla/5.0" "198.51.100.7"`},
		},
		{
			Name: "combined", Doc: "nginx combined; Apache combined is the same but for identd's answer",
			Native:  combined,
			Samples: []string{`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "Mozilla/5.0"`},
		},
		{
			Name: "combined-ident", Doc: "Apache combined with identd's answer in the second field",
			Native:  `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`,
			Samples: []string{`192.0.2.1 ident jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "Mozilla/5.0"`},
		},
		{
			Name: "common", Doc: "Apache common (NCSA)",
			Native:  `%h %l %u %t "%r" %>s %b`,
			Samples: []string{`127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`},
		},
		{
			Name: "ssl_request", Doc: "Apache's ssl_request_log, which has no status",
			Native:  `%t %h %{SSL_PROTOCOL}x %{SSL_CIPHER}x "%r" %b`,
			Samples: []string{`[09/Mar/2026:14:05:00 +0000] 192.0.2.1 TLSv1.3 TLS_AES_256_GCM_SHA384 "GET / HTTP/1.1" 1375`},
		},
		{
			Name: "vhost_common", Doc: "common with the virtual host in front",
			Native: `%v:%p %h %l %u %t "%r" %>s %b`,
		},
		{
			Name: "combined-and-more", Doc: "combined with further fields that are not known",
			Native: combined, openEnd: true,
			Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "Mozilla/5.0" 0.004 cache=HIT`},
		},
		{
			Name: "common-and-more", Doc: "common with further fields that are not known",
			Native: common, openEnd: true,
		},
	}
}

var formats = sync.OnceValue(func() []*Format {
	list := table()
	for _, f := range list {
		if f.keys == nil {
			if err := f.compile(nil); err != nil {
				panic("BUG: " + err.Error())
			}
		}
	}
	return list
})

// Formats gives all formats that are known, most specific first. The slice must
// not be changed.
func Formats() []*Format { return formats() }

// Lookup gives the format of a name.
func Lookup(name string) (*Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return nil, false
}

// WithFields gives the format with fields assigned by the user: each name is a
// field (user, session, upstream, …), each value the log variable ($cookie_sid,
// or SID for %{SID}C) or JSON key (a.b.c) that carries it.
func (f *Format) WithFields(assign map[string]string) (*Format, error) {
	g := *f
	assigned := map[string]field{}
	for name, key := range assign {
		to, ok := fieldNames[strings.ToLower(name)]
		if !ok {
			return nil, fmt.Errorf("no such field: %s (there are %s)", name, strings.Join(slices.Sorted(maps.Keys(fieldNames)), ", "))
		}
		assigned[canonicalName(key)] = to
	}
	if f.keys != nil {
		g.keys = newKeyTable(assigned)
		return &g, nil
	}
	if err := g.compile(assigned); err != nil {
		return nil, err
	}
	return &g, nil
}
