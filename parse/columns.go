package parse

import (
	"bytes"
	"strings"

	"logscan/parse/strftime"
)

// A log of columns names what each holds: by its server's documentation, or by
// a directive in the log itself. A line may have fewer columns than are named,
// where older versions of the server wrote fewer.

// columns are what the columns of a line hold.
type columns struct {
	list      []column
	least     int  // columns that a line must have
	more      bool // a line may have more than are named
	separator byte
	dialect   columnDialect
	reads     [numFields]bool
}

// column is what one column holds.
type column struct {
	field   field
	pattern *strftime.Pattern // spells a part of a time
	plus    bool              // a plus stands for a space
	percent bool              // percent-encoded, perhaps twice
}

// columnDialect is how columns are spelled.
type columnDialect uint8

const (
	columnsQuoted columnDialect = iota // "…" and […] may hold separators
	columnsW3C                         // nothing may
	columnsCSV                         // "…" may, and a quote is doubled
)

// maxColumns is the most columns a line may name: the servers have some 40.
const maxColumns = 256

// optional marks the column from which on a line may end.
const optional = "|"

// namedColumns are what the columns of the servers' documentation hold.
var namedColumns = map[string]field{
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

// w3cColumns are what the fields of the W3C extended log format hold, as IIS and
// CloudFront have them.
var w3cColumns = map[string]field{
	"cs-method": fieldMethod, "cs-uri-stem": fieldPath, "cs-uri-query": fieldQuery, "cs-uri": fieldTarget,
	"cs-username": fieldUser, "c-ip": fieldAddress, "cs-version": fieldProtocol, "cs-protocol-version": fieldProtocol,
	"cs-protocol": fieldScheme, "cs-host": fieldHost, "cs(host)": fieldHost, "x-host-header": fieldHost,
	"sc-status": fieldStatus, "sc-bytes": fieldBytes, "time-taken": fieldTaken, "s-port": fieldCount,
	"cs(user-agent)": fieldAgent, "cs(referer)": fieldReferrer, "cs(cookie)": fieldCookie,
	"cs(x-forwarded-for)": fieldForwarded, "x-forwarded-for": fieldForwarded,
	"sc-substatus": fieldSubstatus, "sc-win32-status": fieldWin32, "sc(www-authenticate)": fieldReason,
}

// newColumns reads names of columns, parted by blanks.
func newColumns(names string, separator byte, dialect columnDialect, assigned map[string]field) *columns {
	c := &columns{separator: separator, dialect: dialect, more: dialect != columnsW3C}
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
			col.plus = separator == ' ' && strings.HasPrefix(name, "cs(")
			col.percent = separator == '\t' && strings.HasPrefix(name, "cs(")
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
func (c *columns) read(p *Parser, line []byte, e *Entry) Verdict {
	p.civil, p.substatus, p.win32 = strftime.Civil{}, nil, nil
	rest := line
	n := 0
	for ; len(rest) > 0; n++ {
		if n >= len(c.list) {
			if !c.more {
				return RejectSyntax
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
		if v := c.set(p, e, &c.list[n], value, quoted); v != Parsed {
			return v
		}
	}
	if n < c.least {
		return RejectSyntax
	}
	if v := p.settle(e); v != Parsed {
		return v
	}
	p.refusal(e)
	return Parsed
}

// set stores the value of a column.
func (c *columns) set(p *Parser, e *Entry, col *column, value []byte, quoted bool) Verdict {
	switch {
	case col.pattern != nil:
		if col.pattern.Parse(value, &p.civil) != len(value) {
			return RejectTime
		}
		return Parsed
	case col.field == fieldIgnored, missing(value) && col.field != fieldUpstream:
		return Parsed
	case col.plus || col.percent:
		value = p.decode(value, col.plus, col.percent)
	case c.dialect == columnsCSV && bytes.Contains(value, doubled):
		value = p.undouble(value)
	}
	return p.set(e, col.field, value, quoted && c.dialect == columnsQuoted)
}

var doubled = []byte(`""`)

// undouble takes one of every two quotes out, as CSV has them.
func (p *Parser) undouble(b []byte) []byte {
	p.room(len(b))
	n := len(p.scratch)
	for i := 0; i < len(b); i++ {
		p.scratch = append(p.scratch, b[i])
		if b[i] == '"' && i+1 < len(b) && b[i+1] == '"' {
			i++
		}
	}
	return p.scratch[n:len(p.scratch):len(p.scratch)]
}

// isName tells whether the value of a first column is its name: the line is a
// header.
func isName(b []byte) bool { return len(b) > 1 && b[0]|0x20 >= 'a' && b[0]|0x20 <= 'z' }

// cut gives the column at the start of b, without its quotes, and how long it is
// with them; -1 where it has no end.
func (c *columns) cut(b []byte) (value []byte, quoted bool, size int) {
	end := byte(0)
	if c.dialect != columnsW3C {
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
	return nil, false, -1
}

// decode decodes a value of the W3C format into the scratch memory.
func (p *Parser) decode(b []byte, plus, percent bool) []byte {
	if (!plus || bytes.IndexByte(b, '+') < 0) && (!percent || bytes.IndexByte(b, '%') < 0) {
		return b
	}
	p.room(len(b))
	n := len(p.scratch)
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
		p.scratch = append(p.scratch, c)
	}
	return p.scratch[n:len(p.scratch):len(p.scratch)]
}

// percentByte decodes the escape at the start of b, which may be encoded twice
// (%2520), and gives how many bytes it has more than one.
func percentByte(b []byte) (c byte, more int) {
	if len(b) >= 5 && b[1] == '2' && b[2] == '5' {
		if x, ok := hexDigits(b[3:], 2); ok {
			return byte(x), 4
		}
	}
	if x, ok := hexDigits(b[1:], 2); ok {
		return byte(x), 2
	}
	return '%', 0
}

// refusal makes one text of IIS's substatus and the system's error, for
// answers that are no success: 401.1 2148074252.
func (p *Parser) refusal(e *Entry) {
	if p.substatus == nil && p.win32 == nil || e.Status < 400 || len(e.Reason) > 0 {
		return
	}
	p.room(len(p.substatus) + len(p.win32) + 8)
	n := len(p.scratch)
	p.scratch = append(p.scratch, byte('0'+e.Status/100), byte('0'+e.Status/10%10), byte('0'+e.Status%10))
	if p.substatus != nil {
		p.scratch = append(append(p.scratch, '.'), p.substatus...)
	}
	if p.win32 != nil {
		p.scratch = append(append(p.scratch, ' '), p.win32...)
	}
	e.Reason = p.scratch[n:len(p.scratch):len(p.scratch)]
}
