package wording

import (
	"slices"
	"strconv"

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

// StatusesOf returns the statuses that count as refusals, by those beside 401: "302 and
// 401".
func StatusesOf(beside []int32) string {
	all := append([]int32{401}, beside...)
	slices.Sort(all)
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = strconv.Itoa(int(s))
	}
	return List(names)
}

// One returns the singular.
func (n Noun) One() string { return n.one }

// Many returns the plural.
func (n Noun) Many() string { return n.many }

// Title returns the plural as it begins a title or a sentence.
func (n Noun) Title() string { return capital(n.many) }

// Count counts refusals: "one 401", because "1 401" reads as a number.
func (n Noun) Count(k int64) string {
	if k == 1 {
		return "one " + n.one
	}
	return Number(k) + " " + n.many
}

// nounOf is NounOf for a result.
func nounOf(res *result.Result) Noun { return NounOf(res.Statuses) }
