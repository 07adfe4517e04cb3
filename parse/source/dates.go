package source

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"logscan/parse/source/object"
)

// Archives have directories by date: dt=2026-03-09, year=2026/month=03/day=09, or
// 2026/03/09. Those outside of a time range are not looked into. Only directories that are
// found count: what an argument names itself is read.

// Dates are the time range of a run, as far as it is known before a line is read.
type Dates struct {
	Since, Until time.Time     // zero for no bound
	Back         time.Duration // Since is this long before the newest line; 0 if it is not
}

// SkippedDates are directories that were not looked into because of their dates.
type SkippedDates struct {
	Directories int
	First, Last string // in order of their dates
}

// dateMargin is how far the times of lines may lie outside of the date of their directory: the
// date may be one of another time zone (14 hours at most), and lines may come late.
const dateMargin = 24 * time.Hour

// listedAtOnce is the number of directories by date whose files are listed at the same time.
const listedAtOnce = 8

// days is what the names of directories say of dates. The zero value is nothing.
type days struct {
	year  int
	month time.Month // 0 if only the year is known
	day   int        // 0 if only the month is known
	plain bool       // without names: 2026/03/09
}

// complete reports whether a day is known.
func (d days) complete() bool { return d.day > 0 }

// span returns the days as a range of times. Of plain numbers only a complete date is one:
// others may mean anything.
func (d days) span() (from, to time.Time, ok bool) {
	date := func(month time.Month, day int) time.Time { return time.Date(d.year, month, day, 0, 0, 0, 0, time.UTC) }
	switch {
	case d.year == 0 || d.plain && !d.complete():
		return from, to, false
	case d.month == 0:
		from = date(time.January, 1)
		return from, from.AddDate(1, 0, 0), true
	case d.day == 0:
		from = date(d.month, 1)
		return from, from.AddDate(0, 1, 0), true
	}
	from = date(d.month, d.day)
	return from, from.AddDate(0, 0, 1), true
}

// daysOf returns what the names of the directories in a path say.
func daysOf(path string) (d days) {
	for name := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if d.complete() {
			break // a later one is a part of the day, or means something else
		}
		d = d.enter(name)
	}
	return d
}

// enter returns what is known in a directory with a name.
func (d days) enter(name string) days {
	key, value, named := strings.Cut(name, "=")
	if !named {
		return d.enterNumber(name)
	}
	switch strings.ToLower(key) {
	case "dt", "date", "ds", "day":
		if date, ok := dateIn(value); ok {
			return date
		}
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return d
	}
	switch strings.ToLower(key) {
	case "year", "y":
		if n >= minYear && n <= maxYear {
			return days{year: n}
		}
	case "month", "m":
		if d.year > 0 && !d.plain && n >= 1 && n <= 12 {
			return days{year: d.year, month: time.Month(n)}
		}
	case "day", "d":
		if d.month > 0 && !d.plain {
			return d.withDay(n)
		}
	}
	return d
}

// Years of logs: other numbers mean something else.
const (
	minYear = 1990
	maxYear = 2199
)

// enterNumber is enter for a name that has no "=". A number is a date only after the numbers
// of its year and month.
func (d days) enterNumber(name string) days {
	if d.year > 0 && !d.plain {
		return d // year=2026/web/month=03
	}
	n, err := strconv.Atoi(name)
	switch {
	case err != nil || name[0] == '+' || name[0] == '-':
	case len(name) == 4 && n >= minYear && n <= maxYear:
		return days{year: n, plain: true}
	case len(name) == 2 && d.year > 0 && d.month == 0 && n >= 1 && n <= 12:
		return days{year: d.year, month: time.Month(n), plain: true}
	case len(name) == 2 && d.month > 0:
		return d.withDay(n)
	}
	return days{}
}

// withDay returns the date with a day of its month, or nothing if there is no such day.
func (d days) withDay(n int) days {
	if n < 1 || time.Date(d.year, d.month, n, 0, 0, 0, 0, time.UTC).Month() != d.month {
		return days{}
	}
	d.day = n
	return d
}

// dateIn returns the date that a value is or begins with, before an hour.
func dateIn(value string) (days, bool) {
	for _, layout := range []string{time.DateOnly, "20060102", "2006-01-02-15", "2006-01-02T15", "2006010215"} {
		if t, err := time.Parse(layout, value); err == nil && t.Year() >= minYear && t.Year() <= maxYear {
			return days{year: t.Year(), month: t.Month(), day: t.Day()}, true
		}
	}
	return days{}, false
}

// dated is a directory with a date, or files in it, that is not yet listed.
type dated struct {
	dir      string
	from, to time.Time
	list     func(*expansion) error
}

// calendar selects directories by their dates.
type calendar struct {
	Dates
	waiting []dated
	skipped []dated
}

// outside reports whether all lines of some days are outside of the time range.
func (c *calendar) outside(from, to time.Time) bool {
	return !c.Since.IsZero() && !to.Add(dateMargin).After(c.Since) ||
		!c.Until.IsZero() && c.Back == 0 && !from.Add(-dateMargin).Before(c.Until) // the newest line may be later than Until
}

// enter reports whether a directory that was found below a root is to be looked into now. One
// with a complete date waits until all are known, and is then listed by list.
func (c *calendar) enter(root, dir string, list func(*expansion) error) bool {
	if daysOf(root).complete() {
		return true
	}
	d := daysOf(dir)
	from, to, ok := d.span()
	switch {
	case !ok:
		return true
	case d.complete():
		c.waiting = append(c.waiting, dated{dir, from, to, list})
		return false
	case c.outside(from, to):
		c.skipped = append(c.skipped, dated{dir: dir, from: from, to: to})
		return false
	}
	return true
}

// resolve lists the directories that wait, but for those outside of the time range. With
// Back, it returns the time that the newest line must at least have for none to be missed:
// if the newest directory that is not empty has its lines there.
func (c *calendar) resolve(e *expansion) (newest time.Time, err error) {
	slices.SortStableFunc(c.waiting, func(a, b dated) int { return b.from.Compare(a.from) })
	for c.Back > 0 && len(c.waiting) > 0 && newest.IsZero() {
		n := 1
		for n < len(c.waiting) && c.waiting[n].from.Equal(c.waiting[0].from) {
			n++
		}
		before := len(e.found)
		if err := e.listDated(c.waiting[:n]); err != nil {
			return newest, err
		}
		if slices.ContainsFunc(e.found[before:], func(c candidate) bool { return c.size != 0 }) {
			newest = c.waiting[0].from.Add(-dateMargin)
			c.Since = newest.Add(-c.Back)
		}
		c.waiting = c.waiting[n:]
	}
	var kept []dated
	for _, d := range c.waiting {
		if c.outside(d.from, d.to) {
			c.skipped = append(c.skipped, d)
		} else {
			kept = append(kept, d)
		}
	}
	c.waiting = nil
	return newest, e.listDated(kept)
}

// listDated adds what some directories hold.
func (e *expansion) listDated(list []dated) error {
	parts := make([]expansion, len(list))
	var g errgroup.Group
	g.SetLimit(listedAtOnce)
	for i := range list {
		g.Go(func() error { return list[i].list(&parts[i]) })
	}
	err := g.Wait()
	for i := range parts {
		e.found, e.notes = append(e.found, parts[i].found...), append(e.notes, parts[i].notes...)
	}
	return err
}

// summary returns the directories that were left out, and a note for all of them.
func (c *calendar) summary() (s SkippedDates, notes []Note) {
	if len(c.skipped) == 0 {
		return s, nil
	}
	slices.SortFunc(c.skipped, func(a, b dated) int {
		if n := a.from.Compare(b.from); n != 0 {
			return n
		}
		return strings.Compare(a.dir, b.dir)
	})
	c.skipped = slices.CompactFunc(c.skipped, func(a, b dated) bool { return a.dir == b.dir }) // files of one directory
	s = SkippedDates{len(c.skipped), object.Label(c.skipped[0].dir), object.Label(c.skipped[len(c.skipped)-1].dir)}
	text := "skipped (date): outside of --since and --until by more than a day"
	if s.Directories > 1 {
		text = fmt.Sprintf("skipped (date): %d directories from here to %s, outside of --since and --until by more than a day", s.Directories, s.Last)
	}
	return s, []Note{{Path: s.First, Text: text}}
}
