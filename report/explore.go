package report

import (
	"strings"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

// explorer is what the script of the report works on: tables to sort and
// search, and how their 401s are spread over time. Texts are visible already.
type explorer struct {
	First  int64          `json:"first"` // Unix milliseconds
	Step   int64          `json:"step"`  // milliseconds
	Steps  int            `json:"steps"`
	Groups []explorerPart `json:"groups"`
	// Accepted are the requests accepted in each step.
	Accepted []int64         `json:"accepted"`
	Marks    []explorerMark  `json:"marks"`
	Tables   []explorerTable `json:"tables"`
}

// explorerPart is a group of causes with its 401s in each step.
type explorerPart struct {
	Name   string  `json:"name"`
	Label  string  `json:"label"`
	Counts []int64 `json:"counts"`
}

// explorerMark is when a finding began.
type explorerMark struct {
	At     int64  `json:"at"` // Unix milliseconds
	Number int    `json:"number"`
	Title  string `json:"title"`
}

// explorerTable is a table by columns. Rows come most 401s first.
type explorerTable struct {
	ID       string           `json:"id"`
	Label    string           `json:"label"`
	Name     string           `json:"name"`  // what a row is
	About    string           `json:"about"` // what the note beside it is, or empty
	Names    []string         `json:"names"`
	Notes    []string         `json:"notes"`
	Columns  []explorerColumn `json:"columns"`
	Findings []string         `json:"findings"` // id of the finding, or empty
	Refused  []int64          `json:"refused"`
	// Times are the 401s of each row over time: step, count, and again, each
	// step as the distance to the one before.
	Times [][]int `json:"times"`
	// Left are rows with 401s that are not in it.
	Left int `json:"left"`
}

type explorerColumn struct {
	Label  string  `json:"label"`
	Time   bool    `json:"time"` // Unix milliseconds, 0 for none
	Values []int64 `json:"values"`
}

// The bytes that the rows of a table may take, so that the report can be
// mailed. Findings are what it is read for: they all are in it.
const (
	endpointBytes = 220 << 10
	accountBytes  = 160 << 10
	clientBytes   = 240 << 10
	smallBytes    = 60 << 10
	findingBytes  = 2 << 20
	rowBytes      = 24 // beside its texts and times
	timeBytes     = 6  // of a step with 401s
)

// tableSource is what a table of the explorer is made from.
type tableSource struct {
	id, label, name, about string
	order                  []int // rows, most 401s first
	budget                 int
	profile                map[int][]stepCount
	text                   func(int) (name, note string)
	finding                func(int) string
	refused                func(int) int64
	columns                []columnSource
	all                    int // rows with 401s
}

type columnSource struct {
	label string
	time  bool
	value func(int) int64
}

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
		t.Findings, t.Refused = append(t.Findings, s.finding(i)), append(t.Refused, s.refused(i))
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

// milliseconds is a time for the script, 0 for none.
func milliseconds(us int64) int64 {
	if us == parse.NoTime {
		return 0
	}
	return us / 1000
}

// exploration makes what the script works on, and the heat maps from the same
// figures; nil where there is no 401 in time.
func exploration(res *result.Result, b *bins) (*explorer, []*drawing) {
	if b == nil {
		return nil, nil
	}
	x := &explorer{First: b.first / 1000, Step: b.step / 1000, Steps: len(b.refused), Accepted: b.accepted, Marks: []explorerMark{}}
	for g := range wording.Groups {
		if !b.used[g] {
			continue
		}
		part := explorerPart{Name: wording.Groups[g].Name, Label: wording.Groups[g].Label, Counts: make([]int64, len(b.refused))}
		for i := range b.groups {
			part.Counts[i] = b.groups[i][g]
		}
		x.Groups = append(x.Groups, part)
	}
	for i := range res.Findings[:min(len(res.Findings), maxOnsets)] {
		if f := &res.Findings[i]; f.Onset >= b.first && f.Onset < b.end() {
			x.Marks = append(x.Marks, explorerMark{f.Onset / 1000, i + 1, wording.Clip(f.Title, nameChars)})
		}
	}
	agents, agentOf := summed(res.Clients, func(c *result.Client) string { return c.UserAgent }, func(c *result.Client) *result.Counts { return &c.Counts })
	hosts, hostOf := summed(res.Endpoints, func(e *result.Endpoint) string { return e.Host }, func(e *result.Endpoint) *result.Counts { return &e.Counts })
	endpoints := shownRows(res.Endpoints, func(e *result.Endpoint) *result.Counts { return &e.Counts })
	accounts := shownRows(res.Accounts, func(a *result.Account) *result.Counts { return &a.Counts })
	clients := shownRows(res.Clients, func(c *result.Client) *result.Counts { return &c.Counts })
	upstreams := shownRows(res.Upstreams, func(u *result.Upstream) *result.Counts { return &u.Counts })
	sumCounts := func(s *sumOf) *result.Counts { return &s.Counts }
	agentRows, hostRows := shownRows(agents, sumCounts), shownRows(hosts, sumCounts)
	findings := make([]int, min(len(res.Findings), maxProfiles))
	for i := range findings {
		findings[i] = i
	}
	p := profiles{
		endpoints: ranked(endpoints), accounts: ranked(accounts), clients: ranked(clients), upstreams: ranked(upstreams),
		agents: ranked(agentRows), hosts: ranked(hostRows), findings: ranked(findings),
	}
	p.follow(res, b, agentOf, hostOf)

	requests := func(get func(int) *result.Counts) columnSource {
		return columnSource{"Requests", false, func(i int) int64 { return get(i).Requests }}
	}
	accepted := func(get func(int) *result.Counts) columnSource {
		return columnSource{"Accepted", false, func(i int) int64 { return get(i).Accepted }}
	}
	none := func(int) string { return "" }
	endpoint := func(i int) *result.Counts { return &res.Endpoints[i].Counts }
	account := func(i int) *result.Counts { return &res.Accounts[i].Counts }
	client := func(i int) *result.Counts { return &res.Clients[i].Counts }
	upstream := func(i int) *result.Counts { return &res.Upstreams[i].Counts }
	sources := []tableSource{
		{
			id: "findings", label: "Findings", name: "Finding", about: "Severity", order: findings, budget: findingBytes, profile: p.findings, all: len(res.Findings),
			text: func(i int) (string, string) {
				f := &res.Findings[i]
				return typeset(wording.Clip(f.Title, wording.MaxTitle)), f.Severity.String()
			},
			finding: func(i int) string { return wording.Visible(res.Findings[i].ID) },
			refused: func(i int) int64 { return res.Findings[i].Unauthorized },
			columns: []columnSource{
				{"Actors", false, func(i int) int64 { return res.Findings[i].Actors }},
				{"Since", true, func(i int) int64 { return milliseconds(res.Findings[i].Onset) }},
			},
		},
		{
			id: "endpoints", label: "Endpoints", name: "Endpoint", about: "Host", order: endpoints, budget: endpointBytes, profile: p.endpoints,
			all: refused(res.Endpoints, func(e *result.Endpoint) int64 { return e.Unauthorized }),
			text: func(i int) (string, string) {
				e := &res.Endpoints[i]
				return wording.Clip(strings.TrimSpace(e.Method+" "+e.Template), nameChars), wording.Clip(e.Host, nameChars)
			},
			finding: func(i int) string { return wording.Visible(res.Endpoints[i].FindingID) },
			refused: func(i int) int64 { return endpoint(i).Unauthorized },
			columns: []columnSource{requests(endpoint), accepted(endpoint), {"Actors refused", false, func(i int) int64 { return res.Endpoints[i].RefusedActors }}},
		},
		{
			id: "accounts", label: "Accounts", name: "User", order: accounts, budget: accountBytes, profile: p.accounts,
			all:     refused(res.Accounts, func(a *result.Account) int64 { return a.Unauthorized }),
			text:    func(i int) (string, string) { return wording.Clip(res.Accounts[i].User, nameChars), "" },
			finding: func(i int) string { return wording.Visible(res.Accounts[i].FindingID) },
			refused: func(i int) int64 { return account(i).Unauthorized },
			columns: []columnSource{requests(account), accepted(account), {"Clients", false, func(i int) int64 { return res.Accounts[i].Clients }},
				{"Last accepted", true, func(i int) int64 { return milliseconds(res.Accounts[i].LastAccepted) }}},
		},
		{
			id: "clients", label: "Clients", name: "Address", about: "User agent", order: clients, budget: clientBytes, profile: p.clients,
			all: refused(res.Clients, func(c *result.Client) int64 { return c.Unauthorized }),
			text: func(i int) (string, string) {
				return wording.Clip(res.Clients[i].Address, nameChars), wording.Clip(res.Clients[i].UserAgent, agentChars)
			},
			finding: func(i int) string { return wording.Visible(res.Clients[i].FindingID) },
			refused: func(i int) int64 { return client(i).Unauthorized },
			columns: []columnSource{requests(client), accepted(client), {"Users", false, func(i int) int64 { return res.Clients[i].Users }}},
		},
		sumSource("agents", "User agents", "User agent", agents, agentRows, p.agents),
		{
			id: "upstreams", label: "Backends", name: "Backend", order: upstreams, budget: smallBytes, profile: p.upstreams,
			all:     refused(res.Upstreams, func(u *result.Upstream) int64 { return u.Unauthorized }),
			text:    func(i int) (string, string) { return wording.Clip(res.Upstreams[i].Name, nameChars), "" },
			finding: none, refused: func(i int) int64 { return upstream(i).Unauthorized },
			columns: []columnSource{requests(upstream), accepted(upstream)},
		},
		sumSource("hosts", "Hosts", "Host", hosts, hostRows, p.hosts),
	}
	for i := range sources {
		if len(sources[i].order) > 0 {
			x.Tables = append(x.Tables, sources[i].table())
		}
	}
	var maps []*drawing
	for _, s := range []*tableSource{&sources[1], &sources[2]} {
		if d := drawHeat(s, b); d != nil {
			maps = append(maps, d)
		}
	}
	return x, maps
}

// sumSource makes a table of sums.
func sumSource(id, label, name string, sums []sumOf, order []int, profile map[int][]stepCount) tableSource {
	counts := func(i int) *result.Counts { return &sums[i].Counts }
	return tableSource{
		id: id, label: label, name: name, order: order, budget: smallBytes, profile: profile,
		all:     refused(sums, func(s *sumOf) int64 { return s.Unauthorized }),
		text:    func(i int) (string, string) { return wording.Clip(sums[i].Name, nameChars), "" },
		finding: func(int) string { return "" }, refused: func(i int) int64 { return counts(i).Unauthorized },
		columns: []columnSource{
			{"Requests", false, func(i int) int64 { return counts(i).Requests }},
			{"Accepted", false, func(i int) int64 { return counts(i).Accepted }},
		},
	}
}
