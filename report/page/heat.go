package page

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
	heatHeight   = 20 // of a row
	heatLevels   = 5  // shades
	maxHeatName  = 40 // characters of the name of a row
)

// heatMaps returns the heat maps of endpoints and accounts.
func heatMaps(sources []*tableSource, b *bins, noun wording.Noun) []*drawing {
	var maps []*drawing
	for _, s := range sources {
		if s.id == "endpoints" || s.id == "accounts" {
			if d := drawHeat(s, b, noun); d != nil {
				maps = append(maps, d)
			}
		}
	}
	return maps
}

// drawHeat draws the 401s over time of the rows with most of them, one line per row.
// Darker is more, on a logarithmic scale. It returns nil if no row has a 401.
func drawHeat(s *tableSource, b *bins, noun wording.Noun) *drawing {
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
	d := &drawing{Caption: noun.Title() + " over time by " + strings.ToLower(s.name)}
	for _, f := range []*frame{{Class: "broad", Width: chartWidth, left: heatLeft, right: heatRight}, {Class: "narrow", Width: phone, right: phone, narrow: true}} {
		above := 0
		if f.narrow {
			above = aboveHeight
		}
		p := d.picture(f, heatTop+(heatHeight+above)*len(rows)+22)
		var paths [heatLevels]strings.Builder
		for r, row := range rows {
			y := float64(heatTop + r*(heatHeight+above))
			name, note := s.text(row)
			if note != "" {
				name += " " + note
			}
			if name = wording.Clip(name, maxHeatName); f.narrow {
				p.text("start", 0, y+10, fitting(name, f.right))
			} else {
				p.text("y", heatLeft-8, y+14, fitting(name, heatLeft-10))
			}
			p.heat(&paths, cells[r], most, y+float64(above))
		}
		for level := range paths {
			p.Lines = append(p.Lines, stroke{"heat" + strconv.Itoa(level+1), paths[level].String()})
		}
		bottom := float64(p.Height - 8)
		p.time("start", f.left, bottom, b.first, bucketName(b.first, b.step))
		p.time("y", f.right, bottom, b.end(), bucketName(b.end(), b.step))
	}
	name, _ := s.text(rows[0])
	d.Summary = d.Caption + ": the " + wording.Number(int64(len(rows))) + " with most " + noun.Many() + ", first " + wording.Clip(name, wording.MaxName) +
		". The darkest cell has " + wording.Number(int64(most)) + " in " + stepText(b.step*int64(join)) + ". Times are UTC; the table of " + strings.ToLower(s.label) + " has the figures."
	return d
}

// heat adds the cells of a row to the paths of their shades.
func (p *picture) heat(paths *[heatLevels]strings.Builder, cells []int, most int, y float64) {
	width := (p.right - p.left) / float64(len(cells))
	w := coordinate(width - 0.5)
	for i, k := range cells {
		if k == 0 {
			continue
		}
		level := 1 + int(math.Log(float64(k))/math.Log(float64(most)+1)*heatLevels)
		paths[min(level, heatLevels)-1].WriteString("M" + coordinate(p.left+float64(i)*width) + " " + coordinate(y) + "h" + w + "v" + coordinate(heatHeight-2) + "h-" + w + "z")
	}
}
