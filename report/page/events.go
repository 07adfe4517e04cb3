package page

import (
	"math"

	"logscan/analyze/result"
	"logscan/report/wording"
)

// eventRow is an error log, or the log of an identity provider.
type eventRow struct {
	Path, Kind, Clock                     string
	Events, Matched, Ambiguous, Unmatched string
}

// eventRows returns the logs of events, at most maxLedger.
func eventRows(e *result.AuthEvents) (rows []eventRow) {
	if e == nil {
		return nil
	}
	for _, s := range e.Sources[:min(len(e.Sources), maxLedger)] {
		row := eventRow{
			Path: wording.Clip(s.Name, wording.MaxName), Kind: wording.Visible(s.Kind), Events: wording.Number(s.Events),
			Matched: wording.Number(s.Matched), Ambiguous: wording.Number(s.Ambiguous), Unmatched: wording.Number(s.Unmatched),
		}
		if s.Offset != 0 {
			way := " ahead"
			if s.Offset < 0 {
				way = " behind"
			}
			row.Clock = wording.Duration(math.Abs(float64(s.Offset)/1e6)) + way
		}
		rows = append(rows, row)
	}
	return rows
}
