package parse

import "logscan/parse/dialect"

// fieldNames maps the names that --field accepts.
var fieldNames = map[string]dialect.Meaning{
	"time": dialect.Time, "request": dialect.Request, "target": dialect.Target, "path": dialect.Path, "query": dialect.Query,
	"method": dialect.Method, "protocol": dialect.Protocol, "scheme": dialect.Scheme, "host": dialect.Host,
	"status": dialect.Status, "bytes": dialect.Bytes, "duration": dialect.Seconds, "referrer": dialect.Referrer,
	"user_agent": dialect.Agent, "user": dialect.User, "session": dialect.Session, "client": dialect.Client,
	"peer": dialect.Peer, "forwarded_for": dialect.Forwarded, "forwarded": dialect.ForwardedHeader, "real_ip": dialect.RealIP,
	"cookie": dialect.Cookie, "authorization": dialect.Authorization, "upstream": dialect.Upstream,
	"upstream_status": dialect.UpstreamStatus, "reason": dialect.Reason,
}
