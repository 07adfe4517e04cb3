package page

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"logscan/analyze/result"
	"logscan/report/wording"
)

// chart is the chart of 401s over time. Coordinates are those of its view box.
type chart struct {
	Width, Height            int
	Left, Right, Top, Bottom int // edges of the plot area
	Tall                     int // height of the plot area
	Areas                    []area
	Hovers                   []hover
	XTicks, YTicks           []tick
	Onsets                   []onset
	Events                   []chartEvent
	Summary                  string // the chart in words
	From, To                 int64  // time drawn, in Unix microseconds
	Outside                  string // says which 401s are not shown, or is empty
	Groups                   []wording.Group
	Rows                     []chartRow // the chart as a table
	Axis                     string     // what a bar is
}

// area is all bars of a group as one path.
type area struct {
	Group wording.Group
	Path  string
}

// hover is the place of a bar and its tooltip.
type hover struct{ X, Width, Text string }

type tick struct {
	At    string
	Label string
}

// chartEvent is the legend of an event's mark.
type chartEvent struct {
	Letter string
	At     moment
	Text   string
}

// onset marks the onset of a finding or an event: a line at its time, and a flag with its number,
// which is moved aside if it would touch its neighbours.
type onset struct{ At, Flag, Number string }

// chartRow is a step with 401s.
type chartRow struct {
	From, Total string
	Counts      []string
}

const (
	maxOnsets = 9  // findings whose onset is marked
	maxEvents = 26 // letters

	chartWidth, chartHeight = 960, 270
	plotLeft, plotRight     = 56, 948
	plotTop, plotBottom     = 26, 232
	flagWidth               = 20
	minLabelGap             = 84 // between labels of the time axis
)

// drawChart returns the chart of a result, nil if there is nothing to draw.
func drawChart(res *result.Result, b *bins) *chart {
	if b == nil {
		return nil
	}
	noun := wording.NounOf(res.Statuses)
	c := &chart{Width: chartWidth, Height: chartHeight, Left: plotLeft, Right: plotRight, Top: plotTop, Bottom: plotBottom, Tall: plotBottom - plotTop,
		From: b.from, To: b.to + minute}
	c.Axis = noun.Title() + " per " + stepText(b.step)
	top := c.valueAxis(slices.Max(b.refused))
	x := func(t int64) float64 {
		return plotLeft + float64(t-b.first)/float64(b.end()-b.first)*(plotRight-plotLeft)
	}
	c.bars(b, top, x, noun)
	c.timeAxis(b.first, b.end(), b.step, x)
	c.onsets(res, b.first, b.end(), x)
	c.summarise(b)
	if timeless := res.Totals.Unauthorized - b.inside - b.outside; b.outside > 0 || timeless > 0 {
		c.Outside = leftOut(res, b.outside, timeless, b.from, b.to)
	}
	return c
}

// stepText returns the length of a step in microseconds, for "401s per ...".
func stepText(step int64) string {
	switch m := step / minute; {
	case m == 1:
		return "minute"
	case m < 60:
		return wording.Number(m) + " minutes"
	case m == 60:
		return "hour"
	case m < 1440:
		return wording.Number(m/60) + " hours"
	case m == 1440:
		return "day"
	default:
		return wording.Number(m/1440) + " days"
	}
}

// valueAxis adds the ticks of the axis of counts and returns its upper end.
func (c *chart) valueAxis(most int64) int64 {
	const wanted = 4
	step := niceStep(most, wanted)
	top := (most + step - 1) / step * step
	for v := int64(0); v <= top; v += step {
		c.YTicks = append(c.YTicks, tick{coordinate(height(v, top)), wording.Number(v)})
	}
	return top
}

// niceStep returns the smallest of 1, 2, 5, 10, 20 … of which wanted steps reach most.
func niceStep(most, wanted int64) int64 {
	least := (most-1)/wanted + 1
	for power := int64(1); ; power *= 10 {
		for _, f := range []int64{1, 2, 5} {
			if f*power >= least {
				return f * power
			}
		}
	}
}

func height(v, top int64) float64 {
	return plotBottom - float64(v)/float64(top)*(plotBottom-plotTop)
}

// bars draws the steps, one path per group.
func (c *chart) bars(b *bins, top int64, x func(int64) float64, noun wording.Noun) {
	shown := []int{}
	for g := range wording.Groups {
		if b.used[g] {
			shown = append(shown, g)
			c.Groups = append(c.Groups, wording.Groups[g])
		}
	}
	paths := make([]strings.Builder, wording.NumGroups)
	for i, total := range b.refused {
		if total == 0 {
			continue
		}
		at := b.first + int64(i)*b.step
		left, right := x(at), x(at+b.step)
		width := right - left
		gap := min(1, width*0.15)
		base := int64(0)
		row := chartRow{From: bucketName(at, b.step), Total: wording.Number(total)}
		var parts []string
		for _, g := range shown {
			n := b.groups[i][g]
			row.Counts = append(row.Counts, wording.Number(n))
			if n == 0 {
				continue
			}
			low, high := height(base, top), height(base+n, top)
			base += n
			w := coordinate(width - gap)
			paths[g].WriteString("M" + coordinate(left) + " " + coordinate(high) + "h" + w + "v" + coordinate(low-high) + "h-" + w + "z")
			parts = append(parts, wording.Groups[g].Label+" "+wording.Number(n))
		}
		c.Rows = append(c.Rows, row)
		c.Hovers = append(c.Hovers, hover{coordinate(left), coordinate(width),
			row.From + " UTC: " + noun.Count(total) + " – " + strings.Join(parts, ", ")})
	}
	for _, g := range shown {
		c.Areas = append(c.Areas, area{wording.Groups[g], paths[g].String()})
	}
}

// timeAxis adds labels of the axis of time.
func (c *chart) timeAxis(from, to, step int64, x func(int64) float64) {
	for _, l := range timeLabels(from, to, step, minLabelGap, x) {
		c.XTicks = append(c.XTicks, tick{coordinate(x(l.at)), l.text})
	}
}

// timeLabel is a label of an axis of time.
type timeLabel struct {
	at   int64
	text string
}

// timeLabels returns labels that are a gap apart, at multiples of a step. The first label
// of a day includes the day.
func timeLabels(from, to, step int64, gap float64, x func(int64) float64) (labels []timeLabel) {
	every := step
	for _, s := range steps {
		every = max(step, s*minute)
		if x(from+every)-x(from) >= gap {
			break
		}
	}
	for x(from+every)-x(from) < gap {
		every *= 2
	}
	day := ""
	for t := floorTo(from+every-1, every); t < to; t += every {
		at := time.UnixMicro(t).UTC()
		label := at.Format(wording.MinuteLayout)
		if d := at.Format(wording.DayLayout); d != day {
			day = d
			if label == "00:00" || every >= 1440*minute {
				label = d
			} else {
				label = at.Format("01-02 " + wording.MinuteLayout)
			}
		}
		labels = append(labels, timeLabel{t, label})
	}
	return labels
}

// mark is a time to mark: the onset of a finding by its number, an event by its letter.
type mark struct {
	at          int64
	label, text string
}

// marksOf returns the marks in [from, to), in order of time.
func marksOf(res *result.Result, titles func(int) string, from, to int64) (marks []mark) {
	for i := range res.Findings[:min(len(res.Findings), maxOnsets)] {
		if at := res.Findings[i].Onset; at >= from && at < to {
			marks = append(marks, mark{at, strconv.Itoa(i + 1), titles(i)})
		}
	}
	for i := range res.Events[:min(len(res.Events), maxEvents)] {
		if e := &res.Events[i]; e.Time >= from && e.Time < to {
			marks = append(marks, mark{e.Time, string(rune('A' + i)), wording.Clip(e.Text, wording.MaxName)})
		}
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
	return marks
}

// onsets marks the onsets of findings and the events.
func (c *chart) onsets(res *result.Result, from, to int64, x func(int64) float64) {
	marks := marksOf(res, func(int) string { return "" }, from, to)
	for _, m := range marks {
		if m.text != "" {
			c.Events = append(c.Events, chartEvent{m.label, newMoment(m.at), m.text})
		}
	}
	// Move each flag right of the one before, then back left of the edge.
	flags := make([]float64, len(marks))
	free := 0.0
	for i, m := range marks {
		flags[i] = max(x(m.at), free)
		free = flags[i] + flagWidth
	}
	free = plotRight
	for i := len(flags) - 1; i >= 0; i-- {
		flags[i] = min(flags[i], free)
		free = flags[i] - flagWidth
	}
	for i, m := range marks {
		c.Onsets = append(c.Onsets, onset{coordinate(x(m.at)), coordinate(flags[i]), m.label})
	}
}

// summarise describes the chart in words.
func (c *chart) summarise(b *bins) {
	peak := 0
	for i := range b.refused {
		if b.refused[i] > b.refused[peak] {
			peak = i
		}
	}
	c.Summary = c.Axis + " from " + wording.Time(b.from) + " to " + wording.Time(b.to+minute) + " UTC. Peak: " + wording.Number(b.refused[peak]) + " at " +
		bucketName(b.first+int64(peak)*b.step, b.step) + "."
}

// leftOut says which 401s the chart does not show.
func leftOut(res *result.Result, outside, timeless, from, to int64) string {
	noun := wording.NounOf(res.Statuses)
	var parts []string
	if outside > 0 {
		at := ""
		for i := range res.Timeline {
			if m := &res.Timeline[i]; m.Unauthorized > 0 && (m.Time < from || m.Time > to) {
				at = wording.At(m.Time)
				break
			}
		}
		parts = append(parts, noun.Count(outside)+" outside this time span, the first at "+at)
	}
	if timeless > 0 {
		parts = append(parts, noun.Count(timeless)+" without a time")
	}
	return "Not shown: " + wording.List(parts) + "."
}

// bucketName returns the start of a step.
func bucketName(at, step int64) string {
	t := time.UnixMicro(at).UTC()
	if step >= 1440*minute {
		return t.Format(wording.DayLayout)
	}
	return t.Format(wording.DayLayout + " " + wording.MinuteLayout)
}

// coordinate formats a coordinate with at most two digits after the point.
func coordinate(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}
