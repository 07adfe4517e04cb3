package detect

import (
	"cmp"
	"slices"
	"strconv"

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

// areaFalse is the accepted probability that findings of routes below one path begin
// together by chance: one location of a configuration holds them.
const areaFalse = 0.05

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

func (d *Preflight) onsetRange() (from, to result.Time) { return d.LastAccepted, d.FirstRefused }

func (b *BrokenEndpoint) onsetRange() (from, to result.Time) {
	if b.OnsetLow == nil {
		return 0, 0
	}
	return *b.OnsetLow, *b.OnsetHigh
}

// hostKey returns the key by which units are folded by host: what the whole host does, and
// whether it did so from the first line on.
func (x *folder) hostKey(u *unit) (string, bool) {
	key := u.Subject.Host + "\x00" + strconv.FormatBool(u.Onset != parse.NoTime)
	if r, ok := u.Details.(*Redirect); ok {
		key += "\x00" + r.Host
	}
	return key, true
}

// sameHost folds units of one host, of those with an onset the ones that began together.
func (x *folder) sameHost(units []int) []foldGroup {
	if x.units[units[0]].Onset == parse.NoTime {
		if len(units) < foldArea {
			return nil
		}
		return []foldGroup{{units: units}}
	}
	return x.meeting(units, func(group []int, _ int64) bool { return len(group) >= foldArea })
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

// programKey returns the key by which integrations are folded that are one program: its
// name, route and host, and whether it is still refused. It returns false for others.
func (x *folder) programKey(u *unit) (string, bool) {
	d, ok := u.Details.(*FailingIntegration)
	if !ok || u.Subject.UserAgent == "" {
		return "", false
	}
	return u.Subject.Host + "\x00" + u.Subject.UserAgent + "\x00" + d.Route + "\x00" + strconv.FormatBool(d.Ongoing), true
}

// sameProgram folds the clients of a program that were first refused within onsetLength,
// however long ago each had been accepted: a job that runs once a night has no closer onset.
func (x *folder) sameProgram(units []int) (groups []foldGroup) {
	units = slices.Clone(units)
	slices.SortFunc(units, func(i, j int) int {
		return cmp.Or(cmp.Compare(x.units[i].Onset, x.units[j].Onset), cmp.Compare(i, j))
	})
	for len(units) > 0 {
		n := 1
		for n < len(units) && x.units[units[n]].Onset-x.units[units[0]].Onset <= onsetLength*1000 {
			n++
		}
		if n >= foldArea {
			groups = append(groups, foldGroup{units: units[:n:n]})
		}
		units = units[n:]
	}
	return groups
}

// sameOnset folds units that began together.
func (x *folder) sameOnset(units []int) []foldGroup {
	return x.meeting(units, func(group []int, within int64) bool { return x.together(group, len(units), within) })
}

// meeting returns the groups of units that may have begun at the same time and of which
// one reports true.
func (x *folder) meeting(units []int, one func(group []int, within int64) bool) []foldGroup {
	var all []onsetRange
	for _, i := range units {
		u := &x.units[i]
		r := onsetRange{i, u.Onset/1000 - x.d.Width, u.Onset/1000 + x.d.Width}
		if d, ok := u.Details.(interface{ onsetRange() (from, to result.Time) }); ok {
			if from, to := d.onsetRange(); from != 0 {
				r.from, r.to = int64(from)/1000, int64(to)/1000
			}
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
		if one(g.units, to-from) {
			groups = append(groups, g)
		}
		all = all[n:]
	}
	return largestFirst(groups)
}

// together reports whether the units of a group, of so many in all, would hardly begin
// within a time, in milliseconds, by chance.
func (x *folder) together(group []int, all int, within int64) bool {
	near := 2 * float64(within) / float64(max(x.d.To-x.d.From, 1))
	least, accepted := foldLeast, attackFalse
	if x.inOneArea(group) {
		least, accepted = foldArea, areaFalse
	}
	n := len(group)
	return n >= least && float64(all)*stats.BinomialTail(int64(n-1), int64(all-1), near) <= accepted
}

// inOneArea reports whether units are routes of a host below one path.
func (x *folder) inOneArea(group []int) bool {
	first := &x.units[group[0]].Subject
	route := first.Route
	for _, i := range group[1:] {
		route = commonPrefix(route, x.units[i].Subject.Route)
	}
	return first.Type == "endpoint" && route != ""
}
