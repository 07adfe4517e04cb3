package parse

import (
	"bytes"
	"maps"
	"slices"
)

// Keys are fields of a request that only identify it, so that what other logs state
// about it can be found. They alias the line like the fields of an Entry.
type Keys struct {
	Connection []byte // number of the connection, in the server that wrote the line
	Ordinal    []byte // number of the request on its connection
	Port       []byte // port of the client
	IDs        [][]byte
}

// maxIDs bounds the ids of a request: its own, a trace's and a caller's.
const maxIDs = 4

// keyFields are the variables and JSON keys that hold Keys, in lower case and without
// $ and braces.
var keyFields = map[string]fieldID{
	// nginx
	"connection": fieldConnection, "connection_requests": fieldOrdinal, "remote_port": fieldPort, "request_id": fieldRequestID,
	"http_x_request_id": fieldRequestID, "sent_http_x_request_id": fieldRequestID, "http_x_correlation_id": fieldTraceID,
	"otel_trace_id": fieldTraceID, "opentelemetry_trace_id": fieldTraceID, "opentracing_context_x_trace_id": fieldTraceID,
	// ingress-nginx
	"req_id": fieldRequestID,
	// Apache; see apacheDirective in package dialect for the first two
	"log_id": fieldRequestID, "connection_log_id": fieldConnection, "unique_id": fieldRequestID, "x-request-id": fieldRequestID, "x-correlation-id": fieldTraceID,
	// HAProxy
	"%id": fieldRequestID, "%cp": fieldPort,
	// JSON of proxies and applications
	"requestid": fieldRequestID, "request.id": fieldRequestID, "trace_id": fieldTraceID, "traceid": fieldTraceID, "trace.id": fieldTraceID,
	"correlation_id": fieldTraceID, "correlationid": fieldTraceID, "x_request_id": fieldRequestID, "request_x-request-id": fieldRequestID,
	"request.headers.x-request-id": fieldRequestID, "request.headers.x-request-id[0]": fieldRequestID, "uber_trace_id": fieldTraceID,
	"client_port": fieldPort, "request.remote_port": fieldPort, "clientport": fieldPort, "source.port": fieldPort,
}

// WithKeys returns the format with the fields of Keys, for ParseKeys. Reading them
// takes time, so only the few lines whose Keys are needed are parsed with it.
func (f *Format) WithKeys() (*Format, error) {
	g := *f
	g.assigned = maps.Clone(keyFields)
	maps.Copy(g.assigned, f.assigned)
	if err := g.compile(); err != nil {
		return nil, err
	}
	if f.described != nil {
		g.described = newColumns(string(f.directive), f.separator, columnsW3C, g.named())
	}
	return &g, nil
}

// ParseKeys is Parse, and stores what else identifies the request in k. The formats of
// the parser must be those that WithKeys returns.
func (p *Parser) ParseKeys(line []byte, e *Entry, k *Keys) Verdict {
	*k = Keys{IDs: k.IDs[:0]}
	p.values.keys = k
	v := p.Parse(line, e)
	p.values.keys = nil
	return v
}

// setKey stores the value of a field of Keys.
func (d *decoder) setKey(f fieldID, b []byte) {
	k := d.keys
	if k == nil {
		return
	}
	switch f {
	case fieldConnection:
		k.Connection = b
	case fieldOrdinal:
		k.Ordinal = b
	case fieldPort:
		k.Port = b
	case fieldClientPort:
		k.Port = b[bytes.LastIndexByte(b, ':')+1:]
	case fieldRequestID, fieldTraceID:
		if len(k.IDs) < maxIDs && !slices.ContainsFunc(k.IDs, func(id []byte) bool { return bytes.Equal(id, b) }) {
			k.IDs = append(k.IDs, b)
		}
	}
}
