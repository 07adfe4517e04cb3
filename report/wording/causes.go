package wording

import (
	"maps"
	"slices"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/report"
)

// group is a set of causes that are shown as one.
type Group struct {
	Name  string // stands in class names of the report
	Label string
}

// The groups of causes, in the order in which they are stacked and listed.
const (
	groupSession = iota
	groupEndpoint
	groupAccount
	groupAttack
	GroupUnexplained
	groupOrdinary
	NumGroups
)

var Groups = [NumGroups]Group{
	groupSession:     {"session", "Sessions"},
	groupEndpoint:    {"endpoint", "Endpoints and servers"},
	groupAccount:     {"account", "Accounts and machine clients"},
	groupAttack:      {"attack", "Attacks"},
	GroupUnexplained: {"unexplained", "Unexplained"},
	groupOrdinary:    {"ordinary", "Ordinary, harmless"},
}

// cause is a cause of a 401 in words.
type Cause struct {
	Name    string
	Group   int
	Label   string
	Meaning string
}

// causes are all causes, group by group.
var Causes = []Cause{
	{"session_expiry", groupSession, "Session timeout", "Sessions end at one age or after one silence, and people are refused in the middle of their work."},
	{"session_invalidation", groupSession, "Sessions ended at once", "Very many live sessions died at one instant: a deploy, a new key, a session store that was emptied."},
	{"session_address_change", groupSession, "Address change", "Sessions died when the client's address changed: they are bound to it."},
	{"retry_storm", groupSession, "Retry storm", "A client repeats the refused request over and over and never signs in again."},

	{"endpoint_misconfigured", groupEndpoint, "Misconfigured endpoint", "People whose sign-in is good elsewhere are refused at one endpoint."},
	{"permission_denied_as_401", groupEndpoint, "Missing permission", "Signed-in users without permission get 401 where 403 is meant."},
	{"cors_preflight", groupEndpoint, "CORS preflight", "A browser's preflight request, which never carries credentials, is refused."},
	{"auth_lost_on_redirect", groupEndpoint, "Lost on a redirect", "A redirect made the client drop its Authorization header."},
	{"insecure_scheme", groupEndpoint, "http instead of https", "Refused over http, accepted over https: secure cookies are not sent over http."},
	{"uncredentialed_asset", groupEndpoint, "Asset without cookies", "Browsers fetch it without cookies, even for people who are signed in."},
	{"upstream_misconfigured", groupEndpoint, "Misconfigured backend", "One backend of several refuses what the others accept."},
	{"unauthorized_spike", groupEndpoint, "Spike", "401s were far above their usual level."},

	{"account_failure", groupAccount, "Failing account", "One account is refused where others are accepted: locked, expired or revoked."},
	{"integration_failure", groupAccount, "Failing integration", "A machine client that used to be accepted is refused from one time on."},
	{"unauthenticated_probe", groupAccount, "Probe without credentials", "A monitor or health check that never had credentials."},

	{"brute_force", groupAttack, "Brute force", "One client guesses many passwords of one or few accounts."},
	{"distributed_guessing", groupAttack, "Distributed guessing", "Many clients guess the password of one account."},
	{"password_spraying", groupAttack, "Password spraying", "One client tries few passwords on each of many accounts."},
	{"credential_stuffing", groupAttack, "Credential stuffing", "Many accounts are tried once each, with passwords stolen elsewhere."},
	{"auth_scanner", groupAttack, "Scanner", "One client walks many paths and is refused."},

	{"unexplained", GroupUnexplained, "Unexplained", "No cause that logscan knows fits well enough to say so."},

	{"challenge", groupOrdinary, "Handshake", "The first step of a sign-in that then succeeded: Basic, Digest, Negotiate, git and container registries begin with a 401."},
	{"login_failure", groupOrdinary, "Mistyped password", "A person mistyped, then succeeded or gave up."},
	{"session_end", groupOrdinary, "Ordinary session end", "One session expired and its owner signed in again."},
	{"anonymous", groupOrdinary, "Anonymous visitor", "Somebody without credentials: a crawler, a bookmark, a link preview."},
}

// causeOf gives the words of a cause; one without is shown by its name.
func CauseOf(name string) Cause {
	if i := slices.IndexFunc(Causes, func(c Cause) bool { return c.Name == name }); i >= 0 {
		return Causes[i]
	}
	name = Clip(name, report.NameChars)
	return Cause{Name: name, Group: GroupUnexplained, Label: name}
}

// groupsOfCauses gives the group of each of analyze.CauseNames.
func CauseGroups() []int {
	all := make([]int, len(detect.CauseNames))
	for i, name := range detect.CauseNames {
		all[i] = CauseOf(name).Group
	}
	return all
}

// harmless is how many 401s belong to ordinary use.
func Harmless(res *result.Result) int64 {
	n := int64(0)
	for name, count := range res.Causes {
		if CauseOf(name).Group == groupOrdinary {
			n += count
		}
	}
	return n
}

func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
