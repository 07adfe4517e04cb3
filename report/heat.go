package report

import (
	"math"
	"strconv"
	"strings"

	"logscan/report/wording"
)

const (
	maxHeatRows  = 12
	maxHeatSteps = 72
	heatLeft     = 290
	heatRight    = 952
	heatTop      = 8
	heatHeight   = 20
	heatLevels   = 5
	heatChars    = 40
)

// drawHeat draws when the rows of a table with most 401s had them: a line a row,
// the darker the more, on a scale of logarithms. It is nil where no row has any.
func drawHeat(s *tableSource, b *bins) *drawing {
	rows := s.order[:min(len(s.order), maxHeatRows)]
	join := (len(b.refused) + maxHeatSteps - 1) / maxHeatSteps
	n := (len(b.refused) + join - 1) / join
	most := 0
	cells := make([][]int, len(rows))
	for r, row := range rows {
		cells[r] = make([]int, n)
		for _, x := range s.profile[row] {
			cells[r][x.step/join] += x.n
			most = max(most, cells[r][x.step/join])
		}
	}
	if most == 0 {
		return nil
	}
	d := &drawing{Caption: "401s of each " + lower(s.name) + " over time", Width: chartWidth, Height: heatTop + heatHeight*len(rows) + 22}
	width := float64(heatRight-heatLeft) / float64(n)
	var paths [heatLevels]strings.Builder
	for r, row := range rows {
		y := float64(heatTop + r*heatHeight)
		name, note := s.text(row)
		if note != "" {
			name += " " + note
		}
		d.text("y", heatLeft-8, y+14, wording.Clip(name, heatChars))
		for i, k := range cells[r] {
			if k == 0 {
				continue
			}
			level := 1 + int(math.Log(float64(k))/math.Log(float64(most)+1)*heatLevels)
			w := coordinate(width - 0.5)
			paths[min(level, heatLevels)-1].WriteString("M" + coordinate(heatLeft+float64(i)*width) + " " + coordinate(y) + "h" + w + "v" + coordinate(heatHeight-2) + "h-" + w + "z")
		}
	}
	for level := range paths {
		d.Lines = append(d.Lines, stroke{"heat" + strconv.Itoa(level+1), paths[level].String()})
	}
	bottom := float64(heatTop+heatHeight*len(rows)) + 14
	d.text("start", heatLeft, bottom, bucketName(b.first, b.step))
	d.text("y", heatRight, bottom, bucketName(b.end(), b.step))
	name, _ := s.text(rows[0])
	d.Summary = d.Caption + ", the darkest up to " + wording.Number(int64(most)) + " in " + stepText(b.step*int64(join)) + ": the " + wording.Number(int64(len(rows))) + " with most, first " + wording.Clip(name, nameChars) + ". The table of " + lower(s.label) + " has the figures."
	return d
}

// lower is an English word that stands within a sentence.
func lower(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}
