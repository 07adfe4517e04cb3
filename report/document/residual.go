package document

import "logscan/analyze/result"

// Residual describes the 401s that nothing explains.
type Residual struct {
	Unauthorized    int64          `json:"unauthorized"`
	Text            []string       `json:"text"` // in sentences
	Dimensions      []Dimension    `json:"dimensions"`
	Clients         int64          `json:"clients"`
	AcceptedClients int64          `json:"accepted_clients"`
	OtherRequests   Counts         `json:"other_requests"` // of these clients
	FirstTime       Stamp          `json:"first_time"`
	LastTime        Stamp          `json:"last_time"`
	BusiestHour     Stamp          `json:"busiest_hour"` // its start
	InBusiestHour   int64          `json:"unauthorized_in_busiest_hour"`
	Reason          *Reason        `json:"auth_reason"`      // null if the log states none for most of them
	AnsweredBy      string         `json:"auth_answered_by"` // proxy or upstream, empty if unknown or both
	Missing         []MissingField `json:"missing"`          // what to log to know more
	// Configuration are the lines of configurations that close some of the routes by mistake.
	Configuration []result.ConfigurationLine `json:"configuration,omitempty"`
}

// Dimension is one way to divide them.
type Dimension struct {
	Name     string  `json:"name"` // endpoint, client_address, user_agent, user, host, upstream or file
	Distinct int64   `json:"distinct"`
	Top      []Place `json:"top"`
}

// Place is a value of a dimension. The last two count the whole run.
type Place struct {
	Name         string `json:"name"`
	Unexplained  int64  `json:"unexplained"`
	Unauthorized int64  `json:"unauthorized"`
	Requests     int64  `json:"requests"`
}

// MissingField is a field that no line holds.
type MissingField struct {
	Field string `json:"field"`
	Why   string `json:"why"`
}

// Counts are requests by outcome.
type Counts struct {
	Requests     int64 `json:"requests"`
	Accepted     int64 `json:"accepted"`
	Redirected   int64 `json:"redirected"`
	Unauthorized int64 `json:"unauthorized"`
	Forbidden    int64 `json:"forbidden"`
	NotFound     int64 `json:"not_found"`
	ClientErrors int64 `json:"client_errors"`
	ServerErrors int64 `json:"server_errors"`
	Other        int64 `json:"other"`
}

// NewCounts returns the counts of a result.
func NewCounts(c *result.Counts) Counts { return Counts(*c) }

// Reason is the reason that the log states for most of some 401s.
type Reason struct {
	Reason       string `json:"reason"`
	Class        string `json:"class"`
	Unauthorized int64  `json:"unauthorized"` // with this reason
	Stated       int64  `json:"stated"`       // with any reason
}

// NewReason returns the reason of a result, nil for none.
func NewReason(r *result.Reason) *Reason {
	if r == nil {
		return nil
	}
	return &Reason{r.Text, r.Class.String(), r.N, r.Stated}
}

// Verdict is the verdict on a run: trouble, harmless and unexplained add up to
// unauthorized.
type Verdict struct {
	Level        string    `json:"level"` // a severity, ok, or unknown
	Sentence     string    `json:"sentence"`
	Rest         string    `json:"rest"`
	Warning      string    `json:"warning"`
	Reassures    bool      `json:"reassures"`
	Unauthorized int64     `json:"unauthorized"`
	Trouble      int64     `json:"trouble"`
	Harmless     int64     `json:"harmless"`
	Unexplained  int64     `json:"unexplained"`
	Muted        int64     `json:"muted"` // part of harmless
	BreakIns     []BreakIn `json:"break_ins"`
}

// BreakIn is an attack that succeeded.
type BreakIn struct {
	FindingID     string   `json:"finding_id"`
	Users         []string `json:"users"`
	Host          string   `json:"host,omitempty"`
	ClientAddress string   `json:"client_address,omitempty"`
	Addresses     int      `json:"addresses,omitempty"` // if it came from several
	Time          Stamp    `json:"time"`                // of the first success
}
