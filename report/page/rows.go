package page

import (
	"fmt"
	"slices"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

type causeRow struct {
	Group, Label, Name, Meaning, Count, Share string
	Bar                                       string // width in percent
}

// causeRows returns the causes of the 401s, the most frequent first.
func causeRows(res *result.Result) []causeRow {
	total := res.Totals.Unauthorized
	var rows []causeRow
	for _, name := range byCount(res.Causes) {
		n := res.Causes[name]
		if n == 0 {
			break
		}
		c := wording.CauseOf(name)
		rows = append(rows, causeRow{Group: wording.Groups[c.Group].Name, Label: c.Label, Name: c.Name, Meaning: c.Meaning,
			Count: wording.Number(n), Share: wording.Share(n, total), Bar: barWidth(n, total)})
	}
	return rows
}

// worstTable lists the rows of a table with most 401s.
type worstTable struct {
	ID, Title, Caption, Name, Extra string
	Rows                            []worstRow
	More                            string
}

type worstRow struct {
	Name, Note, Unauthorized, Requests, Share, Bar, Extra string
	Finding                                               string // id of a finding that has a card, or empty
}

// worstTables returns the endpoints, accounts and clients with most 401s. cards holds
// the ids of the findings that have a card.
func worstTables(res *result.Result, sources []*tableSource, cards map[string]bool) []worstTable {
	var all []worstTable
	noun := wording.NounOf(res.Statuses).Many()
	for _, s := range sources {
		t := worstTable{ID: s.id, Title: s.label, Name: s.name}
		var extra, note func(i int) string
		switch s.id {
		case "endpoints":
			t.Caption, t.Extra = "Endpoints with most "+noun, "Actors refused"
			extra = func(i int) string {
				return wording.Number(res.Endpoints[i].RefusedActors) + " of " + wording.Number(res.Endpoints[i].Actors)
			}
		case "accounts":
			t.Caption, t.Extra = "Users with most "+noun+" (the name is a claim, not proven)", "Last accepted, UTC"
			note = func(i int) string { return "from " + wording.Count(res.Accounts[i].Clients, "client") }
			extra = func(i int) string {
				if res.Accounts[i].LastAccepted == parse.NoTime {
					return "never"
				}
				return wording.Time(res.Accounts[i].LastAccepted)
			}
		case "clients":
			t.Caption, t.Name, t.Extra = "Clients with most "+noun, "Client", "Users, endpoints"
			extra = func(i int) string {
				return wording.Number(res.Clients[i].Users) + ", " + wording.Number(res.Clients[i].RefusedEndpoints)
			}
		default:
			continue
		}
		for _, i := range s.order[:min(len(s.order), maxWorst)] {
			c := s.counts(i)
			r := worstRow{Unauthorized: wording.Number(c.Unauthorized), Requests: wording.Number(c.Requests),
				Share: wording.Share(c.Unauthorized, c.Requests), Bar: barWidth(c.Unauthorized, c.Requests), Extra: extra(i)}
			r.Name, r.Note = s.text(i)
			if note != nil {
				r.Note = note(i)
			}
			if id := s.finding(i); cards[id] {
				r.Finding = wording.Visible(id)
			}
			t.Rows = append(t.Rows, r)
		}
		if s.all > maxWorst {
			t.More = fmt.Sprintf("%d of %s; %s.parquet has all.", maxWorst, wording.Number(int64(s.all)), s.id)
		}
		if len(t.Rows) > 0 {
			all = append(all, t)
		}
	}
	return all
}

type inputRow struct {
	Path, Format, Compression, Size, Lines, Parsed, Rejected, Skipped, Unauthorized, Period, Error string
}

// inputRows returns the inputs, up to maxLedger of them: then those with an error or
// rejected lines come first, and more says how many there are.
func inputRows(inputs []result.Input) (rows []inputRow, more string) {
	shown := make([]*result.Input, len(inputs))
	for i := range inputs {
		shown[i] = &inputs[i]
	}
	if len(shown) > maxLedger {
		rank := func(in *result.Input) int {
			switch {
			case in.Error != "":
				return 0
			case in.Rejected > 0:
				return 1
			}
			return 2
		}
		slices.SortStableFunc(shown, func(a, b *result.Input) int { return rank(a) - rank(b) })
		more = fmt.Sprintf("%d of %s inputs, those with errors or rejected lines first; inputs.parquet has all.", maxLedger, wording.Number(int64(len(shown))))
		shown = shown[:maxLedger]
	}
	for _, in := range shown {
		rows = append(rows, inputRow{
			Path: wording.Clip(in.Path, wording.MaxName), Format: wording.Clip(in.Format, wording.MaxName), Compression: wording.Visible(in.Compression), Size: wording.Bytes(in.Bytes),
			Lines: wording.Number(in.Lines), Parsed: wording.Number(in.Parsed), Rejected: wording.Number(in.Rejected), Skipped: wording.Number(in.Skipped),
			Unauthorized: wording.Number(in.Unauthorized), Period: wording.Period(in.FirstTime, in.LastTime), Error: wording.Clip(in.Error, wording.MaxParagraph),
		})
	}
	return rows, more
}

// sumRow returns the sum of all inputs.
func sumRow(res *result.Result) inputRow {
	t := &res.Totals
	return inputRow{
		Path: wording.Count(int64(len(res.Inputs)), "input"), Size: wording.Bytes(t.Bytes), Lines: wording.Number(t.Lines), Parsed: wording.Number(t.Parsed),
		Rejected: wording.Number(t.Rejected), Skipped: wording.Number(t.Skipped), Unauthorized: wording.Number(t.Unauthorized), Period: wording.Period(t.FirstTime, t.LastTime),
	}
}

type reasonRow struct{ Reason, Meaning, Count string }

// reasonRows returns why lines were rejected or skipped, the most frequent reason
// first.
func reasonRows(counts map[string]int64) []reasonRow {
	var rows []reasonRow
	for _, n := range byCount(counts) {
		if counts[n] > 0 {
			rows = append(rows, reasonRow{wording.Clip(n, wording.MaxName), wording.Reason(n), wording.Number(counts[n])})
		}
	}
	return rows
}
