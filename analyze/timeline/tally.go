package timeline

import "logscan/parse"

// Outcome classifies the status of a response by what it means for
// authentication.
type Outcome uint8

// The outcomes. Unauthorized includes the statuses that Worker.Refuse names.
const (
	Accepted     Outcome = iota // 2xx, 304 and 101, by which a WebSocket is opened
	Redirected                  // 3xx except 304
	Unauthorized                // 401
	Forbidden                   // 403
	NotFound                    // 404 and 410
	ClientError                 // other 4xx
	ServerError                 // 5xx
	Other                       // other 1xx, 000, no status
	NumOutcomes
)

func outcome(status int32) Outcome {
	switch {
	case status == 401:
		return Unauthorized
	case status >= 200 && status < 300, status == 304, status == 101:
		return Accepted
	case status >= 300 && status < 400:
		return Redirected
	case status == 403:
		return Forbidden
	case status == 404, status == 410:
		return NotFound
	case status >= 400 && status < 500:
		return ClientError
	case status >= 500 && status < 600:
		return ServerError
	}
	return Other
}

// undecided reports whether a status may be sent before the credentials are looked at:
// a malformed, slow or throttled request. Such a request is in the timeline as Other.
func undecided(status int32) bool { return status == 400 || status == 408 || status == 429 }

// Statuses is the number of statuses that are told apart: all below it. Others, and
// lines without a status, count as 0.
const Statuses = 600

// outcomes are the outcomes by status.
type outcomes [Statuses]Outcome

// mayRefuse stands in outcomes for a redirect that is a refusal if it leads to a page
// for signing in.
const mayRefuse = NumOutcomes

// newOutcomes returns the outcomes if requests are refused by 401 and by more.
func newOutcomes(more []int32) (t outcomes) {
	for i := range t {
		t[i] = outcome(int32(i))
	}
	for _, status := range more {
		switch {
		case status <= 0 || status >= Statuses:
		case t[status] == Redirected:
			t[status] = mayRefuse
		default:
			t[status] = Unauthorized
		}
	}
	return t
}

// Scheme is the URL scheme of a request.
type Scheme uint8

// The schemes.
const (
	UnknownScheme Scheme = iota // not logged
	HTTP
	HTTPS
	numSchemes
)

func scheme(s []byte) Scheme {
	switch string(s) {
	case "https":
		return HTTPS
	case "http":
		return HTTP
	}
	return UnknownScheme
}

// Tally counts requests by outcome and holds the times of the first and last of
// them, in Unix microseconds; parse.NoTime if no request had a time.
type Tally struct {
	N                           [NumOutcomes]int64
	Bare                        int64 // accepted requests with neither user nor session
	Tickets                     int64 // redirected requests that brought the ticket of an identity provider
	First, Last                 int64
	FirstAccepted, LastAccepted int64
	FirstRefused, LastRefused   int64
}

// tallySize is the size of a Tally in bytes.
const tallySize = (int64(NumOutcomes) + 8) * 8

func newTally() (t Tally) {
	for _, p := range t.times() {
		*p = parse.NoTime
	}
	return t
}

func (t *Tally) times() [6]*int64 {
	return [...]*int64{&t.First, &t.Last, &t.FirstAccepted, &t.LastAccepted, &t.FirstRefused, &t.LastRefused}
}

// Add counts a request; at is in Unix microseconds or parse.NoTime.
func (t *Tally) Add(o Outcome, at int64) {
	t.N[o]++
	if at == parse.NoTime {
		return
	}
	widen(&t.First, &t.Last, at)
	switch o {
	case Accepted:
		widen(&t.FirstAccepted, &t.LastAccepted, at)
	case Unauthorized:
		widen(&t.FirstRefused, &t.LastRefused, at)
	}
}

// Requests returns the number of all requests.
func (t *Tally) Requests() (all int64) {
	for _, n := range t.N {
		all += n
	}
	return all
}

// OnlyRefused reports whether all requests were answered 401.
func (t *Tally) OnlyRefused() bool {
	for o, n := range t.N {
		if n > 0 && Outcome(o) != Unauthorized {
			return false
		}
	}
	return true
}

// Merge adds the counts of u.
func (t *Tally) Merge(u *Tally) {
	for i := range t.N {
		t.N[i] += u.N[i]
	}
	t.Bare += u.Bare
	t.Tickets += u.Tickets
	mergeSpan(&t.First, &t.Last, u.First, u.Last)
	mergeSpan(&t.FirstAccepted, &t.LastAccepted, u.FirstAccepted, u.LastAccepted)
	mergeSpan(&t.FirstRefused, &t.LastRefused, u.FirstRefused, u.LastRefused)
}

// widen extends [first, last] to contain at.
func widen(first, last *int64, at int64) {
	*last = max(*last, at) // parse.NoTime is the smallest number
	if at < *first || *first == parse.NoTime {
		*first = at
	}
}

func mergeSpan(first, last *int64, f, l int64) {
	if f != parse.NoTime {
		widen(first, last, f)
		widen(first, last, l)
	}
}

// FloorDiv returns a / b, rounded down; b is positive.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
