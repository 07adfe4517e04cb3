package result

import "slices"

// MaxFindings is the maximum number of findings that a result holds one by one, muted
// ones and the sums of what is beyond it not counted: nobody reads more.
const MaxFindings = 500

// MaxMembers is how many of its members a fold names.
const MaxMembers = 20

// FoldedBy is what the members of a fold have in common.
type FoldedBy string

// What members have in common. The names are stable.
const (
	FoldedByNetwork FoldedBy = "network" // the addresses of one network do the same
	FoldedByAttack  FoldedBy = "attack"  // the same networks attack them at the same time, or they attack together
	FoldedByOnset   FoldedBy = "onset"   // they began together
	FoldedByHost    FoldedBy = "host"    // a whole host does the same
	FoldedByNumber  FoldedBy = "number"  // there are so many that a list shows nothing
	FoldedByLimit   FoldedBy = "limit"   // they are beyond MaxFindings
)

// Fold says what a finding sums up. It is the details of such a finding.
type Fold struct {
	Members      int       `json:"members"`      // findings
	Names        []string  `json:"member_names"` // subjects of the largest
	By           FoldedBy  `json:"folded_by"`
	SubjectType  string    `json:"-"`                       // of the members; empty if they differ
	Entered      int       `json:"entered,omitempty"`       // attacks that succeeded
	Compromised  []string  `json:"compromised,omitempty"`   // the first accounts that were opened
	FirstSuccess Time      `json:"first_success,omitempty"` // of the attacks that succeeded
	Largest      *Finding  `json:"-"`                       // the member that explains most refusals
	Subjects     []Subject `json:"-"`                       // of Names
}

// AddBreakIn adds the success of a member, if it had one.
func (f *Fold) AddBreakIn(b BreakIn, succeeded bool) {
	if !succeeded {
		return
	}
	f.Entered++
	if b.At != 0 && (f.FirstSuccess == 0 || b.At < f.FirstSuccess) {
		f.FirstSuccess = b.At
	}
	for _, account := range b.Accounts {
		if len(f.Compromised) < MaxMembers && !slices.Contains(f.Compromised, account) {
			f.Compromised = append(f.Compromised, account)
		}
	}
}

// BreakIn returns who got in, and whether anybody did.
func (f *Fold) BreakIn(s *Subject) (BreakIn, bool) {
	return BreakIn{Accounts: f.Compromised, Host: s.Host, Address: s.ClientAddress, At: f.FirstSuccess}, f.Entered > 0
}

// Rest reports whether f sums up what a result does not hold one by one.
func (f *Finding) Rest() bool { return f.Fold != nil && f.Fold.By == FoldedByLimit }

// Count returns how many findings f stands for: a fold is one trouble, but what is
// beyond MaxFindings is many.
func (f *Finding) Count() int {
	if f.Rest() {
		return f.Fold.Members
	}
	return 1
}

// CountFindings returns how many findings there are, with those beyond MaxFindings.
func CountFindings(all []Finding) (n int) {
	for i := range all {
		n += all[i].Count()
	}
	return n
}
