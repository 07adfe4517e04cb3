package main

import (
	"strconv"
	"time"
	"unicode/utf8"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/privacy"
)

// rows builds NDJSON: one object per log line, with the column names of the
// tables. It reuses its buffers and must not be used concurrently.
type rows struct {
	buf  []byte // rows
	head []byte // `{"log_file_path":"...","log_line":` of the current input
	text []byte // scratch for redacted values

	omitRaw bool          // omit the text of rejected lines, which may name anybody
	mask    *privacy.Mask // masks names in rejected lines, or nil
}

// open begins the rows of an input.
func (r *rows) open(path string) {
	r.head = append(r.head[:0], `{"log_file_path":`...)
	r.head = appendJSON(r.head, []byte(path))
	r.head = append(r.head, `,"log_line":`...)
}

// parsed appends the row of a request. Fields that were not logged are omitted,
// secrets are redacted, and the session id is replaced by its hash.
func (r *rows) parsed(line int64, e *parse.Entry) {
	r.buf = strconv.AppendInt(append(r.buf, r.head...), line, 10)
	r.time("timestamp", e.Time)
	r.string("http_request_method", e.Method, privacy.Redact)
	r.string("url_path", e.Path, privacy.Redact)
	r.string("url_query", e.Query, privacy.Redact)
	r.string("url_scheme", e.Scheme, privacy.Redact)
	r.number("http_response_status_code", int64(e.Status))
	r.number("http_response_body_size", e.BodySize)
	if e.Duration >= 0 {
		r.buf = append(r.buf, `,"http_server_request_duration":`...)
		r.buf = strconv.AppendFloat(r.buf, float64(e.Duration)/1e6, 'f', -1, 64)
	}
	r.string("server_address", e.Host, privacy.Redact)
	r.string("http_request_referrer", e.Referrer, privacy.Redact)
	r.string("client_address", e.Client, privacy.Redact)
	r.string("network_peer_address", e.Peer, privacy.Redact)
	r.string("user_agent_original", e.UserAgent, privacy.Redact)
	r.string("user_name", e.User, privacy.Redact)
	if len(e.Session) > 0 {
		r.buf = append(append(append(r.buf, `,"session_id":"`...), privacy.SessionHash(e.Session)...), '"')
	}
	r.string("upstream_address", e.Upstream, privacy.Redact)
	r.string("auth_reason", e.Reason, privacy.Redact)
	if e.AnsweredBy != parse.Unknown {
		r.buf = append(append(append(r.buf, `,"auth_answered_by":"`...), e.AnsweredBy.String()...), '"')
	}
	r.time("auth_token_expiry", e.TokenExpiry)
	r.buf = append(r.buf, '}', '\n')
}

// rejected appends the row of a rejected line. raw is the line or its beginning, and known
// is where its credentials stand.
func (r *rows) rejected(line int64, v parse.Verdict, raw []byte, known *privacy.Line) {
	r.buf = strconv.AppendInt(append(r.buf, r.head...), line, 10)
	r.buf = append(append(append(r.buf, `,"error":"`...), v.String()...), `","raw":`...)
	if r.text = r.text[:0]; !r.omitRaw {
		r.text = privacy.RedactLine(r.text, raw, known)
	}
	if r.mask != nil {
		r.text = append(r.text[:0], r.mask.Text(r.text)...)
	}
	r.buf = appendJSON(r.buf, r.text[:min(len(r.text), result.MaxRawLine)])
	r.buf = append(r.buf, '}', '\n')
	if cap(r.text) > maxScratch {
		r.text = nil // do not keep a buffer as large as the longest line
	}
}

// skipped appends the row of a line that has text but no request.
func (r *rows) skipped(line int64, v parse.Verdict) {
	r.buf = strconv.AppendInt(append(r.buf, r.head...), line, 10)
	r.buf = append(append(append(r.buf, `,"skipped":"`...), v.String()...), '"', '}', '\n')
}

// maxScratch is the maximum capacity in bytes of the scratch buffer between rows.
const maxScratch = 64 << 10

// time appends a time given in Unix microseconds, unless it is parse.NoTime.
func (r *rows) time(name string, at int64) {
	if at == parse.NoTime {
		return
	}
	r.buf = append(append(append(r.buf, ',', '"'), name...), '"', ':', '"')
	r.buf = append(time.UnixMicro(at).UTC().AppendFormat(r.buf, time.RFC3339Nano), '"')
}

// string appends a text value, unless it is empty.
func (r *rows) string(name string, value []byte, redact func(dst, value []byte) []byte) {
	if len(value) == 0 {
		return
	}
	r.buf = append(append(append(r.buf, `,"`...), name...), `":`...)
	r.text = redact(r.text[:0], value)
	r.buf = appendJSON(r.buf, r.text)
}

// number appends an integer, unless it is negative.
func (r *rows) number(name string, n int64) {
	if n < 0 {
		return
	}
	r.buf = append(append(append(r.buf, `,"`...), name...), `":`...)
	r.buf = strconv.AppendInt(r.buf, n, 10)
}

// appendJSON appends value as a JSON string. Invalid UTF-8 becomes U+FFFD. It
// escapes all unprintable characters, not only those that JSON requires to be:
// rows are read on terminals too, and log text must not act there.
func appendJSON(dst, value []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(value); {
		c := value[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		r := rune(c)
		if c >= utf8.RuneSelf {
			if r, size = utf8.DecodeRune(value[i:]); strconv.IsPrint(r) && !(r == utf8.RuneError && size == 1) {
				i += size
				continue
			}
		}
		dst = append(dst, value[start:i]...)
		dst = appendEscape(dst, r)
		i += size
		start = i
	}
	return append(append(dst, value[start:]...), '"')
}

// appendEscape appends the JSON escape of r.
func appendEscape(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if r > 0xffff { // a surrogate pair
		r -= 0x10000
		dst = appendUnit(dst, 0xd800+r>>10)
		return appendUnit(dst, 0xdc00+r&0x3ff)
	}
	return appendUnit(dst, r)
}

// appendUnit appends the escape of a UTF-16 code unit.
func appendUnit(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
