package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

// Stamp is a time in Unix microseconds, parse.NoTime where there is none. In
// JSON it is RFC 3339 in UTC, or null.
type Stamp int64

// MarshalJSON never fails: years beyond four digits are written as they are.
func (s Stamp) MarshalJSON() ([]byte, error) {
	if s == parse.NoTime {
		return []byte("null"), nil
	}
	b := append([]byte(nil), '"')
	b = time.UnixMicro(int64(s)).UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"'), nil
}

// UnmarshalJSON takes what MarshalJSON writes.
func (s *Stamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = parse.NoTime
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return err
	}
	*s = Stamp(t.UnixMicro())
	return nil
}

type findingsFile struct {
	SchemaVersion int       `json:"schema_version"`
	Findings      []Finding `json:"findings"`
	Resolved      []Finding `json:"resolved"` // of the baseline
}

// Finding is a finding as findings.json tells it.
type Finding struct {
	ID           string            `json:"id"`
	Kind         string            `json:"kind"`
	Category     string            `json:"category"`
	Severity     string            `json:"severity"`
	Confidence   float64           `json:"confidence"`
	Subject      result.Subject    `json:"subject"`
	Title        string            `json:"title"`
	Explanation  string            `json:"explanation"`
	Remediation  []string          `json:"remediation"`
	Onset        Stamp             `json:"onset"`
	FirstSeen    Stamp             `json:"first_seen"`
	LastSeen     Stamp             `json:"last_seen"`
	Unauthorized int64             `json:"unauthorized"`
	Actors       int64             `json:"actors"`
	Users        int64             `json:"users"`
	Details      map[string]any    `json:"details"`
	Evidence     []result.Evidence `json:"evidence"`
	Status       string            `json:"status,omitempty"` // against the baseline, where there is one
	Change       *Change           `json:"change,omitempty"`
	Muted        *Muted            `json:"muted,omitempty"` // it is known and left as it is
}

// Muted says why a finding is left as it is, and until when.
type Muted struct {
	Reason string `json:"reason"`
	Until  Stamp  `json:"until"`
}

// Change is what has changed of a finding since the baseline: what it was then,
// how many times as many 401s a request there are now, and the chance of such a
// difference where nothing has changed.
type Change struct {
	Severity     string  `json:"severity_before"`
	Unauthorized int64   `json:"unauthorized_before"`
	Ratio        float64 `json:"rate_ratio"`
	PValue       float64 `json:"p_value"`
}

// findingOf returns a finding of a result in its JSON form. It shares f's slices.
func findingOf(f *result.Finding, d *wording.Describer) Finding {
	text := d.Text(f)
	out := Finding{
		ID: f.ID, Kind: f.Kind, Category: f.Category, Severity: f.Severity.String(), Confidence: finite(f.Confidence),
		Subject: f.Subject, Title: text.Title, Explanation: text.Explanation, Remediation: text.Remediation,
		Onset: Stamp(f.Onset), FirstSeen: Stamp(f.FirstSeen), LastSeen: Stamp(f.LastSeen),
		Unauthorized: f.Unauthorized, Actors: f.Actors, Users: f.Users,
		Details: detailsOf(f, d), Evidence: f.Evidence,
	}
	if f.Muted != nil {
		out.Muted = &Muted{f.Muted.Reason, Stamp(f.Muted.Until)}
	}
	if c := f.Change; c != nil {
		out.Status = string(c.Status)
		if c.Status != result.StatusNew {
			out.Change = &Change{c.Severity.String(), c.Unauthorized, finite(c.Ratio), finite(c.PValue)}
		}
	}
	if out.Remediation == nil {
		out.Remediation = []string{}
	}
	if out.Evidence == nil {
		out.Evidence = []result.Evidence{}
	}
	return out
}

// detailsOf returns the details of a finding as JSON has them, with the titles of
// what it explains away.
func detailsOf(f *result.Finding, d *wording.Describer) map[string]any {
	details := map[string]any{}
	for _, x := range result.Figures(f.Details) {
		details[x.Key] = representable(x.Value)
	}
	if f.AbsorbedCount > 0 {
		var titles []string
		for i := range f.Absorbed {
			titles = append(titles, d.Text(&f.Absorbed[i]).Title)
		}
		details["absorbed"], details["absorbed_count"] = titles, f.AbsorbedCount
	}
	return details
}

// WriteFindings writes the findings of a finished run as findings.json has them.
func WriteFindings(w io.Writer, r *Report) error {
	return writeDocument(w, findingsFile{SchemaVersion, append([]Finding{}, r.Findings...), append([]Finding{}, r.Resolved...)})
}

// WriteFinding writes one finding as findings.json has it.
func WriteFinding(w io.Writer, f *Finding) error { return writeDocument(w, f) }

func findingsOf(all []result.Finding) []Finding {
	var d wording.Describer
	list := make([]Finding, len(all))
	for i := range all {
		list[i] = findingOf(&all[i], &d)
	}
	return list
}

// finding is a finding that was read back, as far as others are compared with
// it or it is shown as resolved.
func (f *Finding) finding() (result.Finding, error) {
	severity, err := result.ParseSeverity(f.Severity)
	if err != nil {
		return result.Finding{}, fmt.Errorf("finding %q: %w", f.ID, err)
	}
	return result.Finding{
		ID: f.ID, Kind: f.Kind, Category: f.Category, Severity: severity, Confidence: f.Confidence, Subject: f.Subject,
		Text:  result.Text{Title: f.Title, Explanation: f.Explanation, Remediation: f.Remediation},
		Onset: int64(f.Onset), FirstSeen: int64(f.FirstSeen), LastSeen: int64(f.LastSeen),
		Unauthorized: f.Unauthorized, Actors: f.Actors, Users: f.Users, Details: f.Details, Evidence: f.Evidence,
	}, nil
}

// finite is x, or 0 where x is none that JSON can say.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// representable is v, a figure of Details, or nil where JSON cannot say it.
func representable(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case []float64:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = representable(x)
		}
		return list
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = representable(x)
		}
		return list
	}
	return v
}

func writeFindings(_ context.Context, j *job, w io.Writer) error {
	return writeDocument(w, findingsFile{
		SchemaVersion: SchemaVersion, Findings: findingsOf(j.res.Findings), Resolved: findingsOf(j.res.Resolved),
	})
}

// Manifest is manifest.json.
type Manifest struct {
	SchemaVersion int                  `json:"schema_version"`
	Tool          Tool                 `json:"tool"`
	Arguments     []string             `json:"arguments"`
	StartedAt     string               `json:"started_at"`
	FinishedAt    string               `json:"finished_at"`
	Range         Range                `json:"range"`
	Inputs        []ManifestInput      `json:"inputs"`
	Totals        Totals               `json:"totals"`
	Skips         map[string]int64     `json:"skips"`
	Rejects       map[string]int64     `json:"rejects"`
	Causes        map[string]int64     `json:"causes"`
	Undetectable  []Undetectable       `json:"undetectable"`
	Tables        map[string]tableSize `json:"tables"`
	PseudonymKey  *string              `json:"pseudonym_key"` // tells keys apart; null where users and addresses are told as logged
	Notes         []string             `json:"notes"`
	State         *StateID             `json:"state"` // that it left for the next run; null without
	Resources     Resources            `json:"resources"`
}

// Tool says what wrote the output.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// Range is the range of time that counts: from Since on and before Until, null
// where there is no bound.
type Range struct {
	Since Stamp `json:"since"`
	Until Stamp `json:"until"`
}

// ManifestInput is the ledger of one input.
type ManifestInput struct {
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
	Missing      []string `json:"missing"` // fields that no sampled line holds
	Error        *string  `json:"error"`   // null when it was read to its end
	OutOfRange   bool     `json:"out_of_range"`
	DuplicateOf  *string  `json:"duplicate_of"` // null when it was read
	BytesBefore  int64    `json:"bytes_before"` // counted by earlier runs, before these
	LinesBefore  int64    `json:"lines_before"`
	BytesLeft    int64    `json:"bytes_left"` // of a line without its end, left for the next run
}

// Undetectable is a kind of finding that the logs cannot show, for want of
// fields.
type Undetectable struct {
	Kind    string   `json:"kind"`
	Missing []string `json:"missing"` // names of columns
}

// Totals sums the inputs.
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

func totalsOf(t *result.Totals) Totals {
	return Totals{t.Bytes, t.Lines, t.Parsed, t.Rejected, t.Skipped, t.Unauthorized, t.Unexplained, t.Findings,
		Stamp(t.FirstTime), Stamp(t.LastTime)}
}

// Resources is what the run took.
type Resources struct {
	WallSeconds    float64            `json:"wall_seconds"`
	CPUSeconds     float64            `json:"cpu_seconds"`
	Phases         map[string]float64 `json:"phases"` // wall seconds: read, correlate, detect, result, write
	PeakRSSBytes   int64              `json:"peak_rss_bytes"`
	BytesPerSecond int64              `json:"bytes_per_second"` // decompressed, by the wall clock
	SpilledBytes   int64              `json:"spilled_bytes"`
}

func writeManifest(_ context.Context, j *job, w io.Writer) error {
	run, t := j.run(), &j.res.Totals
	m := Manifest{
		SchemaVersion: SchemaVersion,
		Tool:          Tool{run.ToolName, run.Version, run.Commit},
		Arguments:     append([]string{}, run.Arguments...),
		StartedAt:     run.Started.UTC().Format(time.RFC3339Nano),
		FinishedAt:    run.Finished.UTC().Format(time.RFC3339Nano),
		Range:         Range{Stamp(j.res.Since), Stamp(j.res.Until)},
		Inputs:        []ManifestInput{},
		Totals:        totalsOf(t),
		Skips:         orEmpty(j.res.Skips), Rejects: orEmpty(j.res.Rejects), Causes: orEmpty(j.res.Causes),
		Tables: j.sizes,
		Notes:  wording.Notes(j.res.Notes),
		State:  run.State,
		Resources: Resources{
			WallSeconds: finite(run.WallSeconds), CPUSeconds: finite(run.CPUSeconds),
			PeakRSSBytes: run.PeakRSSBytes, SpilledBytes: run.SpilledBytes, Phases: map[string]float64{},
		},
	}
	if j.res.PseudonymKey != "" {
		m.PseudonymKey = &j.res.PseudonymKey
	}
	for name, seconds := range run.Phases {
		m.Resources.Phases[name] = finite(seconds)
	}
	m.Undetectable = []Undetectable{}
	for _, u := range j.res.Undetectable {
		m.Undetectable = append(m.Undetectable, Undetectable(u))
	}
	if run.WallSeconds > 0 {
		m.Resources.BytesPerSecond = int64(finite(float64(t.Bytes) / run.WallSeconds))
	}
	for i := range j.res.Inputs {
		in := &j.res.Inputs[i]
		row := ManifestInput{
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
		m.Inputs = append(m.Inputs, row)
	}
	return writeDocument(w, m)
}

func orEmpty(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}

// reject is a line of rejects.ndjson.
type reject struct {
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

func writeRejects(_ context.Context, j *job, w io.Writer) error {
	lines := j.res.RejectedLines
	for i := range lines[:min(len(lines), result.MaxRejectedLines)] {
		l := &lines[i]
		b, err := json.Marshal(reject{l.Path, l.Line, l.Reason, l.Raw})
		if err != nil {
			return err
		}
		if _, err := w.Write(append(escapeUnprintable(b), '\n')); err != nil {
			return err
		}
	}
	return nil
}

// writeDocument writes v as JSON that people can read and compare line by line.
func writeDocument(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return errors.Join(errors.New("BUG: a value that JSON cannot say"), err)
	}
	_, err := w.Write(escapeUnprintable(b.Bytes()))
	return err
}

// escapeUnprintable writes DEL, the C1 controls, bidirectional overrides and
// other invisible characters of a JSON text as \u escapes: the value stays the
// same, and showing the file in a terminal stays harmless. Such characters can
// stand in strings only; below U+0020 encoding/json has escaped them already.
func escapeUnprintable(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] < 0x7f {
			out = append(out, b[i])
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case strconv.IsPrint(r):
			out = append(out, b[i:i+size]...)
		case r > 0xffff:
			r -= 0x10000
			out = appendEscape(appendEscape(out, 0xd800+r>>10), 0xdc00+r&0x3ff)
		default:
			out = appendEscape(out, r)
		}
		i += size
	}
	return out
}

func appendEscape(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
