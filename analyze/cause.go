package analyze

// cause is a 401's cause: an index into CauseNames.
type cause uint8

// The causes that are no findings, as they stand in CauseNames.
var (
	causeChallenge    = causeOf("challenge")
	causeLoginFailure = causeOf("login_failure")
	causeSessionEnd   = causeOf("session_end")
	causeAnonymous    = causeOf("anonymous")
	causeUnexplained  = causeOf("unexplained")
)

func causeOf(name string) cause {
	for i, n := range CauseNames {
		if n == name {
			return cause(i)
		}
	}
	panic("BUG: no such cause: " + name)
}

func (c cause) String() string { return CauseNames[c] }
