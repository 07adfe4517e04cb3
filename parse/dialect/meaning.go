package dialect

// Meaning is the meaning of a field: of a variable or directive in a format string,
// of a column, of a key. The zero value is Ignored.
type Meaning uint8

// The meanings.
const (
	Ignored  Meaning = iota
	Time             // a whole time, in any spelling that field.Clock parses
	TimePart         // a time or a part of one, as Piece.Time spells it
	Request          // METHOD target PROTOCOL
	Target           // path?query, or an absolute URL
	Path
	Query // perhaps with its '?'
	Method
	Protocol
	Scheme
	Host
	ServerName // name of the server, for requests without a host
	Status
	StatusOriginal // before an internal redirect
	OriginStatus   // status, in a log that also has the status of the origin if one was asked
	Bytes
	Seconds // duration, with a fraction
	Millis
	Micros
	Nanos
	Latency     // duration with its unit: 0.12s, 5ms
	Taken       // milliseconds, or seconds with a fraction
	SecondsMore // seconds to add to the duration
	Referrer
	Agent
	User
	Session
	CookieNamed // value of the cookie Piece.Arg
	Cookie      // a whole Cookie header, searched for a session id and a token
	Client
	ClientPort      // address:port
	Address         // an address, whatever surrounds it
	Forwarded       // X-Forwarded-For
	ForwardedHeader // Forwarded, RFC 7239
	RealIP          // X-Real-IP and other headers with a single address
	Proxied         // client according to the PROXY protocol
	Peer
	Authorization // a whole Authorization header, searched for a user or a token
	Upstream
	UpstreamStatus
	Reason
	Answerer  // who answered: kong or upstream
	Server    // HAProxy's backend/server
	State     // HAProxy's termination state
	Result    // Squid's result/status
	Hierarchy // Squid's hierarchy/peer
	Substatus // IIS: the number after the status
	Win32     // IIS: the error of the system
	Count     // digits that are not kept, but distinguish this format from others
	Word      // like Count, any text without blanks
	Padding   // blanks that may precede the next field
	Composed  // several fields in the value of a JSON key
	NumMeanings
)
