package report

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strings"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

// Type is the type of a column.
type Type uint8

// The types of columns, and what they are in Parquet.
const (
	Text    Type = iota // STRING: valid UTF-8
	Integer             // INT64
	Real                // DOUBLE
	Time                // INT64, TIMESTAMP(MICROS, UTC)
	Boolean             // BOOLEAN
)

// String gives the name of t in the documentation.
func (t Type) String() string {
	return [...]string{"text", "integer", "real", "timestamp", "boolean"}[t]
}

// Column is a column of a table, as the documentation tells it.
type Column struct {
	Name     string
	Type     Type
	Unit     string // of a number, or empty
	Doc      string
	Nullable bool
	ECS      string // name in the Elastic Common Schema, or empty
	OCSF     string // name in the Open Cybersecurity Schema Framework, or empty
}

// column adds to a Column how its value is got from a row: one of the getters
// for its type. The bool of a getter is false for a null.
type column[R any] struct {
	Column
	text    func(*R) string // Text; empty is null where the column is nullable
	integer func(*R) (int64, bool)
	real    func(*R) (float64, bool)
	boolean func(*R) bool
}

// Table is a table of the output.
type Table struct {
	Name, Doc string
	Columns   []Column
	output    func(context.Context, *job, io.Writer) error
}

// newTable makes a table of columns and the rows they are got from.
func newTable[R any](name, doc string, rows func(*result.Result) iter.Seq2[*R, error], columns []column[R]) Table {
	return tableOf(name, doc, columns, func(ctx context.Context, j *job, b *batches[R]) error {
		return b.makeAll(ctx, rows(j.res))
	})
}

// newPiecedTable is newTable for rows of which pieces may be made side by side.
func newPiecedTable[R any](name, doc string, rows func(*result.Result) *result.Pieces[R], columns []column[R]) Table {
	return tableOf(name, doc, columns, func(ctx context.Context, j *job, b *batches[R]) error {
		return b.makePieces(ctx, rows(j.res), j.advanced)
	})
}

func tableOf[R any](name, doc string, columns []column[R], rows func(context.Context, *job, *batches[R]) error) Table {
	t := Table{Name: name, Doc: doc}
	for i := range columns {
		t.Columns = append(t.Columns, columns[i].Column)
	}
	t.output = func(ctx context.Context, j *job, w io.Writer) error {
		return writeTable(ctx, j, w, &t, columns, func(ctx context.Context, b *batches[R]) error { return rows(ctx, j, b) })
	}
	return t
}

// orNone is rows, which may be nil where there are none.
func orNone[R any](rows iter.Seq2[*R, error]) iter.Seq2[*R, error] {
	if rows == nil {
		return each[R](nil)
	}
	return rows
}

// each gives the rows that lie in memory.
func each[R any](rows []R) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for i := range rows {
			if !yield(&rows[i], nil) {
				return
			}
		}
	}
}

func text[R any](name, doc string, get func(*R) string) column[R] {
	return column[R]{Column: Column{Name: name, Type: Text, Doc: doc}, text: get}
}

func integer[R any](name, unit, doc string, get func(*R) int64) column[R] {
	return column[R]{Column: Column{Name: name, Type: Integer, Unit: unit, Doc: doc},
		integer: func(r *R) (int64, bool) { return get(r), true }}
}

// logged is an integer that is -1 where it was not logged.
func logged[R any](name, unit, doc string, get func(*R) int64) column[R] {
	return column[R]{Column: Column{Name: name, Type: Integer, Unit: unit, Doc: doc, Nullable: true},
		integer: func(r *R) (int64, bool) { v := get(r); return v, v >= 0 }}
}

func timestamp[R any](name, doc string, get func(*R) int64) column[R] {
	return column[R]{Column: Column{Name: name, Type: Time, Unit: "microseconds", Doc: doc, Nullable: true},
		integer: func(r *R) (int64, bool) { v := get(r); return v, v != parse.NoTime }}
}

// seconds is a duration in microseconds, -1 where it was not logged.
func seconds[R any](name, doc string, get func(*R) int64) column[R] {
	return column[R]{Column: Column{Name: name, Type: Real, Unit: "seconds", Doc: doc, Nullable: true},
		real: func(r *R) (float64, bool) { v := get(r); return float64(v) / 1e6, v >= 0 }}
}

func boolean[R any](name, doc string, get func(*R) bool) column[R] {
	return column[R]{Column: Column{Name: name, Type: Boolean, Doc: doc}, boolean: get}
}

// optional makes the empty text a null: it was not logged, or there is none.
func (c column[R]) optional() column[R] {
	c.Nullable = true
	return c
}

// as names the column in the other schemas.
func (c column[R]) as(ecs, ocsf string) column[R] {
	c.ECS, c.OCSF = ecs, ocsf
	return c
}

// The columns that several tables have are the same in all of them.

func methodOf[R any](get func(*R) string) column[R] {
	return text("http_request_method", "Request method as logged.", get).optional().
		as("http.request.method", "http_request.http_method")
}

func templateOf[R any](get func(*R) string) column[R] {
	return text("url_template", "Path of the request with ids, hashes and the like collapsed.", get).optional()
}

func hostOf[R any](get func(*R) string) column[R] {
	return text("server_address", "Virtual host that was asked, without port.", get).optional().
		as("url.domain", "http_request.url.hostname")
}

func clientOf[R any](get func(*R) string) column[R] {
	return text("client_address", "Address of the client, behind trusted proxies; its pseudonym with --pseudonymize.", get).optional().
		as("client.address", "src_endpoint.ip")
}

func agentOf[R any](get func(*R) string) column[R] {
	return text("user_agent_original", "User-Agent header as sent.", get).optional().
		as("user_agent.original", "http_request.user_agent")
}

func userOf[R any](doc string, get func(*R) string) column[R] {
	return text("user_name", doc+" A pseudonym with --pseudonymize.", get).optional().as("user.name", "actor.user.name")
}

func sessionOf[R any](get func(*R) string) column[R] {
	return text("session_id", "Hash of the session id, keyed with --pseudonymize; the id itself is a credential and never written.", get).optional().
		as("", "actor.session.uid")
}

func findingIDOf[R any](doc string, get func(*R) string) column[R] {
	return text("finding_id", doc, get).optional().as("", "finding_info.uid")
}

func pathOf[R any](get func(*R) string) column[R] {
	return text("log_file_path", "Input as it was named or found; - is standard input.", get).
		as("log.file.path", "metadata.log_name")
}

// outcomes are the columns of analyze.Counts.
func outcomes[R any](get func(*R) *result.Counts) []column[R] {
	count := func(name, doc string, n func(*result.Counts) int64) column[R] {
		return integer(name, "requests", doc, func(r *R) int64 { return n(get(r)) })
	}
	return []column[R]{
		count("requests", "All requests; the sum of the columns by outcome.", func(c *result.Counts) int64 { return c.Requests }),
		count("accepted", "Answered 2xx or 304.", func(c *result.Counts) int64 { return c.Accepted }),
		count("redirected", "Answered 3xx, without 304.", func(c *result.Counts) int64 { return c.Redirected }),
		count("unauthorized", "Answered 401.", func(c *result.Counts) int64 { return c.Unauthorized }),
		count("forbidden", "Answered 403.", func(c *result.Counts) int64 { return c.Forbidden }),
		count("not_found", "Answered 404 or 410.", func(c *result.Counts) int64 { return c.NotFound }),
		count("client_errors", "Answered another 4xx.", func(c *result.Counts) int64 { return c.ClientErrors }),
		count("server_errors", "Answered 5xx.", func(c *result.Counts) int64 { return c.ServerErrors }),
		count("other", "Answered 1xx, 000, or without a status.", func(c *result.Counts) int64 { return c.Other }),
	}
}

// Tables are all tables, with every column once: Parquet files, documentation
// and tests are made from them.
func Tables() []Table {
	return []Table{
		unauthorizedTable(), sessionsTable(), endpointsTable(), accountsTable(), clientsTable(), timelineTable(),
		findingsTable(), inputsTable(),
	}
}

func unauthorizedTable() Table {
	type row = result.Unauthorized
	return newPiecedTable("unauthorized", "Every 401 with its cause, by time, file and line.",
		func(res *result.Result) *result.Pieces[row] { return &res.Unauthorized },
		[]column[row]{
			timestamp("timestamp", "When the request was logged.", func(r *row) int64 { return r.Time }).as("@timestamp", "time"),
			methodOf(func(r *row) string { return r.Method }),
			text("url_path", "Path of the request as sent, secrets redacted.", func(r *row) string { return r.Path }).optional().
				as("url.path", "http_request.url.path"),
			text("url_query", "Query of the request, secrets redacted.", func(r *row) string { return r.Query }).optional().
				as("url.query", "http_request.url.query_string"),
			templateOf(func(r *row) string { return r.Template }),
			text("url_scheme", "http or https.", func(r *row) string { return r.Scheme }).optional().
				as("url.scheme", "http_request.url.scheme"),
			logged("http_response_status_code", "", "Status of the response: 401.", func(r *row) int64 { return int64(r.Status) }).
				as("http.response.status_code", "http_response.code"),
			logged("http_response_body_size", "bytes", "Size of the response's body.", func(r *row) int64 { return r.BodySize }).
				as("http.response.body.bytes", "http_response.body_length"),
			seconds("http_server_request_duration", "Time from the request to the last byte of the response.", func(r *row) int64 { return r.Duration }),
			hostOf(func(r *row) string { return r.Host }),
			text("http_request_referrer", "Referer header, secrets redacted.", func(r *row) string { return r.Referrer }).optional().
				as("http.request.referrer", "http_request.referrer"),
			clientOf(func(r *row) string { return r.Client }),
			text("network_peer_address", "Address of the network peer, where it is another than the client; its pseudonym with --pseudonymize.", func(r *row) string { return r.Peer }).optional().
				as("source.address", "proxy_endpoint.ip"),
			agentOf(func(r *row) string { return r.UserAgent }),
			userOf("User that the request named: on a 401 a claim, not proven.", func(r *row) string { return r.User }),
			sessionOf(func(r *row) string { return r.SessionID }),
			text("upstream_address", "Backend that answered.", func(r *row) string { return r.Upstream }).optional().
				as("destination.address", "dst_endpoint.ip"),
			pathOf(func(r *row) string { return r.LogPath }),
			integer("log_line", "", "Line in the input, from 1.", func(r *row) int64 { return r.LogLine }),
			text("auth_cause", "Why it was refused: a kind of finding, or challenge, login_failure, session_end, anonymous, unexplained.",
				func(r *row) string { return r.Cause }),
			text("auth_reason", "Explicit reason, where the log has one: token_expired, invalid_token, session_expired, invalid_session, invalid_credentials, no_credentials, insufficient_scope, step_up_required, stale_nonce, clock_skew, password_expired, account_locked, account_disabled, account_expired, account_restricted, acl_denied, address_denied, denied_by_authorizer, denied_by_application, denied_by_filter, identity_provider_down, invalid_request, config; or else the server's own text.", func(r *row) string { return r.Reason }).optional().
				as("event.reason", "status_detail"),
			text("auth_answered_by", "Who answered: proxy or upstream.", func(r *row) string { return r.AnsweredBy }).optional(),
			timestamp("auth_token_expiry", "When the token expires that was sent, as it says itself.", func(r *row) int64 { return r.TokenExpiry }),
			findingIDOf("Finding that explains it.", func(r *row) string { return r.FindingID }),
		})
}

func sessionsTable() Table {
	type row = result.Session
	return newTable("sessions", "Authenticated sessions, from the sign-in or first acceptance to the refusal that ended them.",
		func(res *result.Result) iter.Seq2[*row, error] { return orNone(res.Sessions) },
		[]column[row]{
			sessionOf(func(r *row) string { return r.ID }),
			userOf("User of the session.", func(r *row) string { return r.User }),
			clientOf(func(r *row) string { return r.Address }),
			agentOf(func(r *row) string { return r.UserAgent }),
			hostOf(func(r *row) string { return r.Host }),
			timestamp("start_time", "Sign-in, or first acceptance.", func(r *row) int64 { return r.Start }),
			timestamp("last_accepted_time", "Last acceptance.", func(r *row) int64 { return r.LastAccepted }),
			timestamp("end_time", "Refusal that ended it; null when it lived to the end of the log.", func(r *row) int64 { return r.End }),
			integer("requests", "requests", "Requests of the session.", func(r *row) int64 { return r.Requests }),
			integer("accepted", "requests", "Answered 2xx or 304.", func(r *row) int64 { return r.Accepted }),
			integer("unauthorized", "requests", "Answered 401.", func(r *row) int64 { return r.Unauthorized }),
			seconds("longest_gap_seconds", "Longest silence that it survived.", func(r *row) int64 { return r.LongestGap }),
			boolean("start_seen", "Whether the sign-in was seen, so that start_time is exact.", func(r *row) bool { return r.StartSeen }),
			boolean("open", "Whether nothing had ended it when the log ended: no refusal, sign-out or other sign-in. With --state it is told again, whole, when it goes on.", func(r *row) bool { return r.Open }),
			text("end_cause", "Cause of the refusal that ended it.", func(r *row) string { return r.EndCause }).optional(),
			findingIDOf("Finding that explains its end.", func(r *row) string { return r.FindingID }),
		})
}

func endpointsTable() Table {
	type row = result.Endpoint
	return newTable("endpoints", "What was asked, with what came of it, by host, route and method.",
		func(res *result.Result) iter.Seq2[*row, error] { return each(res.Endpoints) },
		slices.Concat([]column[row]{
			hostOf(func(r *row) string { return r.Host }),
			methodOf(func(r *row) string { return r.Method }),
			templateOf(func(r *row) string { return r.Template }),
		}, outcomes(func(r *row) *result.Counts { return &r.Counts }), []column[row]{
			integer("actors", "actors", "Distinct actors that asked it.", func(r *row) int64 { return r.Actors }),
			integer("refused_actors", "actors", "Distinct actors that it answered 401.", func(r *row) int64 { return r.RefusedActors }),
			boolean("protected", "Whether it answered 401 to some and accepted others, or accepts nobody without a user or session.", func(r *row) bool { return r.Protected }),
			timestamp("first_time", "First request.", func(r *row) int64 { return r.FirstTime }),
			timestamp("last_time", "Last request.", func(r *row) int64 { return r.LastTime }),
			timestamp("first_unauthorized_time", "First 401.", func(r *row) int64 { return r.FirstUnauthorized }),
			timestamp("last_unauthorized_time", "Last 401.", func(r *row) int64 { return r.LastUnauthorized }),
			findingIDOf("Finding that explains most of its 401s.", func(r *row) string { return r.FindingID }),
		}))
}

func accountsTable() Table {
	type row = result.Account
	return newTable("accounts", "User names as logged: on a 401 a claim.",
		func(res *result.Result) iter.Seq2[*row, error] { return each(res.Accounts) },
		slices.Concat([]column[row]{
			userOf("User name as logged.", func(r *row) string { return r.User }),
		}, outcomes(func(r *row) *result.Counts { return &r.Counts }), []column[row]{
			integer("clients", "clients", "Distinct clients (address and user agent) that used or claimed it.", func(r *row) int64 { return r.Clients }),
			timestamp("first_accepted_time", "First acceptance.", func(r *row) int64 { return r.FirstAccepted }),
			timestamp("last_accepted_time", "Last acceptance.", func(r *row) int64 { return r.LastAccepted }),
			timestamp("first_unauthorized_time", "First 401.", func(r *row) int64 { return r.FirstUnauthorized }),
			timestamp("last_unauthorized_time", "Last 401.", func(r *row) int64 { return r.LastUnauthorized }),
			findingIDOf("Finding that explains most of its 401s.", func(r *row) string { return r.FindingID }),
		}))
}

func clientsTable() Table {
	type row = result.Client
	return newTable("clients", "Clients: an address and a user agent.",
		func(res *result.Result) iter.Seq2[*row, error] { return each(res.Clients) },
		slices.Concat([]column[row]{
			clientOf(func(r *row) string { return r.Address }),
			agentOf(func(r *row) string { return r.UserAgent }),
		}, outcomes(func(r *row) *result.Counts { return &r.Counts }), []column[row]{
			integer("users", "users", "Distinct users that it was or claimed to be.", func(r *row) int64 { return r.Users }),
			integer("sessions", "sessions", "Distinct session ids that it sent.", func(r *row) int64 { return r.Sessions }),
			integer("refused_endpoints", "endpoints", "Distinct endpoints that answered it 401.", func(r *row) int64 { return r.RefusedEndpoints }),
			timestamp("first_time", "First request.", func(r *row) int64 { return r.FirstTime }),
			timestamp("last_time", "Last request.", func(r *row) int64 { return r.LastTime }),
			timestamp("last_accepted_time", "Last acceptance.", func(r *row) int64 { return r.LastAccepted }),
			findingIDOf("Finding that explains most of its 401s.", func(r *row) string { return r.FindingID }),
		}))
}

func timelineTable() Table {
	type row = result.Minute
	columns := slices.Concat([]column[row]{
		timestamp("timestamp", "Begin of the minute.", func(r *row) int64 { return r.Time }).as("@timestamp", "time"),
		hostOf(func(r *row) string { return r.Host }),
	}, outcomes(func(r *row) *result.Counts { return &r.Counts }))
	for i, name := range detect.CauseNames() {
		columns = append(columns, integer("unauthorized_"+name, "requests", "Answered 401 with the cause "+name+".",
			func(r *row) int64 {
				if i >= len(r.Causes) {
					return 0
				}
				return r.Causes[i]
			}))
	}
	return newTable("timeline", "What each virtual host answered, minute by minute.",
		func(res *result.Result) iter.Seq2[*row, error] { return each(res.Timeline) }, columns)
}

func findingsTable() Table {
	type row = result.Finding
	return newTable("findings", "Findings as in findings.json, without the evidence.",
		func(res *result.Result) iter.Seq2[*row, error] { return each(res.Findings) },
		[]column[row]{
			text("id", "Kind and a hash of the subject: the same trouble has the same id every night.", func(r *row) string { return r.ID }).
				as("", "finding_info.uid"),
			text("kind", "Kind of trouble.", func(r *row) string { return r.Kind }),
			text("category", "session, endpoint, account, client, upstream, attack or traffic.", func(r *row) string { return r.Category }),
			text("severity", "info, low, medium, high or critical.", func(r *row) string { return r.Severity.String() }).as("", "severity"),
			{Column: Column{Name: "confidence", Type: Real, Doc: "From 0 to 1."},
				real: func(r *row) (float64, bool) { return finite(r.Confidence), true }},
			text("subject_type", "What the next columns name: session_policy, site, endpoint, upstream, account or client.",
				func(r *row) string { return r.Subject.Type }),
			hostOf(func(r *row) string { return r.Subject.Host }),
			methodOf(func(r *row) string { return r.Subject.Method }),
			templateOf(func(r *row) string { return r.Subject.Route }),
			userOf("User that it is about.", func(r *row) string { return r.Subject.User }),
			clientOf(func(r *row) string { return r.Subject.ClientAddress }),
			agentOf(func(r *row) string { return r.Subject.UserAgent }),
			text("upstream_address", "Backend that it is about.", func(r *row) string { return r.Subject.Upstream }).optional().
				as("destination.address", "dst_endpoint.ip"),
			text("title", "What is wrong, in a line.", func(r *row) string { return new(wording.Describer).Text(r).Title }).as("", "finding_info.title"),
			text("explanation", "What is wrong, in a paragraph with the figures.", func(r *row) string { return new(wording.Describer).Text(r).Explanation }).as("", "finding_info.desc"),
			text("remediation", "What to do, a step a line.", func(r *row) string { return strings.Join(new(wording.Describer).Text(r).Remediation, "\n") }).as("", "remediation.desc"),
			timestamp("onset", "When it began; null when it was so from the first line.", func(r *row) int64 { return r.Onset }),
			timestamp("first_seen", "First 401 that it explains.", func(r *row) int64 { return r.FirstSeen }).as("", "finding_info.first_seen_time"),
			timestamp("last_seen", "Last 401 that it explains.", func(r *row) int64 { return r.LastSeen }).as("", "finding_info.last_seen_time"),
			integer("unauthorized", "requests", "401s that it explains.", func(r *row) int64 { return r.Unauthorized }),
			integer("actors", "actors", "Distinct actors that it touches.", func(r *row) int64 { return r.Actors }),
			integer("users", "users", "Distinct users that it touches.", func(r *row) int64 { return r.Users }),
			text("details", "The kind's own figures, as a JSON object.", detailsText),
			text("status", "With a baseline: new, persisting, worse or better.", func(r *row) string {
				if r.Change == nil {
					return ""
				}
				return string(r.Change.Status)
			}).optional(),
			text("muted_reason", "Why it is left as it is; null where it is not.", func(r *row) string {
				if r.Muted == nil {
					return ""
				}
				return r.Muted.Reason
			}).optional(),
			timestamp("muted_until", "Until when it is left as it is.", func(r *row) int64 {
				if r.Muted == nil {
					return parse.NoTime
				}
				return r.Muted.Until
			}),
		})
}

// detailsText is what a finding knows beside the columns, as JSON.
func detailsText(f *result.Finding) string {
	b, err := json.Marshal(detailsOf(f, new(wording.Describer)))
	if err != nil {
		return "{}" // a detail that is no figure: findings.json fails on it, and the run with it
	}
	return string(b)
}

func inputsTable() Table {
	type row = result.Input
	return newTable("inputs", "The ledger of the inputs: lines = parsed + rejected + skipped.",
		func(res *result.Result) iter.Seq2[*row, error] { return each(res.Inputs) },
		[]column[row]{
			pathOf(func(r *row) string { return r.Path }),
			text("format", "Format that it was read with.", func(r *row) string { return r.Format }).optional(),
			text("compression", "none, gzip, zstd, bzip2, xz or lz4; of a file in an archive all that is around it, as gzip+tar.", func(r *row) string { return r.Compression }).optional(),
			integer("bytes", "bytes", "Decompressed size of what was read.", func(r *row) int64 { return r.Bytes }),
			integer("lines", "lines", "Lines.", func(r *row) int64 { return r.Lines }),
			integer("parsed", "lines", "Lines that are a request.", func(r *row) int64 { return r.Parsed }),
			integer("rejected", "lines", "Lines that should be a request and could not be read.", func(r *row) int64 { return r.Rejected }),
			integer("skipped", "lines", "Blank lines, comments and headers, a server's notices, lines out of the range of time.", func(r *row) int64 { return r.Skipped }),
			integer("unauthorized", "requests", "Answered 401.", func(r *row) int64 { return r.Unauthorized }),
			timestamp("first_time", "First request.", func(r *row) int64 { return r.FirstTime }),
			timestamp("last_time", "Last request.", func(r *row) int64 { return r.LastTime }),
			text("error", "Why it could not be read to its end.", func(r *row) string { return r.Error }).optional(),
			text("duplicate_of", "The input whose content is the same, when it was not read for that.", func(r *row) string { return r.DuplicateOf }).optional(),
			integer("bytes_before", "bytes", "Before what was read: counted by earlier runs with --state.", func(r *row) int64 { return r.BytesBefore }),
			integer("lines_before", "lines", "Lines in bytes_before.", func(r *row) int64 { return r.LinesBefore }),
			integer("bytes_left", "bytes", "Of a last line without its end: left for the next run with --state.", func(r *row) int64 { return r.BytesLeft }),
			boolean("out_of_range", "Not read, because all of it is from before the range of time.", func(r *row) bool { return r.OutOfRange }),
		})
}
