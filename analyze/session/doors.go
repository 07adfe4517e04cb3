package session

import (
	"cmp"
	"slices"

	"logscan/analyze/timeline"
)

// People and an app may sign in at different routes of a site, and have sessions of
// different length: the cookie of a form, the token of an API. Where the log does not name
// the host, or both have the same one, only the sign-in tells them apart.

// maxDoors is the maximum number of sign-ins that are told apart, those with most answers:
// a site has a form, an identity provider and a token endpoint or two.
const maxDoors = 8

// doors numbers the endpoints that begin sessions, from 1, if there are several. It is
// by endpoint, 0 for the others, and nil if there is one.
type doors []uint8

// findDoors sets the doors.
func (ev *Evidence) findDoors() {
	var list []uint32
	for i := range ev.Roles {
		if ev.Roles[i].Begins() && ev.opened(uint32(i)) > 0 {
			list = append(list, uint32(i))
		}
	}
	if len(list) < 2 {
		return
	}
	slices.SortFunc(list, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(ev.opened(b), ev.opened(a)), cmp.Compare(a, b))
	})
	ev.doors = make(doors, len(ev.Roles))
	for n, endpoint := range list[:min(len(list), maxDoors)] {
		ev.doors[endpoint] = uint8(n + 1)
	}
}

// opened returns how often an endpoint may have begun a session.
func (ev *Evidence) opened(endpoint uint32) int64 {
	n := &ev.State.Endpoints[endpoint].N
	return n[timeline.Accepted] + n[timeline.Redirected]
}

// Doors returns the endpoints of the doors, by door less one; none if there is one door.
func (ev *Evidence) Doors() []uint32 {
	var list []uint32
	for endpoint, n := range ev.doors {
		if n > 0 {
			list = append(list, make([]uint32, max(0, int(n)-len(list)))...)
			list[n-1] = uint32(endpoint)
		}
	}
	return list
}

// DoorOf returns the door of an endpoint, 0 for none; see Record.Door.
func (ev *Evidence) DoorOf(endpoint uint32) uint8 { return ev.doors.of(endpoint) }

// of returns the door of an endpoint, 0 for none.
func (d doors) of(endpoint uint32) uint8 {
	if d == nil {
		return 0
	}
	return d[endpoint]
}

// door returns the lifetimes of the sessions that began at a door.
func (l *Lifetimes) door(n uint8) *Lifetimes {
	if l.Doors[n] == nil {
		l.Doors[n] = &Lifetimes{}
	}
	return l.Doors[n]
}

// survive counts a request that a session whose sign-in was seen survived.
func (l *Lifetimes) survive(gap, gapAny, age int64) {
	l.SeenAge.Add(age)
	l.SeenGap.Add(gap)
	l.SeenGapAny.Add(gapAny)
}

// finished counts a session by what it survived. That of a client of several people is
// not one.
func (l *Lifetimes) finished(x *life, shared bool) {
	if l.Sessions++; shared {
		return
	}
	l.Longest.Add(x.row.LongestGap)
	if x.seen {
		l.SeenLongest.Add(x.row.LongestGap)
		l.SeenOldest.Add(x.row.LastAccepted - x.start)
	}
}

// finish makes Gap and GapAny those of all sessions.
func (l *Lifetimes) finish() {
	l.Gap.Merge(&l.SeenGap)
	l.GapAny.Merge(&l.SeenGapAny)
	if l.Gap.Total() == 0 {
		l.Gap, l.GapAny, l.Bare = l.bareGap, l.bareGapAny, true
	}
	for _, part := range l.Doors {
		if part != nil {
			part.finish()
		}
	}
}
