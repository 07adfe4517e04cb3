package document

import "logscan/analyze/result"

// Check is the JSON of logscan check.
type Check struct {
	SchemaVersion int         `json:"schema_version"`
	Server        string      `json:"server"` // nginx or apache
	File          string      `json:"file"`
	Routes        []Route     `json:"routes"`
	Faults        []Fault     `json:"faults"`
	Notes         []string    `json:"notes"`
	Comparison    *Comparison `json:"comparison,omitempty"`
}

// Route is a part of a configuration and what protects it.
type Route struct {
	Host      string                     `json:"host"`
	Path      string                     `json:"path"`
	Access    string                     `json:"access"` // open, protected, forbidden, answered, redirected or unknown
	Upstream  string                     `json:"upstream,omitempty"`
	File      string                     `json:"file"`
	Line      int                        `json:"line"`
	DecidedBy []result.ConfigurationLine `json:"decided_by"`
}

// Fault is a likely mistake in a configuration.
type Fault struct {
	Kind        string                     `json:"kind"`
	Certainty   string                     `json:"certainty"` // certain, likely or possible
	Text        string                     `json:"text"`
	Remediation string                     `json:"remediation"`
	Lines       []result.ConfigurationLine `json:"lines"`
}

// Comparison is what a changed configuration would do to the requests of a run.
type Comparison struct {
	Run       string        `json:"run"`
	Old       string        `json:"old"`
	Routes    int64         `json:"routes"`
	Requests  int64         `json:"requests"`
	Undecided int64         `json:"undecided_requests"`
	Changes   []RouteChange `json:"changes"`
}

// RouteChange is a route that two configurations treat differently.
type RouteChange struct {
	Host         string                     `json:"host"`
	Method       string                     `json:"method"`
	Route        string                     `json:"route"`
	Requests     int64                      `json:"requests"`
	Unauthorized int64                      `json:"unauthorized"`
	Before       string                     `json:"before"`
	After        string                     `json:"after"`
	BeforeBy     []result.ConfigurationLine `json:"before_by"`
	AfterBy      []result.ConfigurationLine `json:"after_by"`
}
