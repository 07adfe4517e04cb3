package parse

import (
	"math"
	"net/netip"
	"time"

	"logscan/parse/privacy"
)

// Options are what a parser is told beside the format. The zero value works.
type Options struct {
	// Timezone is that of times without an offset; nil is UTC. Where clocks are
	// set back an hour comes twice and the first counts; where they are set
	// forward an hour is missing, and a time in it counts from the hour before.
	Timezone *time.Location
	// Reference is the newest time that a line can have, such as when the file
	// was last changed: a time without a year is of the latest year that does
	// not lie more than a day after it. Zero is the year 2100.
	Reference time.Time
	// Trusted are the proxies whose word on the client is believed: with them,
	// the client is found by walking X-Forwarded-For from the right. Without
	// any, the client is who the server says it is.
	Trusted []netip.Prefix
	// Since and Until are the range of time that counts, from Since on and
	// before Until; zero is no bound. Lines outside, and lines without a time
	// where there is a bound, are SkipRange.
	Since, Until time.Time
	// Privacy says what becomes of the names of people: entries then have
	// pseudonyms, and what looks like a name is gone from their texts.
	Privacy privacy.Options
}

// settings are Options as the parser uses them.
type settings struct {
	zone      zone
	reference int64 // Unix microseconds
	trusted   []netip.Prefix
	since     int64 // Unix microseconds
	until     int64
}

var defaultSettings = settings{reference: maxTime - 1, since: NoTime, until: math.MaxInt64}

// Configure makes o hold for the lines that are parsed from now on.
func (p *Parser) Configure(o Options) {
	p.settings = defaultSettings
	p.trusted = o.Trusted
	if o.Timezone != time.UTC {
		p.zone.location = o.Timezone
	}
	if !o.Since.IsZero() {
		p.since = o.Since.UnixMicro()
	}
	if !o.Until.IsZero() {
		p.until = o.Until.UnixMicro()
		p.since = max(p.since, NoTime+1) // what has no time is out of range
	}
	p.lastTimeLen = 0
	p.mask = o.Privacy.NewMask()
	p.SetReference(o.Reference)
}

// SetReference changes Options.Reference: of a parser that goes from file to
// file.
func (p *Parser) SetReference(t time.Time) {
	us := defaultSettings.reference
	if !t.IsZero() {
		us = min(max(t.UnixMicro(), minTime), us)
	}
	if us != p.reference {
		p.reference, p.lastTimeLen = us, 0
	}
}
