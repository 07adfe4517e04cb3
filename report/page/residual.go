package page

import (
	"logscan/report/document"
	"logscan/report/wording"
)

// residual is the section on the refusals that nothing explains.
type residual struct {
	Sentences []string
	Tables    []residualTable
}

type residualTable struct {
	Label, Distinct string
	Rows            []residualRow
}

type residualRow struct{ Name, Unexplained, Share, Unauthorized, Requests string }

// newResidual returns the section, nil if nothing is unexplained.
func newResidual(d *document.Residual) *residual {
	if d == nil {
		return nil
	}
	r := &residual{}
	for _, s := range d.Text {
		r.Sentences = append(r.Sentences, wording.Clip(s, wording.MaxParagraph))
	}
	for i := range d.Dimensions {
		x := &d.Dimensions[i]
		if x.Distinct < 2 {
			continue // the sentences say it
		}
		t := residualTable{Label: wording.DimensionLabel(x.Name), Distinct: wording.Number(x.Distinct)}
		for _, p := range x.Top {
			t.Rows = append(t.Rows, residualRow{wording.Clip(p.Name, wording.MaxName), wording.Number(p.Unexplained), wording.Share(p.Unexplained, d.Unauthorized),
				wording.Number(p.Unauthorized), wording.Number(p.Requests)})
		}
		r.Tables = append(r.Tables, t)
	}
	return r
}
