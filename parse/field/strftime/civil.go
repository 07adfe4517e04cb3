package strftime

// Civil holds the parts of a time, as read by one or several patterns. The zero value
// has no parts.
type Civil struct {
	parts  [numParts]int64
	has    uint16 // a bit for each part
	micros int64
	offset int64 // minutes east of UTC
	zoned  bool  // an offset was read
	pm     bool
}

// part is a part of a time that is a number.
type part uint8

const (
	noPart part = iota
	year
	month
	day
	yearDay // day of the year, 1-based
	hour
	hour12
	minute
	second
	epoch // Unix microseconds
	numParts
)

func (c *Civil) set(p part, n int64) {
	if p != noPart {
		c.parts[p] = n
		c.has |= 1 << p
	}
}

// holds reports whether all of the parts were read.
func (c *Civil) holds(parts ...part) bool {
	for _, p := range parts {
		if c.has>>p&1 == 0 {
			return false
		}
	}
	return true
}

// Zoned reports whether the time does not depend on a zone: it has an offset, or
// counts from the epoch.
func (c *Civil) Zoned() bool { return c.zoned || c.Epoch() }

// Epoch reports whether the time counts from 1970.
func (c *Civil) Epoch() bool { return c.holds(epoch) }

// Any reports whether any part was read.
func (c *Civil) Any() bool { return *c != Civil{} }

// Whole reports whether the parts determine a time: a date and an hour, or an epoch.
func (c *Civil) Whole() bool {
	date := c.holds(year) && (c.holds(month, day) || c.parts[yearDay] > 0)
	return c.Epoch() || date && (c.holds(hour) || c.parts[hour12] > 0)
}

// Micros returns the time in Unix microseconds. Without an offset it is the time that
// the clock showed: see Zoned. ok is false if the parts are invalid or not a whole
// time.
func (c *Civil) Micros() (us int64, ok bool) {
	if c.Epoch() {
		return c.parts[epoch] + c.micros%1e6, true
	}
	y, m, d := c.parts[year], c.parts[month], c.parts[day]
	if c.parts[yearDay] > 0 && !c.holds(month) && !c.holds(day) {
		m, d = 1, c.parts[yearDay]
	} else if !c.holds(month, day) || m < 1 || m > 12 || d < 1 || d > DaysIn(y, m) {
		return 0, false
	}
	h := c.parts[hour]
	if !c.holds(hour) {
		if h = c.parts[hour12] % 12; c.pm {
			h += 12
		}
	}
	if !c.holds(year) || c.parts[yearDay] > 366 || h > 24 || c.parts[minute] > 59 || c.parts[second] > 60 {
		return 0, false
	}
	minutes := (Days(y, m, 1)+d-1)*1440 + h*60 + c.parts[minute] - c.offset
	return minutes*60e6 + c.parts[second]*1e6 + c.micros, true
}

// DaysIn returns the number of days in a month, 1 to 12.
func DaysIn(year, month int64) int64 {
	if month == 12 {
		return 31
	}
	return Days(year, month+1, 1) - Days(year, month, 1)
}

// Days returns the number of days from 1970-01-01 to a date of the Gregorian calendar.
// It counts years from March on, so that the leap day comes last.
func Days(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
}
