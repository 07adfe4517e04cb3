package wording

import (
	"logscan/analyze/result"
)

// BreakIn is an attack that succeeded: who got in where and when.
type BreakIn struct {
	FindingID string
	result.BreakIn
}

// breakInDetails are the details of findings of attacks that may have succeeded.
type breakInDetails interface {
	BreakIn(*result.Subject) (result.BreakIn, bool)
}

// breakIns returns the attacks that succeeded, in the order of the findings.
func breakIns(res *result.Result) []BreakIn {
	var all []BreakIn
	for i := range res.Findings {
		f := &res.Findings[i]
		d, ok := f.Details.(breakInDetails)
		if !ok || f.Muted != nil {
			continue
		}
		if b, ok := d.BreakIn(&f.Subject); ok {
			all = append(all, BreakIn{f.ID, b})
		}
	}
	return all
}

const (
	// namedAccounts is how many accounts that were broken into the verdict names.
	namedAccounts = 3
	maxAccount    = 60 // characters of an account's name in the verdict
)

// entered says who got in, for the beginning of the verdict; it is empty if nobody did.
func entered(all []BreakIn) string {
	if len(all) == 0 {
		return ""
	}
	first := &all[0]
	s := "Somebody got in"
	switch n := len(first.Accounts); {
	case n == 0:
	case n <= namedAccounts:
		s += " as " + List(clipped(first.Accounts))
	default:
		s += " as " + List(append(clipped(first.Accounts[:namedAccounts]), Count(int64(n-namedAccounts), "other")))
	}
	if first.Host != "" {
		s += " at " + Clip(first.Host, maxAccount)
	}
	switch {
	case first.Address != "":
		s += " from " + Clip(first.Address, maxAccount)
	case first.Addresses > 0:
		s += " from " + Plural(int64(first.Addresses), "address", "addresses")
	}
	if first.At != 0 {
		s += " on " + At(int64(first.At))
	}
	s += " after guessing"
	if more := len(all) - 1; more > 0 {
		s += ", and in " + Count(int64(more), "other attack")
	}
	return s + "."
}

func clipped(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = Clip(n, maxAccount)
	}
	return all
}
