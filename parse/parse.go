// Package parse turns the bytes of an access log into entries, one request each.
//
// In: whole lines, cut into blocks by package source. Out: Entry values whose
// byte fields alias the line. It does not read files (package source does),
// does not group or judge requests (package analyze does), and never logs.
package parse

import "math"

// Entry is one request as the log tells it. It is plain data, reused from line
// to line.
//
// Byte fields alias the line that was parsed, or the parser's own scratch
// memory where an escape had to be decoded: they are valid until the next call
// of Parse on the same parser, and must be copied to be kept. An empty field
// was not logged (a lone "-" means the same and becomes empty); a number that
// was not logged is -1, a time NoTime.
type Entry struct {
	Time     int64 // Unix microseconds, UTC; NoTime when the line has none
	Status   int32 // HTTP status code; 0 where the log says 000; -1 not logged
	BodySize int64 // bytes of the response body; -1 not logged
	Duration int64 // microseconds from request to last byte; -1 not logged

	Method    []byte // GET, POST, ... as logged
	Scheme    []byte // http or https
	Host      []byte // virtual host that was asked, without port
	Path      []byte // path of the request target, as sent (still percent-encoded)
	Query     []byte // after the first '?', without it; holds secrets: see package redact
	Protocol  []byte // HTTP/1.1
	Referrer  []byte // holds secrets in its query: see package redact
	UserAgent []byte
	User      []byte // as claimed; on a 401 it is not proven
	Session   []byte // the session id itself, a credential: never for output
	Client    []byte // address of the client, without port
	Peer      []byte // address of the network peer, where it was logged or is another than Client
	Upstream  []byte // address or name of the backend that answered last
	// UpstreamStatus is the status the last backend answered, empty when the
	// proxy answered by itself and the log says so with "-".
	UpstreamStatus []byte
	// Reason is why a request was refused, where the log says so: a word of the
	// vocabulary of reason.go, or else the server's own text, cut off.
	Reason []byte

	// TokenExpiry is when the token that was sent expires, as it says itself:
	// Unix microseconds, NoTime where none was logged.
	TokenExpiry int64
	AnsweredBy  Answerer // who refused; of 401s alone

	// HasUpstream says that the format logs the upstream, so that an empty
	// Upstream means that the proxy itself answered.
	HasUpstream bool
}

// NoTime is the Time of an entry whose line has no time.
const NoTime = math.MinInt64

// Reset makes every field "not logged".
func (e *Entry) Reset() {
	*e = Entry{}
	e.Time, e.Status, e.BodySize, e.Duration, e.TokenExpiry = NoTime, -1, -1, -1, NoTime
}

// Verdict says what became of a line. The zero value is a parsed line; every
// other value is either a reason to skip the line or a reason to reject it.
type Verdict uint8

// The verdicts. Their names (String) are stable: they stand in the manifest.
const (
	Parsed Verdict = iota

	// Skipped lines: no request is in them that counts, and none should be.
	SkipBlank   // an empty line, or white space alone
	SkipComment // a line that starts with '#'
	SkipHeader  // names of columns
	SkipNotice  // what the server says of itself or of a connection
	SkipPartial // the beginning of a line that goes on in another one
	SkipRange   // a time outside Options.Since and Until

	// Rejected lines: a request should be in them, and could not be read.
	RejectTooLong // longer than source.MaxLine
	RejectBinary  // NUL bytes or mostly unprintable bytes
	RejectSyntax  // does not have the format's shape
	RejectTime    // a time that is none, or before 1990 or after 2100
	RejectStatus  // a status that is not three digits
	RejectNumber  // a size or duration that is no number
	RejectJSON    // not a JSON object
	RejectEmpty   // well-formed, but neither time nor status in it

	NumVerdicts
)

var verdictNames = [NumVerdicts]string{
	"parsed", "blank", "comment", "header", "notice", "partial", "out_of_range",
	"too_long", "binary", "syntax", "time", "status", "number", "json", "empty",
}

// String gives the stable name of v as it stands in the manifest.
func (v Verdict) String() string { return verdictNames[v] }

// Skipped tells whether v is a reason to skip a line.
func (v Verdict) Skipped() bool { return v > Parsed && v < RejectTooLong }

// Rejected tells whether v is a reason to reject a line.
func (v Verdict) Rejected() bool { return v >= RejectTooLong }
