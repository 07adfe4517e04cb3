package result

import "logscan/parse/field"

// Agreement says how often causes agree with the reasons that the log itself states for
// the same refusals.
type Agreement struct {
	Compared int64 // refusals with a cause and a stated reason that says something about it
	Agreeing int64
}

// Reason is the reason that the log itself states for most of some refusals.
type Reason struct {
	Text   string // a word of the vocabulary of package field, or the server's own text, cleaned
	Class  field.ReasonClass
	N      int64 // refusals with this reason
	Stated int64 // refusals with any reason that is understood
	Of     int64 // all refusals
}
