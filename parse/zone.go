package parse

import "time"

// zone turns wall clocks without an offset into times. The zero value is UTC.
type zone struct {
	location *time.Location // nil is UTC

	// Between these wall clocks (µs) the offset is known, and no change is
	// near: neighbouring lines mostly need no look at the zone's rules.
	from, to int64
	offset   int64 // µs east of UTC
}

// dayMicros is a day: no zone's offset is larger.
const dayMicros = 86400e6

// utc gives the time (Unix µs) at which clocks of the zone showed wall (µs
// since 1970 on the clock). Of an hour that came twice, because the clocks were
// set back, it is the first; a clock that was never shown, because they were
// set forward, is taken to run on with the offset from before.
func (z *zone) utc(wall int64) int64 {
	if z.location == nil {
		return wall
	}
	if wall >= z.from && wall < z.to {
		return wall - z.offset
	}
	before, after := z.offsetAt(wall-dayMicros), z.offsetAt(wall+dayMicros)
	if before == after {
		z.remember(wall, before)
		return wall - before
	}
	// Clocks change within a day of here. The offset from before still holds
	// where it shows this clock; that is also the first of two.
	if early := wall - before; z.offsetAt(early) == before {
		return early
	}
	if late := wall - after; z.offsetAt(late) == after {
		return late
	}
	return wall - before
}

// offsetAt gives the offset (µs) that holds at a time (Unix µs).
func (z *zone) offsetAt(us int64) int64 {
	_, seconds := time.UnixMicro(us).In(z.location).Zone()
	return int64(seconds) * 1e6
}

// remember notes how long around wall the offset holds.
func (z *zone) remember(wall, offset int64) {
	start, end := time.UnixMicro(wall - offset).In(z.location).ZoneBounds()
	z.from, z.to, z.offset = minTime, maxTime, offset
	if !start.IsZero() {
		z.from = max(z.from, start.UnixMicro()+offset+2*dayMicros)
	}
	if !end.IsZero() {
		z.to = min(z.to, end.UnixMicro()+offset-2*dayMicros)
	}
}
