package analyze

import (
	"time"

	"logscan/analyze/session"
)

// A session that is in use does not expire by silence. One may be ended by its owner
// elsewhere; if most of those that end at a host are cut off in use, something ends them that
// no finding names, such as a limit on their age where the sign-ins are not logged.

const (
	// inUse is the maximum silence, in milliseconds, of a session in use: the shortest usual
	// timeout.
	inUse = int64(5 * time.Minute / time.Millisecond)
	// cutEnds is the minimum number of sessions that are cut off in use, cutActors that of
	// the actors, and cutShare their minimum share of the sessions of a host that end.
	cutEnds   = 10
	cutActors = 5
	cutShare  = 0.5
)

// cutInUse reports whether a refusal is of a session that was in use when it ended.
func cutInUse(r *session.Refusal) bool {
	return r.Cause == session.SessionEnd && r.Dead && !r.Shared && r.GapAny() >= 0 && r.GapAny() < inUse
}

// cutHosts returns the hosts most of whose sessions that end are cut off in use.
func (a *assembly) cutHosts() map[string]bool {
	type count struct {
		ends, cut int
		actors    map[uint32]bool
	}
	hosts := map[string]*count{}
	for i := range a.Refusals.Len() {
		r := a.Refusals.At(i)
		if r.Cause != session.SessionEnd || !r.Fatal || r.Actor == 0 || a.Of[i] != 0 {
			continue
		}
		host := a.State.Endpoints[r.Endpoint].Host
		if hosts[host] == nil {
			hosts[host] = &count{actors: map[uint32]bool{}}
		}
		x := hosts[host]
		if x.ends++; cutInUse(r) {
			if x.cut++; len(x.actors) < cutActors { // more of them need not be told apart
				x.actors[r.Actor] = true
			}
		}
	}
	found := map[string]bool{}
	for host, x := range hosts {
		if x.cut >= cutEnds && len(x.actors) >= cutActors && float64(x.cut) >= cutShare*float64(x.ends) {
			found[host] = true
		}
	}
	return found
}
