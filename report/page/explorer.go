package page

import (
	"logscan/report/wording"
)

// explorer is the data of the script: tables to sort and search, and their 401s over
// time. Texts of the log in it are visible.
type explorer struct {
	Noun     explorerNoun    `json:"noun"`
	First    int64           `json:"first"` // Unix milliseconds
	Step     int64           `json:"step"`  // milliseconds
	Steps    int             `json:"steps"`
	Groups   []explorerGroup `json:"groups"`
	Accepted []int64         `json:"accepted"` // requests accepted in each step
	Marks    []explorerMark  `json:"marks"`
	Tables   []explorerTable `json:"tables"`
}

// explorerNoun is what the refusals of the run are called.
type explorerNoun struct {
	One  string `json:"one"`
	Many string `json:"many"`
}

// explorerGroup is a group of causes with its 401s in each step.
type explorerGroup struct {
	Name   string  `json:"name"`
	Label  string  `json:"label"`
	Counts []int64 `json:"counts"`
}

// explorerMark is the onset of a finding, or an event.
type explorerMark struct {
	At    int64  `json:"at"` // Unix milliseconds
	Label string `json:"label"`
	Title string `json:"title"`
}

// explorerTable is a table, column by column. Rows with most 401s come first.
type explorerTable struct {
	ID       string           `json:"id"`
	Label    string           `json:"label"`
	Name     string           `json:"name"`  // what a row is
	About    string           `json:"about"` // what the note of a row is, or empty
	Names    []string         `json:"names"`
	Notes    []string         `json:"notes"`
	Columns  []explorerColumn `json:"columns"`
	Findings []string         `json:"findings"` // id of the finding, or empty
	Refused  []int64          `json:"refused"`
	// Times holds the 401s of each row over time as pairs of step and count. Each
	// step is relative to the one before.
	Times [][]int `json:"times"`
	Left  int     `json:"left"` // rows with 401s that are not in the table
}

type explorerColumn struct {
	Label  string  `json:"label"`
	Time   bool    `json:"time"` // Unix milliseconds, 0 for none
	Values []int64 `json:"values"`
}

// Estimates of the bytes that a row takes beside its texts.
const (
	rowBytes  = 24
	timeBytes = 6 // for each step with 401s, and for each column
)

// newExplorer returns the data of the script.
func newExplorer(r *wording.Report, b *bins, sources []*tableSource) *explorer {
	noun := wording.NounOf(r.Statuses)
	x := &explorer{Noun: explorerNoun{noun.One(), noun.Many()}, First: b.first / 1000, Step: b.step / 1000, Steps: len(b.refused), Accepted: b.accepted, Marks: []explorerMark{}}
	for g := range wording.Groups {
		if !b.used[g] {
			continue
		}
		group := explorerGroup{Name: wording.Groups[g].Name, Label: wording.Groups[g].Label, Counts: make([]int64, len(b.refused))}
		for i := range b.groups {
			group.Counts[i] = b.groups[i][g]
		}
		x.Groups = append(x.Groups, group)
	}
	title := func(i int) string { return wording.Clip(r.Described[i].Title, wording.MaxName) }
	for _, m := range marksOf(r.Result, title, b.first, b.end()) {
		x.Marks = append(x.Marks, explorerMark{m.at / 1000, m.label, m.text})
	}
	for _, s := range sources {
		if len(s.order) > 0 {
			x.Tables = append(x.Tables, s.table())
		}
	}
	return x
}

// table returns as many rows as the budget allows.
func (s *tableSource) table() explorerTable {
	t := explorerTable{ID: s.id, Label: s.label, Name: s.name, About: s.about, Names: []string{}, Notes: []string{}, Findings: []string{}, Refused: []int64{}, Times: [][]int{}}
	for _, c := range s.columns {
		t.Columns = append(t.Columns, explorerColumn{Label: c.label, Time: c.time, Values: []int64{}})
	}
	left := s.budget
	for _, i := range s.order {
		name, note := s.text(i)
		times := s.profile[i]
		left -= len(name) + len(note) + rowBytes + len(s.columns)*timeBytes + len(times)*timeBytes
		if left < 0 {
			break
		}
		t.Names, t.Notes = append(t.Names, name), append(t.Notes, note)
		t.Findings, t.Refused = append(t.Findings, wording.Visible(s.finding(i))), append(t.Refused, s.refused(i))
		for c := range s.columns {
			t.Columns[c].Values = append(t.Columns[c].Values, s.columns[c].value(i))
		}
		spread, last := make([]int, 0, 2*len(times)), 0
		for _, x := range times {
			spread = append(spread, x.step-last, x.n)
			last = x.step
		}
		t.Times = append(t.Times, spread)
	}
	t.Left = s.all - len(t.Names)
	return t
}
