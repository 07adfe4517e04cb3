package result

// AuthEvents are what error logs and identity providers say.
type AuthEvents struct {
	Sources []EventSource // by kind and name
	// Rows is every event by time, file and line. It is read from the stored lines on
	// every use.
	Rows Pieces[AuthEvent]
	// Dropped counts the events beyond the number that is kept.
	Dropped int64
}

// EventSource is a log of events.
type EventSource struct {
	Kind string // format of its lines
	Name string // path, without dates and numbers of rotated files
	// Events are all within the time range. A 401 is looked for those that are Matched,
	// Ambiguous (several 401s could be meant) or Unmatched.
	Events, Matched, Ambiguous, Unmatched int64
	// Offset is how many microseconds its clock, or its time zone, is ahead of that of the
	// access logs.
	Offset int64
}

// AuthEvent is one event: a row of auth_events.parquet.
type AuthEvent struct {
	Time                             int64 // by the clock of the access logs
	Kind, Code, Outcome, Reason      string
	Status                           int32 // 0 if the event does not determine it
	Method, Path, Host, Client, User string
	LogPath                          string
	LogLine                          int64
	Join, Key                        string // matched, ambiguous, unmatched or empty; of a matched one, how
	MatchedPath                      string
	MatchedLine                      int64 // -1 for none
	FindingID                        string
}
