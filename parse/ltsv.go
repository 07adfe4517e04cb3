package parse

import "bytes"

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
	r.setLatency()
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
