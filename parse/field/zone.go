package field

import "time"

// zone converts wall clocks without an offset to times. The zero value is UTC.
type zone struct {
	location *time.Location // nil is UTC

	// offset holds for wall clocks from from up to to (µs), with no change near,
	// so neighbouring lines rarely need the rules of the zone.
	from, to int64
	offset   int64 // µs east of UTC
}

// dayMicros is a day in microseconds. No offset of a zone is larger.
const dayMicros = 86400e6

// utc returns the time (Unix µs) at which clocks of the zone showed wall (µs since
// 1970 on the clock): the first of two if the clocks were set back. If they were
// set forward and never showed it, the offset from before is used.
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
	// The offset changes within a day. The one from before applies if it yields
	// this clock; that is also the first of two.
	if early := wall - before; z.offsetAt(early) == before {
		return early
	}
	if late := wall - after; z.offsetAt(late) == after {
		return late
	}
	return wall - before
}

// offsetAt returns the offset (µs) at a time (Unix µs).
func (z *zone) offsetAt(us int64) int64 {
	_, seconds := time.UnixMicro(us).In(z.location).Zone()
	return int64(seconds) * 1e6
}

// remember stores the range around wall in which the offset holds.
func (z *zone) remember(wall, offset int64) {
	start, end := time.UnixMicro(wall - offset).In(z.location).ZoneBounds()
	z.from, z.to, z.offset = MinTime, MaxTime, offset
	if !start.IsZero() {
		z.from = max(z.from, start.UnixMicro()+offset+2*dayMicros)
	}
	if !end.IsZero() {
		z.to = min(z.to, end.UnixMicro()+offset-2*dayMicros)
	}
}
