package strftime

// Civil is a time as its parts were read, one after the other, perhaps by
// several patterns. The zero value has no parts.
type Civil struct {
	year, month, day       int64
	hour, hour12           int64
	minute, second, micros int64
	yday                   int64 // day of the year, 1-based; 0 not read
	offset                 int64 // minutes east of UTC
	epoch                  int64 // Unix microseconds
	zoned                  bool  // an offset was read
	pm                     int8  // 1 AM, 2 PM
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

// Zoned tells whether the time is the same everywhere: it has an offset, or
// counts from the epoch.
func (c *Civil) Zoned() bool { return c.zoned || c.has&hasEpoch != 0 }

// Epoch tells whether the time is counted since 1970.
func (c *Civil) Epoch() bool { return c.has&hasEpoch != 0 }

// Any tells whether any part was read.
func (c *Civil) Any() bool { return *c != Civil{} }

// Whole tells whether the parts say when: a date and an hour, or an epoch.
func (c *Civil) Whole() bool {
	date := c.has&hasYear != 0 && (c.has&(hasMonth|hasDay) == hasMonth|hasDay || c.yday > 0)
	return c.has&hasEpoch != 0 || date && (c.has&hasHour != 0 || c.hour12 > 0)
}

// Micros puts the parts together, in Unix microseconds; ok is false where they
// are no time, or not a whole one. Without an offset it is what the clock showed:
// see Zoned.
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

// DaysIn counts the days of a month, 1 to 12.
func DaysIn(year, month int64) int64 {
	if month == 12 {
		return 31
	}
	return Days(year, month+1, 1) - Days(year, month, 1)
}

// Days counts the days from 1970-01-01 to a date of the Gregorian calendar, by
// counting years from March on so that the leap day comes last.
func Days(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
}
