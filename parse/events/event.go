package events

import "logscan/parse/scan"

// Event is what one line of an error log or of the events of an identity provider
// says. It is plain data, reused from line to line; byte fields alias the line, or
// scratch memory of the reader, and are empty if the line does not have them.
//
// All texts are hostile: names, requests and messages are what a client sent.
type Event struct {
	Time       int64 // Unix microseconds; taken as UTC if Local
	Local      bool  // the line has no offset from UTC: the time is that of the server's clock
	Resolution int64 // microseconds that the last digit of the time stands for
	// Yearless is a time without a year, "Mar  9 14:05:00", of a line that has no other.
	Yearless []byte

	Outcome Outcome
	// Reason is a word of the vocabulary of package field, or a text of the source
	// that says why; empty if the line does not say.
	Reason  []byte
	Code    []byte // number or name of the message at its source, such as AH01617 or LOGIN_ERROR
	Message []byte // the text itself, without what the other fields hold
	Status  int32  // HTTP status that the client then gets; 0 if the line does not determine it

	Client     []byte // address
	Port       []byte // port of the client
	User       []byte // as claimed
	Method     []byte
	Target     []byte // request target, as sent
	Host       []byte // host that the client asked for
	Connection []byte // number of the connection, in the server that wrote the line
	RequestID  []byte // id of the request: $request_id, %L, a trace or correlation id
	Session    []byte // session id: a credential, never for output
	Service    []byte // realm, client or application at an identity provider

	// Brief says that the fields of an event with the outcome Other are not needed: a reader
	// may leave them out. Reset keeps it.
	Brief bool

	memory scan.Scratch // of fields that had to be decoded
	stamp  lastStamp
	nginx  nginxLast
	keyed  bool     // the memory of keyed readers has been used:
	fields captures // of the line
	ranks  [numSlots]uint8
}

// Outcome is what an event is about.
type Outcome uint8

// The outcomes.
const (
	Other    Outcome = iota // nothing about authentication
	Refused                 // a request or a sign-in was refused, for a reason of the one who sent it
	Failed                  // the server could not decide: configuration, a file, a directory or a provider
	Accepted                // a sign-in or a token was accepted
)

// texts returns the fields that are texts.
func (e *Event) texts() [13]*[]byte {
	return [...]*[]byte{
		&e.Reason, &e.Code, &e.Message, &e.Client, &e.Port, &e.User, &e.Method, &e.Target, &e.Host, &e.Connection, &e.RequestID, &e.Session, &e.Service,
	}
}

// clearTexts removes the texts: one by one, because this is done for each line.
func (e *Event) clearTexts() {
	e.Reason, e.Code, e.Message, e.Client, e.Port, e.User = nil, nil, nil, nil, nil, nil
	e.Method, e.Target, e.Host, e.Connection, e.RequestID, e.Session, e.Service, e.Yearless = nil, nil, nil, nil, nil, nil, nil, nil
}

// Reset sets every field to "not stated". Byte fields become invalid.
func (e *Event) Reset() {
	e.Time, e.Local, e.Resolution, e.Outcome, e.Status = 0, false, 0, Other, 0
	e.clearTexts()
	e.memory.Reset()
	if e.keyed {
		e.keyed, e.fields, e.ranks = false, captures{}, [numSlots]uint8{}
	}
}

// Values returns how many fields the line states.
func (e *Event) Values() (n uint8) {
	for _, text := range e.texts() {
		if len(*text) > 0 {
			n++
		}
	}
	for _, has := range [...]bool{e.Time != 0, e.Outcome != Other, e.Status != 0} {
		if has {
			n++
		}
	}
	return n
}
