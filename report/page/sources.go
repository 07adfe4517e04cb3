package page

import (
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

// tableSource is what a table of the explorer, a heat map and a table of the worst
// rows are made from. Rows are numbered as in the result.
type tableSource struct {
	id, label, name, about string // about: what the note of a row is, or empty
	order                  []int  // rows with 401s, most 401s first
	all                    int    // rows with 401s, including those not in order
	budget                 int    // bytes of the table in the report
	profile                map[int][]stepCount
	row                    func(result.Refusal) int // of a 401; -1 for none
	text                   func(int) (name, note string)
	finding                func(int) string         // id, or empty
	counts                 func(int) *result.Counts // nil for findings
	refused                func(int) int64
	columns                []columnSource
}

type columnSource struct {
	label string
	time  bool
	value func(int) int64
}

// The bytes that the rows of a table may take, so that the report can be mailed. The
// findings, which the report is about, are all in it.
const (
	endpointBytes = 220 << 10
	accountBytes  = 160 << 10
	clientBytes   = 240 << 10
	smallBytes    = 60 << 10
	findingBytes  = 2 << 20
)

// newSources returns the tables of the explorer, in the order of their tabs.
func newSources(r *wording.Report) []*tableSource {
	agents, agentOf := sumBy(r.Clients, func(c *result.Client) string { return c.UserAgent }, func(c *result.Client) *result.Counts { return &c.Counts })
	hosts, hostOf := sumBy(r.Endpoints, func(e *result.Endpoint) string { return e.Host }, func(e *result.Endpoint) *result.Counts { return &e.Counts })
	return []*tableSource{
		findingSource(r),
		endpointSource(r.Endpoints),
		accountSource(r.Accounts),
		clientSource(r.Clients),
		sumSource(agents, "agents", "User agents", "User agent", func(x result.Refusal) int { return lookUp(agentOf, x.Client) }),
		upstreamSource(r.Upstreams),
		sumSource(hosts, "hosts", "Hosts", "Host", func(x result.Refusal) int { return lookUp(hostOf, x.Endpoint) }),
	}
}

// lookUp returns list[i], or -1 if i is -1.
func lookUp(list []int, i int) int {
	if i < 0 {
		return -1
	}
	return list[i]
}

// countedSource returns the source of a table whose rows have counts, without what
// is particular to the table.
func countedSource[R any](rows []R, counts func(*R) *result.Counts) *tableSource {
	at := func(i int) *result.Counts { return counts(&rows[i]) }
	order, all := rankRows(rows, counts)
	return &tableSource{
		order: order, all: all, budget: smallBytes, counts: at,
		finding: func(int) string { return "" },
		refused: func(i int) int64 { return at(i).Unauthorized },
		columns: []columnSource{
			{"Requests", false, func(i int) int64 { return at(i).Requests }},
			{"Accepted", false, func(i int) int64 { return at(i).Accepted }},
		},
	}
}

func findingSource(r *wording.Report) *tableSource {
	order := make([]int, min(len(r.Described), maxProfiles))
	for i := range order {
		order[i] = i
	}
	return &tableSource{
		id: "findings", label: "Findings", name: "Finding", about: "Severity", order: order, all: len(r.Described), budget: findingBytes,
		row: func(x result.Refusal) int { return x.Finding },
		text: func(i int) (string, string) {
			return wording.Clip(r.Described[i].Title, wording.MaxTitle), r.Described[i].Severity
		},
		finding: func(i int) string { return r.Described[i].ID },
		refused: func(i int) int64 { return r.Described[i].Unauthorized },
		columns: []columnSource{
			{"Actors", false, func(i int) int64 { return r.Described[i].Actors }},
			{"Since", true, func(i int) int64 { return milliseconds(int64(r.Described[i].Onset)) }},
		},
	}
}

func endpointSource(rows []result.Endpoint) *tableSource {
	s := countedSource(rows, func(e *result.Endpoint) *result.Counts { return &e.Counts })
	s.id, s.label, s.name, s.about, s.budget = "endpoints", "Endpoints", "Endpoint", "Host", endpointBytes
	s.row = func(x result.Refusal) int { return x.Endpoint }
	s.text = func(i int) (string, string) {
		return endpointName(rows[i].Method, rows[i].Template), wording.Clip(rows[i].Host, wording.MaxName)
	}
	s.finding = func(i int) string { return rows[i].FindingID }
	s.columns = append(s.columns, columnSource{"Actors refused", false, func(i int) int64 { return rows[i].RefusedActors }})
	return s
}

func accountSource(rows []result.Account) *tableSource {
	s := countedSource(rows, func(a *result.Account) *result.Counts { return &a.Counts })
	s.id, s.label, s.name, s.budget = "accounts", "Accounts", "User", accountBytes
	s.row = func(x result.Refusal) int { return x.Account }
	s.text = func(i int) (string, string) { return wording.Clip(rows[i].User, wording.MaxName), "" }
	s.finding = func(i int) string { return rows[i].FindingID }
	s.columns = append(s.columns,
		columnSource{"Clients", false, func(i int) int64 { return rows[i].Clients }},
		columnSource{"Last accepted", true, func(i int) int64 { return milliseconds(rows[i].LastAccepted) }})
	return s
}

func clientSource(rows []result.Client) *tableSource {
	s := countedSource(rows, func(c *result.Client) *result.Counts { return &c.Counts })
	s.id, s.label, s.name, s.about, s.budget = "clients", "Clients", "Address", "User agent", clientBytes
	s.row = func(x result.Refusal) int { return x.Client }
	s.text = func(i int) (string, string) {
		return wording.Clip(rows[i].Address, wording.MaxName), wording.Clip(rows[i].UserAgent, maxAgent)
	}
	s.finding = func(i int) string { return rows[i].FindingID }
	s.columns = append(s.columns, columnSource{"Users", false, func(i int) int64 { return rows[i].Users }})
	return s
}

func upstreamSource(rows []result.Upstream) *tableSource {
	s := countedSource(rows, func(u *result.Upstream) *result.Counts { return &u.Counts })
	s.id, s.label, s.name = "upstreams", "Backends", "Backend"
	s.row = func(x result.Refusal) int { return x.Upstream }
	s.text = func(i int) (string, string) { return wording.Clip(rows[i].Name, wording.MaxName), "" }
	return s
}

func sumSource(rows []sum, id, label, name string, row func(result.Refusal) int) *tableSource {
	s := countedSource(rows, func(s *sum) *result.Counts { return &s.Counts })
	s.id, s.label, s.name, s.row = id, label, name, row
	s.text = func(i int) (string, string) { return wording.Clip(rows[i].Name, wording.MaxName), "" }
	return s
}

// milliseconds converts microseconds for the script; it returns 0 for no time.
func milliseconds(us int64) int64 {
	if us == parse.NoTime {
		return 0
	}
	return us / 1000
}
