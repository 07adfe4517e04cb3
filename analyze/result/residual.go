package result

import (
	"logscan/parse/advice"
	"logscan/parse/field"
	"logscan/parse/serverconf/rules"
)

// Residual describes the refusals that nothing explains: where they concentrate, how
// else their clients were answered, and what the logs lack. It is plain counts; package
// report/wording makes the sentences.
type Residual struct {
	Unexplained int64
	Dimensions  []Dimension // in a fixed order; those that no line has are left out

	Clients         int64  // distinct clients
	AcceptedClients int64  // those of them that were accepted anywhere
	Others          Counts // all other requests of these clients

	FirstTime, LastTime int64
	BusiestHour         int64 // start of the hour with most of them; NoTime if none has a time
	InBusiestHour       int64

	Faults     []rules.Fact // in the configuration, by which some are refused
	Reason     *Reason      // that the log states for most of them
	AnsweredBy field.Answerer
	// Missing are the fields that would say more and that no line holds.
	Missing []advice.Gap
}

// Dimension is one way to divide unexplained refusals.
type Dimension struct {
	Name     string // endpoint, client_address, user_agent, user, host, upstream or file
	Distinct int64  // values with unexplained refusals
	Top      []Place
}

// Place is a value of a dimension, with its requests in the whole run.
type Place struct {
	Name                                string
	Unexplained, Unauthorized, Requests int64
}

// MaxPlaces is how many places a dimension lists.
const MaxPlaces = 5
