package wording

import (
	"fmt"
	"slices"

	"logscan/analyze/result"
)

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

// RefusalStatuses names the statuses that count as refusals, empty for 401 alone.
func RefusalStatuses(more []int32) string {
	if len(more) == 0 {
		return ""
	}
	all := []string{}
	for _, s := range append([]int32{401}, more...) {
		all = append(all, fmt.Sprint(s))
	}
	slices.Sort(all)
	return List(all)
}

// nounOf is NounOf for a result.
func nounOf(res *result.Result) Noun { return NounOf(res.Statuses) }
