package detect

import (
	"slices"

	"logscan/analyze/session"
	"logscan/parse"
)

// Kind is a row of the catalogue: the complete description of one kind of finding.
// Names of causes, columns of tables, groups and texts are derived from it.
type Kind struct {
	Name     string // its name in outputs and queries, which is stable
	Label    string // the name for people
	Meaning  string // one sentence
	Category Category
	// Subjects are the types of subject that its findings have.
	Subjects []string
	// Needs are the fields without which the kind cannot be found, by the names of
	// their columns.
	Needs []string
	// Uses are the fields that make its findings possible or much more certain.
	Uses []parse.Extra
	// Details returns an empty value of the type of its findings' details.
	Details func() any
	// Title, Explanation and the steps of Remedy are the texts of a finding, as
	// templates that package report/wording executes: . is the finding.
	Title, Explanation string
	Remedy             []string

	// folds is how its findings are folded if several are one trouble; most kinds have
	// findings of whole sites, which are not.
	folds foldRule
	// observe returns the observer of the timelines for this kind, or nil if the
	// refusals alone rule the kind out. It is called concurrently with those of
	// other kinds. It is nil for kinds that need only the refusals.
	observe func(*Diagnosis) observer
	// inspect returns the findings that would explain refusals that no finding
	// explains yet (Diagnosis.open). It is called again after other findings have
	// been accepted, and must not change anything. seen is what observe returned.
	inspect func(d *Diagnosis, seen observer) ([]candidate, error)
	// rest is like inspect, but returns findings for what all kinds have left that are
	// not residual. Most kinds have none.
	rest func(d *Diagnosis, seen observer) ([]candidate, error)
	// certain kinds recognise each of their refusals individually. If both explain
	// the same refusals, they take precedence over kinds that show only in numbers.
	certain bool
	// residual kinds explain only what all other kinds have left, with their rest.
	residual bool
}

// Catalogue returns all kinds of findings, in the order of CauseNames.
func Catalogue() []Kind {
	return []Kind{
		withIssuedLifetimes(sessionExpiry),
		sessionInvalidation,
		sessionAddressChange,
		retryStorm,
		misconfiguredOrFailing(),
		permissionDenied,
		corsPreflight,
		authLostOnRedirect,
		insecureScheme,
		uncredentialedAsset,
		upstreamMisconfigured,
		accountFailure,
		integrationFailure,
		unauthenticatedProbe,
		bruteForce,
		distributedGuessing,
		passwordSpraying,
		credentialStuffing,
		authScanner,
		downOrFailing(),
		intermittentRefusal,
		clientSoftwareFailure,
		unauthorizedSpike,
	}
}

// KindOf returns the catalogue's row of a kind; false if there is no such kind.
func KindOf(name string) (Kind, bool) {
	all := Catalogue()
	if i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == name }); i >= 0 {
		return all[i], true
	}
	return Kind{}, false
}

// KindsUsing returns the names of the kinds that a field makes possible, or much more
// certain.
func KindsUsing(x parse.Extra) (names []string) {
	for _, k := range Catalogue() {
		if slices.Contains(k.Uses, x) {
			names = append(names, k.Name)
		}
	}
	return names
}

// Category is the group that a cause belongs to.
type Category string

// The categories. Kinds of findings have one of the first seven.
const (
	SessionCategory     Category = "session"
	EndpointCategory    Category = "endpoint"
	UpstreamCategory    Category = "upstream"
	TrafficCategory     Category = "traffic"
	AccountCategory     Category = "account"
	ClientCategory      Category = "client"
	AttackCategory      Category = "attack"
	OrdinaryCategory    Category = "ordinary"
	UnexplainedCategory Category = "unexplained"
)

// Cause is the cause of a refusal: a kind of finding, or one that a refusal shows
// by itself.
type Cause struct {
	Name, Label, Meaning string
	Category             Category
}

// Causes returns all causes in a fixed order: the kinds of findings, then those
// that are no findings.
func Causes() []Cause {
	var all []Cause
	for _, k := range Catalogue() {
		all = append(all, Cause{k.Name, k.Label, k.Meaning, k.Category})
	}
	ordinary := [session.NumCauses]Cause{
		session.Challenge: {Label: "Handshake", Category: OrdinaryCategory,
			Meaning: "The first step of a sign-in that then succeeded: Basic, Digest, Negotiate, git and container registries begin with a 401."},
		session.LoginFailure: {Label: "Mistyped password", Category: OrdinaryCategory,
			Meaning: "A person mistyped a password, then succeeded or gave up."},
		session.SessionEnd: {Label: "Ordinary session end", Category: OrdinaryCategory,
			Meaning: "One session expired and its owner signed in again."},
		session.Anonymous: {Label: "Anonymous visitor", Category: OrdinaryCategory,
			Meaning: "Somebody without credentials: a crawler, a bookmark, a link preview."},
		session.TokenRenewal: {Label: "Refused renewal", Category: OrdinaryCategory,
			Meaning: "A client asked for a new token or session in exchange for an old one, and was refused."},
		session.Unexplained: {Label: "Unexplained", Category: UnexplainedCategory,
			Meaning: "No known cause fits well enough."},
	}
	for i := range ordinary {
		ordinary[i].Name = session.Cause(i).String()
	}
	return append(all, ordinary[:]...)
}

// CauseNames returns the names of Causes.
func CauseNames() []string {
	var names []string
	for _, c := range Causes() {
		names = append(names, c.Name)
	}
	return names
}
