package field

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"logscan/parse/scan"
)

// TestAddress checks that every spelling of an address becomes the same.
func TestAddress(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1:443", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::FFFF:c000:0201", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:80", "192.0.2.1"},
		{"::1", "::1"},
		{"0:0:0:0:0:0:0:1", "::1"},
		{"::", "::"},
		{"2001:DB8::1", "2001:db8::1"},
		{"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
		{"[2001:db8::1]", "2001:db8::1"},
		{"[2001:db8::1]:8443", "2001:db8::1"},
		{"fe80::1%eth0", "fe80::1"},
		{"[fe80::1%25eth0]:80", "fe80::1"},
		// RFC 5952, sections 1 and 4
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:db8::0:1:0:0", "2001:db8::1:0:0"},
		{"2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},
		{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
		// other texts
		{"crawler.example.org", "crawler.example.org"},
		{"unix:", "unix:"},
		{"1.2.3", "1.2.3"},
		{"2001:db8::1::2", "2001:db8::1::2"},
		{"[2001:db8::1", "[2001:db8::1"},
		{"gggg::1", "gggg::1"},
	} {
		if got := Address(new(scan.Scratch), []byte(tt.in)); string(got) != tt.want {
			t.Errorf("Address(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// FuzzAddr compares the parsing of addresses with the standard library.
func FuzzAddr(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "2001:db8::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::", "::", "1::8", "1:2:3:4:5:6:1.2.3.4", "01.2.3.4", "1:2:3:4:5:6:7:8:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := netip.ParseAddr(s)
		if CanonicalIPv6([]byte(s)) && (err != nil || want.Unmap().String() != s) {
			t.Errorf("%s is %v %v", s, want, err)
		}
		if IsIPv4([]byte(s)) != (err == nil && want.Is4()) {
			t.Errorf("%s: IPv4 is %v, netip says %v %v", s, !(err == nil && want.Is4()), want, err)
		}
		if want.Zone() != "" || strings.ContainsAny(s, "%[]") {
			return
		}
		if strings.Count(s, ":") == 1 {
			return // an address and a port, or neither
		}
		got, ok := hostAddr([]byte(s))
		if ok != (err == nil) || ok && got != want.Unmap() {
			t.Errorf("hostAddr(%q) = %v %v, netip says %v %v", s, got, ok, want, err)
		}
	})
}

// TestPrivate compares Private with what netip says of addresses.
func TestPrivate(t *testing.T) {
	check := func(s string) {
		a, err := netip.ParseAddr(s)
		a = a.Unmap()
		want := err == nil && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || sharedNetwork.Contains(a))
		if got := Private([]byte(s)); got != want {
			t.Errorf("Private(%q) = %v", s, got)
		}
	}
	for first := range 256 {
		for second := range 256 {
			check(fmt.Sprintf("%d.%d.3.4", first, second))
		}
	}
	for _, s := range []string{"", "10", "10.", "10.1", "10.0.0", "10.0.0.", "10.0.0.256", "010.0.0.1", "10.00.0.1", "10..0.1", "10.0.0.1.1", "192.168", "1921680001", "::1", "::ffff:10.0.0.1", "fd00::1", "10.0.0.1:80"} {
		check(s)
	}
}
