package dialect

import (
	"fmt"
	"strings"
)

// nginxMeanings maps the variables that logscan uses. Others are skipped.
// https://nginx.org/en/docs/varindex.html
var nginxMeanings = map[string]Meaning{
	"remote_addr": Client, "realip_remote_addr": Peer, "proxy_protocol_addr": Proxied, "the_real_ip": Client,
	"binary_remote_addr": Ignored, "proxy_add_x_forwarded_for": Forwarded,
	"remote_user": User, "jwt_claim_sub": User, "auth_request_user": User, "ssl_client_s_dn_cn": User,
	"time_local": Time, "time_iso8601": Time, "msec": Time,
	"request": Request, "request_method": Method, "request_uri": Target,
	"uri": Path, "document_uri": Path, "args": Query, "query_string": Query,
	"server_protocol": Protocol, "scheme": Scheme, "x_forwarded_proto": Scheme,
	"host": Host, "http_host": Host, "server_name": ServerName,
	"status": Status, "body_bytes_sent": Bytes, "bytes_sent": Bytes,
	"request_length": Count, "connection": Count, "connection_requests": Count, "request_count": Count,
	"remote_port": Count, "server_port": Count, "pid": Count,
	"request_time": Seconds, "duration_ms": Millis,
	"upstream_addr": Upstream, "upstream_status": UpstreamStatus,
}

// isNginx reports whether a string has variables of nginx.
func isNginx(spec string) bool {
	for i := strings.IndexByte(spec, '$'); i >= 0 && i+1 < len(spec); {
		if c := spec[i+1]; isLetter(c) || c == '_' || c == '{' {
			return true
		}
		j := strings.IndexByte(spec[i+1:], '$')
		if j < 0 {
			break
		}
		i += j + 1
	}
	return strings.Contains(spec, "$") && !strings.Contains(spec, "%")
}

// nginxPieces parses a log_format string: $name and ${name}.
func nginxPieces(spec string) ([]Piece, error) {
	var ps []Piece
	for i := 0; i < len(spec); {
		if spec[i] != '$' {
			j := strings.IndexByte(spec[i:], '$')
			if j < 0 {
				j = len(spec) - i
			}
			ps = literal(ps, spec[i:i+j], i)
			i += j
			continue
		}
		j := i + 1
		braced := j < len(spec) && spec[j] == '{'
		if braced {
			j++
		}
		from := j
		for j < len(spec) && (spec[j] == '_' || isDigit(spec[j]) || isLetter(spec[j])) {
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
		p := Piece{Name: "$" + name, At: i}
		p.Means, p.Arg = nginxMeaning(strings.ToLower(name))
		ps = append(ps, p)
		i = j
	}
	return joinTargets(ps), nil
}

// joinTargets joins adjacent variables that form a target: $uri$is_args$args,
// $scheme://$host$request_uri.
func joinTargets(ps []Piece) []Piece {
	out := ps[:0]
	for i := 0; i < len(ps); i++ {
		p := ps[i]
		if p.Means == Path && i+2 < len(ps) && ps[i+1].Name == "$is_args" && ps[i+2].Means == Query {
			p.Means = Target
			i += 2
		}
		n := len(out)
		if (p.Means == Target || p.Means == Path) && n > 2 && out[n-1].Name != "" {
			from := n - 1
			if out[from].Means == Count && out[from-1].Literal == ":" { // the port
				from -= 2
			}
			if from >= 2 && out[from].Means == Host && out[from-1].Literal == "://" && out[from-2].Means == Scheme {
				p.Means, p.Name, p.At = Target, "url", out[from-2].At
				out = out[:from-2]
			}
		}
		out = append(out, p)
	}
	return out
}

// nginxMeaning returns the meaning of a variable, and the name if it is a cookie.
func nginxMeaning(name string) (m Meaning, arg string) {
	if m, ok := nginxMeanings[name]; ok {
		return m, ""
	}
	if arg, ok := strings.CutPrefix(name, "cookie_"); ok {
		return CookieNamed, arg
	}
	for _, prefix := range []string{"sent_http_", "upstream_http_"} {
		if h, ok := strings.CutPrefix(name, prefix); ok {
			return responseHeader(h), ""
		}
	}
	if h, ok := strings.CutPrefix(name, "http_"); ok {
		return header(h), ""
	}
	return Ignored, ""
}
