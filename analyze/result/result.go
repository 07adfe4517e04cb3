package result

import (
	"fmt"
	"io"
	"iter"
)

// Result is everything a run found out: immutable, totally ordered, free of
// clocks, host names and map order. Texts in it are decoded (no \x escapes),
// redacted (no session id, token or password) and otherwise as hostile as the
// log they come from: an output escapes them for its medium.
type Result struct {
	Inputs []Input // in the order of their paths
	Totals Totals
	// PseudonymKey tells apart the keys that users and addresses were made
	// pseudonyms with; empty where they are told as logged.
	PseudonymKey string
	// Since and Until are the range of time that counts, NoTime for no bound.
	Since, Until int64
	// Skips and Rejects count lines by reason (parse.Verdict names).
	Skips, Rejects map[string]int64
	// RejectedLines are up to MaxRejectedLines rejected lines, by file and line.
	RejectedLines []RejectedLine
	Causes        map[string]int64 // 401s by cause; every cause stands in it
	Findings      []Finding        // most severe first, those that are muted last
	Resolved      []Finding        // those of the baseline that are gone, in its order
	Undetectable  []Undetectable   // kinds of findings that the logs cannot show
	Notes         []Note
	Formats       []LogFormat // that inputs have and samples of theirs were read by, by name

	Endpoints []Endpoint // by host, route, method
	Accounts  []Account  // by user
	Clients   []Client   // by address, user agent
	Timeline  []Minute   // by minute, host

	Upstreams []Upstream // by name

	// Sessions yields the sessions by first time, id: there may be more of them
	// than fit in memory. A row is valid until the next one.
	Sessions iter.Seq2[*Session, error]

	// Refusals yields every 401 that has a time, by time, as numbers of rows.
	// It costs little.
	Refusals iter.Seq[Refusal]

	// Unauthorized is every 401 by time, file and line. It is made of what the
	// run kept of the 401 lines, so it costs time on every use; it fails only on a
	// bug or a full disk.
	Unauthorized Pieces[Unauthorized]

	// Save writes what a later run is to know (see Carryover); nil where Options.Carryover
	// was. It costs time on every use.
	Save func(io.Writer) error
}

// Pieces are rows that are made when they are asked for: pieces of them may be
// made side by side.
type Pieces[R any] struct {
	Len int // how many rows there are
	// Reader gives what yields the rows in [from, to). It belongs to one
	// goroutine; a row is valid until the next one.
	Reader func() func(from, to int) iter.Seq2[*R, error]
}

// All yields all rows.
func (p *Pieces[R]) All() iter.Seq2[*R, error] {
	if p.Len == 0 {
		return func(func(*R, error) bool) {}
	}
	return p.Reader()(0, p.Len)
}

// MaxRejectedLines bounds rejects.ndjson.
const MaxRejectedLines = 1000

// Times are Unix microseconds, UTC, and parse.NoTime where there is none.

// Input is the ledger of one input: Lines = Parsed + Rejected + Skipped.
type Input struct {
	Path        string
	Format      string   // name of the format, or the format string given
	Closest     Match    // of an unknown format: the closest known one
	UTF16       bool     // where the format is unknown: it is text in UTF-16, which has to be converted
	Missing     []string // fields that the diagnosis would use and no sampled line holds (parse.Extra)
	Compression string
	Bytes       int64 // decompressed bytes, each in exactly one line
	BytesBefore int64 // before them, that an earlier run counted
	LinesBefore int64 // lines in BytesBefore
	BytesLeft   int64 // behind them, of a line without its end: the next run counts it
	Lines, Parsed, Rejected, Skipped,
	Unauthorized int64
	FirstTime, LastTime int64
	Error               string // why it could not be read to the end, or empty
	OutOfRange          bool   // it was not read: all of it is from before Since
	DuplicateOf         string // it was not read: its content is that of this one; or empty
}

// Totals sums the inputs.
type Totals struct {
	Bytes, Lines, Parsed, Rejected, Skipped int64
	Unauthorized, Unexplained               int64
	FirstTime, LastTime                     int64
	Findings                                int64
}

// RejectedLine is a line no format explains. Raw is redacted and at most
// MaxRawLine bytes.
type RejectedLine struct {
	Path   string
	Line   int64 // 1-based
	Reason string
	Raw    string
}

// MaxRawLine is how many bytes of a raw line are kept as evidence.
const MaxRawLine = 4 << 10

// Counts are requests by what came of them. Requests is the sum of the others.
type Counts struct {
	Requests     int64
	Accepted     int64 // 2xx and 304
	Redirected   int64 // 3xx but 304
	Unauthorized int64 // 401
	Forbidden    int64 // 403
	NotFound     int64 // 404 and 410
	ClientErrors int64 // the other 4xx
	ServerErrors int64 // 5xx
	Other        int64 // 1xx, 000 and no status
}

// Endpoint is what was asked: virtual host, method and URL template.
type Endpoint struct {
	Host, Method, Template string
	Counts
	Actors        int64 // distinct actors that asked it
	RefusedActors int64 // distinct actors that got a 401 from it
	Protected     bool  // it refused some and accepted others
	FirstTime, LastTime,
	FirstUnauthorized, LastUnauthorized int64
	FindingID string // the finding that explains most of its 401s, or empty
}

// Account is a user name as logged: on a 401 it is a claim.
type Account struct {
	User string
	Counts
	Clients int64 // distinct clients (address and user agent) that used or claimed it
	FirstAccepted, LastAccepted,
	FirstUnauthorized, LastUnauthorized int64
	FindingID string
}

// Client is an address and a user agent.
type Client struct {
	Address, UserAgent string
	Counts
	Users            int64 // distinct users that it was or claimed to be
	Sessions         int64 // distinct session ids it sent
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

// Refusal is one 401 by the places of its rows in a Result, -1 where it has
// none.
type Refusal struct {
	Time                                int64
	Endpoint, Account, Client, Upstream int
	Cause                               int // in CauseNames
	Finding                             int
}

// Session is one authenticated session of an actor, from the sign-in or first
// acceptance to the refusal that ended it, or to the end of the log.
type Session struct {
	ID                               string // hash of the session id; empty where the log has none
	User, Address, UserAgent, Host   string
	Start, LastAccepted, End         int64 // End: the refusal that ended it, or NoTime
	Requests, Accepted, Unauthorized int64
	LongestGap                       int64  // microseconds: the longest silence it survived
	StartSeen                        bool   // the sign-in was seen: Start is exact
	Open                             bool   // nothing ended it before the end of the log: no refusal, sign-out or other sign-in
	EndCause                         string // cause of the refusal that ended it, or empty
	FindingID                        string
}

// Minute is what one virtual host answered in one minute.
type Minute struct {
	Time int64 // the minute's first microsecond
	Host string
	Counts
	Causes []int64 // 401s by cause, in the order of CauseNames
}

// Unauthorized is one 401, under the contract's column names.
type Unauthorized struct {
	Time                                    int64
	Method, Path, Query, Template, Scheme   string
	Status                                  int32
	BodySize                                int64 // bytes, -1 not logged
	Duration                                int64 // microseconds, -1 not logged
	Host, Referrer, Client, Peer, UserAgent string
	User, SessionID, Upstream               string
	LogPath                                 string
	LogLine                                 int64
	Cause, Reason, AnsweredBy, FindingID    string
	TokenExpiry                             int64 // Unix microseconds, as the token said
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

// String gives the stable name of s.
func (s Severity) String() string {
	return [...]string{"info", "low", "medium", "high", "critical"}[s]
}

// ParseSeverity reads the name of a severity.
func ParseSeverity(name string) (Severity, error) {
	for s := Info; s <= Critical; s++ {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is no severity: want info, low, medium, high or critical", name)
}

// MarshalText makes s its name in JSON.
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
	Absorbed            []Finding // up to MaxAbsorbed findings that it explains away
	AbsorbedCount       int       // of all that it explains away

	Evidence []Evidence
	Change   *Change // since the baseline; nil without one
	Muted    *Muted  // set while the site's policy mutes it

	Exhibit *Exhibit // what shows it at a glance
}

// Text is what a finding says to people.
type Text struct {
	Title       string   // one line
	Explanation string   // a paragraph
	Remediation []string // steps
}

// MaxAbsorbed is how many absorbed findings a finding lists.
const MaxAbsorbed = 20

// Judgement says why the site's policy changed the severity of a finding.
type Judgement uint8

// The judgements.
const (
	NotJudged      Judgement = iota
	KnownMonitor             // the client is a known monitor
	SharedAddress            // many people share the address
	ServiceAccount           // it is an account of a program, whose failure nobody notices
)

// Muted says why a finding is left as it is, and until when. Muted findings come
// after all others.
type Muted struct {
	Reason string
	Until  int64 // Unix microseconds: the log ends before
}

// Subject names what a finding is about. Fields that do not apply are empty.
type Subject struct {
	Type          string `json:"type"` // session_policy, site, endpoint, upstream, account, client, ...
	Host          string `json:"host,omitempty"`
	Method        string `json:"method,omitempty"`
	Route         string `json:"route,omitempty"`
	User          string `json:"user,omitempty"`
	ClientAddress string `json:"client_address,omitempty"`
	UserAgent     string `json:"user_agent,omitempty"`
	Upstream      string `json:"upstream,omitempty"`
}

// MaxEvidence is the most sample lines a finding carries.
const MaxEvidence = 20

// Evidence is a line of a log, redacted.
type Evidence struct {
	Path string `json:"file"`
	Line int64  `json:"line"`
	Raw  string `json:"raw"`
}

// Undetectable is a kind of finding that a run's logs cannot show, because no
// line of them holds what it is told by.
type Undetectable struct {
	Kind    string
	Missing []string // names of columns
}
