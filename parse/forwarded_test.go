package parse

import (
	"net/netip"
	"strings"
	"testing"
)

func prefixes(list ...string) (all []netip.Prefix) {
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func TestTrustedProxies(t *testing.T) {
	const format = `$realip_remote_addr $proxy_protocol_addr $remote_addr [$time_iso8601] $status "$http_x_forwarded_for" "$http_forwarded" "$http_x_real_ip"`
	f, err := Compile(format)
	if err != nil {
		t.Fatal(err)
	}
	const at = " [2026-03-09T14:05:00Z] 200 "
	for _, tt := range []struct{ name, line, client, peer string }{
		{"no proxy", `- - 198.51.100.7` + at + `"-" "-" "-"`, "198.51.100.7", ""},
		{"one proxy", `- - 10.0.0.1` + at + `"198.51.100.7" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"two proxies", `- - 10.0.0.1` + at + `"198.51.100.7, 10.0.0.2" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"a forged address in front", `- - 10.0.0.1` + at + `"1.1.1.1, 198.51.100.7, 10.0.0.2" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"an untrusted peer", `- - 198.51.100.7` + at + `"1.1.1.1" "for=1.1.1.1" "1.1.1.1"`, "198.51.100.7", ""},
		{"only proxies", `- - 10.0.0.1` + at + `"10.0.0.3, 10.0.0.2" "-" "-"`, "10.0.0.3", "10.0.0.1"},
		{"junk from a client", `- - 10.0.0.1` + at + `"junk, <script>" "-" "-"`, "10.0.0.1", ""},
		{"junk before the client", `- - 10.0.0.1` + at + `"' OR 1=1, 198.51.100.7" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"IPv6 with brackets and port", `- - fd00:0:0::1` + at + `"[2001:DB8::7]:4711" "-" "-"`, "2001:db8::7", "fd00::1"},
		{"IPv4 with port", `- - 10.0.0.1` + at + `"198.51.100.7:4711" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"IPv4 in IPv6", `- - ::ffff:10.0.0.1` + at + `"::ffff:198.51.100.7" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"a Unix socket", `- - unix:` + at + `"198.51.100.7" "-" "-"`, "198.51.100.7", "unix:"},
		{"empty elements", `- - 10.0.0.1` + at + `"1.1.1.1, , " "-" "-"`, "10.0.0.1", ""},
		// RFC 7239, section 4
		{"Forwarded", `- - 10.0.0.1` + at + `"-" "for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\"" "-"`, "2001:db8:cafe::17", "10.0.0.1"},
		{"Forwarded with all parameters", `- - 10.0.0.1` + at + `"-" "for=1.1.1.1,For=192.0.2.60;proto=http;by=203.0.113.43" "-"`, "192.0.2.60", "10.0.0.1"},
		{"Forwarded, obfuscated", `- - 10.0.0.1` + at + `"-" "for=1.1.1.1, for=_SEVKISEK" "-"`, "_SEVKISEK", "10.0.0.1"},
		{"Forwarded, unknown", `- - 10.0.0.1` + at + `"-" "for=1.1.1.1, for=unknown" "-"`, "10.0.0.1", ""},
		{"Forwarded, a quote left open", `- - 10.0.0.1` + at + `"-" "for=\"1.1.1.1, for=198.51.100.7" "-"`, "198.51.100.7", "10.0.0.1"},
		{"Forwarded without for", `- - 10.0.0.1` + at + `"-" "for=1.1.1.1, proto=https" "-"`, "10.0.0.1", ""},
		{"X-Real-IP", `- - 10.0.0.1` + at + `"-" "-" "198.51.100.7"`, "198.51.100.7", "10.0.0.1"},
		// determined by the server
		{"realip", `10.0.0.1 - 198.51.100.7` + at + `"1.1.1.1, 198.51.100.7" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"PROXY protocol", `- 198.51.100.7 10.0.0.1` + at + `"1.1.1.1" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"PROXY protocol in front of a proxy", `- 10.0.0.9 10.0.0.1` + at + `"198.51.100.7" "-" "-"`, "198.51.100.7", "10.0.0.1"},
		{"PROXY protocol of an untrusted peer", `- 1.1.1.1 198.51.100.7` + at + `"-" "-" "-"`, "198.51.100.7", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := f.NewParser()
			p.Configure(Options{Trusted: prefixes("10.0.0.0/8", "fd00::/8")})
			var e Entry
			for range 2 {
				if v := p.Parse([]byte(tt.line), &e); v != Parsed {
					t.Fatal(v)
				}
				if string(e.Client) != tt.client || string(e.Peer) != tt.peer {
					t.Errorf("client %q, peer %q; want %q, %q", e.Client, e.Peer, tt.client, tt.peer)
				}
			}
		})
	}
}

// TestClientWithoutTrust checks that without trusted proxies the client is the one
// that the server names.
func TestClientWithoutTrust(t *testing.T) {
	for _, tt := range []struct{ format, line, client, peer string }{
		{`$remote_addr [$time_iso8601] $status "$http_x_forwarded_for"`, `10.0.0.1 [2026-03-09T14:05:00Z] 200 "198.51.100.7"`, "10.0.0.1", ""},
		{`[$time_iso8601] $status "$http_x_forwarded_for"`, `[2026-03-09T14:05:00Z] 200 "198.51.100.7, 10.0.0.2"`, "198.51.100.7", ""},
		{`[$time_iso8601] $status "$http_forwarded"`, `[2026-03-09T14:05:00Z] 200 "for=198.51.100.7;by=x, for=10.0.0.2"`, "198.51.100.7", ""},
		{`[$time_iso8601] $status "$http_cf_connecting_ip"`, `[2026-03-09T14:05:00Z] 200 "2001:DB8:0::1"`, "2001:db8::1", ""},
		{`$remote_addr [$time_iso8601] $status $proxy_protocol_addr`, `10.0.0.1 [2026-03-09T14:05:00Z] 200 198.51.100.7`, "198.51.100.7", "10.0.0.1"},
		{`%a %t %s %{c}a`, `198.51.100.7 [09/Mar/2026:14:05:00 +0000] 200 10.0.0.1`, "198.51.100.7", "10.0.0.1"},
	} {
		var e Entry
		if v := formatOf(t, tt.format, "").NewParser().Parse([]byte(tt.line), &e); v != Parsed || string(e.Client) != tt.client || string(e.Peer) != tt.peer {
			t.Errorf("%s: %v, client %q, peer %q; want %q, %q", tt.line, v, e.Client, e.Peer, tt.client, tt.peer)
		}
	}
}

// TestClientAllocs checks that a line of a proxy does not allocate, in any spelling.
func TestClientAllocs(t *testing.T) {
	f, _ := Lookup("main")
	p := f.NewParser()
	p.Configure(Options{Trusted: prefixes("10.0.0.0/8")})
	line := []byte(`::ffff:10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "x" "[2001:DB8:0:0::1]:80, 10.0.0.2"`)
	var e Entry
	if n := testing.AllocsPerRun(100, func() { p.Parse(line, &e) }); n != 0 || string(e.Client) != "2001:db8::1" {
		t.Errorf("%v allocations, client %q", n, e.Client)
	}
}

// TestForwardedIsLinear checks a list as long as a line can be.
func TestForwardedIsLinear(t *testing.T) {
	f, _ := Lookup("main")
	p := f.NewParser()
	p.Configure(Options{Trusted: prefixes("0.0.0.0/0")})
	line := []byte(`10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "x" "198.51.100.7` + strings.Repeat(", 10.0.0.2", 100_000) + `"`)
	var e Entry
	if v := p.Parse(line, &e); v != Parsed || string(e.Client) != "198.51.100.7" {
		t.Errorf("%v, client %q", v, e.Client)
	}
	if n := p.values.scratch.Size(); n > 1<<20 {
		t.Errorf("%d bytes of scratch", n)
	}
}

// Run with: go test ./parse -run XX -bench Client
func BenchmarkClient(b *testing.B) {
	const tail = ` - - [09/Mar/2026:14:05:00 +0000] "GET /api/v1/orders/12345/items?page=2 HTTP/1.1" 200 4179 "-" "Mozilla/5.0 (X11; Linux x86_64)"`
	for _, bb := range []struct {
		name, line string
		trusted    []netip.Prefix
	}{
		{"ipv4", "192.0.2.1" + tail + ` "-"`, nil},
		{"ipv6", "2001:db8:85a3::8a2e:370:7334" + tail + ` "-"`, nil},
		{"forwarded", "10.0.0.1" + tail + ` "198.51.100.7"`, nil},
		{"trusted", "10.0.0.1" + tail + ` "198.51.100.7"`, prefixes("10.0.0.0/8")},
		{"trusted_ipv6", "10.0.0.1" + tail + ` "2001:db8:85a3::8a2e:370:7334, 10.0.0.2"`, prefixes("10.0.0.0/8")},
	} {
		b.Run(bb.name, func(b *testing.B) {
			f, _ := Lookup("main")
			p := f.NewParser()
			p.Configure(Options{Trusted: bb.trusted})
			line := []byte(bb.line)
			var e Entry
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if p.Parse(line, &e) != Parsed {
					b.Fatal("rejected")
				}
			}
		})
	}
}
