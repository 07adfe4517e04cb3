package result

// Exhibit holds the figures that show a finding at a glance, for outputs to draw.
// One of Trend, Parts and Curve is set.
type Exhibit struct {
	Counts ExhibitCounts
	Trend  *Trend
	Parts  []Part
	Curve  *Curve
}

// ExhibitCounts is what the figures of an exhibit count.
type ExhibitCounts uint8

// What exhibits count.
const (
	CountsExplained  ExhibitCounts = iota // the refusals that the finding explains
	CountsActors                          // distinct actors in each step of time
	CountsRequests                        // requests
	CountsByScheme                        // requests by URL scheme
	CountsByUpstream                      // requests by upstream
	CountsByServer                        // requests by server
	CountsTries                           // sign-in tries
	CountsByAccount                       // sign-in tries by account
)

// Trend is the number of refusals and acceptances over time, in equal steps.
// Accepted is nil if there are no acceptances to compare with.
type Trend struct {
	From, Step        int64 // Unix microseconds, microseconds
	Refused, Accepted []int64
}

// Part is one of several things that are compared.
type Part struct {
	Kind              PartKind
	Name              string // of a NamedPart: a name from the log
	Refused, Accepted int64
	Marked            bool // the finding is about this part
}

// PartKind is the kind of a part of an exhibit.
type PartKind uint8

// The kinds of parts.
const (
	NamedPart PartKind = iota
	BeforeOnset
	SinceOnset
	AfterRedirect
	WithoutRedirect
	ChangedAddress
	SameAddress
	OverHTTP
	OverHTTPS
)

// Curve is the share of requests that were accepted, by the idle time before them
// or by the age of their session, and the timeout inferred from it.
type Curve struct {
	Idle               bool    // by idle time, not by age
	Timeout, Low, High float64 // seconds; Low and High are the 95% interval
	Points             []Point // ascending
}

// Point is the requests after From to To seconds.
type Point struct {
	From, To          float64
	Refused, Accepted int64
}
