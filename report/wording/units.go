package wording

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"logscan/parse"
)

// Number returns n with separators: "12,345".
func Number(n int64) string { return humanize.Comma(n) }

// Count returns n with the noun that is counted: "1 finding", "2 findings".
func Count(n int64, one string) string { return Plural(n, one, one+"s") }

// Plural is Count for nouns with an irregular plural.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Share returns part of whole in percent. Only nothing is "0%" and only all of it is
// "100%": no other share is rounded to them.
func Share(part, whole int64) string {
	switch {
	case whole <= 0 || part <= 0:
		return "0%"
	case part >= whole:
		return "100%"
	}
	return Percent(float64(part) / float64(whole))
}

// Percent returns a share from 0 to 1 in percent, with one digit after the point
// below 10% and above 99%.
func Percent(share float64) string {
	switch p := 100 * share; {
	case p <= 0:
		return "0%"
	case p >= 100:
		return "100%"
	case p < 0.1:
		return "under 0.1%"
	case p > 99.9:
		return "over 99.9%"
	case p < 9.95 || p > 99:
		return Fixed(p, 1) + "%"
	default:
		return Fixed(p, 0) + "%"
	}
}

// Fixed returns x with at most the given number of digits after the point.
func Fixed(x float64, digits int) string {
	return humanize.Commaf(rounded(x, digits))
}

func rounded(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}

// Bytes returns a size in binary units: "1.5 MiB".
func Bytes(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

// Layouts of times, which are in UTC.
const (
	DayLayout    = "2006-01-02"
	clockLayout  = "15:04:05"
	MinuteLayout = "15:04"
)

// Time returns Unix microseconds as a date and time to the second. The text around
// it must say that it is UTC.
func Time(us int64) string {
	if us == parse.NoTime {
		return "–"
	}
	return time.UnixMicro(us).UTC().Format(DayLayout + " " + clockLayout)
}

// At is Time for sentences: "2006-01-02 15:04:05 UTC".
func At(us int64) string { return Time(us) + " UTC" }

// Period returns the span between two times in Unix microseconds.
func Period(from, to int64) string {
	if from == parse.NoTime || to == parse.NoTime {
		return "no times"
	}
	a, b := time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()
	if a.Format(DayLayout) == b.Format(DayLayout) {
		return a.Format(DayLayout) + ", " + a.Format(clockLayout) + " to " + b.Format(clockLayout) + " UTC"
	}
	return Time(from) + " to " + At(to)
}

// Duration returns seconds in a readable unit: "45 seconds", "30 minutes".
func Duration(s float64) string {
	switch {
	case s < 120:
		return unit(s, "second")
	case s < 2*3600:
		return unit(s/60, "minute")
	case s < 48*3600:
		return unit(s/3600, "hour")
	}
	return unit(s/86400, "day")
}

func unit(x float64, one string) string {
	if x = rounded(x, 1); x != 1 {
		one += "s"
	}
	return humanize.Commaf(x) + " " + one
}

// Between returns an interval of seconds. If both ends read the same, they are
// written in seconds.
func Between(low, high float64) string {
	from, to := Duration(low), Duration(high)
	if from == to {
		from, to = humanize.Commaf(rounded(low, 1))+" seconds", humanize.Commaf(rounded(high, 1))+" seconds"
	}
	return "between " + from + " and " + to
}

// List joins parts for a sentence: "a, b and c".
func List(parts []string) string { return joined(parts, " and ") }

// OneOf joins alternatives: "a, b or c".
func OneOf(parts []string) string { return joined(parts, " or ") }

func joined(parts []string, last string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + last + parts[len(parts)-1]
}

// Real returns a number without a unit, with three significant digits if it is not
// whole.
func Real(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case math.Abs(x) < 1e15 && (x == math.Trunc(x) || math.Abs(x) >= 1000):
		return Number(int64(math.Round(x)))
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// Since returns since when a fault lasts: its onset in Unix microseconds, or the
// start of the log for parse.NoTime.
func Since(onset int64) string {
	if onset == parse.NoTime {
		return "since the start of the log"
	}
	return "since " + At(onset)
}
