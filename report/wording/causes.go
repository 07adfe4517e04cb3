package wording

import (
	"maps"
	"slices"

	"logscan/analyze/detect"
	"logscan/analyze/result"
)

// Group is a set of categories of causes that are shown as one.
type Group struct {
	Name  string // in class names of the report
	Label string
}

// The groups, in the order in which they are stacked and listed.
const (
	groupSession = iota
	groupEndpoint
	groupAccount
	groupAttack
	GroupUnexplained
	groupOrdinary
	NumGroups
)

// Groups are the groups by number.
var Groups = [NumGroups]Group{
	groupSession:     {"session", "Sessions"},
	groupEndpoint:    {"endpoint", "Endpoints and servers"},
	groupAccount:     {"account", "Accounts and machine clients"},
	groupAttack:      {"attack", "Attacks"},
	GroupUnexplained: {"unexplained", "Unexplained"},
	groupOrdinary:    {"ordinary", "Ordinary, harmless"},
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

// Cause is a cause of a refusal in words.
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

// CauseOf returns the cause with a name. One that does not exist is shown by its
// name.
func CauseOf(name string) Cause {
	all := detect.Causes()
	if i := slices.IndexFunc(all, func(c detect.Cause) bool { return c.Name == name }); i >= 0 {
		return newCause(all[i])
	}
	name = Clip(name, maxName)
	return Cause{Name: name, Group: GroupUnexplained, Label: name}
}

// maxName is how many characters of an unknown cause's name are shown.
const maxName = 160

// CauseGroups returns the group of each of detect.Causes, by number.
func CauseGroups() []int {
	var all []int
	for _, c := range detect.Causes() {
		all = append(all, groupOf(c.Category))
	}
	return all
}

// Harmless returns how many refusals belong to ordinary use.
func Harmless(res *result.Result) int64 {
	n := int64(0)
	for _, c := range detect.Causes() {
		if c.Category == detect.OrdinaryCategory {
			n += res.Causes[c.Name]
		}
	}
	return n
}

// SortedKeys returns the keys of m in order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
