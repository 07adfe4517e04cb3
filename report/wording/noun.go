package wording

import "logscan/analyze/result"

// Noun is what the refusals of a run are called: 401s, unless other statuses count too.
type Noun struct{ one, many string }

var (
	unauthorized = Noun{"401", "401s"}
	refusal      = Noun{"refusal", "refusals"}
)

// NounOf returns what the refusals of a run are called, by the statuses that count
// beside 401.
func NounOf(statuses []int32) Noun {
	if len(statuses) > 0 {
		return refusal
	}
	return unauthorized
}

// Many returns the plural.
func (n Noun) Many() string { return n.many }

// Count counts refusals: "one 401", because "1 401" reads as a number.
func (n Noun) Count(k int64) string {
	if k == 1 {
		return "one " + n.one
	}
	return Number(k) + " " + n.many
}

// Refusals returns a count of 401s.
func Refusals(n int64) string { return unauthorized.Count(n) }

// nounOf is NounOf for a result.
func nounOf(res *result.Result) Noun { return NounOf(res.Statuses) }
