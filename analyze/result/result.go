// Package result is the model of what a run found: plain data that outputs render.
//
// Times are Unix microseconds in UTC, and parse.NoTime where there is none.
package result

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"strings"

	"logscan/parse/field"
)

// Result is what a run found. It is immutable, totally ordered, and free of clocks,
// host names and map order. Texts in it are decoded (no \x escapes) and redacted (no
// session id, token or password), and otherwise as hostile as the log that they come
// from: an output must escape them for its medium.
type Result struct {
	Inputs []Input // by path
	Totals Totals
	// PseudonymKey identifies the key of the pseudonyms of users and addresses; empty
	// if they are as logged.
	PseudonymKey string
	// Since and Until bound the time that counts; NoTime for no bound.
	Since, Until int64
	// Statuses are the statuses beside 401 that count as refusals, so "401" stands for
	// them too everywhere in a Result.
	Statuses []int32
	// Skips and Rejects count lines by reason (parse.Verdict names).
	Skips, Rejects map[string]int64
	// RejectedLines are up to MaxRejectedLines rejected lines, by file and line.
	RejectedLines []RejectedLine
	Causes        map[string]int64 // 401s by cause; every cause has an entry
	Residual      *Residual        // the 401s without a cause; nil if there are none
	Agreement     *Agreement       // of causes and stated reasons; nil if there is nothing to compare
	Findings      []Finding        // most severe first, muted ones last
	Resolved      []Finding        // findings of the baseline that are gone, in its order
	Undetectable  []Undetectable   // kinds of findings that the logs cannot show
	Notes         []Note
	Formats       []LogFormat // of the inputs, by name

	Endpoints []Endpoint // by host, route, method
	Accounts  []Account  // by user
	Clients   []Client   // by address, user agent
	Timeline  []Minute   // by minute, host

	Upstreams []Upstream // by name

	// Sessions yields the sessions by start and id: there may be more of them than
	// fit in memory. A row is valid until the next one.
	Sessions iter.Seq2[*Session, error]

	// Refusals yields every 401 that has a time, by time, as indexes of rows. It
	// costs little.
	Refusals iter.Seq[Refusal]

	// Unauthorized is every 401 by time, file and line. It is parsed from the stored
	// lines on every use. An error is a bug, or one of reading temporary files.
	Unauthorized Pieces[Unauthorized]

	// Requests are all requests by file and line, with those that were refused among
	// them; nil unless they were asked for. They are parsed as Unauthorized is.
	Requests *Pieces[Unauthorized]

	// AuthEvents are the events of error logs and identity providers; nil if there are none.
	AuthEvents *AuthEvents
	// Events are what operators say has happened, in order of time.
	Events []Event

	// Save writes the state for the next run; nil unless the run had a Carryover.
	Save func(io.Writer) error
}

// Pieces are rows that are made on demand, in pieces that may be made concurrently.
type Pieces[R any] struct {
	Len int // number of rows
	// Reader returns a function that yields the rows in [from, to). It belongs to one
	// goroutine; a row is valid until the next one.
	Reader func() func(from, to int) iter.Seq2[*R, error]
}

// MaxRejectedLines bounds rejects.ndjson.
const MaxRejectedLines = 1000

// Input is the ledger of one input: Lines = Parsed + Rejected + Skipped.
type Input struct {
	Path        string
	Format      string   // name of the format, or the format string given
	Closest     Match    // of an unknown format: the closest known one
	NoRequests  bool     // the format is that of an error log or the like: its lines are skipped
	Proposed    bool     // of an unknown format: the shape of its columns suggests a format string
	UTF16       bool     // of an unknown format: it is UTF-16 text, which has to be converted
	Missing     []string // fields that would help and no sampled line holds (parse.Extra)
	Compression string
	Bytes       int64 // decompressed bytes, each in exactly one line
	BytesBefore int64 // bytes before them, counted by an earlier run
	LinesBefore int64 // lines in BytesBefore
	BytesLeft   int64 // bytes after them, of an unfinished line: left for the next run
	Lines, Parsed, Rejected, Skipped,
	NoStatus, // of Parsed
	Unread, // of Rejected and NoStatus: they look like refusals
	Unauthorized int64
	FirstTime, LastTime int64
	Error               string // why it could not be read to its end; empty if it was
	OutOfRange          bool   // not read: everything in it is from before Since
	DuplicateOf         string // not read: it has the content of this input; else empty
}

// Totals sums the inputs.
type Totals struct {
	Bytes, Lines, Parsed, Rejected, Skipped int64
	NoStatus                                int64 // parsed lines without a status
	Unread                                  int64 // lines whose status is unknown, but look like refusals
	Unauthorized, Unexplained               int64
	FirstTime, LastTime                     int64
	Findings                                int64
}

// MuchRefused is the share of requests from which on a site is never fine, whatever each of
// its refusals looks like by itself: every third request is refused. The first legs of
// handshakes do not count.
const MuchRefused = 1.0 / 3

// RejectedLine is a line that could not be parsed. Raw is redacted and has at most
// MaxRawLine bytes.
type RejectedLine struct {
	Path   string
	Line   int64 // 1-based
	Reason string
	Raw    string
}

// MaxRawLine is the maximum length of a raw line in evidence, in bytes.
const MaxRawLine = 4 << 10

// Counts are requests by outcome. Requests is the sum of the others.
type Counts struct {
	Requests     int64
	Accepted     int64 // 2xx, 304 and 101
	Redirected   int64 // 3xx but 304
	Unauthorized int64 // 401
	Forbidden    int64 // 403
	NotFound     int64 // 404 and 410
	ClientErrors int64 // the other 4xx
	ServerErrors int64 // 5xx
	Other        int64 // 1xx, 000 or no status
}

// Endpoint is a virtual host, method and URL template.
type Endpoint struct {
	Host, Method, Template string
	Counts
	Actors        int64 // distinct actors that requested it
	RefusedActors int64 // distinct actors that got a 401 from it
	Protected     bool  // it refused some requests and accepted others, or accepts nobody without a name
	FirstTime, LastTime,
	FirstUnauthorized, LastUnauthorized int64
	FindingID string // the finding that explains most of its 401s; empty for none
}

// Account is a user name as logged. On a 401 it is a claim.
type Account struct {
	User string
	Counts
	Clients int64 // distinct clients that used or claimed it
	FirstAccepted, LastAccepted,
	FirstUnauthorized, LastUnauthorized int64
	FindingID string
}

// Client is an address and a user agent.
type Client struct {
	Address, UserAgent string
	Counts
	Users            int64 // distinct users that it named
	Sessions         int64 // distinct session ids that it sent
	RefusedEndpoints int64 // distinct endpoints that refused it
	FirstTime, LastTime,
	LastAccepted int64
	FindingID string
}

// Upstream is a backend, as logged.
type Upstream struct {
	Name string
	Counts
}

// Refusal is one 401, given as indexes of rows in a Result; -1 for none.
type Refusal struct {
	Time                                int64
	Endpoint, Account, Client, Upstream int
	Cause                               int // index into detect.CauseNames
	Finding                             int
}

// Session is an authenticated session of an actor, from the sign-in or first
// acceptance to what ended it, or to the end of the log.
type Session struct {
	ID                               string // hash of the session id; empty if the log has none
	User, Address, UserAgent, Host   string
	Start, LastAccepted, End         int64 // End is when a refusal ended it, or NoTime
	Requests, Accepted, Unauthorized int64
	LongestGap                       int64  // longest silence that it survived, microseconds
	StartSeen                        bool   // Start is its sign-in
	Open                             bool   // nothing ended it before the end of the log: no refusal, sign-out or other sign-in
	EndCause                         string // cause of the refusal that ended it; empty for none
	FindingID                        string
}

// Minute is what one virtual host answered in one minute.
type Minute struct {
	Time int64 // beginning of the minute
	Host string
	Counts
	Causes []int64 // 401s by cause, in the order of detect.CauseNames
}

// Unauthorized is one 401: a row of unauthorized.parquet. A row of requests.parquet has
// the same fields: Cause and FindingID are empty unless the request was refused.
type Unauthorized struct {
	Time                                    int64
	Method, Path, Query, Template, Scheme   string
	Status                                  int32
	BodySize                                int64 // bytes; -1 if not logged
	Duration                                int64 // microseconds; -1 if not logged
	Host, Referrer, Client, Peer, UserAgent string
	User, SessionID, Upstream               string
	LogPath                                 string
	LogLine                                 int64
	Cause, Reason, AnsweredBy, FindingID    string
	TokenExpiry                             int64 // expiry time in the token
	Refused                                 bool  // it is a 401
}

// Severity orders findings.
type Severity uint8

// The severities, least first.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

// String returns the stable name of s.
func (s Severity) String() string {
	return [...]string{"info", "low", "medium", "high", "critical"}[s]
}

// ParseSeverity returns the severity with a name.
func ParseSeverity(name string) (Severity, error) {
	for s := Info; s <= Critical; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is not a severity: use info, low, medium, high or critical", name)
}

// MarshalText implements encoding.TextMarshaler: in JSON, s is its name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Finding is one trouble that explains 401s.
type Finding struct {
	ID         string // kind and a hash of the subject: the same every night
	Kind       string // name of a row of the catalogue in package detect
	Category   string // session, endpoint, account, client, upstream, attack, traffic
	Severity   Severity
	Judgement  Judgement // why the site's policy changed the severity
	Confidence float64   // 0 to 1
	Subject    Subject
	// Text is that of a finding read back from an earlier output. For a finding
	// of this run it is empty: package report/wording makes it from the rest.
	Text
	Onset               int64 // NoTime when it was so from the first line
	FirstSeen, LastSeen int64
	Unauthorized        int64 // 401s that it explains
	Actors, Users       int64
	Details             any       // the kind's own figures: see Figures
	Fold                *Fold     // what it sums up; nil for a single finding
	Absorbed            []Finding // up to MaxAbsorbed findings that it explains away
	AbsorbedCount       int       // number of all findings that it explains away

	Reason     *Reason        // that the log states for most of its 401s; nil for none
	AnsweredBy field.Answerer // of nearly all its 401s

	Evidence []Evidence
	// Configuration is what the configuration of the server and of applications shows of
	// it; nil for nothing.
	Configuration *Configuration
	Change        *Change // since the baseline; nil without one
	Muted         *Muted  // set while the site's policy mutes it
	Event         *Event  // near its onset; nil if there is none

	Exhibit *Exhibit // figures for a chart
}

// Text is the text of a finding for people.
type Text struct {
	Title       string   // one line
	Explanation string   // a paragraph
	Remediation []string // steps
}

// MaxAbsorbed is how many absorbed findings a finding lists.
const MaxAbsorbed = 20

// Judgement is the reason why the site's policy changed the severity of a finding.
type Judgement uint8

// The judgements.
const (
	NotJudged      Judgement = iota
	KnownMonitor             // the client is a known monitor
	SharedAddress            // many people share the address
	ServiceAccount           // the account is that of a program, whose failure people may overlook
)

// Muted is the reason and the end of a mute. Muted findings are listed last.
type Muted struct {
	Reason string
	Until  int64 // Unix microseconds; the mute applies to logs that end before it
}

// Subject names what a finding is about. Fields that do not apply are empty.
type Subject struct {
	Type          string `json:"type"` // session_policy, site, endpoint, upstream, server, account, client, ...
	Host          string `json:"host,omitempty"`
	Method        string `json:"method,omitempty"`
	Route         string `json:"route,omitempty"`
	User          string `json:"user,omitempty"`
	ClientAddress string `json:"client_address,omitempty"`
	UserAgent     string `json:"user_agent,omitempty"`
	Upstream      string `json:"upstream,omitempty"`
	Server        string `json:"server,omitempty"` // whose log it is: a directory and the name of a log
}

// Endpoint names the endpoint of s: "GET www.example.org/a/{id}".
func (s *Subject) Endpoint() string {
	if name := strings.TrimSpace(s.Method + " " + s.Host + s.Route); name != "" {
		return name
	}
	return "requests without a path"
}

// Name names what s is about in few words.
func (s *Subject) Name() string {
	switch {
	case s.User != "" && s.UserAgent != "":
		return s.User + " with " + s.UserAgent
	case s.User != "":
		return s.User
	case s.ClientAddress != "" && s.UserAgent != "":
		return s.UserAgent + " at " + s.ClientAddress
	case s.ClientAddress != "":
		return s.ClientAddress
	case s.Route != "":
		return s.Endpoint()
	}
	return cmp.Or(s.UserAgent, s.Upstream, s.Server, s.Host)
}

// MaxEvidence is the most sample lines a finding carries.
const MaxEvidence = 20

// Evidence is a line of a log, redacted.
type Evidence struct {
	Path string `json:"file"`
	Line int64  `json:"line"`
	Raw  string `json:"raw"`
}

// Undetectable is a kind of finding that the logs of a run cannot show, because no
// line has the fields that it needs.
type Undetectable struct {
	Kind    string
	Missing []string // names of columns
}
