package document

import (
	"fmt"

	"logscan/analyze/result"
)

// Findings is findings.json.
type Findings struct {
	SchemaVersion int       `json:"schema_version"`
	Verdict       *Verdict  `json:"verdict"`  // null in outputs of versions without it
	Findings      []Finding `json:"findings"` // most severe first
	More          *More     `json:"more"`     // null if all are in Findings
	Resolved      []Finding `json:"resolved"` // findings of the baseline that are gone
	Residual      *Residual `json:"residual"` // null if nothing is unexplained
}

// NewFindings returns a document. Its lists are never null.
func NewFindings(f Findings) Findings {
	f.SchemaVersion = SchemaVersion
	f.Findings, f.Resolved = append([]Finding{}, f.Findings...), append([]Finding{}, f.Resolved...)
	return f
}

// Finding is a finding with its texts.
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
	Reason       *Reason           `json:"auth_reason,omitempty"`      // that the log states for most of its 401s
	AnsweredBy   string            `json:"auth_answered_by,omitempty"` // proxy or upstream: who answered nearly all of them
	Evidence     []result.Evidence `json:"evidence"`
	Commands     []Command         `json:"commands,omitempty"`
	// Configuration are the lines of configurations that cause or rule it.
	Configuration []result.ConfigurationLine `json:"configuration,omitempty"`
	Status        string                     `json:"status,omitempty"` // compared with the baseline, if there is one
	Change        *Change                    `json:"change,omitempty"`
	Muted         *Muted                     `json:"muted,omitempty"`
	Event         *Event                     `json:"event,omitempty"` // near its onset, as given by --event
}

// Command is what can be run in a shell, or put into the configuration of a server.
type Command struct {
	Purpose       string `json:"purpose"`
	Command       string `json:"command"`
	Documentation string `json:"documentation,omitempty"` // URL of what it means
}

// Event is something that operators say has happened.
type Event struct {
	Time Stamp  `json:"time"`
	Text string `json:"text"`
}

// Muted says why a finding is muted, and until when.
type Muted struct {
	Reason string `json:"reason"`
	Until  Stamp  `json:"until"`
}

// Change is how a finding differs from the baseline's.
type Change struct {
	Severity     string  `json:"severity_before"`
	Unauthorized int64   `json:"unauthorized_before"`
	Ratio        float64 `json:"rate_ratio"` // 401s per request, now divided by before
	PValue       float64 `json:"p_value"`    // chance of such a ratio if nothing has changed
}

// Result returns f as a finding of a result, as far as later runs compare it or
// show it as resolved. It fails on an unknown severity.
func (f *Finding) Result() (result.Finding, error) {
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
