package parse

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"logscan/parse/field"
	"logscan/parse/privacy"
)

// Options configure a parser. The zero value works.
type Options struct {
	// Timezone is the zone of times without an offset; nil is UTC. If clocks are
	// set back, an hour occurs twice and the first counts; if they are set forward,
	// a time in the missing hour continues the hour before.
	Timezone *time.Location
	// Reference is the newest time that a line can have, such as the modification
	// time of the file: a time without a year is of the latest year in which it is
	// at most a day after the reference. Zero is the year 2100.
	Reference time.Time
	// Trusted are the proxies whose statements about the client are believed: with
	// them, the client is found by walking X-Forwarded-For from the right. Without
	// any, the client is the one that the server names.
	Trusted []netip.Prefix
	// Since and Until bound the times of requests, from Since on and before Until;
	// zero is no bound. Lines outside, and lines without a time if there is a
	// bound, are SkipRange.
	Since, Until time.Time
	// Refusals are the statuses, beside 401, with which the site refuses requests: the
	// reason and who answered are read in these too.
	Refusals []int32
	// Privacy configures the pseudonyms of people: entries then have pseudonyms in
	// the place of names, and texts in entries have no names.
	Privacy privacy.Options
}

// refused reports whether a status refuses the request.
func (d *decoder) refused(status int32) bool {
	return status == 401 || len(d.refusals) > 0 && slices.Contains(d.refusals, status)
}

// newDecoder returns a decoder configured by o.
func newDecoder(o Options) decoder {
	d := decoder{
		proxies: o.Trusted, since: NoTime, until: math.MaxInt64,
		clock: field.NewClock(o.Timezone, o.Reference), mask: o.Privacy.NewMask(), refusals: o.Refusals,
	}
	if !o.Since.IsZero() {
		d.since = o.Since.UnixMicro()
	}
	if !o.Until.IsZero() {
		d.until = o.Until.UnixMicro()
		d.since = max(d.since, NoTime+1) // an entry without a time is out of range
	}
	return d
}
