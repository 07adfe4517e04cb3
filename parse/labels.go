package parse

import (
	"bytes"

	"logscan/parse/scan"
)

// ltsvAliases maps fields to the labels of LTSV. http://ltsv.org/#labels
var ltsvAliases = []alias{
	{fieldTime, "time time_iso8601 time_local timestamp @timestamp msec date"},
	{fieldClient, "host remote_addr remote_host client_ip clientip client ip"},
	{fieldForwarded, "forwardedfor xff x_forwarded_for http_x_forwarded_for"},
	{fieldUser, "user remote_user"},
	{fieldRequest, "req request"},
	{fieldMethod, "method request_method"},
	{fieldTarget, "uri request_uri path"},
	{fieldQuery, "query args"},
	{fieldProtocol, "protocol server_protocol"},
	{fieldScheme, "scheme"},
	{fieldStatus, "status"},
	{fieldBytes, "size body_bytes_sent bytes_sent bytes"},
	{fieldReferrer, "referer http_referer referrer"},
	{fieldAgent, "ua http_user_agent user_agent"},
	{fieldHost, "vhost http_host server_name"},
	{fieldSeconds, "reqtime request_time"},
	{fieldMicros, "reqtime_microsec taken"},
	{fieldCookie, "cookie http_cookie"},
	{fieldSession, "session session_id sid cookie_session"},
	{fieldUpstream, "upstream upstream_addr backend"},
	{fieldUpstreamStatus, "upstream_status"},
	{fieldReason, "www_authenticate sent_http_www_authenticate"},
}

// labels reads a line of LTSV: label:value, separated by tabs.
func (r *jsonReader) labels(d *decoder, line []byte, e *Entry) Verdict {
	r.start(d, e)
	for n := 0; len(line) > 0 || n < 2; n++ {
		part := line
		if i := bytes.IndexByte(line, '\t'); i >= 0 {
			part, line = line[:i], line[i+1:]
		} else {
			line = nil
		}
		i := bytes.IndexByte(part, ':')
		if i <= 0 || !isLabel(part[:i]) {
			return RejectSyntax
		}
		value := part[i+1:]
		if n := len(value) - 1; n > 0 && value[0] == '[' && value[n] == ']' { // Apache's %t
			value = value[1:n]
		}
		r.assign(d.format.keys.find(hashKey(fnvOffset, part[:i])), value)
	}
	r.settle()
	return r.verdict
}

// isLabel reports whether b is a label: letters, digits, underscores, dots and
// hyphens.
func isLabel(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '.' && c != '-' && c != '@' {
			return false
		}
	}
	return true
}

// logfmtAliases maps fields to keys that programs use with logfmt only.
// https://brandur.org/logfmt
var logfmtAliases = []alias{
	{fieldTime, "t"},
	{fieldTarget, "requesturl request_url"},
	{fieldStatus, "code httpstatus"},
	{fieldClient, "remote clientaddress addr"},
	{fieldLatency, "took service"},
	{fieldForwarded, "fwd"},
	{fieldBytes, "written respsize"},
}

// pairs reads a line of logfmt: key=value or key="value", separated by blanks. A word
// without a value is a key that is true.
func (r *jsonReader) pairs(d *decoder, line []byte, e *Entry) Verdict {
	r.start(d, e)
	valued := 0
	for i := 0; i < len(line); {
		if line[i] == ' ' {
			i++
			continue
		}
		end := i
		for end < len(line) && line[end] != '=' && line[end] != ' ' {
			end++
		}
		key := line[i:end]
		if len(key) == 0 || !isLabel(key) {
			return RejectSyntax
		}
		if end == len(line) || line[end] == ' ' {
			i = end
			continue
		}
		if i = end + 1; i < len(line) && line[i] == '"' {
			if end = scan.StringEnd(line, i+1); end < 0 || end+1 < len(line) && line[end+1] != ' ' {
				return RejectSyntax
			}
			r.assign(d.format.keys.find(hashKey(fnvOffset, key)), line[i+1:end])
			i = end + 1
		} else {
			if end = bytes.IndexByte(line[i:], ' '); end < 0 {
				end = len(line) - i
			}
			r.assign(d.format.keys.find(hashKey(fnvOffset, key)), line[i:i+end])
			i += end
		}
		valued++
	}
	if valued < fewestPairs {
		return RejectSyntax
	}
	if r.verdict == Parsed && (e.Status == 0 || e.Status < 0 && e.Time != NoTime) {
		return SkipErrorLog // programs log what they do to a request, too, with a status of their own
	}
	r.settle()
	return r.verdict
}

// fewestPairs is how many values a line of logfmt has: time, status and one of target,
// method and client at least. Prose has an equals sign now and then.
const fewestPairs = 3
