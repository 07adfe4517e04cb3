package detect

import (
	"fmt"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"logscan/analyze/result"
)

// clock writes a time, Unix microseconds, as findings tell it.
func Clock(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05Z") }

// say is fmt.Sprintf for sentences: whole numbers get separators.
func Say(format string, args ...any) string {
	for i, a := range args {
		switch n := a.(type) {
		case int:
			args[i] = grouped(n)
		case int64:
			args[i] = grouped(n)
		}
	}
	return fmt.Sprintf(format, args...)
}

// grouped is a number that is written with separators.
type grouped int64

// Format implements fmt.Formatter.
func (n grouped) Format(s fmt.State, _ rune) { fmt.Fprint(s, humanize.Comma(int64(n))) }

func count(n int, what string) string { return plural(n, what, what+"s") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Say("%d %s", n, many)
}

// percent writes a share with as many digits as it carries.
func percent(share float64) string {
	switch p := 100 * share; {
	case p == 0 || p >= 9.95:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	case p >= 0.1:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
	return "under 0.1 %"
}

// seconds writes a duration in seconds as people say it.
func seconds(s float64) string {
	switch {
	case s < 120:
		return strconv.FormatFloat(s, 'f', -1, 64) + " s"
	case s < 2*3600:
		return fmt.Sprintf("%s min", strconv.FormatFloat(round(s/60, 1), 'f', -1, 64))
	case s < 48*3600:
		return fmt.Sprintf("%s h", strconv.FormatFloat(round(s/3600, 2), 'f', -1, 64))
	}
	return fmt.Sprintf("%s days", strconv.FormatFloat(round(s/86400, 1), 'f', -1, 64))
}

// clean makes the texts of a finding fit to leave, until every kind has details of
// a type of its own.
func clean(f *result.Finding) {
	f.Clean()
	f.Title, f.Explanation = result.Clean(f.Title), result.Clean(f.Explanation)
	if m, ok := f.Details.(map[string]any); ok {
		for k, v := range m {
			m[k] = cleanFigure(v)
		}
	}
}

func cleanFigure(v any) any {
	switch v := v.(type) {
	case string:
		return result.Clean(v)
	case []string:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = cleanFigure(x)
		}
		return list
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = cleanFigure(x)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[result.Clean(k)] = cleanFigure(x)
		}
		return m
	}
	return v
}
