package tables

import (
	"encoding/json"
	"iter"
	"slices"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/document"
	"logscan/report/wording"
)

// Tables returns all tables. Parquet files, documentation and tests are derived from
// them.
func Tables() []Table {
	return []Table{
		unauthorizedTable(), requestsTable(), sessionsTable(), endpointsTable(), accountsTable(), clientsTable(), timelineTable(),
		findingsTable(), inputsTable(), eventsTable(),
	}
}

// Names of the tables that grow with the log.
const (
	Unauthorized = "unauthorized" // all 401s
	AuthEvents   = "auth_events"  // events of error logs and identity providers
	Requests     = "requests"     // all requests, on demand
)

// requestColumns are the columns that unauthorized and requests have in common, in two
// parts: what was requested, and what is known of how it was answered.
func requestColumns() (requested, answered []column[result.Unauthorized]) {
	type row = result.Unauthorized
	return []column[row]{
			timestamp("timestamp", "Time of the request as logged.", func(r *row) int64 { return r.Time }).rising().as("@timestamp", "time"),
			methodOf(func(r *row) string { return r.Method }),
			text("url_path", "Path of the request as sent, secrets redacted.", func(r *row) string { return r.Path }).optional().
				as("url.path", "http_request.url.path"),
			text("url_query", "Query of the request, secrets redacted.", func(r *row) string { return r.Query }).optional().
				as("url.query", "http_request.url.query_string"),
			templateOf(func(r *row) string { return r.Template }),
			text("url_scheme", "http or https.", func(r *row) string { return r.Scheme }).optional().
				as("url.scheme", "http_request.url.scheme"),
			logged("http_response_status_code", "", "Status of the response; of a refusal 401, or one of --status.", func(r *row) int64 { return int64(r.Status) }).
				as("http.response.status_code", "http_response.code"),
			logged("http_response_body_size", "bytes", "Size of the response body.", func(r *row) int64 { return r.BodySize }).
				as("http.response.body.bytes", "http_response.body_length"),
			seconds("http_server_request_duration", "Time from the request to the last byte of the response.", func(r *row) int64 { return r.Duration }),
			hostOf(func(r *row) string { return r.Host }),
			text("http_request_referrer", "Referer header, secrets redacted.", func(r *row) string { return r.Referrer }).optional().
				as("http.request.referrer", "http_request.referrer"),
			clientOf(func(r *row) string { return r.Client }),
			text("network_peer_address", "Address of the network peer if it is not the client; a pseudonym with --pseudonymize.", func(r *row) string { return r.Peer }).optional().
				as("source.address", "proxy_endpoint.ip"),
			agentOf(func(r *row) string { return r.UserAgent }),
			userOf("User named by the request. On a 401 this is a claim, not proven.", func(r *row) string { return r.User }),
			sessionOf(func(r *row) string { return r.SessionID }),
			text("upstream_address", "Backend that answered.", func(r *row) string { return r.Upstream }).optional().
				as("destination.address", "dst_endpoint.ip"),
			pathOf(func(r *row) string { return r.LogPath }),
			lineOf(func(r *row) int64 { return r.LogLine }),
		}, []column[row]{
			text("auth_reason", "Reason given by the log, if any: token_expired, invalid_token, token_reused, session_expired, session_idle, invalid_session, invalid_credentials, wrong_password, unknown_user, no_credentials, wrong_scheme, header_dropped, cookie_too_large, insufficient_scope, step_up_required, unknown_key, invalid_client, stale_nonce, clock_skew, password_expired, account_locked, account_disabled, account_expired, account_restricted, acl_denied, address_denied, denied_by_authorizer, denied_by_application, denied_by_filter, identity_provider_down, invalid_request, config, password_file_missing; otherwise the server's own text.", func(r *row) string { return r.Reason }).optional().
				as("event.reason", "status_detail"),
			text("auth_answered_by", "Who answered: proxy or upstream.", func(r *row) string { return r.AnsweredBy }).optional(),
			timestamp("auth_token_expiry", "Expiry time stated in the token that was sent.", func(r *row) int64 { return r.TokenExpiry }),
			findingIDOf("Finding that explains the 401.", func(r *row) string { return r.FindingID }),
		}
}

func unauthorizedTable() Table {
	type row = result.Unauthorized
	requested, answered := requestColumns()
	return newPiecedTable(Unauthorized, "Every 401 with its cause, ordered by time, file and line.",
		func(r *wording.Report) *result.Pieces[row] { return &r.Unauthorized },
		slices.Concat(requested, []column[row]{
			text("auth_cause", "Why the request was refused: a kind of finding, or challenge, login_failure, session_end, anonymous, unexplained.",
				func(r *row) string { return r.Cause }),
		}, answered))
}

// requestsTable has no bloom filters: the Parquet library cannot write them. Its rows
// are in the order of the log, so the times in the statistics of row groups hardly
// overlap, and a search in a time range reads few of them.
func requestsTable() Table {
	type row = result.Unauthorized
	requested, answered := requestColumns()
	return newPiecedTable(Requests, "Every request, ordered by file and line; only with --requests. A refused one is the row of unauthorized with the same log_file_path and log_line.",
		func(r *wording.Report) *result.Pieces[row] {
			if r.Requests == nil {
				return &result.Pieces[row]{}
			}
			return r.Requests
		},
		slices.Concat(requested, []column[row]{
			boolean("auth_refused", "Whether the request was refused: answered 401, or as --status counts refusals.", func(r *row) bool { return r.Refused }),
			text("auth_cause", "Why the request was refused, as in unauthorized; null if it was not.", func(r *row) string { return r.Cause }).optional(),
		}, answered))
}

func eventsTable() Table {
	type row = result.AuthEvent
	return newPiecedTable(AuthEvents, "Events of error logs and identity providers that are about authentication, and which 401 each belongs to, ordered by time, file and line.",
		func(r *wording.Report) *result.Pieces[row] {
			if r.AuthEvents == nil {
				return &result.Pieces[row]{}
			}
			return &r.AuthEvents.Rows
		},
		[]column[row]{
			timestamp("timestamp", "Time of the event by the clock of the access logs: less the clock_offset of its log in manifest.json.", func(r *row) int64 { return r.Time }).rising().as("@timestamp", "time"),
			text("auth_source", "Format of the log: nginx-error, apache-error, keycloak-events and so on.", func(r *row) string { return r.Kind }).as("event.module", "metadata.product.name"),
			text("auth_code", "Number or name of the message at its source, such as AH01617 or LOGIN_ERROR.", func(r *row) string { return r.Code }).optional().
				as("event.code", "metadata.event_code"),
			text("auth_outcome", "refused, failed (the server could not decide: configuration, a file, a directory or an identity provider) or accepted.", func(r *row) string { return r.Outcome }),
			text("auth_reason", "Why: a word of auth_reason in unauthorized.parquet, or the text of the source.", func(r *row) string { return r.Reason }).optional().
				as("event.reason", "status_detail"),
			logged("http_response_status_code", "", "Status that the client gets, if the event determines it.", func(r *row) int64 {
				if r.Status == 0 {
					return -1
				}
				return int64(r.Status)
			}).as("http.response.status_code", "http_response.code"),
			methodOf(func(r *row) string { return r.Method }),
			text("url_path", "Path of the request, secrets redacted.", func(r *row) string { return r.Path }).optional().
				as("url.path", "http_request.url.path"),
			hostOf(func(r *row) string { return r.Host }),
			text("client_address", "Address of the client as the event names it; a pseudonym with --pseudonymize.", func(r *row) string { return r.Client }).optional().
				as("client.address", "src_endpoint.ip"),
			userOf("User that the event names.", func(r *row) string { return r.User }),
			pathOf(func(r *row) string { return r.LogPath }),
			lineOf(func(r *row) int64 { return r.LogLine }),
			text("join_result", "matched; ambiguous if several 401s could be meant; unmatched; null for events that no 401 is looked for, such as accepted sign-ins.",
				func(r *row) string { return r.Join }).optional(),
			text("join_key", "What the event and the 401 have in common, from the surest: request_id, session, connection, client_port, request (client, second and request line), user_client, user, client (and second), line (the line of the 401 follows in the same log).",
				func(r *row) string { return r.Key }).optional(),
			text("matched_log_file_path", "Input of the 401.", func(r *row) string { return r.MatchedPath }).optional(),
			logged("matched_log_line", "", "Line number of the 401 in its input.", func(r *row) int64 { return r.MatchedLine }).rising(),
			findingIDOf("Finding that explains the 401.", func(r *row) string { return r.FindingID }),
		})
}

func sessionsTable() Table {
	type row = result.Session
	return newTable("sessions", "Authenticated sessions, from the sign-in or first accepted request to the refusal that ended them.",
		func(r *wording.Report) iter.Seq2[*row, error] {
			if r.Sessions == nil {
				return each[row](nil)
			}
			return r.Sessions
		},
		[]column[row]{
			sessionOf(func(r *row) string { return r.ID }),
			userOf("User of the session.", func(r *row) string { return r.User }),
			clientOf(func(r *row) string { return r.Address }),
			agentOf(func(r *row) string { return r.UserAgent }),
			hostOf(func(r *row) string { return r.Host }),
			timestamp("start_time", "Sign-in, or first accepted request.", func(r *row) int64 { return r.Start }),
			timestamp("last_accepted_time", "Last accepted request.", func(r *row) int64 { return r.LastAccepted }),
			timestamp("end_time", "Refusal that ended the session; null if it lasted to the end of the log.", func(r *row) int64 { return r.End }),
			integer("requests", "requests", "Requests of the session.", func(r *row) int64 { return r.Requests }),
			integer("accepted", "requests", "Requests answered 2xx, 304 or 101.", func(r *row) int64 { return r.Accepted }),
			integer("unauthorized", "requests", "Requests answered 401.", func(r *row) int64 { return r.Unauthorized }),
			seconds("longest_gap_seconds", "Longest time without a request after which the session was still accepted.", func(r *row) int64 { return r.LongestGap }),
			boolean("start_seen", "Whether the sign-in is in the log, so that start_time is exact.", func(r *row) bool { return r.StartSeen }),
			boolean("open", "Whether nothing had ended the session by the end of the log: no refusal, sign-out or other sign-in. With --state, a session that continues in the next run is written again there, whole.", func(r *row) bool { return r.Open }),
			text("end_cause", "Cause of the refusal that ended the session.", func(r *row) string { return r.EndCause }).optional(),
			findingIDOf("Finding that explains the end of the session.", func(r *row) string { return r.FindingID }),
		})
}

func endpointsTable() Table {
	type row = result.Endpoint
	return newTable("endpoints", "Requests and their outcomes by host, route and method.",
		func(r *wording.Report) iter.Seq2[*row, error] { return each(r.Endpoints) },
		slices.Concat([]column[row]{
			hostOf(func(r *row) string { return r.Host }),
			methodOf(func(r *row) string { return r.Method }),
			templateOf(func(r *row) string { return r.Template }),
		}, outcomes(func(r *row) *result.Counts { return &r.Counts }), []column[row]{
			integer("actors", "actors", "Distinct actors that requested it.", func(r *row) int64 { return r.Actors }),
			integer("refused_actors", "actors", "Distinct actors that it answered 401.", func(r *row) int64 { return r.RefusedActors }),
			boolean("protected", "Whether it requires authentication: it answered 401 to some and accepted others, accepts only requests with a user or session, or only actors that have signed in.", func(r *row) bool { return r.Protected }),
			timestamp("first_time", "First request.", func(r *row) int64 { return r.FirstTime }),
			timestamp("last_time", "Last request.", func(r *row) int64 { return r.LastTime }),
			timestamp("first_unauthorized_time", "First 401.", func(r *row) int64 { return r.FirstUnauthorized }),
			timestamp("last_unauthorized_time", "Last 401.", func(r *row) int64 { return r.LastUnauthorized }),
			findingIDOf("Finding that explains most of its 401s.", func(r *row) string { return r.FindingID }),
		}))
}

func accountsTable() Table {
	type row = result.Account
	return newTable("accounts", "User names as logged. On a 401 the name is a claim, not proven.",
		func(r *wording.Report) iter.Seq2[*row, error] { return each(r.Accounts) },
		slices.Concat([]column[row]{
			userOf("User name as logged.", func(r *row) string { return r.User }),
		}, outcomes(func(r *row) *result.Counts { return &r.Counts }), []column[row]{
			integer("clients", "clients", "Distinct clients (address and user agent) that used or claimed the name.", func(r *row) int64 { return r.Clients }),
			timestamp("first_accepted_time", "First accepted request.", func(r *row) int64 { return r.FirstAccepted }),
			timestamp("last_accepted_time", "Last accepted request.", func(r *row) int64 { return r.LastAccepted }),
			timestamp("first_unauthorized_time", "First 401.", func(r *row) int64 { return r.FirstUnauthorized }),
			timestamp("last_unauthorized_time", "Last 401.", func(r *row) int64 { return r.LastUnauthorized }),
			findingIDOf("Finding that explains most of its 401s.", func(r *row) string { return r.FindingID }),
		}))
}

func clientsTable() Table {
	type row = result.Client
	return newTable("clients", "Clients: an address and a user agent.",
		func(r *wording.Report) iter.Seq2[*row, error] { return each(r.Clients) },
		slices.Concat([]column[row]{
			clientOf(func(r *row) string { return r.Address }),
			agentOf(func(r *row) string { return r.UserAgent }),
		}, outcomes(func(r *row) *result.Counts { return &r.Counts }), []column[row]{
			integer("users", "users", "Distinct users that the client was or claimed to be.", func(r *row) int64 { return r.Users }),
			integer("sessions", "sessions", "Distinct session ids that the client sent.", func(r *row) int64 { return r.Sessions }),
			integer("refused_endpoints", "endpoints", "Distinct endpoints that answered the client 401.", func(r *row) int64 { return r.RefusedEndpoints }),
			timestamp("first_time", "First request.", func(r *row) int64 { return r.FirstTime }),
			timestamp("last_time", "Last request.", func(r *row) int64 { return r.LastTime }),
			timestamp("last_accepted_time", "Last accepted request.", func(r *row) int64 { return r.LastAccepted }),
			findingIDOf("Finding that explains most of its 401s.", func(r *row) string { return r.FindingID }),
		}))
}

func timelineTable() Table {
	type row = result.Minute
	columns := slices.Concat([]column[row]{
		timestamp("timestamp", "Start of the minute.", func(r *row) int64 { return r.Time }).rising().as("@timestamp", "time"),
		hostOf(func(r *row) string { return r.Host }),
	}, outcomes(func(r *row) *result.Counts { return &r.Counts }))
	for i, name := range detect.CauseNames() {
		columns = append(columns, integer("unauthorized_"+name, "requests", "401s with the cause "+name+".",
			func(r *row) int64 {
				if i >= len(r.Causes) {
					return 0
				}
				return r.Causes[i]
			}))
	}
	return newTable("timeline", "Requests and their outcomes by minute and virtual host.",
		func(r *wording.Report) iter.Seq2[*row, error] { return each(r.Timeline) }, columns)
}

func findingsTable() Table {
	type row = document.Finding
	categories, subjects := catalogued()
	subjects = append(subjects, "several (of findings that are only counted)")
	return newTable("findings", "Findings as in findings.json, without the evidence. Findings that are only counted there have a row for each kind.",
		func(r *wording.Report) iter.Seq2[*row, error] { return each(r.Described) },
		[]column[row]{
			text("id", "Kind and a hash of the subject: the same problem has the same id in every run.", func(r *row) string { return r.ID }).
				as("", "finding_info.uid"),
			text("kind", "Kind of finding.", func(r *row) string { return r.Kind }),
			text("category", wording.OneOf(categories)+".", func(r *row) string { return r.Category }),
			text("severity", "info, low, medium, high or critical.", func(r *row) string { return r.Severity }).as("", "severity"),
			{Column: Column{Name: "confidence", Type: Real, Doc: "Confidence from 0 to 1."},
				real: func(r *row) (float64, bool) { return r.Confidence, true }},
			text("subject_type", "What the finding is about: "+wording.OneOf(subjects)+".", func(r *row) string { return r.Subject.Type }),
			hostOf(func(r *row) string { return r.Subject.Host }),
			methodOf(func(r *row) string { return r.Subject.Method }),
			templateOf(func(r *row) string { return r.Subject.Route }),
			userOf("User that the finding is about.", func(r *row) string { return r.Subject.User }),
			clientOf(func(r *row) string { return r.Subject.ClientAddress }),
			agentOf(func(r *row) string { return r.Subject.UserAgent }),
			text("upstream_address", "Backend that the finding is about.", func(r *row) string { return r.Subject.Upstream }).optional().
				as("destination.address", "dst_endpoint.ip"),
			text("server_name", "Server, by its log, that the finding is about.", func(r *row) string { return r.Subject.Server }).optional(),
			text("title", "The problem in one line.", func(r *row) string { return r.Title }).as("", "finding_info.title"),
			text("explanation", "The problem in a paragraph, with figures.", func(r *row) string { return r.Explanation }).as("", "finding_info.desc"),
			list("remediation", "What to do: a list of steps.", func(r *row) []string { return r.Remediation }).as("", "remediation.desc"),
			timestamp("onset", "When the problem began; null if it was there from the first line.", func(r *row) int64 { return int64(r.Onset) }),
			timestamp("first_seen", "First 401 that the finding explains.", func(r *row) int64 { return int64(r.FirstSeen) }).as("", "finding_info.first_seen_time"),
			timestamp("last_seen", "Last 401 that the finding explains.", func(r *row) int64 { return int64(r.LastSeen) }).as("", "finding_info.last_seen_time"),
			integer("unauthorized", "requests", "401s that the finding explains.", func(r *row) int64 { return r.Unauthorized }),
			integer("actors", "actors", "Distinct actors affected.", func(r *row) int64 { return r.Actors }),
			integer("users", "users", "Distinct users affected.", func(r *row) int64 { return r.Users }),
			jsonText("details", "Figures that depend on the kind: an object.", detailsText),
			text("status", "With a baseline: new, persisting, worse or better.", func(r *row) string { return r.Status }).optional(),
			text("muted_reason", "Why the finding is muted; null if it is not.", func(r *row) string {
				if r.Muted == nil {
					return ""
				}
				return r.Muted.Reason
			}).optional(),
			timestamp("muted_until", "When the muting ends.", func(r *row) int64 {
				if r.Muted == nil {
					return parse.NoTime
				}
				return int64(r.Muted.Until)
			}),
		})
}

// catalogued returns the categories and the types of subjects of all kinds of
// findings.
func catalogued() (categories, subjects []string) {
	for _, k := range detect.Catalogue() {
		if c := string(k.Category); !slices.Contains(categories, c) {
			categories = append(categories, c)
		}
		for _, s := range k.Subjects {
			if !slices.Contains(subjects, s) {
				subjects = append(subjects, s)
			}
		}
	}
	return categories, subjects
}

// detailsText returns the details of a finding as JSON.
func detailsText(f *document.Finding) string {
	b, err := json.Marshal(f.Details)
	if err != nil {
		return "{}" // findings.json fails on the same value, and the run with it
	}
	return string(b)
}

func inputsTable() Table {
	type row = result.Input
	return newTable("inputs", "Inputs and what became of their lines: lines = parsed + rejected + skipped.",
		func(r *wording.Report) iter.Seq2[*row, error] { return each(r.Inputs) },
		[]column[row]{
			pathOf(func(r *row) string { return r.Path }),
			text("format", "Format that the input was parsed with.", func(r *row) string { return r.Format }).optional(),
			text("compression", "none, gzip, zstd, bzip2, xz or lz4; for a file in an archive all layers, such as gzip+tar.", func(r *row) string { return r.Compression }).optional(),
			integer("bytes", "bytes", "Decompressed size of what was read.", func(r *row) int64 { return r.Bytes }),
			integer("lines", "lines", "Lines read.", func(r *row) int64 { return r.Lines }),
			integer("parsed", "lines", "Lines parsed as a request.", func(r *row) int64 { return r.Parsed }),
			integer("rejected", "lines", "Lines that should be a request and could not be parsed.", func(r *row) int64 { return r.Rejected }),
			integer("skipped", "lines", "Blank lines, comments, headers, server messages, and lines outside the time range.", func(r *row) int64 { return r.Skipped }),
			integer("unauthorized", "requests", "Requests answered 401.", func(r *row) int64 { return r.Unauthorized }),
			timestamp("first_time", "First request.", func(r *row) int64 { return r.FirstTime }),
			timestamp("last_time", "Last request.", func(r *row) int64 { return r.LastTime }),
			text("error", "Why the input could not be read to its end.", func(r *row) string { return r.Error }).optional(),
			text("duplicate_of", "Input with the same content, if this one was not read because of it.", func(r *row) string { return r.DuplicateOf }).optional(),
			integer("bytes_before", "bytes", "Bytes at the beginning that earlier runs with --state counted.", func(r *row) int64 { return r.BytesBefore }),
			integer("lines_before", "lines", "Lines in bytes_before.", func(r *row) int64 { return r.LinesBefore }),
			integer("bytes_left", "bytes", "Bytes of an incomplete last line, left for the next run with --state.", func(r *row) int64 { return r.BytesLeft }),
			boolean("out_of_range", "Whether the input was not read because all of it is before the time range.", func(r *row) bool { return r.OutOfRange }),
		})
}
