package strftime

// Civil holds the parts of a time, as read by one or several patterns. The zero value
// has no parts.
type Civil struct {
	year, month, day       int64
	hour, hour12           int64
	minute, second, micros int64
	yday                   int64 // day of the year, 1-based; 0: not read
	offset                 int64 // minutes east of UTC
	epoch                  int64 // Unix microseconds
	zoned                  bool  // an offset was read
	pm                     int8  // 1: AM, 2: PM
	has                    uint8
}

const (
	hasYear = 1 << iota
	hasMonth
	hasDay
	hasHour
	hasEpoch
)

func (c *Civil) setYear(n int64)  { c.year, c.has = n, c.has|hasYear }
func (c *Civil) setMonth(n int64) { c.month, c.has = n, c.has|hasMonth }
func (c *Civil) setDay(n int64)   { c.day, c.has = n, c.has|hasDay }
func (c *Civil) setHour(n int64)  { c.hour, c.has = n, c.has|hasHour }

// Zoned reports whether the time does not depend on a zone: it has an offset, or
// counts from the epoch.
func (c *Civil) Zoned() bool { return c.zoned || c.has&hasEpoch != 0 }

// Epoch reports whether the time counts from 1970.
func (c *Civil) Epoch() bool { return c.has&hasEpoch != 0 }

// Any reports whether any part was read.
func (c *Civil) Any() bool { return *c != Civil{} }

// Whole reports whether the parts determine a time: a date and an hour, or an epoch.
func (c *Civil) Whole() bool {
	date := c.has&hasYear != 0 && (c.has&(hasMonth|hasDay) == hasMonth|hasDay || c.yday > 0)
	return c.has&hasEpoch != 0 || date && (c.has&hasHour != 0 || c.hour12 > 0)
}

// Micros returns the time in Unix microseconds. Without an offset it is the time that
// the clock showed: see Zoned. ok is false if the parts are invalid or not a whole
// time.
func (c *Civil) Micros() (us int64, ok bool) {
	if c.has&hasEpoch != 0 {
		return c.epoch + c.micros%1e6, true
	}
	month, day := c.month, c.day
	if c.yday > 0 && c.has&(hasMonth|hasDay) == 0 {
		month, day = 1, c.yday
	} else if c.has&(hasMonth|hasDay) != hasMonth|hasDay || month < 1 || month > 12 || day < 1 || day > DaysIn(c.year, month) {
		return 0, false
	}
	hour := c.hour
	if c.has&hasHour == 0 {
		if hour = c.hour12 % 12; c.pm == 2 {
			hour += 12
		}
	}
	if c.has&hasYear == 0 || c.yday > 366 || hour > 24 || c.minute > 59 || c.second > 60 {
		return 0, false
	}
	minutes := Days(c.year, month, 1)*1440 + (day-1)*1440 + hour*60 + c.minute - c.offset
	return minutes*60e6 + c.second*1e6 + c.micros, true
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
