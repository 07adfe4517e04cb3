// Package parse parses the lines of access logs into entries, one per request, and
// detects their formats.
//
// In: whole lines, cut into blocks by package source. Out: Entry values whose byte
// fields alias the line. Its subpackages interpret format strings (dialect), lines
// around lines (carrier), values (field) and bytes (scan). It does not read files,
// does not group or judge requests (package analyze does), and never logs.
package parse

import (
	"math"

	"logscan/parse/field"
)

// Entry is one request in a log. It is plain data, reused from line to line.
//
// Byte fields alias the line that was parsed, or scratch memory of the parser if
// they had to be decoded: they are valid until the next call of Parse on the same
// parser, and must be copied to be kept. A field that was not logged, or as a lone
// "-", is empty; a number that was not logged is -1, a time NoTime.
type Entry struct {
	Time     int64 // Unix microseconds, UTC; NoTime if the line has none
	Status   int32 // HTTP status code; 0 if the log has 000; -1 not logged
	BodySize int64 // bytes of the response body; -1 not logged
	Duration int64 // microseconds from request to last byte; -1 not logged

	Method    []byte // GET, POST, ... as logged
	Scheme    []byte // http or https
	Host      []byte // virtual host of the request, without port
	Path      []byte // path of the request target, as sent (still percent-encoded)
	Query     []byte // after the first '?', without it; may hold secrets: see package redact
	Protocol  []byte // HTTP/1.1
	Referrer  []byte // may hold secrets in its query: see package redact
	UserAgent []byte
	User      []byte // as claimed; not verified in a refusal
	Session   []byte // session id: a credential, never for output
	Client    []byte // address of the client, without port
	Peer      []byte // address of the network peer, if it was logged or is not Client
	Upstream  []byte // address or name of the backend that answered last
	// UpstreamStatus is the status of the last backend, empty if the proxy answered
	// by itself and logged "-".
	UpstreamStatus []byte
	// Reason is why a request was refused: a word of the vocabulary of package field,
	// or else the server's own text, truncated.
	Reason []byte

	// TokenExpiry is when the token of the request expires according to its claims, in
	// Unix microseconds; NoTime if none was logged.
	TokenExpiry int64
	AnsweredBy  field.Answerer // who refused; of refusals only

	// HasUpstream reports whether the upstream was logged, so that an empty Upstream
	// means that the proxy answered.
	HasUpstream bool

	plain bool // since Reset, only fields were set that nextCommon sets in each line
}

// NoTime is the Time of an entry whose line has no time.
const NoTime = math.MinInt64

// Who answered a request, from package field.
const (
	Unknown  = field.Unknown  // the log does not say
	Proxy    = field.Proxy    // the server that wrote the log
	Upstream = field.Upstream // the backend behind it
)

// Reset sets every field to "not logged".
func (e *Entry) Reset() {
	*e = Entry{}
	e.Time, e.Status, e.BodySize, e.Duration, e.TokenExpiry = NoTime, -1, -1, -1, NoTime
}

// Verdict is the outcome of parsing a line. The zero value is a parsed line; any
// other is a reason to skip or to reject the line.
type Verdict uint8

// The verdicts. Their names (String) are stable: they are used in the manifest.
const (
	Parsed Verdict = iota

	// Skipped lines should not have a request that counts.
	SkipBlank    // an empty line, or only white space
	SkipComment  // a line that starts with '#'
	SkipHeader   // names of columns
	SkipNotice   // a message of the server about itself or a connection
	SkipPartial  // a part of a text that continues in another line
	SkipRange    // a time outside Options.Since and Until
	SkipErrorLog // a message of a program, such as those of package events

	// Rejected lines should have a request, which could not be parsed.
	RejectTooLong // longer than source.MaxLine
	RejectBinary  // NUL bytes or mostly unprintable bytes
	RejectSyntax  // does not match the format
	RejectTime    // an invalid time, or one before 1990 or after 2100
	RejectStatus  // a status that is not three digits
	RejectNumber  // a size or duration that is not a number
	RejectJSON    // not a JSON object
	RejectEmpty   // well-formed, but with neither time nor status

	NumVerdicts
)

var verdictNames = [NumVerdicts]string{
	"parsed", "blank", "comment", "header", "notice", "partial", "out_of_range", "error_log",
	"too_long", "binary", "syntax", "time", "status", "number", "json", "empty",
}

// String returns the stable name of v that is used in the manifest.
func (v Verdict) String() string { return verdictNames[v] }

// Skipped reports whether v is a reason to skip a line.
func (v Verdict) Skipped() bool { return v > Parsed && v < RejectTooLong }

// Rejected reports whether v is a reason to reject a line.
func (v Verdict) Rejected() bool { return v >= RejectTooLong }

// Credentials returns what the line of a refusal states about its credentials: by the
// reason, or by the expiry of the token.
func (e *Entry) Credentials() field.Credentials {
	if e.TokenExpiry != NoTime && e.Time != NoTime && e.Time >= e.TokenExpiry {
		return field.CredentialsExpired
	}
	return field.ReasonCredentials(e.Reason)
}
