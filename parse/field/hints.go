// Package field interprets the values of log fields: the client behind proxies,
// users, session ids, tokens, reasons of refusals, numbers and times.
//
// In: the text of a field. Out: its value, aliasing the text or memory of a
// scan.Scratch where it had to be decoded. It does not parse lines and does not
// see formats or entries; package parse does.
package field

// Hints are what a line says about the client, the user and the answerer outside
// the fields for them. They are evaluated when the whole line has been read.
type Hints struct {
	Any          bool   // any other field is set
	ForwardedFor []byte // X-Forwarded-For
	Forwarded    []byte // Forwarded (RFC 7239)
	RealIP       []byte // X-Real-IP and other headers with a single address
	Proxied      []byte // client according to the PROXY protocol
	User         []byte // from an Authorization header
	Token        []byte // JSON Web Token
	Answerer     Answerer
	OriginStatus bool // the log has a field for the status of the origin, which may be empty
}
