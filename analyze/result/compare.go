package result

import (
	"slices"

	"logscan/analyze/stats"
)

// Snapshot is the part of a run's result that a later run is compared with.
type Snapshot struct {
	Requests     int64 // parsed lines
	Findings     []Finding
	Undetectable []string // kinds
	PseudonymKey string   // Result.PseudonymKey
}

// Snapshot returns the part of res that a later run is compared with.
func (res *Result) Snapshot() *Snapshot {
	s := &Snapshot{Requests: res.Totals.Parsed, Findings: res.Findings, PseudonymKey: res.PseudonymKey}
	for _, u := range res.Undetectable {
		s.Undetectable = append(s.Undetectable, u.Kind)
	}
	return s
}

// Status is how a finding compares with an earlier run.
type Status string

// The statuses. Their names are stable.
const (
	StatusNew        Status = "new"
	StatusPersisting Status = "persisting"
	StatusWorse      Status = "worse"
	StatusBetter     Status = "better"
	StatusResolved   Status = "resolved"
)

// Change is how a finding has changed since an earlier run.
type Change struct {
	Status Status
	// Severity and Unauthorized are those of the earlier run.
	Severity     Severity
	Unauthorized int64
	// Ratio is the ratio of the 401s per request, now to then, and PValue the
	// chance of such a difference if nothing has changed. Both are 0 for a finding
	// that is new or resolved.
	Ratio, PValue float64
}

const (
	// changeRatio is the ratio of the 401s per request from which on a finding is
	// worse, or by its inverse better: ordinary days differ by less.
	changeRatio = 1.5
	// changeFalse is the chance of reporting a difference that is none.
	changeFalse = 0.01
)

// Compare returns how each finding of now has changed since before, by index, and the
// findings of before that are gone. Kinds that now's logs cannot show are left out,
// because they cannot be called resolved, and so are those of kinds that have more findings than are listed.
//
// A finding is worse or better if its severity has changed, or else if the ratio of
// its 401s per request is both large and significant (stats.RateRatioTest). 401s come in
// bursts, so the test counts distinct actors if both runs have enough of them.
func Compare(before, now *Snapshot) (changes []Change, resolved []Finding) {
	place := map[string]int{}
	for i := range before.Findings {
		place[before.Findings[i].ID] = i
	}
	changes = make([]Change, len(now.Findings))
	stands := make([]bool, len(before.Findings))
	for i := range now.Findings {
		changes[i] = Change{Status: StatusNew}
		if j, ok := place[now.Findings[i].ID]; ok {
			stands[j] = true
			changes[i] = change(&before.Findings[j], &now.Findings[i], before.Requests, now.Requests)
		}
	}
	counted := map[string]bool{} // kinds with findings that are not listed one by one
	for i := range now.Findings {
		if f := &now.Findings[i]; f.Rest() {
			counted[f.Kind] = true
		}
	}
	for j := range before.Findings {
		if f := before.Findings[j]; !stands[j] && !slices.Contains(now.Undetectable, f.Kind) && !counted[f.Kind] {
			f.Change = &Change{Status: StatusResolved, Severity: f.Severity, Unauthorized: f.Unauthorized}
			resolved = append(resolved, f)
		}
	}
	return changes, resolved
}

// fewActors is the least number of actors that are counted instead of their 401s.
const fewActors = 5

func change(before, now *Finding, requestsBefore, requestsNow int64) Change {
	c := Change{Status: StatusPersisting, Severity: before.Severity, Unauthorized: before.Unauthorized}
	c.Ratio = stats.Ratio(now.Unauthorized, requestsNow, before.Unauthorized, requestsBefore)
	k, l := now.Unauthorized, before.Unauthorized
	if min(now.Actors, before.Actors) >= fewActors {
		k, l = now.Actors, before.Actors
	}
	c.PValue = stats.RateRatioTest(k, requestsNow, l, requestsBefore)
	switch surprising := c.PValue <= changeFalse; {
	case now.Severity > before.Severity:
		c.Status = StatusWorse
	case now.Severity < before.Severity:
		c.Status = StatusBetter
	case surprising && c.Ratio >= changeRatio:
		c.Status = StatusWorse
	case surprising && c.Ratio <= 1/changeRatio:
		c.Status = StatusBetter
	}
	return c
}

// Compare sets the changes of res since an earlier run.
func (res *Result) Compare(before *Snapshot) {
	changes, resolved := Compare(before, res.Snapshot())
	for i := range changes {
		res.Findings[i].Change = &changes[i]
	}
	res.Resolved = resolved
}
