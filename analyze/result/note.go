package result

// Note is something that a reader of the result should know about the run. Package
// report/wording makes the sentence.
type Note struct {
	Kind NoteKind
	Name string // path, id or key that it is about
	Text string // a second name, or the message of the input's reader
	N, M int64
	// Match is the closest format of a NoteUnknownFormat.
	Match Match
}

// NoteKind is the kind of a Note.
type NoteKind uint8

// The kinds, with the fields that they use.
const (
	NoteNoUsers        NoteKind = iota // no line names a user
	NoteNoSessions                     // no line has a session id
	NoteUnknownFormat                  // no format matches Name: N of its M lines parsed; Text is "UTF-16" for such text; Match
	NotePseudonyms                     // names are pseudonyms of the key Name; N rejected lines are shown without text
	NoteBaselineKey                    // the baseline has other pseudonyms and is not compared
	NoteEarly                          // N inputs lie before the time range
	NoteDuplicates                     // Name is a copy of Text, and N inputs are copies
	NoteDone                           // N inputs hold nothing new
	NoteManyUsers                      // N users, of which the M with most 401s are named
	NoteManyClients                    // N more clients than are named
	NoteManyHosts                      // hosts are grouped by domain
	NoteManyUpstreams                  // upstreams are grouped
	NoteManyRoutes                     // routes are grouped
	NoteCoarseTimeline                 // the timeline has steps of N microseconds
	NoteMuteEnded                      // the mute of finding Name ended on the date Text
	NoteMuteUnused                     // there is no finding Name, which is muted until the date Text
	NoteOtherStatus                    // N requests to M routes, most to Text, were answered Name and do not count as refusals
	NoteServerErrors                   // M protected routes, first Text, answered 5xx to N requests and little else
	NoteRedirects                      // M routes, first Text, accept some requests and redirect N
	NoteStatuses                       // the statuses Name count as refusals
	NoteClockOffset                    // the clock or time zone of log Name, of kind Text, is N microseconds ahead
	NoteManyEvents                     // N events beyond those that are kept
	NoteEventsOfRun                    // the events of earlier runs are not kept
	NoteInput                          // Text is what happened to input Name
)

// Match is the format that matches most lines of an input whose format is unknown.
type Match struct {
	Format string // its name; empty if no format matches any line
	Share  Share  // of the sampled lines
}
