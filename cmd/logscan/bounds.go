package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that zones are known on machines without a database of them

	"logscan/analyze"
	"logscan/parse"
	"logscan/parse/source"
)

// lineFlags say what of a line counts, and what its values mean.
type lineFlags struct {
	Since          moment   `placeholder:"T" group:"in" help:"Only lines from T on: RFC 3339, a date, or a duration such as 24h or 7d back from the newest line."`
	Until          moment   `placeholder:"T" group:"in" help:"Only lines before T."`
	Timezone       timezone `placeholder:"TZ" group:"in" help:"Time zone of times without an offset, such as Europe/Berlin (default: UTC)."`
	TrustedProxies proxies  `placeholder:"CIDR,..." sep:"none" group:"in" help:"Proxies whose X-Forwarded-For or Forwarded header is believed; private stands for all private networks."`
}

// options gives what the flags say as the packages below take it.
func (l *lineFlags) options(started time.Time) (o parse.Options, since, until analyze.Moment, err error) {
	o = parse.Options{Timezone: l.Timezone.location, Trusted: l.TrustedProxies, Reference: started}
	since, until = l.Since.in(l.Timezone.location), l.Until.in(l.Timezone.location)
	switch {
	case !since.At.IsZero() && !until.At.IsZero() && !since.At.Before(until.At),
		since.Back != 0 && until.Back != 0 && since.Back <= until.Back:
		err = usagef("lines from --since on and before --until count", "--since %s is not before --until %s", l.Since.text, l.Until.text)
	}
	return o, since, until, err
}

// boundError makes a usage error of a bound that cannot be found.
func boundError(err error) error {
	var newest *analyze.NewestError
	if !errors.As(err, &newest) {
		return err
	}
	hint := "give --since and --until as times, such as 2026-03-09T14:00:00Z"
	if errors.Is(err, source.ErrOnce) {
		hint = "a duration back from the newest line needs a first look at the input; " + hint
	}
	return &usageError{err, hint}
}

// moment is a bound of time as it was given: a time, of the zone that another
// flag names where it has no offset, or a duration.
type moment struct {
	text  string
	at    time.Time
	local bool // without an offset
	back  time.Duration
}

// momentLayouts are the spellings of a time.
var momentLayouts = []struct {
	layout string
	local  bool
}{
	{time.RFC3339Nano, false},
	{"2006-01-02 15:04:05Z07:00", false},
	{"2006-01-02T15:04Z07:00", false},
	{"2006-01-02T15:04:05.999999999", true},
	{"2006-01-02 15:04:05.999999999", true},
	{"2006-01-02T15:04", true},
	{"2006-01-02 15:04", true},
	{"2006-01-02", true},
}

// UnmarshalText reads a time or a duration.
func (m *moment) UnmarshalText(text []byte) error {
	m.text = string(text)
	for _, l := range momentLayouts {
		if at, err := time.Parse(l.layout, m.text); err == nil {
			m.at, m.local = at, l.local
			return nil
		}
	}
	back, ok := duration(m.text)
	if !ok {
		return fmt.Errorf("%q is no time: give RFC 3339 (2026-03-09T14:00:00Z), a date (2026-03-09), or a duration back from the newest line (24h, 7d)", text)
	}
	m.back = back
	return nil
}

// in gives the moment on the clocks of a zone.
func (m *moment) in(zone *time.Location) analyze.Moment {
	at := m.at
	if m.local && zone != nil {
		y, mon, d := at.Date()
		at = time.Date(y, mon, d, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone)
	}
	return analyze.Moment{At: at, Back: m.back}
}

// duration reads a duration of Go, with days (d) and weeks (w) in front.
func duration(s string) (time.Duration, bool) {
	var sum time.Duration
	for _, unit := range []struct {
		name  string
		hours int64
	}{{"w", 7 * 24}, {"d", 24}} {
		number, rest, ok := strings.Cut(s, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n > 36500 {
			return 0, false
		}
		sum += time.Duration(int64(n)*unit.hours) * time.Hour
		s = rest
	}
	if s != "" {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 || d > maxBack {
			return 0, false
		}
		sum += d
	}
	return sum, sum > 0 && sum <= maxBack
}

// maxBack is the longest duration back: a century.
const maxBack = 36525 * 24 * time.Hour

// timezone is a time zone of the IANA database.
type timezone struct{ location *time.Location }

// UnmarshalText reads the name of a zone.
func (z *timezone) UnmarshalText(text []byte) error {
	name := string(text)
	location, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" { // Local depends on the machine
		return fmt.Errorf("%q is no time zone: give a name of the IANA database, such as UTC, Europe/Berlin or America/New_York", text)
	}
	z.location = location
	return nil
}

// proxies are networks of trusted proxies.
type proxies []netip.Prefix

// privateNetworks are those that cannot be reached from the Internet.
var privateNetworks = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"}

// UnmarshalText reads networks and addresses, parted by commas; the flag may be
// given again.
func (p *proxies) UnmarshalText(text []byte) error {
	for one := range strings.SplitSeq(string(text), ",") {
		one = strings.TrimSpace(one)
		if strings.EqualFold(one, "private") {
			for _, n := range privateNetworks {
				*p = append(*p, netip.MustParsePrefix(n))
			}
			continue
		}
		prefix, err := netip.ParsePrefix(one)
		if err != nil {
			a, aErr := netip.ParseAddr(one)
			if aErr != nil || a.Zone() != "" {
				return fmt.Errorf("%q is no network or address: give CIDR such as 10.0.0.0/8, an address, or private", one)
			}
			prefix = netip.PrefixFrom(a, a.BitLen())
		}
		if a := prefix.Addr(); a.Is4In6() && prefix.Bits() >= 96 { // addresses of lines are told as IPv4
			prefix = netip.PrefixFrom(a.Unmap(), prefix.Bits()-96)
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}
