package tables

import (
	"logscan/analyze/result"
	"logscan/parse"
)

// Type is the type of a column.
type Type uint8

// The types of columns, and their types in Parquet.
const (
	Text    Type = iota // STRING: valid UTF-8
	Integer             // INT64
	Real                // DOUBLE
	Time                // INT64, TIMESTAMP(MICROS, UTC)
	Boolean             // BOOLEAN
	JSON                // JSON: text that is a JSON value
	List                // LIST of STRING
)

// Column describes a column of a table.
type Column struct {
	Name     string
	Type     Type
	Unit     string // of a number, or empty
	Doc      string
	Nullable bool
	Rising   bool   // the numbers of most rows are a little above those of the row before
	ECS      string // name in the Elastic Common Schema, or empty
	OCSF     string // name in the Open Cybersecurity Schema Framework, or empty
}

// column is a Column with the function that returns its value of a row: one of the
// functions is set, by its type. The bool of a function is false for a null.
type column[R any] struct {
	Column
	text    func(*R) string // Text and JSON; in a nullable column empty text is null
	integer func(*R) (int64, bool)
	real    func(*R) (float64, bool)
	boolean func(*R) bool
	list    func(*R) []string
}

func text[R any](name, doc string, get func(*R) string) column[R] {
	return column[R]{Column: Column{Name: name, Type: Text, Doc: doc}, text: get}
}

func integer[R any](name, unit, doc string, get func(*R) int64) column[R] {
	return column[R]{Column: Column{Name: name, Type: Integer, Unit: unit, Doc: doc},
		integer: func(r *R) (int64, bool) { return get(r), true }}
}

// logged is an integer column for values that are -1 if they were not logged.
func logged[R any](name, unit, doc string, get func(*R) int64) column[R] {
	return column[R]{Column: Column{Name: name, Type: Integer, Unit: unit, Doc: doc, Nullable: true},
		integer: func(r *R) (int64, bool) { v := get(r); return v, v >= 0 }}
}

func timestamp[R any](name, doc string, get func(*R) int64) column[R] {
	return column[R]{Column: Column{Name: name, Type: Time, Unit: "microseconds", Doc: doc, Nullable: true},
		integer: func(r *R) (int64, bool) { v := get(r); return v, v != parse.NoTime }}
}

// seconds is a column for durations in microseconds that are -1 if they were not
// logged.
func seconds[R any](name, doc string, get func(*R) int64) column[R] {
	return column[R]{Column: Column{Name: name, Type: Real, Unit: "seconds", Doc: doc, Nullable: true},
		real: func(r *R) (float64, bool) { v := get(r); return float64(v) / 1e6, v >= 0 }}
}

func boolean[R any](name, doc string, get func(*R) bool) column[R] {
	return column[R]{Column: Column{Name: name, Type: Boolean, Doc: doc}, boolean: get}
}

func jsonText[R any](name, doc string, get func(*R) string) column[R] {
	return column[R]{Column: Column{Name: name, Type: JSON, Doc: doc}, text: get}
}

func list[R any](name, doc string, get func(*R) []string) column[R] {
	return column[R]{Column: Column{Name: name, Type: List, Doc: doc}, list: get}
}

// path returns the path of the column's values in the schema.
func (c *Column) path() string {
	if c.Type == List {
		return c.Name + ".list.element"
	}
	return c.Name
}

// textual reports whether the values of the column are texts.
func (c *Column) textual() bool { return c.Type == Text || c.Type == JSON || c.Type == List }

// optional makes the column nullable: empty text becomes null.
func (c column[R]) optional() column[R] {
	c.Nullable = true
	return c
}

// rising marks the numbers of the column as rising.
func (c column[R]) rising() column[R] {
	c.Rising = true
	return c
}

// as sets the names of the column in the other schemas.
func (c column[R]) as(ecs, ocsf string) column[R] {
	c.ECS, c.OCSF = ecs, ocsf
	return c
}

// Columns that occur in several tables are the same in all of them.

func methodOf[R any](get func(*R) string) column[R] {
	return text("http_request_method", "Request method as logged.", get).optional().
		as("http.request.method", "http_request.http_method")
}

func templateOf[R any](get func(*R) string) column[R] {
	return text("url_template", "Path of the request with variable parts such as ids and hashes replaced by placeholders.", get).optional()
}

func hostOf[R any](get func(*R) string) column[R] {
	return text("server_address", "Virtual host of the request, without port.", get).optional().
		as("url.domain", "http_request.url.hostname")
}

func clientOf[R any](get func(*R) string) column[R] {
	return text("client_address", "Address of the client, as forwarded by trusted proxies; a pseudonym with --pseudonymize.", get).optional().
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
	return text("session_id", "Hash of the session id, keyed with --pseudonymize. The id itself is a credential and is never written.", get).optional().
		as("", "actor.session.uid")
}

func findingIDOf[R any](doc string, get func(*R) string) column[R] {
	return text("finding_id", doc, get).optional().as("", "finding_info.uid")
}

func pathOf[R any](get func(*R) string) column[R] {
	return text("log_file_path", "Path of the input as given or found; - is standard input.", get).
		as("log.file.path", "metadata.log_name")
}

func lineOf[R any](get func(*R) int64) column[R] {
	return integer("log_line", "", "Line number in the input, from 1.", get).rising()
}

// outcomes returns the columns of result.Counts.
func outcomes[R any](get func(*R) *result.Counts) []column[R] {
	count := func(name, doc string, n func(*result.Counts) int64) column[R] {
		return integer(name, "requests", doc, func(r *R) int64 { return n(get(r)) })
	}
	return []column[R]{
		count("requests", "All requests: the sum of the columns by status.", func(c *result.Counts) int64 { return c.Requests }),
		count("accepted", "Requests answered 2xx, 304 or 101.", func(c *result.Counts) int64 { return c.Accepted }),
		count("redirected", "Requests answered 3xx other than 304.", func(c *result.Counts) int64 { return c.Redirected }),
		count("unauthorized", "Requests answered 401.", func(c *result.Counts) int64 { return c.Unauthorized }),
		count("forbidden", "Requests answered 403.", func(c *result.Counts) int64 { return c.Forbidden }),
		count("not_found", "Requests answered 404 or 410.", func(c *result.Counts) int64 { return c.NotFound }),
		count("client_errors", "Requests answered with another 4xx.", func(c *result.Counts) int64 { return c.ClientErrors }),
		count("server_errors", "Requests answered 5xx.", func(c *result.Counts) int64 { return c.ServerErrors }),
		count("other", "Requests answered 1xx or 000, or without a status.", func(c *result.Counts) int64 { return c.Other }),
	}
}
