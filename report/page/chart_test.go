package page

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/report/reporttest"
)

// minutes returns a timeline of one host: requests and 401s by minute since midnight.
func minutes(counts map[int64][2]int64) []result.Minute {
	var all []result.Minute
	for from := int64(-40_000_000); len(all) < len(counts); {
		next, found := int64(0), false
		for m := range counts {
			if m > from && (!found || m < next) {
				next, found = m, true
			}
		}
		m := result.Minute{Time: reporttest.At(0, 0, 0) + next*minute, Causes: make([]int64, len(detect.CauseNames()))}
		m.Requests, m.Unauthorized = counts[next][0], counts[next][1]
		m.Causes[reporttest.CauseIndex("challenge")] = m.Unauthorized
		all = append(all, m)
		from = next
	}
	return all
}

// steady sets the same counts for a range of minutes.
func steady(counts map[int64][2]int64, from, to, requests, unauthorized int64) map[int64][2]int64 {
	for m := from; m <= to; m++ {
		counts[m] = [2]int64{requests, unauthorized}
	}
	return counts
}

func TestWindow(t *testing.T) {
	const years = 365 * 1440
	for _, c := range []struct {
		name     string
		counts   map[int64][2]int64
		from, to int64 // minutes; both 0 for none
	}{
		{"nothing", map[int64][2]int64{}, 0, 0},
		{"no 401s", map[int64][2]int64{5: {10, 0}}, 0, 0},
		{"one minute", map[int64][2]int64{5: {10, 1}}, 5, 5},
		{"a day", steady(map[int64][2]int64{}, 1, 1440, 10, 1), 1, 1440},
		{"a quiet day, 401s in the evening", steady(steady(map[int64][2]int64{}, 1, 1440, 10, 0), 1200, 1300, 10, 5), 1, 1440},
		{"absurd dates on both sides", steady(map[int64][2]int64{-30 * years: {1, 1}, 60 * years: {1, 1}}, 1, 1440, 10, 1), 1, 1440},
		{"two days a month apart", steady(steady(map[int64][2]int64{}, 1, 1440, 10, 1), 43_200, 44_640, 10, 1), 1, 44_640},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, to, ok := window(minutes(c.counts))
			if ok != (c.from != 0) {
				t.Fatalf("there is a window: %v", ok)
			}
			if from, to := (from-reporttest.At(0, 0, 0))/minute, (to-reporttest.At(0, 0, 0))/minute; ok && (from != c.from || to != c.to) {
				t.Errorf("from minute %d to %d, want %d to %d", from, to, c.from, c.to)
			}
		})
	}
}

func TestBucketStep(t *testing.T) {
	for _, c := range []struct {
		span int64 // minutes
		want int64
	}{{0, 1}, {239, 1}, {240, 2}, {479, 2}, {1439, 10}, {7 * 1440, 60}, {365 * 1440, 2 * 1440}, {100 * 365 * 1440, 364 * 1440}} {
		from := reporttest.At(0, 0, 0)
		if got := bucketStep(from, from+c.span*minute) / minute; got != c.want {
			t.Errorf("%d minutes: %d-minute bars, want %d", c.span, got, c.want)
		}
	}
	// There are never too many bars.
	for span := int64(1); span < 1<<50; span = span*3 + 1 {
		from := -span / 3
		step := bucketStep(from, from+span)
		if n := (floorTo(from+span, step)-floorTo(from, step))/step + 1; n > maxBuckets+1 {
			t.Errorf("%d µs: %d bars", span, n)
		}
	}
}

func TestNiceStep(t *testing.T) {
	for _, c := range []struct{ most, want int64 }{{1, 1}, {4, 1}, {5, 2}, {8, 2}, {9, 5}, {20, 5}, {21, 10}, {177, 50}, {1 << 62, 2_000_000_000_000_000_000}} {
		if got := niceStep(c.most, 4); got != c.want {
			t.Errorf("%d: step %d, want %d", c.most, got, c.want)
		}
	}
}

// TestChartShowsEvery401 adds up the 401s drawn.
func TestChartShowsEvery401(t *testing.T) {
	res := reporttest.Result()
	c := drawChart(res, newBins(res.Timeline))
	count := func(s string) int64 {
		n, err := strconv.ParseInt(strings.ReplaceAll(s, ",", ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	total := int64(0)
	for _, row := range c.Rows {
		sum := int64(0)
		for _, n := range row.Counts {
			sum += count(n)
		}
		if sum != count(row.Total) {
			t.Errorf("%s: the groups add up to %d of %s", row.From, sum, row.Total)
		}
		total += sum
	}
	if want := res.Totals.Unauthorized - int64(len(reporttest.Hostile)); total != want {
		t.Errorf("%d 401s are shown, want %d", total, want)
	}
	if want := "Not shown: 13 401s outside this time span, the first at 2099-01-01 00:00:00 UTC."; c.Outside != want {
		t.Errorf("got %q, want %q", c.Outside, want)
	}
	if want := "401s per 10 minutes from 2026-03-09 00:00:00 to 2026-03-10 00:00:00 UTC. Peak: 177 at 2026-03-09 14:10."; c.Summary != want {
		t.Errorf("got %q, want %q", c.Summary, want)
	}
	if len(c.Onsets) != 2 || c.Onsets[0].Number != "3" || c.Onsets[1].Number != "1" {
		t.Errorf("onsets are %v, want those of findings 3 and 1", c.Onsets)
	}
	if len(c.Areas) != len(c.Groups) || len(c.Hovers) != len(c.Rows) {
		t.Errorf("%d areas of %d groups, %d hovers of %d bars", len(c.Areas), len(c.Groups), len(c.Hovers), len(c.Rows))
	}
}

func TestFlagsDoNotTouch(t *testing.T) {
	for minute, line := range map[int]string{0: "56", 720: "502", 1439: "947.38"} {
		res := reporttest.Empty()
		res.Timeline = minutes(steady(map[int64][2]int64{}, 0, 1439, 1, 1))
		for range 2 * maxOnsets {
			res.Findings = append(res.Findings, result.Finding{Onset: reporttest.At(0, minute, 0)})
		}
		c := drawChart(res, newBins(res.Timeline))
		if len(c.Onsets) != maxOnsets {
			t.Fatalf("%d flags, want %d", len(c.Onsets), maxOnsets)
		}
		last := 0.0
		for _, o := range c.Onsets {
			x, err := strconv.ParseFloat(o.Flag, 64)
			if err != nil || x-last < flagWidth || x > plotRight || o.At != line {
				t.Errorf("flag %s at %s (%v) of a line at %s, the one before at %v", o.Number, o.Flag, err, o.At, last)
			}
			last = x
		}
	}
}

func TestChartOfOddTimelines(t *testing.T) {
	centuries := minutes(map[int64][2]int64{0: {1, 1}, 1: {1, 1}})
	centuries[0].Time, centuries[1].Time = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	uncounted := minutes(map[int64][2]int64{3: {9, 9}})
	uncounted[0].Causes = nil
	huge := minutes(map[int64][2]int64{3: {1 << 62, 1 << 62}})
	for name, c := range map[string]struct {
		timeline []result.Minute
		bars     int
		outside  string
	}{
		"a lone minute":                  {minutes(map[int64][2]int64{0: {1, 1}}), 1, ""},
		"the years 1 and 9999":           {centuries, 2, ""},
		"no causes":                      {uncounted, 1, ""},
		"as many as can be counted":      {huge, 1, ""},
		"the same minute of three hosts": {append(append(minutes(map[int64][2]int64{0: {1, 1}}), minutes(map[int64][2]int64{0: {1, 1}})...), minutes(map[int64][2]int64{0: {1, 1}})...), 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			res := reporttest.Empty()
			res.Timeline = c.timeline
			for i := range c.timeline {
				res.Totals.Unauthorized += c.timeline[i].Unauthorized
			}
			chart := drawChart(res, newBins(res.Timeline))
			if chart == nil || len(chart.Rows) != c.bars || chart.Outside != c.outside {
				t.Fatalf("got %+v, want %d bars", chart, c.bars)
			}
			if len(chart.XTicks) == 0 || len(chart.XTicks) > 12 || len(chart.YTicks) < 2 || len(chart.YTicks) > 8 {
				t.Errorf("%d labels of times, %d of counts", len(chart.XTicks), len(chart.YTicks))
			}
			for _, a := range chart.Areas {
				if strings.ContainsAny(a.Path, "NIe") {
					t.Errorf("path %s has an invalid coordinate", a.Path)
				}
			}
		})
	}
	res := reporttest.Empty()
	res.Timeline = minutes(map[int64][2]int64{0: {1, 1}})
	res.Totals.Unauthorized = 3
	if c := drawChart(res, newBins(res.Timeline)); c.Outside != "Not shown: 2 401s without a time." {
		t.Errorf("got %q", c.Outside)
	}
}
