package analyze

import (
	"maps"
	"slices"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// A session that expires is refused after a silence, until its owner signs in again. What
// ends otherwise, at a host where most do, is not ordinary.

const (
	// oddEnds is the minimum number of odd ends of sessions of a host, and oddActors that of
	// the actors: a few have a sign-in that the log does not show, or are of people behind one
	// address.
	oddEnds   = 10
	oddActors = 5
	// oddShare is the minimum share of them among the ends of sessions of a host, and of the
	// sessions whose sign-in the log shows.
	oddShare = 0.5
	// inUse is the maximum silence, in milliseconds, of a session in use: the shortest usual
	// timeout.
	inUse = int64(5 * time.Minute / time.Millisecond)
	// inUseWithin is the silence, in milliseconds, after which nobody may be there any more.
	inUseWithin = int64(time.Hour / time.Millisecond)
)

// oddHosts returns the hosts most of whose ends of sessions are odd, of those that count.
func (a *assembly) oddHosts(counts, odd func(*session.Refusal) bool) map[string]bool {
	type count struct {
		ends, odd int
		actors    map[uint32]bool // at most oddActors
	}
	hosts := map[string]*count{}
	for i, r := range a.Refusals.All() {
		if r.Cause != session.SessionEnd || r.Actor == 0 || a.Of[i] != 0 || !counts(r) {
			continue
		}
		host := a.State.Endpoints[r.Endpoint].Host
		x := hosts[host]
		if x == nil {
			x = &count{actors: map[uint32]bool{}}
			hosts[host] = x
		}
		if x.ends++; odd(r) {
			if x.odd++; len(x.actors) < oddActors {
				x.actors[r.Actor] = true
			}
		}
	}
	found := map[string]bool{}
	for host, x := range hosts {
		if x.odd >= oddEnds && len(x.actors) >= oddActors && float64(x.odd) >= oddShare*float64(x.ends) {
			found[host] = true
		}
	}
	return found
}

// revives reports whether a refusal looks like the end of a session that is used again
// without a sign-in. That of a token which is renewed at once is none: in a log of whole
// seconds, what is accepted with the new one may seem to come first.
func revives(r *session.Refusal) bool {
	return r.Cause == session.SessionEnd && r.Dead && r.Resumed && !r.Shared
}

// revivedHosts returns the hosts most of whose ended sessions go on without a sign-in,
// though their sign-ins are logged, or though sessions there outlive such silences: what
// refused them is no expiry.
func (a *assembly) revivedHosts() map[string]bool {
	found := a.oddHosts(func(*session.Refusal) bool { return true }, revives)
	if len(found) == 0 {
		return nil
	}
	seen, sessions := map[string]int{}, map[string]int{}
	for s, err := range a.EachSession() {
		if err != nil {
			return nil // the rows of the sessions report it
		}
		host := a.Sites[s.Site]
		if sessions[host]++; s.StartSeen {
			seen[host]++
		}
	}
	deaths := a.revivedDeaths(found)
	for host := range found {
		if (seen[host] < openedBefore || float64(seen[host]) < oddShare*float64(sessions[host])) && !deaths[host].outlived(a.Lifetimes[host]) {
			delete(found, host)
		}
	}
	return found
}

// revivedDeaths are the ends of the sessions of a host that go on.
type revivedDeaths struct {
	gaps []int64 // the silences before them, in milliseconds
	back int     // sessions that are used again within minutes
}

// revivedDeaths returns those of some hosts.
func (a *assembly) revivedDeaths(hosts map[string]bool) map[string]*revivedDeaths {
	of := map[string]*revivedDeaths{}
	for i, r := range a.Refusals.All() {
		host := a.State.Endpoints[r.Endpoint].Host
		if a.Of[i] != 0 || !r.Fatal || !revives(r) || r.Gap() < 0 || !hosts[host] {
			continue
		}
		x := of[host]
		if x == nil {
			x = &revivedDeaths{}
			of[host] = x
		}
		x.gaps = append(x.gaps, r.Gap())
		if r.Back {
			x.back++
		}
	}
	return of
}

// outlived reports whether the sessions of a host survive silences at least as often as they
// end by them, of those about as long as the typical one by which they seem to end or longer,
// and most are not used again within minutes. If a timeout ended them, next to none would
// survive, and people would sign in to go on. x is nil for no ends.
func (x *revivedDeaths) outlived(lived *session.Lifetimes) bool {
	if x == nil || lived == nil || len(x.gaps) < oddEnds || 2*x.back > len(x.gaps) {
		return false
	}
	slices.Sort(x.gaps)
	gap := x.gaps[len(x.gaps)/2] * 4 / 5
	n, _ := slices.BinarySearch(x.gaps, gap)
	return lived.Gap.CountsAbove()(gap) >= int64(len(x.gaps)-n)
}

// cutInUse reports whether a refusal is of a session that was in use when it ended.
func cutInUse(r *session.Refusal) bool {
	return r.Cause == session.SessionEnd && r.Dead && !r.Shared && r.GapAny() >= 0 && r.GapAny() < inUse
}

// cutHosts returns the hosts most of whose sessions that end are cut off in use. One may be
// ended by its owner elsewhere; if most are, something ends them that no finding names, such
// as a limit on their age where the sign-ins are not logged.
func (a *assembly) cutHosts() map[string]bool {
	return a.oddHosts(func(r *session.Refusal) bool { return r.Fatal }, cutInUse)
}

// youngTokenHosts returns the hosts most of whose tokens that programs renew after a refusal had
// just been given: what refuses them is no expiry.
func (a *assembly) youngTokenHosts() map[string]bool {
	return a.oddHosts(func(r *session.Refusal) bool { return r.TokenAge() > 0 }, detect.Young)
}

// leftHosts returns the refusals that ended sessions which were in use within the hour and
// whose clients do not come back, at hosts where most of those do not. People whose session
// has expired sign in to go on; a program that gives up, or a page that nobody can sign in
// from, does not.
func (a *assembly) leftHosts() (left session.Bits) {
	since := map[timeline.Client]int64{} // by client of such an end: when its last session began
	recent := func(r *session.Refusal) bool {
		return r.Fatal && !r.Shared && r.GapAny() >= 0 && r.GapAny() < inUseWithin && a.To-r.Time > session.Nearby
	}
	for i, r := range a.Refusals.All() {
		if r.Cause == session.SessionEnd && a.Of[i] == 0 && recent(r) && !r.Back {
			since[r.Client()] = session.LongAgo
		}
	}
	if len(since) < oddActors {
		return nil
	}
	for s, err := range a.EachSession() {
		if err != nil {
			return nil // the rows of the sessions report it
		}
		if _, ended := since[s.Client]; ended {
			since[s.Client] = s.Start
		}
	}
	leaves := func(r *session.Refusal) bool {
		began, known := since[r.Client()]
		return known && !r.Back && !r.Resumed && began <= r.Time
	}
	hosts := a.oddHosts(recent, leaves)
	for i, r := range a.Refusals.All() {
		if r.Cause == session.SessionEnd && a.Of[i] == 0 && recent(r) && leaves(r) && hosts[a.State.Endpoints[r.Endpoint].Host] {
			left.Add(i)
		}
	}
	return left
}

const (
	// workday is the age, in milliseconds, that sessions reach where people sign in once a day.
	workday = int64(8 * time.Hour / time.Millisecond)
	// carriedShare is the maximum share of the sessions from before the log that are accepted
	// where none outlives a pause: a few come as the log begins.
	carriedShare = 0.05
)

// carried reports whether a refusal is of a session from before the log, which the log does not
// show accepted, not even by a renewal.
func carried(r *session.Refusal) bool {
	return r.Cause == session.SessionEnd && r.Session && !r.Dead && !r.Good && !r.Back && !r.Resumed
}

// carriedHosts returns the hosts where next to none of the sessions from before the log is
// accepted, though others begin in it, and where none is seen to last a working day. How long
// they had lasted is not known, a night or an hour, unless a finding has the timeout.
func (a *assembly) carriedHosts() map[string]bool {
	type count struct {
		refused        map[uint32]bool // actors
		accepted, long int
		began          int
	}
	hosts := map[string]*count{}
	for i, r := range a.Refusals.All() {
		if r.Actor == 0 || a.Of[i] != 0 || !carried(r) {
			continue
		}
		host := a.State.Endpoints[r.Endpoint].Host
		if hosts[host] == nil {
			hosts[host] = &count{refused: map[uint32]bool{}}
		}
		hosts[host].refused[r.Actor] = true
	}
	known := func(host string) bool {
		return slices.ContainsFunc(a.Findings, func(f result.Finding) bool { return f.Kind == "session_expiry" && f.Subject.Host == result.Clean(host) })
	}
	maps.DeleteFunc(hosts, func(host string, x *count) bool { return len(x.refused) < oddEnds || known(host) })
	if len(hosts) == 0 {
		return nil
	}
	for s, err := range a.EachSession() {
		if err != nil {
			return nil // the rows of the sessions report it
		}
		x := hosts[a.Sites[s.Site]]
		switch {
		case x == nil || !s.Named:
		case !s.StartSeen || s.Renewed:
			x.accepted++
		default:
			x.began++
			if s.LastAccepted-s.Start >= workday {
				x.long++
			}
		}
	}
	found := map[string]bool{}
	for host, x := range hosts {
		found[host] = x.began >= openedBefore && x.long < oddActors && float64(x.accepted) <= carriedShare*float64(len(x.refused)+x.accepted)
	}
	return found
}
