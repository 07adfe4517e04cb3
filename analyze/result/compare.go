package result

import (
	"slices"

	"logscan/analyze/stats"
)

// Snapshot is what an earlier run found, as far as a later one is compared with
// it.
type Snapshot struct {
	Requests     int64 // parsed lines
	Findings     []Finding
	Undetectable []string // kinds
	PseudonymKey string   // Result.PseudonymKey
}

// Snapshot gives what a later run compares with.
func (res *Result) Snapshot() *Snapshot {
	s := &Snapshot{Requests: res.Totals.Parsed, Findings: res.Findings, PseudonymKey: res.PseudonymKey}
	for _, u := range res.Undetectable {
		s.Undetectable = append(s.Undetectable, u.Kind)
	}
	return s
}

// Status says how a finding stands against an earlier run's.
type Status string

// The statuses. Their names are stable.
const (
	StatusNew        Status = "new"
	StatusPersisting Status = "persisting"
	StatusWorse      Status = "worse"
	StatusBetter     Status = "better"
	StatusResolved   Status = "resolved"
)

// Change is what has changed of a finding since an earlier run.
type Change struct {
	Status Status
	// Severity and Unauthorized are those of the earlier run.
	Severity     Severity
	Unauthorized int64
	// Ratio is how many times as many 401s a request there are now, and PValue
	// the chance of such a difference when nothing has changed. Both are 0 for a
	// finding that is new or resolved.
	Ratio, PValue float64
}

const (
	// changeRatio is from how many times as many 401s a request on, or the
	// same part of them, a finding is worse or better: days differ that much by
	// themselves.
	changeRatio = 1.5
	// changeFalse is the chance of calling a difference one that is none.
	changeFalse = 0.01
)

// Compare gives what has changed of each finding of now since before, by place,
// and those of before that are gone. What now's logs cannot show is not called
// resolved: it is left out.
//
// Worse and better are a change of the severity, or else a ratio of the 401s a
// request that is both large and significant (stats.RateRatioTest). 401s come in
// bursts, so what counts is the distinct actors, where both runs have any to
// speak of.
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
	for j := range before.Findings {
		if f := before.Findings[j]; !stands[j] && !slices.Contains(now.Undetectable, f.Kind) {
			f.Change = &Change{Status: StatusResolved, Severity: f.Severity, Unauthorized: f.Unauthorized}
			resolved = append(resolved, f)
		}
	}
	return changes, resolved
}

// fewActors are too few to be counted instead of their 401s.
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
