package main

import (
	"encoding"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// FuzzFlags parses any text as the value of each flag type: an accepted value is
// within its limits, and is accepted again.
func FuzzFlags(f *testing.F) {
	for _, s := range []string{
		"", "5", "5%", "NaN", "-0", "1e400", "24h", "7d", "1w2d3h", "99999999999999999999d", "2026-03-09", "2026-03-09T14:05:00+01:00", "2026-13-01",
		"512MiB", "1EB", "16 MiB", "-1GB", "0x10", "high", "critical", "UTC", "Local", "Europe/Berlin", "../../etc/passwd", "private", "10.0.0.0/8,::1", "10.0.0.1%eth0", "::ffff:10.0.0.0/104",
		"brute_force-0123456789ab=2026-03-09 known", "=", "a=b", "a=2026-02-30 x", "Prometheus/*", "[", "svc-*", "\xff", "\x00", "1,2,3",
	} {
		f.Add(s)
	}
	readers := map[string]func() encoding.TextUnmarshaler{
		"percent": func() encoding.TextUnmarshaler { return new(percent) }, "severity": func() encoding.TextUnmarshaler { return new(severity) },
		"workers": func() encoding.TextUnmarshaler { return new(workers) }, "size": func() encoding.TextUnmarshaler { return new(size) },
		"ratio": func() encoding.TextUnmarshaler { return new(ratio) }, "moment": func() encoding.TextUnmarshaler { return new(moment) },
		"timezone": func() encoding.TextUnmarshaler { return new(timezone) }, "proxies": func() encoding.TextUnmarshaler { return new(proxies) },
		"monitor": func() encoding.TextUnmarshaler { return new(monitor) }, "shared": func() encoding.TextUnmarshaler { return new(sharedAddress) },
		"service": func() encoding.TextUnmarshaler { return new(serviceAccount) }, "mute": func() encoding.TextUnmarshaler { return new(mute) },
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, reader := range readers {
			v := reader()
			if err := v.UnmarshalText([]byte(text)); err != nil {
				continue
			}
			switch v := v.(type) {
			case *percent:
				if !(*v >= 0 && *v <= 100) {
					t.Errorf("%q is %v", text, *v)
				}
			case *workers:
				if *v < 1 || *v > maxWorkers {
					t.Errorf("%q is %d workers", text, *v)
				}
			case *size:
				if *v < minMemory {
					t.Errorf("%q is %d bytes", text, *v)
				}
			case *ratio:
				if *v < 1 {
					t.Errorf("%q is a ratio of %d", text, *v)
				}
			case *moment:
				m := v.in(time.UTC)
				if m.Back < 0 || m.Back > maxBack || m.Back == 0 && m.At.IsZero() && v.at != (time.Time{}) {
					t.Errorf("%q is %+v", text, m)
				}
			case *proxies:
				for _, p := range *v {
					if !p.IsValid() || p != p.Masked() {
						t.Errorf("%q: network %v", text, p)
					}
				}
			case *timezone:
				if v.location == nil {
					t.Errorf("%q is not a zone", text)
				}
			}
			if err := reader().UnmarshalText([]byte(text)); err != nil {
				t.Errorf("%s: %q is accepted, then rejected: %v", name, text, err)
			}
		}
		if withoutSecrets([]string{"--webhook=" + text}, confidentialFlags)[0] != "--webhook=REDACTED" || withoutSecrets([]string{"--webhook", text}, confidentialFlags)[1] != "REDACTED" {
			t.Errorf("the value %q is not redacted", text)
		}
	})
}

// FuzzConfig reads any bytes as a configuration file: it is accepted, or rejected
// with a one-line usage error that names the file.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		"max-rejects: 2.5\n", "since: 24h\ntrusted-proxies: [10.0.0.0/8, private]\n", "field: {session: cookie_sid}\n", "mute:\n  - a=2026-03-09 known\n",
		"quiet: true\n---\nverbose: false\n", "a: &a [*a]\n", "? [a]\n: b\n", "!!binary x: y\n", "max_rejects: |\n  5\n", "{", "- a\n", "\xff: \x00", "max-rejects: 1\nmax-rejects: 2\n", "\t", "out: ~\n", "a: b: c",
	} {
		f.Add([]byte(s))
	}
	var c cli
	app, err := kong.New(&c, options(&streams{stdout: io.Discard, stderr: io.Discard})...)
	if err != nil {
		f.Fatal(err)
	}
	names := configurableFlags(app.Model)
	path := filepath.Join(f.TempDir(), "config.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			t.Skip("the YAML library is slow")
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		conf, err := readConfig(path, app.Model)
		if err != nil {
			var usage *usageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is %q", err)
			}
			return
		}
		for name, v := range conf.values {
			switch v.(type) {
			case string, bool, []string:
			default:
				t.Errorf("%s is %#v", name, v)
			}
			found := false
			for _, n := range names {
				found = found || n == name
			}
			if !found {
				t.Errorf("%s is not a flag", name)
			}
		}
	})
}
