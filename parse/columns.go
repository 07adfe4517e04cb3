package parse

import (
	"bytes"
	"strings"

	"logscan/parse/field"
	"logscan/parse/field/strftime"
	"logscan/parse/privacy"
	"logscan/parse/scan"
)

// The columns of a log are named by the documentation of its server or by a
// directive in the log. A line may have fewer columns than are named, because older
// versions of the server wrote fewer.

// columns describes the columns of a line.
type columns struct {
	list      []column
	least     int  // number of columns that a line must have
	more      bool // a line may have more columns than are named
	quotes    bool // with columnsW3C: "…" may contain separators all the same
	separator byte
	dialect   columnDialect
	reads     [numFields]bool
}

// column describes one column.
type column struct {
	field   fieldID
	pattern *strftime.Pattern // of a part of a time; else nil
	plus    bool              // plus signs stand for spaces
	percent bool              // percent-encoded, perhaps twice
}

// columnDialect is the syntax of columns.
type columnDialect uint8

const (
	columnsQuoted columnDialect = iota // "…" and […] may contain separators
	columnsW3C                         // no column may
	columnsCSV                         // "…" may, with quotes doubled
)

// maxColumns limits the columns that a directive may name: servers have some 40.
const maxColumns = 256

// optional marks the first optional column in a list of names.
const optional = "|"

// namedColumns maps the columns in the documentation of servers to fields.
var namedColumns = map[string]fieldID{
	// AWS: application, classic load balancers and S3.
	"time": fieldTime, "client:port": fieldClientPort, "target:port": fieldUpstream, "backend:port": fieldUpstream,
	"request_processing_time": fieldSecondsMore, "target_processing_time": fieldSecondsMore,
	"backend_processing_time": fieldSecondsMore, "response_processing_time": fieldSecondsMore,
	"elb_status_code": fieldStatus, "target_status_code": fieldUpstreamStatus, "backend_status_code": fieldUpstreamStatus,
	"received_bytes": fieldCount, "sent_bytes": fieldBytes, "request": fieldRequest, "user_agent": fieldAgent,
	"domain_name": fieldHost, "error_reason": fieldReason,
	"remote_ip": fieldClient, "requester": fieldUser, "request_uri": fieldRequest, "http_status": fieldStatus,
	"error_code": fieldReason, "bytes_sent": fieldBytes, "total_time": fieldMillis, "referer": fieldReferrer,
	"host_header": fieldHost,
	// Squid.
	"elapsed": fieldMillis, "client": fieldClient, "result/status": fieldResult, "bytes": fieldBytes,
	"method": fieldMethod, "url": fieldTarget, "user": fieldUser, "hierarchy/peer": fieldHierarchy,
	// Google Cloud Storage.
	"time_micros": fieldTime, "c_ip": fieldClient, "cs_method": fieldMethod, "cs_uri": fieldTarget,
	"sc_status": fieldStatus, "sc_bytes": fieldBytes, "time_taken_micros": fieldMicros, "cs_host": fieldHost,
	"cs_referer": fieldReferrer, "cs_user_agent": fieldAgent,
}

// w3cColumns maps the columns of the W3C extended log format, as IIS and CloudFront
// write it, to fields.
var w3cColumns = map[string]fieldID{
	"cs-method": fieldMethod, "cs-uri-stem": fieldPath, "cs-uri-query": fieldQuery, "cs-uri": fieldTarget,
	"cs-username": fieldUser, "c-ip": fieldAddress, "cs-version": fieldProtocol, "cs-protocol-version": fieldProtocol,
	"cs-protocol": fieldScheme, "cs-host": fieldHost, "cs(host)": fieldHost, "x-host-header": fieldHost,
	"sc-status": fieldStatus, "sc-bytes": fieldBytes, "time-taken": fieldTaken, "s-port": fieldCount,
	"cs(user-agent)": fieldAgent, "cs(referer)": fieldReferrer, "cs(cookie)": fieldCookie,
	"cs(x-forwarded-for)": fieldForwarded, "x-forwarded-for": fieldForwarded,
	// IIS Advanced Logging.
	"timetakenms": fieldMillis, "beginrequest-utc": fieldTime,
	// Zeek.
	"ts": fieldTime, "id.orig_h": fieldClient, "method": fieldMethod, "host": fieldHost, "uri": fieldTarget,
	"referrer": fieldReferrer, "user_agent": fieldAgent, "response_body_len": fieldBytes, "status_code": fieldStatus,
	"username":     fieldUser,
	"sc-substatus": fieldSubstatus, "sc-win32-status": fieldWin32, "sc(www-authenticate)": fieldReason,
}

// advancedColumn is a column that IIS Advanced Logging names, which puts texts in
// quotes and leaves blanks in them. IIS itself writes plus signs for blanks, and a quote
// that a client sends as any other byte.
const advancedColumn = "timetakenms"

// newColumns parses names of columns, separated by blanks or commas.
func newColumns(names string, separator byte, dialect columnDialect, assigned map[string]fieldID) *columns {
	c := &columns{separator: separator, dialect: dialect, more: dialect != columnsW3C}
	c.quotes = dialect == columnsW3C && strings.Contains(strings.ToLower(names), advancedColumn)
	for name := range strings.FieldsSeq(strings.ReplaceAll(names, ",", " ")) {
		if name == optional {
			c.least = len(c.list)
			continue
		}
		if len(c.list) == maxColumns {
			break
		}
		name = strings.ToLower(strings.Trim(name, `"[]`))
		var col column
		if dialect == columnsW3C {
			col.field = w3cColumns[name]
			col.plus = separator == ' ' && strings.HasPrefix(name, "cs(") && !c.quotes
			col.percent = separator == '\t' && strings.HasPrefix(name, "cs(")
			if col.field == fieldIgnored && privacy.SecretField(name) {
				col.field = fieldSecret
			}
			switch name {
			case "date":
				col.field, col.pattern = fieldTimePart, strftime.Date
			case "time":
				col.field, col.pattern = fieldTimePart, strftime.Clock
			}
		} else {
			col.field = namedColumns[name]
		}
		if f, ok := assigned[name]; ok {
			col.field, col.pattern = f, nil
		}
		c.list = append(c.list, col)
		c.reads[col.field] = true
	}
	if c.least == 0 {
		c.least = len(c.list)
	}
	c.reads[fieldTime] = c.reads[fieldTime] || c.reads[fieldTimePart]
	return c
}

// read reads a line.
func (c *columns) read(d *decoder, line []byte, e *Entry) Verdict {
	d.parts, d.substatus, d.win32 = strftime.Civil{}, nil, nil
	rest := line
	n := 0
	for ; len(rest) > 0; n++ {
		if n >= len(c.list) {
			if !c.more {
				return RejectSyntax
			}
			if d.located != nil {
				d.located.unread(rest)
			}
			break
		}
		value, quoted, size := c.cut(rest)
		if size < 0 {
			return RejectSyntax
		}
		if rest = rest[size:]; len(rest) > 0 {
			rest = rest[1:]
			for c.separator == ' ' && c.dialect == columnsQuoted && len(rest) > 0 && rest[0] == ' ' { // Squid pads
				rest = rest[1:]
			}
		}
		if n == 0 && c.dialect == columnsCSV && isName(value) {
			return SkipHeader
		}
		if v := c.set(d, e, &c.list[n], value, quoted); v != Parsed && !d.located.goesOn() {
			return v
		}
	}
	if n < c.least {
		return RejectSyntax
	}
	if v := d.settle(e); v != Parsed {
		return v
	}
	d.setIISReason(e)
	return Parsed
}

// set stores the value of a column.
func (c *columns) set(d *decoder, e *Entry, col *column, value []byte, quoted bool) Verdict {
	if d.located != nil {
		d.located.field(col.field, value)
	}
	switch {
	case col.pattern != nil:
		if col.pattern.Parse(value, &d.parts) != len(value) {
			return RejectTime
		}
		return Parsed
	case col.field == fieldIgnored, field.Missing(value) && col.field != fieldUpstream:
		return Parsed
	case col.plus || col.percent:
		value = decodeW3C(&d.scratch, value, col.plus, col.percent)
	case c.dialect == columnsCSV && bytes.Contains(value, doubled):
		value = undouble(&d.scratch, value)
	}
	return d.set(e, col.field, value, quoted && c.dialect == columnsQuoted)
}

var doubled = []byte(`""`)

// undouble replaces doubled quotes by single ones, as in CSV.
func undouble(s *scan.Scratch, b []byte) []byte {
	text := s.Grow(len(b))
	for i := 0; i < len(b); i++ {
		text = append(text, b[i])
		if b[i] == '"' && i+1 < len(b) && b[i+1] == '"' {
			i++
		}
	}
	return s.Keep(text)
}

// isName reports whether the value of a first column is a name, so that the line is
// a header.
func isName(b []byte) bool {
	return len(b) > 1 && b[0]|0x20 >= 'a' && b[0]|0x20 <= 'z' && bytes.IndexByte(b, ' ') < 0 && bytes.IndexByte(b, '=') < 0
}

// cut returns the column at the start of b without its quotes, and its size with
// them, -1 if it has no end.
func (c *columns) cut(b []byte) (value []byte, quoted bool, size int) {
	end := byte(0)
	if c.dialect != columnsW3C || c.quotes {
		switch b[0] {
		case '"':
			end = '"'
		case '[':
			if c.dialect == columnsQuoted {
				end = ']'
			}
		}
	}
	if end == 0 {
		if i := bytes.IndexByte(b, c.separator); i >= 0 {
			return b[:i], false, i
		}
		return b, false, len(b)
	}
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\\' && end == '"' && c.dialect == columnsQuoted:
			i++
		case b[i] != end:
		case i+1 == len(b) || b[i+1] == c.separator:
			return b[1:i], true, i + 1
		case c.dialect == columnsCSV && b[i+1] == '"':
			i++
		}
	}
	if c.quotes { // a quote that a client sent
		end := bytes.IndexByte(b, c.separator)
		if end < 0 {
			end = len(b)
		}
		return b[:end], false, end
	}
	return nil, false, -1
}

// decodeW3C decodes a value of the W3C format.
func decodeW3C(s *scan.Scratch, b []byte, plus, percent bool) []byte {
	if (!plus || bytes.IndexByte(b, '+') < 0) && (!percent || bytes.IndexByte(b, '%') < 0) {
		return b
	}
	text := s.Grow(len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case plus && c == '+':
			c = ' '
		case percent && c == '%':
			var size int
			c, size = percentByte(b[i:])
			i += size
		}
		text = append(text, c)
	}
	return s.Keep(text)
}

// percentByte decodes the escape at the start of b, which may be encoded twice
// (%2520), and returns how many bytes it has beyond the first.
func percentByte(b []byte) (c byte, more int) {
	if len(b) >= 5 && b[1] == '2' && b[2] == '5' {
		if x, ok := scan.HexDigits(b[3:], 2); ok {
			return byte(x), 4
		}
	}
	if x, ok := scan.HexDigits(b[1:], 2); ok {
		return byte(x), 2
	}
	return '%', 0
}

// setIISReason stores IIS's substatus and Windows status of an error response as
// one text: 401.1 2148074252.
func (d *decoder) setIISReason(e *Entry) {
	if d.substatus == nil && d.win32 == nil || e.Status < 400 || len(e.Reason) > 0 {
		return
	}
	text := d.scratch.Grow(len(d.substatus) + len(d.win32) + 8)
	text = append(text, byte('0'+e.Status/100), byte('0'+e.Status/10%10), byte('0'+e.Status%10))
	if d.substatus != nil {
		text = append(append(text, '.'), d.substatus...)
	}
	if d.win32 != nil {
		text = append(append(text, ' '), d.win32...)
	}
	e.Reason = d.scratch.Keep(text)
}

// header is the state of a log that names its columns in directives, which may
// change within the log.
type header struct {
	format    *Format // the one with directives; nil if none has them
	directive []byte  // in force; empty for the format's own
	columns   *columns
	changed   bool   // the directive is not the format's own
	buf       []byte // memory of before
}

// fieldsDirective begins the directive of the W3C extended log format.
// https://www.w3.org/TR/WD-logfile.html
var fieldsDirective = []byte("#Fields:")

// Directive returns the beginning of the lines that name the columns of the lines
// after them, nil if the format has none. Code that cuts a log into blocks must
// pass the last one before a block to Parser.Directive.
func (f *Format) Directive() []byte {
	if f.kind == kindW3C {
		return fieldsDirective
	}
	return nil
}

// reset puts the format's own directive in force.
func (h *header) reset() {
	h.directive, h.columns, h.changed = h.directive[:0], h.format.described, false
}

// read reads a comment, which may be a directive.
func (h *header) read(line []byte) {
	names, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), fieldsDirective)
	if !ok || len(h.directive) > 0 && bytes.Equal(h.directive, names) {
		return
	}
	h.directive = append(h.directive[:0], names...)
	h.changed = !bytes.Equal(names, h.format.directive)
	if !h.changed {
		h.columns = h.format.described
		return
	}
	h.columns = newColumns(string(names), h.format.separator, columnsW3C, h.format.named())
}

// before returns a line with the directive in force before it. The result is valid
// until the next call.
func (h *header) before(line []byte) []byte {
	h.buf = append(append(h.buf[:0], fieldsDirective...), h.directive...)
	h.buf = append(append(h.buf, '\n'), line...)
	return h.buf
}

// describedBy returns the format with the columns that a directive names.
func (f *Format) describedBy(line []byte) *Format {
	names, ok := bytes.CutPrefix(line, fieldsDirective)
	if !ok || f.kind != kindW3C {
		return f
	}
	g := *f
	g.directive = bytes.Clone(names)
	g.described = newColumns(string(names), f.separator, columnsW3C, f.named())
	return &g
}
