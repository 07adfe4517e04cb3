package document

import (
	"time"

	"logscan/analyze/result"
)

// Run says who made an output, when, and what it took. Only the manifest may hold
// it: every other file depends on the result and the version alone.
type Run struct {
	ToolName, Version, Commit string
	Arguments                 []string
	Baseline                  string // output that the run was compared with; may be empty
	Started, Finished         time.Time
	WallSeconds, CPUSeconds   float64
	Phases                    map[string]float64 // wall seconds by phase
	PeakRSSBytes              int64
	SpilledBytes              int64    // written to temporary files
	State                     *StateID // saved for the next run; nil without --state
}

// Manifest is manifest.json.
type Manifest struct {
	SchemaVersion   int                  `json:"schema_version"`
	Tool            Tool                 `json:"tool"`
	Arguments       []string             `json:"arguments"`
	Baseline        *string              `json:"baseline"` // output that the findings are compared with; null for none
	StartedAt       string               `json:"started_at"`
	FinishedAt      string               `json:"finished_at"`
	Range           Range                `json:"range"`
	RefusalStatuses []int32              `json:"refusal_statuses"` // that count as refusals beside 401
	Inputs          []Input              `json:"inputs"`
	Totals          Totals               `json:"totals"`
	Skips           map[string]int64     `json:"skips"`
	Rejects         map[string]int64     `json:"rejects"`
	Causes          map[string]int64     `json:"causes"`
	AuthEvents      []AuthEvents         `json:"auth_events"`
	ReasonAgreement *ReasonAgreement     `json:"reason_agreement"` // null if nothing states a reason that can be compared
	Undetectable    []Undetectable       `json:"undetectable"`
	Tables          map[string]TableSize `json:"tables"`
	PseudonymKey    *string              `json:"pseudonym_key"` // identifies the key; null if users and addresses are as logged
	Notes           []string             `json:"notes"`
	State           *StateID             `json:"state"` // saved for the next run; null without --state
	Resources       Resources            `json:"resources"`
}

// Key returns the id of the key that users and addresses are pseudonymized with,
// empty if they are as logged.
func (m *Manifest) Key() string {
	if m.PseudonymKey == nil {
		return ""
	}
	return *m.PseudonymKey
}

// Tool is the program that wrote the output.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// Range is the time range that was analysed, from Since up to but excluding Until;
// null for no bound.
type Range struct {
	Since Stamp `json:"since"`
	Until Stamp `json:"until"`
}

// Input is one input: lines = parsed + rejected + skipped.
type Input struct {
	Path         string   `json:"path"`
	Format       string   `json:"format"`
	Compression  string   `json:"compression"`
	Bytes        int64    `json:"bytes"`
	Lines        int64    `json:"lines"`
	Parsed       int64    `json:"parsed"`
	Rejected     int64    `json:"rejected"`
	Skipped      int64    `json:"skipped"`
	Unauthorized int64    `json:"unauthorized"`
	FirstTime    Stamp    `json:"first_time"`
	LastTime     Stamp    `json:"last_time"`
	Missing      []string `json:"missing"` // fields that no sampled line has
	Error        *string  `json:"error"`   // null if it was read to its end
	OutOfRange   bool     `json:"out_of_range"`
	DuplicateOf  *string  `json:"duplicate_of"` // null if it was read
	BytesBefore  int64    `json:"bytes_before"` // at its beginning, counted by earlier runs
	LinesBefore  int64    `json:"lines_before"`
	BytesLeft    int64    `json:"bytes_left"` // of an incomplete last line, left for the next run
}

// AuthEvents are the events of one error log or log of an identity provider. A 401 is
// looked for those that are matched, ambiguous or unmatched.
type AuthEvents struct {
	Source      string  `json:"source"` // format of its lines
	Path        string  `json:"path"`   // without dates and numbers of rotated files
	Events      int64   `json:"events"`
	Matched     int64   `json:"matched"`
	Ambiguous   int64   `json:"ambiguous"` // several 401s could be meant
	Unmatched   int64   `json:"unmatched"`
	ClockOffset float64 `json:"clock_offset_seconds"` // ahead of the access logs, time zones included
}

// Undetectable is a kind of finding that the logs cannot show because fields are
// missing.
type Undetectable struct {
	Kind    string   `json:"kind"`
	Missing []string `json:"missing"` // names of columns
}

// ReasonAgreement says how often causes agree with the reasons that the lines of the
// same refusals, or events about them, state.
type ReasonAgreement struct {
	Compared int64 `json:"compared"`
	Agreeing int64 `json:"agreeing"`
}

// Totals are the sums over all inputs.
type Totals struct {
	Bytes        int64 `json:"bytes"`
	Lines        int64 `json:"lines"`
	Parsed       int64 `json:"parsed"`
	Rejected     int64 `json:"rejected"`
	Skipped      int64 `json:"skipped"`
	Unauthorized int64 `json:"unauthorized"`
	Unexplained  int64 `json:"unexplained"`
	Findings     int64 `json:"findings"`
	FirstTime    Stamp `json:"first_time"`
	LastTime     Stamp `json:"last_time"`
}

// NewTotals returns the totals of a result.
func NewTotals(t *result.Totals) Totals {
	return Totals{t.Bytes, t.Lines, t.Parsed, t.Rejected, t.Skipped, t.Unauthorized, t.Unexplained, t.Findings,
		Stamp(t.FirstTime), Stamp(t.LastTime)}
}

// TableSize is the size of a Parquet file.
type TableSize struct {
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
}

// StateID identifies the state file that a run saved.
type StateID struct {
	File     string `json:"file"` // as given by the user
	ID       string `json:"id"`   // SHA-256 of the file
	Repeated bool   `json:"repeated"`
}

// Resources is what the run took.
type Resources struct {
	WallSeconds    float64            `json:"wall_seconds"`
	CPUSeconds     float64            `json:"cpu_seconds"`
	Phases         map[string]float64 `json:"phases"` // wall seconds: read, correlate, detect, result, write
	PeakRSSBytes   int64              `json:"peak_rss_bytes"`
	BytesPerSecond int64              `json:"bytes_per_second"` // decompressed, wall clock
	SpilledBytes   int64              `json:"spilled_bytes"`
}

// NewManifest returns the manifest of a run and its result. notes are the sentences of
// the result's notes.
func NewManifest(run Run, res *result.Result, notes []string, tables map[string]TableSize) Manifest {
	m := Manifest{
		SchemaVersion:   SchemaVersion,
		Tool:            Tool{run.ToolName, run.Version, run.Commit},
		Arguments:       append([]string{}, run.Arguments...),
		StartedAt:       run.Started.UTC().Format(time.RFC3339Nano),
		FinishedAt:      run.Finished.UTC().Format(time.RFC3339Nano),
		Range:           Range{Stamp(res.Since), Stamp(res.Until)},
		RefusalStatuses: append([]int32{}, res.Statuses...),
		Inputs:          make([]Input, 0, len(res.Inputs)),
		Totals:          NewTotals(&res.Totals),
		Skips:           orEmpty(res.Skips), Rejects: orEmpty(res.Rejects), Causes: orEmpty(res.Causes),
		AuthEvents:   newAuthEvents(res.AuthEvents),
		Undetectable: []Undetectable{},
		Tables:       tables,
		Notes:        append([]string{}, notes...),
		State:        run.State,
		Resources:    newResources(run, res.Totals.Bytes),
	}
	if run.Baseline != "" {
		m.Baseline = &run.Baseline
	}
	if res.PseudonymKey != "" {
		m.PseudonymKey = &res.PseudonymKey
	}
	if a := res.Agreement; a != nil {
		m.ReasonAgreement = &ReasonAgreement{a.Compared, a.Agreeing}
	}
	for _, u := range res.Undetectable {
		m.Undetectable = append(m.Undetectable, Undetectable(u))
	}
	for i := range res.Inputs {
		m.Inputs = append(m.Inputs, newInput(&res.Inputs[i]))
	}
	return m
}

func newAuthEvents(e *result.AuthEvents) []AuthEvents {
	all := []AuthEvents{}
	if e == nil {
		return all
	}
	for _, s := range e.Sources {
		all = append(all, AuthEvents{s.Kind, s.Name, s.Events, s.Matched, s.Ambiguous, s.Unmatched, float64(s.Offset) / 1e6})
	}
	return all
}

func newResources(run Run, bytes int64) Resources {
	r := Resources{
		WallSeconds: Finite(run.WallSeconds), CPUSeconds: Finite(run.CPUSeconds),
		PeakRSSBytes: run.PeakRSSBytes, SpilledBytes: run.SpilledBytes, Phases: map[string]float64{},
	}
	for name, seconds := range run.Phases {
		r.Phases[name] = Finite(seconds)
	}
	if run.WallSeconds > 0 {
		r.BytesPerSecond = int64(Finite(float64(bytes) / run.WallSeconds))
	}
	return r
}

func newInput(in *result.Input) Input {
	row := Input{
		Path: in.Path, Format: in.Format, Compression: in.Compression, Missing: append([]string{}, in.Missing...),
		Bytes: in.Bytes, Lines: in.Lines, Parsed: in.Parsed, Rejected: in.Rejected, Skipped: in.Skipped,
		Unauthorized: in.Unauthorized, FirstTime: Stamp(in.FirstTime), LastTime: Stamp(in.LastTime), OutOfRange: in.OutOfRange,
		BytesBefore: in.BytesBefore, LinesBefore: in.LinesBefore, BytesLeft: in.BytesLeft,
	}
	if in.Error != "" {
		row.Error = &in.Error
	}
	if in.DuplicateOf != "" {
		row.DuplicateOf = &in.DuplicateOf
	}
	return row
}

func orEmpty(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}
