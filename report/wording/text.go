package wording

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"logscan/parse"
)

// visible makes characters that act or hide visible: control characters,
// bidirectional overrides, zero-width and other invisible ones stand as
// ‹U+202E›, a byte that is no UTF-8 as ‹FF›. Log text then can neither move a
// cursor nor pretend to be what it is not. It does not escape markup.
func Visible(s string) string {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "‹%02X›", s[i])
		case strconv.IsPrint(r):
			b.WriteString(s[i : i+size])
		default:
			fmt.Fprintf(&b, "‹U+%04X›", r)
		}
		i += size
	}
	return b.String()
}

// clip is visible text of s of at most n characters; what is left out shows as
// an ellipsis.
func Clip(s string, n int) string {
	// A character has at most 4 bytes: more of s than that is never shown.
	cut := len(s) > 4*n
	if cut {
		s = s[:4*n]
	}
	s = Visible(s)
	if !cut && utf8.RuneCountInString(s) <= n {
		return s
	}
	end := 0
	for i := 0; i < n-1 && end < len(s); i++ {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return s[:end] + "…"
}

// number writes n with separators.
func Number(n int64) string { return humanize.Comma(n) }

// plural writes n and what is counted: "1 finding", "2 findings". One ends in
// a consonant or e.
func Count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + one + "s"
}

// refusals counts 401s: "one 401", because "1 401" reads as a number.
func Refusals(n int64) string {
	if n == 1 {
		return "one 401"
	}
	return Number(n) + " 401s"
}

// share writes part of whole in percent. It says 0 % and 100 % of nothing and
// of all only.
func Share(part, whole int64) string {
	if whole <= 0 || part <= 0 {
		return "0 %"
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part >= whole:
		return "100 %"
	case p < 0.1:
		return "under 0.1 %"
	case p > 99.9:
		return "over 99.9 %"
	case p < 9.95 || p > 99:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

// byteSize writes n bytes in binary units.
func Bytes(n int64) string {
	if n < 1024 {
		return Count(n, "byte")
	}
	v, unit := float64(n)/1024, 0
	for v >= 1024 && unit < 5 {
		v /= 1024
		unit++
	}
	digits := 1
	if v >= 100 {
		digits = 0
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + [...]string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}[unit]
}

// How times are written: in UTC, which is said beside them.
const (
	DayLayout    = "2006-01-02"
	clockLayout  = "15:04:05"
	MinuteLayout = "15:04"
)

// instant writes a time to the second.
func Time(us int64) string {
	if us == parse.NoTime {
		return "–"
	}
	return time.UnixMicro(us).UTC().Format(DayLayout + " " + clockLayout)
}

// period writes the time from one instant to another.
func Period(from, to int64) string {
	if from == parse.NoTime || to == parse.NoTime {
		return "no times"
	}
	a, b := time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()
	if a.Format(DayLayout) == b.Format(DayLayout) {
		return a.Format(DayLayout) + ", " + a.Format(clockLayout) + " to " + b.Format(clockLayout) + " UTC"
	}
	return Time(from) + " to " + Time(to) + " UTC"
}

// readable writes the times that findings tell, 2006-01-02T15:04:05Z, as people
// read them.
func Readable(s string) string {
	const layout = "2006-01-02T15:04:05Z"
	var b strings.Builder
	for {
		i := strings.IndexByte(s, 'T')
		if i < 0 {
			break
		}
		from, to := i-len(DayLayout), i-len(DayLayout)+len(layout)
		if from >= 0 && to <= len(s) {
			if t, err := time.Parse(layout, s[from:to]); err == nil {
				b.WriteString(s[:from] + t.Format(DayLayout+" "+clockLayout) + " UTC")
				s = s[to:]
				continue
			}
		}
		b.WriteString(s[:i+1])
		s = s[i+1:]
	}
	return b.String() + s
}

// lasting writes a duration in seconds as people say it.
func Duration(s float64) string {
	trim := func(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }
	switch {
	case s < 120:
		return trim(s) + " s"
	case s < 2*3600:
		return trim(s/60) + " min"
	case s < 48*3600:
		return trim(s/3600) + " h"
	}
	return trim(s/86400) + " days"
}

// figure is one of a finding's details, for people.
type Figure struct{ Name, Value string }

// figures gives the details of a finding in the order of their names. Keys say
// their unit: _seconds, timeout_, _share.
func Figures(details map[string]any) []Figure {
	var all []Figure
	for _, key := range SortedKeys(details) {
		all = append(all, Figure{figureName(key, details[key]), figureText(key, details[key])})
	}
	return all
}

// figureName writes a key as people say it: an interval's ends are its _low
// and _high.
func figureName(key string, v any) string {
	low, high := " (at least)", " (at most)"
	if _, ok := v.(string); ok {
		low, high = " (earliest)", " (latest)"
	}
	name := strings.TrimSuffix(key, "_seconds")
	if rest, ok := strings.CutPrefix(name, "bic_"); ok { // the Bayesian information criterion
		name = "BIC_" + rest
	}
	if n, ok := strings.CutSuffix(name, "_low"); ok {
		name = n + low
	} else if n, ok := strings.CutSuffix(name, "_high"); ok {
		name = n + high
	}
	return Clip(strings.ReplaceAll(name, "_", " "), 60)
}

// maxFigure is how many characters of a figure are shown.
const maxFigure = 300

func figureText(key string, v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		return Readable(Clip(v, maxFigure))
	case int:
		return Number(int64(v))
	case int64:
		return Number(v)
	case float64:
		return realText(key, v)
	case []string:
		return Clip(strings.Join(v, ", "), maxFigure)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = figureText(key, x)
		}
		return Clip(strings.Join(parts, ", "), maxFigure)
	}
	return Clip(fmt.Sprint(v), maxFigure)
}

func realText(key string, v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case strings.HasSuffix(key, "_seconds") || strings.HasPrefix(key, "timeout_"):
		if v < 120 {
			return Duration(v)
		}
		return Duration(v) + " (" + humanize.Commaf(v) + " s)"
	case strings.Contains(key, "share"):
		return Share(int64(math.Round(v*1e6)), 1e6)
	case math.Abs(v) < 1e15 && (v == math.Trunc(v) || math.Abs(v) >= 1000):
		return Number(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
