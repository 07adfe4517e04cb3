package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for machines without a time zone database

	"logscan/analyze"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/source"
)

// lineFlags select lines by time and say how to interpret their values.
type lineFlags struct {
	rangeFlags
	valueFlags
}

// rangeFlags select lines by time.
type rangeFlags struct {
	Since moment `placeholder:"T" group:"input" help:"Start of the time range: RFC 3339, a date, or a duration back from the newest line, such as 24h or 7d. Directories with earlier dates, such as dt=2026-03-09, are not read."`
	Until moment `placeholder:"T" group:"input" help:"End of the time range, exclusive."`
}

// valueFlags say how to interpret the values of lines.
type valueFlags struct {
	Timezone       timezone `placeholder:"TZ" group:"input" help:"Time zone of times logged without an offset, such as Europe/Berlin (default: UTC)."`
	Status         statuses `placeholder:"CODES" sep:"none" group:"input" help:"Statuses that count as refusals beside 401, such as 403,407,419,440; a redirect such as 302 counts if it leads to a page for signing in."`
	TrustedProxies proxies  `placeholder:"CIDR,..." sep:"none" group:"input" help:"Proxies whose X-Forwarded-For or Forwarded header is trusted; 'private' means all private networks."`
}

// options returns the parse options of the flags.
func (f *valueFlags) options(started time.Time) parse.Options {
	return parse.Options{Timezone: f.Timezone.location, Trusted: f.TrustedProxies, Reference: started, Refusals: f.Status}
}

// options returns the parse options and the time range of the flags.
func (l *lineFlags) options(started time.Time) (o parse.Options, since, until analyze.Moment, err error) {
	since, until = l.Since.in(l.Timezone.zone()), l.Until.in(l.Timezone.zone())
	switch {
	case !since.At.IsZero() && !until.At.IsZero() && !since.At.Before(until.At),
		since.Back != 0 && until.Back != 0 && since.Back <= until.Back:
		err = usagef("the range includes --since and excludes --until", "--since %s is not before --until %s", l.Since.text, l.Until.text)
	}
	return l.valueFlags.options(started), since, until, err
}

// rangeError turns the error of a time range that cannot be resolved into a
// usage error. It returns other errors as they are.
func rangeError(err error) error {
	var newest *analyze.NewestError
	var dates *analyze.DatesError
	if !errors.As(err, &newest) && !errors.As(err, &dates) {
		return err
	}
	hint := "give --since and --until as times, such as 2026-03-09T14:00:00Z"
	if errors.Is(err, source.ErrOnce) {
		hint = "a duration back from the newest line takes two passes over the input; " + hint
	}
	return &usageError{err, hint}
}

// moment is the value of --since or --until: a time, or a duration.
type moment struct {
	text  string
	at    time.Time
	local bool // at has no offset: it is in the zone of --timezone
	back  time.Duration
}

// momentLayouts are the accepted layouts of a time.
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

// UnmarshalText parses a time or a duration.
func (m *moment) UnmarshalText(text []byte) error {
	m.text = string(text)
	for _, l := range momentLayouts {
		if at, err := time.Parse(l.layout, m.text); err == nil {
			m.at, m.local = at, l.local
			return nil
		}
	}
	back, ok := parseDuration(m.text)
	if !ok {
		return fmt.Errorf("%q is not a time: use RFC 3339 (2026-03-09T14:00:00Z), a date (2026-03-09), or a duration back from the newest line (24h, 7d)", text)
	}
	m.back = back
	return nil
}

// in returns the moment, with a time without an offset taken to be in zone.
func (m *moment) in(zone *time.Location) analyze.Moment {
	at := m.at
	if m.local {
		y, mon, d := at.Date()
		at = time.Date(y, mon, d, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone)
	}
	return analyze.Moment{At: at, Back: m.back}
}

// maxBack is the longest duration of a moment: a century.
const maxBack = 36525 * 24 * time.Hour

// parseDuration parses weeks (w) and days (d) followed by a Go duration, such
// as 1w2d3h30m. It reports whether s is one, positive and at most maxBack.
func parseDuration(s string) (time.Duration, bool) {
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

// timezone is a time zone of the IANA database.
type timezone struct{ location *time.Location }

// UnmarshalText parses the name of a time zone.
func (z *timezone) UnmarshalText(text []byte) error {
	name := string(text)
	location, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" { // Local depends on the machine
		return fmt.Errorf("%q is not a time zone: use an IANA name such as UTC, Europe/Berlin or America/New_York", text)
	}
	z.location = location
	return nil
}

// zone returns the time zone, UTC if none was given.
func (z timezone) zone() *time.Location {
	if z.location == nil {
		return time.UTC
	}
	return z.location
}

// eventFlag is the value of --event.
type eventFlag struct {
	moment
	what string
}

// maxEventText bounds the text of an event, in bytes.
const maxEventText = 500

// UnmarshalText parses TIME=TEXT.
func (e *eventFlag) UnmarshalText(text []byte) error {
	at, what, ok := strings.Cut(string(text), "=")
	if err := e.moment.UnmarshalText([]byte(at)); err != nil || !ok || e.back != 0 || strings.TrimSpace(what) == "" || len(what) > maxEventText {
		return fmt.Errorf("%q is not TIME=TEXT, such as 2026-03-09T14:05:00Z=deploy 42", text)
	}
	e.what = strings.TrimSpace(what)
	return nil
}

// events returns the events of the flags, in order of time. Times without an offset are in
// zone.
func (c *reportFlags) events(zone *time.Location) []result.Event {
	all := make([]result.Event, len(c.Event))
	for i, e := range c.Event {
		all[i] = result.Event{Time: e.in(zone).At.UnixMicro(), Text: e.what}
	}
	slices.SortStableFunc(all, func(a, b result.Event) int { return cmp.Compare(a.Time, b.Time) })
	return all
}

// statuses are the statuses that count as refusals beside 401, ascending.
type statuses []int32

// UnmarshalText adds the statuses of a comma-separated list.
func (s *statuses) UnmarshalText(text []byte) error {
	for one := range strings.SplitSeq(string(text), ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(one), 10, 16)
		switch {
		case err != nil || n < 300 || n > 599:
			return fmt.Errorf("%q is not a status from 300 to 599: name those that refuse a request, such as 403,407", one)
		case n != 401:
			*s = append(*s, int32(n))
		}
	}
	slices.Sort(*s)
	*s = slices.Compact(*s)
	return nil
}

// proxies are the networks of trusted proxies.
type proxies []netip.Prefix

// privateNetworks are the networks that "private" stands for.
var privateNetworks = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"}

// UnmarshalText appends the networks and addresses of a comma-separated list.
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
				return fmt.Errorf("%q is not a network or address: use CIDR such as 10.0.0.0/8, an address, or private", one)
			}
			prefix = netip.PrefixFrom(a, a.BitLen())
		}
		if a := prefix.Addr(); a.Is4In6() && prefix.Bits() >= 96 { // the parser unmaps the addresses of lines
			prefix = netip.PrefixFrom(a.Unmap(), prefix.Bits()-96)
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}
