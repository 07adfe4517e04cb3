package parse

import (
	"fmt"
	"strings"
)

// nginxFields are the variables that mean something to logscan. Others are
// walked over.
// https://nginx.org/en/docs/varindex.html
var nginxFields = map[string]field{
	"remote_addr": fieldClient, "realip_remote_addr": fieldPeer, "proxy_protocol_addr": fieldProxied,
	"remote_user": fieldUser,
	"time_local":  fieldTime, "time_iso8601": fieldTime, "msec": fieldTime,
	"request": fieldRequest, "request_method": fieldMethod, "request_uri": fieldTarget,
	"uri": fieldPath, "document_uri": fieldPath, "args": fieldQuery, "query_string": fieldQuery,
	"server_protocol": fieldProtocol, "scheme": fieldScheme,
	"host": fieldHost, "http_host": fieldHost, "server_name": fieldHost,
	"status": fieldStatus, "body_bytes_sent": fieldBytes, "bytes_sent": fieldBytes,
	"request_length": fieldCount, "connection": fieldCount, "connection_requests": fieldCount, "request_count": fieldCount,
	"remote_port": fieldCount, "server_port": fieldCount, "pid": fieldCount,
	"request_time": fieldSeconds,
	"http_referer": fieldReferrer, "http_user_agent": fieldAgent, "http_x_forwarded_for": fieldForwarded,
	"http_forwarded": fieldForwardedHeader, "http_x_real_ip": fieldRealIP, "http_cf_connecting_ip": fieldRealIP,
	"http_true_client_ip": fieldRealIP, "http_x_client_ip": fieldRealIP, "http_authorization": fieldAuthorization,
	"http_x_session_id": fieldSession,
	"http_cookie":       fieldCookie,
	"upstream_addr":     fieldUpstream, "upstream_status": fieldUpstreamStatus,
	"sent_http_www_authenticate": fieldReason, "upstream_http_www_authenticate": fieldReason,
}

// nginxPieces takes a log_format string apart: $name and ${name}.
func nginxPieces(spec string) ([]piece, error) {
	var ps []piece
	for i := 0; i < len(spec); {
		if spec[i] != '$' {
			j := strings.IndexByte(spec[i:], '$')
			if j < 0 {
				j = len(spec) - i
			}
			ps = append(ps, piece{literal: spec[i : i+j], at: i})
			i += j
			continue
		}
		j := i + 1
		braced := j < len(spec) && spec[j] == '{'
		if braced {
			j++
		}
		from := j
		for j < len(spec) && (spec[j] == '_' || spec[j] >= '0' && spec[j] <= '9' || spec[j]|0x20 >= 'a' && spec[j]|0x20 <= 'z') {
			j++
		}
		name := spec[from:j]
		if name == "" {
			return nil, fmt.Errorf("at byte %d: a $ without a variable's name", i)
		}
		if braced {
			if j == len(spec) || spec[j] != '}' {
				return nil, fmt.Errorf("at byte %d: ${%s without its closing brace", i, name)
			}
			j++
		}
		ps = append(ps, piece{field: nginxField(strings.ToLower(name)), name: "$" + name, at: i})
		i = j
	}
	return ps, nil
}

func nginxField(name string) field {
	if f, ok := nginxFields[name]; ok {
		return f
	}
	if cookie, ok := strings.CutPrefix(name, "cookie_"); ok && isSessionName(cookie) {
		return fieldSession
	}
	return fieldIgnored
}
