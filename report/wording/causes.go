package wording

import (
	"maps"
	"slices"

	"logscan/analyze/detect"
)

// Group is a set of categories of causes that the report shows together.
type Group struct {
	Name  string // CSS class in the report
	Label string
}

// The groups, in the order in which charts stack and lists show them.
const (
	groupSession = iota
	groupEndpoint
	groupAccount
	groupAttack
	GroupUnexplained
	groupOrdinary
	NumGroups
)

// Groups holds the groups by number.
var Groups = [NumGroups]Group{
	groupSession:     {"session", "Sessions"},
	groupEndpoint:    {"endpoint", "Endpoints and servers"},
	groupAccount:     {"account", "Accounts and machine clients"},
	groupAttack:      {"attack", "Attacks"},
	GroupUnexplained: {"unexplained", "Unexplained"},
	groupOrdinary:    {"ordinary", "Normal use"},
}

// groupOf returns the number of a category's group.
func groupOf(c detect.Category) int {
	switch c {
	case detect.SessionCategory:
		return groupSession
	case detect.EndpointCategory, detect.UpstreamCategory, detect.TrafficCategory:
		return groupEndpoint
	case detect.AccountCategory, detect.ClientCategory:
		return groupAccount
	case detect.AttackCategory:
		return groupAttack
	case detect.OrdinaryCategory:
		return groupOrdinary
	}
	return GroupUnexplained
}

// Cause is the cause of a refusal, in words.
type Cause struct {
	Name    string
	Group   int
	Label   string
	Meaning string
}

func newCause(c detect.Cause) Cause { return Cause{c.Name, groupOf(c.Category), c.Label, c.Meaning} }

// Causes returns all causes, group by group.
func Causes() []Cause {
	var all []Cause
	for _, c := range detect.Causes() {
		all = append(all, newCause(c))
	}
	slices.SortStableFunc(all, func(a, b Cause) int { return a.Group - b.Group })
	return all
}

// CauseOf returns the cause with a name. An unknown cause is labelled by its name.
func CauseOf(name string) Cause {
	all := detect.Causes()
	if i := slices.IndexFunc(all, func(c detect.Cause) bool { return c.Name == name }); i >= 0 {
		return newCause(all[i])
	}
	name = Clip(name, MaxName)
	return Cause{Name: name, Group: GroupUnexplained, Label: name}
}

// CauseGroups returns the group of each of detect.Causes, by number.
func CauseGroups() []int {
	var all []int
	for _, c := range detect.Causes() {
		all = append(all, groupOf(c.Category))
	}
	return all
}

// SortedKeys returns the keys of m in ascending order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Reason says what it means that a line was rejected or skipped for a reason, which is
// the name of a parse.Verdict. It is empty for an unknown reason.
func Reason(name string) string {
	switch name {
	case "blank":
		return "empty or only white space"
	case "comment":
		return "starts with #"
	case "out_of_range":
		return "outside the time range"
	case "error_log":
		return "error log, or another message that is no request"
	case "too_long":
		return "longer than 1 MiB"
	case "binary":
		return "contains binary data"
	case "syntax":
		return "does not match the format"
	case "time":
		return "no valid time between 1990 and 2100"
	case "status":
		return "status is not three digits"
	case "number":
		return "a size or duration is not a number"
	case "json":
		return "not a JSON object"
	case "empty":
		return "neither a time nor a status"
	}
	return ""
}
