package report

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

// chart is the 401s over time, ready to be drawn: coordinates are in the
// viewBox of the drawing.
type chart struct {
	Width, Height            int
	Left, Right, Top, Bottom int // edges of the plot
	Tall                     int // height of the plot
	Areas                    []area
	Hovers                   []hover
	XTicks, YTicks           []tick
	Onsets                   []onset
	Summary                  string // the chart in a sentence
	From, To                 int64  // what is drawn, Unix microseconds
	Outside                  string // what is not in it, or empty
	Groups                   []wording.Group
	Rows                     []chartRow // the same as a table
	Axis                     string     // what a bar stands for
}

// area is all bars of a group, as one path.
type area struct {
	Group wording.Group
	Path  string
}

// hover is a bar's place and what is told of it.
type hover struct{ X, Width, Text string }

type tick struct {
	At    string
	Label string
}

// onset marks when a finding began: a line at its time, and a flag with its
// number, which makes room for its neighbours.
type onset struct{ At, Flag, Number string }

// chartRow is a bucket that holds 401s.
type chartRow struct {
	From, Total string
	Counts      []string
}

const (
	maxOnsets = 9 // findings whose begin is marked

	chartWidth, chartHeight = 960, 270
	plotLeft, plotRight     = 56, 948
	plotTop, plotBottom     = 26, 232
	flagWidth               = 20
	minLabelGap             = 84 // between labels of the time axis
)

// drawChart makes the chart of a result; nil when there is nothing to draw.
func drawChart(res *result.Result, b *bins) *chart {
	if b == nil {
		return nil
	}
	c := &chart{Width: chartWidth, Height: chartHeight, Left: plotLeft, Right: plotRight, Top: plotTop, Bottom: plotBottom, Tall: plotBottom - plotTop,
		From: b.from, To: b.to + minute}
	c.Axis = "401s per " + stepText(b.step)
	top := c.valueAxis(slices.Max(b.refused))
	x := func(t int64) float64 {
		return plotLeft + float64(t-b.first)/float64(b.end()-b.first)*(plotRight-plotLeft)
	}
	c.bars(b, top, x)
	c.timeAxis(b.first, b.end(), b.step, x)
	c.onsets(res.Findings, b.first, b.end(), x)
	c.tell(b)
	if timeless := res.Totals.Unauthorized - b.inside - b.outside; b.outside > 0 || timeless > 0 {
		c.Outside = leftOut(b.outside, timeless, res.Timeline, b.from, b.to)
	}
	return c
}

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

// valueAxis makes the ticks of the axis of counts and gives its upper end.
func (c *chart) valueAxis(most int64) int64 {
	const wanted = 4
	step := niceStep(most, wanted)
	top := (most + step - 1) / step * step
	for v := int64(0); v <= top; v += step {
		c.YTicks = append(c.YTicks, tick{coordinate(height(v, top)), wording.Number(v)})
	}
	return top
}

// niceStep is the least 1, 2 or 5 with zeros of which wanted reach most.
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

// bars draws the buckets, one path a group.
func (c *chart) bars(b *bins, top int64, x func(int64) float64) {
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
		var told []string
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
			told = append(told, wording.Groups[g].Label+" "+wording.Number(n))
		}
		c.Rows = append(c.Rows, row)
		c.Hovers = append(c.Hovers, hover{coordinate(left), coordinate(width),
			row.From + " UTC: " + wording.Refusals(total) + " – " + strings.Join(told, ", ")})
	}
	for _, g := range shown {
		c.Areas = append(c.Areas, area{wording.Groups[g], paths[g].String()})
	}
}

// timeAxis puts labels where they do not touch: at multiples of a step, with
// the day where it begins and at the first.
func (c *chart) timeAxis(from, to, step int64, x func(int64) float64) {
	every := step
	for _, s := range steps {
		every = max(step, s*minute)
		if x(from+every)-x(from) >= minLabelGap {
			break
		}
	}
	for x(from+every)-x(from) < minLabelGap {
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
		c.XTicks = append(c.XTicks, tick{coordinate(x(t)), label})
	}
}

// onsets marks when findings began, by their number in the list.
func (c *chart) onsets(findings []result.Finding, from, to int64, x func(int64) float64) {
	type mark struct {
		at     int64
		number int
	}
	var marks []mark
	for i := range findings[:min(len(findings), maxOnsets)] {
		if at := findings[i].Onset; at >= from && at < to {
			marks = append(marks, mark{at, i + 1})
		}
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
	// To the right of the one before, and then to the left of the edge.
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
		c.Onsets = append(c.Onsets, onset{coordinate(x(m.at)), coordinate(flags[i]), strconv.Itoa(m.number)})
	}
}

// tell says the chart in a sentence.
func (c *chart) tell(b *bins) {
	peak := 0
	for i := range b.refused {
		if b.refused[i] > b.refused[peak] {
			peak = i
		}
	}
	c.Summary = c.Axis + " from " + wording.Time(b.from) + " to " + wording.Time(b.to+minute) + " UTC; most, " + wording.Number(b.refused[peak]) + ", at " +
		bucketName(b.first+int64(peak)*b.step, b.step) + "."
}

// leftOut says which 401s are not in the drawing.
func leftOut(outside, timeless int64, timeline []result.Minute, from, to int64) string {
	var parts []string
	if outside > 0 {
		at := ""
		for i := range timeline {
			if m := &timeline[i]; m.Unauthorized > 0 && (m.Time < from || m.Time > to) {
				at = wording.Time(m.Time)
				break
			}
		}
		parts = append(parts, wording.Refusals(outside)+" far away in time, the first at "+at+" UTC")
	}
	if timeless > 0 {
		parts = append(parts, wording.Refusals(timeless)+" without a time")
	}
	return "Not shown: " + wording.List(parts) + "."
}

func bucketName(at, step int64) string {
	t := time.UnixMicro(at).UTC()
	if step >= 1440*minute {
		return t.Format(wording.DayLayout)
	}
	return t.Format(wording.DayLayout + " " + wording.MinuteLayout)
}

// coordinate writes a number of the drawing as short as it can be seen.
func coordinate(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}
