package parse

// fieldID identifies what a variable, directive or key of a log means.
type fieldID uint8

const (
	fieldIgnored fieldID = iota
	fieldTime            // any time that field.Clock parses
	fieldRequest         // METHOD target PROTOCOL
	fieldTarget          // path?query, or an absolute URL
	fieldPath            // path alone
	fieldQuery           // query alone, perhaps with its '?'
	fieldMethod
	fieldProtocol
	fieldScheme
	fieldHost
	fieldStatus
	fieldBytes
	fieldSeconds // duration, with a fraction
	fieldMillis
	fieldMicros
	fieldNanos
	fieldLatency // duration with its unit: 0.12s, 5ms
	fieldMark    // of any value: a key that shows which program writes the line
	fieldReferrer
	fieldAgent
	fieldUser
	fieldSession
	fieldCookie // a whole Cookie header, searched for a session id and a token
	fieldClient
	fieldClientPort      // address:port
	fieldForwarded       // X-Forwarded-For
	fieldForwardedHeader // Forwarded, RFC 7239
	fieldRealIP          // X-Real-IP and other headers with a single address
	fieldProxied         // client according to the PROXY protocol
	fieldPeer
	fieldAuthorization // a whole Authorization header, searched for a user or a token
	fieldUpstream
	fieldUpstreamStatus
	fieldReason
	fieldFlags        // Envoy's response flags
	fieldOriginStatus // status, in a log that also has the status of the origin if one was asked
	fieldResponse     // a status if it is one and there is no other
	fieldAnswerer     // who answered: kong or upstream
	fieldCount        // digits that are not kept, but distinguish this format from others
	fieldWord         // like fieldCount, any text without blanks
	fieldKeyword      // like fieldCount, letters and hyphens
	fieldTimePart     // a part of a time, with a pattern
	fieldSecondsMore  // seconds to add to the duration
	fieldTaken        // milliseconds, or seconds with a fraction
	fieldServer       // HAProxy's backend/server
	fieldState        // HAProxy's termination state
	fieldResult       // Squid's result/status
	fieldHierarchy    // Squid's hierarchy/peer
	fieldAddress      // an address, whatever surrounds it
	fieldSubstatus    // IIS: the number after the status
	fieldWin32        // IIS: the error of the system
	fieldServerName   // host, for requests without one
	fieldComposed     // several fields in the value of a JSON key
	fieldSecret       // a credential of no use for a diagnosis
	fieldUnread       // captured headers, which may be credentials
	fieldConnection   // the fields of Keys, see Format.WithKeys
	fieldOrdinal
	fieldPort
	fieldRequestID
	fieldTraceID
	numFields
)

// fieldNames maps the names that --field accepts.
var fieldNames = map[string]fieldID{
	"time": fieldTime, "request": fieldRequest, "target": fieldTarget, "path": fieldPath, "query": fieldQuery,
	"method": fieldMethod, "protocol": fieldProtocol, "scheme": fieldScheme, "host": fieldHost,
	"status": fieldStatus, "bytes": fieldBytes, "duration": fieldSeconds, "referrer": fieldReferrer,
	"user_agent": fieldAgent, "user": fieldUser, "session": fieldSession, "client": fieldClient,
	"peer": fieldPeer, "forwarded_for": fieldForwarded, "forwarded": fieldForwardedHeader, "real_ip": fieldRealIP,
	"cookie": fieldCookie, "authorization": fieldAuthorization, "upstream": fieldUpstream, "upstream_status": fieldUpstreamStatus, "reason": fieldReason,
}
