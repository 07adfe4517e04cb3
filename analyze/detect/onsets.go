package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/stats"
	"logscan/parse"
)

// Findings began together if the times between which each began have a point in common,
// and if so many would hardly have one by chance: the tail of the binomial distribution
// of the others that begin as near to one of them, times their number (the bound of a
// scan statistic).

// onsetLength is the maximum time, in milliseconds, between the last acceptance and the
// first refusal of a finding that is folded by its onset. A longer one leaves open when
// the finding began.
const onsetLength = 60 * 60_000

// onsetRange is when a finding began, in Unix milliseconds.
type onsetRange struct {
	unit     int
	from, to int64
}

// onsetRange returns between which times it began.
func (d *FailingAccount) onsetRange() (from, to result.Time) { return d.LastAccepted, d.FirstRefused }

func (d *FailingIntegration) onsetRange() (from, to result.Time) {
	return d.LastAccepted, d.FirstRefused
}

// onsetKey returns the key by which units are folded by onset: the host and the stated
// reason. It returns false for a unit that was there from the first line: it has no onset
// in common with others.
func (x *folder) onsetKey(u *unit) (string, bool) {
	key := u.Subject.Host
	if u.Reason != nil {
		key += "\x00" + u.Reason.Text
	}
	return key, u.Onset != parse.NoTime
}

// sameOnset folds units that began together.
func (x *folder) sameOnset(units []int) []foldGroup {
	var all []onsetRange
	for _, i := range units {
		u := &x.units[i]
		r := onsetRange{i, u.Onset/1000 - x.d.Width, u.Onset/1000 + x.d.Width}
		if d, ok := u.Details.(interface{ onsetRange() (from, to result.Time) }); ok {
			from, to := d.onsetRange()
			r.from, r.to = int64(from)/1000, int64(to)/1000
		}
		if r.to-r.from <= onsetLength {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b onsetRange) int { return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.unit, b.unit)) })
	var groups []foldGroup
	for len(all) > 0 {
		n, from, to := 0, all[0].from, all[0].to // n: of those that began before the first was refused
		g := foldGroup{}
		for n < len(all) && all[n].from <= all[0].to {
			g.units = append(g.units, all[n].unit)
			from, to = min(from, all[n].from), max(to, all[n].to)
			n++
		}
		if x.together(n, len(units), to-from) {
			groups = append(groups, g)
		}
		all = all[n:]
	}
	return largestFirst(groups)
}

// together reports whether n of all findings would hardly begin within a time, in
// milliseconds, by chance.
func (x *folder) together(n, all int, within int64) bool {
	near := 2 * float64(within) / float64(max(x.d.To-x.d.From, 1))
	return n >= foldLeast && float64(all)*stats.BinomialTail(int64(n-1), int64(all-1), near) <= attackFalse
}
