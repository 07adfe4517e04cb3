package page

import (
	"math"
	"strings"
	"unicode"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

// drawing is a small picture of rectangles, lines and texts in the units of its view
// box, with the same in words.
type drawing struct {
	Caption, Summary string
	Width, Height    int
	Boxes            []box
	Lines            []stroke
	Texts            []label
}

type box struct{ Class, X, Y, W, H, Text string }

type stroke struct{ Class, Path string }

type label struct{ Class, X, Y, Text string }

const (
	drawingWidth = 640
	drawingLeft  = 44
	drawingRight = 632
	trendTop     = 16
	trendBottom  = 116
	partHeight   = 24
	partLeft     = 190
	partRight    = 430
	maxPartName  = 26 // characters
)

func (d *drawing) box(class string, x, y, w, h float64, text string) {
	d.Boxes = append(d.Boxes, box{class, coordinate(x), coordinate(y), coordinate(w), coordinate(h), text})
}

func (d *drawing) text(class string, x, y float64, text string) {
	d.Texts = append(d.Texts, label{class, coordinate(x), coordinate(y), text})
}

// fitting shortens a name to a width in the drawing, for the widest of the usual fonts.
func fitting(name string, width float64) string {
	const (
		usual, broad, slim = 7.4, 8.6, 4.6 // widths of letters of 12 px
		ellipsis           = 12
	)
	sum := 0.0
	for n, r := range []rune(name) {
		w := usual
		switch {
		case strings.ContainsRune("ijl.,:;'|/ ", r):
			w = slim
		case r > unicode.MaxASCII || unicode.IsUpper(r) || r == 'm' || r == 'w':
			w = broad
		}
		if sum += w; sum > width {
			for ; sum > width-ellipsis && n > 0; n-- {
				sum -= slim
			}
			return wording.Clip(name, max(n, 1))
		}
	}
	return name
}

func (d *drawing) upright(class string, x, top, bottom float64) {
	d.Lines = append(d.Lines, stroke{class, "M" + coordinate(x) + " " + coordinate(top) + "V" + coordinate(bottom)})
}

// drawExhibit draws the exhibit of a finding, nil if there is nothing to draw.
func drawExhibit(f *result.Finding, last int64, noun wording.Noun) *drawing {
	x := f.Exhibit
	switch {
	case x == nil:
		return nil
	case x.Trend != nil:
		return drawTrend(x, f.Onset, last, noun)
	case len(x.Parts) > 0:
		return drawParts(x, noun)
	case x.Curve != nil && len(x.Curve.Points) > 1:
		return drawCurve(x, noun)
	}
	return nil
}

// drawTrend draws what was refused and accepted over time, up to the last time of the
// log.
func drawTrend(e *result.Exhibit, onset, last int64, noun wording.Noun) *drawing {
	t := e.Trend
	if t.Step <= 0 {
		return nil
	}
	steps := len(t.Refused)
	for steps > 1 && t.From+int64(steps-1)*t.Step > last && t.Refused[steps-1] == 0 && (len(t.Accepted) < steps || t.Accepted[steps-1] == 0) {
		steps--
	}
	t = &result.Trend{From: t.From, Step: t.Step, Refused: t.Refused[:steps], Accepted: t.Accepted[:min(len(t.Accepted), steps)]}
	d := &drawing{Caption: wording.Caption(e, noun), Width: drawingWidth, Height: trendBottom + 20}
	most, sum, all := int64(0), int64(0), int64(0)
	for i, n := range t.Refused {
		sum += n
		if i < len(t.Accepted) {
			n += t.Accepted[i]
		}
		all += n
		most = max(most, n)
	}
	if most == 0 {
		return nil
	}
	at := func(us int64) float64 {
		return drawingLeft + float64(us-t.From)/float64(t.Step*int64(len(t.Refused)))*(drawingRight-drawingLeft)
	}
	tall := func(n int64) float64 { return float64(n) / float64(most) * (trendBottom - trendTop) }
	width := float64(drawingRight-drawingLeft)/float64(len(t.Refused))*0.85 + 0.05
	var bad, good strings.Builder
	bar := func(b *strings.Builder, x, y, tall float64) {
		w := coordinate(width)
		b.WriteString("M" + coordinate(x) + " " + coordinate(y) + "h" + w + "v" + coordinate(tall) + "h-" + w + "z")
	}
	for i, n := range t.Refused {
		x, y := at(t.From+int64(i)*t.Step), trendBottom-tall(n)
		if n > 0 {
			bar(&bad, x, y, tall(n))
		}
		if i < len(t.Accepted) && t.Accepted[i] > 0 {
			bar(&good, x, y-tall(t.Accepted[i]), tall(t.Accepted[i]))
		}
	}
	d.Lines = append(d.Lines, stroke{"refused", bad.String()}, stroke{"accepted", good.String()})
	end := t.From + t.Step*int64(len(t.Refused))
	d.text("y", drawingLeft-6, trendTop+5, wording.Number(most))
	d.text("y", drawingLeft-6, trendBottom, "0")
	d.text("start", drawingLeft, trendBottom+15, wording.Time(t.From))
	d.text("y", drawingRight, trendBottom+15, wording.Time(end))
	d.Summary = d.Caption + " per " + stepText(max(t.Step, minute)) + " from " + wording.Time(t.From) + " to " + wording.Time(end) + " UTC: " + wording.Number(sum) + " refused"
	if t.Accepted != nil {
		d.Summary += ", " + wording.Number(all-sum) + " accepted"
	}
	if onset != parse.NoTime && onset >= t.From && onset < end {
		d.upright("onset", at(onset), trendTop-6, trendBottom)
		d.text("mark", at(onset), trendTop-6, "onset")
		d.Summary += "; onset at " + wording.Time(onset)
	}
	d.Summary += "."
	return d
}

// drawParts draws a bar for each of several things that are compared.
func drawParts(e *result.Exhibit, noun wording.Noun) *drawing {
	d := &drawing{Caption: wording.Caption(e, noun), Width: drawingWidth, Height: partHeight*len(e.Parts) + 4}
	most, accepted := int64(1), int64(0)
	for _, p := range e.Parts {
		most = max(most, p.Refused+p.Accepted)
		accepted += p.Accepted
	}
	var summaries []string
	for i, p := range e.Parts {
		y := float64(i*partHeight) + 4
		whole := max(p.Refused+p.Accepted, 1)
		if accepted == 0 {
			whole = most // compare the numbers refused
		}
		wide := func(n int64) float64 { return float64(n) / float64(whole) * (partRight - partLeft) }
		text := wording.Number(p.Refused) + " refused, " + wording.Number(p.Accepted) + " accepted"
		name, class := fitting(wording.Clip(wording.PartName(&p), maxPartName), partLeft-10), "y"
		if p.Marked {
			class = "y marked"
		}
		d.text(class, partLeft-8, y+14, name)
		d.box("refused", partLeft, y+3, wide(p.Refused), partHeight-10, text)
		if p.Accepted > 0 {
			d.box("accepted", partLeft+wide(p.Refused), y+3, wide(p.Accepted), partHeight-10, text)
		}
		d.text("start", partRight+10, y+14, text)
		summaries = append(summaries, wording.Clip(wording.PartName(&p), wording.MaxName)+": "+text)
	}
	d.Summary = d.Caption + ". " + strings.Join(summaries, "; ") + "."
	return d
}

// ages are the labels of the axis of a curve.
var ages = []struct {
	seconds float64
	text    string
}{{1, "1 s"}, {10, "10 s"}, {60, "1 min"}, {600, "10 min"}, {3600, "1 h"}, {6 * 3600, "6 h"}, {86400, "1 day"}, {7 * 86400, "1 week"}, {30 * 86400, "30 days"}}

// drawCurve draws the share of requests accepted by the age of the session.
func drawCurve(e *result.Exhibit, noun wording.Noun) *drawing {
	c := e.Curve
	first, last := c.Points[0], c.Points[len(c.Points)-1]
	from := max(first.From, first.To/2)
	d := &drawing{Caption: wording.Caption(e, noun), Width: drawingWidth, Height: trendBottom + 20}
	low, high := math.Log(from), math.Log(max(last.To, c.High))
	at := func(s float64) float64 {
		return drawingLeft + (math.Log(max(s, from))-low)/(high-low)*(drawingRight-drawingLeft)
	}
	d.box("band", at(c.Low), trendTop, max(1, at(c.High)-at(c.Low)), trendBottom-trendTop, "95% confidence interval")
	var path strings.Builder
	for i, p := range c.Points {
		n := p.Refused + p.Accepted
		y := trendBottom - float64(p.Accepted)/float64(n)*(trendBottom-trendTop)
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		path.WriteString(verb + coordinate(at(p.From)) + " " + coordinate(y) + "H" + coordinate(at(p.To)))
		d.box("hover", at(p.From), trendTop, at(p.To)-at(p.From), trendBottom-trendTop,
			wording.Duration(p.From)+" to "+wording.Duration(p.To)+": "+wording.Share(p.Accepted, n)+" of "+wording.Count(n, "request")+" accepted")
	}
	d.Lines = append(d.Lines, stroke{"curve", path.String()})
	d.upright("onset", at(c.Timeout), trendTop-4, trendBottom)
	d.text("mark", at(c.Timeout), trendTop-6, "timeout "+wording.Duration(c.Timeout))
	d.text("y", drawingLeft-6, trendTop+5, "100%")
	d.text("y", drawingLeft-6, trendBottom, "0")
	for _, a := range ages {
		if a.seconds >= from && at(a.seconds) <= drawingRight {
			d.text("x", at(a.seconds), trendBottom+15, a.text)
		}
	}
	var below, above result.Point
	for _, p := range c.Points {
		side := &below
		if p.From >= c.Timeout*0.95 {
			side = &above
		}
		side.Refused += p.Refused
		side.Accepted += p.Accepted
	}
	d.Summary = d.Caption + ": " + wording.Share(below.Accepted, below.Accepted+below.Refused) + " before the timeout of " + wording.Duration(c.Timeout) + ", " +
		wording.Share(above.Accepted, above.Accepted+above.Refused) + " after it."
	return d
}
