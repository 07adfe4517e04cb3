package page

import (
	"math"
	"strings"
	"unicode"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

// drawing is a small picture, for wide and for narrow screens, with the same in words.
type drawing struct {
	Caption, Summary string
	Pictures         []*picture
}

// picture is made of rectangles, lines and texts in the units of its view box.
type picture struct {
	*frame
	Height int
	Boxes  []box
	Lines  []stroke
	Texts  []label
}

type box struct{ Class, X, Y, W, H, Text string }

type stroke struct{ Class, Path string }

// label is a text. At is the time that it shows, in RFC 3339, so that the script can show it
// in another time zone; empty for none.
type label struct{ Class, X, Y, Text, At string }

// frame is the layout of pictures for some screens. Pictures of narrow ones have names above
// what they name.
type frame struct {
	Class       string // the screens that show it
	Width       int
	left, right float64 // of the axis
	narrow      bool
}

// phone is the width of a picture on a telephone of 390 pixels.
const phone = 320

var (
	broadFrame  = frame{Class: "broad", Width: 640, left: 52, right: 632}
	narrowFrame = frame{Class: "narrow", Width: phone, left: 52, right: phone - 6, narrow: true}
)

const (
	trendTop    = 16
	trendBottom = 116
	partHeight  = 24
	partLeft    = 190
	partRight   = 430
	maxPartName = 26 // characters
	aboveHeight = 16 // of a name above what it names
	letter      = 7  // width of a usual letter
	boldLetter  = 9  // of one that stands out
	labelGap    = 64 // between the middles of the labels of an axis of time
)

// picture adds a picture of a height.
func (d *drawing) picture(f *frame, height int) *picture {
	p := &picture{frame: f, Height: height}
	d.Pictures = append(d.Pictures, p)
	return p
}

func (p *picture) box(class string, x, y, w, h float64, text string) {
	p.Boxes = append(p.Boxes, box{class, coordinate(x), coordinate(y), coordinate(w), coordinate(h), text})
}

func (p *picture) text(class string, x, y float64, text string) {
	p.Texts = append(p.Texts, label{class, coordinate(x), coordinate(y), text, ""})
}

// time adds the text of a time.
func (p *picture) time(class string, x, y float64, us int64, text string) {
	p.text(class, x, y, text)
	p.Texts[len(p.Texts)-1].At = newMoment(us).ISO
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

func (p *picture) upright(class string, x, top, bottom float64) {
	p.Lines = append(p.Lines, stroke{class, "M" + coordinate(x) + " " + coordinate(top) + "V" + coordinate(bottom)})
}

// mark adds a line with a text above it, which stays within the picture.
func (p *picture) mark(x float64, text string) {
	half := boldLetter / 2.0 * float64(len(text))
	p.upright("onset", x, trendTop-4, trendBottom)
	p.text("mark", min(max(x, p.left+half), float64(p.Width)-half), trendTop-6, text)
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
	d := &drawing{Caption: wording.Caption(e, noun)}
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
	end := t.From + t.Step*int64(len(t.Refused))
	d.Summary = d.Caption + " per " + stepText(max(t.Step, minute)) + " from " + wording.Time(t.From) + " to " + wording.Time(end) + " UTC: " + wording.Number(sum) + " refused"
	if t.Accepted != nil {
		d.Summary += ", " + wording.Number(all-sum) + " accepted"
	}
	d.Summary += ", peak " + wording.Number(most)
	marked := onset != parse.NoTime && onset >= t.From && onset < end
	if marked {
		d.Summary += "; onset at " + wording.Time(onset)
	}
	d.Summary += "."
	for _, f := range []*frame{&broadFrame, &narrowFrame} {
		p := d.picture(f, trendBottom+20)
		at := p.trend(t, most)
		if marked {
			p.mark(at(onset), "onset")
		}
	}
	return d
}

// trend draws bars over time up to the greatest, and returns where times are.
func (p *picture) trend(t *result.Trend, most int64) (at func(int64) float64) {
	end := t.From + t.Step*int64(len(t.Refused))
	at = func(us int64) float64 { return p.left + float64(us-t.From)/float64(end-t.From)*(p.right-p.left) }
	tall := func(n int64) float64 { return float64(n) / float64(most) * (trendBottom - trendTop) }
	width := coordinate((p.right-p.left)/float64(len(t.Refused))*0.85 + 0.05)
	var bad, good strings.Builder
	bar := func(b *strings.Builder, x, y, tall float64) {
		b.WriteString("M" + coordinate(x) + " " + coordinate(y) + "h" + width + "v" + coordinate(tall) + "h-" + width + "z")
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
	p.Lines = append(p.Lines, stroke{"refused", bad.String()}, stroke{"accepted", good.String()})
	for v, step := int64(0), niceStep(most, 2); v <= most; v += step {
		p.text("y", p.left-6, trendBottom-tall(v)+4, wording.Number(v))
	}
	fits, labelled := p.axis(), false
	for _, l := range timeLabels(t.From, end, max(t.Step, minute), labelGap, at) {
		if x := at(l.at); fits(x, l.text) {
			p.time("x", x, trendBottom+18, l.at, l.text)
			labelled = true
		}
	}
	if !labelled { // a few minutes
		p.time("start", p.left, trendBottom+18, t.From, wording.Time(t.From))
	}
	return at
}

// axis returns a function for the labels under an axis, from left to right: it reports
// whether the next one neither touches the one before nor leaves the picture.
func (p *picture) axis() func(x float64, text string) bool {
	free := 0.0
	return func(x float64, text string) bool {
		half := letter / 2.0 * float64(len(text))
		if x-half < free || x+half > float64(p.Width) {
			return false
		}
		free = x + half + letter
		return true
	}
}

// drawParts draws a bar for each of several things that are compared.
func drawParts(e *result.Exhibit, noun wording.Noun) *drawing {
	d := &drawing{Caption: wording.Caption(e, noun)}
	most, accepted := int64(1), int64(0)
	var summaries []string
	for i := range e.Parts {
		x := &e.Parts[i]
		most = max(most, x.Refused+x.Accepted)
		accepted += x.Accepted
		summaries = append(summaries, wording.Clip(wording.PartName(x), wording.MaxName)+": "+partText(x))
	}
	d.Summary = d.Caption + ". " + strings.Join(summaries, "; ") + "."
	wide, narrow := d.picture(&broadFrame, partHeight*len(e.Parts)+4), d.picture(&narrowFrame, (partHeight+aboveHeight)*len(e.Parts)+4)
	for i := range e.Parts {
		x := &e.Parts[i]
		whole := max(x.Refused+x.Accepted, 1)
		if accepted == 0 {
			whole = most // compare the numbers refused
		}
		name, text, class := wording.Clip(wording.PartName(x), maxPartName), partText(x), ""
		if x.Marked {
			class = " marked"
		}
		y := float64(i*partHeight) + 4
		wide.text("y"+class, partLeft-8, y+14, fitting(name, partLeft-10))
		wide.part(x, whole, partLeft, partRight, y+3)
		wide.text("start", partRight+10, y+14, text)
		y = float64(i*(partHeight+aboveHeight)) + 4
		narrow.text("start"+class, 0, y+10, fitting(name, phone-letter*float64(len(text)+1)))
		narrow.text("y", phone, y+10, text)
		narrow.part(x, whole, 0, phone, y+aboveHeight)
	}
	return d
}

func partText(x *result.Part) string {
	return wording.Number(x.Refused) + " refused, " + wording.Number(x.Accepted) + " accepted"
}

// part draws the bar of a part of a whole.
func (p *picture) part(x *result.Part, whole int64, left, right, y float64) {
	wide := func(n int64) float64 { return float64(n) / float64(whole) * (right - left) }
	p.box("refused", left, y, wide(x.Refused), partHeight-10, partText(x))
	if x.Accepted > 0 {
		p.box("accepted", left+wide(x.Refused), y, wide(x.Accepted), partHeight-10, partText(x))
	}
}

// ages are the labels of the axis of a curve.
var ages = []struct {
	seconds float64
	text    string
}{{1, "1 s"}, {10, "10 s"}, {60, "1 min"}, {600, "10 min"}, {3600, "1 h"}, {6 * 3600, "6 h"}, {86400, "1 day"}, {7 * 86400, "1 week"}, {30 * 86400, "30 days"}}

// drawCurve draws the share of requests accepted by the age of the session.
func drawCurve(e *result.Exhibit, noun wording.Noun) *drawing {
	c := e.Curve
	d := &drawing{Caption: wording.Caption(e, noun)}
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
	for _, f := range []*frame{&broadFrame, &narrowFrame} {
		d.picture(f, trendBottom+20).curve(c)
	}
	return d
}

// curve draws the curve with its timeout.
func (p *picture) curve(c *result.Curve) {
	first, last := c.Points[0], c.Points[len(c.Points)-1]
	from := max(first.From, first.To/2)
	low, high := math.Log(from), math.Log(max(last.To, c.High))
	at := func(s float64) float64 { return p.left + (math.Log(max(s, from))-low)/(high-low)*(p.right-p.left) }
	p.box("band", at(c.Low), trendTop, max(1, at(c.High)-at(c.Low)), trendBottom-trendTop, "95% confidence interval")
	var path strings.Builder
	for i, x := range c.Points {
		n := x.Refused + x.Accepted
		y := trendBottom - float64(x.Accepted)/float64(n)*(trendBottom-trendTop)
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		path.WriteString(verb + coordinate(at(x.From)) + " " + coordinate(y) + "H" + coordinate(at(x.To)))
		p.box("hover", at(x.From), trendTop, at(x.To)-at(x.From), trendBottom-trendTop,
			wording.Duration(x.From)+" to "+wording.Duration(x.To)+": "+wording.Share(x.Accepted, n)+" of "+wording.Count(n, "request")+" accepted")
	}
	p.Lines = append(p.Lines, stroke{"curve", path.String()})
	p.mark(at(c.Timeout), "timeout "+wording.Duration(c.Timeout))
	p.text("y", p.left-6, trendTop+5, "100%")
	p.text("y", p.left-6, (trendTop+trendBottom)/2+4, "50%")
	p.text("y", p.left-6, trendBottom, "0")
	fits := p.axis()
	for _, a := range ages {
		if x := at(a.seconds); a.seconds >= from && x <= p.right && fits(x, a.text) {
			p.text("x", x, trendBottom+18, a.text)
		}
	}
}
